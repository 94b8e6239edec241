"""value.customer_month and value.behaviour_feature: by hand, and without a look at what came later."""

import datetime as dt
from decimal import Decimal
from typing import Any

import duckdb
from sql_tables import Row, given, made

from models.value.churn_settings import ChurnSettings

DATE = dt.date(2026, 10, 15)
AS_OF = dt.date(2026, 9, 30)


def moved(product: str, month: str, last: str | None = None, own: int = 1, **fields: Any) -> Row:
    return {
        "system": "core", "product_type": "account", "product_id": product, "currency_code": "CNY",
        "month": dt.date.fromisoformat(month), "transaction_count": own, "initiated_count": own,
        **dict.fromkeys(("mobile_count", "online_count", "atm_count", "point_of_sale_count", "counter_count",
                         "batch_count", "other_channel_count"), 0),
        **dict.fromkeys(("credit_amount", "debit_amount", "salary_amount"), Decimal(0)),
        "last_balance_amount": last and Decimal(last),
        "last_initiated_date": dt.date.fromisoformat(month) + dt.timedelta(days=9) if own else None, **fields,
    }  # fmt: skip


def bank(*rows: Row, accounts: dict[str, str] | None = None) -> duckdb.DuckDBPyConnection:
    """Customer C with these movements; accounts by their opening dates."""
    con = duckdb.connect()
    given(con, "value.activity_month", *rows)
    holders = {(row["product_type"], row["product_id"]) for row in rows}
    given(con, "customer.product_holder", *({"product_type": t, "product_system": "core", "product_id": p,
                                             "customer_id": "C"} for t, p in sorted(holders)))  # fmt: skip
    given(con, "staging.exchange_rate", {"currency_code": "CNY", "exchange_rate": 1},
          {"currency_code": "USD", "exchange_rate": 7})  # fmt: skip
    given(con, "customer.customer", {"customer_id": "C", "party_type": "person"})
    given(con, "customer.account", *({"customer_id": "C", "system": "core", "account_id": a,
                                      "product_family": "savings_deposit", "opened_date": dt.date.fromisoformat(d)}
                                     for a, d in (accounts or {"A": "2020-01-15"}).items()))  # fmt: skip
    given(con, "customer.card")
    given(con, "customer.loan")
    return con


def feature(con: duckdb.DuckDBPyConnection, **settings: Any) -> Row | None:
    made(con, "value.customer_month", DATE)
    rows = made(con, "value.behaviour_feature", DATE, **ChurnSettings(**settings).parameters(AS_OF))
    return rows[0] if rows else None


def test_balances_are_carried_over_months_without_movement_and_sum_over_accounts_and_currencies() -> None:
    con = bank(
        moved("A", "2026-06-01", "100.00"),
        moved("A", "2026-08-01", None),
        moved("B", "2026-07-01", "10.00", currency_code="USD"),
        moved("A", "2026-09-01", "40.00"),
        moved("T", "2026-09-01", "-500.00", product_type="card"),
    )
    rows = made(con, "value.customer_month", DATE)
    assert [(str(row["month"]), row["known_balance_amount"]) for row in rows] == [
        ("2026-06-01", Decimal("100.00")),
        ("2026-07-01", Decimal("170.00")),
        ("2026-08-01", Decimal("170.00")),
        ("2026-09-01", Decimal("110.00")),
    ]
    assert rows[-1]["initiated_count"] == 2  # purchases by card are the customer's own


def test_characteristics_at_a_month_end() -> None:
    con = bank(
        moved("A", "2025-10-01", "500.00", own=9),
        moved("A", "2026-06-01", "900.00", own=6, salary_amount=Decimal(100), mobile_count=6),
        moved("A", "2026-08-01", "600.00", own=3, counter_count=3),
        moved("A", "2026-09-01", "200.00", own=1, credit_amount=Decimal(100), debit_amount=Decimal(300)),
        accounts={"A": "2020-01-15", "N": "2026-08-10", "X": "2026-10-02"},
    )
    row = feature(con)
    assert row is not None
    assert (row["initiated_count_1m"], row["initiated_count_3m"], row["active_months_12m"]) == (1, 4, 4)
    assert row["initiated_change_1m"] == -0.5  # 1 against (3 + 0 + 6) / 3
    assert row["initiated_change_3m"] == round(-1 / 9, 6)  # 4 against (9 + 6) / 3 = 5
    assert row["days_since_initiated"] == 20
    assert row["known_balance_amount"] == Decimal("200.00")
    assert row["balance_change_1m"] == -0.5  # (200 - 600) / 800
    assert row["balance_change_3m"] == round(-700 / 1100, 6)
    assert row["outflow_share_1m"] == 0.75
    assert (row["salary_months_6m"], row["months_since_salary"]) == (1, 3)
    assert (row["digital_share_12m"], row["counter_share_12m"]) == (round(6 / 19, 6), round(3 / 19, 6))
    assert (row["tenure_months"], row["months_since_opening"], row["opened_product_count"]) == (80, 1, 2)


def test_who_is_silent_or_holds_little_is_not_active() -> None:
    assert feature(bank(moved("A", "2026-06-01", "900.00"))) is None
    assert feature(bank(moved("A", "2026-09-01", "900.00", own=0))) is None
    assert feature(bank(moved("A", "2026-09-01", "100.00"))) is None
    assert feature(bank(moved("A", "2026-07-01", "100.01"))) is not None


def test_nothing_of_a_later_month_changes_a_characteristic() -> None:
    past = [moved("A", "2026-05-01", "700.00", own=4), moved("A", "2026-09-01", "500.00", own=2)]
    futures = (
        [moved("A", "2026-10-01", "1.00", own=0)],
        [moved("A", "2026-10-01", "99999.00", own=50, salary_amount=Decimal(9999)), moved("B", "2026-11-01", "5.00")],
    )
    opened = {"A": "2020-01-15", "B": "2026-10-03", "C": "2027-01-01"}
    expected = feature(bank(*past))
    assert expected is not None
    for future in futures:
        assert feature(bank(*past, *future, accounts=opened)) == expected
