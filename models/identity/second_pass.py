"""The second pass: whole groups compared with the evidence of all their records merged.

A record may fit a customer and no single record of it: one shows the old address, another the mobile, a third the
birth date. So each small group is compared with every other group, by the same rules and weights as nodes were, and
joins the one that it fits clearly better than any other. Nothing here knows how a pair is scored (``score``).
"""

import duckdb
import numpy as np
import pyarrow as pa

from models.identity.constrained import Constraint, Integers, group_under_constraints
from models.identity.matching_model import ModelArtefact
from models.identity.score import score_groups
from models.identity.settings import MatchingSettings


def join_groups(
    con: duckdb.DuckDBPyConnection,
    settings: MatchingSettings,
    model: ModelArtefact | None,
    nodes: Integers,
    group: Integers,
    constraints: tuple[Constraint, ...],
) -> Integers:
    """Join small groups to the groups that they fit; ``res.cluster_link`` lists what was joined.

    Args:
        con: Connection with the views of the ``score`` step and ``identity.node_pair``.
        settings: The bank's matching settings.
        model: The trained model; without one nothing is joined.
        nodes: Ids of the nodes; a node's place is its position.
        group: Place of the smallest member of each node's group.
        constraints: Facts that forbid a union, by place.

    Returns:
        The groups after the pass, as they came in.
    """
    con.execute(
        "create or replace table res.cluster_link (node_id_l bigint, node_id_r bigint, match_weight double,"
        " blocking_rule varchar, comparison_levels varchar)"
    )
    for _ in range(settings.second_pass.rounds if settings.second_pass.use else 0):
        if model is None:
            break
        _score(con, settings, model, nodes, group)
        chosen = con.execute(_chosen_sql(settings)).fetchnumpy()
        one, other = (np.searchsorted(nodes, np.asarray(chosen[side], np.int64)) for side in ("l", "r"))
        inside = np.flatnonzero(group != np.arange(len(group)))
        joined = group_under_constraints(
            len(group),
            np.concatenate((group[inside], np.minimum(one, other))),
            np.concatenate((inside, np.maximum(one, other))),
            np.concatenate((np.full(len(inside), np.inf), np.asarray(chosen["match_weight"], np.float64))),
            constraints,
        ).group
        made = (joined[one] == joined[other]) & (group[one] != group[other])
        con.register("joined", pa.table({"l": nodes[one[made]], "r": nodes[other[made]]}))
        con.execute(
            """
            insert into res.cluster_link
            select pair.* from work.group_pair as pair
            inner join joined on pair.node_id_l = least(l, r) and pair.node_id_r = greatest(l, r)
            order by node_id_l, node_id_r
            """
        )
        con.unregister("joined")
        if not made.any():
            break
        group = joined
    for table in ("group_pair", "grouped"):
        con.execute(f"drop table if exists work.{table}")
    return group


def _score(
    con: duckdb.DuckDBPyConnection, settings: MatchingSettings, model: ModelArtefact, nodes: Integers, group: Integers
) -> None:
    """Create ``work.group_pair`` and ``work.grouped`` (node_id, group_id: its smallest node, nodes, records)."""
    con.register("grouping", pa.table({"node_id": nodes, "group_id": nodes[group]}))
    con.execute(
        """
        create or replace table work.grouped as
        with held as (
            select node_id, count(*) as records from identity.party_node group by node_id
        )
        select
            node_id, group_id,
            count(*) over (partition by group_id) as nodes,
            sum(records) over (partition by group_id) as records
        from grouping
        inner join held using (node_id)
        """
    )
    con.unregister("grouping")
    score_groups(
        con,
        settings,
        model,
        "select system, record_id, group_id as node_id, nodes = 1 as is_whole"
        " from identity.party_node inner join work.grouped using (node_id)",
    )
    con.execute(
        """
        insert into work.group_pair
        select pair.*
        from identity.node_pair as pair
        inner join work.grouped as l on l.node_id = pair.node_id_l
        inner join work.grouped as r on r.node_id = pair.node_id_r
        where l.nodes = 1 and r.nodes = 1
        """
    )


def _chosen_sql(settings: MatchingSettings) -> str:
    """Pairs in which each small group (one at least) has found its best partner, good enough and clearly the best."""
    rules = settings.second_pass
    threshold = settings.merge_threshold_bits if rules.threshold_bits is None else rules.threshold_bits
    return f"""
    with size as (
        select distinct group_id, records <= {rules.small_records} as is_small from work.grouped
    ),
    either as (
        select node_id_l as one, node_id_r as other, match_weight from work.group_pair
        union all
        select node_id_r, node_id_l, match_weight from work.group_pair
    ),
    ranked as (
        select
            *,
            row_number() over side as place,
            coalesce(lead(match_weight) over side, -1000) as next_weight
        from either
        window side as (partition by one order by match_weight desc, other)
    )
    select least(one, other) as l, greatest(one, other) as r, max(match_weight) as match_weight
    from ranked
    inner join size as from_size on from_size.group_id = one
    inner join size as to_size on to_size.group_id = other
    where
        place = 1
        and from_size.is_small
        and match_weight >= {threshold}
        and match_weight - next_weight >= {rules.margin_bits}
    group by l, r
    having count(*) = 2 or not bool_and(to_size.is_small)
    order by l, r
    """
