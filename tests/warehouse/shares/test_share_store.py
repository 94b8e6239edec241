"""Versions of a share: made from releases, switched, blocked, followed, kept, and left whole whatever happens."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from share_home import BOUNDS, settings

from tests.warehouse import release_home
from warehouse.release import Release
from warehouse.release_store import ReleaseStore
from warehouse.shares import store as store_module
from warehouse.shares.build import ShareError
from warehouse.shares.keys import ShareKeys
from warehouse.shares.leak_scan import Finding
from warehouse.shares.policy import Policy, resolve
from warehouse.shares.settings import ShareSettings
from warehouse.shares.store import ShareStore

KEYS = ShareKeys("k1", bytes(32))
NEXT_KEYS = ShareKeys("k2", bytes(range(32)))


def policy(*columns: str) -> Policy:
    said = ShareSettings.model_validate(settings(tables={"mart.customer_360": {"columns": list(columns)}}))
    return resolve("marketing", said, release_home.TABLES)


POLICY = policy("customer_id", "content")


@pytest.fixture
def publish(tmp_path: Path) -> Callable[..., Release]:
    def publish_(content: int, day: dt.date = release_home.DAY, keep: int = 7) -> Release:
        return release_home.publish(tmp_path, content, day, keep)

    return publish_


@pytest.fixture
def releases(tmp_path: Path) -> ReleaseStore:
    return release_home.store(tmp_path)


@pytest.fixture
def store(tmp_path: Path, releases: ReleaseStore) -> ShareStore:
    return ShareStore(tmp_path / "warehouse" / "shares", releases, lambda: release_home.NOON)


def contents(store: ShareStore) -> list[object]:
    """What a department sees: the content of every row of its current version."""
    path = store.root / "marketing" / "current" / "marketing.duckdb"
    with duckdb.connect(str(path.resolve()), read_only=True) as con:
        return con.execute("select distinct content from mart.customer_360").fetchall()


def test_a_share_of_the_current_release_becomes_current(publish: Callable[..., Release], store: ShareStore) -> None:
    outcome = store.make(publish(1), POLICY, KEYS, BOUNDS)
    assert outcome.version is not None
    assert (outcome.version.id, outcome.unchanged, outcome.findings) == ("2026-01-31.1", False, ())
    assert outcome.version.rows == {"mart.customer_360": 500}
    assert store.current("marketing") == outcome.version
    assert contents(store) == [(1,)]
    assert {path.name: path.stat().st_mode & 0o777 for path in outcome.version.path.iterdir()} == {
        "marketing.duckdb": 0o640,
        "contract.odcs.yaml": 0o640,
        "dictionary.html": 0o640,
        "share.json": 0o640,
    }
    assert (store.root / "marketing").stat().st_mode & 0o007 == 0


def test_the_same_release_policy_and_key_are_not_written_again(
    publish: Callable[..., Release], store: ShareStore
) -> None:
    release = publish(1)
    first = store.make(release, POLICY, KEYS, BOUNDS)
    again = store.make(release, POLICY, KEYS, BOUNDS)
    assert again.version == first.version
    assert again.unchanged


def test_another_policy_or_key_gives_another_version_of_the_same_release(
    publish: Callable[..., Release], store: ShareStore
) -> None:
    release = publish(1)
    made = [
        store.make(release, POLICY, KEYS, BOUNDS),
        store.make(release, policy("customer_id"), KEYS, BOUNDS),
        store.make(release, policy("customer_id"), NEXT_KEYS, BOUNDS),
    ]
    assert [one.version.id for one in made if one.version] == ["2026-01-31.1", "2026-01-31.1-2", "2026-01-31.1-3"]
    assert store.current("marketing") == made[-1].version
    assert [version.key_id for version in store.versions("marketing")] == ["k1", "k1", "k2"]


def test_who_has_a_version_open_keeps_it_while_the_next_comes(
    publish: Callable[..., Release], store: ShareStore
) -> None:
    first = store.make(publish(1), POLICY, KEYS, BOUNDS).version
    assert first is not None
    with store.connect(first) as con:
        store.make(publish(2), POLICY, KEYS, BOUNDS)
        assert con.execute("select distinct content from mart.customer_360").fetchall() == [(1,)]
    assert contents(store) == [(2,)]


def test_a_finding_blocks_the_share_and_its_last_version_stays(
    publish: Callable[..., Release], store: ShareStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.make(publish(1), POLICY, KEYS, BOUNDS)
    found = (Finding("mart.customer_360", "note", "id number", 3),)
    with monkeypatch.context() as patched:
        patched.setattr(store_module, "scan", lambda *_: found)
        blocked = store.make(publish(2), POLICY, KEYS, BOUNDS)
    assert (blocked.version, blocked.findings) == (None, found)
    assert contents(store) == [(1,)]
    assert store.blocked("marketing") == {
        "release_id": "2026-01-31.2",
        "findings": ["mart.customer_360.note: 3 x id number"],
    }
    assert [version.id for version in store.versions("marketing")] == ["2026-01-31.1"]
    assert [path.name for path in (store.root / "marketing").iterdir() if path.name.startswith(".")] == []
    # mended, the same release is made, and nothing is blocked any more
    assert store.make(store.releases.find("2026-01-31.2"), POLICY, KEYS, BOUNDS).version
    assert store.blocked("marketing") is None
    assert contents(store) == [(2,)]


def test_a_share_of_an_older_date_does_not_become_current(publish: Callable[..., Release], store: ShareStore) -> None:
    store.make(publish(1), POLICY, KEYS, BOUNDS)
    older = store.make(publish(2, dt.date(2026, 1, 30)), POLICY, KEYS, BOUNDS)
    assert older.version is not None
    assert contents(store) == [(1,)]
    assert [version.id for version in store.versions("marketing")] == ["2026-01-30.1", "2026-01-31.1"]


def test_shares_follow_a_rollback_to_the_latest_version_of_that_release(
    publish: Callable[..., Release], store: ShareStore
) -> None:
    first = publish(1)
    store.make(first, POLICY, KEYS, BOUNDS)
    store.make(first, POLICY, NEXT_KEYS, BOUNDS)
    store.make(publish(2), POLICY, NEXT_KEYS, BOUNDS)
    back = store.releases.rollback()
    switched, stayed = store.follow(back, ["marketing", "never_made"])
    assert [version.id for version in switched] == ["2026-01-31.1-2"]
    assert stayed == []
    assert contents(store) == [(1,)]


def test_a_share_without_a_version_of_the_release_stays_and_is_named(
    publish: Callable[..., Release], store: ShareStore
) -> None:
    publish(1)
    store.make(publish(2), POLICY, KEYS, BOUNDS)
    assert store.follow(store.releases.rollback(), ["marketing"]) == ([], ["marketing"])
    assert contents(store) == [(2,)]


def test_versions_stay_as_long_as_their_release_and_the_current_in_any_case(
    publish: Callable[..., Release], store: ShareStore
) -> None:
    store.make(publish(1, keep=2), POLICY, KEYS, BOUNDS)
    store.make(publish(2, keep=2), POLICY, KEYS, BOUNDS)
    third = publish(3, keep=2)  # the first release goes
    store.make(third, POLICY, KEYS, BOUNDS)
    assert [version.id for version in store.versions("marketing")] == ["2026-01-31.2", "2026-01-31.3"]


def test_what_a_killed_process_left_is_removed(publish: Callable[..., Release], store: ShareStore) -> None:
    left = store.root / "marketing" / ".building-2026-01-31.1"
    left.mkdir(parents=True)
    (left / "marketing.duckdb").write_bytes(b"half")
    assert store.current("marketing") is None
    assert store.make(publish(1), POLICY, KEYS, BOUNDS).version
    assert not left.exists()


def test_an_encrypted_version_opens_with_its_key_only(publish: Callable[..., Release], store: ShareStore) -> None:
    said = ShareSettings.model_validate(
        settings(encrypted=True, tables={"mart.customer_360": {"columns": ["customer_id"]}})
    )
    keys = ShareKeys("k1", bytes(32), "a key of the department")
    version = store.make(publish(1), resolve("marketing", said, release_home.TABLES), keys, BOUNDS).version
    assert version is not None
    assert version.is_encrypted
    with pytest.raises(ShareError, match=r"does not open .* opens with the former key"):
        store.connect(version, "another key altogether")
    with store.connect(version, "a key of the department") as con:
        assert con.execute("select count(*) from mart.customer_360").fetchall() == [(500,)]
        with pytest.raises(duckdb.InvalidInputException, match="read-only"):
            con.execute("delete from mart.customer_360")


def test_only_the_current_version_is_open_to_the_group_and_the_groups_bit_stays(
    publish: Callable[..., Release], store: ShareStore
) -> None:
    first = publish(1)
    store.make(first, POLICY, KEYS, BOUNDS)
    (store.root / "marketing").chmod(0o2750)  # as docs/shares.md tells the administrator
    store.make(publish(2), POLICY, KEYS, BOUNDS)

    def modes() -> list[str]:
        return [oct(version.path.stat().st_mode & 0o7777) for version in store.versions("marketing")]

    assert modes() == ["0o700", "0o2750"]
    store.follow(store.releases.rollback(), ["marketing"])
    assert modes() == ["0o750", "0o2700"]
    assert store.names() == ["marketing"]
