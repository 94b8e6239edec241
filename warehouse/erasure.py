"""Erasing a customer's rows from Parquet files and DuckDB databases: by what columns mean, not by lists of tables.

A row is the customer's if a record key in it (``system``, ``record_id``) is one of the customer's, if a column that
names a customer (``refers_to: customer``) holds one of its ids and must hold one, or if its product is the customer's
alone. Where such a column may be empty, it is emptied and the row stays: it is of somebody else. Of tables of values
without an owner (what a phone number is used for) the rows of values that nobody else has go.

Files are written anew beside the old ones and renamed over them: DuckDB leaves deleted bytes in a file. Readers who
have an old file open keep it until they close it. Whether all is gone is ``warehouse.erasure_search``'s matter.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from models.tables import Table, load_tables
from warehouse.build import STORAGE_VERSION, Bounds, duckdb_config
from warehouse.ddl import literal, qualified, quoted
from warehouse.erasure_texts import Texts
from warehouse.facts import meta_tables
from warehouse.fingerprint import Fingerprint, combine, fingerprint
from warehouse.lake import replace_durably, replace_partition
from warehouse.release import DESCRIPTION, Release, describe

_KEYED = {"account_id": "account", "card_id": "card", "loan_id": "loan"}


@dataclass(frozen=True)
class Traces:
    """What a customer's rows are known by.

    Attributes:
        records: party records, (system, record_id).
        customers: its id, and retired ids that mean it.
        products: products that are nobody else's: (type, system, id).
        values: names, documents, contacts and addresses that no living party shares.
    """

    records: tuple[tuple[str, str], ...]
    customers: tuple[str, ...]
    products: tuple[tuple[str, str, str], ...]
    values: tuple[str, ...]


@contextmanager
def knowing(traces: Traces, bounds: Bounds) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection with the traces as tables, for the functions below."""
    with duckdb.connect(config=duckdb_config(bounds)) as con:
        con.execute("set TimeZone = 'UTC'")
        con.execute("create table their_record (system varchar, record_id varchar)")
        con.execute("create table their_customer (customer_id varchar)")
        con.execute("create table their_product (product_type varchar, system varchar, product_id varchar)")
        con.execute("create table their_value (text varchar)")
        parties = [("party", *record) for record in traces.records]
        for name, rows in (
            ("their_record", traces.records),
            ("their_customer", [(one,) for one in traces.customers]),
            ("their_product", [*traces.products, *parties]),
            ("their_value", [(one,) for one in traces.values]),
        ):
            if rows:
                marks = ", ".join("?" * len(rows[0]))
                con.execute("begin")
                con.executemany(f"insert into memory.main.{name} values ({marks})", [list(row) for row in rows])
                con.execute("commit")
        yield con


@dataclass(frozen=True)
class Ownership:
    """How the customer's rows of one table are told.

    Attributes:
        theirs: condition of the rows that are the customer's; ``false`` where the table has no such column.
        emptied: columns that may name the customer in other parties' rows.
    """

    theirs: str
    emptied: tuple[str, ...]

    @property
    def touched(self) -> str:
        """Condition of the rows that do not stay as they are."""
        named = [f"coalesce({quoted(name)} in (from memory.main.their_customer), false)" for name in self.emptied]
        return " or ".join([self.theirs, *named])

    @property
    def kept(self) -> str:
        """Select list of the rows that stay."""
        others = "not in (from memory.main.their_customer)"
        replaced = ", ".join(
            f"case when {quoted(name)} {others} then {quoted(name)} end as {quoted(name)}" for name in self.emptied
        )
        return f"* replace ({replaced})" if replaced else "*"


