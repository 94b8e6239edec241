"""Column lineage from SQL: expected edges are read from the SQL by eye."""

import datetime as dt

import pytest

from models.lineage import Edge, table_lineage
from models.tables import Column, Table, load_tables, referenced_tables
from models.value.settings import ValueSettings

PARAMETERS = ValueSettings().parameters(dt.date(2026, 1, 31))


def _table(name: str, columns: str, sql: str | None = None, inputs: tuple[str, ...] = ()) -> Table:
    """A table of text columns; ``shape:struct(a int)[]`` gives another type."""
    made = []
    for one in columns.split(" "):
        column, _, kind = one.partition(":")
        made.append(Column(column, kind.replace("_", " ") or "varchar", False, "none", None, column, column))
    read = referenced_tables(sql) if sql else inputs
    return Table("mart", name, name, name, (made[0].name,), tuple(made), sql, read, True)


def _edges(table: Table, *others: Table, **parameters: object) -> set[Edge]:
    tables = {one.id: one for one in (*others, table)}
    return {edge for edge in table_lineage(tables, parameters) if edge.table == table.id}


SOURCE = _table("source", "id a b c shapes:struct(x_int,_y_varchar)[]")


def test_copied_through_ctes_computed_and_from_no_column() -> None:
    table = _table(
        "made",
        "id renamed sum_text fixed rows_counted",
        "with s as (select * from mart.source), t as (select id, a as renamed, a || b as both from s) "
        "select id, renamed, both as sum_text, 1 as fixed, count(*) over () as rows_counted from t",
    )
    assert _edges(table, SOURCE) == {
        Edge("mart.made", "id", "mart.source", "id", "copied"),
        Edge("mart.made", "renamed", "mart.source", "a", "copied"),
        Edge("mart.made", "sum_text", "mart.source", "a", "computed"),
        Edge("mart.made", "sum_text", "mart.source", "b", "computed"),
        Edge("mart.made", "fixed", None, None, "none"),
        Edge("mart.made", "rows_counted", None, None, "none"),
    }


def test_a_union_copies_from_both_and_a_join_that_only_filters_is_said() -> None:
    other = _table("other", "id z")
    table = _table(
        "made",
        "id",
        "select source.id from mart.source as source semi join mart.other as other using (id) "
        "union all select c from mart.source",
    )
    assert _edges(table, SOURCE, other) == {
        Edge("mart.made", "id", "mart.source", "id", "copied"),
        Edge("mart.made", "id", "mart.source", "c", "copied"),
        Edge("mart.made", None, "mart.other", None, "rows"),
    }


def test_structs_that_are_unnested_become_their_fields() -> None:
    table = _table(
        "made",
        "id y limit_of word",
        "with setting as (select unnest($rules)), "
        "fixed as (select unnest([{'word': 'a', 'place': 1}, {'word': 'b', 'place': 2}], recursive := true)), "
        "spread as (select id, unnest(shapes, recursive := true) from mart.source) "
        "select id, y, upper_limit as limit_of, word from spread cross join setting cross join fixed",
    )
    assert _edges(table, SOURCE, rules={"upper_limit": 5, "lower_limit": 1}) == {
        Edge("mart.made", "id", "mart.source", "id", "copied"),
        Edge("mart.made", "y", "mart.source", "shapes", "computed"),
        Edge("mart.made", "limit_of", None, None, "none"),
        Edge("mart.made", "word", None, None, "none"),
    }


def test_of_a_table_made_by_a_function_the_tables_are_known_and_of_settings_nothing() -> None:
    drawn = _table("drawn", "id", inputs=("mart.source",))
    assert _edges(drawn, SOURCE) == {Edge("mart.drawn", None, "mart.source", None, "function")}
    assert _edges(SOURCE) == {Edge("mart.source", None, None, None, "function")}


def test_the_night_before_is_named_as_such() -> None:
    table = _table("made", "id", "select id from previous.mart__source union all select id from mart.source")
    assert _edges(table, SOURCE) == {
        Edge("mart.made", "id", "previous.mart.source", "id", "copied"),
        Edge("mart.made", "id", "mart.source", "id", "copied"),
    }


@pytest.fixture(scope="module")
def edges() -> list[Edge]:
    return table_lineage(load_tables(), PARAMETERS)


@pytest.mark.parametrize(
    ("column", "sources"),
    [
        ("customer.account.balance_amount", {("staging.account", "balance_amount", "copied")}),
        (
            "customer.retired_customer.living_customer_id",
            {
                ("customer.customer_record_history", "customer_id", "computed"),
                ("customer.customer_record_history", "valid_from", "computed"),
            },
        ),
        (
            "customer.customer.document_type",
            {("customer.customer_field", "field", "computed"), ("customer.customer_field", "field_value", "computed")},
        ),
        (
            "mart.coverage_history.valid_to",
            {
                ("previous.mart.coverage_history", "valid_to", "computed"),
                ("previous.mart.coverage_history", "responsible_code", "computed"),
                ("mart.coverage", "responsible_code", "computed"),
            },
        ),
    ],
)
def test_edges_of_the_models(edges: list[Edge], column: str, sources: set[tuple[str, str, str]]) -> None:
    assert {edge[2:] for edge in edges if f"{edge.table}.{edge.column}" == column} == sources


def test_every_column_of_every_table_with_sql_is_accounted_for_by_columns_that_exist(edges: list[Edge]) -> None:
    tables = load_tables()
    told = {(edge.table, edge.column) for edge in edges}
    for table in tables.values():
        if table.sql:
            assert {(table.id, column.name) for column in table.columns} <= told, table.id
            read = {edge.source_table for edge in edges if edge.table == table.id and edge.source_table}
            assert read == {name.replace("__", ".", 1) for name in table.inputs}, table.id
    for edge in edges:
        if edge.source_table and edge.source_column:
            tables[edge.source_table.removeprefix("previous.")].column(edge.source_column)
