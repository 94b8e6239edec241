"""Settings of value: what they hand to the tables' SQL."""

import datetime as dt

import pytest
from pydantic import ValidationError

from models.value.settings import ValueSettings, latest_month_end


@pytest.mark.parametrize(
    ("date", "month_end"),
    [
        ("2026-10-29", "2026-09-30"),
        ("2026-10-31", "2026-10-31"),
        ("2024-02-29", "2024-02-29"),
        ("2025-01-01", "2024-12-31"),
    ],
)
def test_models_judge_as_of_the_latest_month_end(date: str, month_end: str) -> None:
    assert latest_month_end(dt.date.fromisoformat(date)) == dt.date.fromisoformat(month_end)


def test_the_first_month_lies_so_many_months_before_the_dates_own() -> None:
    parameters = ValueSettings(history_months=14).parameters(dt.date(2026, 1, 31))
    assert parameters["first_month"] == dt.date(2024, 11, 1)
    assert parameters["contribution_from"] == dt.date(2025, 1, 1)


def test_debtors_are_scored_at_the_latest_month_ends() -> None:
    settings = ValueSettings.model_validate({"risk": {"score_months": 3}})
    assert settings.parameters(dt.date(2026, 3, 30))["score_dates"] == [
        dt.date(2025, 12, 31),
        dt.date(2026, 1, 31),
        dt.date(2026, 2, 28),
    ]


def test_coverage_speaks_of_tiers_that_there_are() -> None:
    tier = {"name": "standard", "manager_kind": "team"}
    with pytest.raises(ValidationError, match="coverage speaks of tiers that segments does not have: gold"):
        ValueSettings.model_validate(
            {
                "segments": [{"tiers": {"person": [tier], "organisation": [tier]}}],
                "coverage": {"policies": [{"valid_from": "2026-01-01", "tiers": {"standard": {}, "gold": {}}}]},
            }
        )
