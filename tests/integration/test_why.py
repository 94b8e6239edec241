"""``c360 why`` and ``c360 show`` on a published home, as an auditor calls them."""

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

# One pair of each kind that the night holds: within one node, scored, refused, and of two strangers.
_PAIRS = """
    with node as (
        select node_id, min(system || ':' || record_id) as first, max(system || ':' || record_id) as last
        from party_node group by node_id
    ),
    pair as (
        select l.first as one, r.last as other, refused.reason, pair.match_weight
        from node_pair as pair
        left join refused_merge as refused using (node_id_l, node_id_r)
        inner join node as l on l.node_id = pair.node_id_l
        inner join node as r on r.node_id = pair.node_id_r
    )
    (select first, last from node where first <> last order by 1 limit 3)
    union all
    (select one, other from pair where reason is null order by match_weight limit 3)
    union all
    (select one, other from pair where reason is not null order by match_weight limit 2)
    union all
    (select min(first), max(first) from node)
    union all
    (select first, (select max(last) from node) from node order by node_id desc limit 1 offset 7)
"""


@pytest.fixture(scope="module")
def pairs(published_home: Path) -> list[tuple[str, str]]:
    with duckdb.connect() as con:
        for table in ("party_node", "node_pair", "refused_merge"):
            path = published_home / "lake" / "identity" / table / "business_date=2026-10-30" / "data.parquet"
            con.execute(f"create view {table} as from read_parquet('{path}')")
        found = con.execute(_PAIRS).fetchall()
    assert len(found) >= 9
    return found


def test_every_kind_of_pair_is_answered(published_home: Path, run: Callable, pairs: list[tuple[str, str]]) -> None:
    for one, other in pairs:
        done = run("--home", published_home, "why", one, other)
        assert done.code == 0, done.output
        assert done.output.startswith(("One customer, C", "Two customers, C")), done.output
        assert one in done.output
        assert other in done.output
        assert "Traceback" not in done.output


def test_tools_get_the_same_facts(published_home: Path, run: Callable, pairs: list[tuple[str, str]]) -> None:
    one, other = pairs[3]
    done = run("--home", published_home, "why", one, other, "--format", "json")
    assert done.code == 0, done.output
    told = json.loads(done.output)
    assert told["sentence"].startswith(("One customer, C", "Two customers, C"))
    assert told["left"]["asked"] == one
    score = told["score"]
    total = score["prior_bits"] + sum(field["bits"] for field in score["fields"])
    assert total == pytest.approx(score["stored_weight"], abs=1e-9)


def test_a_wrong_call_is_told_in_a_line(published_home: Path, run: Callable, pairs: list[tuple[str, str]]) -> None:
    one, _ = pairs[0]
    for words, said in (
        ((one, one), "named twice"),
        ((one, "core:no-such-record"), "no party record"),
        ((one, "nosystem:1"), "no system of this bank"),
        (("C0000000000A", one), "check character does not fit"),
    ):
        done = run("--home", published_home, "why", *words)
        assert done.code == 2, done.output
        assert said in done.output
        assert "Traceback" not in done.output


def test_a_lost_night_is_told_with_the_remedy(published_home: Path, run: Callable, pairs: list) -> None:
    path = published_home / "lake" / "identity" / "node_pair" / "business_date=2026-10-30" / "data.parquet"
    aside = path.with_suffix(".aside")
    path.rename(aside)
    try:
        done = run("--home", published_home, "why", *pairs[0])
    finally:
        aside.rename(path)
    assert done.code == 1
    assert "identity.node_pair has no partition for 2026-10-30; run the night of that date" in done.output


def test_show_tells_how_a_customer_was_built(published_home: Path, run: Callable, pairs: list) -> None:
    one, other = pairs[0]
    done = run("--home", published_home, "show", one)
    assert done.code == 0, done.output
    assert f"It starts from {one}" in done.output or f"joined with {one}" in done.output
    assert other in done.output
    assert "where each field comes from" in done.output


def test_show_tells_who_a_record_was_on_a_date(published_home: Path, run: Callable, pairs: list) -> None:
    record = pairs[0][0]
    done = run("--home", published_home, "show", record, "--on", "2026-10-29")
    assert done.code == 0, done.output
    assert f"{record} belongs to customer C" in done.output
    assert "since 2026-10-29" in done.output
    assert "party records on that date" in done.output
    for day, message in (("2026-10-28", "was not delivered on 2026-10-28"), ("2027-01-01", "is after the current")):
        wrong = run("--home", published_home, "show", record, "--on", day)
        assert wrong.code == 2, wrong.output
        assert message in wrong.output
