"""The departments' shares after a release: made from it by the bank's policy, and switched with it on a rollback."""

import datetime as dt

import duckdb

from pipelines.workspace import Workspace
from warehouse.build import Bounds
from warehouse.release import Release
from warehouse.shares.build import ShareError
from warehouse.shares.keys import ShareKeyError
from warehouse.shares.policy import Policy, resolve
from warehouse.shares.store import Outcome, ShareVersion


def policy(workspace: Workspace, share: str) -> Policy:
    """The policy of a share that the bank has."""
    return resolve(share, workspace.bank.shares.shares[share], workspace.tables)


def share_release(workspace: Workspace, share: str, release: Release) -> Outcome:
    """Make a share of a release; a share that was never made gets its first keys.

    Raises:
        ShareError: it cannot be written.
        ShareKeyError: a key is missing or malformed, or others can read the keys.
    """
    settings = workspace.bank.settings.engine
    bounds = Bounds(settings.memory_limit, settings.threads, workspace.home / "spill")
    granted = policy(workspace, share)
    _make_first_keys(workspace, share)
    if granted.token_share != share:
        _make_first_keys(workspace, granted.token_share)
    keys = workspace.share_keys.keys(share, granted.token_share, granted.settings.encrypted)
    return workspace.shares.make(release, granted, keys, bounds)


def share_date(workspace: Workspace, share: str, business_date: dt.date) -> Outcome:
    """Make a share of a date's latest release.

    Raises:
        ShareError: the date has no release, or the share cannot be written.
        ShareKeyError: a key is missing or malformed, or others can read the keys.
    """
    releases = [release for release in workspace.releases.list() if release.business_date == business_date]
    if not releases:
        raise ShareError(f"no release of {business_date} to make share {share} from; run the night first")
    return share_release(workspace, share, releases[-1])


def follow(workspace: Workspace, release: Release) -> tuple[list[ShareVersion], list[str]]:
    """Switch every share to its version of a release that became current by a rollback.

    Returns the versions that are current now, and the shares that have no version of the release and stay.

    Raises:
        ShareError: another process makes shares.
    """
    return workspace.shares.follow(release, list(workspace.bank.shares.shares))


def connect(workspace: Workspace, share: str) -> duckdb.DuckDBPyConnection:
    """Open a share's current version read-only, decrypted with the share's key where it is encrypted.

    Raises:
        ShareError: there is none yet, or the key does not open it.
        ShareKeyError: there is no key, or others can read the keys.
    """
    version = workspace.shares.current(share)
    if version is None:
        raise ShareError(f"share {share} was not made yet; 'c360 run' or 'c360 shares build {share}' makes it")
    key = workspace.share_keys.encryption_key(share) if version.is_encrypted else None
    return workspace.shares.connect(version, key)


def _make_first_keys(workspace: Workspace, share: str) -> None:
    """A share that has versions had keys: if they are gone, new ones would give every customer another token unseen."""
    keys = workspace.share_keys
    if keys.is_managed or workspace.shares.versions(share) or keys.knows(share):
        return
    try:
        keys.new(share, workspace.bank.shares.shares[share].encrypted)
    except OSError as error:
        raise ShareKeyError(f"the keys of share {share} cannot be made: {error}") from None
