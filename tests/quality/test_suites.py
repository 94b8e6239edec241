"""Suites as generated and as written by hand, without running them (tests/quality/test_gate.py runs them)."""

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from small_night import CONTRACT, CUSTOMER, LANDED, Night

from models.tables import Column, Table, load_tables
from quality.suites import (
    Check,
    CheckFileError,
    Suite,
    handwritten_suites,
    landing_suite,
    merge,
    night_suites,
    relations,
    rows_check,
    table_suite,
)
from sources.contract import Field, Latency


def _column(name: str, required: bool = False, values: tuple[str, ...] = (), kind: str = "varchar") -> Column:
    return Column(name, kind, required, "none", None, name, name, values)


def _table(*columns: Column, key: tuple[str, ...], layer: str = "customer", name: str = "thing") -> Table:
    return Table(layer, name, "Thing", "物", key, columns, None, (), True)


def _checks(suite: Suite) -> dict[str, tuple[str, str]]:
    return {check.name: (check.expectation, check.severity) for check in suite.checks}


def test_a_definition_becomes_columns_key_required_codes_counts_and_customers() -> None:
    table = _table(
        _column("thing_id", required=True),
        _column("customer_id"),
        _column("kind", values=("a", "b")),
        _column("card_count", kind="bigint"),
        key=("thing_id",),
    )
    suite = table_suite(table)
    assert (suite.table, suite.name) == ("customer.thing", "customer__thing")
    assert _checks(suite) == {
        "columns": ("ExpectTableColumnsToMatchSet", "block"),
        "key_unique": ("ExpectColumnValuesToBeUnique", "block"),
        "required_thing_id": ("ExpectColumnValuesToNotBeNull", "block"),
        "codes_kind": ("ExpectColumnValuesToBeInSet", "block"),
        "not_negative_card_count": ("ExpectColumnValuesToBeBetween", "block"),
        "customer_exists": ("UnexpectedRowsExpectation", "block"),
    }


def test_a_key_of_several_columns_is_unique_as_a_whole_even_where_it_may_be_empty() -> None:
    a, b, empty = _column("a", required=True), _column("b", required=True), _column("c")
    assert _checks(table_suite(_table(a, b, key=("a", "b"))))["key_unique"][0] == "ExpectCompoundColumnsToBeUnique"
    assert _checks(table_suite(_table(a, empty, key=("a", "c"))))["key_unique"][0] == "UnexpectedRowsExpectation"


@pytest.mark.parametrize("table_id", ["customer.customer", "customer.customer_record", "mart.customer_360"])
def test_a_release_without_customers_is_not_sound(table_id: str) -> None:
    assert "has_rows" in _checks(table_suite(load_tables()[table_id]))


def test_retired_customers_may_stand_in_the_events() -> None:
    assert "customer_exists" not in _checks(table_suite(load_tables()["customer.customer_event"]))


def test_a_contract_becomes_checks_of_what_landed() -> None:
    assert _checks(landing_suite(CONTRACT, CUSTOMER)) == {
        "columns": ("ExpectTableColumnsToMatchSet", "block"),
        "rows_accounted": ("UnexpectedRowsExpectation", "block"),
        "has_rows": ("ExpectTableRowCountToBeBetween", "block"),
        "key_unique": ("ExpectColumnValuesToBeUnique", "block"),
        "required_cust_no": ("UnexpectedRowsExpectation", "block"),
        "required_kind": ("UnexpectedRowsExpectation", "block"),
        "codes_kind": ("UnexpectedRowsExpectation", "block"),
        "required_name": ("UnexpectedRowsExpectation", "block"),
        "maxLength_name": ("UnexpectedRowsExpectation", "block"),
        "type_income": ("UnexpectedRowsExpectation", "block"),
        "minimum_income": ("UnexpectedRowsExpectation", "block"),
        "type_since": ("UnexpectedRowsExpectation", "block"),
        "not_future_since": ("UnexpectedRowsExpectation", "block"),
        "pattern_phone": ("UnexpectedRowsExpectation", "block"),
        "few_companies": ("UnexpectedRowsExpectation", "block"),
        "rich": ("UnexpectedRowsExpectation", "warn"),
    }


@pytest.mark.parametrize(("days", "passed"), [(10, True), (9, False)])
def test_the_newest_value_is_as_fresh_as_the_contract_says(tmp_path: Path, days: int, passed: bool) -> None:
    # the newest date that landed is ten days before the business date
    late = replace(CUSTOMER, latencies=(Latency("since", days),))
    night = Night.run(tmp_path)
    night.put_text("landing.core__customer", [LANDED[0] | {"since": "20260121"}, LANDED[1] | {"since": "20190101"}])
    with night.candidate() as candidate:
        results = night.judge(candidate, [landing_suite(CONTRACT, late)])
    (result,) = [result for result in results if result.check_name == "latency_since"]
    assert (result.passed, result.severity, result.broken) == (passed, "warn", False)


