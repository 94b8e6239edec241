"""Fitted models of value: which one a night uses, candidates fitted by command, and the comparison of two.

Every kind of ``KINDS`` goes through the same doors; what a kind fits and predicts is its module's of ``models.value``.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from models.model_store import NONE
from models.value import churn_model, default_model, next_product_model
from models.value.fitted_model import FittedModel
from models.value.model_kind import ModelKind, ThinHistoryError
from models.value.validation import auc, deciles
from pipelines.workspace import Workspace
from quality.model_card import write_model_card

KINDS: dict[str, ModelKind] = {
    kind.name: kind for kind in (default_model.KIND, churn_model.KIND, next_product_model.KIND)
}


@dataclass(frozen=True)
class FittedCandidate:
    """A fitted model, and where it and its card lie."""

    model: FittedModel
    path: Path
    card: Path


@dataclass(frozen=True)
class Comparison:
    """What another model would change, on the same later month ends that neither need have seen.

    Attributes:
        in_force: The model in force.
        model: The other.
        first_month_end: First month end of the comparison.
        last_month_end: Last one.
        observations: Rows.
        events: Of them those where it happened.
        auc_in_force: AUC of the model in force.
        auc: AUC of the other.
        decile_changed_share: Share of the customers whose tenth by probability would be another.
    """

    in_force: str
    model: str
    first_month_end: str
    last_month_end: str
    observations: int
    events: int
    auc_in_force: float
    auc: float
    decile_changed_share: float


def model_for_night(
    workspace: Workspace, kind: ModelKind, con: duckdb.DuckDBPyConnection, date: dt.date
) -> tuple[FittedModel | None, str]:
    """The model of a kind that a night uses, or None with the reason why a rule stands in.

    Where ``value.yaml`` says ``auto`` and the home has none, the first night with enough history fits one and pins it.

    Args:
        workspace: bank and home.
        kind: kind of the model.
        con: connection with the inputs of ``kind.observe``.
        date: business date.

    Raises:
        ModelError: the model in force is missing or not what its name says.
    """
    store = workspace.value_models(kind.name)
    if store.approved == NONE:
        return None, f"value.yaml approves no model (models: {{{kind.name}: none}})"
    model = store.in_force(None)
    if model is not None:
        return model, ""
    try:
        model = kind.fit(kind.observe(con, workspace.bank.value, date), workspace.bank.value, kind.name)
    except ThinHistoryError as thin:
        return None, str(thin)
    _save(workspace, kind, model, date, dt.datetime.now(dt.UTC))
    # recorded first: a process killed between the two fits and records the same model again
    workspace.audit.append("pinned", model.id, {"kind": kind.name, "business_date": str(date)})
    store.set_pin(model, date)
    return model, ""


def fit_candidate(
    workspace: Workspace, kind: ModelKind, date: dt.date, name: str, written_at: dt.datetime
) -> FittedCandidate:
    """Fit a model on what a date's night knew and write it with its card into ``<home>/models/<kind>``.

    Raises:
        MissingPartitionError: the night of the date has not been run.
        ThinHistoryError: there is too little history.
    """
    with workspace.engine.connection(date, inputs(workspace, kind)) as con:
        model = kind.fit(kind.observe(con, workspace.bank.value, date), workspace.bank.value, name)
    workspace.audit.append("trained", model.id, {"kind": kind.name, "business_date": str(date)})
    return _save(workspace, kind, model, date, written_at)


def inputs(workspace: Workspace, kind: ModelKind) -> list[str]:
    """Relations that a kind's ``observe`` reads."""
    return sorted({*workspace.tables[kind.feature_table].inputs, *kind.inputs})


def _save(
    workspace: Workspace, kind: ModelKind, model: FittedModel, date: dt.date, written_at: dt.datetime
) -> FittedCandidate:
    path = model.save(workspace.value_models(kind.name).home)
    card = path.with_suffix(".html")
    write_model_card(card, kind, model, bank=workspace.bank.settings.title, business_date=date, written_at=written_at)
    return FittedCandidate(model, path, card)


def compare(
    workspace: Workspace, kind: ModelKind, date: dt.date, in_force: FittedModel, new: FittedModel
) -> Comparison:
    """What a model would change against the one in force, on the latest month ends whose outcome is known.

    Raises:
        MissingPartitionError: the night of the date has not been run.
        ThinHistoryError: no month end's outcome is known, or all are the same.
    """
    with workspace.engine.connection(date, inputs(workspace, kind)) as con:
        observations = kind.observe(con, workspace.bank.value, date)
    dates = np.unique(observations.as_of_date)
    _, late = observations.split(min(kind.holdout_months(workspace.bank.value), len(dates)))
    old, other = kind.predict(in_force, late), kind.predict(new, late)
    outcome = late.happened
    if outcome.all() or not outcome.any():
        raise ThinHistoryError(f"from {late.as_of_date.min()} to {late.as_of_date.max()} all outcomes are the same")
    return Comparison(
        in_force=in_force.id,
        model=new.id,
        first_month_end=str(late.as_of_date.min()),
        last_month_end=str(late.as_of_date.max()),
        observations=len(late),
        events=int(outcome.sum()),
        auc_in_force=round(auc(old, outcome), 6),
        auc=round(auc(other, outcome), 6),
        decile_changed_share=round(float(np.mean(deciles(old) != deciles(other))), 6),
    )
