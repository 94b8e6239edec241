"""Fills as SQL: run in DuckDB over small landing tables, against results written by hand."""

import datetime as dt
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapped import CONTACT, ENTITIES, GUARANTORS, JSONL, PARTY, contract, land, losses, one, query, run

from sources.contract import Contract
from sources.mapping import check_fills, compile_entity, compile_losses, delta_state_sql, inputs


def test_a_fill_gives_exactly_the_canonical_columns() -> None:
    made = contract([{"entity": "party", "columns": PARTY | {"full_name": "name"}}], ["no", "name"])
    rows = run(made, "party", [{"no": " 7 ", "name": "　王 小明 "}, {"no": "8", "name": " 　 "}])
    assert rows == [
        {
            "system": "core",
            "record_id": "7",
            "party_type": "person",
            "full_name": "王 小明",
            "birth_date": None,
            "sex": None,
            "updated_at": None,
            "source_object": "thing",
            "source_line": 2,
        },
        rows[0] | {"record_id": "8", "full_name": None, "source_line": 3},
    ]


def test_types_are_those_of_the_columns_even_where_nothing_fills_them() -> None:
    for name, columns in ENTITIES.items():
        described = duckdb.connect().execute(f"describe ({compile_entity([], name, columns)})").fetchall()
        assert [(row[0], row[1].lower()) for row in described] == [(c.name, c.type) for c in columns]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1", "male"), (" M ", "male"), ("男", "male"), ("１", "male"), ("f", "female"), ("9", None), ("", None)],
)
def test_codes(text: str, expected: str | None) -> None:
    codes = {"1": "male", "m": "male", "男": "male", "F": "female"}
    assert one({"from": "x", "codes": codes}, "sex", text, name="party") == expected


def test_otherwise_is_for_unknown_codes_and_default_for_missing_ones() -> None:
    codes = {"from": "x", "codes": {"1": "person"}, "otherwise": "organisation"}
    assert one(codes, "party_type", "2", name="party") == "organisation"
    assert one(codes, "party_type", " ", name="party") is None
    assert one(codes | {"default": "person"}, "party_type", " ", name="party") == "person"


def test_a_column_with_allowed_codes_takes_only_these() -> None:
    assert one("x", "sex", "FEMALE", name="party") == "female"
    assert one("x", "sex", "woman", name="party") is None


def test_first_of_and_join() -> None:
    fields = ["no", "x", "y"]
    columns = {
        "full_name": {"first_of": ["x", "y", "'nobody'"]},
        "record_id": {"join": ["no", "'-G'", "y"]},
        "birth_date": {"first_of": [{"from": "x", "formats": "%Y%m%d"}, {"from": "y", "formats": "%d.%m.%Y"}]},
    }
    made = contract([{"entity": "party", "columns": PARTY | columns}], fields)
    rows = run(
        made, "party", [{"no": "1", "x": " ", "y": "31.12.1999"}, {"no": "1"}, {"no": "1", "x": "19991231", "y": "b"}]
    )
    assert [row["full_name"] for row in rows] == ["31.12.1999", "nobody", "19991231"]
    assert [row["record_id"] for row in rows] == ["1-G31.12.1999", None, "1-Gb"]
    assert [row["birth_date"] for row in rows] == [dt.date(1999, 12, 31), None, dt.date(1999, 12, 31)]


def test_join_may_skip_what_is_missing_but_is_not_made_of_literals_alone() -> None:
    join = {"join": ["x", "'-'", "y"], "with": " ", "skip_missing": True}
    made = contract([{"entity": "party", "columns": PARTY | {"full_name": join}}], ["no", "x", "y"])
    rows = run(made, "party", [{"no": "1", "x": "a", "y": "b"}, {"no": "1", "x": "a"}, {"no": "1"}])
    assert [row["full_name"] for row in rows] == ["a - b", "a -", None]


def test_values_are_escaped() -> None:
    nasty = "O'Hara'); drop table x; --"
    codes = {"from": "x", "codes": {nasty: "it's"}}
    made = contract([{"entity": "party", "columns": PARTY | {"full_name": codes}}], ["no", "x"])
    assert run(made, "party", [{"no": "1", "x": nasty.upper()}])[0]["full_name"] == "it's"


