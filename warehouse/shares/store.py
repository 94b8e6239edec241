"""Where the shares lie: versions that never change, and ``current`` of each, which points at one of them.

    <root>/marketing/2026-01-31.1/marketing.duckdb        the share of a release
    <root>/marketing/2026-01-31.1/contract.odcs.yaml      what it promises
    <root>/marketing/2026-01-31.1/dictionary.html         what its columns mean, to browse
    <root>/marketing/2026-01-31.1/share.json              what it is, without opening it
    <root>/marketing/2026-01-31.1-2/                      the same release once more, by another policy or key
    <root>/marketing/current -> 2026-01-31.1-2

A folder per share, so that an administrator gives it to a department's group once. A version becomes current only after
its leak scan; ``current`` of every share goes with the release's. Only the current version can be opened by the group:
former ones hold columns and customers that may have been withdrawn since. They stay as long as their release.
"""

import datetime as dt
import json
import re
import shutil
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from filelock import FileLock, Timeout

from warehouse.build import Bounds
from warehouse.ddl import quoted
from warehouse.release import Release
from warehouse.release_store import CURRENT, LOCK_SECONDS, ReleaseStore, flush
from warehouse.shares.build import ShareError, build_share
from warehouse.shares.contract import write_contract
from warehouse.shares.dictionary_page import write_dictionary
from warehouse.shares.encryption import attach_existing
from warehouse.shares.keys import ShareKeys
from warehouse.shares.leak_scan import Finding, scan
from warehouse.shares.policy import Policy

DESCRIPTION = "share.json"
CONTRACT = "contract.odcs.yaml"
DICTIONARY = "dictionary.html"

_VERSION = re.compile(r"(\d{4}-\d{2}-\d{2}\.\d+)(?:-(\d+))?")
_BUILDING, _REMOVING = ".building-", ".removing-"
_FILE_MODE, _FOLDER_MODE, _CLOSED_MODE = 0o640, 0o750, 0o700


@dataclass(frozen=True)
class ShareVersion:
    """One version of a share.

    Attributes:
        share: the share's name.
        id: the release's id, and from the second version of the same release on its number.
        path: its folder, never through ``current``.
        release_id: the release it was made from.
        business_date: the date it describes.
        built_at: when it was written, UTC.
        policy_hash: fingerprint of the policy.
        key_id: which key made the tokens.
        is_encrypted: whether it opens only with the department's key.
        rows: row count of each table.
    """

    share: str
    id: str
    path: Path
    release_id: str
    business_date: dt.date
    built_at: dt.datetime
    policy_hash: str
    key_id: str
    is_encrypted: bool
    rows: dict[str, int]

    @property
    def database(self) -> Path:
        """The DuckDB file: open it read-only."""
        return self.path / f"{self.share}.duckdb"

    @property
    def order(self) -> tuple[dt.date, int, int]:
        """Sorts versions: by the release, then by number."""
        release, number = _parsed(self.id)
        return self.business_date, int(release.rpartition(".")[2]), number


@dataclass(frozen=True)
class Outcome:
    """How making a share ended: its version and whether that was there before, or the findings that block it."""

    version: ShareVersion | None
    unchanged: bool
    findings: Sequence[Finding]


