"""Building a release's database: one DuckDB file from lake partitions, with constraints, comments and schema meta.

This module writes the file it is told to write. Where releases lie, which one is current, and whether a candidate
may be published is decided in ``warehouse.candidate``.
"""

import datetime as dt
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from models.tables import Table
from warehouse.ddl import comments, create_table, literal, qualified, quoted
from warehouse.engine import own_spill
from warehouse.facts import (
    CheckRow,
    Facts,
    change_rows,
    column_rows,
    customer_change_rows,
    delivery_rows,
    meta_tables,
    release_row,
    result_rows,
    table_rows,
)
from warehouse.fingerprint import Fingerprint, fingerprint
from warehouse.lake import Lake
from warehouse.reconciliation import RECONCILIATION
from warehouse.release import Release
from warehouse.release_diff import Comparison, RowChanges, attach

log = logging.getLogger(__name__)

CATALOG = "candidate"

# the oldest storage format that clients in use can be expected to read; newer ones brought no smaller files here
STORAGE_VERSION = "v1.0.0"

# part of a release's content besides its data; the rest of schema meta speaks of the act of publishing
CONTENT_META = ("meta.columns", "meta.lineage", "meta.delivery", "meta.quarantine", RECONCILIATION)


@dataclass(frozen=True)
class Bounds:
    """Within what DuckDB builds: memory before it spills, threads, and the folder it spills to."""

    memory_limit: str = "8GB"
    threads: int = 2
    spill: Path | None = None


@dataclass(frozen=True)
class Built:
    """A written database.

    Attributes:
        fingerprints: of every data table (taken from the lake) and of the content tables of schema meta.
        unconstrained: tables whose rows broke their constraints and that were therefore written without them,
            so that the gate can say how many rows break which rule.
    """

    fingerprints: Mapping[str, Fingerprint]
    unconstrained: tuple[str, ...]


def build_database(
    path: Path,
    lake: Lake,
    tables: Mapping[str, Table],
    business_date: dt.date,
    facts: Facts,
    bounds: Bounds,
) -> Built:
    """Write a new database file from the date's partitions of all published tables.

    Args:
        path: the file; must not exist.
        lake: where the partitions are.
        tables: table definitions; those that are published are written.
        business_date: whose partitions.
        facts: what ``meta.release``, ``meta.delivery`` and ``meta.quarantine`` say.
        bounds: memory, threads, spill folder.

    Raises:
        MissingPartitionError: a published table has no partition for the date.
        duckdb.Error: a partition lacks a column, or a value does not fit its type.
    """
    published = {table.id: table for table in tables.values() if table.published}
    sources = {name: _source(lake.require(name, business_date)) for name in published}
    unconstrained = []
    with _open(path, bounds) as con:
        for name, table in published.items():
            con.execute(f"create schema if not exists {quoted(CATALOG)}.{quoted(table.layer)}")
            if not _load(con, table, sources[name]):
                unconstrained.append(name)
        prints = {name: fingerprint(con, sources[name], table.columns) for name, table in published.items()}
        meta = meta_tables()
        con.execute(f"create schema {quoted(CATALOG)}.meta")
        for table in meta.values():
            con.execute(create_table(table, CATALOG))
        _insert(con, meta["meta.tables"], table_rows(published, prints))
        _insert(con, meta["meta.columns"], column_rows(published))
        _insert(con, meta["meta.lineage"], facts.lineage)
        _insert(con, meta["meta.delivery"], delivery_rows(facts.deliveries))
        _insert_reconciliation(con, meta[RECONCILIATION], lake, business_date)
        _insert_quarantine(con, meta["meta.quarantine"], facts.quarantine)
        con.execute("begin")  # each comment by itself would be a commit, and twice the time
        for table in (*published.values(), *meta.values()):
            for statement in comments(table, CATALOG):
                con.execute(statement)
        con.execute("commit")
        for name in CONTENT_META:
            prints[name] = fingerprint(con, qualified(meta[name], CATALOG), meta[name].columns)
    return Built(prints, tuple(unconstrained))


def record_publication(
    path: Path,
    release: Release,
    facts: Facts,
    results: Iterable[CheckRow],
    measured: Mapping[str, pa.Table],
    previous: Release | None,
    bounds: Bounds,
) -> None:
    """Write what is known only once a built database has been judged: the release, the results, what has changed.

    Rows are compared by key, so keys must have been proven unique.

    Args:
        path: the database file; nobody else may have it open.
        release: what it is published as.
        facts: what it was made from.
        results: results of every check, blocking or not.
        measured: rows of further tables of schema meta, by table.
        previous: the release that is current now; one that cannot be read is warned of and not compared with.
        bounds: memory, threads, spill folder.
    """
    meta = meta_tables()
    with _open(path, bounds) as con:
        _insert(con, meta["meta.release"], [release_row(release, facts)])
        _insert(con, meta["meta.check_result"], result_rows(results))
        for name, rows in measured.items():
            _insert_table(con, meta[name], rows)
        changes, customers = _compared(con, previous)
        _insert(con, meta["meta.changes"], change_rows(release.tables, previous, changes))
        _insert(con, meta["meta.customer_changes"], customer_change_rows(previous, customers))