def ownership(table_id: str, columns: Mapping[str, str]) -> Ownership:
    """How the customer's rows of a table are told.

    Args:
        table_id: ``layer.table``.
        columns: its columns and their DuckDB types.
    """
    table = definitions().get(table_id)
    required = {column.name for column in table.columns if column.required} if table else set(columns)
    key = table.key if table else ()
    conditions, emptied = [], []
    for side in ("", "_l", "_r"):
        if {f"system{side}", f"record_id{side}"} <= set(columns):
            pair = f"({quoted(f'system{side}')}, {quoted(f'record_id{side}')})"
            conditions.append(f"{pair} in (select (system, record_id) from memory.main.their_record)")
    for name in columns:
        if name in _customer_columns():
            if name in required:
                conditions.append(f"{quoted(name)} in (from memory.main.their_customer)")
            else:
                emptied.append(name)
    system = "product_system" if "product_system" in columns else "system"
    if {system, "product_type", "product_id"} <= set(columns):
        conditions.append(
            f"(product_type, {system}, product_id) in "
            "(select (product_type, system, product_id) from memory.main.their_product)"
        )
    for name, kind in _KEYED.items():
        if name in key and "system" in columns:
            conditions.append(
                f"({literal(kind)}, system, {name}) in "
                "(select (product_type, system, product_id) from memory.main.their_product)"
            )
    if not conditions and not emptied and table_id.startswith("identity."):
        texts = [name for name, kind in columns.items() if kind == "VARCHAR"]
        conditions += [f"{quoted(name)} in (from memory.main.their_value)" for name in texts]
    theirs = " or ".join(f"coalesce({condition}, false)" for condition in conditions) or "false"
    return Ownership(theirs, tuple(emptied))


def definitions() -> dict[str, Table]:
    """Definitions of all tables of lake and release."""
    return {**load_tables(), **meta_tables()}


def columns_of(con: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """Columns of a relation and their types."""
    return {name: kind for name, kind, *_ in con.execute(f"describe select * from {relation}").fetchall()}


def parquet_relation(path: Path) -> str:
    """What stands after ``from`` for one Parquet file."""
    return f"read_parquet({literal(str(path))}, hive_partitioning = false)"


def count_theirs(con: duckdb.DuckDBPyConnection, table_id: str, relation: str) -> int:
    """How many rows of a relation are the customer's."""
    whose = ownership(table_id, columns_of(con, relation))
    [(count,)] = con.execute(f"select count(*) from {relation} where {whose.theirs}").fetchall()
    return int(count)


def erase_parquet(
    con: duckdb.DuckDBPyConnection,
    table_id: str,
    path: Path,
    put: Callable[[Path, Path], None] = replace_partition,
) -> int | None:
    """Write a Parquet file anew without the customer's rows; returns how many went, None where it stays as it is.

    ``put`` brings the written file to its place; without it as a partition of the lake.
    """
    relation = parquet_relation(path)
    whose = ownership(table_id, columns_of(con, relation))
    [(theirs, touched)] = con.execute(
        f"select count(*) filter (where {whose.theirs}), count(*) filter (where {whose.touched}) from {relation}"
    ).fetchall()
    if not touched:
        return None
    temporary = path.with_name(f".{path.name}.tmp")
    con.execute(
        f"copy (select {whose.kept} from {relation} where not ({whose.theirs})) "
        f"to {literal(str(temporary))} (format parquet, compression zstd)"
    ).fetchall()
    shutil.copymode(path, temporary)
    put(temporary, path)
    return int(theirs)


def texts_of(traces: Traces) -> Texts:
    """What the customer's rows are known by where nothing says whose they are: texts and record ids."""
    return Texts([*traces.values, *(record_id for _, record_id in traces.records)])


def quarantined(con: duckdb.DuckDBPyConnection, path: Path, traces: Traces) -> dict[int, str | None]:
    """Rows of a quarantine file whose bytes or fields hold a text or a record id of the customer's, with their ids."""
    texts, relation = texts_of(traces), parquet_relation(path)
    # files of before there were ids hold the bytes alone
    ids, record = ("quarantine_id", "record") if "record" in columns_of(con, relation) else ("null", "null")
    found = con.execute(f"select raw, {record}, {ids} from {relation}").fetchall()
    return {
        row: one
        for row, (raw, fields, one) in enumerate(found)
        if texts.count_in(raw or b"") or texts.count_in((fields or "").encode())
    }


def erase_quarantined(con: duckdb.DuckDBPyConnection, path: Path, traces: Traces) -> int | None:
    """Write a quarantine file anew without the rows that hold a text or a record id of the customer's."""
    relation = f"read_parquet({literal(str(path))}, hive_partitioning = false, file_row_number = true)"
    gone = sorted(quarantined(con, path, traces))
    if not gone:
        return None
    temporary = path.with_name(f".{path.name}.tmp")
    con.execute(
        f"copy (select * exclude (file_row_number) from {relation} where not list_contains($gone, file_row_number)) "
        f"to {literal(str(temporary))} (format parquet, compression zstd)",
        {"gone": gone},
    ).fetchall()
    replace_partition(temporary, path)
    return len(gone)


def erase_release(con: duckdb.DuckDBPyConnection, release: Release) -> dict[str, int]:
    """Write a release anew without the customer's rows: database, marts as Parquet, description.

    Returns:
        Rows that went by table of the database; empty where nothing of the customer was in it.
    """
    removed: dict[str, int] = {}
    con.execute(f"attach {literal(str(release.database))} as before (read_only)")
    try:
        tables = con.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = 'before' order by 1, 2"
        ).fetchall()
        whose, touched = {}, 0
        for schema, name in tables:
            table_id, relation = f"{schema}.{name}", f"before.{quoted(schema)}.{quoted(name)}"
            one = whose[table_id] = ownership(table_id, columns_of(con, relation))
            [(theirs, changed)] = con.execute(
                f"select count(*) filter (where {one.theirs}), count(*) filter (where {one.touched}) from {relation}"
            ).fetchall()
            touched += changed
            if theirs:
                removed[table_id] = int(theirs)
        temporary = release.path / f".{release.database.name}.tmp"
        if touched:
            temporary.unlink(missing_ok=True)
            _write_database(con, temporary, whose, release)
    finally:
        con.execute("detach before")
    if touched:
        shutil.copymode(release.database, temporary)
        rewritten = _described(temporary, release)
        for mart in sorted((release.path / "mart").glob("*.parquet")):
            erase_parquet(con, f"mart.{mart.stem}", mart, replace_durably)
        description = release.path / DESCRIPTION
        described = description.with_name(f".{DESCRIPTION}.tmp")
        described.write_text(describe(rewritten), encoding="utf-8")
        shutil.copymode(description, described)
        # the database last: until then another run finds something to do and does all of it
        replace_durably(described, description)
        replace_durably(temporary, release.database)
    return removed


