"""mart.customer_segment and mart.tier_movement: segments by hand, and tiers that do not flip."""

import datetime as dt
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from sql_tables import Row, given, made

from models.value.segment_settings import SegmentRules, Tier, service_standard_rows
from models.value.settings import latest_month_end

TABLES = (
    "customer.customer", "mart.customer_holding", "value.product_month", "mart.customer_contribution",
    "value.customer_month", "customer.retired_customer", "customer.customer_record_history",
)  # fmt: skip
RULES = SegmentRules(
    tiers={
        "person": (
            Tier(name="standard", manager_kind="team"),
            Tier(name="gold", enter_assets=100, keep_assets=80, manager_kind="adviser",
                 enter_contribution=50, keep_contribution=40),
            Tier(name="wealth", enter_assets=1000, keep_assets=800, manager_kind="manager"),
        ),
        "organisation": (Tier(name="company", manager_kind="team"),),
    }
)  # fmt: skip
DATE = dt.date(2026, 10, 31)


class Bank:
    """A bank by hand: what is not given is empty; each night is kept as the one before the next."""

    def __init__(self, *customers: str) -> None:
        self.con = duckdb.connect()
        for table in TABLES:
            given(self.con, table)
        given(self.con, "mart.service_standard", *service_standard_rows((RULES,)))
        self.con.execute("create schema previous")
        self.remember()
        self.living(*customers)

    def living(self, *customers: str, **fields: Any) -> None:
        rows = [{"party_type": "person", **fields, "customer_id": c} for c in customers]
        given(self.con, "customer.customer", *rows)

    def holding(self, **amounts: int) -> None:
        """Savings by customer."""
        rows = [{"customer_id": c, "product_family": "savings_deposit", "product_count": 1, "currency_code": "CNY",
                 "base_balance_amount": Decimal(a)} for c, a in amounts.items()]  # fmt: skip
        given(self.con, "mart.customer_holding", *rows)

    def remember(self) -> None:
        for table in ("customer_segment", "tier_movement"):
            if not self.con.execute("from duckdb_tables() where table_name = ?", [table]).fetchall():
                given(self.con, f"mart.{table}")
            self.con.execute(f"create or replace table previous.mart__{table} as from mart.{table}")

    def night(self, date: dt.date = DATE) -> dict[str, Row]:
        made(self.con, "mart.customer_segment", date, as_of_date=latest_month_end(date), segment=RULES.parameters())
        movements = made(self.con, "mart.tier_movement", date)
        rows = self.con.execute("from mart.customer_segment")
        names = [name for name, *_ in rows.description or []]
        found = {row[0]: dict(zip(names, row, strict=True)) for row in rows.fetchall()}
        self.remember()
        self.movements = movements
        return found


def product_month(customer: str, month: str, amount: int, **fields: Any) -> Row:
    return {
        "system": "core", "product_type": "account", "product_id": customer, "customer_id": customer,
        "product_family": "savings_deposit", "month": dt.date.fromisoformat(month), "open_days": 30,
        "period_days": 30, "base_average_balance_amount": Decimal(amount), **fields,
    }  # fmt: skip


def active_month(customer: str, month: str, count: int, amount: int = 0, **fields: Any) -> Row:
    return {
        "customer_id": customer, "month": dt.date.fromisoformat(month), "transaction_count": count,
        "initiated_count": count, "base_credit_amount": Decimal(amount), "base_debit_amount": Decimal(0), **fields,
    }  # fmt: skip


def test_average_assets_are_those_of_three_whole_months_and_of_the_part_of_a_month_that_a_product_was_open() -> None:
    bank = Bank("A", "B")
    bank.holding(A=500, B=70)
    given(
        bank.con, "value.product_month",
        product_month("A", "2026-07-01", 9000),
        product_month("A", "2026-08-01", 900, open_days=10),
        product_month("A", "2026-09-01", 400),
        product_month("A", "2026-10-01", 500),
        product_month("A", "2026-10-01", 7000, product_id="L", product_family="mortgage"),
    )  # fmt: skip
    found = bank.night()
    assert found["A"]["assets_amount"] == Decimal("500.00")
    assert found["A"]["average_assets_amount"] == Decimal("400.00")  # (300 + 400 + 500) / 3
    assert found["B"]["average_assets_amount"] == Decimal("70.00")  # no whole month is known: tonight's


