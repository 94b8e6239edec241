"""value.activity_month: movements by month, against sums worked out by hand."""

import datetime as dt
from decimal import Decimal
from typing import Any

import duckdb
from sql_tables import Row, given, made

DATE = dt.date(2026, 10, 31)
FIRST = dt.date(2026, 9, 1)


def movement(number: int, day: str, direction: str, amount: str, after: str, **fields: Any) -> Row:
    return {
        "system": "core", "transaction_id": str(number), "product_type": "account", "product_id": "A",
        "booked_date": dt.date.fromisoformat(day), "direction": direction, "amount": Decimal(amount),
        "currency_code": "CNY", "balance_after_amount": Decimal(after), "source_object": "core.transaction",
        "source_line": number, **fields,
    }  # fmt: skip


def months(*movements: Row) -> list[Row]:
    con = duckdb.connect()
    given(con, "staging.transaction", *movements)
    return made(con, "value.activity_month", DATE, first_month=FIRST)


def test_movements_are_summed_by_purpose_and_channel() -> None:
    (month,) = months(
        movement(1, "2026-10-01", "credit", "5000.00", "6000.00", transaction_kind="salary", channel="batch"),
        movement(2, "2026-10-11", "debit", "120.50", "5879.50", transaction_kind="purchase", channel="point_of_sale"),
        movement(3, "2026-10-11", "credit", "20.50", "5900.00", transaction_kind="purchase", channel="kiosk"),
        movement(4, "2026-10-21", "debit", "2.00", "5898.00", transaction_kind="fee", channel="batch"),
    )
    assert month["month"] == dt.date(2026, 10, 1)
    assert (month["credit_amount"], month["debit_amount"]) == (Decimal("5020.50"), Decimal("122.50"))
    assert month["net_amount"] == Decimal("4898.00")
    assert (month["salary_amount"], month["purchase_amount"]) == (Decimal("5000.00"), Decimal("-100.00"))
    assert (month["fee_amount"], month["interest_amount"]) == (Decimal("-2.00"), Decimal("0.00"))
    assert (month["transaction_count"], month["initiated_count"], month["batch_count"]) == (4, 2, 2)
    assert (month["point_of_sale_count"], month["other_channel_count"]) == (1, 1)
    assert month["last_balance_amount"] == Decimal("5898.00")
    assert month["last_initiated_date"] == dt.date(2026, 10, 11)


def test_weighted_movements_give_the_sum_of_daily_balances() -> None:
    """Opening 1,000: ten days at 1,000, ten at 1,300 (from the 11th), eleven at 1,100 (from the 21st) are 35,100."""
    (month,) = months(
        movement(1, "2026-10-11", "credit", "300.00", "1300.00"),
        movement(2, "2026-10-21", "debit", "200.00", "1100.00"),
    )
    assert 31 * Decimal("1100.00") - month["weighted_net_amount"] == Decimal("35100.00")


def test_of_two_movements_of_a_day_the_later_line_tells_the_balance() -> None:
    (month,) = months(
        movement(2, "2026-10-11", "debit", "1.00", "9.00"), movement(1, "2026-10-11", "credit", "10.00", "10.00")
    )
    assert month["last_balance_amount"] == Decimal("9.00")


def test_what_lies_before_the_window_or_after_the_date_is_not_read() -> None:
    found = months(
        movement(1, "2026-08-31", "credit", "1.00", "1.00"),
        movement(2, "2026-09-01", "credit", "2.00", "3.00"),
        movement(3, "2026-11-01", "credit", "4.00", "7.00"),
    )
    assert [(row["month"], row["credit_amount"]) for row in found] == [(FIRST, Decimal("2.00"))]
