"""Steps of value that are no select: parameters from value.yaml, models' scores, who gets which manager.

Nothing here knows Dagster.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from models.tables import Table
from models.value import churn_model, coverage, default_model, next_product_model
from models.value.churn_settings import ChurnSettings
from models.value.fitted_model import FittedModel
from models.value.observations import Observations
from models.value.risk_settings import RiskSettings, month_ends
from models.value.segment_settings import service_standard_rows
from models.value.settings import latest_month_end
from pipelines.value_models import model_for_night
from pipelines.workspace import NO_MODEL, Workspace


def value_parameters(workspace: Workspace, table: Table, date: dt.date) -> int:
    """Write a table of parameters, with all their dates, as value.yaml has them; returns the row count.

    Args:
        workspace: the bank.
        table: ``value.transfer_price``, ``value.product_parameter``, ``value.bank_parameter`` or
            ``mart.service_standard``; of ``value.coverage_tier`` what holds on the date.
        date: the business date.
    """
    contribution, segments = workspace.bank.value.contribution, workspace.bank.value.segments
    rows_of: dict[str, Callable[[], Iterator[dict[str, Any]]]] = {
        "value.transfer_price": contribution.transfer_price_rows,
        "value.product_parameter": contribution.product_parameter_rows,
        "value.bank_parameter": contribution.bank_parameter_rows,
        "mart.service_standard": partial(service_standard_rows, segments),
        "value.coverage_tier": workspace.bank.value.coverage.in_force(date).tier_rows,
    }
    with workspace.engine.connection(date) as con:
        columns = ", ".join(f'"{c.name}" {c.type}' for c in table.columns)
        con.execute(f"create table parameter ({columns})")
        if rows := list(rows_of[table.id]()):
            con.register("listed", pa.Table.from_pylist(rows))
            con.execute("insert into parameter by name from listed")
        return workspace.engine.write(con, table, "from parameter", date)


def risk_scores(workspace: Workspace, table: Table, date: dt.date) -> int:
    """Judge every debtor at the month ends that are valued: ``value.risk_score``; returns the row count.

    A month end at a time, so that memory holds the characteristics of one.

    Raises:
        ModelError: the model in force is missing or not what its name says.
    """
    risk = workspace.bank.value.risk
    with workspace.engine.connection(date, table.inputs) as con:
        model, _ = model_for_night(workspace, default_model.KIND, con, date)
        con.execute(
            "create table score (customer_id varchar, as_of_date date, probability_of_default double, "
            "score_points integer, reason_codes varchar, reasons_en varchar, reasons_zh varchar, "
            "model_version varchar, is_fallback boolean)"
        )
        latest = latest_month_end(date)
        for as_of in month_ends(latest, risk.score_months):
            rows = default_model.as_observations(
                con, f"(select * from {default_model.FEATURE_TABLE} where as_of_date = $as_of)", risk, {"as_of": as_of}
            )
            judged = _judged(rows, model, risk, with_reasons=as_of == latest)
            con.register("judged", judged)
            con.execute("insert into score from judged")
            con.unregister("judged")
        return workspace.engine.write(con, table, "from score", date)


def coverage_seats(workspace: Workspace, table: Table, date: dt.date) -> int:
    """Give customers their managers: ``value.coverage_seat``; returns the row count."""
    with workspace.engine.connection(date, table.inputs) as con:
        coverage.seat_customers(con, workspace.bank.value.coverage.in_force(date))
        return workspace.engine.write(con, table, "from seat", date)


def _judged(rows: Observations, model: FittedModel | None, risk: RiskSettings, *, with_reasons: bool) -> pa.Table:
    """Probability, points and reasons of one month end: by the model where it may judge, else by rule."""
    ruled = default_model.fallback_probability(rows.features[default_model.DAYS_PAST_DUE], risk)
    defaulted = default_model.in_default(rows, risk)
    scored = np.zeros(len(rows), dtype=bool) if model is None else rows.features[default_model.OBSERVED] == 1
    probability = ruled
    points = np.full(len(rows), np.nan)
    reasons: list[tuple[str, ...]] = [()] * len(rows)
    if model is not None and len(rows):
        card = default_model.card_of(model)
        probability = np.where(scored, default_model.predict(model, rows), ruled)
        points = np.where(scored & ~defaulted, card.points(rows.features), np.nan)
        if with_reasons:
            told = card.reasons(rows.features, risk.reasons)
            reasons = [codes if score else () for codes, score in zip(told, scored & ~defaulted, strict=True)]
    words = default_model.words()
    return pa.table(
        {
            "customer_id": pa.array(rows.customer_id, pa.string()),
            "as_of_date": pa.array(rows.as_of_date),
            "probability_of_default": np.where(defaulted, 1.0, probability),
            "score_points": pa.array(points, mask=np.isnan(points)).cast(pa.int32()),
            "reason_codes": _joined(reasons, ", "),
            "reasons_en": _joined([[words[code][0] for code in codes] for codes in reasons], "; "),
            "reasons_zh": _joined([[words[code][1] for code in codes] for codes in reasons], "；"),
            "model_version": pa.array([model.id if model else NO_MODEL] * len(rows), pa.string()),
            "is_fallback": ~scored,
        }
    )


def churn_scores(workspace: Workspace, table: Table, date: dt.date) -> int:
    """Judge every active customer at the latest month end: ``value.churn_score``; returns the row count.

    Raises:
        ModelError: the model in force is missing or not what its name says.
    """
    churn = workspace.bank.value.churn
    with workspace.engine.connection(date, table.inputs) as con:
        model, _ = model_for_night(workspace, churn_model.KIND, con, date)
        rows = churn_model.as_observations(con, churn_model.FEATURE_TABLE, churn)
        con.register("judged", _leaving(rows, model, churn))
        return workspace.engine.write(con, table, "from judged", date)


def _leaving(rows: Observations, model: FittedModel | None, churn: ChurnSettings) -> pa.Table:
    """Probability and reasons: by the model, else by rule; reasons are told from the medium band on."""
    if model is None:
        probability = churn_model.fallback_probability(rows.features[churn_model.DAYS_SILENT], churn)
    else:
        probability = churn_model.predict(model, rows)
    told = np.full(len(rows), None, dtype=object)
    chosen = probability >= churn.bands.medium
    if model is not None and chosen.any():
        told[chosen] = churn_model.reasons(model, rows.where(chosen), churn.reasons)
    return pa.table(
        {
            "customer_id": pa.array(rows.customer_id, pa.string()),
            "as_of_date": pa.array(rows.as_of_date),
            "churn_probability": probability,
            "churn_reasons": pa.array(told, pa.string()),
            "model_version": pa.array([model.id if model else NO_MODEL] * len(rows), pa.string()),
            "is_fallback": pa.array([model is None] * len(rows), pa.bool_()),
        }
    )


def next_products(workspace: Workspace, table: Table, date: dt.date) -> int:
    """Tell what each customer is likeliest to take next: ``value.next_product``; returns the row count.

    Without a model nothing is told. A family at a time, so that memory holds the characteristics of one.

    Raises:
        ModelError: the model in force is missing or not what its name says.
    """
    rules, as_of = workspace.bank.value.next_product, latest_month_end(date)
    with workspace.engine.connection(date, table.inputs) as con:
        model, _ = model_for_night(workspace, next_product_model.KIND, con, date)
        con.execute("create table offer (customer_id varchar, product_family varchar, propensity decimal(9, 6))")
        for family, rows in next_product_model.to_score(con, rules, as_of):
            if model is None:
                break
            asked = {
                "customer_id": pa.array(rows.customer_id, pa.string()),
                "product_family": pa.array([family] * len(rows), pa.string()),
                "propensity": next_product_model.predict(model, rows),
            }
            con.register("asked", pa.table(asked))
            con.execute("insert into offer from asked")
            con.unregister("asked")
        told = {"version": model.id, "is_fallback": model.method == next_product_model.POPULARITY} if model else {}
        con.execute(
            """
            create table told as
            select
                customer_id,
                $as_of as as_of_date,
                product_family,
                propensity,
                row_number() over (
                    partition by customer_id order by propensity desc, product_family asc
                ) as propensity_rank,
                $version as model_version,
                $is_fallback as is_fallback
            from offer
            where propensity > 0
            qualify propensity_rank <= $listed
            """,
            {"as_of": as_of, "listed": rules.listed, "version": NO_MODEL, "is_fallback": True, **told},
        )
        return workspace.engine.write(con, table, "from told", date)


def _joined(rows: Sequence[Sequence[str]], between: str) -> pa.Array:
    return pa.array([between.join(row) or None for row in rows], pa.string())
