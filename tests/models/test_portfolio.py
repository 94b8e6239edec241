"""The portfolio for management, against figures worked out by hand."""

import datetime as dt
from decimal import Decimal

import duckdb
from sql_tables import given, made

DATE = dt.date(2026, 10, 31)


def contributions(con: duckdb.DuckDBPyConnection, amounts: dict[str, str]) -> None:
    given(con, "customer.customer", *({"customer_id": name} for name in amounts))
    rows = [{"customer_id": name, "contribution_amount": Decimal(amount)} for name, amount in amounts.items()]
    given(con, "mart.customer_annual_contribution", *rows)


def test_the_curve_rises_above_the_total_where_customers_cost_more_than_they_bring() -> None:
    con = duckdb.connect()
    contributions(con, {"a": "80.00", "b": "40.00", "c": "0.00", "d": "-20.00"})
    found = [
        (row["customer_percentile"], row["customer_count"], row["cumulative_share"])
        for row in made(con, "mart.contribution_curve", DATE)
    ]
    assert found == [(25, 1, Decimal("0.8")), (50, 1, Decimal("1.2")), (75, 1, Decimal("1.2")), (100, 1, Decimal("1"))]


def test_customers_without_any_contribution_are_on_the_curve() -> None:
    con = duckdb.connect()
    contributions(con, {"a": "10.00"})
    given(con, "customer.customer", {"customer_id": "a"}, {"customer_id": "b"})
    last = made(con, "mart.contribution_curve", DATE)[-1]
    assert (last["customer_percentile"], last["cumulative_contribution_amount"]) == (100, Decimal("10.00"))


def test_two_hundred_and_fifty_customers_make_a_hundred_steps_of_two_or_three() -> None:
    con = duckdb.connect()
    contributions(con, {f"c{number:03}": "2.00" for number in range(250)})
    found = made(con, "mart.contribution_curve", DATE)
    assert [row["customer_percentile"] for row in found] == list(range(1, 101))
    assert {row["customer_count"] for row in found} == {2, 3}
    assert found[49]["cumulative_share"] == Decimal("0.5")


def test_concentration_by_count_and_by_share() -> None:
    """Twenty customers: the first holds 81, the others 1 each; 1 % of twenty is still one customer, 10 % are two."""
    con = duckdb.connect()
    amounts = {f"c{number:02}": Decimal(81 if number == 0 else 1) for number in range(20)}
    given(
        con,
        "mart.customer_360",
        *(
            {"customer_id": name, "total_deposit_amount": amount, "total_debt_amount": Decimal(0)}
            for name, amount in amounts.items()
        ),
    )
    given(con, "mart.customer_annual_contribution")
    found = {
        row["top_customers"]: (row["customer_count"], row["top_amount"], row["top_share"])
        for row in made(con, "mart.concentration", DATE)
    }
    assert found == {
        "1": (1, Decimal("81.00"), Decimal("0.81")),
        "10": (10, Decimal("90.00"), Decimal("0.9")),
        "50": (20, Decimal("100.00"), Decimal("1")),
        "100": (20, Decimal("100.00"), Decimal("1")),
        "1 %": (1, Decimal("81.00"), Decimal("0.81")),
        "5 %": (1, Decimal("81.00"), Decimal("0.81")),
        "10 %": (2, Decimal("82.00"), Decimal("0.82")),
    }