def test_contribution_of_the_last_twelve_whole_months_and_its_tenth() -> None:
    names = [f"C{n:02d}" for n in range(20)]
    bank = Bank(*names, "Z")
    rows = [{"customer_id": c, "month": dt.date(2026, 5, 1), "contribution_amount": Decimal(n + 1)}
            for n, c in enumerate(names)]  # fmt: skip
    outside = [{"customer_id": "C00", "month": dt.date(year, month, 1), "contribution_amount": Decimal(1000)}
               for year, month in ((2025, 10), (2026, 11))]  # fmt: skip
    given(bank.con, "mart.customer_contribution", *rows, *outside)
    found = bank.night()
    assert found["C00"]["contribution_12m_amount"] == Decimal("1.00")
    assert [found[c]["contribution_decile"] for c in ("C19", "C18", "C17", "C00", "Z")] == [1, 1, 1, 10, 10]
    assert found["C10"]["contribution_decile"] == 5  # nine of 21 are above: the fifth tenth


def test_nothing_is_said_of_contribution_or_activity_where_nobody_measured_them() -> None:
    bank = Bank("A")
    bank.holding(A=10)
    (row,) = bank.night().values()
    assert row["contribution_decile"] is None
    assert (row["recency_score"], row["frequency_score"], row["monetary_score"]) == (None, None, None)
    assert row["life_cycle_stage"] == "mature"


@pytest.mark.parametrize(
    ("stage", "since", "assets", "before", "now", "debt", "counts"),
    [
        ("prospect", "2020-01-01", None, None, None, 0, {}),
        ("new", "2026-06-01", 50, None, None, 0, {}),
        ("lost", "2020-01-01", 50, 50, 50, 0, {"2025-09-01": 5}),
        ("dormant", "2020-01-01", 5000, 5000, 5000, 0, {"2025-09-01": 5}),
        ("dormant", "2020-01-01", 50, 50, 50, 0, {"2026-03-01": 5}),
        ("mature", "2020-01-01", 50, 50, 50, 900, {"2025-09-01": 5}),
        ("declining", "2020-01-01", 5000, 10000, 7900, 0, {"2026-09-01": 5}),
        ("mature", "2020-01-01", 5000, 10000, 8100, 0, {"2026-09-01": 5}),
        ("mature", "2020-01-01", 50, 1000, 50, 0, {"2026-09-01": 5}),
        ("growing", "2020-01-01", 5000, 10000, 12100, 0, {"2026-09-01": 5}),
        ("declining", "2020-01-01", 5000, 5000, 5000, 0, {"2026-02-01": 60, "2026-09-01": 5}),
    ],
)
def test_stage_of_life(
    stage: str, since: str, assets: int | None, before: int | None, now: int | None, debt: int, counts: dict[str, int]
) -> None:
    bank = Bank()
    bank.living("A", customer_since_date=dt.date.fromisoformat(since))
    rows = [] if assets is None else [{"product_family": "savings_deposit", "base_balance_amount": Decimal(assets)}]
    rows += [{"product_family": "mortgage", "base_balance_amount": Decimal(debt)}] if debt else []
    given(bank.con, "mart.customer_holding", *({"customer_id": "A", "product_count": 1, **row} for row in rows))
    averages = [("2026-04-01", before), ("2026-09-01", now)]
    given(bank.con, "value.product_month", *(product_month("A", m, a) for m, a in averages if a is not None))
    # somebody else's transactions: the history goes back far enough
    own = [active_month("A", m, n, last_initiated_date=dt.date.fromisoformat(m)) for m, n in counts.items()]
    given(bank.con, "value.customer_month", active_month("X", "2024-01-01", 1), *own)
    assert bank.night()["A"]["life_cycle_stage"] == stage


