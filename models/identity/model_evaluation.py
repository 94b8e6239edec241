"""How good a model may be expected to be, measured on the lake it was trained on, without anybody's labels.

Two ways. *Expected*: a pair's weight is a probability, so the pairs from a threshold on say themselves how many of
them are matches, and those below it how many are missed. *Measured*: records that a valid strong document joins are
known to be one party; their documents are hidden, and blocking and scores show how many of their pairs they find again
among all other parties. Pairs of hidden records with two different valid documents of one type are known not to match.

What these figures cannot show: the pairs that teach m are the measured ones; a birth date or sex that was read from a
document stays when the document is hidden; a pair that no blocking rule finds is in no expectation.
"""

import dataclasses
from dataclasses import dataclass

import duckdb

from models.identity.blocking import block, rule_name
from models.identity.blocking_report import tally_sql
from models.identity.matching_model import ModelArtefact, rounded
from models.identity.nodes import build_nodes
from models.identity.score import score
from models.identity.settings import MatchingSettings
from models.identity.training import label_sql

# Pairs below that weight are left out of expectations: a million of them hold less than one match.
FLOOR_BITS = -20.0


@dataclass(frozen=True)
class RuleFigures:
    """One blocking rule: what it makes of all nodes, and how many hidden true pairs it (or it alone) finds."""

    rule: str
    blocks: int
    largest_block: int
    split_blocks: int
    candidate_pairs: int
    true_pairs: int
    own_true_pairs: int


@dataclass(frozen=True)
class ThresholdFigures:
    """Pairs from a threshold on (bits): all, their expected matches; hidden pairs known to match and known not to."""

    bits: float
    pairs: int
    matches: float
    hidden_matches: int
    hidden_others: int


@dataclass(frozen=True)
class PartyFigures:
    """Figures of one party type.

    Attributes:
        all_matches: Expected matches among all candidate pairs.
        hidden_records: Records whose documents were hidden.
        hidden_pairs: Pairs of them that their documents join: the truth.
        found_pairs: Those that any blocking rule finds.
        rules: By blocking rule, in the settings' order.
        thresholds: From the lowest on.
    """

    all_matches: float
    hidden_records: int
    hidden_pairs: int
    found_pairs: int
    rules: tuple[RuleFigures, ...]
    thresholds: tuple[ThresholdFigures, ...]


def evaluate_model(
    con: duckdb.DuckDBPyConnection, settings: MatchingSettings, model: ModelArtefact
) -> dict[str, PartyFigures]:
    """Figures of a model by party type.

    Args:
        con: Connection with views (not tables) as for ``score``. Afterwards ``identity.party_node`` and
            ``identity.party_document`` show the records with their documents hidden.
        settings: The bank's matching settings; the thresholds are theirs and four bits on either side.
        model: The model.
    """
    low = settings.model_copy(update={"review_threshold_bits": min(FLOOR_BITS, settings.review_threshold_bits)})
    around = {settings.merge_threshold_bits + step for step in (-4, -2, 0, 2, 4)}
    thresholds = sorted(around | {settings.review_threshold_bits})
    score(con, low, model)
    _keep_pairs(con, "all_pair")
    con.execute("create or replace table work.all_rule as from res.blocking_rule")
    _hide_documents(con, settings)
    tallies = {party_type: _tally(con, settings, party_type) for party_type in model.parties}
    score(con, low, _without_documents(model))
    _keep_pairs(con, "hidden_pair")
    found = {
        party_type: _figures(con, party_type, tallies[party_type], tuple(thresholds)) for party_type in model.parties
    }
    for table in ("all_pair", "all_rule", "hidden_pair"):
        con.execute(f"drop table work.{table}")
    return found


