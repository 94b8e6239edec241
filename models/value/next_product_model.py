"""The next product: who first opened which product family after past month ends, and the propensities fitted on that.

An observation is a customer at a month end and a family that the customer had never had; the outcome is its first
opening within the horizon. What was had is read from ``value.first_opening``, for fitting and scoring by one query, and
nothing opened after a month end is a characteristic of it. How regressions are fitted and kept is ``churn_methods``.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import duckdb
import numpy as np

from models.tables import load_tables
from models.value import churn_methods
from models.value.fitted_model import FittedModel
from models.value.model_kind import CardSection, ModelKind, ThinHistoryError
from models.value.next_product_settings import NextProductSettings
from models.value.observations import Flags, Numbers, Observations
from models.value.risk_settings import month_ends
from models.value.settings import ValueSettings, latest_month_end
from models.value.validation import group_figures, validate

NAME = "next_product"
POPULARITY, LOGISTIC = "popularity", "logistic"
SOURCE = "value.first_opening"
FAMILY = "family"
"""Number of the family in ``families()`` that an observation asks about."""

_ORGANISATION = "is_organisation"
_PARTIES = ("person", "organisation")
_GROUPS = ("sex", "nationality", "province")
_OBSERVED = """
with as_of as (
    select unnest($dates) as as_of_date
),
known as (
    select
        customer_id,
        as_of_date,
        date_diff('month', min(first_opened_date), as_of_date) as tenure_months,
        date_diff('month', max(first_opened_date), as_of_date) as months_since_opening,
        {flags}
    from value.first_opening
    cross join as_of
    where coalesce(first_opened_date <= as_of_date, true) and md5_number_lower(customer_id) % $every = 0
    group by customer_id, as_of_date
),
family as (
    select unnest($families) as product_family, unnest($numbers) as family
)
select
    known.*,
    family.family,
    customer.party_type = 'organisation' as is_organisation,
    coalesce(customer.sex, 'unknown') as sex,
    coalesce(customer.nationality, 'unknown') as nationality,
    coalesce(customer.province, 'unknown') as province,
    coalesce(ahead.first_opened_date <= last_day(as_of_date + to_months($horizon)), false) as is_opened
from known
inner join customer.customer as customer using (customer_id)
cross join family
left join value.first_opening as ahead
    on known.customer_id = ahead.customer_id and family.product_family = ahead.product_family
