"""Stewards' decisions in a night: from the log to ``identity.decision``, and from that table to must and must not.

Collapse and clustering ask here which records are one party and which are kept apart. What decisions mean and which
of them bind is said in ``decisions``.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from models.identity.constrained import Constraint, Integers, connected_components
from models.identity.decisions import LogRow, Record, judge

DECIDED_DIFFERENT = "a steward decided that they are different"

_COLUMNS = {
    "decision_id": pa.int64(),
    "system_l": pa.string(),
    "record_id_l": pa.string(),
    "system_r": pa.string(),
    "record_id_r": pa.string(),
    "verdict": pa.string(),
    "standing": pa.string(),
    "overruled_by": pa.int64(),
    "decided_by": pa.string(),
    "decided_at": pa.timestamp("us"),
    "decision_reason": pa.string(),
}


@dataclass(frozen=True)
class Bonds:
    """What decisions demand of numbered things.

    Attributes:
        joined: Pairs of things that are one, whatever the facts say.
        apart: Pairs of things that never come together.
        touched: Things that carry a record of any binding decision.
    """

    joined: tuple[Integers, Integers]
    apart: Constraint
    touched: Integers


def snapshot(con: duckdb.DuckDBPyConnection, rows: Sequence[LogRow]) -> None:
    """Create ``res.decision``: every pair that a decision in force speaks of, with its standing tonight.

    Args:
        con: Connection with view ``identity.party_standard``.
        rows: The whole decision log.
    """
    judged = [
        (
            one.decision.decision_id,
            *one.pair[0],
            *one.pair[1],
            one.decision.verdict,
            one.standing,
            one.overruled_by,
            one.decision.made_by,
            one.decision.made_at.astimezone(dt.UTC).replace(tzinfo=None),
            one.decision.reason,
        )
        for one in judge(rows, kinds_of(con, rows))
    ]
    columns = zip(*judged, strict=True) if judged else ([] for _ in _COLUMNS)
    arrays = [pa.array(list(values), kind) for values, kind in zip(columns, _COLUMNS.values(), strict=True)]
    con.execute("create schema if not exists res")
    con.register("judged", pa.table(arrays, list(_COLUMNS)))
    con.execute("create or replace table res.decision as from judged")
    con.unregister("judged")


def kinds_of(con: duckdb.DuckDBPyConnection, rows: Iterable[LogRow]) -> dict[Record, str]:
    """Party type of every record that a log speaks of and ``identity.party_standard`` holds."""
    records = {record for row in rows for record in (*row.left, *row.right)}
    return of_records(con, "identity.party_standard", "party_type", records)


def of_records(
    con: duckdb.DuckDBPyConnection, relation: str, column: str, records: Iterable[Record]
) -> dict[Record, str]:
    """A column's value for each of the records that a relation with ``system`` and ``record_id`` holds."""
    con.register("named", _named(sorted(set(records))))
    found = con.execute(
        f"select system, record_id, {column} from {relation} semi join named using (system, record_id)"
    ).fetchall()
    con.unregister("named")
    return {(system, record_id): value for system, record_id, value in found}


def bonds(con: duckdb.DuckDBPyConnection, things_sql: str) -> Bonds:
    """Must and must not of things, from the pairs of ``identity.decision`` that bind; nothing where it is not there.

    What follows from decisions holds as well, also by way of records that are not delivered tonight: of three
    records of which two pairs are the same, the third pair is; and what is different from one is different from all.

    Args:
        con: Connection, with view ``identity.decision`` where there are decisions.
        things_sql: Query with columns ``thing`` (number), ``system``, ``record_id``.
    """
    pairs = _binding(con)
    records = sorted({record for one, other, _ in pairs for record in (one, other)})
    number = {record: n for n, record in enumerate(records)}
    same, different = (
        _integers((number[one], number[other]) for one, other, said in pairs if said == verdict)
        for verdict in ("same", "different")
    )
    group = connected_components(len(records), same[0], same[1])
    con.register("named", _named(records).append_column("party", pa.array(group)))
    con.register("kept_apart", pa.table({"one": group[different[0]], "other": group[different[1]]}))
    con.execute(
        f"""
        create or replace temp table decided_thing as
        select distinct things.thing, named.party
        from ({things_sql}) as things
        inner join named using (system, record_id)
        """
    )
    chain = con.execute(
        """
        select one, other
        from (select lag(thing) over (partition by party order by thing) as one, thing as other from decided_thing)
        where one is not null
        order by one, other
        """
    ).fetchall()
    apart = con.execute(
        """
        select distinct l.thing, r.thing
        from kept_apart
        inner join decided_thing as l on l.party = kept_apart.one
        inner join decided_thing as r on r.party = kept_apart.other
        order by all
        """
    ).fetchall()
    touched = con.execute("select distinct thing from decided_thing order by thing").fetchall()
    con.execute("drop table decided_thing")
    con.unregister("named")
    con.unregister("kept_apart")
    return Bonds(
        _integers(chain),
        Constraint(DECIDED_DIFFERENT, pairs=_integers(apart)),
        np.array(touched, dtype=np.int64).reshape(-1),
    )


