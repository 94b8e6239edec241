"""Releases: numbered folders that never change once they are there, and ``current``, which points at one of them.

A release is built under a temporary name, verified, flushed to disk, renamed, and only then switched to; whoever has
an older one open keeps it. A process killed at any moment leaves ``current`` on a whole release, and temporary
names, which the next writer removes. What goes into the database is ``warehouse.build``'s matter.

    <root>/releases/2026-01-31.1/customer360.duckdb      the warehouse
    <root>/releases/2026-01-31.1/mart/<table>.parquet    the marts, for readers without DuckDB
    <root>/releases/2026-01-31.1/release.json            what the release is, without opening it
    <root>/current -> releases/2026-01-31.1
"""

import datetime as dt
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

import duckdb
from filelock import FileLock, Timeout

from models.tables import Table
from warehouse.build import Bounds, Built, build_database, differences, record_publication
from warehouse.facts import CheckRow, Facts
from warehouse.fingerprint import Fingerprint, combine
from warehouse.lake import Lake

DATABASE = "customer360.duckdb"
DESCRIPTION = "release.json"
MARTS = "mart"
CURRENT = "current"
LOCK_SECONDS = 10.0

_RELEASE = re.compile(r"(\d{4}-\d{2}-\d{2})\.(\d+)")
_TEMPORARY = (".building-", ".removing-")


class ReleaseError(RuntimeError):
    """A release cannot be built, published or switched to; the message says why and what to do."""


class ReleaseBlockedError(ReleaseError):
    """Blocking checks failed, or a table was not checked; the last release stays."""


@dataclass(frozen=True)
class Release:
    """A published release.

    Attributes:
        id: business date and number, ``2026-01-31.1``.
        business_date: the date it describes.
        number: counts the publications of that date, from 1.
        path: its folder, never through ``current``.
        published_at: when it was finished, UTC.
        bank: name of the bank.
        code_version: version of the code that made it.
        model_version: version of the identity model.
        content_hash: fingerprint of its whole content; the same for the same content.
        tables: fingerprint of each table.
        unchanged: set by ``Candidate.finish`` when this release, published before, already holds the
            candidate's content, so that nothing new was published.
    """

    id: str
    business_date: dt.date
    number: int
    path: Path
    published_at: dt.datetime
    bank: str
    code_version: str
    model_version: str
    content_hash: str
    tables: Mapping[str, Fingerprint]
    unchanged: bool = False

    @property
    def database(self) -> Path:
        """The DuckDB file: open it read-only."""
        return self.path / DATABASE

    @property
    def rows(self) -> dict[str, int]:
        """Row count of each data table."""
        return {n: p.rows for n, p in self.tables.items() if not n.startswith("meta.")}

    @property
    def customers(self) -> int:
        """Number of unified customers."""
        return self.rows.get("customer.customer", 0)

    @property
    def order(self) -> tuple[dt.date, int]:
        """Sorts releases: by business date, then by number."""
        return self.business_date, self.number