def test_every_check_of_rows_shows_those_that_break_it() -> None:
    table = _table(
        _column("thing_id", required=True), _column("kind", values=("a", "b")), _column("card_count", kind="bigint"),
        _column("part"), key=("thing_id",),
    )  # fmt: skip
    pair = _table(table.columns[0], _required(_column("part")), key=("thing_id", "part"), name="pair")
    suites = [table_suite(table), table_suite(pair), Suite("customer.thing", (_no_b(),))]
    rows = "(1, 'a', 1, 'x'), (1, 'c', 1, 'y'), (null, 'b', -1, 'x')"
    with duckdb.connect() as con:
        con.execute("create schema customer")
        con.execute(f"create table customer.thing as from (values {rows}) as t(thing_id, kind, card_count, part)")
        con.execute("create view customer.pair as select thing_id, 'x' as part from customer.thing")
        shown = {
            (suite.table, check.name): con.execute(query).fetchall()
            for suite in suites
            for check in suite.checks
            if (query := suite.offending(check))
        }
    first, second, third = (1, "a", 1, "x"), (1, "c", 1, "y"), (None, "b", -1, "x")
    assert shown["customer.thing", "key_unique"] == [first, second]
    assert shown["customer.pair", "key_unique"] == [(1, "x"), (1, "x")]
    assert shown["customer.thing", "required_thing_id"] == [third]
    assert shown["customer.thing", "codes_kind"] == [second]
    assert shown["customer.thing", "not_negative_card_count"] == [third]
    assert shown["customer.thing", "no_b"] == [third]
    assert ("customer.thing", "columns") not in shown


def _no_b() -> Check:
    return rows_check("no_b", "kind = 'b'", "no b", "block")


def _required(column: Column) -> Column:
    return replace(column, required=True)


@pytest.mark.parametrize("mode", ["delta", "append"])
def test_a_delivery_of_changes_may_be_empty(mode: str) -> None:
    changed = CUSTOMER.__class__(**{**vars(CUSTOMER), "delivery": CUSTOMER.delivery.model_copy(update={"mode": mode})})
    assert "has_rows" not in _checks(landing_suite(CONTRACT, changed))


def test_a_token_is_not_held_against_the_rules_of_what_it_stands_for() -> None:
    card = Field("pan", "PAN", required=True, tokenise="card", options={"pattern": r"^\d{16}$"}, enum=("1",))
    changed = CUSTOMER.__class__(**{**vars(CUSTOMER), "fields": (card,), "quality": ()})
    names = set(_checks(landing_suite(CONTRACT, changed)))
    assert names == {"columns", "rows_accounted", "has_rows", "required_pan"}


def test_every_suite_of_a_night_is_there_once() -> None:
    suites = night_suites([CONTRACT], load_tables())
    tables = [suite.table for suite in suites]
    assert len(tables) == len(set(tables))
    assert "landing.core__customer" in tables
    assert {t.id for t in load_tables().values() if t.published or t.layer == "staging"} <= set(tables)
    for suite in suites:
        names = [check.name for check in suite.checks]
        assert len(names) == len(set(names)), suite.table


def test_merging_keeps_every_check() -> None:
    one = landing_suite(CONTRACT, CUSTOMER)
    half = len(one.checks) // 2
    assert merge([Suite("a.b", one.checks[:half]), Suite("a.b", one.checks[half:])]) == [Suite("a.b", one.checks)]


def test_relations_are_the_suites_tables_and_those_that_their_queries_name() -> None:
    names = relations(handwritten_suites())
    assert {"staging.party", "identity.party_document", "staging.exchange_rate", "meta.delivery"} <= set(names)
    assert relations([landing_suite(CONTRACT, CUSTOMER)]) == ("landing.core__customer", "meta.delivery")


# hand-written files


def test_the_projects_checks_are_well_formed_and_block_but_for_what_sources_and_stewards_do() -> None:
    severities = {check.name: check.severity for suite in handwritten_suites() for check in suite.checks}
    assert len(severities) >= 20
    assert {name for name, severity in severities.items() if severity == "warn"} == {
        "consent_record_unknown",
        "conversions_lost",
        "document_of_two_customers",
        "account_owner_unknown",
        "card_owner_unknown",
        "loan_owner_unknown",
        "decisions_in_contradiction",
        "documents_signed_for",
        "product_month_unvalued",
    }


def test_a_file_becomes_a_check_of_its_table(tmp_path: Path) -> None:
    (tmp_path / "odd_thing.sql").write_text(
        "-- table: mart.thing\n-- severity: warn\n-- message: nothing is odd\nselect 1 from a.b;\n"
    )
    (suite,) = handwritten_suites(tmp_path)
    (check,) = suite.checks
    assert (suite.table, check.name, check.severity, check.message) == (
        "mart.thing",
        "odd_thing",
        "warn",
        "nothing is odd",
    )
    assert relations([suite]) == ("a.b", "mart.thing")


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("select 1\n")
    (tmp_path / "b.sql").write_text("-- table: x.y\n-- severity: fatal\n-- message: m\n-- mesage: n\nselect 1\n")
    with pytest.raises(CheckFileError) as wrong:
        handwritten_suites(tmp_path)
    lines = str(wrong.value).splitlines()
    assert [line.partition(".sql: ")[2] for line in lines] == [
        "the line '-- table: ...' is missing at the top",
        "the line '-- severity: ...' is missing at the top",
        "the line '-- message: ...' is missing at the top",
        "unknown header 'mesage'",
        "severity 'fatal' is neither 'block' nor 'warn'",
    ]
