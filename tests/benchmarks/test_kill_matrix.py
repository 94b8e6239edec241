"""The kill matrix: which moments it chooses, what it calls left behind; and, slowly, a few kills of it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.faults.__main__ import BOUNDARIES, Chain, Point, chains, chosen
from benchmarks.faults.content import leftovers

ROOT = Path(__file__).parents[2]
STEPS = ("land_core", "staging__party", "release__customer360", "share__risk")


def passed() -> list[Point]:
    """A night of four steps, each with ten touches and ten statements."""
    kinds = ["started", *["touch"] * 10, *["statement"] * 10, "succeeded"]
    told = [(step, kind, kinds[: n + 1].count(kind)) for step in STEPS for n, kind in enumerate(kinds)]
    return [Point(place, *one) for place, one in enumerate(told)]


def test_each_step_is_killed_at_a_boundary_and_random_moments_are_spread_over_writing_and_publishing() -> None:
    points = chosen(passed(), 12, seed=1)
    assert [(p.step, p.kind) for p in points if p.kind in BOUNDARIES] == [
        ("land_core", "started"),
        ("staging__party", "succeeded"),
        ("release__customer360", "started"),
        ("share__risk", "succeeded"),
    ]
    inside = [(p.kind, p.step.startswith(("release", "share"))) for p in points if p.kind not in BOUNDARIES]
    assert sorted(inside) == sorted([*[("touch", False)] * 3, *[("touch", True)] * 3] + [("statement", False)] * 3
                                    + [("statement", True)] * 3)  # fmt: skip
    assert points == chosen(passed(), 12, seed=1)


def test_chains_hold_every_point_once_in_the_order_of_the_night() -> None:
    points = chosen(passed(), 12, seed=1)
    dealt = chains(points, 5)
    assert [len(chain.points) for chain in dealt] == [4, 4, 4, 4]
    assert sorted(p.place for chain in dealt for p in chain.points) == sorted(p.place for p in points)
    assert all([p.place for p in chain.points] == sorted(p.place for p in chain.points) for chain in dealt)


def test_what_is_wrong_names_the_points_where_the_nights_died() -> None:
    chain = Chain((), killed=[Point(3, "score", "touch", 2)], lost=["left: spill/x"], different=["lake/a"])
    assert chain.wrong == ["[score:touch:2:0] left: spill/x", "[score:touch:2:0] different: lake/a"]


def test_leftovers_are_temporary_names_and_what_is_spilt_but_no_locks(tmp_path: Path) -> None:
    for name in ("lake/a/.data.parquet.tmp", "audit/head.tmp", "spill/x", "warehouse/.current", "r/c.duckdb.wal"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for name in ("warehouse/.lock", "lake/a/data.parquet", "dagster/.x", "exports/.part"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert leftovers(tmp_path) == [
        "audit/head.tmp",
        "lake/a/.data.parquet.tmp",
        "r/c.duckdb.wal",
        "spill/x",
        "warehouse/.current",
    ]


@pytest.mark.slow
def test_some_nights_that_are_killed_lose_nothing() -> None:
    command = [sys.executable, "-m", "benchmarks.faults", "--parties", "120", "--random", "8", "--slice", "5/13"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    kills = re.search(r"\*\*(\d+) kills, (\d+) recoveries, 0 lost, 0 different\*\*", done.stdout)
    assert kills and kills[1] == kills[2] and int(kills[1]) >= 5
