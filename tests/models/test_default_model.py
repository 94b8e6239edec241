"""What the probability of default is fitted on, when there is too little of it, and what stands in for a model."""

import duckdb
import numpy as np
import pytest
from risk_tables import bank, customers, day, holder, loan, month_end

from models.value import default_model
from models.value.model_kind import ThinHistoryError
from models.value.observations import Observations
from models.value.risk_settings import RiskSettings, month_ends
from models.value.settings import ValueSettings

DATE = day("2026-07-02")
SHORT = ValueSettings.model_validate({"risk": {"horizon_months": 2, "observation_months": 2}})


def _history(days: dict[str, tuple[int, ...]], last: str = "2026-06-30") -> duckdb.DuckDBPyConnection:
    """Loans of customers of the same name, with days past due at the month ends up to the last."""
    con = duckdb.connect()
    bank(
        con,
        customer__customer=customers(*days, sex="female"),
        customer__product_holder=[holder("loan", name, name) for name in days],
        customer__loan=[loan(name, name) for name in days],
        staging__loan_performance=[
            month_end(name, str(date), 6000, 300 if late else 0, late)
            for name, past in days.items()
            for date, late in zip(month_ends(day(last), len(past)), past, strict=True)
        ],
    )
    return con


def test_month_ends_are_observed_once_their_horizon_is_over() -> None:
    """Of five month ends, February to June, two before and two after are needed: March and April remain."""
    con = _history({"A": (0, 0, 31, 61, 91), "B": (0, 0, 0, 90, 90), "C": (0, 91, 0, 0, 91)})
    found = default_model.observe(con, SHORT, DATE)
    rows = list(zip(found.customer_id.tolist(), found.as_of_date.astype(str), found.happened.tolist(), strict=True))
    assert rows == [
        ("A", "2026-03-31", False),  # April and May: 31 and 61 days
        ("A", "2026-04-30", True),  # June: 91
        ("B", "2026-03-31", False),  # 90 days are not yet more than 90
        ("B", "2026-04-30", False),
        ("C", "2026-04-30", True),  # in March it is in default already
    ]
    assert set(found.groups["sex"]) == {"female"}


def test_a_month_that_is_not_over_is_not_observed() -> None:
    """What is known of the 15th of July is no month end: June stays the latest."""
    con = _history({"A": (0, 0, 31, 61, 91)})
    con.execute(
        "insert into staging.loan_performance by name select * replace (date '2026-07-15' as as_of_date) "
        "from staging.loan_performance where as_of_date = date '2026-06-30'"
    )
    found = default_model.observe(con, SHORT, day("2026-07-20"))
    assert found.as_of_date.astype(str).tolist() == ["2026-03-31", "2026-04-30"]


def test_what_was_reported_after_the_date_does_not_exist() -> None:
    con = _history({"A": (0, 0, 31, 61, 91)})
    with pytest.raises(ThinHistoryError, match="from 2026-02-28 to 2026-04-30"):
        default_model.observe(con, SHORT, day("2026-05-15"))


def test_without_any_performance_there_is_nothing_to_fit_on() -> None:
    con = _history({})
    with pytest.raises(ThinHistoryError, match="no loan performance"):
        default_model.observe(con, SHORT, DATE)


def _observations(customers_a_month: int = 400, months: int = 8) -> Observations:
    rng = np.random.default_rng(3)
    rows = customers_a_month * months
    features = {name: np.full(rows, np.nan) for name in (default_model.OBSERVED, *default_model.characteristics())}
    strain = rng.normal(size=rows)
    features["card_utilisation"] = strain
    features["current_days_past_due"] = np.zeros(rows)
    dates = np.array(month_ends(day("2026-06-30"), months), dtype="datetime64[D]")
    return Observations(
        np.array([f"C{number:05d}" for number in range(rows)]),
        np.repeat(dates, customers_a_month),
        features,
        rng.random(rows) < 1 / (1 + np.exp(2 - strain)),
        {"sex": np.where(np.arange(rows) % 2, "female", "male")},
    )


def test_a_model_is_validated_on_the_month_ends_it_was_not_fitted_on() -> None:
    model = default_model.fit(_observations(), ValueSettings(), "pd")
    assert (model.data["last_month_end"], model.data["validated_from"]) == ("2026-03-31", "2026-04-30")
    assert model.data["observations"] == 5 * 400
    assert model.validation["count"] == 3 * 400
    assert model.validation["auc"] == pytest.approx(0.72, abs=0.04)
    assert model.validation["gini"] == pytest.approx(2 * model.validation["auc"] - 1, abs=1e-5)
    assert [(group["value"], group["count"]) for group in model.validation["groups"]] == [
        ("female", 600),
        ("male", 600),
    ]
    assert model.features == ("card_utilisation",)
    assert default_model.fit(_observations(), ValueSettings(), "pd").id == model.id


def test_too_few_months_or_defaults_fit_no_model() -> None:
    with pytest.raises(ThinHistoryError, match="5 month ends"):
        default_model.fit(_observations(months=5), ValueSettings(), "pd")
    strict = ValueSettings.model_validate({"risk": {"minimum_defaults": 100_000}})
    with pytest.raises(ThinHistoryError, match=r"risk\.minimum_defaults"):
        default_model.fit(_observations(), strict, "pd")


def test_the_rule_goes_by_days_past_due() -> None:
    settings = RiskSettings.model_validate(
        {"fallback": [{"up_to_days": 0, "probability": 0.01}, {"up_to_days": 90, "probability": 0.3}]}
    )
    found = default_model.fallback_probability(np.array([np.nan, 0, 1, 90, 91]), settings)
    assert found.tolist() == [0.01, 0.01, 0.3, 0.3, 1.0]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"fallback": [{"up_to_days": 30, "probability": 0.1}]}, "ends before default_days"),
        ({"fallback": [{"up_to_days": 90, "probability": 0.1}, {"up_to_days": 30, "probability": 0.2}]}, "must rise"),
        ({"holdout_months": 6}, "leaves nothing to fit on"),
        ({"grades": {"doubtful_days": 90}}, "do not rise"),
        ({"protected_attributes": ["nationality"]}, "Input should be 'sex'"),
    ],
)
def test_settings_that_contradict_themselves_are_refused(said: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        RiskSettings.model_validate(said)
