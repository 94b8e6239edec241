"""Definitions of tables and columns: read, checked, and consistent with the SQL beside them."""

import datetime as dt
from pathlib import Path

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from models.identity.survivorship_settings import SurvivorshipSettings
from models.tables import DefinitionError, load_tables, referenced_tables
from models.value.settings import ValueSettings

TABLES = load_tables()


def test_dependencies_are_read_from_the_sql() -> None:
    sql = "with a as (select * from staging.x), b as (select * from a) select * from b join mart.y using (k)"
    assert referenced_tables(sql) == ("mart.y", "staging.x")


def test_every_input_is_a_defined_table() -> None:
    unknown = {(t.id, i) for t in TABLES.values() for i in t.inputs if _defined(i) not in TABLES}
    assert unknown == set()


@pytest.mark.parametrize("table", [t for t in TABLES.values() if t.sql], ids=lambda t: t.id)
def test_the_sql_is_one_select_with_purpose_and_grain(table) -> None:
    statements = sqlglot.parse(table.sql, dialect="duckdb")
    assert len(statements) == 1
    assert isinstance(statements[0], exp.Select)
    header = [line for line in table.sql.splitlines() if line.startswith("--")]
    assert table.sql.startswith("-- ")
    assert any(line.startswith("-- Grain: ") for line in header)
    grain = next(line for line in header if line.startswith("-- Grain: ")).removeprefix("-- Grain: ").rstrip(".")
    assert tuple(part.strip() for part in grain.split(",")) == table.key


@pytest.mark.parametrize("table", [t for t in TABLES.values() if t.sql], ids=lambda t: t.id)
def test_the_sql_yields_the_defined_columns(table) -> None:
    con = duckdb.connect()
    for layer in {i.split(".")[0] for i in table.inputs}:
        con.execute(f"create schema {layer}")
    for name in table.inputs:
        con.execute(f"create table {name} ({_ddl(_defined(name))})")
    date = dt.date(2026, 10, 29)
    survivorship = SurvivorshipSettings().rules(["core"])
    params = {
        "business_date": date,
        "month": date.replace(day=1),
        "retention_years": 10,
        "survivorship": survivorship,
        **ValueSettings().parameters(date),
    }
    used = {k: v for k, v in params.items() if f"${k}" in table.sql}
    names = [row[0] for row in con.execute(f"describe {table.sql}", used or None).fetchall()]
    assert sorted(names) == sorted(c.name for c in table.columns)


def test_all_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / "columns.yaml").write_text(
        "a: {type: bigint, en: x, zh: x, pii: C9}\nb: {type: varchar, en: y, zh: y}\nb: {type: bigint, en: x}\n"
    )
    (tmp_path / "things").mkdir()
    (tmp_path / "things" / "t.yaml").write_text("en: t\nkey: [z]\ncolumns: [a, bb, a]\nwrong: 1\n")
    with pytest.raises(DefinitionError) as caught:
        load_tables(tmp_path)
    text = str(caught.value)
    for part in (
        "'C9'",
        "'zh' is missing",
        "b: is defined 2 times",
        "'bb' has no definition",
        "did you mean 'b'",
        "'z' is not a column",
        "'a' is listed twice",
        "unknown setting 'wrong'",
    ):
        assert part in text, part


def _ddl(name: str) -> str:
    return ", ".join(f'"{c.name}" {c.type}' for c in TABLES[name].columns)


def _defined(relation: str) -> str:
    """The table whose columns a relation has: last night's have those of the table."""
    schema, _, name = relation.partition(".")
    return name.replace("__", ".", 1) if schema == "previous" else relation


def test_every_id_of_a_customer_says_so() -> None:
    """Shares leave out rows by it: an id without it would let a customer through whom nobody may see."""
    columns = {column.name: column for table in load_tables().values() for column in table.columns}
    by_name = {name for name in columns if "customer_id" in name}
    assert {name for name, column in columns.items() if column.refers_to == "customer"} == by_name
    assert all(columns[name].type == "varchar" and columns[name].pii == "C1" for name in by_name)
