"""Rows that do not land: row rules, keys, and what quarantine keeps of them."""

import json
from typing import Any

import pytest
from conftest import DATE, DAY_BEFORE, GOOD, KEYED, Desk, refused


def rule_of(desk: Desk, spec: dict[str, Any], fine: str, value: str) -> str | None:
    """The rule that a value breaks, among rows with a fine one; None if it lands."""
    fields = {"id": {"primaryKey": True}, "value": spec}
    desk.put("c.tsv", "id\tvalue\n" + "".join(f"{n}\t{fine}\n" for n in range(5)) + f"5\t{value}")
    desk.land(desk.contract(fields, delimiter="\t", quote=None))
    rows = desk.quarantine()
    assert len(rows) <= 1
    assert all(row["field"] == "value" and row["raw"] == f"5\t{value}".encode() for row in rows)
    return rows[0]["rule"] if rows else None


@pytest.mark.parametrize(
    ("spec", "good", "bad"),
    [
        ({"required": True}, ["x", "0"], [("", "required"), ("  ", "required"), ("\u3000", "required")]),
        (
            {"type": "number"},
            ["", " ", "1", "-1.50", "+.5", " 7 ", "1,234.5", "100-", "１２", "1e3", "12345678901234567890.12"],
            [("x", "logicalType"), ("1.2.3", "logicalType"), ("12,5", "logicalType"), ("NaN", "logicalType")],
        ),
        ({"type": "integer"}, ["", "7", "-7", "7.0"], [("7.5", "logicalType"), ("seven", "logicalType")]),
        ({"type": "number", "on_invalid": "null"}, ["x", "1"], []),
        ({"type": "date"}, ["31.31.2031", "nonsense"], []),
        (
            {"type": "date", "on_invalid": "quarantine"},
            ["", "2026-01-31", "20260131", "2026/1/5"],
            [("20261331", "logicalType"), ("nonsense", "logicalType")],
        ),
        (
            {"type": "date", "on_invalid": "quarantine", "format": "%d.%m.%Y"},
            ["31.01.2026"],
            [("2026-01-31", "logicalType"), ("31.13.2026", "logicalType")],
        ),
        ({"type": "timestamp", "on_invalid": "quarantine"}, ["2026-01-31 10:00:00"], [("25 o'clock", "logicalType")]),
        ({"type": "boolean", "on_invalid": "quarantine"}, ["true", "0"], [("maybe", "logicalType")]),
        (
            {"type": "date", "not_future": True},
            ["2026-01-31", "20260131", "", "nonsense"],
            [("2026-02-01", "not_future"), ("20260201", "not_future"), ("9999-12-31", "not_future")],
        ),
        ({"type": "timestamp", "not_future": True}, ["2026-01-31 23:59:59"], [("2026-02-01 00:00:00", "not_future")]),
        ({"enum": ["M", "F"]}, ["M", " f ", ""], [("X", "enum")]),
        ({"pattern": "^[A-Z]{2}$"}, ["AB", " AB", ""], [("A1", "pattern"), ("ABC", "pattern")]),
        (
            {"type": "number", "minimum": 0, "maximum": 100},
            ["0", "100", "100.00", ""],
            [("-0.01", "minimum"), ("100.01", "maximum"), ("1,000", "maximum")],
        ),
        (
            {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
            ["0.5"],
            [("0", "exclusiveMinimum"), ("1", "exclusiveMaximum")],
        ),
        ({"type": "number", "decimals": 2, "maximum": 10}, ["1000", "7"], [("1001", "maximum")]),
        ({"minLength": 2, "maxLength": 3}, ["王二", "abc", ""], [("a", "minLength"), ("abcd", "maxLength")]),
    ],
)
def test_row_rules(desk: Desk, spec: dict[str, Any], good: list[str], bad: list[tuple[str, str]]) -> None:
    fine = next(value for value in good if value.strip())
    assert {value: rule_of(desk, spec, fine, value) for value in good} == dict.fromkeys(good)
    assert {value: rule_of(desk, spec, fine, value) for value, _ in bad} == dict(bad)


def test_a_row_that_breaks_several_rules_is_one_row_with_all_reasons(desk: Desk) -> None:
    fields: dict[str, dict[str, Any]] = {
        "id": {"primaryKey": True},
        "name": {"required": True},
        "n": {"type": "number"},
    }
    desk.put("c.csv", "id,name,n\n1,a,1\n ,,x\n3,a,1\n")
    desk.land(desk.contract(fields))
    (row,) = desk.quarantine()
    assert (row["field"], row["rule"], row["source_line"]) == ("id", "primaryKey", 3)
    assert row["reason"] == "id: the primary key is empty; name: required and empty; n: not a number"


def test_duplicate_primary_keys_keep_the_first(desk: Desk) -> None:
    desk.put("c.csv", GOOD + "7,other,1\n 8 ,x,1\n")
    result = desk.land(desk.contract(KEYED))
    assert (result.rows_landed, result.rows_quarantined) == (200, 2)
    assert [row["name"] for row in desk.rows() if row["id"].strip() in ("7", "8")] == ["n7", "n8"]
    assert [(q["source_line"], q["field"], q["rule"], q["reason"], q["raw"]) for q in desk.quarantine()] == [
        (202, "id", "primaryKey", "the primary key is that of an earlier row", b"7,other,1"),
        (203, "id", "primaryKey", "the primary key is that of an earlier row", b" 8 ,x,1"),
    ]


def test_a_row_in_quarantine_does_not_hold_its_key(desk: Desk) -> None:
    desk.put("c.csv", "id,name,balance\n1,bad,x\n1,good,1\n2,b,1\n")
    desk.land(desk.contract(KEYED))
    assert [row["name"] for row in desk.rows()] == ["good", "b"]


def test_keys_of_several_fields(desk: Desk) -> None:
    fields: dict[str, dict[str, Any]] = {"a": {"primaryKey": True}, "b": {"primaryKey": True}}
    desk.put("c.csv", "a,b\n1,1\n1,2\n2,1\n1,1\n11,\n")
    desk.land(desk.contract(fields, reject_limit=0.5))
    assert [(q["field"], q["raw"]) for q in desk.quarantine()] == [("a, b", b"1,1"), ("b", b"11,")]


def test_an_append_delivery_brings_no_key_of_an_earlier_date_again(desk: Desk) -> None:
    contract = desk.contract(KEYED, mode="append", pattern="t_{date:%Y%m%d}.csv")
    desk.put("t_20260130.csv", "id,name,balance\n1,a,1\n2,b,1\n")
    desk.put("t_20260131.csv", "id,name,balance\n3,c,1\n2,b,1\n4,d,1\n")
    desk.land(contract, DAY_BEFORE)
    desk.land(contract, DATE, [DAY_BEFORE])
    assert [row["id"] for row in desk.rows()] == ["3", "4"]
    (row,) = desk.quarantine()
    assert (row["reason"], row["source_line"]) == ("the primary key was delivered on an earlier business date", 3)


def test_a_pattern_that_duckdb_cannot_evaluate(desk: Desk) -> None:
    desk.put("c.csv", "id\n1\n")
    (problem,) = refused(desk, desk.contract({"id": {"pattern": "^(?!x)"}}))
    assert "core.customer: a pattern of the contract cannot be evaluated" in problem


# Rows without bytes of their own


def test_quarantined_rows_of_a_workbook_are_json(desk: Desk) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    for row in (["id", "name", "balance"], [1, "a", 1], [2, "b", "x"], [3, None, 1]):
        book.active.append(row)
    book.save(desk.exports / "core" / "c.xlsx")
    desk.land(desk.contract(KEYED, format="excel"))
    (row,) = desk.quarantine()
    assert (row["source_line"], row["rule"]) == (3, "logicalType")
    assert json.loads(row["raw"]) == {"id": "2", "name": "b", "balance": "x", "_extra": None}