def _compared(
    con: duckdb.DuckDBPyConnection, previous: Release | None
) -> tuple[dict[str, RowChanges], Mapping[str, int]]:
    """Rows changed by table, and customers by what became of them, against the previous release if there is one."""
    if previous is None:
        return {}, {}
    try:
        attach(con, previous, "previous")
        comparison = Comparison(con, "previous", CATALOG)
        return {one.table: one.rows for one in comparison.tables() if one.rows}, comparison.customers()
    except (duckdb.IOException, duckdb.SerializationException):
        # a damaged file must not keep the next release from replacing it
        log.warning("release %s cannot be read; the new one does not say what has changed since", previous.id)
        return {}, {}


def differences(
    path: Path, tables: Mapping[str, Table], expected: Mapping[str, Fingerprint], bounds: Bounds
) -> list[str]:
    """Reopen a written database read-only and name every table whose rows are not the expected ones."""
    known = {**tables, **meta_tables()}
    with duckdb.connect(str(path), read_only=True, config=duckdb_config(bounds)) as con:
        found = {name: fingerprint(con, qualified(known[name]), known[name].columns) for name in expected}
    return [
        f"{name}: {found[name].rows} rows written, {wanted.rows} expected"
        + ("" if found[name].rows != wanted.rows else ", with other content")
        for name, wanted in expected.items()
        if found[name] != wanted
    ]


def duckdb_config(bounds: Bounds) -> dict[str, Any]:
    """DuckDB's settings within the bounds; nothing is fetched from outside."""
    config: dict[str, Any] = {
        "memory_limit": bounds.memory_limit,
        "threads": bounds.threads,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    if bounds.spill is not None:
        bounds.spill.mkdir(parents=True, exist_ok=True)
        config["temp_directory"] = own_spill(bounds.spill)
    return config


@contextmanager
def _open(path: Path, bounds: Bounds) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config=duckdb_config(bounds)) as con:
        con.execute("set TimeZone = 'UTC'")
        con.execute(f"attach {literal(str(path))} as {quoted(CATALOG)} (storage_version {literal(STORAGE_VERSION)})")
        yield con
        # detaching writes the last of the log into the file: afterwards it stands alone, without a .wal
        con.execute(f"detach {quoted(CATALOG)}")


def _source(path: Path) -> str:
    return f"read_parquet({literal(str(path))}, hive_partitioning = false)"


def _load(con: duckdb.DuckDBPyConnection, table: Table, source: str) -> bool:
    """Create and fill a table; False if its rows broke the constraints and it stands without them."""
    columns = ", ".join(quoted(c.name) for c in table.columns)
    values = ", ".join(f"cast({quoted(c.name)} as {c.type})" for c in table.columns)
    insert = f"insert into {qualified(table, CATALOG)} ({columns}) select {values} from {source}{_order(table)}"
    con.execute(create_table(table, CATALOG))
    try:
        con.execute(insert)
    except duckdb.ConstraintException:  # its text holds the offending values: never to be shown
        con.execute(f"drop table {qualified(table, CATALOG)}")
        con.execute(create_table(table, CATALOG, constrained=False))
        con.execute(insert)
        return False
    return True


def _order(table: Table) -> str:
    """Partitions are sorted by key; what has another key than the customer is sorted by customer first.

    The question asked most is one customer's: DuckDB then reads the few blocks whose range holds it, where it would
    read them all (6 million transactions: 2 ms instead of 45; writing takes as long).
    """
    if table.key[0] == "customer_id" or all(column.name != "customer_id" for column in table.columns):
        return ""
    return f" order by {', '.join(quoted(name) for name in ('customer_id', *table.key))}"


def _insert(con: duckdb.DuckDBPyConnection, table: Table, rows: Iterable[Sequence[object]]) -> None:
    given = [pa.array(values) for values in zip(*rows, strict=True)]
    if given:  # as one Arrow table: row by row it takes a hundred times as long
        _insert_table(con, table, pa.table(given, [column.name for column in table.columns]))


def _insert_table(con: duckdb.DuckDBPyConnection, table: Table, rows: pa.Table) -> None:
    con.register("given", rows)
    values = ", ".join(f"cast({quoted(column.name)} as {column.type})" for column in table.columns)
    con.execute(f"insert into {qualified(table, CATALOG)} select {values} from given")
    con.unregister("given")


def _insert_reconciliation(con: duckdb.DuckDBPyConnection, table: Table, lake: Lake, business_date: dt.date) -> None:
    """Copy the date's reconciliation; the gate blocks a release that was made of deliveries and lacks it."""
    if lake.exists(table.id, business_date):
        columns = ", ".join(quoted(column.name) for column in table.columns)
        source = _source(lake.require(table.id, business_date))
        con.execute(f"insert into {qualified(table, CATALOG)} select {columns} from {source}")


def _insert_quarantine(con: duckdb.DuckDBPyConnection, table: Table, files: Sequence[Path]) -> None:
    if not files:
        return
    listed = ", ".join(literal(str(path)) for path in files)
    columns = ", ".join(f"cast({quoted(c.name)} as {c.type})" for c in table.columns)
    order = ", ".join(quoted(name) for name in table.key)
    # business_date comes from the folder's name; the raw bytes stay in the lake; partitions of before ids lack them
    con.execute(
        f"insert into {qualified(table, CATALOG)} select {columns} from (from read_parquet([{listed}], "
        f"hive_partitioning = true, hive_types = {{business_date: date}}, union_by_name = true) "
        f"union all by name select null::varchar as quarantine_id where false) order by {order}"
    )
