"""Contribution, whatever the products and movements: daily balances by brute force, and sums to the cent."""

import datetime as dt
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal

from contribution_tables import account, contribution, movement
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sql_tables import Row

FIRST, DATE = dt.date(2026, 7, 1), dt.date(2026, 9, 17)
CENT = Decimal("0.01")
DAYS = (DATE - FIRST).days
FEW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)

days = st.integers(0, DAYS).map(lambda number: FIRST + dt.timedelta(days=number))
money = st.integers(-2_000_000, 2_000_000).map(lambda cents: Decimal(cents) * CENT)
FLOWS = (
    "net_interest_amount", "interchange_amount", "fee_income_amount", "management_fee_amount", "cost_amount",
    "expected_loss_amount", "tax_amount", "contribution_amount", "capital_charge_amount", "eva_amount",
    "capital_amount",
)  # fmt: skip


def daily_average(balance: Decimal, moves: list[tuple[dt.date, Decimal]], opened: dt.date, month: dt.date) -> Decimal:
    """Average over the month's days on which the account was open, day by day backwards from tonight's balance."""
    balances, today = [], DATE
    while today >= max(month, opened):
        if today.replace(day=1) == month:
            balances.append(balance)
        balance -= sum((amount for day, amount in moves if day == today), Decimal(0))
        today -= dt.timedelta(days=1)
    return (sum(balances, Decimal(0)) / len(balances)).quantize(CENT, ROUND_HALF_UP)


ledgers = st.tuples(money, st.lists(st.tuples(days, money), max_size=8), days)


@FEW
@given(st.lists(ledgers, min_size=3, max_size=6))
def test_the_average_balance_is_that_of_daily_balances(
    found: list[tuple[Decimal, list[tuple[dt.date, Decimal]], dt.date]],
) -> None:
    accounts = {
        f"A{number}": (balance, [(max(day, opened), amount) for day, amount in moves], opened)
        for number, (balance, moves, opened) in enumerate(found)
    }
    rows = contribution(
        DATE,
        first_month=FIRST,
        accounts=[account(name, balance, opened_date=opened) for name, (balance, _, opened) in accounts.items()],
        transactions=[movement(name, day, amount) for name, (_, moves, _) in accounts.items() for day, amount in moves],
    )["value.balance_month"]
    assert {(row["product_id"], row["month"]): row["average_balance_amount"] for row in rows} == {
        (name, month): daily_average(balance, moves, opened, month)
        for name, (balance, moves, opened) in accounts.items()
        for month in (FIRST, dt.date(2026, 8, 1), dt.date(2026, 9, 1))
        if month >= opened.replace(day=1)
    }


products = st.fixed_dictionaries(
    {
        "customer_id": st.sampled_from(["C1", "C2", "C3", None]),
        "product_family": st.sampled_from(["current_deposit", "term_deposit", "investment", "insurance", "other"]),
        "product_code": st.sampled_from(["D101", "D203", None]),
        "currency_code": st.sampled_from(["CNY", "USD", "EUR"]),
        "balance_amount": money,
        "opened_date": days,
    }
)
kinds = st.sampled_from(["fee", "purchase", "interest", "transfer"])


@FEW
@given(
    held=st.lists(products, min_size=1, max_size=6),
    debts=st.lists(st.tuples(st.sampled_from(["C1", "C2", None]), money.map(abs), days), max_size=3),
    moves=st.lists(st.tuples(st.integers(0, 5), days, money, kinds), max_size=8),
)
def test_products_add_up_to_customers_to_the_bank_and_to_the_year(
    held: list[Row], debts: list[tuple[str | None, Decimal, dt.date]], moves: list[tuple[int, dt.date, Decimal, str]]
) -> None:
    found = contribution(
        DATE,
        first_month=FIRST,
        accounts=[{**account(f"A{number}", None), **product} for number, product in enumerate(held)],
        loans=[
            {"customer_id": customer, "system": "loans", "loan_id": f"L{number}", "product_family": "business_loan",
             "currency_code": "CNY", "outstanding_amount": amount, "start_date": start}
            for number, (customer, amount, start) in enumerate(debts)
        ],
        transactions=[
            movement(f"A{number}", day, amount, transaction_kind=kind) for number, day, amount, kind in moves
        ],
    )  # fmt: skip
    rows = found["value.product_month"]
    for row in rows:
        income = sum(row[name] for name in FLOWS[:4])
        profit = income - row["cost_amount"] - row["expected_loss_amount"]
        assert row["contribution_amount"] == profit - row["tax_amount"]
        assert row["eva_amount"] == row["contribution_amount"] - row["capital_charge_amount"]
    assigned = [row for row in rows if row["customer_id"] is not None]
    by_product = found["mart.customer_product_contribution"]
    assert sums(by_product, "customer_id", "product_family", "month") == sums(
        assigned, "customer_id", "product_family", "month"
    )
    assert sums(found["mart.customer_contribution"], "customer_id", "month") == sums(assigned, "customer_id", "month")
    assert sums(found["mart.bank_contribution"], "month", "product_family") == sums(rows, "month", "product_family")
    whole = [row for row in assigned if row["month"] < dt.date(2026, 9, 1)]
    year = [{**row, "capital_amount": Decimal(0)} for row in found["mart.customer_annual_contribution"]]
    assert sums(year, "customer_id") == sums([{**row, "capital_amount": Decimal(0)} for row in whole], "customer_id")


def sums(rows: list[Row], *keys: str) -> dict[tuple[object, ...], list[Decimal]]:
    """Every amount summed by the keys."""
    totals: dict[tuple[object, ...], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * len(FLOWS))
    for row in rows:
        key = tuple(row[name] for name in keys)
        totals[key] = [total + row[name] for total, name in zip(totals[key], FLOWS, strict=True)]
    return dict(totals)
