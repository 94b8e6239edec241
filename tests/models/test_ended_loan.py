"""customer.ended_loan: which loans have left the file, with which terms, and who had them."""

import datetime as dt
from decimal import Decimal
from typing import Any

import duckdb
from sql_tables import Row, given, made

DATE = dt.date(2026, 9, 30)
JUNE, JULY, MAY = dt.date(2026, 6, 30), dt.date(2026, 7, 31), dt.date(2026, 5, 31)


def told(loan_id: str, as_of: dt.date, record: str | None = None, **fields: Any) -> Row:
    return {
        "system": "s", "loan_id": loan_id, "as_of_date": as_of, "record_id": record, "product_family": "consumer_loan",
        "currency_code": "CNY", "source_object": "s.p", "source_line": 1, **fields,
    }  # fmt: skip


def ended(performance: list[Row], **tables: list[Row]) -> list[Row]:
    con = duckdb.connect()
    given(con, "staging.loan_performance", *performance)
    for name in (
        "staging.loan", "customer.product_holder", "customer.customer_record_history", "customer.retired_customer",
        "customer.customer",
    ):  # fmt: skip
        given(con, name, *tables.get(name.split(".")[1], []))
    return made(con, "customer.ended_loan", DATE)


def test_a_loan_of_the_file_is_not_ended_and_the_last_terms_count() -> None:
    found = ended(
        [
            told("L1", JUNE),
            told("L2", JULY, interest_rate=Decimal("0.06"), start_date=dt.date(2025, 1, 10), term_months=24),
            told("L2", JUNE, interest_rate=Decimal("0.05"), start_date=dt.date(2025, 1, 10), term_months=24),
        ],
        loan=[{"system": "s", "loan_id": "L1"}],
    )
    assert [(row["loan_id"], row["interest_rate"], row["term_months"]) for row in found] == [
        ("L2", Decimal("0.06"), 24)
    ]


def test_a_tape_without_terms_cannot_value_anything() -> None:
    assert ended([told("L1", JUNE, product_family=None), told("L2", JUNE, currency_code=None)]) == []


def test_who_had_it_is_known_by_role_by_record_or_by_what_became_of_the_customer() -> None:
    def record(name: str, customer: str, valid_from: dt.date, valid_to: dt.date | None) -> Row:
        fields = {"record_id": name, "customer_id": customer, "valid_from": valid_from, "valid_to": valid_to}
        return {"system": "s", **fields}

    found = ended(
        [told(f"L{number}", JUNE, f"R{number}") for number in range(1, 6)],
        product_holder=[
            {"product_type": "loan", "product_system": "s", "product_id": "L1", "customer_id": "A"},
            {"product_type": "account", "product_system": "s", "product_id": "L2", "customer_id": "X"},
        ],
        customer_record_history=[
            record("R1", "B", MAY, None),
            record("R2", "X", MAY, JUNE),  # moved from X to A, and is delivered no more
            record("R2", "A", JUNE, JULY),
            record("R3", "M", MAY, JULY),  # M went to B since
            record("R4", "G", MAY, JULY),  # G is gone
        ],
        retired_customer=[
            {"customer_id": "M", "living_customer_id": "B", "retired_date": JULY, "resolution": "successor"},
            {"customer_id": "G", "living_customer_id": None, "retired_date": JULY, "resolution": "gone"},
        ],
        customer=[{"customer_id": name} for name in ("A", "B", "X")],
    )
    assert [(row["loan_id"], row["customer_id"]) for row in found] == [
        ("L1", "A"), ("L2", "A"), ("L3", "B"), ("L4", None), ("L5", None),
    ]  # fmt: skip
