"""value.risk_feature: what was known at a month end, against figures worked out by hand, and nothing of later."""

from decimal import Decimal
from typing import Any

import duckdb
from risk_tables import AS_OF, account, bank, card, customers, day, holder, loan, month_end, moved
from sql_tables import Row, made

from models.value.risk_settings import month_ends

HOLDERS = [holder("loan", "L1", "A"), holder("loan", "L2", "A"), holder("loan", "L3", "B")]
PAST: dict[str, list[Row]] = {
    "customer__customer": customers("A", "B"),
    "customer__product_holder": HOLDERS,
    "customer__loan": [
        loan("L1", "A", interest_rate=Decimal("0.07")),
        loan("L3", "B", interest_rate=Decimal("0.05"), start_date=day("2026-03-01")),
    ],
    # L2 was written off in April and is in no loan file any more
    "staging__loan_performance": [
        month_end("L1", "2025-08-31", 12000),
        month_end("L1", "2026-04-30", 8000, 400, 35),
        month_end("L1", "2026-06-30", 6000, 300, 12),
        month_end("L2", "2026-04-30", 5000, 5000, 75),
        month_end("L3", "2026-06-30", 6000),
    ],
    "customer__account": [account("K1", "A")],
    "customer__card": [card("V1", "A"), card("V9", "B", issued_date=day("2026-07-01"))],
    "value__activity_month": [
        moved("account", "K1", "2026-02-01", last_balance_amount=Decimal(3000), credit_amount=6000, salary_amount=6000),
        moved("account", "K1", "2026-05-01", last_balance_amount=Decimal(1000), credit_amount=6000, salary_amount=6000,
              debit_amount=8000, cash_amount=-2000, initiated_count=4),
        moved("card", "V1", "2026-03-01", last_balance_amount=Decimal(-2000)),
        moved("card", "V1", "2026-06-01", last_balance_amount=Decimal(-9500)),
    ],
}  # fmt: skip


def features(tables: dict[str, list[Row]], dates: Any = None) -> list[Row]:
    con = duckdb.connect()
    bank(con, **tables)
    return made(con, "value.risk_feature", day("2026-07-02"), score_dates=dates or [AS_OF])


def test_a_debtor_as_known_at_a_month_end() -> None:
    a, b = features(PAST)
    assert (a["customer_id"], a["as_of_date"], a["is_served"], a["is_organisation"]) == ("A", AS_OF, True, False)
    assert (a["current_days_past_due"], a["worst_days_past_due_3m"], a["worst_days_past_due_12m"]) == (12, 75, 75)
    assert (a["arrears_months_12m"], a["running_loan_count"]) == (2, 1)
    assert a["overdue_share"] == 0.05  # 300 of 6,000
    assert a["outstanding_share"] == 0.5  # 6,000 of 12,000
    assert (a["loan_rate_spread"], b["loan_rate_spread"]) == (0.01, -0.01)  # the product's mean is 6 %
    assert (a["months_on_book"], b["months_on_book"], b["loans_opened_12m"]) == (17, 3, 1)
    assert (a["card_utilisation"], a["card_utilisation_change_3m"]) == (0.95, 0.75)
    assert (a["deposit_amount"], a["deposit_to_debt"]) == (Decimal(1000), 0.166667)
    assert a["deposit_change_3m"] == -0.5  # from 3,000 to 1,000, by the sum of both
    assert a["deposit_change_12m"] is None
    assert a["income_amount"] == Decimal(2000)  # two months of six brought 6,000
    assert a["instalment_to_income"] == 0.166665  # 12,000 over 36 months, 333.33, by 2,000
    assert (a["salary_months_6m"], a["months_since_salary"], a["salary_change_3m"]) == (2, 1, 0.0)
    assert (a["spending_ratio_3m"], a["cash_share_6m"], a["initiated_count_3m"]) == (1.333333, 0.25, 4)
    assert (a["tenure_months"], a["opened_product_count"]) == (72, 3)
    assert b["card_utilisation"] is None  # the card was issued a day later


def test_a_balance_in_another_currency_counts_at_its_rate_and_a_card_that_never_moved_draws_nothing() -> None:
    rates = [
        {"currency_code": "CNY", "exchange_rate": Decimal(1)},
        {"currency_code": "USD", "exchange_rate": Decimal("7.105")},
    ]
    balance = moved("account", "K1", "2026-05-01", currency_code="USD", last_balance_amount=Decimal("100.01"))
    (a,) = features(
        {
            "customer__customer": customers("A"),
            "customer__account": [account("K1", "A", currency_code="USD")],
            "customer__card": [card("V1", "A")],
            "staging__exchange_rate": rates,
            "value__activity_month": [balance],
        }
    )
    assert a["deposit_amount"] == Decimal("710.57")  # of 710.57105
    assert a["deposit_amount_3m"] is None
    assert a["card_utilisation"] == 0


