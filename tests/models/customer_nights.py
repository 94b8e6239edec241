"""Nights over clusters of record ids, each the next one's past: for tests of customer ids and their history."""

import datetime as dt

import duckdb
import pyarrow as pa

from models.identity.customer_ids import assign_customers
from models.tables import load_tables


def night(con: duckdb.DuckDBPyConnection, date: dt.date, clusters: list[set[str]]) -> None:
    """Run one night over clusters of record ids, the last night's result as the previous one."""
    con.execute("create schema if not exists identity")
    con.execute("create schema if not exists previous")
    if con.execute("select 1 from information_schema.tables where table_schema = 'res'").fetchall():
        con.execute("create or replace table previous.customer_record_history as from res.customer_record_history")
        con.execute("create table if not exists previous.customer_event as from res.customer_event limit 0")
        con.execute("insert into previous.customer_event from res.customer_event")
    rows = [(record, number) for number, records in enumerate(clusters, start=1) for record in sorted(records)]
    nodes = pa.table(
        {
            "system": pa.array(["core"] * len(rows), pa.string()),
            "record_id": pa.array([r for r, _ in rows], pa.string()),
            "node_id": pa.array(range(1, len(rows) + 1), pa.int64()),
            "is_held_by_decision": pa.array([False] * len(rows), pa.bool_()),
        }
    )
    of_node = pa.table(
        {
            "node_id": pa.array(range(1, len(rows) + 1), pa.int64()),
            "cluster_no": pa.array([n for _, n in rows], pa.int64()),
        }
    )
    for name, table in (("party_node", nodes), ("cluster", of_node)):
        con.register("incoming", table)
        con.execute(f"create or replace table identity.{name} as from incoming")
        con.unregister("incoming")
    for table in ("node_pair", "cluster_link"):
        con.execute(
            f"create or replace table identity.{table} (node_id_l bigint, node_id_r bigint, match_weight double)"
        )
    assign_customers(con, date)


def customers(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Tonight's crosswalk: customer id by record id."""
    return dict(con.execute("select record_id, customer_id from res.customer_record").fetchall())


def events(con: duckdb.DuckDBPyConnection, date: dt.date) -> set[tuple[str, str, str | None]]:
    """What happened on a date: (event, customer id, related customer id)."""
    return set(
        con.execute(
            "select event, customer_id, related_customer_id from res.customer_event where business_date = $1", [date]
        ).fetchall()
    )


def history(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, dt.date, dt.date | None]]:
    """All intervals: (record id, customer id, valid from, valid to)."""
    return con.execute(
        "select record_id, customer_id, valid_from, valid_to from res.customer_record_history order by all"
    ).fetchall()


def retired(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[dt.date, str | None, str]]:
    """Retired ids: (retired date, living customer id, resolution) by id."""
    con.execute("create schema if not exists customer")
    con.execute("create or replace view customer.customer_record_history as from res.customer_record_history")
    sql = load_tables()["customer.retired_customer"].sql or ""
    con.execute(f"create or replace table customer.retired_customer as {sql}")
    return {
        customer_id: (date, living, resolution)
        for customer_id, date, living, resolution in con.execute(
            "select customer_id, retired_date, living_customer_id, resolution from customer.retired_customer"
        ).fetchall()
    }
