"""A debtor's tables by hand: loans, month ends, accounts, cards and movements, for tests of risk."""

import datetime as dt
from decimal import Decimal
from typing import Any

import duckdb
from sql_tables import Row, given

from models.value.risk_settings import month_ends


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def holder(product_type: str, product_id: str, customer: str) -> Row:
    return {
        "product_type": product_type, "product_system": "s", "product_id": product_id, "customer_id": customer
    }  # fmt: skip


def loan(loan_id: str, customer: str, **fields: Any) -> Row:
    return {
        "customer_id": customer, "system": "s", "loan_id": loan_id, "product_family": "consumer_loan",
        "product_code": "C", "currency_code": "CNY", "principal_amount": Decimal(12000),
        "outstanding_amount": Decimal(6000), "interest_rate": Decimal("0.05"), "start_date": day("2025-01-15"),
        "maturity_date": day("2028-01-15"), "term_months": 36, **fields,
    }  # fmt: skip


def month_end(loan_id: str, date: str, outstanding: int, overdue: int = 0, days: int = 0, **terms: Any) -> Row:
    return {
        "system": "s", "loan_id": loan_id, "as_of_date": day(date), "outstanding_amount": Decimal(outstanding),
        "overdue_amount": Decimal(overdue), "days_past_due": days, "source_object": "s.p", "source_line": 1, **terms,
    }  # fmt: skip


def account(account_id: str, customer: str, **fields: Any) -> Row:
    return {
        "customer_id": customer, "system": "s", "account_id": account_id, "product_family": "current_deposit",
        "currency_code": "CNY", "balance_amount": Decimal(0), "opened_date": day("2020-06-30"), **fields,
    }  # fmt: skip


def card(card_id: str, customer: str, **fields: Any) -> Row:
    return {
        "customer_id": customer, "system": "s", "card_id": card_id, "card_type": "credit",
        "product_family": "credit_card", "currency_code": "CNY", "credit_limit_amount": Decimal(10000),
        "balance_amount": Decimal(0), "issued_date": day("2024-01-10"), "expiry_date": day("2029-01-31"),
        "status_code": "active", **fields,
    }  # fmt: skip


def moved(product_type: str, product_id: str, month: str, **fields: Any) -> Row:
    nothing = (
        "credit_amount", "debit_amount", "net_amount", "weighted_net_amount", "salary_amount", "purchase_amount",
        "fee_amount", "interest_amount", "cash_amount", "repayment_amount", "transaction_count", "initiated_count",
        "mobile_count", "online_count", "atm_count", "point_of_sale_count", "counter_count", "batch_count",
        "other_channel_count",
    )  # fmt: skip
    return {
        "system": "s", "product_type": product_type, "product_id": product_id, "currency_code": "CNY",
        "month": day(month), **dict.fromkeys(nothing, 0), **fields,
    }  # fmt: skip


def customers(*ids: str, **fields: Any) -> list[Row]:
    known = {"party_type": "person", "record_count": 1, "system_count": 1, **fields}
    return [{"customer_id": customer, **known} for customer in ids]


def bank(con: duckdb.DuckDBPyConnection, **tables: list[Row]) -> None:
    """Make all inputs of the risk tables; those not named are empty (of exchange rates: the bank's own at 1)."""
    defaults: dict[str, list[Row]] = {
        "customer.customer": [], "customer.product_holder": [], "customer.account": [], "customer.card": [],
        "customer.loan": [], "customer.ended_loan": [], "customer.household": [],
        "customer.relationship": [], "customer.party_role": [],
        "staging.exchange_rate": [{"currency_code": "CNY", "exchange_rate": Decimal(1)}],
        "staging.loan_performance": [], "value.activity_month": [], "value.risk_score": [],
        "value.product_parameter": [],
    }  # fmt: skip
    for table_id, rows in defaults.items():
        given(con, table_id, *tables.get(table_id.replace(".", "__"), rows))


AS_OF = day("2026-06-30")
DATES = month_ends(AS_OF, 2)