@settings(deadline=None, max_examples=60)
@given(st.text(min_size=1, max_size=20).filter(lambda text: text.isprintable() and text.strip()))
def test_any_constant_comes_out_as_it_went_in(text: str) -> None:
    made = contract([{"entity": "party", "columns": PARTY | {"full_name": {"constant": text}}}], ["no"])
    assert run(made, "party", [{"no": "1"}])[0]["full_name"] == text


def test_sql_sees_the_row_s_fields_without_blanks() -> None:
    expression = {"sql": "case when cast(x as integer) > 50 then 'female' else 'male' end"}
    assert one(expression, "sex", " 51 ", name="party") == "female"
    assert one({"sql": "$business_date - cast(x as integer)"}, "birth_date", "1", name="party") == dt.date(2026, 1, 30)
    assert one({"sql": "'名' || \"x\" || x"}, "full_name", "y", name="party") == "名yy"


def test_conditions() -> None:
    when = [{"from": "x", "is": ["a", "1", "missing"]}, {"from": "y", "is": "present"}]
    made = contract([{"entity": "party", "columns": PARTY, "when": when}], ["no", "x", "y"])
    rows = run(
        made,
        "party",
        [
            {"no": "1", "x": " A", "y": "k"},
            {"no": "2", "y": "k"},
            {"no": "3", "x": "b", "y": "k"},
            {"no": "4", "x": "a", "y": " "},
            {"no": "5", "x": "１", "y": "k"},
        ],
    )
    assert [row["record_id"] for row in rows] == ["1", "2", "5"]


def test_nested_fields_and_fields_that_are_now_an_object_now_text() -> None:
    columns = PARTY | {"full_name": {"first_of": ["contact.mobile", "contact"]}, "sex": {"from": "contact.home.city"}}
    made = contract([{"entity": "party", "columns": columns}], ["no", CONTACT], delivery=JSONL)
    texts = [
        '{"mobile no.": " 138 ", "home": {"city": "male"}}',
        "13900001111",
        '{"mobile no.": null}',
        '{"mobile no.": {"a": 1}, "home": "female"}',
        "{broken",
        None,
    ]
    rows = run(made, "party", [{"no": "1", "contact": text} for text in texts])
    assert [row["full_name"] for row in rows] == ["138", "13900001111", None, None, "{broken", None]
    assert [row["sex"] for row in rows] == ["male", None, None, None, None, None]


def test_items_of_an_array_become_rows() -> None:
    unknown = {"join": ["no", "'-G'", "item.position"]}
    fills = [
        {
            "entity": "party",
            "each": "guarantors",
            "when": {"from": "item.cust_no", "is": "missing"},
            "columns": {"record_id": unknown, "party_type": {"constant": "person"}, "full_name": "item.name"},
        },
        {
            "entity": "party_role",
            "each": "guarantors",
            "columns": {
                "record_id": {"first_of": ["item.cust_no", unknown]},
                "product_type": {"constant": "loan"},
                "product_id": "no",
                "role": {"constant": "guarantor"},
            },
        },
    ]
    made = contract(fills, ["no", GUARANTORS], delivery=JSONL)
    rows = [
        {"no": "L1", "guarantors": '[{"cust_no": "7", "name": "a"}, null, {"name": "b"}]'},
        {"no": "L2", "guarantors": '{"name": "only"}'},
        {"no": "L3", "guarantors": "[]"},
        {"no": "L4", "guarantors": None},
        {"no": "L5", "guarantors": "null"},
    ]
    parties = run(made, "party", rows)
    assert [(row["record_id"], row["full_name"], row["source_line"]) for row in parties] == [
        ("L1-G3", "b", 2),
        ("L2-G1", "only", 3),
    ]
    roles = run(made, "party_role", rows)
    assert sorted((row["product_id"], row["record_id"], row["product_system"]) for row in roles) == [
        ("L1", "7", "core"),
        ("L1", "L1-G3", "core"),
        ("L2", "L2-G1", "core"),
    ]


def test_items_that_are_plain_values_and_arrays_inside_objects() -> None:
    inner = {"name": "phones", "logicalType": "array", "items": {"logicalType": "string"}}
    field = {"name": "contact", "logicalType": "object", "properties": [inner]}
    columns = {"record_id": "no", "contact_type": {"constant": "mobile"}, "contact_value": "item"}
    made = contract(
        [{"entity": "party_contact", "each": "contact.phones", "columns": columns}], ["no", field], delivery=JSONL
    )
    rows = run(
        made, "party_contact", [{"no": "1", "contact": '{"phones": ["138", " ", 139]}'}, {"no": "2", "contact": "x"}]
    )
    assert [(row["record_id"], row["contact_value"]) for row in rows] == [("1", "138"), ("1", "139")]


