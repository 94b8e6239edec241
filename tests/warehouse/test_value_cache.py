"""Results kept by value between nights: whole, current, or not at all."""

from pathlib import Path

import duckdb
import pytest

from warehouse.value_cache import ValueCache

ROWS = [("+8613912345670", "mobile"), ("+12125550123", None)]


@pytest.fixture
def kept(tmp_path: Path) -> ValueCache:
    cache = ValueCache(tmp_path / "cache")
    store(cache, "v1", ROWS)
    return cache


def store(cache: ValueCache, version: str, rows: list[tuple[str, str | None]]) -> None:
    con = duckdb.connect()
    con.execute("create schema seen")
    con.execute("create table seen.phone (value varchar, kind varchar)")
    con.executemany("insert into seen.phone values (?, ?)", rows)
    cache.store(con, "seen", version)


def load(cache: ValueCache, version: str) -> list[tuple[str, str | None]] | None:
    con = duckdb.connect()
    cache.load(con, "known", version)
    found = con.execute("select view_name from duckdb_views() where schema_name = 'known'").fetchall()
    return con.execute("select * from known.phone order by value desc").fetchall() if found else None


def test_what_was_kept_is_known_under_its_version_alone(kept: ValueCache) -> None:
    assert load(kept, "v1") == ROWS
    assert load(kept, "v2") is None


def test_only_the_last_night_is_kept(kept: ValueCache) -> None:
    store(kept, "v1", ROWS[:1])
    assert load(kept, "v1") == ROWS[:1]
    store(kept, "v2", ROWS)
    assert load(kept, "v1") is None
    assert len([path for path in kept.folder.rglob("*") if path.is_file()]) == 1


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: data + b"\0"])
def test_a_damaged_file_is_left_out_and_replaced(kept: ValueCache, damage, caplog: pytest.LogCaptureFixture) -> None:
    (path,) = kept.folder.rglob("*.parquet")
    path.write_bytes(damage(path.read_bytes()))
    assert load(kept, "v1") is None
    assert "damaged" in caplog.text and "13912345670" not in caplog.text
    store(kept, "v1", ROWS)
    assert load(kept, "v1") == ROWS


def test_a_killed_writer_leaves_nothing_behind(kept: ValueCache) -> None:
    (kept.folder / "v1" / ".phone.tmp").write_bytes(b"half")
    assert load(kept, "v1") == ROWS
    store(kept, "v1", ROWS)
    assert not list(kept.folder.rglob("*.tmp"))


def test_without_a_folder_nothing_is_known(tmp_path: Path) -> None:
    assert load(ValueCache(tmp_path / "none"), "v1") is None
