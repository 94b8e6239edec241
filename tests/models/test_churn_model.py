"""The probability of leaving: who left, by hand; the better method by later time; same input, same model."""

import datetime as dt
from decimal import Decimal

import duckdb
import numpy as np
import pytest
from sql_tables import Row, given

from models.value import churn_methods, churn_model
from models.value.churn_settings import ChurnSettings
from models.value.model_kind import ThinHistoryError
from models.value.observations import Observations
from models.value.risk_settings import month_ends
from models.value.settings import ValueSettings

SETTINGS = ValueSettings(churn=ChurnSettings(minimum_churned=20, observation_months=1))


def past(counts: dict[str, dict[int, tuple[int, int]]]) -> duckdb.DuckDBPyConnection:
    """Customers' own transactions and balances by month of 2026."""
    con = duckdb.connect()
    rows: list[Row] = []
    for customer, months in counts.items():
        for number, (own, balance) in months.items():
            zero = dict.fromkeys(("mobile_count", "online_count", "counter_count", "point_of_sale_count"), 0)
            money = dict.fromkeys(("base_credit_amount", "base_debit_amount", "base_salary_amount"), Decimal(0))
            first = dt.date(2026, number, 1)
            rows.append({"customer_id": customer, "month": first, "initiated_count": own, **zero, **money,
                         "known_balance_amount": Decimal(balance), "last_initiated_date": first})  # fmt: skip
    given(con, "value.customer_month", *rows)
    given(con, "customer.customer", *({"customer_id": c, "party_type": "person"} for c in counts))
    for table in ("account", "card", "loan"):
        given(con, f"customer.{table}")
    return con


def test_left_is_who_is_silent_for_the_whole_horizon_and_has_emptied_the_accounts() -> None:
    con = past(
        {
            "stays": {1: (3, 1000), 3: (1, 900)},
            "leaves": {1: (3, 1000), 2: (0, 199)},
            "keeps": {1: (3, 1000), 2: (0, 200)},
            "late": {1: (3, 1000), 2: (1, 0)},
            "silent": {1: (3, 1000)},
        }
    )
    found = churn_model.observe(con, SETTINGS, dt.date(2026, 4, 30))
    assert dict(zip(found.customer_id.tolist(), found.happened.tolist(), strict=True)) == {
        "keeps": False, "late": False, "leaves": True, "silent": False, "stays": False
    }  # fmt: skip
    assert set(found.as_of_date.astype(str)) == {"2026-01-31"}


def test_no_month_end_without_its_horizon() -> None:
    with pytest.raises(ThinHistoryError, match="3 after it"):
        churn_model.observe(past({"A": {1: (3, 1000)}}), SETTINGS, dt.date(2026, 3, 31))


def drawn(months: int = 12, customers: int = 300) -> Observations:
    """Customers who leave the likelier, the more their balance fell; other characteristics say nothing."""
    rng = np.random.default_rng(7)
    days = np.repeat(np.array(month_ends(dt.date(2026, 6, 30), months), dtype="datetime64[D]"), customers)
    features = {name: rng.normal(size=len(days)) for name in churn_model.characteristics()}
    push = features["balance_change_1m"]
    outcome = rng.random(len(days)) < 1 / (1 + np.exp(3 + 3 * push))
    ids = np.array([f"C{n:04d}" for n in range(customers)] * months)
    return Observations(ids, days, features, outcome, {"sex": np.array(["female", "male"] * (len(days) // 2))})


def test_the_model_finds_what_moves_leaving_and_holds_on_later_time() -> None:
    observations = drawn()
    model = churn_model.fit(observations, SETTINGS)
    assert model.method == "logistic"  # a straight line made the outcomes
    assert model.validation["auc"] > 0.85
    assert abs(model.validation["predicted"] - model.validation["observed"]) < 0.03
    assert (model.data["last_month_end"], model.data["validated_from"]) == ("2025-12-31", "2026-05-31")
    assert model.data["chosen_and_calibrated_to"] == "2026-02-28"  # its horizon ends before validation begins
    fallen = observations.where(observations.features["balance_change_1m"] < -2)
    assert all(told.startswith("the balance fell last month") for told in churn_model.reasons(model, fallen, 3))


def test_same_observations_same_model_whatever_the_machine_did_before() -> None:
    observations = drawn()
    assert churn_model.fit(observations, SETTINGS).id == churn_model.fit(drawn(), SETTINGS).id
    matrix = observations.matrix(tuple(sorted(observations.features)))
    one, two = (churn_methods.fit("lightgbm", matrix, observations.happened) for _ in range(2))
    assert one == two
    pushes = churn_methods.contributions(one, matrix[:50])
    raw = churn_methods.raw_score(one, matrix[:50])
    assert np.ptp(raw - pushes.sum(axis=1)) < 1e-9  # the contributions add up to the score, but for one constant


def test_too_few_month_ends_fit_nothing() -> None:
    with pytest.raises(ThinHistoryError, match="month ends to fit on"):
        churn_model.fit(drawn(months=7), SETTINGS)


def test_without_a_model_silence_decides() -> None:
    days = np.array([0.0, 15, 16, 31, 62, 63, 400, np.nan])
    assert churn_model.fallback_probability(days, ChurnSettings()).tolist() == [
        0.01, 0.01, 0.03, 0.03, 0.1, 0.25, 0.25, 0.01
    ]  # fmt: skip


def test_lift_is_the_share_among_the_likeliest_tenth_against_all() -> None:
    probability = np.linspace(1, 0, 20)
    outcome = np.zeros(20, dtype=bool)
    outcome[[0, 10]] = True
    assert churn_model.lift(probability, outcome) == 5.0  # 1 of 2 against 2 of 20


def test_a_constant_characteristic_moves_nothing_when_it_is_another_later() -> None:
    outcome = np.array([False, True] * 150)
    constant = np.full(len(outcome), np.log(3))  # a mean of which differs from it in the last digit
    fitted = churn_methods.fit("logistic", np.column_stack([outcome * 1.0, constant]), outcome)
    late = churn_methods.raw_score(fitted, np.array([[0.0, 2.0], [1.0, 2.0]]))
    early = churn_methods.raw_score(fitted, np.array([[0.0, np.log(3)], [1.0, np.log(3)]]))
    assert np.abs(late - early).max() < 0.01