class ReleaseStore:
    """All releases below one root folder.

    Args:
        root: the folder, ``<home>/warehouse``; made on first use.
        keep: how many of the latest releases stay; the current one stays in any case.
        clock: gives the time of publication, in UTC.
    """

    def __init__(self, root: Path, keep: int = 7, clock: Callable[[], dt.datetime] | None = None) -> None:
        if keep < 1:
            raise ValueError(f"keep is {keep}; at least 1 release must be kept")
        self.root = root
        self.keep = keep
        self.clock = clock or (lambda: dt.datetime.now(dt.UTC))
        # thread_local would let only the thread that took the lock give it back
        self._lock = FileLock(root / ".lock", thread_local=False)

    @property
    def _folder(self) -> Path:
        return self.root / "releases"

    def list(self) -> list[Release]:
        """All releases that are kept, oldest business date first."""
        if not self._folder.is_dir():
            return []
        found = [read_release(path) for path in self._folder.iterdir() if _RELEASE.fullmatch(path.name)]
        return sorted((release for release in found if release), key=lambda release: release.order)

    def current(self) -> Release | None:
        """The release that ``current`` points at; None before the first.

        Raises:
            ReleaseError: it points at a release that is not there.
        """
        try:
            target = (self.root / CURRENT).readlink()
        except FileNotFoundError:
            return None
        release = read_release(self._folder / target.name)
        if release is None:
            raise ReleaseError(
                f"{self.root / CURRENT} points at {target}, which is not there; choose another with 'c360 rollback'"
            )
        return release

    def find(self, release_id: str) -> Release:
        """The release of that id.

        Raises:
            ReleaseError: there is none; names those that are there.
        """
        releases = {release.id: release for release in self.list()}
        if release_id not in releases:
            raise ReleaseError(f"no release {release_id!r}; there are: {', '.join(releases) or 'none'}")
        return releases[release_id]

    def connect(self, release_id: str | None = None) -> duckdb.DuckDBPyConnection:
        """Open a release, by default the current one, read-only.

        The link is resolved first: DuckDB keeps open files by path, so a second connection through ``current`` in
        one process would see the old release as long as the first is open.

        Raises:
            ReleaseError: there is no such release.
        """
        for attempts_left in reversed(range(3)):
            release = self.find(release_id) if release_id else self.current()
            if release is None:
                break
            try:
                return duckdb.connect(str(release.database), read_only=True)
            except duckdb.IOException:
                # removed by retention between the look and the opening: look again
                if release.database.exists() or not attempts_left:
                    raise
        raise ReleaseError(f"no release in {self.root} yet; 'c360 run' publishes one")

    def build(
        self,
        lake: Lake,
        tables: Mapping[str, Table],
        business_date: dt.date,
        facts: Facts,
        bounds: Bounds | None = None,
    ) -> "Candidate":
        """Build a candidate of the date's partitions; the store is locked until it is finished or discarded.

        Use it in a ``with`` statement: leaving it without ``finish`` discards it.

        Args:
            lake: where the partitions are.
            tables: table definitions by id; those that are published go into the release.
            business_date: the date to release.
            facts: bank, versions, deliveries, quarantine.
            bounds: memory, threads and spill folder of DuckDB.

        Raises:
            ReleaseError: another process is publishing, or rolling back.
            MissingPartitionError: a published table has no partition for the date.
        """
        bounds = bounds or Bounds()
        self._acquire()
        try:
            self._remove_leftovers()
            numbers = [release.number for release in self.list() if release.business_date == business_date]
            release_id = f"{business_date.isoformat()}.{max(numbers, default=0) + 1}"
            folder = self._folder / f"{_TEMPORARY[0]}{release_id}"
            folder.mkdir(parents=True)
            before = self._current_or_none()
            previous = (before.id, before.tables) if before else None
            built = build_database(folder / DATABASE, lake, tables, business_date, facts, previous, bounds)
        except BaseException:
            self._remove_leftovers()
            self._lock.release()
            raise
        return Candidate(self, release_id, folder, business_date, lake, dict(tables), facts, bounds, built)

    def rollback(self, to: str | None = None) -> Release:
        """Make another release current: the one named, or the one before the current.

        Raises:
            ReleaseError: there is no such release, or another process is publishing.
        """
        self._acquire()
        try:
            self._remove_leftovers()
            if to is not None:
                target = self.find(to)
            else:
                now = self.current()
                earlier = [release for release in self.list() if now and release.order < now.order]
                if now is None or not earlier:
                    raise ReleaseError(f"no release before {now.id}" if now else f"no release in {self.root} yet")
                target = earlier[-1]
            self._switch(target)
            return target
        finally:
            self._lock.release()

    def _acquire(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=LOCK_SECONDS)
        except Timeout:
            raise ReleaseError(f"another process is publishing into {self.root}; wait until it ends") from None

    def _current_or_none(self) -> Release | None:
        try:
            return self.current()
        except ReleaseError:
            return None

    def _switch(self, release: Release) -> None:
        temporary = self.root / f".{CURRENT}"
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(Path(self._folder.name) / release.id)
        temporary.replace(self.root / CURRENT)
        _flush(self.root)

    def _remove_leftovers(self) -> None:
        """Remove what a killed process left under temporary names; the lock must be held."""
        for path in self._folder.iterdir():
            if path.name.startswith(_TEMPORARY):
                shutil.rmtree(path)
        (self.root / f".{CURRENT}").unlink(missing_ok=True)

    def _prune(self, published: Release) -> None:
        now = self._current_or_none()
        spared = {published.id, now.id if now else None}
        for release in self.list()[: -self.keep]:
            if release.id not in spared:
                # renamed first: nobody ever finds a release that is half there
                doomed = release.path.with_name(f"{_TEMPORARY[1]}{release.id}")
                release.path.rename(doomed)
                shutil.rmtree(doomed)


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

    def finish(self, check_results: Iterable[CheckRow]) -> Release:
        """Publish: record the results, verify the file, flush, rename, switch ``current``, drop old releases.

        If the date's latest release already holds the same content, nothing is published: that release is made
        current (it is, unless someone rolled back or a process was killed before switching) and returned with
        ``unchanged`` set. A release of an older date than the current one is published without becoming current.

        Args:
            check_results: the gate's results, at least one for every published table.

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
                release = self._publish(results)
            now = self.store._current_or_none()
            if now is None or (release.order >= now.order and release.id != now.id):
                self.store._switch(release)
            self.store._prune(release)
            return release
        finally:
            self.discard()

    def discard(self) -> None:
        """Remove the candidate and let others publish; does nothing after ``finish``."""
        if not self._done:
            self._done = True
            shutil.rmtree(self.folder, ignore_errors=True)
            self.store._lock.release()

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

    def _publish(self, results: list[CheckRow]) -> Release:
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
        row = {
            **{name: getattr(release, name) for name in ("business_date", "bank", "content_hash")},
            "release_id": release.id,
            "published_at": release.published_at.replace(tzinfo=None),
            "code_version": release.code_version,
            "model_version": release.model_version,
            "engine_version": duckdb.__version__,
            "source_dates": self._facts.source_dates,
        }
        record_publication(self.database, row, results, self._bounds)
        wrong = differences(self.database, self._tables, self._built.fingerprints, self._bounds)
        if wrong:
            raise ReleaseError(
                f"release {self.release_id} is not what the lake holds: {'; '.join(wrong)}; run the night again"
            )
        self._copy_marts()
        (self.folder / DESCRIPTION).write_text(_describe(release), encoding="utf-8")
        for path in (*self.folder.rglob("*"), self.folder):
            _flush(path)
        self.folder.rename(release.path)
        _flush(release.path.parent)
        return release

    def _copy_marts(self) -> None:
        for table in self._tables.values():
            if table.published and table.layer == MARTS:
                target = self.folder / MARTS / f"{table.name}.parquet"
                target.parent.mkdir(exist_ok=True)
                shutil.copyfile(self._lake.require(table.id, self.business_date), target)


def read_release(path: Path) -> Release | None:
    """Read what a release's folder says of itself; None if there is no release in it."""
    name = _RELEASE.fullmatch(path.name)
    try:
        said = json.loads((path / DESCRIPTION).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    if name is None:
        return None
    return Release(
        id=path.name,
        business_date=dt.date.fromisoformat(name[1]),
        number=int(name[2]),
        path=path,
        published_at=dt.datetime.fromisoformat(said["published_at"]),
        bank=said["bank"],
        code_version=said["code_version"],
        model_version=said["model_version"],
        content_hash=said["content_hash"],
        tables={table: Fingerprint(**one) for table, one in said["tables"].items()},
    )


def _describe(release: Release) -> str:
    content = {
        "release_id": release.id,
        "published_at": release.published_at.isoformat(),
        "bank": release.bank,
        "code_version": release.code_version,
        "model_version": release.model_version,
        "content_hash": release.content_hash,
        "tables": {name: vars(one) for name, one in release.tables.items()},
    }
    return json.dumps(content, indent=2) + "\n"


def _flush(path: Path) -> None:
    """Flush a file or folder to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
