"""mart.customer_behaviour by hand: activity, channels, gaps, and the retention list by contribution at stake."""

import datetime as dt
from decimal import Decimal
from typing import Any

import duckdb
from sql_tables import Row, given, made

from models.value.churn_settings import ChurnSettings

DATE = dt.date(2026, 10, 15)
AS_OF = dt.date(2026, 9, 30)


def month(customer: str, first: str, **fields: Any) -> Row:
    counts = ("initiated_count", "mobile_count", "online_count", "atm_count", "point_of_sale_count", "counter_count",
              "other_channel_count")  # fmt: skip
    return {
        "customer_id": customer, "month": dt.date.fromisoformat(first), **dict.fromkeys(counts, 0),
        "base_salary_amount": Decimal(0), "known_balance_amount": Decimal(0), **fields,
    }  # fmt: skip


def behaviour(
    months: list[Row], held: dict[str, str] | None = None, scores: dict[str, tuple[str, int]] | None = None
) -> dict[str, Row]:
    """Behaviour of customers A to D, all of one tier; scores are a probability and a contribution each."""
    con = duckdb.connect()
    scores = scores or {}
    given(con, "mart.customer_segment", *(
        {"customer_id": c, "party_type": "person", "service_tier": "gold",
         "contribution_12m_amount": Decimal(scores.get(c, ("", 0))[1])} for c in "ABCD"
    ))  # fmt: skip
    given(con, "value.customer_month", *months)
    given(con, "value.churn_score", *(
        {"customer_id": c, "as_of_date": AS_OF, "churn_probability": Decimal(p), "model_version": "none",
         "is_fallback": True} for c, (p, _) in scores.items()
    ))  # fmt: skip
    given(con, "value.next_product", *(
        {"customer_id": "A", "as_of_date": day, "product_family": family, "propensity": Decimal(propensity),
         "propensity_rank": rank}
        for day, rank, family, propensity in (
            (AS_OF, 1, "mortgage", "0.2"), (AS_OF, 2, "investment", "0.1"),
            (dt.date(2026, 8, 31), 1, "insurance", "0.3"),
        )
    ))  # fmt: skip
    given(con, "mart.customer_holding", *(
        {"customer_id": c, "product_family": f, "product_count": 1, "currency_code": "CNY"}
        for f, customers in (held or {}).items() for c in customers
    ))  # fmt: skip
    rows = made(
        con, "mart.customer_behaviour", DATE, as_of_date=AS_OF, churn=ChurnSettings().parameters(AS_OF)["churn"]
    )
    return {row["customer_id"]: row for row in rows}


def test_activity_channels_balances_and_salary_of_whole_months() -> None:
    pay = {"base_salary_amount": Decimal(100)}
    months = [month("A", f"2026-0{n}-01", **(pay if n != 6 else {})) for n in range(4, 9)]
    months += [
        month("A", "2026-09-01", initiated_count=6, mobile_count=2, counter_count=4, base_salary_amount=Decimal(160),
              known_balance_amount=Decimal(60)),
        month("A", "2026-10-01", initiated_count=99, mobile_count=99),
        month("A", "2025-09-01", initiated_count=99, mobile_count=99),
    ]  # fmt: skip
    row = behaviour(months)["A"]
    assert (row["monthly_initiated_3m"], row["monthly_initiated_12m"]) == (Decimal("2.00"), Decimal("0.50"))
    assert row["active_months_12m"] == 1
    assert (row["preferred_channel"], round(row["mobile_share_12m"], 6)) == ("counter", round(1 / 3, 6))
    assert (row["mean_balance_3m_amount"], row["mean_balance_12m_amount"]) == (Decimal("20.00"), Decimal("10.00"))
    assert (row["salary_months_6m"], row["has_regular_salary"]) == (5, True)
    assert row["mean_salary_amount"] == Decimal("112.00")  # (4 x 100 + 160) / 5


def test_gaps_are_what_others_of_the_tier_hold() -> None:
    found = behaviour([], held={"savings_deposit": "ABCD", "investment": "AB", "mortgage": "A"})
    assert [found[c]["product_gaps"] for c in "ABC"] == [None, "mortgage 25 %", "investment 50 %, mortgage 25 %"]


def test_the_retention_list_is_ranked_by_contribution_at_stake() -> None:
    found = behaviour([], scores={"A": ("0.3", 100), "B": ("0.1", 1000), "C": ("0.9", -50)})
    assert [found[c]["at_stake_contribution_amount"] for c in "ABCD"] == [
        Decimal("30.00"), Decimal("100.00"), Decimal("0.00"), None
    ]  # fmt: skip
    assert [found[c]["retention_rank"] for c in "ABCD"] == [2, 1, None, None]
    assert [found[c]["churn_band"] for c in "ABCD"] == ["high", "medium", "high", "not_active"]


def test_the_next_product_is_the_likeliest_of_the_latest_month_end() -> None:
    found = behaviour([])
    assert (found["A"]["next_product_family"], found["A"]["next_product_propensity"]) == ("mortgage", Decimal("0.2"))
    assert (found["B"]["next_product_family"], found["B"]["next_product_propensity"]) == (None, None)
