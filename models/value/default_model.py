"""The probability of default: observations of past month ends, the scorecard fitted on them, and what it says.

Here is what is fitted on what. The arithmetic of the card is in ``scorecard``, the characteristics are the SQL of
``value.risk_feature``, which training reads for past month ends and a night for those it scores.
"""

import datetime as dt
import zlib
from collections.abc import Mapping
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from models.tables import load_tables
from models.value.fitted_model import FittedModel
from models.value.model_kind import CardSection, ModelKind, ThinHistoryError
from models.value.observations import Flags, Numbers, Observations
from models.value.risk_settings import RiskSettings, month_ends
from models.value.scorecard import Scorecard, fit_scorecard
from models.value.settings import ValueSettings
from models.value.validation import group_figures, validate

NAME = "pd"
FEATURE_TABLE = "value.risk_feature"
OBSERVED = "is_served"
DAYS_PAST_DUE = "current_days_past_due"
UNDATED = frozenset({"loan_rate_spread", "months_on_book", "loans_opened_12m", "instalment_to_income"})
"""Characteristics of a loan's terms: if its tape tells none, missing once it has left the file, for good or bad."""
_FOLDS = 5
_KEYS = ("customer_id", "as_of_date", OBSERVED)


def characteristics() -> tuple[str, ...]:
    """Columns of ``value.risk_feature`` that a card may use."""
    return tuple(column.name for column in load_tables()[FEATURE_TABLE].columns if column.name not in _KEYS)


def words() -> dict[str, tuple[str, str]]:
    """What each characteristic means, in English and Chinese."""
    said = {column.name: (column.en, column.zh) for column in load_tables()[FEATURE_TABLE].columns}
    return {**said, "is_female": ("Sex", "性别")}


def observe(con: duckdb.DuckDBPyConnection, settings: ValueSettings, date: dt.date) -> Observations:
    """Debtors not in default at the month ends whose horizon is over, and whether they defaulted within it.

    Args:
        con: Connection with the inputs of ``value.risk_feature``, ``staging.loan_performance`` and
            ``customer.customer``.
        settings: Section ``risk`` is read.
        date: Business date; what was reported after it is not read.

    Raises:
        ThinHistoryError: no month end has both its observation months and its horizon in what was reported.
    """
    risk = settings.risk
    dates = _observable(con, risk, date)
    found = read_features(con, dates, risk)
    chosen = (found.features[OBSERVED] == 1) & ~(found.features[DAYS_PAST_DUE] > risk.default_days)
    found = found.where(chosen)
    defaulted = con.execute(
        """
        select distinct
            coalesce(holder.customer_id, ended.customer_id) as customer_id,
            as_of.as_of_date
        from staging.loan_performance as entry
        left join customer.product_holder as holder
            on entry.system = holder.product_system and entry.loan_id = holder.product_id
            and holder.product_type = 'loan'
        left join customer.ended_loan as ended on entry.system = ended.system and entry.loan_id = ended.loan_id
        inner join (select unnest($dates) as as_of_date) as as_of
            on entry.as_of_date > as_of.as_of_date
            and entry.as_of_date <= last_day(as_of.as_of_date + to_months($horizon))
        where entry.days_past_due > $days
        """,
        {"dates": dates, "horizon": risk.horizon_months, "days": risk.default_days},
    ).fetchall()
    events = {(customer, np.datetime64(day, "D")) for customer, day in defaulted}
    pairs = zip(found.customer_id.tolist(), found.as_of_date, strict=True)
    outcome = np.fromiter((pair in events for pair in pairs), dtype=bool, count=len(found))
    return Observations(found.customer_id, found.as_of_date, found.features, outcome, found.groups)


def _observable(con: duckdb.DuckDBPyConnection, risk: RiskSettings, date: dt.date) -> list[dt.date]:
    first, last = con.execute(
        "select min(as_of_date), max(as_of_date) from staging.loan_performance where as_of_date <= ?", [date]
    ).fetchall()[0]
    needed = risk.observation_months + risk.horizon_months
    if last is None:
        raise ThinHistoryError(
            "no loan performance has been delivered: the probability of default has nothing to fit on"
        )
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    last_end = month_ends(last, 2)[0] if (last + dt.timedelta(days=1)).day != 1 else last
    usable = months - (0 if last_end == last else 1) - needed + 1
    if usable < 1:
        raise ThinHistoryError(
            f"loan performance reaches from {first} to {last}; one month end needs {risk.observation_months} months "
            f"up to it and {risk.horizon_months} after it"
        )
    return month_ends(last_end, usable + risk.horizon_months)[:usable]


