"""The probability of leaving: observations of past month ends, the model fitted on them, and what it says of whom.

Here is what is fitted on what, and how the better of two methods is chosen. The methods themselves are in
``churn_methods``, the characteristics are the SQL of ``value.behaviour_feature``, read by fitting and scoring alike.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import duckdb
import numpy as np

from models.tables import load_tables
from models.value import churn_methods
from models.value.churn_settings import ChurnSettings
from models.value.fitted_model import FittedModel
from models.value.model_kind import CardSection, ModelKind, ThinHistoryError
from models.value.observations import Flags, Numbers, Observations
from models.value.risk_settings import month_ends
from models.value.settings import ValueSettings, latest_month_end
from models.value.validation import auc, group_figures, validate

NAME = "churn"
FEATURE_TABLE = "value.behaviour_feature"
DAYS_SILENT = "days_since_initiated"
_KEYS = ("customer_id", "as_of_date")
_OUTCOME = """
with ahead as (
    select
        feature.*,
        step,
        cast(date_trunc('month', as_of_date) + to_months(cast(step as integer)) as date) as month
    from feature
    cross join unnest(generate_series(1, $horizon)) as steps (step)
)
select
    customer_id,
    as_of_date,
    coalesce(sum(later.initiated_count) filter (where step > $horizon - $silent), 0) = 0
    and coalesce(arg_max(later.known_balance_amount, step), any_value(ahead.known_balance_amount))
    < $share * any_value(ahead.known_balance_amount) as has_left
