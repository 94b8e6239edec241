"""Contribution: docs/contribution.md's worked example to the cent, and single rules on small tables."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from contribution_tables import SAMPLE, account, contribution, movement
from sql_tables import Row

from models.value.contribution_settings import ContributionSettings

SEPTEMBER, END = dt.date(2026, 9, 1), dt.date(2026, 9, 30)

# docs/contribution.md, "A customer by hand": worked out there before the SQL was run
BY_HAND = {
    "A1": {
        "open_days": 30, "average_balance_amount": "16666.67", "interest_income_amount": "-0.69",
        "funding_amount": "27.78", "net_interest_amount": "27.09", "interchange_amount": "13.99",
        "fee_income_amount": "2.00", "cost_amount": "4.50", "exposure_amount": "0.00", "expected_loss_amount": "0.00",
        "profit_amount": "38.58", "tax_amount": "9.65", "contribution_amount": "28.93", "capital_amount": "0.00",
        "capital_charge_amount": "0.00", "eva_amount": "28.93",
    },
    "A2": {
        "open_days": 15, "average_balance_amount": "20000.00", "interest_income_amount": "-207.08",
        "funding_amount": "230.75", "net_interest_amount": "23.67", "interchange_amount": "0.00",
        "fee_income_amount": "0.00", "cost_amount": "0.75", "exposure_amount": "0.00", "expected_loss_amount": "0.00",
        "profit_amount": "22.92", "tax_amount": "5.73", "contribution_amount": "17.19", "capital_amount": "0.00",
        "capital_charge_amount": "0.00", "eva_amount": "17.19",
    },
    "L1": {
        "open_days": 30, "average_balance_amount": "798500.00", "interest_income_amount": "2295.69",
        "funding_amount": "-1330.83", "net_interest_amount": "964.86", "interchange_amount": "0.00",
        "fee_income_amount": "0.00", "cost_amount": "12.00", "exposure_amount": "798500.00",
        "expected_loss_amount": "157.51", "profit_amount": "795.35", "tax_amount": "198.84",
        "contribution_amount": "596.51", "capital_amount": "41322.38", "capital_charge_amount": "373.60",
        "eva_amount": "222.91",
    },
    "K1": {
        "open_days": 30, "average_balance_amount": "7992.50", "interest_income_amount": "45.00",
        "funding_amount": "-11.66", "net_interest_amount": "33.34", "interchange_amount": "13.50",
        "fee_income_amount": "0.00", "cost_amount": "6.65", "exposure_amount": "24795.50",
        "expected_loss_amount": "18.34", "profit_amount": "21.85", "tax_amount": "5.46",
        "contribution_amount": "16.39", "capital_amount": "2138.61", "capital_charge_amount": "19.34",
        "eva_amount": "-2.95",
    },
}  # fmt: skip
CUSTOMER_BY_HAND = {
    "net_interest_amount": "1048.96", "interchange_amount": "27.49", "fee_income_amount": "2.00",
    "cost_amount": "23.90", "expected_loss_amount": "175.85", "tax_amount": "219.68", "contribution_amount": "659.02",
    "capital_amount": "43460.99", "capital_charge_amount": "392.94", "eva_amount": "266.08", "raroc": "0.184489",
}  # fmt: skip


@pytest.fixture(scope="module")
def example() -> dict[str, list[Row]]:
    """The customer of docs/contribution.md in September 2026."""
    card = {"product_type": "card", "system": "cards"}
    return contribution(
        END,
        first_month=SEPTEMBER,
        accounts=[
            account("A1", "18000.00", product_code="D102", interest_rate="0.0005"),
            account(
                "A2", "20000.00", product_family="term_deposit", product_code="D201", currency_code="USD",
                interest_rate="0.035", opened_date=dt.date(2026, 9, 16),
            ),
        ],
        cards=[
            {"customer_id": "C1", "system": "cards", "card_id": "K1", "product_family": "credit_card",
             "product_code": "CC01", "currency_code": "CNY", "credit_limit_amount": "50000", "balance_amount": "6000",
             "issued_date": dt.date(2022, 5, 1), "expiry_date": dt.date(2027, 5, 1)},
        ],
        loans=[
            {"customer_id": "C1", "system": "loans", "loan_id": "L1", "product_family": "mortgage",
             "product_code": "H01", "currency_code": "CNY", "principal_amount": "1000000",
             "outstanding_amount": "797000", "interest_rate": "0.0345", "start_date": dt.date(2019, 3, 1),
             "term_months": 360},
        ],
        transactions=[
            movement("A1", "2026-09-11", "12000", transaction_kind="salary"),
            movement("A1", "2026-09-21", "-3998", transaction_kind="purchase", channel="point_of_sale"),
            movement("A1", "2026-09-21", "-2", transaction_kind="fee"),
            movement("K1", "2026-09-06", "-3000", transaction_kind="purchase", channel="point_of_sale", **card),
            movement("K1", "2026-09-06", "-45", transaction_kind="interest", **card),
            movement("K1", "2026-09-16", "5000", transaction_kind="repayment", channel="mobile", **card),
        ],
        performance=[
            {"system": "loans", "loan_id": "L1", "as_of_date": dt.date(2026, 8, 31), "outstanding_amount": "800000"},
        ],
        scores=[{"customer_id": "C1", "as_of_date": END, "probability_of_default": "0.012"}],
    )  # fmt: skip


@pytest.mark.parametrize("product", BY_HAND)
def test_each_product_is_what_was_worked_out_by_hand(example: dict[str, list[Row]], product: str) -> None:
    (row,) = (row for row in example["value.product_month"] if row["product_id"] == product)
    expected = {name: Decimal(value) for name, value in BY_HAND[product].items()}
    assert {name: row[name] for name in expected} == expected


def test_the_customer_is_what_was_worked_out_by_hand(example: dict[str, list[Row]]) -> None:
    (row,) = example["mart.customer_contribution"]
    expected = {name: Decimal(value) for name, value in CUSTOMER_BY_HAND.items()}
    assert {name: row[name] for name in expected} == expected


def test_a_year_of_one_month_is_that_month_with_a_twelfth_of_the_capital(example: dict[str, list[Row]]) -> None:
    (year,) = example["mart.customer_annual_contribution"]
    assert (year["month_count"], year["contribution_amount"]) == (1, Decimal("659.02"))
    assert year["capital_amount"] == Decimal("3572.14")  # 43,460.99 x 30 / 365
    assert year["raroc"] == Decimal("0.184489")


def test_the_document_tells_the_figures_of_the_example() -> None:
    text = (Path(__file__).parents[2] / "docs/contribution.md").read_text(encoding="utf-8")
    told = {f"{abs(Decimal(v)):,}" for row in BY_HAND.values() for v in row.values() if isinstance(v, str)}
    told |= {f"{Decimal(value):,}" for value in CUSTOMER_BY_HAND.values()}
    assert [figure for figure in sorted(told) if figure not in text] == []


def only(tables: dict[str, list[Row]], table: str = "value.product_month") -> Row:
    (row,) = tables[table]
    return row


def test_a_month_is_valued_with_the_parameters_of_its_last_day() -> None:
    """The sample's curve of CNY falls on 2026-07-01: at twelve months from 2.15 % to 2.00 %."""
    rows = contribution(END, first_month=dt.date(2026, 6, 1), accounts=[account("A1", "1000")])
    assert [(row["month"].month, row["transfer_rate"]) for row in rows["value.product_month"]] == [
        (6, Decimal("0.0215")),
        (7, Decimal("0.0200")),
        (8, Decimal("0.0200")),
        (9, Decimal("0.0200")),
    ]