def test_silence_is_not_told_of_a_time_before_the_transactions() -> None:
    bank = Bank()
    bank.living("A", customer_since_date=dt.date(2020, 1, 1))
    bank.holding(A=5000)
    given(bank.con, "value.customer_month", active_month("X", "2026-09-01", 1))
    assert bank.night()["A"]["life_cycle_stage"] == "mature"


def test_fifths_are_of_the_active_and_equal_figures_get_equal_scores() -> None:
    bank = Bank("A", "B", "C", "D", "E", "F")
    counts = {"A": 1, "B": 2, "C": 3, "D": 9, "E": 9}
    rows = [active_month(c, "2026-09-01", n, n, last_initiated_date=dt.date(2026, 9, 20)) for c, n in counts.items()]
    given(bank.con, "value.customer_month", *rows)
    found = bank.night()
    assert [found[c]["frequency_score"] for c in "ABCDEF"] == [1, 2, 3, 5, 5, 1]
    assert [found[c]["recency_score"] for c in "ABCDEF"] == [5, 5, 5, 5, 5, 1]
    assert (found["D"]["initiated_count_12m"], found["D"]["turnover_12m_amount"]) == (9, Decimal("9.00"))


@pytest.mark.parametrize(
    ("profile", "amounts", "count"),
    [
        ("investor", {"savings_deposit": 7000, "investment": 3000}, 30),
        ("borrower", {"savings_deposit": 7000, "mortgage": 9000}, 30),
        ("saver", {"term_deposit": 7000, "current_deposit": 3000}, 30),
        ("transactor", {"savings_deposit": 500, "current_deposit": 300}, 9),
        ("basic", {"savings_deposit": 500, "current_deposit": 300}, 8),
    ],
)
def test_needs(profile: str, amounts: dict[str, int], count: int) -> None:
    bank = Bank("A")
    rows = [{"customer_id": "A", "product_family": f, "product_count": 1, "base_balance_amount": Decimal(a)}
            for f, a in amounts.items()]  # fmt: skip
    given(bank.con, "mart.customer_holding", *rows)
    given(bank.con, "value.customer_month", active_month("A", "2026-09-01", count))
    assert bank.night()["A"]["needs_profile"] == profile


def test_a_tier_is_reached_by_assets_or_by_contribution_and_says_by_which() -> None:
    bank = Bank("A", "B", "C")
    bank.holding(A=99, B=100, C=0)
    month = {"customer_id": "C", "month": dt.date(2026, 10, 1), "contribution_amount": Decimal("50.00")}
    given(bank.con, "mart.customer_contribution", month)
    found = bank.night()
    assert {c: row["service_tier"] for c, row in found.items()} == {"A": "standard", "B": "gold", "C": "gold"}
    assert found["A"]["tier_reason"] == "open to every customer"
    assert found["B"]["tier_reason"] == "average assets of 100.00 reach 100.00"
    assert found["C"]["tier_reason"] == "contribution of 50.00 in twelve months reaches 50.00"
    assert found["B"]["tier_since_date"] == DATE


def test_a_tier_is_kept_above_the_lower_threshold_and_lost_below_it_after_the_minimum_time() -> None:
    bank = Bank("A")
    told = []
    for date, amount in (("2026-10-31", 100), ("2026-11-30", 80), ("2026-12-31", 79), ("2027-01-31", 79)):
        bank.holding(A=amount)
        told.append(bank.night(dt.date.fromisoformat(date))["A"])
    assert [row["service_tier"] for row in told] == ["gold", "gold", "gold", "standard"]
    assert told[1]["tier_reason"] == "average assets of 80.00 are not below the 80.00 that keep the tier"
    assert told[2]["tier_reason"] == (
        "average assets of 79.00 are below the 80.00 that keep the tier; it stays until 2027-01-31"
    )
    assert told[3]["tier_reason"] == "average assets of 79.00 are below the 80.00 that keep gold"
    assert (told[3]["tier_since_date"], told[3]["previous_tier"]) == (dt.date(2027, 1, 31), "gold")
    assert told[3]["month_start_tier"] == "gold"


