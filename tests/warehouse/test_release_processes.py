"""Releases among real processes: readers during ten publications, and kill -9 at every point of one."""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from release_home import PASSED, ROWS, TABLES, look, publish, store

WORKER = Path(__file__).with_name("release_home.py")
ROOT = Path(__file__).parents[2]


def _worker(*arguments: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, str(WORKER), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    publish(tmp_path, 1)
    yield tmp_path


def _contents(seen: dict[str, object]) -> list[int]:
    """Contents that a reader saw, all rows there; one content means no mixture."""
    contents = seen["contents"]
    assert isinstance(contents, list)
    assert sum(rows for _, rows in contents) == 2 * ROWS
    return [content for content, _ in contents]


def test_readers_go_on_while_ten_releases_are_published(home: Path) -> None:
    """An open reader keeps its release; every new process sees one whole release, never older than the one before."""
    current = home / "warehouse/current/customer360.duckdb"
    holder = _worker("hold", home)
    assert holder.stdout and holder.stdin
    assert _contents(json.loads(holder.stdout.readline())) == [1]
    publisher = _worker("publish", home, 2, 11)
    fresh: list[int] = []
    while publisher.poll() is None:
        reader = _worker("look", home, current)
        text, error = reader.communicate(timeout=60)
        assert reader.returncode == 0, error
        fresh += _contents(json.loads(text))
        # the same through the link in this process, as fast as it goes: no error, no mixture
        for _ in range(5):
            with store(home).connect() as con:
                ids = con.execute("select release_id from meta.release").fetchall()
            assert len(ids) == 1
            assert len(_contents(look(current))) == 1
        holder.stdin.write("again\n")
        holder.stdin.flush()
        assert _contents(json.loads(holder.stdout.readline())) == [1]
    assert publisher.returncode == 0, publisher.communicate()[1]
    holder.communicate(timeout=60)
    assert fresh == sorted(fresh), "a new process saw an older release than the one before it"
    assert len(fresh) >= 2
    assert _contents(look(current)) == [11]
    assert store(home).current() == store(home).list()[-1]


def _killed_at(home: Path, content: int, touch: int) -> bool:
    process = _worker("die", home, content, touch)
    text, error = process.communicate(timeout=60)
    assert process.returncode in (0, -9), error
    assert (process.returncode == 0) == ("alive" in text)
    return process.returncode != 0


def _assert_whole(home: Path, allowed: set[int]) -> int:
    """Current is there and whole, and so is every listed release; returns current's content."""
    (content,) = _contents(look(home / "warehouse/current/customer360.duckdb"))
    assert content in allowed
    for release in store(home).list():
        seen = look(release.database)
        assert seen["releases"] == [release.id]
        assert len(_contents(seen)) == 1
    return content


@pytest.mark.parametrize(
    ("first", "step"), [(1, 6), pytest.param(1, 1, marks=pytest.mark.slow)], ids=["every sixth", "every"]
)
def test_kill_9_at_any_touch_of_a_file_leaves_a_whole_current_release(home: Path, first: int, step: int) -> None:
    content, touch, known = 1, first, 1
    while True:
        content += 1
        killed = _killed_at(home, content, touch)
        _assert_whole(home, {known, content})
        if not killed:
            break
        # the next publication goes through and clears away what is left
        known = content = content + 1
        publish(home, known, keep=1)
        assert _assert_whole(home, {known}) == known
        # besides it only the one that was current before, which readers may just be opening
        left = {path.name for path in (home / "warehouse/releases").iterdir()}
        assert left == {release.id for release in store(home).list()} and len(left) <= 2
        touch += step
    assert touch > 20, "the publication touches more files than that: the hook sees too little"


def test_kill_9_at_random_moments(home: Path) -> None:
    """The same while DuckDB itself is writing, which no hook sees."""
    moments = random.Random(1)
    known = 1
    for content in range(2, 8):
        process = _worker("publish", home, content, content + 2)
        time.sleep(moments.uniform(0.25, 0.9))
        process.kill()
        process.communicate(timeout=60)
        known = _assert_whole(home, {known, content, content + 1, content + 2})
    release = publish(home, 99)
    assert not release.unchanged
    assert _assert_whole(home, {99}) == 99
    assert {p.name for p in (home / "warehouse/releases").iterdir()} == {r.id for r in store(home).list()}


def test_kill_9_at_any_touch_of_a_file_leaves_whole_partitions_with_their_checksums(tmp_path: Path) -> None:
    """Two writers in a row that die at the same point, then a reader: old or new content, never a false alarm."""
    told, error = _worker("die-landing", tmp_path).communicate(timeout=120)
    assert not error
    lines = [json.loads(line) for line in told.splitlines()]
    assert all(set(line["contents"]) <= {1, 2} for line in lines)
    assert len(lines) > 12, "a partition touches more files than that: the hook sees too little"
    assert lines[0] == {"died": [True, True], "contents": [1, 1]}
    assert lines[-1] == {"died": [False, False], "contents": [2, 2]}
    assert not list(tmp_path.glob("lake/**/.*"))


def test_a_process_killed_between_rename_and_switch_is_made_good_by_the_next_night(home: Path) -> None:
    publish(home, 2)
    store(home).rollback()  # as if the switch had not happened
    again = publish(home, 2)
    assert again.unchanged
    assert store(home).current() == store(home).find(again.id)
    assert {result.table for result in PASSED} == set(TABLES)
