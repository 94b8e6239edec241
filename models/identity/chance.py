"""How often different parties agree by chance: u of every level, from random pairs of nodes.

True matches are among random pairs too, and of a rare level there may be more of them than of chance. So each
comparison is counted only over the pairs that all the other comparisons, by their expected shares, do not take for a
match. Where a level says so, u is one over the number of distinct values instead (``Level.distinct``). Nothing here
estimates m or knows Splink.
"""

import dataclasses
import math

import duckdb

from models.identity.comparisons import ELSE, Comparison, Level

# So many pairs at the expected share would have shown the level if the bank had evidence of its kind (masked numbers).
_ENOUGH_TO_SHOW = 100


def chance_shares(
    con: duckdb.DuckDBPyConnection,
    nodes_sql: str,
    comparisons: tuple[Comparison, ...],
    prior: float,
    pairs: int,
    seed: int,
) -> tuple[Comparison, ...]:
    """The comparisons with u estimated; the shares of a comparison need not add up to one.

    Args:
        con: Connection with what the query reads.
        nodes_sql: Query for the nodes of one party type, with the columns that the comparisons name.
        comparisons: Comparisons with expected shares.
        prior: Probability that two random nodes match.
        pairs: How many random pairs are looked at; all pairs where there are fewer.
        seed: Of the choice of pairs.
    """
    con.execute(
        f"create or replace temp table chance_node as select *, row_number() over (order by node_id) - 1 as place"
        f" from ({nodes_sql})"
    )
    nodes = _one(con, "select count(*) from chance_node")
    con.execute(f"create or replace temp table chance_level as {_levels_sql(comparisons, nodes, pairs, seed)}")
    estimated = []
    for number, comparison in enumerate(comparisons):
        weight = " + ".join(
            [str(math.log2(prior / (1 - prior))), *(_weight(n, c) for n, c in enumerate(comparisons) if n != number)]
        )
        seen = dict(
            con.execute(
                f"select level_{number}, count(*) from chance_level"
                f" where level_{number} is not null and {weight} < 0 group by 1"
            ).fetchall()
        )
        levels = tuple(
            dataclasses.replace(level, u=_share(con, level, seen.get(place, 0), sum(seen.values())))
            for place, level in enumerate(comparison.levels)
        )
        estimated.append(dataclasses.replace(comparison, levels=levels))
    con.execute("drop table chance_node")
    con.execute("drop table chance_level")
    return tuple(estimated)


def _share(con: duckdb.DuckDBPyConnection, level: Level, seen: int, pairs: int) -> float:
    """Share of a level that ``seen`` of ``pairs`` show, with one more pair imagined at the expected rate."""
    if level.distinct is not None:
        values = _one(con, f"select count(distinct v) from (select unnest({level.distinct}) as v from chance_node)")
        return min(1 / values, 0.5) if values else level.u
    if not seen and level.u * pairs >= _ENOUGH_TO_SHOW:
        return level.u
    return (seen + 1) / (pairs + 1 / level.u)


def _levels_sql(comparisons: tuple[Comparison, ...], nodes: int, pairs: int, seed: int) -> str:
    """Query: for each random pair the place of the level that holds in each comparison, NULL where there is none."""
    cases = []
    for number, comparison in enumerate(comparisons):
        levels = " ".join(
            f"else {place}" if level.condition == ELSE else f"when {level.condition} then {place}"
            for place, level in enumerate(comparison.levels)
        )
        cases.append(f"case when {comparison.missing} then null {levels} end::utinyint as level_{number}")
    if nodes * (nodes - 1) // 2 <= pairs:
        drawn = """
            select l.place as one, r.place as other
            from chance_node as l
            inner join chance_node as r on l.place < r.place
        """
    else:
        drawn = (
            f"select (hash(n, {seed}) % {nodes})::bigint as one, (hash({seed}, n) % {nodes})::bigint as other"
            f" from range({pairs}) as t(n)"
        )
    return f"""
        select {", ".join(cases)}
        from ({drawn}) as drawn
        inner join (select columns(*) as "\\0_l" from chance_node) as l on l.place_l = drawn.one
        inner join (select columns(*) as "\\0_r" from chance_node) as r on r.place_r = drawn.other
        where drawn.one <> drawn.other
    """


def _weight(number: int, comparison: Comparison) -> str:
    bits = " ".join(
        f"when {place} then {math.log2(level.m / level.u)}" for place, level in enumerate(comparison.levels)
    )
    return f"case level_{number} {bits} else 0 end"


def _one(con: duckdb.DuckDBPyConnection, sql: str) -> int:
    return int(con.execute(sql).fetchall()[0][0])