where ahead.customer_id is null or ($is_past and ahead.first_opened_date > as_of_date)
order by known.customer_id, as_of_date, family
"""


@cache
def families() -> tuple[str, ...]:
    """Product families that may be told as the next one: all but ``other``, sorted."""
    return tuple(sorted(set(load_tables()[SOURCE].column("product_family").values) - {"other"}))


def characteristics() -> tuple[str, ...]:
    """What a model may use: which families were had, for how long, and since when the latest."""
    return (*(f"has_{family}" for family in families()), "tenure_months", "months_since_opening")


def observe(con: duckdb.DuckDBPyConnection, settings: ValueSettings, date: dt.date) -> Observations:
    """Customers and families never had at the month ends whose horizon is over, and whether they took them within it.

    Args:
        con: Connection with ``customer.customer`` and ``value.first_opening``.
        settings: Section ``next_product`` is read.
        date: Business date; the month ends lie before it by the horizon and multiples of it.
    """
    rules = settings.next_product
    latest = latest_month_end(date)
    horizon, wanted = rules.horizon_months, rules.fitted_dates + 2
    dates = month_ends(latest, horizon * wanted + 1)[:-1:horizon]
    (count,) = con.execute("select count(distinct customer_id) from value.first_opening").fetchall()[0]
    every = -(-count * len(dates) * len(families()) // rules.maximum_observations)
    return _observed(con, rules, dates, families(), every=max(every, 1), is_past=True)


def to_score(
    con: duckdb.DuckDBPyConnection, rules: NextProductSettings, as_of: dt.date
) -> Iterator[tuple[str, Observations]]:
    """Customers at a month end, a family at a time: those who have not had it to this day."""
    for family in families():
        yield family, _observed(con, rules, [as_of], (family,), every=1, is_past=False)


def _observed(
    con: duckdb.DuckDBPyConnection,
    rules: NextProductSettings,
    dates: list[dt.date],
    asked: tuple[str, ...],
    *,
    every: int,
    is_past: bool,
) -> Observations:
    flags = ",\n        ".join(f"max((product_family = '{family}')::integer) as has_{family}" for family in families())
    found = con.execute(
        _OBSERVED.format(flags=flags),
        {
            "dates": dates,
            "families": list(asked),
            "numbers": [families().index(family) for family in asked],
            "every": every,
            "horizon": rules.horizon_months,
            "is_past": is_past,
        },
    ).fetchnumpy()
    return Observations(
        np.asarray(found["customer_id"], dtype=str),
        np.asarray(found["as_of_date"], dtype="datetime64[D]"),
        {
            name: np.ma.filled(np.ma.asarray(found[name], dtype=np.float64), np.nan)
            for name in (*characteristics(), FAMILY, _ORGANISATION)
        },
        np.asarray(found["is_opened"], dtype=bool) if is_past else None,
        {name: np.asarray(found[name], dtype=str) for name in _GROUPS},
    )


def fit(observations: Observations, settings: ValueSettings, name: str = NAME) -> FittedModel:
    """Fit propensities on past month ends: by popularity, or by regression where it hits clearly more often later.

    Args:
        observations: From ``observe``, with outcomes.
        settings: Section ``next_product`` is read.
        name: Name of the model.

    Raises:
        ThinHistoryError: too few openings at the month ends to fit on, or none at a later one.
    """
    rules = settings.next_product
    early, choosing, late = parts(observations, rules)
    before = observations.where(observations.as_of_date < late.as_of_date.min())
    hits: list[dict[str, Any]] = []
    fits = {}
    for fitted_on, judged in ((early, choosing), (before, late)):
        for way in (POPULARITY, LOGISTIC):
            fits[way] = _fit(fitted_on, way, rules)
            rates = hit_rates(judged, _propensity(fits[way], judged))
            hits.append({"month_end": str(judged.as_of_date.min()), "method": way, **rates})
    popular, regressed = (one["hit_rate_at_1"] for one in hits[:2])
    method = LOGISTIC if regressed >= popular + rules.margin else POPULARITY
    fitted = fits[method]
    probability = _propensity(fitted, late)
    return FittedModel(
        kind=NAME,
        name=name,
        method=method,
        features=characteristics(),
        fitted=fitted,
        data={
            "observations": len(before),
            "customers": len(np.unique(before.customer_id)),
            "openings": int(before.happened.sum()),
            "month_ends_fitted_on": [str(day) for day in np.unique(before.as_of_date)],
            "method_chosen_on": str(choosing.as_of_date.min()),
            "validated_on": str(late.as_of_date.min()),
            "definition": (
                f"first account, card or loan of a product family that the customer had never had, within "
                f"{rules.horizon_months} months of the month end"
            ),
            "protected_attributes": [],
        },
        validation={
            "method": method,
            **hit_rates(late, probability),
            **validate(probability, late.happened, _propensity(fitted, before)).as_json(),
            "hits": hits,
            "groups": group_figures(late, probability),
        },
    )


def parts(observations: Observations, rules: NextProductSettings) -> tuple[Observations, Observations, Observations]:
    """The observations to fit on, to choose the method on, and to validate on, in order of time.

    Raises:
        ThinHistoryError: too few openings.
    """
    dates = np.unique(observations.as_of_date)
    day = observations.as_of_date
    early, choosing, late = (
        (
            observations.where(day < dates[-2]),
            observations.where(day == dates[-2]),
            observations.where(day == dates[-1]),
        )
        if len(dates) > 2
        else (observations.where(day != day),) * 3
    )
    openings = [int(part.happened.sum()) for part in (early, choosing, late)]
    if openings[0] < rules.minimum_openings or not all(openings):
        raise ThinHistoryError(
            f"{openings[0]} first openings of a product family to fit on, {openings[1]} to choose the method on and "
            f"{openings[2]} to validate on; value.yaml asks for {rules.minimum_openings} of the first "
            f"(next_product.minimum_openings) and for some of the others"
        )
    return early, choosing, late


def hit_rates(observations: Observations, propensity: Numbers) -> dict[str, float]:
    """Of the customers who took a new family, the share who took the likeliest, or one of the three likeliest."""
    asked = observations.features[FAMILY]
    starts = np.flatnonzero(
        np.r_[True, (observations.customer_id[1:] != observations.customer_id[:-1])
              | (observations.as_of_date[1:] != observations.as_of_date[:-1])]
    )  # fmt: skip
    customer = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(observations)]))
    order = np.lexsort((asked, -_told(propensity), customer))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order)) - starts[customer]
    took = np.unique(customer[observations.happened])
    return {
        f"hit_rate_at_{most}": _rounded(
            len(np.unique(customer[observations.happened & (place < most)])) / max(len(took), 1)
        )
        for most in (1, 3)
    }


def _told(propensity: Numbers) -> Numbers:
    """As the table tells it: six decimals, so that ties are ties on every machine."""
    return np.round(propensity, 6)


def predict(model: FittedModel, observations: Observations) -> Numbers:
    """Propensity of each observation; 0 where nobody of the party type took the family in the time fitted on."""
    return _propensity(model.fitted, observations)


def _fit(observations: Observations, method: str, rules: NextProductSettings) -> dict[str, Any]:
    """By party type and family: the share that took it, or a regression where enough did."""
    found: dict[str, dict[str, Any]] = {}
    for party, family, rows in _cells(observations):
        happened = observations.happened[rows]
        if not happened.any():
            continue
        part: dict[str, Any] = {"openings": int(happened.sum()), "rate": _rounded(float(happened.mean()))}
        if method == LOGISTIC and happened.sum() >= rules.minimum_family_openings and not happened.all():
            matrix = observations.where(rows).matrix(characteristics())
            learned = churn_methods.fit(LOGISTIC, matrix, happened)
            part["regression"] = {**learned, "slope": 1.0, "intercept": 0.0}
        found.setdefault(party, {})[family] = part
    return found


def _propensity(fitted: Mapping[str, Any], observations: Observations) -> Numbers:
    propensity = np.zeros(len(observations))
    for party, family, rows in _cells(observations):
        part = fitted.get(party, {}).get(family)
        if part and "regression" in part:
            matrix = observations.where(rows).matrix(characteristics())
            propensity[rows] = churn_methods.probability(part["regression"], matrix)
        elif part:
            propensity[rows] = part["rate"]
    return propensity


def _cells(observations: Observations) -> Iterator[tuple[str, str, Flags]]:
    """The rows of each party type and family that there are."""
    asked, organisation = observations.features[FAMILY], observations.features[_ORGANISATION] == 1
    for number in np.unique(asked):
        for party, of_party in zip(_PARTIES, (~organisation, organisation), strict=True):
            if (rows := of_party & (asked == number)).any():
                yield party, families()[int(number)], rows


def sections(model: FittedModel) -> list[CardSection]:
    """Hit rates of both methods, and what weighs most for each family."""
    hits = [
        (one["month_end"], one["method"], f"{one['hit_rate_at_1']:.2%}", f"{one['hit_rate_at_3']:.2%}")
        for one in model.validation["hits"]
    ]
    rows = [
        (party, family, part["openings"], f"{part['rate']:.2%}", _weights(model, part))
        for party, of_party in sorted(model.fitted.items(), reverse=True)
        for family, part in sorted(of_party.items(), key=lambda one: -one[1]["openings"])
    ]
    return [
        CardSection(
            "Hit rates",
            "Of the customers who took a family that they had never had, the share who took the one told first, or one "
            "of the three told first. The earlier month end chose the method, the later one validates it. Popularity "
            "tells everybody of a party type the same order, less what the customer has had.",
            ("month end", "method", "at 1", "at 3"),
            hits,
        ),
        CardSection(
            "Families",
            "How many took it in the months fitted on, their share of those who had never had it, and what moves the "
            "propensity most (+ up, - down).",
            ("party type", "family", "openings", "share", "moved by"),
            rows,
        ),
    ]


def _weights(model: FittedModel, part: Mapping[str, Any], most: int = 3) -> str:
    if "regression" not in part:
        return "nothing: one propensity for all"
    weights = list(zip(part["regression"]["weight"], model.features, strict=True))
    strongest = sorted(weights, key=lambda one: (-abs(one[0]), one[1]))[:most]
    return ", ".join(f"{'+' if weight > 0 else '-'} {name.replace('_', ' ')}" for weight, name in strongest)


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


KIND = ModelKind(
    name=NAME,
    title="Product family that a customer takes next",
    method=(
        "For persons and organisations apart and for each product family: the share of those who had never had it who "
        "took it within the horizon (popularity), and a regularised logistic regression on the families had and on how "
        "long. Both are fitted on earlier month ends, a horizon apart; the regression is taken where its hit rate at 1 "
        "on a later one is higher by the margin of value.yaml. The one taken is fitted again with that month end, and "
        "validated on the next."
    ),
    limits=(
        "It tells what customers took, not what would suit them: suitability and consent are the bank's to check.",
        "A family that nobody of the party type took is never told.",
        "Propensities have the level of the years fitted on; where more is opened each year they are too low, and only "
        "their order holds. Compare predicted and observed above.",
        "Products that a source no longer lists were never had; so loans long ended make early shares too low.",
        "Whose products they are is as resolved tonight.",
        "For offers; not for refusing or repricing a service.",
    ),
    feature_table=SOURCE,
    inputs=("customer.customer", SOURCE),
    observe=observe,
    fit=fit,
    predict=predict,
    sections=sections,
    holdout_months=lambda _: 1,
)
