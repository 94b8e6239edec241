"""Parameters of contribution: what value.yaml may say, and the rows that publish it."""

import datetime as dt
from decimal import Decimal

import pytest
from pydantic import ValidationError

from models.value.contribution_settings import ContributionSettings, TransferCurve
from models.value.settings import ValueSettings

JANUARY, JULY = dt.date(2026, 1, 1), dt.date(2026, 7, 1)


@pytest.mark.parametrize(
    ("tenor", "rate"),
    [
        (0, "0.010000"),  # before the first tenor: its rate
        (3, "0.010000"),
        (6, "0.013333"),  # a third of the way from 1 % at three months to 2 % at twelve
        (7, "0.014444"),
        (12, "0.020000"),
        (360, "0.020000"),  # after the last
    ],
)
def test_a_rate_between_two_tenors_lies_on_the_straight_line(tenor: int, rate: str) -> None:
    curve = TransferCurve(valid_from=JANUARY, days_in_year=360, rates={12: Decimal("0.02"), 3: Decimal("0.01")})
    assert curve.rate(tenor) == Decimal(rate)


def test_an_entry_is_in_force_until_the_next_begins() -> None:
    entry = {"capital_ratio": 0.1, "cost_of_capital": 0.1, "tax_rate": 0.25}
    settings = ContributionSettings.model_validate(
        {"bank": [{"valid_from": JULY, **entry}, {"valid_from": JANUARY, **entry}]}
    )
    assert [(row["valid_from"], row["valid_to"]) for row in settings.bank_parameter_rows()] == [
        (JANUARY, JULY),
        (JULY, None),
    ]


def test_a_product_code_takes_over_what_it_does_not_say() -> None:
    settings = ContributionSettings.model_validate(
        {
            "products": {
                "term_deposit": [
                    {"valid_from": JANUARY, "side": "liability", "tenor_months": 12, "monthly_cost": 2,
                     "codes": {"D203": {"tenor_months": 36}}}
                ]
            }
        }
    )  # fmt: skip
    rows = list(settings.product_parameter_rows())
    assert [(r["product_code"], r["tenor_months"], r["monthly_cost"], r["balance_side"]) for r in rows] == [
        ("*", 12, Decimal(2), "liability"),
        ("D203", 36, Decimal(2), "liability"),
    ]


def test_every_tenor_is_published_and_the_quoted_ones_marked() -> None:
    settings = ContributionSettings.model_validate(
        {"transfer_prices": {"CNY": [{"valid_from": JANUARY, "days_in_year": 360, "rates": {0: 0.01, 12: 0.02}}]}}
    )
    rows = list(settings.transfer_price_rows())
    assert [row["tenor_months"] for row in rows] == list(range(361))
    assert [row["tenor_months"] for row in rows if row["is_quoted"]] == [0, 12]


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ({"products": {"morgage": [{"valid_from": JANUARY, "side": "asset"}]}}, "no product family 'morgage'"),
        ({"products": {"mortgage": [{"valid_from": JANUARY, "side": "asset"}] * 2}}, "two entries begin on 2026-01-01"),
        ({"products": {"mortgage": [{"valid_from": JANUARY, "side": "asset", "default_pd": 1.2}]}}, "less than"),
        ({"transfer_prices": {"CNY": [{"valid_from": JANUARY, "days_in_year": 300, "rates": {1: 0}}]}}, "360 or 365"),
        ({"transfer_prices": {"CNY": [{"valid_from": JANUARY, "days_in_year": 360, "rates": {}}]}}, "at least 1 item"),
        ({"months": 48}, "raise history_months"),
    ],
)  # fmt: skip
def test_a_mistake_is_told(section: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        ValueSettings.model_validate({"contribution": section})
