"""Estimation of the model: prior, u (``chance``), m from known matches, the rest by EM; priors where data are few.

Nodes that collapsed on a valid strong document are matches that nobody had to label: their records show how
often true matches agree on names, dates and contacts. What they cannot show (documents themselves) and banks
without documents are estimated by expectation maximisation within blocks of other evidence. Every estimate is
mixed with the expected shares as if those had been seen on a few pairs more, so that little data change little.
The numbers are rounded before they are stored: the same input gives the same model.
"""

import dataclasses
import logging
from collections.abc import Mapping
from typing import Any

import duckdb
from splink import Linker
from splink.backends.duckdb import DuckDBAPI

from models.identity.chance import chance_shares
from models.identity.comparisons import Comparison
from models.identity.matching_model import (
    WORD,
    ModelArtefact,
    PartyModel,
    prior_comparisons,
    rounded,
    splink_settings,
    with_bits,
)
from models.identity.nodes import build_evidence, build_nodes, weigh_words
from models.identity.population import expected_matches, name_frequencies
from models.identity.settings import MatchingSettings, TrainingSettings

log = logging.getLogger(__name__)

DEFAULT_NAME = "default"
PARTY_TYPES = ("person", "organisation")
# Known matches share a document, and so say nothing about documents.
_NOT_LABELLED = frozenset({"document"})
# Equalities within which EM runs, with the comparisons that they decide.
_EM_SESSIONS: dict[str, tuple[tuple[tuple[str, ...], frozenset[str]], ...]] = {
    "person": (
        (("native", "birth_date"), frozenset({"name", "latin", "birth_date"})),
        (("latin", "birth_date"), frozenset({"name", "latin", "birth_date"})),
        (("mobile",), frozenset({"mobile", "household"})),
        (("email",), frozenset({"email"})),
        (("address",), frozenset({"address", "household"})),
        (("latin", "birth_place"), frozenset({"name", "latin", "birth_place"})),
        (("latin", "postcode"), frozenset({"name", "latin", "address"})),
        (("birth_date", "postcode"), frozenset({"birth_date", "address"})),
        (("birth_date", "birth_place"), frozenset({"birth_date", "birth_place"})),
    ),
    "organisation": (
        (("core",), frozenset({"name", "latin"})),
        (("phone",), frozenset({"phone"})),
        (("email",), frozenset({"email"})),
    ),
}
_EM_START = 0.3
_EM_MINIMUM_PAIRS = 50


def train(con: duckdb.DuckDBPyConnection, settings: MatchingSettings, name: str = DEFAULT_NAME) -> ModelArtefact:
    """Estimate a model for persons and one for organisations.

    Args:
        con: Connection with views ``identity.party_standard``, ``party_name``, ``party_document``,
            ``party_contact`` and ``party_node``. Tables in schema ``work`` are made and dropped.
        settings: The bank's matching settings.
        name: Name of the model; models of one name are versions of each other.

    Returns:
        The model. With few or no data it holds the expected shares.
    """
    build_nodes(con, settings)
    _build_labelled(con, settings)
    parties = {party_type: _train_party(con, settings, party_type) for party_type in PARTY_TYPES}
    for table in ("node", "node_document", "node_words", "labelled", "labelled_document", "labelled_words"):
        con.execute(f"drop table if exists work.{table}")
    model = ModelArtefact(name, parties)
    log.info("trained model %s version %s", model.name, model.version)
    return model


def _build_labelled(con: duckdb.DuckDBPyConnection, settings: MatchingSettings) -> None:
    """Evidence of single records that share a node: ``work.labelled`` with the node as ``label``."""
    con.execute("create schema if not exists work")
    con.execute(f"create or replace table work.label as {label_sql(settings)}")
    build_evidence(con, settings, "select system, record_id, record_no as node_id from work.label", "labelled")
    con.execute("alter table work.labelled add column label bigint")
    con.execute("update work.labelled set label = l.label from work.label as l where l.record_no = node_id")
    con.execute("drop table work.label")


