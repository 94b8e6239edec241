"""The file of tombstones: digests by day, added once, of no use with another key."""

import datetime as dt
import stat
from pathlib import Path

import pytest

from warehouse.tombstones import TombstoneError, TombstoneFile

ONE, TWO = dt.date(2026, 1, 1), dt.date(2026, 2, 2)


def test_digests_come_back_with_their_day_and_nothing_is_added_twice(tmp_path: Path) -> None:
    file = TombstoneFile(tmp_path / "forgotten" / "tombstones.jsonl", b"key")
    assert file.read() == {}
    file.add("F1", ONE, ["b", "a"])
    file.add("F2", TWO, ["c"])
    file.add("F1", TWO, ["d"])
    assert file.read() == {"a": ONE, "b": ONE, "c": TWO}
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


def test_with_another_key_no_night_runs(tmp_path: Path) -> None:
    path = tmp_path / "tombstones.jsonl"
    TombstoneFile(path, b"key").add("F1", ONE, ["a"])
    with pytest.raises(TombstoneError, match=r"restore that key from a backup"):
        TombstoneFile(path, b"other").read()


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "tombstones.jsonl"
    path.write_text("{")
    with pytest.raises(TombstoneError, match="cannot be read; restore it"):
        TombstoneFile(path, b"key").read()
