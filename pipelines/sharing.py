"""The departments' shares after a release: made from it by the bank's policy, and switched with it on a rollback."""

import datetime as dt

import duckdb

from pipelines.workspace import Workspace
from warehouse.release import Release
from warehouse.shares.build import ShareError
from warehouse.shares.policy import Policy, resolve
from warehouse.shares.store import Outcome, ShareVersion


def policy(workspace: Workspace, share: str) -> Policy:
    """The policy of a share that the bank has."""
    return resolve(share, workspace.bank.shares.shares[share], workspace.tables)


def share_release(workspace: Workspace, share: str, release: Release, anew: bool = False) -> Outcome:
    """Make a share of a release; a share that was never made gets its first keys.

    Args:
        workspace: bank and home.
        share: its name.
        release: what it is made from.
        anew: write it even if it is there already, and remove every other version of it.

    Raises:
        ShareError: it cannot be written.
        ShareKeyError: a key is missing or malformed, or others can read the keys.
    """
    granted = policy(workspace, share)
    _make_first_keys(workspace, share)
    if granted.token_share != share:
        _make_first_keys(workspace, granted.token_share)
    keys = workspace.share_keys.keys(share, granted.token_share, granted.settings.encrypted)
    write = workspace.shares.renew if anew else workspace.shares.make
    outcome = write(release, granted, keys, workspace.bounds)
    subject = f"share {share} {outcome.version.id if outcome.version else release.id}"
    if outcome.version is None:
        workspace.audit.append("blocked", subject, {"findings": len(outcome.findings)})
    elif not outcome.unchanged:
        workspace.audit.append("shared", subject, {"policy_hash": granted.hash, "key_id": keys.key_id})
    return outcome


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


def connect(workspace: Workspace, share: str, as_of: dt.date | None = None) -> duckdb.DuckDBPyConnection:
    """Open a share read-only, decrypted with its key where it is encrypted.

    Args:
        workspace: bank and home.
        share: its name.
        as_of: the latest version of this business date or before; without it the current version.

    Raises:
        ShareError: there is none, or the key does not open it.
        ShareKeyError: there is no key, or others can read the keys.
    """
    if as_of is None:
        version = workspace.shares.current(share)
    else:
        version = next((v for v in workspace.shares.versions(share)[::-1] if v.business_date <= as_of), None)
    if version is None:
        when = f" of {as_of} or before" if as_of else ""
        raise ShareError(f"there is no version of share {share}{when}; 'c360 shares build {share}' makes the current")
    key = workspace.share_keys.encryption_key(share) if version.is_encrypted else None
    return workspace.shares.connect(version, key)


def make_keys(workspace: Workspace, share: str) -> str:
    """Make the first keys of a share; returns the key id.

    Raises:
        ShareKeyError: it has keys, or the file is not ours to write.
    """
    key_id = workspace.share_keys.new(share, workspace.bank.shares.shares[share].encrypted)
    workspace.audit.append("key_made", f"share {share}", {"key_id": key_id})
    return key_id


def rotate_keys(workspace: Workspace, share: str) -> str:
    """Make the next keys of a share; returns the key id.

    Raises:
        ShareKeyError: it has none yet, or the file is not ours to write.
    """
    key_id = workspace.share_keys.rotate(share, workspace.bank.shares.shares[share].encrypted)
    workspace.audit.append("key_made", f"share {share}", {"key_id": key_id})
    return key_id


def _make_first_keys(workspace: Workspace, share: str) -> None:
    """A share that has versions had keys: if they are gone, new ones would give every customer another token unseen."""
    keys = workspace.share_keys
    if not (keys.is_managed or workspace.shares.versions(share) or keys.knows(share)):
        make_keys(workspace, share)
