"""Contribution over tables by hand: from transactions and products to customers, with the sample bank's parameters."""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import yaml
from sql_tables import Row, given, made

from models.value.contribution_settings import ContributionSettings

SAMPLE = ContributionSettings.model_validate(
    yaml.safe_load((Path(__file__).parents[2] / "banks/sample/value.yaml").read_text(encoding="utf-8"))["contribution"]
)
TENORS = (3, 12, 18, 24, 36)  # those that the tests' products are priced at: all 361 load slowly
TABLES = (
    "value.activity_month",
    "value.balance_month",
    "value.product_month",
    "mart.customer_product_contribution",
    "mart.customer_contribution",
    "mart.customer_annual_contribution",
    "mart.bank_contribution",
)


def movement(product: str, day: str | dt.date, amount: str | Decimal, **fields: Any) -> Row:
    """A transaction on an account; credits are positive; ``fields`` may name another product type or currency."""
    signed = Decimal(amount)
    return {
        "system": "core", "product_type": "account", "product_id": product, "currency_code": "CNY",
        "booked_date": dt.date.fromisoformat(day) if isinstance(day, str) else day,
        "direction": "credit" if signed >= 0 else "debit", "amount": abs(signed), "channel": "batch", **fields,
    }  # fmt: skip


def account(product: str, balance: str | Decimal | None, **fields: Any) -> Row:
    return {
        "customer_id": "C1", "system": "core", "account_id": product, "product_family": "current_deposit",
        "currency_code": "CNY", "balance_amount": balance, "opened_date": dt.date(2020, 1, 1), **fields,
    }  # fmt: skip


def contribution(
    date: dt.date,
    *,
    first_month: dt.date,
    settings: ContributionSettings = SAMPLE,
    accounts: Iterable[Row] = (),
    cards: Iterable[Row] = (),
    loans: Iterable[Row] = (),
    ended_loans: Iterable[Row] = (),
    transactions: Iterable[Row] = (),
    performance: Iterable[Row] = (),
    scores: Iterable[Row] = (),
) -> dict[str, list[Row]]:
    """Make all tables of contribution; returns their rows by table id.

    ``first_month`` is the first day of the earliest month that is valued.
    """
    con = duckdb.connect()
    source = {"source_object": "x"}
    booked = [
        {"transaction_id": str(number), "source_line": number, **source, **row}
        for number, row in enumerate(transactions, start=1)
    ]
    given(con, "staging.transaction", *booked)
    given(con, "staging.loan_performance", *({**source, "source_line": 1, **row} for row in performance))
    given(
        con,
        "staging.exchange_rate",
        {"currency_code": "CNY", "exchange_rate": 1},
        {"currency_code": "USD", "exchange_rate": Decimal("7.10")},
        {"currency_code": "EUR", "exchange_rate": Decimal("8.123")},  # has no transfer prices
    )
    given(con, "customer.account", *accounts)
    given(con, "customer.card", *cards)
    given(con, "customer.loan", *loans)
    given(con, "customer.ended_loan", *ended_loans)
    given(con, "value.risk_score", *({"model_version": "none", "is_fallback": True, **row} for row in scores))
    given(con, "value.bank_parameter", *settings.bank_parameter_rows())
    given(con, "value.product_parameter", *settings.product_parameter_rows())
    given(
        con, "value.transfer_price", *(row for row in settings.transfer_price_rows() if row["tenor_months"] in TENORS)
    )
    as_of = date if (date + dt.timedelta(days=1)).day == 1 else date.replace(day=1) - dt.timedelta(days=1)
    params = {"contribution_from": first_month, "first_month": first_month, "as_of_date": as_of}
    return {table: made(con, table, date, **params) for table in TABLES}