def test_a_higher_tier_is_given_at_once_but_not_right_after_it_was_lost() -> None:
    bank = Bank("A")
    told = []
    for date, amount in (
        ("2026-10-31", 10), ("2026-11-01", 100), ("2027-02-01", 10), ("2027-02-02", 100), ("2027-05-01", 100)
    ):  # fmt: skip
        bank.holding(A=amount)
        told.append(bank.night(dt.date.fromisoformat(date))["A"])
    assert [row["service_tier"] for row in told] == ["standard", "gold", "standard", "standard", "gold"]
    assert told[3]["tier_reason"] == "a higher tier is reached again, and given from 2027-05-01 on"


def test_a_merged_customer_goes_on_with_the_highest_tier_of_those_that_it_was() -> None:
    bank = Bank("A", "B")
    bank.holding(A=10, B=1000)
    bank.night(dt.date(2026, 10, 30))
    bank.living("A")
    bank.holding(A=900)
    gone = {"customer_id": "B", "retired_date": DATE, "living_customer_id": "A", "resolution": "records"}
    given(bank.con, "customer.retired_customer", gone)
    row = bank.night()["A"]
    assert (row["service_tier"], row["tier_since_date"]) == ("wealth", dt.date(2026, 10, 30))


def test_a_split_customer_goes_on_with_the_tier_of_the_one_it_was_taken_from() -> None:
    bank = Bank("A")
    bank.holding(A=1000)
    bank.night(dt.date(2026, 10, 30))
    bank.living("A", "N", "M")
    bank.holding(A=900, N=900, M=900)
    given(
        bank.con, "customer.customer_record_history",
        {"system": "core", "record_id": "1", "valid_from": dt.date(2026, 1, 1), "valid_to": DATE, "customer_id": "A"},
        {"system": "core", "record_id": "1", "valid_from": DATE, "customer_id": "N"},
        {"system": "core", "record_id": "2", "valid_from": DATE, "customer_id": "M"},
    )  # fmt: skip
    found = bank.night()
    assert {c: row["service_tier"] for c, row in found.items()} == {"A": "wealth", "N": "wealth", "M": "gold"}


def test_movements_of_a_month_are_against_the_end_of_the_month_before_and_are_kept() -> None:
    bank = Bank("A", "B")
    for date, a in (("2026-10-30", 10), ("2026-10-31", 50), ("2026-11-01", 100), ("2026-11-02", 1000)):
        bank.holding(A=a, B=10)
        bank.night(dt.date.fromisoformat(date))
    rows = [(str(m["month"]), m["from_tier"], m["to_tier"], m["customer_count"], m["assets_amount"])
            for m in bank.movements]  # fmt: skip
    assert rows == [
        ("2026-10-01", None, "standard", 2, Decimal("60.00")),
        ("2026-11-01", "standard", "standard", 1, Decimal("10.00")),
        ("2026-11-01", "standard", "wealth", 1, Decimal("1000.00")),
    ]


@settings(max_examples=2, deadline=None)
@drawn(st.lists(st.lists(st.integers(-30, 30), min_size=14, max_size=14), min_size=30, max_size=30))
def test_assets_that_wander_around_a_threshold_do_not_make_the_tier_flip(walks: list[list[int]]) -> None:
    """Thirty customers, nights ten days apart, around the 100 of gold: two changes are never within three months."""
    names = [f"C{n}" for n in range(len(walks))]
    bank, date = Bank(*names), DATE
    amounts, tiers = dict.fromkeys(names, 100), dict.fromkeys(names, "gold")
    changed: dict[str, dt.date] = {}
    for steps in zip(*walks, strict=True):
        amounts = {c: min(max(amounts[c] + step, 0), 700) for c, step in zip(names, steps, strict=True)}
        bank.holding(**amounts)
        found = bank.night(date)
        for c in names if date > DATE else ():
            now = found[c]["service_tier"]
            if now != tiers[c]:
                assert amounts[c] >= 100 if now == "gold" else amounts[c] < 80
                assert c not in changed or (date - changed[c]).days >= 89
                changed[c] = date
        tiers = {c: found[c]["service_tier"] for c in names}
        date += dt.timedelta(days=10)
