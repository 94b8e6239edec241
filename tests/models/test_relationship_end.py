"""When a relationship ended and from when on it may be erased; the cases are written by hand."""

import datetime as dt
from typing import Any

import duckdb
import pytest
from sql_tables import given, made

DAY = dt.date(2026, 10, 29)
D = dt.date
_INPUTS = (
    "customer.account", "customer.card", "customer.loan", "customer.ended_loan", "staging.loan_performance",
    "customer.transaction", "staging.party",
)  # fmt: skip


def _role(product_type: str, role: str, product_id: str = "P") -> dict[str, Any]:
    return {"customer_id": "C1", "system": "core", "record_id": "1", "product_type": product_type,
            "product_system": "core", "product_id": product_id, "role": role}  # fmt: skip


def _account(**said: Any) -> dict[str, Any]:
    return {"system": "core", "account_id": "P", **said}


def _night(con: duckdb.DuckDBPyConnection, **tables: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    given(con, "customer.customer", {"customer_id": "C1"})
    records = [{"system": "core", "record_id": "1", "customer_id": "C1"},
               {"system": "core", "record_id": "company", "customer_id": "C2"}]  # fmt: skip
    given(con, "customer.customer_record", *records)
    given(con, "customer.party_role", *tables.pop("customer__party_role", []))
    for name in _INPUTS:
        given(con, name, *tables.pop(name.replace(".", "__"), []))
    assert not tables
    return [tuple(row.values())[1:] for row in made(con, "customer.relationship_end", DAY)]


@pytest.mark.parametrize(
    ("tables", "ended"),
    [
        ({}, (False, None)),
        ({"customer__account": [_account()]}, (True, None)),
        ({"customer__account": [_account(closed_date=D(2020, 1, 1))]}, (False, D(2020, 1, 1))),
        ({"customer__account": [_account(status_code="closed")]}, (False, None)),
        ({"staging__party": [{"system": "core", "record_id": "1", "opened_date": D(2010, 5, 5)}]},
         (False, D(2010, 5, 5))),
        ({"customer__account": [_account(closed_date=D(2020, 1, 1))],
          "customer__transaction": [{"customer_id": "C1", "booked_date": D(2021, 2, 3)}]}, (False, D(2021, 2, 3))),
    ],
    ids=["nothing known", "open account", "closed account", "closed, nobody knows when", "a record alone",
         "a transaction after"],
)  # fmt: skip
def test_accounts_records_and_transactions(tables: dict[str, Any], ended: tuple[bool, D | None]) -> None:
    with duckdb.connect() as con:
        assert _night(con, customer__party_role=[_role("account", "owner")], **tables) == [ended]


@pytest.mark.parametrize(
    ("card", "ended"),
    [
        ({"expiry_date": D(2027, 1, 1), "status_code": "active"}, (True, D(2027, 1, 1))),
        ({"expiry_date": D(2020, 1, 1), "status_code": "active"}, (False, D(2020, 1, 1))),
        ({"expiry_date": D(2027, 1, 1), "status_code": "cancelled"}, (False, D(2027, 1, 1))),
        ({"expiry_date": D(2020, 1, 1), "status_code": "cancelled", "balance_amount": 5}, (True, D(2020, 1, 1))),
        ({"status_code": "active"}, (True, None)),
    ],
)
def test_cards(card: dict[str, Any], ended: tuple[bool, D | None]) -> None:
    with duckdb.connect() as con:
        role = _role("card", "cardholder")
        assert _night(
            con, customer__party_role=[role], customer__card=[{"system": "core", "card_id": "P", **card}]
        ) == [ended]


@pytest.mark.parametrize("role", ["borrower", "co_borrower", "guarantor"])
def test_who_stands_for_an_open_loan_is_not_gone(role: str) -> None:
    loan = {"system": "core", "loan_id": "P", "outstanding_amount": 1, "maturity_date": D(2015, 1, 1)}
    roles = [_role("loan", role)]
    with duckdb.connect() as con:
        assert _night(con, customer__party_role=roles, customer__loan=[loan]) == [(True, D(2015, 1, 1))]
    with duckdb.connect() as con:
        settled = {**loan, "outstanding_amount": 0, "status_code": "settled"}
        assert _night(con, customer__party_role=roles, customer__loan=[settled]) == [(False, D(2015, 1, 1))]


def test_a_loan_that_left_its_file_ended_when_its_tape_told_of_it_last() -> None:
    ended = {"system": "core", "loan_id": "P", "customer_id": "C1"}
    tape = [{"system": "core", "loan_id": "P", "as_of_date": day} for day in (D(2019, 1, 31), D(2019, 2, 28))]
    with duckdb.connect() as con:
        found = _night(
            con,
            customer__party_role=[_role("loan", "borrower")],
            customer__ended_loan=[ended],
            staging__loan_performance=tape,
        )
    assert found == [(False, D(2019, 2, 28))]


def test_who_represents_a_company_that_is_a_customer_is_not_gone() -> None:
    with duckdb.connect() as con:
        assert _night(con, customer__party_role=[_role("party", "legal_representative", "company")]) == [(True, None)]
    with duckdb.connect() as con:
        assert _night(con, customer__party_role=[_role("party", "legal_representative", "left")]) == [(False, None)]


@pytest.mark.parametrize(
    ("is_open", "ended", "erasable"),
    [
        (False, D(2016, 10, 29), D(2026, 10, 29)),
        (False, D(2016, 2, 29), D(2026, 2, 28)),
        (True, D(2016, 10, 29), None),
        (False, None, None),
    ],
)
def test_a_restriction_ends_the_retention_years_after_the_relationship(
    is_open: bool, ended: D | None, erasable: D | None
) -> None:
    with duckdb.connect() as con:
        records = [{"system": "core", "record_id": one, "customer_id": "C1"} for one in ("1", "2")]
        given(con, "customer.customer_record", *records, {"system": "core", "record_id": "3", "customer_id": "C2"})
        end = {"is_relationship_open": is_open, "relationship_ended_date": ended}
        given(con, "customer.relationship_end", *({"customer_id": c, **end} for c in ("C1", "C2")))
        requests = [
            {"restriction_id": number, "system": "core", "record_id": record, "restricted_from": day}
            for number, record, day in ((1, "1", D(2026, 5, 1)), (2, "2", D(2026, 4, 1)), (3, "gone", D(2026, 1, 1)))
        ]
        given(con, "staging.restriction_request", *requests)
        found = [tuple(row.values()) for row in made(con, "customer.restriction", DAY, retention_years=10)]
    assert found == [("C1", D(2026, 4, 1), erasable)]