def _keep_pairs(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Pairs of ``res.node_pair`` with their party type, without names and words."""
    con.execute(
        f"""
        create or replace table work.{table} as
        with kind as (
            select node.node_id, min(party.party_type) as party_type
            from identity.party_node as node
            inner join identity.party_standard as party using (system, record_id)
            group by node.node_id
        )
        select pair.node_id_l, pair.node_id_r, pair.match_weight, kind.party_type
        from res.node_pair as pair
        inner join kind on kind.node_id = pair.node_id_l
        """
    )


def _hide_documents(con: duckdb.DuckDBPyConnection, settings: MatchingSettings) -> None:
    """Sampled records of nodes of several stand alone and carry no document; ``work.hidden`` keeps what they are."""
    con.execute(
        f"""
        create or replace table work.hidden as
        select label.system, label.record_id, label.label, party.party_type, label.record_no + last.node_id as node_id
        from ({label_sql(settings)}) as label
        inner join identity.party_standard as party using (system, record_id)
        cross join (select max(node_id) as node_id from identity.party_node) as last
        """
    )
    con.execute(
        """
        create or replace table work.hidden_document as
        select hidden.node_id, document.document_type, document.document_number
        from identity.party_document as document
        inner join work.hidden as hidden using (system, record_id)
        where document.is_strong
        """
    )
    con.execute(
        """
        create or replace table work.shown_node as
        select node.* replace (coalesce(hidden.node_id, node.node_id) as node_id)
        from identity.party_node as node
        left join work.hidden as hidden using (system, record_id)
        """
    )
    con.execute(
        """
        create or replace table work.shown_document as
        select * from identity.party_document anti join work.hidden using (system, record_id)
        """
    )
    con.execute("create or replace view identity.party_node as from work.shown_node")
    con.execute("create or replace view identity.party_document as from work.shown_document")


def _tally(
    con: duckdb.DuckDBPyConnection, settings: MatchingSettings, party_type: str
) -> tuple[int, dict[int, tuple[str, int, int]]]:
    """True pairs that blocking finds; and by rule its name, those that it finds, those that it alone finds."""
    build_nodes(con, settings)
    block(con, settings, party_type)
    truth = """
        select candidate.rules
        from work.candidate_pair as candidate
        inner join work.hidden as l on l.node_id = candidate.node_id_l
        inner join work.hidden as r on r.node_id = candidate.node_id_r
        where l.label = r.label
    """
    found = int(con.execute(f"select count(*) from ({truth})").fetchall()[0][0])
    counted = {number: (pairs, own) for number, pairs, own in con.execute(tally_sql(truth)).fetchall()}
    rules = enumerate(settings.party(party_type).blocking)
    return found, {number: (rule_name(rule), *counted.get(number, (0, 0))) for number, rule in rules}


def _figures(
    con: duckdb.DuckDBPyConnection,
    party_type: str,
    tally: tuple[int, dict[int, tuple[str, int, int]]],
    thresholds: tuple[float, ...],
) -> PartyFigures:
    found, by_rule = tally
    records, pairs = con.execute(
        """
        select coalesce(sum(members), 0)::bigint, coalesce(sum(members * (members - 1) // 2), 0)::bigint
        from (select count(*) as members from work.hidden where party_type = $kind group by label)
        """,
        {"kind": party_type},
    ).fetchall()[0]
    made = con.execute(
        "select rule_no, block_count, largest_block_size, split_block_count, candidate_pair_count"
        " from work.all_rule where party_type = $kind order by rule_no",
        {"kind": party_type},
    ).fetchall()
    expected = _expected(con, party_type, None)[1]
    return PartyFigures(
        rounded(expected),
        records,
        pairs,
        found,
        tuple(
            RuleFigures(by_rule[number][0], blocks, largest, split, candidates, *by_rule[number][1:])
            for number, blocks, largest, split, candidates in made
        ),
        tuple(
            ThresholdFigures(bits, count, rounded(matches), *_hidden(con, party_type, bits))
            for bits in thresholds
            for count, matches in (_expected(con, party_type, bits),)
        ),
    )


def _expected(con: duckdb.DuckDBPyConnection, party_type: str, bits: float | None) -> tuple[int, float]:
    """Pairs from a weight on, and the sum of their probabilities."""
    count, matches = con.execute(
        "select count(*), coalesce(fsum(1 / (1 + pow(2.0, -match_weight))), 0) from work.all_pair"
        " where party_type = $kind and match_weight >= $bits",
        {"kind": party_type, "bits": FLOOR_BITS if bits is None else bits},
    ).fetchall()[0]
    return int(count), float(matches)


def _hidden(con: duckdb.DuckDBPyConnection, party_type: str, bits: float) -> tuple[int, int]:
    """Pairs of hidden records from a weight on that are known to match, and known not to."""
    same, other = con.execute(
        """
        select
            count(*) filter (where l.label = r.label),
            count(*) filter (where l.label <> r.label and exists (
                select 1
                from work.hidden_document as one
                inner join work.hidden_document as two using (document_type)
                where one.node_id = l.node_id and two.node_id = r.node_id
                    and one.document_number <> two.document_number
            ))
        from work.hidden_pair as pair
        inner join work.hidden as l on l.node_id = pair.node_id_l
        inner join work.hidden as r on r.node_id = pair.node_id_r
        where pair.party_type = $kind and pair.match_weight >= $bits
        """,
        {"kind": party_type, "bits": bits},
    ).fetchall()[0]
    return int(same), int(other)


def _without_documents(model: ModelArtefact) -> ModelArtefact:
    """The model with the comparison of documents left out."""
    return dataclasses.replace(
        model,
        parties={
            name: dataclasses.replace(party, comparisons=tuple(c for c in party.comparisons if c.name != "document"))
            for name, party in model.parties.items()
        },
    )
