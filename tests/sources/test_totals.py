"""Rows and money of an object by steps: what is stated, set aside, carried on, left out by contract, rounded."""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from mapped import DAY, ENTITIES, JSONL, CanonicalColumn, Rows, contract, land

from sources.contract import Contract
from sources.manifest import FieldTotal, LandingResult
from sources.totals import fields_totalled, object_lines, party_lines

ACCOUNT = {"account_id": "no", "currency_code": {"constant": "CNY"}, "balance_amount": "x"}
ENDED = {"mode": "delta", "format": "csv", "pattern": "x", "operation": {"field": "op", "delete": ["D"]}}
KEYED: tuple[Any, ...] = ({"name": "no", "primaryKey": True}, "x", "op")
STANDING_ORDER = (
    CanonicalColumn("system", "varchar", True),
    CanonicalColumn("order_id", "varchar", True),
    CanonicalColumn("amount", "decimal(18,2)", False),
    CanonicalColumn("source_object", "varchar", True),
    CanonicalColumn("source_line", "bigint", True),
)


def manifest(rows: int, date: dt.date = DAY, **fields: Any) -> LandingResult:
    given = {"rows_delivered": rows, "rows_landed": rows, "rows_quarantined": 0} | fields
    return LandingResult("core", "thing", date, "full", **given)


def total(delivered: str, **fields: Any) -> FieldTotal:
    return FieldTotal(fields.pop("stated", None), Decimal(delivered), **fields)


def walks(
    made: Contract, landings: Sequence[LandingResult], *rows: tuple[str, Rows]
) -> dict[tuple[str | None, str], dict[str, Decimal]]:
    """Steps by subject and figure, those of nothing left out."""
    source = made.objects[0]
    with duckdb.connect() as con:
        for relation, landed in rows:
            land(con, relation, [field.name for field in source.fields], landed)
        has_state = "previous.staging__core__thing" in [relation for relation, _ in rows]
        entities = {**ENTITIES, "standing_order": STANDING_ORDER}
        found: dict[tuple[str | None, str], dict[str, Decimal]] = {}
        for line in object_lines(con, [made], source, entities, landings, DAY, has_state):
            if line.amount:
                found.setdefault((line.subject, line.figure), {})[line.step] = line.amount
    return found


def mapped(expression: Any, text: str, field: Mapping[str, Any] | str = "x", landed: str | None = None) -> Any:
    """Steps of one balance behind its landing."""
    made = contract([{"entity": "account", "columns": ACCOUNT | {"balance_amount": expression}}], ["no", field])
    result = manifest(1, totals={"x": total(landed or text)})
    found = walks(made, [result], ("landing.core__thing", [{"no": "1", "x": text}]))
    steps = found.get(("account", "balance_amount"), {})
    return {step: amount for step, amount in steps.items() if step not in ("delivered", "landed")}


def test_from_the_senders_total_to_what_landed() -> None:
    made = contract([{"entity": "account", "columns": ACCOUNT}], ["no", "x"])
    result = manifest(
        5, rows_landed=2, rows_quarantined=2, rows_forgotten=1, control_rows=5,
        totals={"x": total("16.50", stated=Decimal("16.75"), quarantined=Decimal(4), forgotten=Decimal(2), unread=1)},
    )  # fmt: skip
    landed = [{"no": "1", "x": "10"}, {"no": "2", "x": "0.50"}]
    assert walks(made, [result], ("landing.core__thing", landed)) == {
        ("account", "rows"): {
            "stated": 5, "delivered": 5, "quarantined": -2, "forgotten": -1, "landed": 2, "mapped": 2,
        },
        ("account", "balance_amount"): {
            "stated": Decimal("16.75"), "unread": Decimal("-0.25"), "delivered": Decimal("16.50"),
            "quarantined": -4, "forgotten": -2, "landed": Decimal("10.50"), "mapped": Decimal("10.50"),
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "text", "steps"),
    [
        ("x", "12.345", {"rounded": "0.005", "mapped": "12.35"}),
        ("x", "-12.345", {"rounded": "-0.005", "mapped": "-12.35"}),
        ("x", "1,234.5-", {"mapped": "-1234.50"}),
        ("x", "1e3", {"mapped": "1000"}),
        ("x", "12345678901234567", {"unconverted": "-12345678901234567"}),
        ("x", "?", {}),
        ({"from": "x", "negate": True}, "12.345", {"rounded": "-0.005", "mapped": "-12.35"}),
        ({"from": "x", "divide": 100}, "12345", {"mapped": "123.45"}),
        ({"from": "x", "divide": 10000}, "12345", {"rounded": "-0.0045", "mapped": "1.23"}),
        ({"from": "x", "default": "0.00"}, "12.5", {"mapped": "12.5"}),
    ],
)
def test_what_mapping_makes_of_a_number(expression: Any, text: str, steps: Mapping[str, str]) -> None:
    assert mapped(expression, text, landed="0") == {step: Decimal(amount) for step, amount in steps.items()}


@pytest.mark.parametrize(
    "expression",
    [
        {"from": "x", "absolute": True},
        {"from": "x", "codes": {"1": "5"}},
        {"from": "x", "default": "7"},
        {"sql": "x"},
        {"first_of": ["x", "no"]},
        {"constant": "3"},
    ],
)
def test_what_is_not_only_copied_has_no_sum_before_staging(expression: Any) -> None:
    made = contract([{"entity": "account", "columns": ACCOUNT | {"balance_amount": expression}}], ["no", "x"])
    assert fields_totalled(made.objects[0]) == ()
    assert mapped(expression, "1") == {}


def test_implied_decimals_are_set_at_every_step() -> None:
    field = {"name": "x", "logicalType": "number", "customProperties": [{"property": "decimals", "value": 2}]}
    assert mapped("x", "12345", field) == {"mapped": Decimal("123.45")}