def test_lists_drop_what_says_nothing_but_parties_and_products_keep_every_row() -> None:
    contact = {"record_id": "no", "contact_type": {"constant": "mobile"}, "contact_value": "x"}
    address = {"record_id": "no", "address_type": {"constant": "home"}, "address_text": "x", "city": "y"}
    fills = [
        {"entity": "party", "columns": PARTY},
        {"entity": "party_contact", "columns": contact},
        {"entity": "party_address", "columns": address},
    ]
    made = contract(fills, ["no", "x", "y"])
    rows = [{"no": "1", "x": "a"}, {"no": "2", "x": " "}, {"no": "3", "y": "b"}, {"no": None}]
    assert [row["source_line"] for row in run(made, "party", rows)] == [2, 3, 4, 5]
    assert [row["record_id"] for row in run(made, "party_contact", rows)] == ["1"]
    assert [row["record_id"] for row in run(made, "party_address", rows)] == ["1", "3"]


def test_several_systems_and_fills_are_one_select_in_a_fixed_order() -> None:
    core = contract([{"entity": "party", "columns": PARTY}, {"entity": "party", "columns": PARTY}], ["no"])
    card = contract([{"entity": "party", "columns": PARTY}], ["no"], system="card", name="holder")
    con = duckdb.connect()
    land(con, "landing.core__thing", ["no"], [{"no": "1"}])
    land(con, "landing.card__holder", ["no"], [{"no": "2"}])
    sql = compile_entity([core, card], "party", ENTITIES["party"])
    assert sql == compile_entity([card, core], "party", ENTITIES["party"])
    assert [(row["system"], row["record_id"]) for row in query(con, sql)] == [
        ("card", "2"),
        ("core", "1"),
        ("core", "1"),
    ]
    assert inputs([core, card], "party") == ("landing.card__holder", "landing.core__thing")
    assert inputs([core, card], "account") == ()


def lookup_contracts() -> list[Contract]:
    disp = contract(
        [],
        ["disp_id", "client_id", "account_id", "type"],
        name="disp",
        delivery={"mode": "append", "format": "csv", "pattern": "d"},
    )
    owner = {"object": "core.disp", "by": {"account_id": "acc", "type": "'OWNER'"}, "take": "client_id"}
    role = {
        "system": {"constant": "core"},
        "record_id": {"lookup": owner},
        "product_type": {"constant": "loan"},
        "product_id": "no",
        "role": {"constant": "borrower"},
    }
    account = {
        "account_id": {"lookup": {"object": "core.disp", "by": "disp_id", "take": "account_id"}},
        "currency_code": "'X'",
    }
    fills = [{"entity": "party_role", "columns": role}, {"entity": "account", "columns": account}]
    return [disp, contract(fills, ["no", "acc", "disp_id"], system="loan", name="loan")]


def test_a_lookup_takes_the_one_answer_of_another_object() -> None:
    made = lookup_contracts()
    assert check_fills(made, ENTITIES) == []
    con = duckdb.connect()
    land(
        con,
        "landing_history.core__disp",
        ["disp_id", "client_id", "account_id", "type"],
        [
            {"disp_id": " 1", "client_id": "C1", "account_id": "A1", "type": "OWNER"},
            {"disp_id": "2", "client_id": "C2", "account_id": "A1", "type": "DISPONENT"},
            {"disp_id": "3", "client_id": "C3", "account_id": "A2", "type": "OWNER"},
            {"disp_id": "4", "client_id": "C4", "account_id": "A2", "type": "OWNER"},
            {"disp_id": "5", "client_id": "C5", "account_id": "A5", "type": "OWNER "},
            {"disp_id": "5", "client_id": "C5", "account_id": "A5", "type": "OWNER"},
        ],
    )
    land(
        con,
        "landing.loan__loan",
        ["no", "acc", "disp_id"],
        [
            {"no": "L1", "acc": "A1 ", "disp_id": "1"},
            {"no": "L2", "acc": "A2", "disp_id": "9"},
            {"no": "L3", "acc": "A5", "disp_id": "5"},
            {"no": "L4"},
        ],
    )
    roles = query(con, compile_entity(made, "party_role", ENTITIES["party_role"]) + "\norder by product_id")
    assert [(r["system"], r["record_id"], r["product_system"], r["product_id"]) for r in roles] == [
        ("core", "C1", "loan", "L1"),
        ("core", "C5", "loan", "L3"),
    ]
    accounts = query(con, compile_entity(made, "account", ENTITIES["account"]) + "\norder by source_line")
    assert [row["account_id"] for row in accounts] == ["A1", None, "A5", None], "no row is dropped or doubled"
    assert inputs(made, "party_role") == ("landing.loan__loan", "landing_history.core__disp")
    lost = {(r["entity"], r["column_name"]): r["lost_count"] for r in query(con, compile_losses(made, ENTITIES))}
    # L2: two owners, so no answer; L4 has a product but nobody behind it; L2's disposition is unknown
    assert lost == {("party_role", "record_id"): 2, ("account", "account_id"): 1}


