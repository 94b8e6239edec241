"""What the nodes themselves say before any weight is known: how many matches there are, and how frequent names are.

Counting only: nothing here compares two nodes or knows Splink.
"""

import duckdb

from models.identity.comparisons import FREQUENCY_COLUMNS
from models.identity.matching_model import WORD, Frequencies, rounded
from models.identity.settings import TrainingSettings

# Pairs that agree on these are counted against chance to see how many matches there are; so many of all do.
_PRIOR_EVIDENCE: dict[str, tuple[tuple[str, str], ...]] = {
    "person": (("latin", "birth_date"), ("latin", "mobile"), ("latin", "email"), ("latin", "address")),
    "organisation": (("core", "phone"), ("core", "email"), ("core", "address")),
}
_PRIOR_RECALL = 0.6
_NAMES = frozenset({"native", "latin", "core", WORD})
# Of a rare name: the fewest other bearers that are supposed; and the size below which a bank's counts say nothing.
_LEAST_BEARERS = 0.1
_SMALL_BANK = 1000


def expected_matches(con: duckdb.DuckDBPyConnection, party_type: str) -> float:
    """How many pairs of nodes match: those that agree on two kinds of evidence beyond what chance explains, scaled up.

    Pairs with two different valid documents are known not to match and count on neither side.
    """
    found = 0.0
    for one, other in _PRIOR_EVIDENCE[party_type]:
        rows = con.execute(
            f"""
            with evidence as (
                select {one} as a, {other} as b, if(id_is_valid, id_type || id_number, null) as number
                from work.node
                where party_type = '{party_type}' and {one} is not null and {other} is not null
            ),
            agreeing as (
                select count(*) as members, count(number) as numbered, count(distinct number) as numbers
                from evidence
                group by a, b
            ),
            one as (select count(*) as members from evidence group by a),
            other as (select count(*) as members from evidence group by b)
            select
                (select count(*) from evidence),
                (select count(number) from evidence),
                (select coalesce(sum(members * (members - 1) / 2 - numbered * (numbered - 1) / 2), 0) from agreeing),
                (select coalesce(sum(members * (members - 1)), 0) from one),
                (select coalesce(sum(members * (members - 1)), 0) from other)
            """
        ).fetchall()[0]
        total, numbered, agreeing, same_one, same_other = (float(value) for value in rows)
        if total < 2:
            continue
        pairs = total * (total - 1)
        undecided = 1 - numbered * max(numbered - 1, 0) / pairs
        by_chance = same_one / pairs * same_other / pairs * pairs / 2 * undecided
        found = max(found, (agreeing - by_chance) / _PRIOR_RECALL)
    return found


def name_frequencies(
    con: duckdb.DuckDBPyConnection, training: TrainingSettings, party_type: str
) -> dict[str, Frequencies]:
    """Frequencies of names that many parties share; the others share one: how many others bear a rare name.

    What counts are parties, not nodes, for a rare name's nodes are mostly one party again: different valid
    documents or else birth dates (for anything but names: or else names) tell parties apart, where at least half of
    the nodes have one. ``word`` counts the words of names.
    """
    found = {}
    least = training.frequency_minimum
    for column in (*FREQUENCY_COLUMNS[party_type], WORD):
        told = "birth_digits" if column in _NAMES else "coalesce(native, latin)"
        told = f"coalesce(if(id_is_valid, id_number, null), {told})"
        node = f"select * from work.node where party_type = '{party_type}'"
        if column == WORD:
            node = f"select *, unnest(tokens) as {WORD} from ({node})"
        values = f"""
            select value, if(told.share >= 0.5, greatest(parties, 1), members) as members
            from (
                select
                    {column} as value,
                    count(*) as members,
                    count(distinct {told}) as parties
                from ({node})
                where {column} is not null
                group by 1
            )
            cross join (
                select count({told}) / count(*) as share
                from ({node})
                where {column} is not null
            ) as told
        """
        total, rare_members, rare_others = con.execute(
            f"""
            select
                coalesce(sum(members), 0),
                coalesce(sum(members) filter (where members < {least}), 0),
                coalesce(sum(members * (members - 1)) filter (where members < {least}), 0)
            from ({values})
            """
        ).fetchall()[0]
        others = max(rare_others / rare_members, _LEAST_BEARERS) if rare_members else 1.0
        rows = con.execute(f"select value, members from ({values}) where members >= {least} order by value").fetchall()
        found[column] = Frequencies(
            rare=rounded(float(others / max(total, _SMALL_BANK))),
            values={str(value): rounded(members / total) for value, members in rows},
        )
    return found