TERMS = {
    "product_family": "consumer_loan", "product_code": "C", "currency_code": "CNY", "principal_amount": Decimal(12000),
    "start_date": day("2025-10-01"), "term_months": 24,
}  # fmt: skip


def test_a_loan_that_ended_since_keeps_the_terms_that_it_had() -> None:
    """L2 is in no loan file any more; the tape tells it at 8 %, beside 5 % of L1 and 5 % of L3: a mean of 6 %."""
    tables = {
        **PAST,
        "customer__loan": [loan("L1", "A"), loan("L3", "B")],
        "staging__loan_performance": [
            month_end("L1", "2026-04-30", 8000),
            month_end("L2", "2026-04-30", 5000, interest_rate=Decimal("0.08"), **TERMS),
            month_end("L2", "2026-05-31", 0, interest_rate=Decimal("0.08"), **TERMS),
            month_end("L3", "2026-04-30", 6000),
        ],
    }
    a, b = features(tables, [day("2026-04-30")])
    assert (a["loan_rate_spread"], b["loan_rate_spread"]) == (0.005, -0.01)  # A's: the mean of -1 % and +2 %
    assert (a["months_on_book"], a["loans_opened_12m"], a["running_loan_count"]) == (15, 1, 2)
    assert a["instalment_to_income"] == 0.83333  # 12,000 / 36 + 12,000 / 24 = 833.33, by 6,000 / 6


def test_a_loan_that_nobody_is_in_charge_of_any_more_counts_with_whoever_had_it() -> None:
    """L2 has left with its role: by the ended loans it was A's, whose worst arrears it tells."""
    tables = {
        **PAST,
        "customer__product_holder": [row for row in HOLDERS if row["product_id"] != "L2"],
        "customer__ended_loan": [{"system": "s", "loan_id": "L2", "customer_id": "A"}],
    }
    assert features(tables) == features(PAST)


def test_terms_are_those_of_the_month_end_and_not_of_later_ones() -> None:
    """The rate of L1 was reset from 5 % to 9 % in June; at the end of May both loans cost the same."""
    tables = {
        **PAST,
        "customer__loan": [loan("L1", "A", interest_rate=Decimal("0.09")), loan("L3", "B")],
        "staging__loan_performance": [
            month_end("L1", "2026-05-31", 8000, interest_rate=Decimal("0.05")),
            month_end("L1", "2026-06-30", 7000, interest_rate=Decimal("0.09")),
            month_end("L3", "2026-05-31", 6000),
            month_end("L3", "2026-06-30", 6000),
        ],
    }
    found = features(tables, [day("2026-05-31"), AS_OF])
    assert [row["loan_rate_spread"] for row in found] == [0.0, 0.02, 0.0, -0.02]


def test_nothing_after_the_month_end_is_seen() -> None:
    later = {
        "staging__loan_performance": [month_end("L1", "2026-07-31", 5000, 5000, 43), month_end("L3", "2026-07-01", 0)],
        "value__activity_month": [
            moved("account", "K1", "2026-07-01", last_balance_amount=Decimal(9), credit_amount=77, salary_amount=77),
            moved("card", "V1", "2026-07-01", last_balance_amount=Decimal(-1)),
        ],
        "customer__loan": [loan("L4", "A", start_date=day("2026-07-01"), interest_rate=Decimal("0.20"))],
        "customer__account": [account("K4", "A", opened_date=day("2026-07-01"))],
        "customer__card": [card("V4", "A", issued_date=day("2026-07-01"))],
    }
    told = {name: [*rows, *later.get(name, [])] for name, rows in PAST.items()}
    assert features(told) == features(PAST)


def test_a_month_end_is_the_same_whether_later_ones_are_asked_for_or_not() -> None:
    dates = month_ends(AS_OF, 4)
    whole = features(PAST, dates)
    for date in dates:
        assert features(PAST, [date]) == [row for row in whole if row["as_of_date"] == date]


def test_who_owes_is_a_debtor_also_where_nobody_keeps_month_ends() -> None:
    tables = {
        "customer__customer": customers("A", "B", "C", "D"),
        "customer__loan": [loan("L1", "A"), loan("L2", "B", outstanding_amount=Decimal(0))],
        "customer__card": [card("V1", "C"), card("V2", "D", status_code="cancelled")],
    }
    assert [(row["customer_id"], row["is_served"]) for row in features(tables)] == [("A", False), ("C", False)]


def test_a_debtor_is_one_for_as_long_as_something_is_owed() -> None:
    tables = {
        "customer__customer": customers("A"),
        "customer__product_holder": HOLDERS,
        "staging__loan_performance": [month_end("L2", "2026-04-30", 5000), month_end("L2", "2026-05-31", 0)],
    }
    found = features(tables, month_ends(AS_OF, 4))
    assert [row["as_of_date"] for row in found] == [day("2026-04-30")]