def test_losses_count_what_was_there_and_could_not_be_understood() -> None:
    party = PARTY | {
        "birth_date": {"from": "born", "formats": "%Y%m%d"},
        "sex": {"from": "sex", "codes": {"1": "male", "2": "female", "0": None}},
        "full_name": "sex",
    }
    document = {
        "record_id": "no",
        "document_type": {"from": "kind", "codes": {"P": "passport"}},
        "document_number": "id",
    }
    fills = [{"entity": "party", "columns": party}, {"entity": "party_document", "columns": document}]
    made = contract(fills, ["no", "born", "sex", "kind", "id"])
    rows = [
        {"no": "1", "born": "19900101", "sex": "1", "kind": "P", "id": "E1"},
        {"no": "2", "born": "1990-01-01", "sex": "x", "kind": "Q", "id": "E2"},
        {"no": "3", "born": " ", "sex": "0", "id": "E3"},
        {"no": "4", "born": "unknown"},
    ]
    assert losses(made, rows) == {
        ("party", "birth_date"): 2,
        ("party", "sex"): 1,
        ("party_document", "document_type"): 2,
    }
    assert losses(made, rows[:1]) == {}


def test_losses_count_objects_where_text_was_expected_and_amounts_that_are_none() -> None:
    party = PARTY | {"full_name": "contact.mobile"}
    account = {"account_id": "no", "currency_code": "'X'", "balance_amount": {"from": "amount", "default": "0"}}
    fills = [{"entity": "party", "columns": party}, {"entity": "account", "columns": account}]
    made = contract(fills, ["no", CONTACT, "amount"], delivery=JSONL)
    rows = [
        {"no": "1", "contact": '{"mobile no.": {"a": 1}}', "amount": "12,50"},
        {"no": "2", "contact": '{"mobile no.": "138"}', "amount": ""},
        {"no": "3", "contact": "text", "amount": "7"},
    ]
    assert losses(made, rows) == {("party", "full_name"): 1, ("account", "balance_amount"): 1}


def test_losses_of_no_contract_are_none_and_typed() -> None:
    described = duckdb.connect().execute(f"describe ({compile_losses([], ENTITIES)})").fetchall()
    assert [(row[0], row[1]) for row in described] == [
        ("system", "VARCHAR"),
        ("source_object", "VARCHAR"),
        ("entity", "VARCHAR"),
        ("column_name", "VARCHAR"),
        ("lost_count", "BIGINT"),
    ]


def delta(operation: bool = True) -> Contract:
    delivery: dict[str, Any] = {"mode": "delta", "format": "csv", "pattern": "x"}
    if operation:
        delivery["operation"] = {"field": "op", "delete": ["D", "X"]}
    keys = [{"name": key, "primaryKey": True, "primaryKeyPosition": n} for key, n in (("branch", 2), ("no", 1))]
    return contract([{"entity": "party", "columns": PARTY}], ["op", *keys, "name"], delivery=delivery)