def read_features(con: duckdb.DuckDBPyConnection, dates: list[dt.date], risk: RiskSettings) -> Observations:
    """The characteristics of all debtors at month ends, made by the SQL of ``value.risk_feature``."""
    sql = load_tables()[FEATURE_TABLE].sql
    return as_observations(con, f"({sql}\n)", risk, {"score_dates": dates})


def _folds(customer_id: NDArray[np.str_]) -> NDArray[np.int64]:
    """One of five folds for each customer, by its id alone: the same whoever else is there, in whatever order."""
    ids, inverse = np.unique(customer_id, return_inverse=True)
    return np.array([zlib.crc32(str(one).encode()) % _FOLDS for one in ids], dtype=np.int64)[inverse]


def as_observations(
    con: duckdb.DuckDBPyConnection, relation: str, risk: RiskSettings, params: Mapping[str, Any]
) -> Observations:
    """Rows of a relation shaped as ``value.risk_feature``, with the customers' protected attributes beside them."""
    names = (OBSERVED, *characteristics())
    columns = ", ".join(f"cast(feature.{name} as double) as {name}" for name in names)
    found = con.execute(
        f"""
        select feature.customer_id, feature.as_of_date, {columns},
            coalesce(customer.sex, 'unknown') as sex, coalesce(customer.province, 'unknown') as province
        from {relation} as feature
        left join customer.customer as customer using (customer_id)
        order by feature.customer_id, feature.as_of_date
        """,
        dict(params) or None,
    ).fetchnumpy()
    features = {name: _numbers(found[name]) for name in names}
    groups = {name: np.asarray(found[name], dtype=str) for name in ("sex", "province")}
    if "sex" in risk.protected_attributes:
        features["is_female"] = np.where(groups["sex"] == "unknown", np.nan, groups["sex"] == "female")
    return Observations(
        np.asarray(found["customer_id"], dtype=str),
        np.asarray(found["as_of_date"], dtype="datetime64[D]"),
        features,
        None,
        groups,
    )


def _numbers(column: Any) -> Numbers:
    return np.ma.filled(np.ma.asarray(column, dtype=np.float64), np.nan)


def fit(observations: Observations, settings: ValueSettings, name: str = NAME) -> FittedModel:
    """Fit a card on the earlier month ends and validate it on the latest ones.

    Raises:
        ThinHistoryError: fewer month ends or defaults than ``value.yaml`` asks, or none among the latest ones.
    """
    risk = settings.risk
    months = len(np.unique(observations.as_of_date))
    defaults = len(np.unique(observations.customer_id[observations.happened]))
    if months < risk.minimum_months or defaults < risk.minimum_defaults:
        raise ThinHistoryError(
            f"{months} month ends with a known outcome and {defaults} customers in default; value.yaml asks for "
            f"{risk.minimum_months} and {risk.minimum_defaults} (risk.minimum_months, risk.minimum_defaults)"
        )
    early, late = observations.split(risk.holdout_months)
    for part in (early, late):
        if part.happened.all() or not part.happened.any():
            raise ThinHistoryError(
                f"among the latest {risk.holdout_months} month ends, or those before, nobody or everybody defaulted"
            )
    used = {name: values for name, values in early.features.items() if name != OBSERVED}
    card = fit_scorecard(used, early.happened, risk.scorecard, UNDATED, folds=_folds(early.customer_id))
    probability = _floored(card, late.features, risk.probability_floor)
    figures = validate(probability, late.happened, _floored(card, early.features, risk.probability_floor))
    return FittedModel(
        kind=NAME,
        name=name,
        method="scorecard",
        features=tuple(c.name for c in card.characteristics),
        fitted={"scorecard": card.as_json(), "probability_floor": risk.probability_floor},
        data={
            "observations": len(early),
            "customers": len(np.unique(early.customer_id)),
            "defaults": int(early.happened.sum()),
            "customers_in_default": len(np.unique(early.customer_id[early.happened])),
            "first_month_end": str(early.as_of_date.min()),
            "last_month_end": str(early.as_of_date.max()),
            "validated_from": str(late.as_of_date.min()),
            "validated_to": str(late.as_of_date.max()),
            "horizon_months": risk.horizon_months,
            "default_days": risk.default_days,
            "protected_attributes": list(risk.protected_attributes),
        },
        validation={**figures.as_json(), "groups": group_figures(late, probability)},
    )


