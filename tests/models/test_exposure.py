"""value.exposure: grades of claims at their limits, and of debtors with their claims together."""

from decimal import Decimal
from typing import Any

import duckdb
import pytest
from risk_tables import bank, card, customers, day, loan
from sql_tables import Row, made

from models.value.settings import ValueSettings

DATE = day("2026-07-02")


def exposures(
    party_type: str, loans: list[Row], cards: list[Row] | None = None, terms: list[Row] | None = None, **risk: Any
) -> list[Row]:
    con = duckdb.connect()
    bank(
        con,
        customer__customer=customers("A", party_type=party_type),
        customer__loan=loans,
        customer__card=cards or [],
        value__product_parameter=terms or [],
        staging__exchange_rate=[
            {"currency_code": "CNY", "exchange_rate": Decimal(1)},
            {"currency_code": "USD", "exchange_rate": Decimal("7.10")},
        ],
    )
    settings = ValueSettings.model_validate({"risk": risk})
    return made(con, "value.exposure", DATE, **settings.parameters(DATE))


@pytest.mark.parametrize(
    ("days", "grade"),
    [
        (0, "normal"),
        (1, "special_mention"),
        (90, "special_mention"),
        (91, "substandard"),
        (270, "substandard"),
        (271, "doubtful"),
        (360, "doubtful"),
        (361, "loss"),
    ],
)
def test_days_past_due_decide_at_least(days: int, grade: str) -> None:
    (found,) = exposures("person", [loan("L1", "A", days_past_due=days)])
    assert (found["claim_grade"], found["risk_grade"]) == (grade, grade)


def test_a_bank_may_except_a_weeks_technical_delay() -> None:
    (found,) = exposures("person", [loan("L1", "A", days_past_due=7)], grades={"special_mention_days": 7})
    assert found["risk_grade"] == "normal"


def test_an_overdue_amount_of_unknown_age_is_overdue() -> None:
    (found,) = exposures("person", [loan("L1", "A", overdue_amount=Decimal(10))])
    assert (found["days_past_due"], found["risk_grade"]) == (1, "special_mention")


def _two(bad: int, good: int) -> list[Row]:
    return [
        loan("L1", "A", days_past_due=91, outstanding_amount=Decimal(bad)),
        loan("L2", "A", days_past_due=0, outstanding_amount=Decimal(good)),
    ]


def test_more_than_a_tenth_non_performing_makes_all_of_an_organisations_debt_so() -> None:
    at, above = exposures("organisation", _two(100, 900)), exposures("organisation", _two(101, 899))
    assert [row["risk_grade"] for row in at] == ["substandard", "special_mention"]
    assert [row["risk_grade"] for row in above] == ["substandard", "substandard"]
    assert [row["claim_grade"] for row in above] == ["substandard", "normal"]


def test_a_persons_claims_are_graded_one_by_one() -> None:
    assert [row["risk_grade"] for row in exposures("person", _two(900, 100))] == ["substandard", "normal"]


def test_exposure_is_what_is_owed_and_two_fifths_of_what_may_be_drawn() -> None:
    cards = [
        card("V1", "A", balance_amount=Decimal(4000)),
        card("V2", "A", balance_amount=Decimal(-50)),  # overpaid: nothing is owed
        card("V3", "A", balance_amount=Decimal(100), status_code="cancelled"),
        card("V4", "A", balance_amount=Decimal(0), expiry_date=day("2026-06-30")),
    ]
    found = exposures("person", [loan("L1", "A", currency_code="USD", outstanding_amount=Decimal("10.01"))], cards)
    assert [(row["product_id"], row["base_owed_amount"], row["exposure_amount"]) for row in found] == [
        ("V1", Decimal(4000), Decimal(6400)),
        ("V2", Decimal(-50), Decimal(4000)),
        ("V3", Decimal(100), Decimal(100)),
        ("V4", Decimal(0), Decimal(0)),
        ("L1", Decimal("71.07"), Decimal("71.07")),
    ]


def test_exposure_and_loss_go_by_the_terms_in_force_of_the_product_then_of_its_family() -> None:
    """A limit of 10,000, 4,000 owed: by the family 4,000 + 0.2 x 6,000, by product C9 4,000 + 0.5 x 6,000."""

    def terms(code: str, factor: str, loss: str, valid_to: str | None = None) -> Row:
        return {
            "product_family": "credit_card", "product_code": code, "valid_from": day("2020-01-01"),
            "valid_to": day(valid_to) if valid_to else None,
            "credit_conversion_factor": Decimal(factor), "loss_given_default": Decimal(loss),
        }  # fmt: skip

    owed = {"credit_limit_amount": Decimal(10_000), "balance_amount": Decimal(4_000)}
    cards = [card("C1", "A", product_code="C1", **owed), card("C2", "A", product_code="C9", **owed)]
    listed = [terms("*", "0.2", "0.6"), terms("C9", "0.5", "0.8"), terms("C1", "1", "1", "2026-07-02")]
    found = [
        (row["product_id"], row["exposure_amount"], row["loss_given_default"])
        for row in exposures("person", [], cards, listed)
    ]
    assert found == [("C1", Decimal(5200), Decimal("0.6")), ("C2", Decimal(7000), Decimal("0.8"))]