def test_the_present_month_runs_to_the_business_date() -> None:
    """Ten days at 100, then five at 400: (1,000 + 2,000) / 15; a third of thirty days' cost of 4.00 is half of it."""
    tables = contribution(
        dt.date(2026, 9, 15), first_month=SEPTEMBER, accounts=[account("A1", "400")],
        transactions=[movement("A1", "2026-09-11", "300")],
    )  # fmt: skip
    row = only(tables)
    assert (row["open_days"], row["period_days"], row["average_balance_amount"]) == (15, 15, Decimal("200.00"))
    assert row["cost_amount"] == Decimal("2.05")  # and one transaction in batch
    assert tables["mart.customer_annual_contribution"] == []  # no whole month yet


def test_a_closed_account_has_its_days_and_balances_until_then() -> None:
    """1,000 until it is emptied and closed on the 11th: ten days, and no row in the month after."""
    rows = contribution(
        dt.date(2026, 10, 31), first_month=SEPTEMBER,
        accounts=[account("A1", "0", closed_date=dt.date(2026, 9, 11))],
        transactions=[movement("A1", "2026-09-11", "-1000")],
    )["value.product_month"]  # fmt: skip
    assert [(row["month"], row["open_days"], row["average_balance_amount"]) for row in rows] == [
        (SEPTEMBER, 10, Decimal("1000.00"))
    ]