def create_decided_events(con: duckdb.DuckDBPyConnection) -> None:
    """Create ``work.decided_event``: merges and splits of tonight that a decision brought about, or one that ended.

    Columns: event, customer_id, related_customer_id (as in ``customer.customer_event``), cause.

    Args:
        con: Connection with ``work.member`` (system, record_id, cluster_no, previous_id) and ``work.customer``
            (cluster_no, customer_id) of the night; ``identity.decision`` and ``previous.decision`` where there are any.
    """
    for schema in ("identity", "previous"):
        con.register(f"{schema}_binding", _binding_table(con, schema))
    con.execute(
        """
        create or replace table work.decided_event as
        with effect as (
            select
                if(verdict = 'same', 'merge', 'split') as event,
                'decision ' || decision_id || ' of a steward: '
                || if(verdict = 'same', 'they are the same', 'they are different') as cause,
                *
            from identity_binding
            union all
            select
                if(verdict = 'same', 'split', 'merge'),
                'decision ' || decision_id || ' of a steward no longer binds',
                *
            from (from previous_binding except from identity_binding)
        ),
        pair as (
            select
                effect.event, effect.cause, effect.decision_id,
                l.previous_id as previous_l, l.cluster_no as cluster_l,
                r.previous_id as previous_r, r.cluster_no as cluster_r
            from effect
            inner join work.member as l on l.system = effect.system_l and l.record_id = effect.record_id_l
            inner join work.member as r on r.system = effect.system_r and r.record_id = effect.record_id_r
        ),
        -- each side of a pair in turn: an id that went into another, or a part that left one
        side as (
            select event, cause, decision_id, previous_l as previous_id, cluster_l as cluster_no
            from pair
            where (event = 'merge') = (cluster_l = cluster_r) and (event = 'split') = (previous_l = previous_r)
            union all
            select event, cause, decision_id, previous_r, cluster_r
            from pair
            where (event = 'merge') = (cluster_l = cluster_r) and (event = 'split') = (previous_l = previous_r)
        )
        select
            event,
            if(event = 'merge', previous_id, customer.customer_id) as customer_id,
            if(event = 'merge', customer.customer_id, previous_id) as related_customer_id,
            arg_max(cause, decision_id) as cause
        from side
        inner join work.customer as customer using (cluster_no)
        group by all
        """
    )
    for schema in ("identity", "previous"):
        con.unregister(f"{schema}_binding")


def _binding_table(con: duckdb.DuckDBPyConnection, schema: str) -> pa.Table:
    """Binding pairs of a night's decisions: decision_id, verdict and the two records."""
    columns = list(_COLUMNS)[:6]
    if not _has_decisions(con, schema):
        return pa.table({name: pa.array([], _COLUMNS[name]) for name in columns})
    return con.execute(
        f"select {', '.join(columns)} from {schema}.decision where standing in ('binding', 'absent')"
    ).to_arrow_table()


def _has_decisions(con: duckdb.DuckDBPyConnection, schema: str) -> bool:
    return bool(
        con.execute(
            "select 1 from information_schema.tables where table_schema = ? and table_name = 'decision'", [schema]
        ).fetchall()
    )


def _binding(con: duckdb.DuckDBPyConnection) -> list[tuple[Record, Record, str]]:
    rows = zip(*_binding_table(con, "identity").drop_columns("decision_id").to_pydict().values(), strict=True)
    return [((system_l, id_l), (system_r, id_r), verdict) for system_l, id_l, system_r, id_r, verdict in rows]


def _named(records: Sequence[Record]) -> pa.Table:
    return pa.table(
        {
            "system": pa.array([system for system, _ in records], pa.string()),
            "record_id": pa.array([record_id for _, record_id in records], pa.string()),
        }
    )


def _integers(pairs: Iterable[tuple[int, int]]) -> tuple[Integers, Integers]:
    listed = np.array(list(pairs), dtype=np.int64).reshape(-1, 2)
    return listed[:, 0], listed[:, 1]
