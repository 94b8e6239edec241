"""All releases of a home: numbered folders that never change once they are there, and ``current``, which points at one.

Here they are found, opened, switched between, and dropped when they are old. A process killed at any moment leaves
``current`` on a whole release, and temporary names, which the next writer removes. Building and publishing one is
``warehouse.candidate``'s work.

    <root>/releases/<business date>.<number>/
    <root>/current -> releases/2026-01-31.1
"""

import datetime as dt
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from warehouse.release import RELEASE_ID, Release, ReleaseError, read_release

CURRENT = "current"
LOCK_SECONDS = 10.0

BUILDING, REMOVING = ".building-", ".removing-"


class ReleaseStore:
    """All releases below one root folder.

    Args:
        root: the folder, ``<home>/warehouse``; made on first use.
        keep: how many of the latest releases stay; the current one stays in any case.
        keep_month_ends: of how many earlier months the last release stays too.
        clock: gives the time of publication, in UTC.
    """

    def __init__(
        self,
        root: Path,
        keep: int = 7,
        keep_month_ends: int = 12,
        clock: Callable[[], dt.datetime] | None = None,
    ) -> None:
        if keep < 1:
            raise ValueError(f"keep is {keep}; at least 1 release must be kept")
        self.root = root
        self.keep = keep
        self.keep_month_ends = keep_month_ends
        self.clock = clock or (lambda: dt.datetime.now(dt.UTC))
        # thread_local would let only the thread that took the lock give it back
        self._lock = FileLock(root / ".lock", thread_local=False)

    @property
    def folder(self) -> Path:
        """Where the releases lie."""
        return self.root / "releases"

    def list(self) -> list[Release]:
        """All releases that are kept, oldest business date first."""
        if not self.folder.is_dir():
            return []
        found = [read_release(path) for path in self.folder.iterdir() if RELEASE_ID.fullmatch(path.name)]
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
        release = read_release(self.folder / target.name)
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

    def as_of(self, date: dt.date) -> Release:
        """The release of the latest business date up to ``date``; of that date's the current one, else the last.

        Raises:
            ReleaseError: none of that date or before is kept; names the oldest that is.
        """
        releases = self.list()
        found = [release for release in releases if release.business_date <= date]
        if not found:
            kept = f"the oldest that is kept is {releases[0].id}" if releases else "there is none yet"
            raise ReleaseError(
                f"no release of {date} or before: {kept}; 'c360 run --date {date}' makes that night's again, "
                "kept until the next night is published"
            )
        now = self.current_or_none()
        return now if now and now.business_date == found[-1].business_date else found[-1]

    def before(self, date: dt.date) -> Release | None:
        """The last release of the latest business date before ``date``; None if none is kept."""
        return next((release for release in reversed(self.list()) if release.business_date < date), None)

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

    def rollback(self, to: str | None = None) -> Release:
        """Make another release current: the one named, or the one before the current.

        Raises:
            ReleaseError: there is no such release, or another process is publishing.
        """
        self.acquire()
        try:
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
            self.let_go()

    def acquire(self) -> None:
        """Take the lock under which releases are made, switched and removed; removes what a killed process left.

        Raises:
            ReleaseError: another process has it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=LOCK_SECONDS)
        except Timeout:
            raise ReleaseError(f"another process is publishing into {self.root}; wait until it ends") from None
        self._remove_leftovers()

    def let_go(self) -> None:
        """Give the lock back, leaving nothing under a temporary name."""
        try:
            self._remove_leftovers()
        finally:
            self._lock.release()

    def tidy(self) -> None:
        """Remove what a killed process left under temporary names.

        Raises:
            ReleaseError: another process has the lock.
        """
        if self.folder.is_dir():
            self.acquire()
            self.let_go()

    def current_or_none(self) -> Release | None:
        """The current release; None also where the link points at nothing, so that a night can mend it."""
        try:
            return self.current()
        except ReleaseError:
            return None

    def settle(self, published: Release) -> None:
        """Make a published release current, unless a later date is, and drop old ones; the lock must be held."""
        before = now = self.current_or_none()
        if now is None or (published.order >= now.order and published.id != now.id):
            self._switch(published)
            now = published
        releases = self.list()
        # the one that was current stays until the next publication: readers may just be opening it through the link
        stay = (published, now, before or now, *retained(releases, self.keep, self.keep_month_ends))
        kept = {release.id for release in stay}
        for release in releases:
            if release.id not in kept:
                # renamed first: nobody ever finds a release that is half there
                doomed = release.path.with_name(f"{REMOVING}{release.id}")
                release.path.rename(doomed)
                shutil.rmtree(doomed)

    def _switch(self, release: Release) -> None:
        temporary = self.root / f".{CURRENT}"
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(Path(self.folder.name) / release.id)
        temporary.replace(self.root / CURRENT)
        flush(self.root)

    def _remove_leftovers(self) -> None:
        """Remove what a killed process left under temporary names; the lock must be held."""
        for path in self.folder.iterdir():
            if path.name.startswith((BUILDING, REMOVING)):
                shutil.rmtree(path)
        (self.root / f".{CURRENT}").unlink(missing_ok=True)


def retained(releases: Sequence[Release], keep: int, keep_month_ends: int) -> Sequence[Release]:
    """Of releases in order, the last ``keep`` and the last one of each of ``keep_month_ends`` earlier months.

    A month's last release is the one of its last business date that was published. Months are those that have releases,
    before the month of the newest.
    """
    months = {(one.business_date.year, one.business_date.month): one for one in releases}
    month_ends = list(months.values())[:-1]
    return [*month_ends[max(len(month_ends) - keep_month_ends, 0) :], *releases[-keep:]]


def flush(path: Path) -> None:
    """Flush a file or folder to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
