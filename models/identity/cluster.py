"""Clusters of nodes: what links from the merge threshold on connect, as far as it coheres and the facts allow.

Groups are joined by the average weight of all pairs between them (``average_link``), then small groups join the
others that their merged evidence fits (``second_pass``). A merge that a constraint forbids is refused and recorded.
A group that fits two about equally well, where those two exclude each other, joins neither: which of the two it is,
is for a steward to say.
"""

import logging

import duckdb
import numpy as np
import pyarrow as pa

from models.identity.average_link import Bounds, link_by_average
from models.identity.constrained import Constraint, Floats, Integers
from models.identity.decided import bonds
from models.identity.evidence import (
    SHARED_DOCUMENT,
    birth_and_sex_constraint,
    document_constraints,
    excluded_pairs_constraint,
    wanted,
)
from models.identity.matching_model import ModelArtefact
from models.identity.second_pass import join_groups
from models.identity.settings import MatchingSettings

log = logging.getLogger(__name__)

# A pair that was never a candidate, or scored below the review threshold, counts as this much below it.
_ABSENT_BITS = 5.0


def cluster(con: duckdb.DuckDBPyConnection, settings: MatchingSettings, model: ModelArtefact | None = None) -> None:
    """Create ``res.cluster``, ``res.cluster_link`` and ``res.refused_merge``.

    ``cluster`` (node_id, cluster_no): numbered from 1 in the order of the smallest node. ``cluster_link``: what the
    second pass joined, the smallest nodes of both groups with the weight of their merged evidence. ``refused_merge``
    (pair, match_weight, reason): pairs from the merge threshold on that ended in different clusters, and all pairs
    that share a document without fitting.

    Args:
        con: Connection with views ``identity.party_standard``, ``party_name``, ``party_document``,
            ``party_contact``, ``party_node`` and ``node_pair``, and ``identity.decision`` where there are decisions.
        settings: The bank's matching settings.
        model: The trained model; without one there is no second pass.
    """
    con.execute("create schema if not exists work")
    con.execute("create schema if not exists res")
    _create_facts(con)
    listed = con.execute("select distinct node_id from identity.party_node order by node_id").fetchnumpy()
    nodes: Integers = np.asarray(listed["node_id"], dtype=np.int64)
    constraints = _constraints(con, settings)
    edges = con.execute(
        """
        select l.place as l, r.place as r, match_weight
        from identity.node_pair
        inner join work.place as l on l.node_id = node_id_l
        inner join work.place as r on r.node_id = node_id_r
        order by l, r
        """
    ).fetchnumpy()
    left, right = (np.asarray(edges[side], dtype=np.int64) for side in ("l", "r"))
    weight: Floats = np.asarray(edges["match_weight"], dtype=np.float64).round(6)
    bounds = Bounds(
        link=settings.merge_threshold_bits,
        cohesion=settings.cohesion_bits,
        margin=settings.ambiguity_bits,
        absent=settings.review_threshold_bits - _ABSENT_BITS,
        most=settings.component_cap,
    )
    grouping = link_by_average(len(nodes), left, right, weight, bounds, constraints)
    group = join_groups(con, settings, model, nodes, grouping.group, constraints)
    numbers = np.unique(group, return_inverse=True)[1] + 1
    con.register("clustered", pa.table({"node_id": nodes, "cluster_no": numbers}))
    con.execute("create or replace table res.cluster as select * from clustered order by node_id")
    con.unregister("clustered")
    apart = group[left[grouping.refused]] != group[right[grouping.refused]]
    refused = grouping.refused[apart]
    reasons = [reason for reason, kept in zip(grouping.reasons, apart.tolist(), strict=True) if kept]
    con.register(
        "refused",
        pa.table({"l": left[refused], "r": right[refused], "reason": pa.array(reasons, pa.string())}),
    )
    _create_refused(con)
    con.unregister("refused")
    log.info(
        "cluster: %d nodes, %d pairs, %d clusters, %d merges refused",
        len(nodes),
        len(left),
        int(numbers.max(initial=0)),
        len(refused),
    )
    for table in ("place", "node_fact", "document_fact", "shared_fact"):
        con.execute(f"drop table work.{table}")


def _create_facts(con: duckdb.DuckDBPyConnection) -> None:
    """Facts by node, with nodes numbered from 0 (``place``)."""
    con.execute(
        """
        create or replace table work.place as
        select node_id, row_number() over (order by node_id) - 1 as place
        from (select distinct node_id from identity.party_node)
        """
    )
    con.execute(
        """
        create or replace table work.node_fact as
        select distinct place.place as thing, party.birth_date, party.sex
        from identity.party_standard as party
        inner join identity.party_node using (system, record_id)
        inner join work.place as place using (node_id)
        where party.party_type = 'person'
        """
    )
    con.execute(
        """
        create or replace table work.document_fact as
        select distinct place.place as thing, document.document_type, document.document_number
        from identity.party_document as document
        inner join identity.party_node using (system, record_id)
        inner join work.place as place using (node_id)
        where document.is_strong
        """
    )
    con.execute(
        """
        create or replace table work.shared_fact as
        select distinct l.thing as one, r.thing as other
        from work.document_fact as l
        inner join work.document_fact as r using (document_type, document_number)
        where l.thing < r.thing
        """
    )


def _constraints(con: duckdb.DuckDBPyConnection, settings: MatchingSettings) -> tuple[Constraint, ...]:
    nodes_sql = (
        "select place as thing, system, record_id from identity.party_node inner join work.place using (node_id)"
    )
    constraints: tuple[Constraint, ...] = (bonds(con, nodes_sql).apart,)
    if wanted(settings, "document"):
        constraints += document_constraints(con, "select * from work.document_fact")
    if wanted(settings, "shared_document"):
        constraints += (excluded_pairs_constraint(con, "select * from work.shared_fact", SHARED_DOCUMENT),)
    if wanted(settings, "birth_date_and_sex"):
        constraints += (
            birth_and_sex_constraint(
                con,
                "select distinct thing, birth_date from work.node_fact where birth_date is not null",
                "select distinct thing, sex from work.node_fact where sex is not null",
            ),
        )
    return constraints


def _create_refused(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        f"""
        create or replace table res.refused_merge as
        with reason as (
            select l, r, reason, 0 as priority from refused
            union all
            select one, other, '{SHARED_DOCUMENT}', 1 from work.shared_fact
        ),
        pair as (
            select
                least(l.node_id, r.node_id) as node_id_l,
                greatest(l.node_id, r.node_id) as node_id_r,
                reason.reason,
                reason.priority
            from reason
            inner join work.place as l on l.place = reason.l
            inner join work.place as r on r.place = reason.r
        )
        select pair.node_id_l, pair.node_id_r, node_pair.match_weight, min_by(pair.reason, pair.priority) as reason
        from pair
        inner join identity.node_pair as node_pair using (node_id_l, node_id_r)
        inner join res.cluster as cluster_l on cluster_l.node_id = pair.node_id_l
        inner join res.cluster as cluster_r on cluster_r.node_id = pair.node_id_r
        where cluster_l.cluster_no <> cluster_r.cluster_no
        group by pair.node_id_l, pair.node_id_r, node_pair.match_weight
        order by pair.node_id_l, pair.node_id_r
        """
    )
