"""Clusters of nodes: pairs from the merge threshold on, strongest first, as far as the facts allow.

A merge that a constraint forbids is refused and recorded. A node that fits two nodes about equally well, where
those two exclude each other, joins neither: which of the two it is, is for a steward to say.
"""

import logging

import duckdb
import numpy as np
import pyarrow as pa

from models.identity.constrained import Constraint, group_under_constraints
from models.identity.decided import bonds
from models.identity.evidence import (
    AMBIGUOUS,
    SHARED_DOCUMENT,
    birth_and_sex_constraint,
    document_constraints,
    excluded_pairs_constraint,
    wanted,
)
from models.identity.settings import MatchingSettings

log = logging.getLogger(__name__)


def cluster(con: duckdb.DuckDBPyConnection, settings: MatchingSettings) -> None:
    """Create ``res.cluster`` (node_id, cluster_no) and ``res.refused_merge`` (pair, match_weight, reason).

    Clusters are numbered from 1 in the order of their smallest node. Refused are pairs from the merge
    threshold on that ended in different clusters, and all pairs that share a document without fitting.

    Args:
        con: Connection with views ``identity.party_standard``, ``party_document``, ``party_node`` and
            ``node_pair``, and ``identity.decision`` where there are decisions.
        settings: The bank's matching settings.
    """
    con.execute("create schema if not exists work")
    con.execute("create schema if not exists res")
    _create_facts(con)
    nodes = con.execute("select distinct node_id from identity.party_node order by node_id").fetchnumpy()["node_id"]
    constraints = _constraints(con, settings)
    _create_edges(con, settings)
    edges = con.execute("select l, r, match_weight from work.edge where not is_ambiguous order by l, r").fetchnumpy()
    left, right = (np.asarray(edges[side], dtype=np.int64) for side in ("l", "r"))
    weight = np.asarray(edges["match_weight"], dtype=np.float64)
    grouping = group_under_constraints(len(nodes), left, right, weight, constraints)
    numbers = np.unique(grouping.group, return_inverse=True)[1] + 1
    con.register("clustered", pa.table({"node_id": nodes, "cluster_no": numbers}))
    con.execute("create or replace table res.cluster as select * from clustered order by node_id")
    con.unregister("clustered")
    apart = grouping.group[left[grouping.refused]] != grouping.group[right[grouping.refused]]
    refused = grouping.refused[apart]
    reasons = [reason for reason, kept in zip(grouping.reasons, apart.tolist(), strict=True) if kept]
    con.register(
        "refused",
        pa.table({"l": left[refused], "r": right[refused], "reason": pa.array(reasons, pa.string())}),
    )
    _create_refused(con)
    con.unregister("refused")
    log.info(
        "cluster: %d nodes, %d edges, %d clusters, %d merges refused",
        len(nodes),
        len(left),
        int(numbers.max(initial=0)),
        len(refused),
    )
    for table in ("place", "edge", "node_fact", "document_fact", "shared_fact"):
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


def _create_edges(con: duckdb.DuckDBPyConnection, settings: MatchingSettings) -> None:
    """Pairs from the merge threshold on; ambiguous ones are marked.

    A node is ambiguous when two of its partners hold different valid documents of one type and the better of
    the two is better by no more than the margin, while the node itself holds none of that type. A document
    that several nodes hold tells nothing here: one of them may carry a relative's.
    """
    con.execute(
        f"""
        create or replace table work.edge as
        with pair as (
            select l.place as l, r.place as r, match_weight
            from identity.node_pair
            inner join work.place as l on l.node_id = node_id_l
            inner join work.place as r on r.node_id = node_id_r
            where match_weight >= {settings.merge_threshold_bits}
        ),
        undisputed as (
            select * from work.document_fact
            qualify count(*) over (partition by document_type, document_number) = 1
        ),
        either as (
            select l as node, r as partner, match_weight from pair
            union all
            select r, l, match_weight from pair
        ),
        documented as (
            select either.*, fact.document_type, fact.document_number
            from either
            inner join undisputed as fact on fact.thing = either.partner
            where not exists (
                select 1 from work.document_fact as own
                where own.thing = either.node and own.document_type = fact.document_type
            )
        ),
        contested as (
            select node, document_type
            from documented
            group by node, document_type
            having count(distinct document_number) > 1
        ),
        best as (
            select node, document_type, document_number, max(match_weight) as best_weight
            from documented
            semi join contested using (node, document_type)
            group by node, document_type, document_number
        ),
        ranked as (
            select
                *,
                count(*) filter (where best_weight >= top_weight - {settings.ambiguity_bits})
                    over (partition by node, document_type) as rivals
            from (
                select *, max(best_weight) over (partition by node, document_type) as top_weight from best
            )
        ),
        ambiguous as (
            select distinct documented.node, documented.partner
            from documented
            inner join ranked using (node, document_type, document_number)
            where ranked.rivals > 1
        )
        select
            pair.*,
            exists (
                select 1 from ambiguous
                where (node = l and partner = r) or (node = r and partner = l)
            ) as is_ambiguous
        from pair
        """
    )


def _create_refused(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        f"""
        create or replace table res.refused_merge as
        with reason as (
            select l, r, reason, 0 as priority from refused
            union all
            select l, r, '{AMBIGUOUS}', 1 from work.edge where is_ambiguous
            union all
            select one, other, '{SHARED_DOCUMENT}', 2 from work.shared_fact
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