def label_sql(settings: MatchingSettings) -> str:
    """Query (system, record_id, record_no, label): sampled records of nodes of several, the node as the label."""
    return f"""
        with joined as (
            select * from identity.party_node where not is_held_by_decision
        ),
        several as (
            select node_id, count(*) as members
            from joined
            group by node_id
            having count(*) between 2 and 20
        ),
        sampled as (
            select node_id
            from several
            qualify sum(members) over (order by hash(node_id + {settings.training.seed}), node_id)
                <= {settings.training.labelled_records}
        )
        select system, record_id, row_number() over (order by system, record_id) as record_no, node_id as label
        from joined
        where node_id in (select node_id from sampled)
    """


def _train_party(con: duckdb.DuckDBPyConnection, settings: MatchingSettings, party_type: str) -> PartyModel:
    training = settings.training
    expected = prior_comparisons(settings, party_type)
    nodes = _one(con, f"select count(*) from work.node where party_type = '{party_type}'")
    seen = {"nodes": nodes}
    if nodes < 2:
        return PartyModel(rounded(1e-6), _round_all(expected), name_frequencies(con, training, party_type), seen)
    matches = expected_matches(con, party_type)
    prior = min(max(matches, 1.0) / (nodes * (nodes - 1) / 2), 0.5)
    seen["expected_matches"] = round(matches)
    frequencies = name_frequencies(con, training, party_type)
    node_sql = weigh_words(con, "node", party_type, frequencies[WORD])
    labelled_sql = weigh_words(con, "labelled", party_type, frequencies[WORD])
    chance = chance_shares(con, node_sql, expected, prior, training.random_pairs, training.seed)
    comparisons = tuple(_normalised(comparison, "u") for comparison in chance)
    comparisons, labelled = _estimate_m(con, training, labelled_sql, comparisons)
    seen["labelled_pairs"] = labelled
    enough = labelled >= training.minimum_pairs
    open_names = frozenset(c.name for c in comparisons if not enough or c.name in _NOT_LABELLED)
    comparisons, seen["em_matches"] = _estimate_by_em(con, training, party_type, node_sql, comparisons, open_names)
    log.info("training %s: %s", party_type, ", ".join(f"{count} {what}" for what, count in seen.items()))
    return PartyModel(rounded(prior), _round_all(comparisons), frequencies, seen)


def _estimate_m(
    con: duckdb.DuckDBPyConnection, training: TrainingSettings, records: str, comparisons: tuple[Comparison, ...]
) -> tuple[tuple[Comparison, ...], int]:
    """Shares among pairs of records of one node; returns the number of pairs too."""
    pairs = _one(
        con,
        "select coalesce(sum(members * (members - 1) // 2), 0)"
        f" from (select count(*) as members from ({records}) group by label)",
    )
    if pairs == 0:
        return comparisons, 0
    names = frozenset(c.name for c in comparisons) - _NOT_LABELLED
    with _Session(con, records) as session:
        linker = session.linker(_plain(comparisons), 0.5, names)
        linker.training.estimate_m_from_label_column("label")
        found = _shares(linker)
    return _mixed(comparisons, names, found, pairs, training.prior_pairs), pairs


def _estimate_by_em(
    con: duckdb.DuckDBPyConnection,
    training: TrainingSettings,
    party_type: str,
    columns: str,
    comparisons: tuple[Comparison, ...],
    open_names: frozenset[str],
) -> tuple[tuple[Comparison, ...], int]:
    """Shares of the open comparisons, averaged over sessions by the matches they saw; returns those too."""
    total: dict[str, dict[str, float]] = {}
    matches_by_name: dict[str, float] = {}
    all_matches = 0.0
    with _Session(con, columns) as session:
        for keys, decided in _EM_SESSIONS[party_type]:
            pairs = _one(
                con,
                "select coalesce(sum(members * (members - 1) // 2), 0) from (select count(*) as members"
                f" from ({columns}) where {' and '.join(f'{k} is not null' for k in keys)}"
                f" group by {', '.join(keys)})",
            )
            used = tuple(c for c in _plain(comparisons) if c.name not in decided)
            trainable = open_names - decided
            if pairs < _EM_MINIMUM_PAIRS or not trainable:
                continue
            linker = session.linker(used, _EM_START, trainable)
            em = linker.training.estimate_parameters_using_expectation_maximisation(
                " and ".join(f"l.{k} = r.{k}" for k in keys),
                estimate_without_term_frequencies=True,
                max_pairs=training.em_pairs if pairs > training.em_pairs else None,
            )
            share = em.core_model_settings.probability_two_random_records_match
            matches = float(share) * min(pairs, training.em_pairs)
            all_matches += matches
            for name, shares in _shares(linker).items():
                if name in trainable:
                    matches_by_name[name] = matches_by_name.get(name, 0.0) + matches
                    sums = total.setdefault(name, dict.fromkeys(shares, 0.0))
                    for level, value in shares.items():
                        sums[level] += value * matches
    for name, matches in matches_by_name.items():
        if matches >= training.minimum_pairs:
            shares = {level: value / matches for level, value in total[name].items()}
            comparisons = _mixed(comparisons, frozenset({name}), {name: shares}, matches, training.prior_pairs)
    return comparisons, round(all_matches)