def card_of(model: FittedModel) -> Scorecard:
    """The scorecard that a model holds."""
    return Scorecard.from_json(model.fitted["scorecard"])


def predict(model: FittedModel, observations: Observations) -> Numbers:
    """Probability of default of each observation, not below the floor that the model was fitted with."""
    return _floored(card_of(model), observations.features, model.fitted["probability_floor"])


def _floored(card: Scorecard, features: Mapping[str, Numbers], floor: float) -> Numbers:
    return np.maximum(card.probability(features), floor)


def fallback_probability(days_past_due: Numbers, risk: RiskSettings) -> Numbers:
    """Probability by days past due as ``value.yaml`` says; unknown days are none, beyond the last bucket is default."""
    uppers = np.array([bucket.up_to_days for bucket in risk.fallback])
    chances = np.array([*(bucket.probability for bucket in risk.fallback), 1.0])
    return chances[np.searchsorted(uppers, np.nan_to_num(days_past_due), side="left")]


def in_default(observations: Observations, risk: RiskSettings) -> Flags:
    """Whether each is in default already."""
    return np.asarray(observations.features[DAYS_PAST_DUE] > risk.default_days)


def sections(model: FittedModel) -> list[CardSection]:
    """The points table, and what was left out."""
    card = card_of(model)
    said = words()
    rows: list[tuple[str | int, ...]] = []
    for c in sorted(card.characteristics, key=lambda c: (-c.information_value, c.name)):
        low = "lowest"
        for b in c.bins:
            label = "missing" if b.is_missing else f"{low} to {'highest' if b.upper is None else f'{b.upper:g}'}"
            low = low if b.is_missing or b.upper is None else f"above {b.upper:g}"
            share = f"{b.bads / b.count:.2%}" if b.count else "none"
            rows.append((f"{c.name}: {label}", b.count, share, f"{b.woe:+.3f}", b.points))
    told = [(f"{name} ({said[name][0]})", why) for name, why in card.left_out.items()]
    used = [
        (f"{c.name} ({said[c.name][0]})", f"{c.information_value:.3f}", f"{c.coefficient:.3f}")
        for c in card.characteristics
    ]
    return [
        CardSection("Points", "The score is the sum of the points of a debtor's bins; more points, less risk.",
                    ("characteristic and bin", "observations", "in default", "weight of evidence", "points"), rows),
        CardSection("Characteristics", "What each tells alone (information value), and its weight in the card.",
                    ("characteristic", "information value", "coefficient"), used),
        CardSection("Left out", "Characteristics that were offered and are not in the card.",
                    ("characteristic", "why"), told),
    ]  # fmt: skip


KIND = ModelKind(
    name=NAME,
    title="Probability of default within the horizon",
    method=(
        "A scorecard: each characteristic is cut into monotone bins (isotonic regression), each bin weighs by its "
        "evidence, a logistic regression with a ridge penalty weighs the characteristics, and both become points. An "
        "observation is a debtor at a month end who is not in default; the outcome is more days past due than the "
        "limit on any loan within the horizon. Fitted on the earlier month ends, validated on the latest."
    ),
    limits=(
        "Default is seen on loans only: debtors with credit cards alone are judged by rule.",
        "A debtor is observed at several month ends, whose horizons overlap, also those of fitting and validation: the "
        "figures of validation are of later characteristics, not of wholly separate outcomes.",
        "The limit of a card is taken as it stands now; so are a loan's terms where its performance tape tells none.",
        "The probability is that of the months it was fitted on: it follows no forecast of the economy.",
        "For grades, stages, provisions and early warning of customers the bank has; not for granting loans.",
    ),
    feature_table=FEATURE_TABLE,
    inputs=(),
    observe=observe,
    fit=fit,
    predict=predict,
    sections=sections,
    holdout_months=lambda settings: settings.risk.holdout_months,
)