def test_an_account_without_balance_has_the_one_after_its_latest_movement() -> None:
    row = only(
        contribution(
            END, first_month=SEPTEMBER, accounts=[account("A1", None)],
            transactions=[movement("A1", "2026-09-16", "100", balance_after_amount="300")],
        )
    )  # fmt: skip
    assert (row["closing_balance_amount"], row["average_balance_amount"]) == (Decimal(300), Decimal(250))
    assert row["is_valued"]


def test_a_movement_in_another_currency_counts_at_its_rate() -> None:
    """USD 100 are CNY 710: the balance before was 290, and of the fee of USD 1 the bank has 7.10."""
    row = only(
        contribution(
            END, first_month=SEPTEMBER, accounts=[account("A1", "992.90")],
            transactions=[
                movement("A1", "2026-09-16", "100", currency_code="USD"),
                movement("A1", "2026-09-16", "-1", currency_code="USD", transaction_kind="fee"),
            ],
        )
    )  # fmt: skip
    assert row["average_balance_amount"] == Decimal("641.45")  # (290.00 + 992.90) / 2
    assert row["fee_income_amount"] == Decimal("7.10")


def test_a_balance_of_hundreds_of_millions_is_valued() -> None:
    rows = contribution(END, first_month=SEPTEMBER, accounts=[account("A1", "987654321012.34")])
    (product,) = rows["value.product_month"]
    assert product["base_average_balance_amount"] == Decimal("987654321012.34")


def test_an_overdrawn_account_is_an_exposure() -> None:
    row = only(contribution(END, first_month=SEPTEMBER, accounts=[account("A1", "-1000", interest_rate="0.05")]))
    assert row["exposure_amount"] == Decimal("1000.00")
    assert row["interest_income_amount"] == Decimal("4.17")  # 1,000 x 5 % x 30 / 360
    assert row["funding_amount"] == Decimal("-1.67")
    assert row["expected_loss_amount"] == Decimal("1.23")  # 1,000 x 2 % x 75 % x 30 / 365


def test_a_product_code_may_have_terms_of_its_own() -> None:
    """Three-year certificates are priced at 2.30 %, other term deposits at 2.00 %."""
    rows = contribution(
        END, first_month=SEPTEMBER,
        accounts=[account(code, "1000", product_family="term_deposit", product_code=code) for code in ("D201", "D203")],
    )["value.product_month"]  # fmt: skip
    assert [(row["product_code"], row["transfer_rate"], row["tenor_months"]) for row in rows] == [
        ("D201", Decimal("0.0200"), 12),
        ("D203", Decimal("0.0230"), 36),
    ]


def loan(**fields: object) -> Row:
    return {
        "customer_id": "C1", "system": "loans", "loan_id": "L1", "product_family": "consumer_loan",
        "currency_code": "CNY", "outstanding_amount": "1000", "interest_rate": "0.05",
        "start_date": dt.date(2020, 1, 1), **fields,
    }  # fmt: skip


def test_a_loan_is_priced_at_its_own_term() -> None:
    """Between 12 months (2.00 %) and 24 months (2.15 %) 18 months lie half way."""
    row = only(contribution(END, first_month=SEPTEMBER, loans=[loan(term_months=18)]))
    assert (row["tenor_months"], row["transfer_rate"]) == (18, Decimal("0.020750"))


def test_a_loan_is_what_its_month_ends_say_and_present_where_they_say_nothing() -> None:
    rows = contribution(
        END, first_month=dt.date(2026, 7, 1),
        loans=[loan(), loan(loan_id="L2", start_date=dt.date(2026, 9, 21))],
        performance=[
            {"system": "loans", "loan_id": "L1", "as_of_date": day, "outstanding_amount": amount}
            for day, amount in ((dt.date(2026, 6, 30), "1600"), (dt.date(2026, 7, 31), "1400"))
        ],
    )["value.product_month"]  # fmt: skip
    found = [(row["product_id"], row["month"].month, row["average_balance_amount"]) for row in rows]
    assert found == [
        ("L1", 7, Decimal(1500)),  # from 1,600 to 1,400
        ("L1", 8, Decimal(1200)),  # from 1,400; August's end is not known: the next figure
        ("L1", 9, Decimal(1000)),
        ("L2", 9, Decimal(1000)),
    ]
    assert rows[-1]["open_days"] == 10