class _Session:
    """A view of nodes and a connection of Splink's own; leaves no table behind."""

    def __init__(self, con: duckdb.DuckDBPyConnection, nodes_sql: str) -> None:
        self._con = con
        self._nodes_sql = nodes_sql

    def __enter__(self) -> "_Session":
        # Splink warns of every level that a small bank never shows; training mixes priors in for exactly those.
        logging.getLogger("splink").setLevel(logging.ERROR)
        self._con.execute(f"create or replace view training_node as {self._nodes_sql}")
        self._api = DuckDBAPI(self._con.cursor())
        self._nodes = self._api.register("training_node")
        return self

    def __exit__(self, *_: object) -> None:
        self._api.delete_tables_created_by_splink_from_db()  # type: ignore[no-untyped-call]
        self._con.execute("drop view training_node")

    def linker(self, comparisons: tuple[Comparison, ...], prior: float, trainable: frozenset[str]) -> Linker:
        """A linker over the nodes in which only the named comparisons may change."""
        return Linker(
            self._nodes, splink_settings(comparisons, prior, trainable), log_level=None, validate_settings=False
        )


def _plain(comparisons: tuple[Comparison, ...]) -> tuple[Comparison, ...]:
    """The comparisons without frequencies, as estimation sees them."""
    return tuple(
        dataclasses.replace(c, levels=tuple(dataclasses.replace(lv, frequency=None) for lv in c.levels))
        for c in comparisons
    )


def _shares(linker: Linker) -> dict[str, dict[str, float]]:
    """Estimated m by comparison and level; 0 for what was never seen."""
    document: Mapping[str, Any] = linker.misc.save_model_to_json()
    return {
        comparison["output_column_name"]: {
            level["label_for_charts"]: float(level.get("m_probability", 0.0))
            for level in comparison["comparison_levels"]
            if not level.get("is_null_level")
        }
        for comparison in document["comparisons"]
    }


def _mixed(
    comparisons: tuple[Comparison, ...],
    names: frozenset[str],
    found: dict[str, dict[str, float]],
    pairs: float,
    prior_pairs: int,
) -> tuple[Comparison, ...]:
    """Comparisons with m mixed from the estimate on ``pairs`` and the expected shares on ``prior_pairs``."""

    def mix(comparison: Comparison) -> Comparison:
        if comparison.name not in names or not any(found[comparison.name].values()):
            return comparison
        shares = found[comparison.name]
        levels = tuple(
            dataclasses.replace(level, m=(shares[level.name] * pairs + level.m * prior_pairs) / (pairs + prior_pairs))
            for level in comparison.levels
        )
        return _normalised(dataclasses.replace(comparison, levels=levels), "m")

    return tuple(mix(comparison) for comparison in comparisons)


def _normalised(comparison: Comparison, kind: str) -> Comparison:
    """Scale m or u to sum to 1, then give levels of fixed weight their ratio."""
    total = sum(getattr(level, kind) for level in comparison.levels)
    return dataclasses.replace(
        comparison,
        levels=tuple(
            with_bits(dataclasses.replace(level, **{kind: getattr(level, kind) / total})) for level in comparison.levels
        ),
    )


def _round_all(comparisons: tuple[Comparison, ...]) -> tuple[Comparison, ...]:
    return tuple(
        dataclasses.replace(
            c,
            levels=tuple(dataclasses.replace(lv, m=rounded(lv.m), u=rounded(lv.u)) for lv in c.levels),
        )
        for c in comparisons
    )


def _one(con: duckdb.DuckDBPyConnection, sql: str) -> int:
    return int(con.execute(sql).fetchall()[0][0])
