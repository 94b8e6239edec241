"""mart.customer_risk: stage, probability, exposure with household and group, warnings; by hand."""

from decimal import Decimal
from typing import Any

import duckdb
import pytest
from risk_tables import account, bank, card, customers, day, holder, loan, month_end, moved
from sql_tables import Row, given, made

from models.value.settings import ValueSettings

DATE = day("2026-07-02")
AS_OF, MAY = day("2026-06-30"), day("2026-05-31")
SETTINGS = ValueSettings.model_validate({"risk": {"score_months": 2}})


def score(customer: str, date: Any, probability: str, **fields: Any) -> Row:
    return {
        "customer_id": customer, "as_of_date": date, "probability_of_default": Decimal(probability),
        "model_version": "pd-0123456789abcdef", "is_fallback": False, **fields,
    }  # fmt: skip


def risks(**tables: list[Row]) -> dict[str, Row]:
    con = duckdb.connect()
    bank(con, **tables)
    parameters = SETTINGS.parameters(DATE)
    made(con, "value.exposure", DATE, **parameters)
    made(con, "value.risk_feature", DATE, **parameters)
    given(con, "value.risk_score", *tables.get("value__risk_score", []))
    return {row["customer_id"]: row for row in made(con, "mart.customer_risk", DATE, **parameters)}


def test_a_customer_without_debt_says_so() -> None:
    found = risks(customer__customer=customers("A"))["A"]
    assert (found["has_debt"], found["exposure_amount"], found["warning_count"]) == (False, Decimal(0), 0)
    for name in ("days_past_due", "risk_grade", "ifrs9_stage", "probability_of_default"):
        assert found[name] is None


@pytest.mark.parametrize(
    ("days", "first", "latest", "stage"),
    [
        (0, "0.020000", "0.020000", 1),
        (0, "0.020000", "0.039999", 1),  # almost twice
        (0, "0.020000", "0.040000", 2),  # twice, and two hundredths more
        (0, "0.001000", "0.005000", 1),  # five times, but of next to nothing
        (1, "0.020000", "0.020000", 2),  # special mention
        (91, "0.020000", "0.020000", 3),
    ],
)
def test_stages(days: int, first: str, latest: str, stage: int) -> None:
    found = risks(
        customer__customer=customers("A"),
        customer__loan=[loan("L1", "A", days_past_due=days)],
        value__risk_score=[score("A", MAY, first), score("A", AS_OF, latest)],
    )["A"]
    assert found["ifrs9_stage"] == stage
    assert found["probability_of_default"] == (Decimal(1) if days > 90 else Decimal(latest))


def test_a_probability_by_rule_is_not_compared_with_one_of_a_model() -> None:
    found = risks(
        customer__customer=customers("A"),
        customer__loan=[loan("L1", "A")],
        value__risk_score=[score("A", MAY, "0.01", is_fallback=True), score("A", AS_OF, "0.20")],
    )["A"]
    assert (found["first_probability_of_default"], found["ifrs9_stage"]) == (Decimal("0.20"), 1)


def test_a_loan_granted_since_the_month_end_is_judged_by_rule() -> None:
    found = risks(customer__customer=customers("A"), customer__loan=[loan("L1", "A", days_past_due=20)])["A"]
    assert (found["probability_of_default"], found["is_fallback"]) == (Decimal("0.08"), True)
    assert found["expected_loss_amount"] == Decimal("216.00")  # 6,000 x 0.08 x 0.45


def test_exposures_of_household_group_and_guarantees() -> None:
    """A owes 6,000, its spouse B 1,000, A's company C 20,000; A guarantees the 500 of D."""
    found = risks(
        customer__customer=[*customers("A", "B", "D"), *customers("C", party_type="organisation")],
        customer__loan=[
            loan("L1", "A"),
            loan("L2", "B", outstanding_amount=Decimal(1000)),
            loan("L3", "C", outstanding_amount=Decimal(20000)),
            loan("L4", "D", outstanding_amount=Decimal(500), days_past_due=0),
        ],
        customer__household=[
            {"customer_id": "A", "household_id": "A", "household_size": 2},
            {"customer_id": "B", "household_id": "A", "household_size": 2},
            {"customer_id": "D", "household_id": "D", "household_size": 1},
        ],
        customer__relationship=[
            {
                "customer_id": "C",
                "related_customer_id": "A",
                "relationship": "legal_representative",
                "strength": "registered",
            }
        ],
        customer__party_role=[
            {"customer_id": "A", "product_type": "loan", "product_system": "s", "product_id": "L4", "role": "guarantor"}
        ],
    )
    a, c = found["A"], found["C"]
    assert (a["exposure_amount"], a["household_exposure_amount"]) == (Decimal(6000), Decimal(7000))
    assert (a["group_related_count"], a["group_exposure_amount"]) == (1, Decimal(26000))
    assert (c["group_exposure_amount"], c["household_exposure_amount"]) == (Decimal(26000), Decimal(20000))
    assert a["contingent_exposure_amount"] == Decimal(500)
    assert a["exposure_share"] == Decimal("0.218182")  # 6,000 of 27,500
    assert (a["is_concentrated"], found["D"]["is_concentrated"], found["D"]["exposure_share"]) == (
        True,
        False,
        Decimal("0.018182"),
    )


def test_every_warning_has_its_sign() -> None:
    found = risks(
        customer__customer=customers("A", "G", "Q"),
        customer__product_holder=[holder("loan", "L1", "A")],
        customer__loan=[
            loan("L1", "A", days_past_due=3),
            *(loan(f"N{number}", "A", start_date=day("2026-05-05")) for number in range(3)),
            loan("L9", "G", days_past_due=40),
            loan("L8", "Q"),
        ],
        staging__loan_performance=[month_end("L1", str(MAY), 6000), month_end("L1", str(AS_OF), 6000, 10, 1)],
        customer__account=[account("K1", "A")],
        customer__card=[card("V1", "A", balance_amount=Decimal(9001))],
        value__activity_month=[
            moved("account", "K1", month, last_balance_amount=Decimal(20000), salary_amount=5000, credit_amount=5000)
            for month in ("2026-01-01", "2026-02-01", "2026-03-01")
        ]
        + [moved("account", "K1", "2026-06-01", last_balance_amount=Decimal(6000))],
        customer__relationship=[
            {"customer_id": "A", "related_customer_id": "G", "relationship": "guarantor", "strength": "registered"}
        ],
    )
    assert found["A"]["warning_codes"] == (
        "new_arrears, salary_stopped, card_near_limit, balance_collapsed, several_new_loans, guarantor_in_arrears"
    )
    assert (found["A"]["warning_count"], found["G"]["warning_codes"]) == (6, "new_arrears")
    assert (found["Q"]["warning_codes"], found["Q"]["warning_count"]) == (None, 0)
