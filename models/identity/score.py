"""Match weights of candidate pairs, computed by Splink from a stored model.

Blocking is ours (``blocking``), because blocks are capped; Splink scores exactly the pairs it is given. Persons
and organisations are scored apart, each with its own weights. Nothing is estimated here.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from splink import Linker
from splink.backends.duckdb import DuckDBAPI

from models.identity.average_link import linked_components
from models.identity.blocking import block, rule_name
from models.identity.blocking_report import create_blocking_rule, report_blocking
from models.identity.comparisons import Comparison
from models.identity.matching_model import Frequencies, ModelArtefact, PartyModel, splink_settings
from models.identity.nodes import build_evidence, build_nodes, weigh_words
from models.identity.settings import MatchingSettings

log = logging.getLogger(__name__)

_PAIRS = (
    "create or replace table {table} (node_id_l bigint, node_id_r bigint, match_weight double,"
    " blocking_rule varchar, comparison_levels varchar)"
)
_LINKED_RULE = "linked through others"
_SHARED_DOCUMENT_RULE = "document"  # pairs that no rule found are there because they share a valid document


def score(con: duckdb.DuckDBPyConnection, settings: MatchingSettings, model: ModelArtefact) -> None:
    """Create ``res.node_pair``: candidate pairs from the review threshold on, and all that share a document.

    All pairs of nodes that links from the merge threshold on connect are there too, whatever they weigh.
    Columns: node_id_l < node_id_r, match_weight (bits, prior included), blocking_rule (the first that found
    the pair), comparison_levels (``name: equal; sex: different``; missing evidence is left out). Beside it
    ``res.blocking_rule``: what each blocking rule brought.

    Args:
        con: Connection with views ``identity.party_standard``, ``party_name``, ``party_document``,
            ``party_contact`` and ``party_node``.
        settings: The bank's matching settings.
        model: The trained model.
    """
    con.execute("create schema if not exists res")
    con.execute(_PAIRS.format(table="res.node_pair"))
    create_blocking_rule(con)
    build_nodes(con, settings)
    for party_type, party_model in model.parties.items():
        block(con, settings, party_type)
        with _scored_nodes(con, party_type, party_model):
            _score_candidates(con, settings, party_type, party_model, "res.node_pair")
            _score_shared_documents(con, party_model)
            _score_components(con, settings, party_model)
        report_blocking(con, settings, party_type)
    for table in ("node", "node_document", "node_words", "candidate_pair", "rule_block"):
        con.execute(f"drop table work.{table}")


def score_groups(
    con: duckdb.DuckDBPyConnection, settings: MatchingSettings, model: ModelArtefact, members_sql: str
) -> None:
    """Create ``work.group_pair``, columns as of ``res.node_pair``: pairs of groups, each with all its evidence merged.

    Pairs of groups that are one node each are left out: they have been scored as nodes.

    Args:
        con: As for ``score``.
        settings: The bank's matching settings.
        model: The trained model.
        members_sql: Query with columns ``system, record_id, node_id``: the group's number in place of the node's,
            and ``is_whole``: whether the group is one node.
    """
    con.execute(_PAIRS.format(table="work.group_pair"))
    con.execute(f"create or replace table work.group_size as select distinct node_id, is_whole from ({members_sql})")
    build_evidence(con, settings, f"select system, record_id, node_id from ({members_sql})", "node")
    for party_type, party_model in model.parties.items():
        block(con, settings, party_type)
        con.execute(
            """
            delete from work.candidate_pair where
                node_id_l in (select node_id from work.group_size where is_whole)
                and node_id_r in (select node_id from work.group_size where is_whole)
            """
        )
        with _scored_nodes(con, party_type, party_model):
            _score_candidates(con, settings, party_type, party_model, "work.group_pair")
    for table in ("node", "node_document", "node_words", "candidate_pair", "rule_block", "group_size"):
        con.execute(f"drop table work.{table}")


def score_in_detail(
    con: duckdb.DuckDBPyConnection, party_type: str, model: PartyModel, pairs: list[tuple[int, int]]
) -> list[dict[str, Any]]:
    """Score given pairs, whatever their weight, and keep every factor: what an explanation is made of.

    Args:
        con: Connection with ``work.node``.
        party_type: ``person`` or ``organisation``; both nodes of every pair are of it.
        model: The weights of that type.
        pairs: Nodes, the smaller first.

    Returns:
        One row a pair: ``node_id_l``, ``node_id_r``, ``match_weight`` (bits), and for each comparison
        ``mw_<name>`` (bits), ``mw_tf_adj_<name>`` where a frequency takes part, and ``gamma_<name>``
        (Splink's number of the level: -1 is missing evidence, 0 the last level).
    """
    if not pairs:
        return []
    values = ", ".join(f"({int(one)}, {int(other)})" for one, other in pairs)
    with (
        _scored_nodes(con, party_type, model),
        _predictions(con, model, f"from (values {values}) as pair(node_id_l, node_id_r)", None, True) as table,
    ):
        found = con.execute(f"select * from {table} order by node_id_l, node_id_r")
        names = [column[0] for column in found.description or []]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@contextmanager
def _scored_nodes(con: duckdb.DuckDBPyConnection, party_type: str, model: PartyModel) -> Iterator[None]:
    """View ``scored_node`` of one party type and the lookups of frequencies, for as long as the block lasts."""
    con.execute(f"create or replace view scored_node as {weigh_words(con, 'node', party_type, model.words)}")
    for column in model.columns:
        _create_frequencies(con, column, model.frequencies[column])
    yield
    for column in model.columns:
        con.execute(f"drop table frequency_of_{column}")
    con.execute("drop view scored_node")


def _score_candidates(
    con: duckdb.DuckDBPyConnection,
    settings: MatchingSettings,
    party_type: str,
    model: PartyModel,
    target: str,
) -> None:
    """Score the candidate pairs of the blocking rules and keep those from the review threshold on."""
    candidates = int(con.execute("select count(*) from work.candidate_pair").fetchall()[0][0])
    kept = _predict(
        con, model, target, "select node_id_l, node_id_r from work.candidate_pair", "", settings.review_threshold_bits
    )
    rules = ", ".join(f"({n}, '{rule_name(rule)}')" for n, rule in enumerate(settings.party(party_type).blocking))
    con.execute(
        f"""
        update {target} as pair set blocking_rule = rule.name
        from work.candidate_pair as candidate
        inner join (values {rules}) as rule(rule_no, name) using (rule_no)
        where pair.node_id_l = candidate.node_id_l and pair.node_id_r = candidate.node_id_r
        """
    )
    log.info("score: %s: %d candidate pairs, %d from the review threshold on", party_type, candidates, kept)


def _score_shared_documents(con: duckdb.DuckDBPyConnection, model: PartyModel) -> None:
    """Score the pairs that share a valid document whatever their weight."""
    _predict(
        con,
        model,
        "res.node_pair",
        """
        with shared as (
            select document_type, document_number, node_id
            from work.node_document
            semi join scored_node using (node_id)
            where is_strong
        )
        select distinct least(l.node_id, r.node_id) as node_id_l, greatest(l.node_id, r.node_id) as node_id_r
        from shared as l
        inner join shared as r using (document_type, document_number)
        anti join res.node_pair as pair
            on pair.node_id_l = least(l.node_id, r.node_id) and pair.node_id_r = greatest(l.node_id, r.node_id)
        where l.node_id < r.node_id
        """,
        _SHARED_DOCUMENT_RULE,
        None,
    )


def _score_components(con: duckdb.DuckDBPyConnection, settings: MatchingSettings, model: PartyModel) -> None:
    """Score every pair of nodes that links connect, so that all pairs of a group have a say."""
    edges = con.execute(
        f"""
        select node_id_l as l, node_id_r as r, match_weight
        from res.node_pair
        semi join scored_node on node_id = node_id_l
        where match_weight >= {settings.merge_threshold_bits}
        """
    ).fetchnumpy()
    left, right = (np.asarray(edges[side], dtype=np.int64) for side in ("l", "r"))
    nodes = np.unique(np.concatenate((left, right)))
    component = linked_components(
        len(nodes),
        np.searchsorted(nodes, left),
        np.searchsorted(nodes, right),
        np.asarray(edges["match_weight"], dtype=np.float64),
        settings.merge_threshold_bits,
        settings.component_cap,
    )
    con.register("linked_node", pa.table({"node_id": nodes, "component": component}))
    _predict(
        con,
        model,
        "res.node_pair",
        """
        with sized as (
            select *, count(*) over (partition by component) as members from linked_node
        )
        select l.node_id as node_id_l, r.node_id as node_id_r
        from sized as l
        inner join sized as r using (component)
        anti join res.node_pair as pair on pair.node_id_l = l.node_id and pair.node_id_r = r.node_id
        where l.node_id < r.node_id and l.members >= 3
        """,
        _LINKED_RULE,
        None,
    )
    con.unregister("linked_node")


def _create_frequencies(con: duckdb.DuckDBPyConnection, column: str, frequencies: Frequencies) -> None:
    """A lookup with the frequency of every value that occurs, as Splink wants it."""
    known = pa.table(
        {
            "value": pa.array(list(frequencies.values), pa.string()),
            "frequency": pa.array(list(frequencies.values.values()), pa.float64()),
        }
    )
    con.register("known_frequency", known)
    con.execute(
        f"""
        create or replace table frequency_of_{column} as
        select distinct {column}, coalesce(known.frequency, {frequencies.rare}) as tf_{column}
        from scored_node
        left join known_frequency as known on known.value = scored_node.{column}
        where {column} is not null
        """
    )
    con.unregister("known_frequency")


def _predict(
    con: duckdb.DuckDBPyConnection, model: PartyModel, target: str, pairs_sql: str, rule: str, threshold: float | None
) -> int:
    """Score pairs and add those from the threshold on to the target, found by the rule; returns how many."""
    with _predictions(con, model, pairs_sql, threshold) as table:
        if table is None:
            return 0
        con.execute(
            f"""
            insert into {target}
            select node_id_l, node_id_r, match_weight, '{rule}', {_levels_sql(model.comparisons)}
            from {table}
            """
        )
        return int(con.execute(f"select count(*) from {table}").fetchall()[0][0])


@contextmanager
def _predictions(
    con: duckdb.DuckDBPyConnection, model: PartyModel, pairs_sql: str, threshold: float | None, factors: bool = False
) -> Iterator[str | None]:
    """Name of Splink's table of scored pairs, with its factors if wanted; None where there is no pair."""
    con.execute(
        f"""
        create or replace table scored_pair as
        select '0' as match_key, node_id_l as join_key_l, node_id_r as join_key_r
        from ({pairs_sql})
        """
    )
    if not con.execute("select 1 from scored_pair limit 1").fetchall():
        con.execute("drop table scored_pair")
        yield None
        return
    api = DuckDBAPI(con.cursor())
    try:
        linker = Linker(
            api.register("scored_node"),
            splink_settings(model.comparisons, model.prior) | {"retain_intermediate_calculation_columns": factors},
            log_level=None,
            validate_settings=False,
        )
        for column in model.columns:
            linker.table_management.register_term_frequency_lookup(api.register(f"frequency_of_{column}"), column)
        linker.table_management.register_blocked_pairs_for_predict(api.register("scored_pair"))
        yield linker.inference.predict(threshold_match_weight=threshold, warning_mode="never").physical_name
    finally:
        api.delete_tables_created_by_splink_from_db()  # type: ignore[no-untyped-call]
        con.execute("drop table scored_pair")


def _levels_sql(comparisons: tuple[Comparison, ...]) -> str:
    """The levels in words; Splink numbers them downwards to 0, and missing evidence -1."""
    parts = []
    for comparison in comparisons:
        numbered = enumerate(reversed(comparison.levels))
        cases = " ".join(f"when {number} then '{comparison.name}: {level.name}'" for number, level in numbered)
        parts.append(f"case gamma_{comparison.name} {cases} end")
    return f"concat_ws('; ', {', '.join(parts)})"