def test_rows_that_the_contract_leaves_out_and_lists_again() -> None:
    when = {"from": "op", "is": "A"}
    some = {"entity": "account", "columns": ACCOUNT, "when": when}
    rows = [{"no": "1", "x": "1", "op": "A"}, {"no": "2", "x": "20", "op": "B"}, {"no": "3", "x": "300"}]
    landed = ("landing.core__thing", rows)
    result = manifest(3, totals={"x": total("321")})
    found = walks(contract([some], ["no", "x", "op"]), [result], landed)
    assert {figure: (s["by_contract"], s["mapped"]) for (_, figure), s in found.items()} == {
        "rows": (-2, 1),
        "balance_amount": (-320, 1),
    }
    twice = walks(contract([some, {**some, "when": ()}], ["no", "x", "op"]), [result], landed)
    assert {figure: (s["by_contract"], s["mapped"]) for (_, figure), s in twice.items()} == {
        "rows": (1, 4),
        "balance_amount": (1, 322),
    }


def test_a_row_of_a_list_that_says_nothing_fills_nothing() -> None:
    made = contract([{"entity": "standing_order", "columns": {"order_id": "no", "amount": "x"}}], ["no", "x"])
    result = manifest(2, totals={"x": total("3")})
    found = walks(made, [result], ("landing.core__thing", [{"no": "1", "x": "1"}, {"x": "2"}]))
    assert found["standing_order", "rows"]["by_contract"] == -1
    assert found["standing_order", "amount"]["by_contract"] == -2


def test_new_rows_are_added_to_those_of_earlier_dates() -> None:
    made = contract(
        [{"entity": "account", "columns": ACCOUNT}], KEYED, delivery={"mode": "append", "format": "csv", "pattern": "x"}
    )
    before = manifest(3, DAY - dt.timedelta(1), rows_landed=2, rows_quarantined=1,
                      totals={"x": total("7", quarantined=Decimal(4))})  # fmt: skip
    new, old = [{"no": "3", "x": "5"}], [{"no": "1", "x": "1"}, {"no": "2", "x": "2"}]
    both = (("landing.core__thing", new), ("landing_history.core__thing", new + old))
    found = walks(made, [before, manifest(1, totals={"x": total("5")})], *both)
    assert found["account", "rows"] == {"delivered": 1, "landed": 1, "carried": 2, "current": 3, "mapped": 3}
    assert found["account", "balance_amount"] == {"delivered": 5, "landed": 5, "carried": 3, "current": 8, "mapped": 8}
    # a landing from before totals were kept: money is followed from what there is
    found = walks(made, [manifest(2, DAY - dt.timedelta(1)), manifest(1, totals={"x": total("5")})], *both)
    assert found["account", "balance_amount"] == {"current": 8, "mapped": 8}


def test_a_delta_replaces_and_ends_rows_of_the_state_before() -> None:
    made = contract([{"entity": "account", "columns": ACCOUNT}], KEYED, delivery=ENDED)
    before = [{"no": "1", "x": "1"}, {"no": "2", "x": "20"}, {"no": "3", "x": "300"}]
    delta = [
        {"no": "1", "x": "2", "op": "U"},
        {"no": "1", "x": "3", "op": "U"},
        {"no": "2", "x": "20", "op": "D"},
        {"no": "4", "x": "4000", "op": "I"},
    ]
    after = [{"no": "1", "x": "3"}, {"no": "3", "x": "300"}, {"no": "4", "x": "4000"}]
    found = walks(
        made,
        [manifest(4, totals={"x": total("4025")})],
        ("landing.core__thing", delta),
        ("previous.staging__core__thing", before),
        ("staging.core__thing", after),
    )
    # replaced: 1 and 20 of the state, 2 of the delta; ended: 20 of the delta
    assert found["account", "balance_amount"] == {
        "delivered": 4025, "landed": 4025, "carried": 321, "superseded": -43, "current": 4303, "mapped": 4303,
    }  # fmt: skip
    assert found["account", "rows"] == {
        "delivered": 4, "landed": 4, "carried": 3, "superseded": -4, "current": 3, "mapped": 3,
    }  # fmt: skip


def test_an_object_that_fills_nothing_reconciled_is_followed_to_its_landing() -> None:
    control = {"pattern": "y", "totals": {"x": "SUM"}}
    made = contract([], ["no", "x"], delivery={"mode": "full", "format": "csv", "pattern": "x", "control": control})
    found = walks(
        made,
        [manifest(1, totals={"x": total("2", stated=Decimal(2))})],
        ("landing.core__thing", [{"no": "1", "x": "2"}]),
    )
    assert found == {
        (None, "rows"): {"delivered": 1, "landed": 1},
        (None, "x"): {"stated": 2, "delivered": 2, "landed": 2},
    }


def test_records_described_again_are_counted_by_system() -> None:
    item = {"name": "also", "logicalType": "array", "items": {"logicalType": "object", "properties": [{"name": "no"}]}}
    party = {"record_id": "no", "party_type": {"constant": "person"}}
    made = contract(
        [
            {"entity": "party", "columns": party},
            {"entity": "party", "columns": party | {"record_id": "item.no"}, "each": "also"},
        ],
        ["no", item],
        delivery=JSONL,
    )
    with duckdb.connect() as con:
        rows = [{"no": "1", "also": '[{"no": "2"}, {"no": "3"}]'}, {"no": "2", "also": '[{"no": "3"}]'}]
        land(con, "landing.core__thing", ["no", "also"], rows)
        found = party_lines(con, [made], ENTITIES["party"])
    assert {line.step: line.amount for line in found} == {"mapped": 5, "repeated": -2}