def state(con: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return [(r["branch"], r["no"], r["name"]) for r in query(con, f"select * from ({sql}) order by branch, no")]


def test_a_delta_s_state_is_the_one_before_with_the_last_change_of_each_key() -> None:
    source = delta().objects[0]
    assert source.primary_key == ("no", "branch")
    fields = [f.name for f in source.fields]
    con = duckdb.connect()
    land(
        con,
        "previous.staging__core__thing",
        fields,
        [
            {"op": "I", "branch": "a", "no": "1", "name": "stays"},
            {"op": "I", "branch": "a", "no": "2", "name": "goes"},
            {"op": "I", "branch": "a", "no": "3", "name": "changes"},
            {"op": "I", "branch": "b", "no": "2", "name": "same number, other branch"},
        ],
    )
    land(
        con,
        "landing.core__thing",
        fields,
        [
            {"op": "U", "branch": "a", "no": "3", "name": "first", "_source_line": 9},
            {"op": "U", "branch": "a", "no": "3", "name": "last", "_source_line": 10},
            {"op": " d", "branch": "a", "no": "2", "name": None},
            {"op": "I", "branch": "a", "no": "4", "name": "comes and goes"},
            {"op": "X", "branch": "a", "no": "4"},
            {"op": "D", "branch": "a", "no": "5"},
            {"op": None, "branch": "a", "no": "5", "name": "again"},
        ],
    )
    assert state(con, delta_state_sql(source, has_previous=True)) == [
        ("a", "1", "stays"),
        ("a", "3", "last"),
        ("a", "5", "again"),
        ("b", "2", "same number, other branch"),
    ]
    assert state(con, delta_state_sql(source, has_previous=False)) == [("a", "3", "last"), ("a", "5", "again")]
    described = con.execute(f"describe ({delta_state_sql(source, has_previous=True)})").fetchall()
    assert [row[0] for row in described] == [
        *(*fields, "_extra", "_source_file", "_source_line", "_record_hash", "_quarantine_id")
    ]
    assert inputs([delta()], "party") == ("staging.core__thing",)


def test_a_delta_without_operations_only_adds_and_changes() -> None:
    source = delta(operation=False).objects[0]
    con = duckdb.connect()
    land(
        con,
        "landing.core__thing",
        [f.name for f in source.fields],
        [{"op": "D", "branch": "a", "no": "1", "name": "n"}],
    )
    assert state(con, delta_state_sql(source, has_previous=False)) == [("a", "1", "n")]


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.sampled_from("IUD"), st.sampled_from("abc"), st.integers(0, 99)), max_size=12),
    st.integers(0, 12),
)
def test_two_deltas_one_after_the_other_are_one_long_delta(changes: list[tuple[str, str, int]], cut: int) -> None:
    source = delta().objects[0]
    fields = [f.name for f in source.fields]
    rows = [
        {"op": op, "branch": "x", "no": no, "name": str(name), "_source_line": line}
        for line, (op, no, name) in enumerate(changes)
    ]
    expected: dict[str, str] = {}
    for op, no, name in changes:
        if op == "D":
            expected.pop(no, None)
        else:
            expected[no] = str(name)
    con = duckdb.connect()
    land(con, "landing.core__thing", fields, rows[:cut])
    con.execute("create schema previous")
    con.execute(f"create table previous.staging__core__thing as {delta_state_sql(source, has_previous=False)}")
    con.execute("drop table landing.core__thing")
    land(con, "landing.core__thing", fields, rows[cut:])
    found = state(con, delta_state_sql(source, has_previous=True))
    assert {no: name for _, no, name in found} == expected and len(found) == len(expected)


def test_the_sql_of_a_fill_reads_well() -> None:
    columns = {"record_id": "no", "contact_type": {"constant": "mobile"}, "contact_value": {"first_of": ["x", "y"]}}
    made = contract([{"entity": "party_contact", "columns": columns}], ["no", "x", "y"])
    sql = compile_entity([made], "party_contact", ENTITIES["party_contact"])
    blanks = "e' \\t\\r\\n\u00a0\u3000'"
    assert (
        sql
        == f"""\
-- core.thing
select * from (
    select
        'core' as "system",
        "no" as "record_id",
        'mobile' as "contact_type",
        coalesce("x", "y") as "contact_value",
        'thing' as "source_object",
        _source_line as "source_line"
    from (
        select
            nullif(trim("no", {blanks}), '') as "no",
            nullif(trim("x", {blanks}), '') as "x",
            nullif(trim("y", {blanks}), '') as "y",
            _source_line
        from landing.core__thing
    )
)
where "record_id" is not null and "contact_value" is not null"""
    )