def _write_database(
    con: duckdb.DuckDBPyConnection, path: Path, whose: Mapping[str, Ownership], release: Release
) -> None:
    con.execute(f"attach {literal(str(path))} as after (storage_version {literal(STORAGE_VERSION)})")
    try:
        con.execute("copy from database before to after (schema)")
        for table_id, one in whose.items():
            schema, _, name = table_id.partition(".")
            relation = f"{quoted(schema)}.{quoted(name)}"
            con.execute(
                f"insert into after.{relation} select {one.kept} from before.{relation} where not ({one.theirs})"
            )
        known = definitions()
        for table_id in release.tables:
            if table_id in known and table_id in whose:
                found = fingerprint(con, qualified(known[table_id], "after"), known[table_id].columns)
                con.execute(
                    "update after.meta.tables set row_count = ?, content_hash = ? where table_name = ?",
                    [found.rows, found.content_hash, table_id],
                )
    finally:
        con.execute("detach after")


def _described(path: Path, release: Release) -> Release:
    """The release with the fingerprints of the written database, which are then also what it says of itself."""
    known = definitions()
    with duckdb.connect(str(path)) as con:
        con.execute("set TimeZone = 'UTC'")
        prints: dict[str, Fingerprint] = {
            table_id: fingerprint(con, qualified(known[table_id]), known[table_id].columns)
            if table_id in known
            else was
            for table_id, was in release.tables.items()
        }
        content_hash = combine(prints)
        con.execute("update meta.release set content_hash = ?", [content_hash])
    return replace(release, tables=prints, content_hash=content_hash)


def _customer_columns() -> set[str]:
    return {c.name for table in definitions().values() for c in table.columns if c.refers_to == "customer"}


def lake_files(root: Path) -> Sequence[tuple[str, Path]]:
    """Every partition of the lake with the id of its table, in order; landed and quarantined ones too."""
    found = sorted(root.glob("*/*/business_date=*/data.parquet"))
    return [(f"{path.parts[-4]}.{path.parts[-3]}", path) for path in found]
