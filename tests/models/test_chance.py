"""Chance agreement: counted by hand over a few nodes."""

import duckdb
import pytest

from models.identity.chance import chance_shares
from models.identity.comparisons import ELSE, Comparison, Level


def _comparison(column: str, u: float, *further: Level) -> Comparison:
    missing = f"{column}_l is null or {column}_r is null"
    equal = Level("equal", f"{column}_l = {column}_r", 0.9, u)
    return Comparison(column, missing, (equal, *further, Level("different", ELSE, 0.1, 1 - u)))


def _shares(nodes: str, comparisons: tuple[Comparison, ...], pairs: int = 1000) -> dict[str, list[float]]:
    sql = f"select * from (values {nodes}) as node(node_id, name, code)"
    with duckdb.connect() as con:
        found = chance_shares(con, sql, comparisons, 0.1, pairs, 7)
        assert not con.execute("select 1 from duckdb_tables()").fetchall()
    return {c.name: [level.u for level in c.levels] for c in found}


def test_pairs_that_other_evidence_takes_for_a_match_do_not_count() -> None:
    # 1 and 2 are one person; 3 and 4 share a code by chance: 1 of the 5 pairs of different names
    nodes = "(1, 'A', 'x'), (2, 'A', 'x'), (3, 'B', 'y'), (4, 'C', 'y')"
    shares = _shares(nodes, (_comparison("name", 0.01), _comparison("code", 0.1)))
    assert shares["code"] == pytest.approx([(1 + 1) / (5 + 10), (4 + 1) / (5 + 1 / 0.9)])


def test_missing_evidence_is_no_pair() -> None:
    nodes = "(1, 'A', 'x'), (2, 'B', null), (3, 'C', 'x')"
    shares = _shares(nodes, (_comparison("name", 0.01), _comparison("code", 0.1)))
    assert shares["code"] == pytest.approx([(1 + 1) / (1 + 10), (0 + 1) / (1 + 1 / 0.9)])


def test_what_the_bank_does_not_have_keeps_its_expected_share() -> None:
    # of 4,950 pairs a level of 5 % would have shown; one of a millionth may only be rare
    nodes = ", ".join(f"({n}, 'N{n}', 'C{n}')" for n in range(100))
    masked, odd = Level("masked", "false", 0.1, 0.05), Level("odd", "false", 0.1, 1e-6)
    shares = _shares(nodes, (_comparison("name", 0.01), _comparison("code", 1e-3, masked, odd)), 10_000)
    assert shares["code"][1:3] == pytest.approx([0.05, 1 / (4950 + 1e6)])


def test_random_pairs_are_the_same_every_time() -> None:
    nodes = ", ".join(f"({n}, 'N{n % 40}', 'C{n % 7}')" for n in range(400))
    comparisons = (_comparison("name", 0.01), _comparison("code", 0.1))
    once = _shares(nodes, comparisons, 5000)
    assert once == _shares(nodes, comparisons, 5000)
    assert once["code"][0] == pytest.approx(1 / 7, rel=0.1)
