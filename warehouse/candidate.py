"""A candidate: a built release that nobody sees until it is checked, verified, flushed, renamed and switched to.

What goes into the database is ``warehouse.build``'s matter; whether the checks pass is ``quality``'s.
"""

import datetime as dt
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

import pyarrow as pa

from models.tables import Table
from warehouse.build import Bounds, Built, build_database, differences, record_publication
from warehouse.facts import CheckRow, Facts
from warehouse.fingerprint import combine
from warehouse.lake import Lake
from warehouse.release import DATABASE, DESCRIPTION, MARTS, Release, ReleaseBlockedError, ReleaseError, describe
from warehouse.release_store import BUILDING, ReleaseStore, flush


def build_candidate(
    store: ReleaseStore,
    lake: Lake,
    tables: Mapping[str, Table],
    business_date: dt.date,
    facts: Facts,
    bounds: Bounds | None = None,
) -> "Candidate":
    """Build a candidate of the date's partitions; the store is locked until it is finished or discarded.

    Use it in a ``with`` statement: leaving it without ``finish`` discards it.

    Args:
        store: where it would be published.
        lake: where the partitions are.
        tables: table definitions by id; those that are published go into the release.
        business_date: the date to release.
        facts: bank, versions, deliveries, quarantine.
        bounds: memory, threads and spill folder of DuckDB.

    Raises:
        ReleaseError: another process is publishing, or rolling back.
        MissingPartitionError: a published table has no partition for the date.
        DamagedPartitionError: a partition's bytes are not those that were written.
    """
    bounds = bounds or Bounds()
    store.acquire()
    try:
        numbers = [release.number for release in store.list() if release.business_date == business_date]
        release_id = f"{business_date.isoformat()}.{max(numbers, default=0) + 1}"
        folder = store.folder / f"{BUILDING}{release_id}"
        folder.mkdir(parents=True)
        built = build_database(folder / DATABASE, lake, tables, business_date, facts, bounds)
    except BaseException:
        store.let_go()
        raise
    return Candidate(store, release_id, folder, business_date, lake, dict(tables), facts, bounds, built)


@dataclass
class Candidate:
    """A built database that is not a release yet.

    Attributes:
        store: where it would be published.
        release_id: the id it would have.
        folder: its temporary folder.
        business_date: the date it describes.
    """

    store: ReleaseStore
    release_id: str
    folder: Path
    business_date: dt.date
    _lake: Lake
    _tables: dict[str, Table]
    _facts: Facts
    _bounds: Bounds
    _built: Built
    _done: bool = False

    @property
    def database(self) -> Path:
        """The file for the gate to read; close it before ``finish``."""
        return self.folder / DATABASE

    @property
    def content_hash(self) -> str:
        """Fingerprint of the content that would be published."""
        return combine(self._built.fingerprints)

    def finish(self, check_results: Iterable[CheckRow], measured: Mapping[str, pa.Table] | None = None) -> Release:
        """Publish: record the results, verify the file, flush, rename, switch ``current``, drop old releases.

        If the date's latest release already holds the same content, nothing is published: that release is made
        current (it is, unless someone rolled back or a process was killed before switching) and returned with
        ``unchanged`` set. A release of an older date than the current one is published without becoming current.

        Args:
            check_results: the gate's results, at least one for every published table.
            measured: rows of further tables of schema meta that the gate found, by table.

        Raises:
            ReleaseBlockedError: a blocking check failed, a check was broken, or a published table was not checked.
            ReleaseError: the written file differs from the lake's partitions.
        """
        results = list(check_results)
        try:
            self._refuse_if_blocked(results)
            latest = [r for r in self.store.list() if r.business_date == self.business_date][-1:]
            if latest and latest[0].content_hash == self.content_hash:
                release = replace(latest[0], unchanged=True)
            else:
                release = self._publish(results, measured or {})
            self.store.settle(release)
            return release
        finally:
            self.discard()

    def discard(self) -> None:
        """Remove the candidate and let others publish; does nothing after ``finish``."""
        if not self._done:
            self._done = True
            self.store.let_go()

    def __enter__(self) -> "Candidate":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()

    def _refuse_if_blocked(self, results: list[CheckRow]) -> None:
        failed = [r for r in results if not r.passed and (r.severity == "block" or r.broken)]
        checked = {r.table for r in results}
        unchecked = [name for name, table in self._tables.items() if table.published and name not in checked]
        reasons = [f"{r.table}: {r.check_name} failed" for r in failed]
        reasons += [f"{name} has not been checked" for name in unchecked]
        reasons += [f"{name} breaks its constraints" for name in self._built.unconstrained]
        if reasons:
            raise ReleaseBlockedError(f"release {self.release_id} is blocked, the last one stays: {'; '.join(reasons)}")

    def _publish(self, results: list[CheckRow], measured: Mapping[str, pa.Table]) -> Release:
        release = Release(
            id=self.release_id,
            business_date=self.business_date,
            number=int(self.release_id.rpartition(".")[2]),
            path=self.folder.with_name(self.release_id),
            published_at=self.store.clock().astimezone(dt.UTC),
            bank=self._facts.bank,
            code_version=self._facts.code_version,
            model_version=self._facts.model_version,
            content_hash=self.content_hash,
            tables=self._built.fingerprints,
        )
        previous = self.store.current_or_none()
        record_publication(self.database, release, self._facts, results, measured, previous, self._bounds)
        wrong = differences(self.database, self._tables, self._built.fingerprints, self._bounds)
        if wrong:
            raise ReleaseError(
                f"release {self.release_id} is not what the lake holds: {'; '.join(wrong)}; run the night again"
            )
        self._copy_marts()
        (self.folder / DESCRIPTION).write_text(describe(release), encoding="utf-8")
        for path in (*self.folder.rglob("*"), self.folder):
            flush(path)
        self.folder.rename(release.path)
        flush(release.path.parent)
        return release

    def _copy_marts(self) -> None:
        for table in self._tables.values():
            if table.published and table.layer == MARTS:
                target = self.folder / MARTS / f"{table.name}.parquet"
                target.parent.mkdir(exist_ok=True)
                shutil.copyfile(self._lake.require(table.id, self.business_date), target)
