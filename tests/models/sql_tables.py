"""Tables by hand and their SQL run over them, as the engine would: for tests of tables that are one select."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import duckdb

from models.tables import load_tables
from warehouse.engine import months_between

TABLES = load_tables()
Row = dict[str, Any]


def given(con: duckdb.DuckDBPyConnection, table_id: str, *rows: Mapping[str, Any]) -> None:
    """Make a defined table that holds these rows; columns that a row does not name are null."""
    table = TABLES[table_id]
    for name in (name for row in rows for name in row):
        table.column(name)
    columns = ", ".join(f'"{c.name}" {c.type}' for c in table.columns)
    con.execute(f'create schema if not exists "{table.layer}"')
    con.execute(f'create or replace table "{table.layer}"."{table.name}" ({columns})')
    if rows:
        marks = ", ".join("?" * len(table.columns))
        values = [[row.get(c.name) for c in table.columns] for row in rows]
        con.executemany(f'insert into "{table.layer}"."{table.name}" values ({marks})', values)


def made(con: duckdb.DuckDBPyConnection, table_id: str, business_date: dt.date, **params: Any) -> list[Row]:
    """Run a table's SQL, cast to its columns' types and sorted by its key; keeps it for the tables made from it."""
    table = TABLES[table_id]
    assert table.sql is not None
    months = months_between(params[table.months_from], business_date) if table.months_from else [None]
    columns = ", ".join(f'cast("{c.name}" as {c.type}) as "{c.name}"' for c in table.columns)
    order = ", ".join(f'"{name}"' for name in table.key)
    given(con, table_id)
    for month in months:
        known = {"business_date": business_date, "month": month, **params}
        con.execute(
            f'insert into "{table.layer}"."{table.name}" '
            f"select {columns} from ({table.sql.rstrip().rstrip(';')}\n) order by {order}",
            {k: v for k, v in known.items() if f"${k}" in table.sql} or None,
        )
    found = con.execute(f'from "{table.layer}"."{table.name}"')
    names = [name for name, *_ in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