def test_a_loan_that_is_settled_has_its_past_only() -> None:
    rows = contribution(
        END, first_month=dt.date(2026, 7, 1), loans=[loan(outstanding_amount="0")],
        performance=[
            {"system": "loans", "loan_id": "L1", "as_of_date": day, "outstanding_amount": amount}
            for day, amount in ((dt.date(2026, 6, 30), "600"), (dt.date(2026, 7, 31), "0"))
        ],
    )["value.product_month"]  # fmt: skip
    assert [(row["month"].month, row["average_balance_amount"]) for row in rows] == [(7, Decimal(300))]


def test_a_loan_that_left_the_file_keeps_its_past_to_the_cent() -> None:
    """Repaid early in September: July and August are as they were, September enters with 1,200 and owes nothing."""
    performance = [
        {"system": "loans", "loan_id": "L1", "as_of_date": day, "outstanding_amount": amount}
        for day, amount in (
            (dt.date(2026, 6, 30), "1600"),
            (dt.date(2026, 7, 31), "1400"),
            (dt.date(2026, 8, 31), "1200"),
        )
    ]
    terms = {name: value for name, value in loan(term_months=24).items() if name != "outstanding_amount"}
    july = dt.date(2026, 7, 1)
    before = contribution(END, first_month=july, loans=[loan(term_months=24)], performance=performance)
    after = contribution(END, first_month=july, ended_loans=[terms], performance=performance)
    assert after["value.product_month"][:2] == before["value.product_month"][:2]
    september = after["value.product_month"][2]
    assert (september["average_balance_amount"], september["closing_balance_amount"]) == (Decimal(600), Decimal(0))
    assert after["mart.customer_contribution"][:2] == before["mart.customer_contribution"][:2]


def test_a_customer_without_score_has_the_familys_probability_and_a_score_counts_from_its_month_end() -> None:
    rows = contribution(
        dt.date(2026, 9, 15), first_month=dt.date(2026, 7, 1), loans=[loan()],
        scores=[{"customer_id": "C1", "as_of_date": dt.date(2026, 8, 31), "probability_of_default": "0.3"}],
    )["value.product_month"]  # fmt: skip
    assert [row["probability_of_default"] for row in rows] == [Decimal("0.025"), Decimal("0.3"), Decimal("0.3")]


def test_a_product_without_customer_is_the_banks_alone() -> None:
    tables = contribution(
        END, first_month=SEPTEMBER, accounts=[account("A1", "1000"), account("A2", "500", customer_id=None)]
    )
    assert len(tables["mart.customer_product_contribution"]) == 1
    assert [(row["is_assigned"], row["base_average_balance_amount"]) for row in tables["mart.bank_contribution"]] == [
        (False, Decimal(500)),
        (True, Decimal(1000)),
    ]


def test_what_has_no_parameters_is_kept_and_marked() -> None:
    settings = ContributionSettings(bank=SAMPLE.bank)
    row = only(contribution(END, first_month=SEPTEMBER, settings=settings, accounts=[account("A1", "1000")]))
    assert not row["is_valued"]
    assert (row["average_balance_amount"], row["contribution_amount"]) == (Decimal(1000), Decimal(0))


def test_a_family_without_terms_is_not_valued_though_its_currency_has_prices() -> None:
    settings = SAMPLE.model_copy(update={"products": {}})
    row = only(contribution(END, first_month=SEPTEMBER, settings=settings, accounts=[account("A1", "1000")]))
    assert not row["is_valued"]
    assert (row["tenor_months"], row["net_interest_amount"], row["contribution_amount"]) == (None, 0, 0)


def test_a_bank_without_parameters_values_nothing() -> None:
    tables = contribution(END, first_month=SEPTEMBER, settings=ContributionSettings(), accounts=[account("A1", "1000")])
    assert tables["value.product_month"] == []