class ShareStore:
    """All shares below one root folder.

    Args:
        root: the folder, ``<home>/warehouse/shares``; made on first use.
        releases: the releases that shares are made from and follow.
        clock: gives the time of writing, in UTC.
    """

    def __init__(self, root: Path, releases: ReleaseStore, clock: Callable[[], dt.datetime] | None = None) -> None:
        self.root = root
        self.releases = releases
        self.clock = clock or (lambda: dt.datetime.now(dt.UTC))
        self._lock = FileLock(root / ".lock", thread_local=False)

    def versions(self, share: str) -> list[ShareVersion]:
        """The versions of a share that are kept, oldest first."""
        folder = self.root / share
        if not folder.is_dir():
            return []
        found = [_read_version(share, path) for path in folder.iterdir() if _VERSION.fullmatch(path.name)]
        return sorted((version for version in found if version), key=lambda version: version.order)

    def names(self) -> list[str]:
        """Shares of which something lies here, whether the bank still has them or not."""
        return sorted(path.name for path in self.root.iterdir() if path.is_dir()) if self.root.is_dir() else []

    def current(self, share: str) -> ShareVersion | None:
        """The version that a department opens; None before the first."""
        try:
            target = (self.root / share / CURRENT).readlink()
        except FileNotFoundError:
            return None
        return _read_version(share, self.root / share / target.name)

    def blocked(self, share: str) -> dict[str, Any] | None:
        """What blocked the share when it was last made: ``release_id`` and ``findings``; None if nothing did."""
        try:
            return dict(json.loads(self._blocked_file(share).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def connect(self, version: ShareVersion, encryption_key: str | None = None) -> duckdb.DuckDBPyConnection:
        """Open a version read-only, its schemas at hand without a prefix.

        Raises:
            ShareError: the key does not open it.
        """
        con = duckdb.connect()
        try:
            attach_existing(con, version.database, version.share, encryption_key)
            con.execute(f"use {quoted(version.share)}")
        except (duckdb.InvalidInputException, duckdb.CatalogException):
            con.close()
            raise ShareError(
                f"the encryption key of share {version.share} does not open {version.database}; "
                "a version that was written before a rotation opens with the former key"
            ) from None
        return con

    def make(self, release: Release, policy: Policy, keys: ShareKeys, bounds: Bounds) -> Outcome:
        """Write a release's version of a share, scan it, and make it current if the release is.

        The latest version is left as it is if release, policy and token key are the same.

        Raises:
            ShareError: it could not be written, or another process makes shares.
        """
        self._acquire()
        try:
            self._remove_leftovers(policy.name)
            version = self._same(release, policy, keys)
            unchanged = version is not None
            findings: Sequence[Finding] = ()
            if version is None:
                version, findings = self._build(release, policy, keys, bounds)
            self._note_blocked(policy.name, release, findings)
            if version is not None:
                now = self.releases.current()
                if now is not None and now.id == release.id:
                    self._switch(version)
                self._prune(policy.name)
            return Outcome(version, unchanged, findings)
        finally:
            self._lock.release()

    def renew(self, release: Release, policy: Policy, keys: ShareKeys, bounds: Bounds) -> Outcome:
        """Write the release's version of a share anew, make it current, and remove every other version.

        For when something must be in no version any more. A version whose scan finds something is not kept, nor is
        any other: the department then has no share until ``make`` succeeds.

        Raises:
            ShareError: it could not be written, or another process makes shares.
        """
        self._acquire()
        try:
            self._remove_leftovers(policy.name)
            version, findings = self._build(release, policy, keys, bounds)
            self._note_blocked(policy.name, release, findings)
            if version is not None:
                self._switch(version)
            self._remove_all_but(policy.name, version)
            return Outcome(version, False, findings)
        finally:
            self._lock.release()

    def tidy(self) -> None:
        """Remove what a killed process left of any share under temporary names.

        Raises:
            ShareError: another process makes shares.
        """
        if self.root.is_dir():
            self._acquire()
            try:
                for share in self.names():
                    self._remove_leftovers(share)
            finally:
                self._lock.release()

    def remove(self, share: str) -> None:
        """Remove every version of a share.

        Raises:
            ShareError: another process makes shares.
        """
        self._acquire()
        try:
            self._remove_leftovers(share)
            self._remove_all_but(share, None)
        finally:
            self._lock.release()

    def follow(self, release: Release, shares: Sequence[str]) -> tuple[list[ShareVersion], list[str]]:
        """Make the release's latest version of each share current.

        Returns the versions that are current now, and the names of shares that have none of the release and stay.
        """
        self._acquire()
        try:
            switched, stayed = [], []
            for share in shares:
                of_release = [version for version in self.versions(share) if version.release_id == release.id]
                if of_release:
                    self._switch(of_release[-1])
                    switched.append(of_release[-1])
                elif self.current(share):
                    stayed.append(share)
            return switched, stayed
        finally:
            self._lock.release()

    def _same(self, release: Release, policy: Policy, keys: ShareKeys) -> ShareVersion | None:
        of_release = [version for version in self.versions(policy.name) if version.release_id == release.id]
        wanted = (policy.hash, keys.key_id)
        return next((v for v in of_release[-1:] if (v.policy_hash, v.key_id) == wanted), None)

    def _build(
        self, release: Release, policy: Policy, keys: ShareKeys, bounds: Bounds
    ) -> tuple[ShareVersion | None, Sequence[Finding]]:
        numbers = [_parsed(v.id)[1] for v in self.versions(policy.name) if v.release_id == release.id]
        number = max(numbers, default=0) + 1
        version_id = release.id if number == 1 else f"{release.id}-{number}"
        folder = self.root / policy.name / f"{_BUILDING}{version_id}"
        folder.parent.mkdir(exist_ok=True, mode=_FOLDER_MODE)
        folder.mkdir(mode=_CLOSED_MODE)  # nobody else looks into it before the scan
        try:
            built_at = self.clock().astimezone(dt.UTC)
            database = folder / f"{policy.name}.duckdb"
            rows = build_share(database, release, policy, keys, built_at, bounds)
            findings = scan(database, release.database, policy, keys.encryption_key, bounds)
            if findings:
                return None, findings
            version = ShareVersion(
                share=policy.name,
                id=version_id,
                path=folder.with_name(version_id),
                release_id=release.id,
                business_date=release.business_date,
                built_at=built_at,
                policy_hash=policy.hash,
                key_id=keys.key_id,
                is_encrypted=keys.encryption_key is not None,
                rows=rows,
            )
            write_contract(folder / CONTRACT, release, policy)
            write_dictionary(folder / DICTIONARY, release, policy, rows)
            (folder / DESCRIPTION).write_text(_describe(version), encoding="utf-8")
            for path in folder.iterdir():
                path.chmod(_FILE_MODE)
                flush(path)
            flush(folder)
            folder.rename(version.path)
            flush(version.path.parent)
            return version, ()
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _acquire(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=LOCK_SECONDS)
        except Timeout:
            raise ShareError(f"another process makes shares in {self.root}; wait until it ends") from None

    def _switch(self, version: ShareVersion) -> None:
        folder = self.root / version.share
        _allow(version.path, _FOLDER_MODE)
        temporary = folder / f".{CURRENT}"
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(version.id)
        temporary.replace(folder / CURRENT)
        flush(folder)
        for other in self.versions(version.share):
            if other != version:
                _allow(other.path, _CLOSED_MODE)

    def _prune(self, share: str) -> None:
        kept = {release.id for release in self.releases.list()}
        now = self.current(share)
        for version in self.versions(share):
            if version.release_id not in kept and version != now:
                _remove(version)

    def _remove_all_but(self, share: str, kept: ShareVersion | None) -> None:
        if kept is None:
            (self.root / share / CURRENT).unlink(missing_ok=True)
        for version in self.versions(share):
            if kept is None or version.id != kept.id:
                _remove(version)

    def _remove_leftovers(self, share: str) -> None:
        """Remove what a killed process left under temporary names; the lock must be held."""
        folder = self.root / share
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.name.startswith((_BUILDING, _REMOVING)):
                shutil.rmtree(path)
        (folder / f".{CURRENT}").unlink(missing_ok=True)

    def _blocked_file(self, share: str) -> Path:
        return self.root / f"{share}.blocked.json"

    def _note_blocked(self, share: str, release: Release, findings: Sequence[Finding]) -> None:
        if not findings:
            self._blocked_file(share).unlink(missing_ok=True)
            return
        told = {"release_id": release.id, "findings": [finding.line for finding in findings]}
        temporary = self._blocked_file(share).with_suffix(".tmp")
        temporary.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
        temporary.replace(self._blocked_file(share))


def _remove(version: ShareVersion) -> None:
    # renamed first: nobody ever finds a version that is half there
    doomed = version.path.with_name(f"{_REMOVING}{version.id}")
    version.path.rename(doomed)
    shutil.rmtree(doomed)


def _allow(folder: Path, mode: int) -> None:
    """Set who may look into a folder; the setgid bit, by which the share's group is inherited, stays."""
    folder.chmod(mode | (folder.stat().st_mode & stat.S_ISGID))


def _parsed(version_id: str) -> tuple[str, int]:
    """Release and number of a version's id."""
    found = _VERSION.fullmatch(version_id)
    if found is None:
        raise ValueError(f"{version_id!r} is no version of a share")
    return found[1], int(found[2] or 1)


def _read_version(share: str, path: Path) -> ShareVersion | None:
    """Read what a version's folder says of itself; None if there is none in it."""
    try:
        said = json.loads((path / DESCRIPTION).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    return ShareVersion(
        share=share,
        id=path.name,
        path=path,
        release_id=said["release_id"],
        business_date=dt.date.fromisoformat(said["business_date"]),
        built_at=dt.datetime.fromisoformat(said["built_at"]),
        policy_hash=said["policy_hash"],
        key_id=said["key_id"],
        is_encrypted=said["is_encrypted"],
        rows=said["rows"],
    )


def _describe(version: ShareVersion) -> str:
    said = {
        "share": version.share,
        "release_id": version.release_id,
        "business_date": version.business_date.isoformat(),
        "built_at": version.built_at.isoformat(),
        "policy_hash": version.policy_hash,
        "key_id": version.key_id,
        "is_encrypted": version.is_encrypted,
        "rows": version.rows,
    }
    return json.dumps(said, indent=2) + "\n"