from ahead
left join value.customer_month as later using (customer_id, month)
group by customer_id, as_of_date
order by customer_id, as_of_date
"""


def characteristics() -> tuple[str, ...]:
    """Columns of ``value.behaviour_feature`` that a model may use."""
    return tuple(column.name for column in load_tables()[FEATURE_TABLE].columns if column.name not in _KEYS)


def observe(con: duckdb.DuckDBPyConnection, settings: ValueSettings, date: dt.date) -> Observations:
    """Active customers at the month ends whose horizon is over, and whether they left within it.

    Of more than ``maximum_observations`` a sample of customers is taken, always the same.

    Args:
        con: Connection with the inputs of ``value.behaviour_feature``.
        settings: Section ``churn`` is read.
        date: Business date; the month ends lie before it by the horizon.

    Raises:
        ThinHistoryError: no month end has both its observation months and its horizon in the transactions known.
    """
    churn = settings.churn
    dates = _observable(con, churn, date)
    sql = load_tables()[FEATURE_TABLE].sql
    params = {"churn_dates": dates, "churn": churn.parameters(dates[-1])["churn"]}
    con.execute(f"create or replace temp table feature as from ({sql}\n)", params)
    (count,) = con.execute("select count(*) from feature").fetchall()[0]
    if (every := -(-count // churn.maximum_observations)) > 1:
        con.execute(f"delete from feature where md5_number_lower(customer_id) % {every} <> 0")
    found = as_observations(con, "feature", churn)
    limits = {"horizon": churn.horizon_months, "silent": churn.silent_months, "share": churn.balance_share}
    outcome = con.execute(_OUTCOME, limits).fetchnumpy()["has_left"]
    con.execute("drop table feature")
    return Observations(
        found.customer_id, found.as_of_date, found.features, np.asarray(outcome, dtype=bool), found.groups
    )


def _observable(con: duckdb.DuckDBPyConnection, churn: ChurnSettings, date: dt.date) -> list[dt.date]:
    latest = latest_month_end(date)
    (first,) = con.execute("select min(month) from value.customer_month where month <= ?", [latest]).fetchall()[0]
    if first is None:
        raise ThinHistoryError("no transactions have been delivered: leaving has nothing to fit on")
    months = (latest.year - first.year) * 12 + latest.month - first.month + 1
    usable = months - churn.observation_months - churn.horizon_months + 1
    if usable < 1:
        raise ThinHistoryError(
            f"transactions reach from {first} to {latest}; one month end needs {churn.observation_months} months "
            f"up to it and {churn.horizon_months} after it"
        )
    return month_ends(latest, usable + churn.horizon_months)[:usable]


def as_observations(
    con: duckdb.DuckDBPyConnection, relation: str, churn: ChurnSettings, params: Mapping[str, Any] | None = None
) -> Observations:
    """Rows of a relation shaped as ``value.behaviour_feature``, with the protected attributes of the customers."""
    names = characteristics()
    columns = ", ".join(f"cast(feature.{name} as double) as {name}" for name in names)
    found = con.execute(
        f"""
        select feature.customer_id, feature.as_of_date, {columns},
            coalesce(customer.sex, 'unknown') as sex, coalesce(customer.nationality, 'unknown') as nationality,
            coalesce(customer.province, 'unknown') as province
        from {relation} as feature
        left join customer.customer as customer using (customer_id)
        order by feature.customer_id, feature.as_of_date
        """,
        dict(params or {}) or None,
    ).fetchnumpy()
    features = {name: np.ma.filled(np.ma.asarray(found[name], dtype=np.float64), np.nan) for name in names}
    groups = {name: np.asarray(found[name], dtype=str) for name in ("sex", "nationality", "province")}
    if "sex" in churn.protected_attributes:
        features["is_female"] = np.where(groups["sex"] == "unknown", np.nan, groups["sex"] == "female")
    return Observations(
        np.asarray(found["customer_id"], dtype=str),
        np.asarray(found["as_of_date"], dtype="datetime64[D]"),
        features,
        None,
        groups,
    )


def fit(observations: Observations, settings: ValueSettings, name: str = NAME) -> FittedModel:
    """Fit both methods on the earlier month ends, take the better one, calibrate it, validate it on later time.

    In time: month ends to fit on; then those that choose and calibrate; then, after the horizon of the last of them,
    those to validate on. No outcome that anything was fitted on lies after the first month end of validation.

    Raises:
        ThinHistoryError: fewer month ends or customers who left than ``value.yaml`` asks, or none in one of the parts.
    """
    churn = settings.churn
    early, choose, late = parts(observations, churn)
    names = tuple(sorted(early.features))
    fitted = {
        method: churn_methods.fit(method, early.matrix(names), early.happened) for method in churn_methods.METHODS
    }
    areas = {
        method: auc(churn_methods.raw_score(part, choose.matrix(names)), choose.happened)
        for method, part in fitted.items()
    }
    method = max(churn_methods.METHODS, key=lambda one: round(areas[one], 4))  # of equals the first, the simpler one
    slope, intercept = churn_methods.calibrate(
        churn_methods.raw_score(fitted[method], choose.matrix(names)), choose.happened
    )
    model = {**fitted[method], "slope": slope, "intercept": intercept}
    probability = churn_methods.probability(model, late.matrix(names))
    figures = validate(probability, late.happened, churn_methods.probability(model, early.matrix(names)))
    others = {
        f"auc_{one}": _rounded(auc(churn_methods.raw_score(part, late.matrix(names)), late.happened))
        for one, part in fitted.items()
    }
    return FittedModel(
        kind=NAME,
        name=name,
        method=method,
        features=names,
        fitted=model,
        data={
            "observations": len(early),
            "customers": len(np.unique(early.customer_id)),
            "left": int(early.happened.sum()),
            "first_month_end": str(early.as_of_date.min()),
            "last_month_end": str(early.as_of_date.max()),
            "chosen_and_calibrated_from": str(choose.as_of_date.min()),
            "chosen_and_calibrated_to": str(choose.as_of_date.max()),
            "validated_from": str(late.as_of_date.min()),
            "validated_to": str(late.as_of_date.max()),
            **{f"choice_auc_{one}": _rounded(area) for one, area in areas.items()},
            "definition": (
                f"active: an own transaction in {churn.active_months} months and more than {churn.minimum_balance:g} "
                f"on accounts; left: no own transaction in the last {churn.silent_months} of {churn.horizon_months} "
                f"months and less than {churn.balance_share:.0%} of the balance at their end"
            ),
            "protected_attributes": list(churn.protected_attributes),
        },
        validation={
            **figures.as_json(),
            **others,
            "lift_at_tenth": _rounded(lift(probability, late.happened)),
            "groups": group_figures(late, probability),
        },
    )


def parts(observations: Observations, churn: ChurnSettings) -> tuple[Observations, Observations, Observations]:
    """The observations to fit on, to choose and calibrate on, and to validate on, in order of time."""
    dates = np.unique(observations.as_of_date)
    gap = churn.horizon_months - 1  # month ends whose outcome reaches into validation
    usable = len(dates) - churn.holdout_months - gap
    left = len(np.unique(observations.customer_id[observations.happened]))
    if usable < churn.minimum_months or left < churn.minimum_churned:
        raise ThinHistoryError(
            f"{max(usable, 0)} month ends to fit on (of {len(dates)} with a known outcome, less {churn.holdout_months} "
            f"to validate on and {gap} between) and {left} customers who left; value.yaml asks for "
            f"{churn.minimum_months} and {churn.minimum_churned} (churn.minimum_months, churn.minimum_churned)"
        )
    fitted_to, chosen_to = dates[usable - churn.calibration_months - 1], dates[usable - 1]
    day = observations.as_of_date
    parts = (
        observations.where(day <= fitted_to),
        observations.where((day > fitted_to) & (day <= chosen_to)),
        observations.where(day > dates[-churn.holdout_months - 1]),
    )
    for part in parts:
        if part.happened.all() or not part.happened.any():
            raise ThinHistoryError(
                f"of the customers at the month ends from {part.as_of_date.min()} to {part.as_of_date.max()} nobody or "
                f"everybody left"
            )
    return parts


def lift(probability: Numbers, outcome: Flags, share: float = 0.1) -> float:
    """How many times more often it happened among the likeliest share of the rows than among all."""
    chosen = np.argsort(-probability, kind="stable")[: max(round(len(probability) * share), 1)]
    return float(outcome[chosen].mean() / outcome.mean())


def predict(model: FittedModel, observations: Observations) -> Numbers:
    """Probability of leaving of each observation."""
    return churn_methods.probability(model.fitted, observations.matrix(model.features))


def fallback_probability(days_silent: Numbers, churn: ChurnSettings) -> Numbers:
    """Probability by days since the last own transaction, as ``value.yaml`` says; beyond the last bucket as in it."""
    uppers = np.array([bucket.up_to_days for bucket in churn.fallback])
    chances = np.array([bucket.probability for bucket in churn.fallback])
    return chances[np.minimum(np.searchsorted(uppers, np.nan_to_num(days_silent), side="left"), len(chances) - 1)]


def reasons(model: FittedModel, observations: Observations, most: int) -> list[str]:
    """What speaks most for leaving, in words, against the mean of the customers: up to so many reasons each."""
    matrix = observations.matrix(model.features)
    pushes = churn_methods.contributions(model.fitted, matrix)
    means = np.array(model.fitted["mean"])
    order = np.argsort(-pushes, axis=1, kind="stable")[:, : most * 2]
    told = []
    for row, (columns, push) in enumerate(zip(order, pushes, strict=True)):
        words: list[str] = []
        for column in columns[push[columns] > 0]:
            low, high = REASON_WORDS[model.features[column]]
            word = low if np.isnan(matrix[row, column]) or matrix[row, column] < means[column] else high
            if word not in words:
                words.append(word)
        told.append("; ".join(words[:most]))
    return told


def sections(model: FittedModel) -> list[CardSection]:
    """What the characteristics weigh."""
    words = {column.name: column.en for column in load_tables()[FEATURE_TABLE].columns}
    weights = churn_methods.importance(model.fitted)
    rows = [
        (f"{name} ({words.get(name, name)})", f"{weight:.2%}")
        for name, weight in sorted(zip(model.features, weights, strict=True), key=lambda one: (-one[1], one[0]))
    ]
    return [
        CardSection(
            "Characteristics",
            "Share of each in what moves the score from customer to customer.",
            ("characteristic", "share"),
            rows,
        )
    ]


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


_SHORT = "a short time with the bank"
REASON_WORDS: dict[str, tuple[str, str]] = {
    "initiated_count_1m": ("few own transactions last month", "many own transactions last month"),
    "initiated_count_3m": ("few own transactions in three months", "many own transactions in three months"),
    "initiated_change_1m": ("fewer own transactions than before", "more own transactions than before"),
    "initiated_change_3m": ("fewer own transactions than before", "more own transactions than before"),
    "active_months_12m": ("months without own transactions", "own transactions in every month"),
    DAYS_SILENT: ("a recent own transaction", "no own transaction for long"),
    "known_balance_amount": ("a low balance", "a high balance"),
    "balance_change_1m": ("the balance fell last month", "the balance rose last month"),
    "balance_change_3m": ("the balance fell in three months", "the balance rose in three months"),
    "balance_change_12m": ("the balance is below its mean", "the balance is above its mean"),
    "outflow_share_1m": ("money came in last month", "more went out than came in last month"),
    "outflow_share_3m": ("money came in in three months", "more went out than came in in three months"),
    "inflow_change_1m": ("less comes in than before", "more comes in than before"),
    "salary_months_6m": ("no salary, or not every month", "salary every month"),
    "months_since_salary": ("no salary, or a recent one", "the salary has stopped"),
    "digital_share_12m": ("little use of mobile and online banking", "much use of mobile and online banking"),
    "counter_share_12m": ("little use of the counter", "much use of the counter"),
    "point_of_sale_share_12m": ("few purchases by card", "many purchases by card"),
    "tenure_months": (_SHORT, "a long time with the bank"),
    "months_since_opening": ("a product opened lately", "no product opened for long"),
    "opened_product_count": ("few products", "many products"),
    "family_count": ("few kinds of products", "many kinds of products"),
    "has_loan": ("no loan", "a loan"),
    "has_credit_card": ("no credit card", "a credit card"),
    "is_organisation": ("a person", "an organisation"),
    "is_female": ("sex", "sex"),
}


KIND = ModelKind(
    name=NAME,
    title="Probability that an active customer leaves",
    method=(
        "Logistic regression and gradient-boosted trees (LightGBM) are fitted on the earlier month ends; the one with "
        "the higher AUC on later month ends is taken and calibrated on these by Platt's method. Validated on month "
        "ends after the horizon of all of them, so on outcomes that nothing was fitted on."
    ),
    limits=(
        "Who leaves is defined by silence and an emptied balance, not by closing an account or by asking.",
        "Only active customers are judged; who is silent already is told by the stage of life.",
        "Products, and whose they are, are as known tonight; balances and activity as known at each month end.",
        "A reason is what moves the model, not what moves the customer.",
        "For retention; not for refusing or repricing a service.",
    ),
    feature_table=FEATURE_TABLE,
    inputs=("customer.customer", "value.customer_month"),
    observe=observe,
    fit=fit,
    predict=predict,
    sections=sections,
    holdout_months=lambda settings: settings.churn.holdout_months,
)
