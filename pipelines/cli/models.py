"""The command around trained models, of matching and of value: train, and what another model would change."""

import dataclasses
import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import click
from rich.table import Table

from models.identity.matching_model import ModelArtefact
from models.identity.model_comparison import ModelChanges
from models.identity.training import DEFAULT_NAME
from models.model_store import Model, ModelError, ModelStore
from models.value.fitted_model import FittedModel
from pipelines.cli.main import DATE, Options, check_model, out
from pipelines.workspace import Workspace
from warehouse.lake import MissingPartitionError

MATCHING = "matching"
FITTED = ("pd", "churn", "next_product")
"""Kinds of models of value, named here so that the command line need not load what fits them."""


@click.command()
@click.argument("what", type=click.Choice([MATCHING, *FITTED]), default=MATCHING)
@click.option("--date", "day", type=DATE, help="Business date whose records are read; without it the latest night's.")
@click.option("--name", help="Name of the model: a-z, 0-9, _ and -.  [default: default, or the kind]")
@click.option(
    "--compare", "other", metavar="MODEL", help="Train nothing: tell what MODEL (NAME-VERSION or a file) changes."
)
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.pass_obj
def train(options: Options, what: str, day: dt.datetime | None, name: str | None, other: str | None, form: str) -> None:
    """Train a model on the lake as a candidate with its report, or compare one with the model in force.

    WHAT is matching (the default), pd (default), churn (leaving) or next_product. No night uses a candidate until
    matching.yaml or value.yaml names it.
    """
    from pipelines.model_training import latest_date

    if name is not None and (not name or set(name) - set("abcdefghijklmnopqrstuvwxyz0123456789_-")):
        raise click.BadParameter(f"{name!r} has other characters than a-z, 0-9, _ and -", param_hint="--name")
    workspace = options.workspace
    date = day.date() if day else latest_date(workspace)
    if date is None:
        raise click.UsageError(f"no night has been run in {workspace.home}; run one first: c360 run")
    try:
        if what == MATCHING:
            _matching(workspace, date, name or DEFAULT_NAME, other, form)
        else:
            _fitted(workspace, what, date, name or what, other, form)
    except MissingPartitionError as error:
        raise click.UsageError(str(error)) from None


def _matching(workspace: Workspace, date: dt.date, name: str, other: str | None, form: str) -> None:
    from pipelines.model_training import compare_with_force, train_candidate

    if other is None:
        with out.status(f"training on {date}"):
            candidate = train_candidate(workspace, date, name, dt.datetime.now(dt.UTC))
        _tell(MATCHING, candidate.model.id, candidate.path, candidate.report, date, form)
        return
    in_force, new = check_model(workspace), _model(workspace.models, ModelArtefact.load, other)
    if in_force is None:
        raise click.UsageError(f"no model is in force in {workspace.home}: there is nothing to compare with")
    with out.status(f"comparing on {date}"):
        changes = compare_with_force(workspace, date, in_force, new)
    if form == "json":
        told = {"in_force": in_force.id, "model": new.id, "business_date": str(date)}
        out.print_json(json.dumps({**told, **dataclasses.asdict(changes)}, default=str))
    else:
        _print(changes, in_force.id, new.id, date, workspace.bank.settings.currency)


def _fitted(workspace: Workspace, what: str, date: dt.date, name: str, other: str | None, form: str) -> None:
    from models.value.model_kind import ThinHistoryError
    from pipelines.value_models import KINDS, compare, fit_candidate

    kind, store = KINDS[what], workspace.value_models(what)
    try:
        if other is None:
            with out.status(f"fitting on {date}"):
                candidate = fit_candidate(workspace, kind, date, name, dt.datetime.now(dt.UTC))
            _tell(what, candidate.model.id, candidate.path, candidate.card, date, form)
            return
        in_force, new = store.in_force(None), _model(store, FittedModel.load, other)
        if in_force is None:
            raise click.UsageError(
                f"no {what} model is in force in {workspace.home}: there is nothing to compare with; "
                f"value.yaml approves one under models: {{{what}: ...}}"
            )
        with out.status(f"comparing on {date}"):
            found = dataclasses.asdict(compare(workspace, kind, date, in_force, new))
    except (ThinHistoryError, ModelError) as error:
        raise click.UsageError(str(error)) from None
    if form == "json":
        out.print_json(json.dumps({**found, "business_date": str(date)}))
        return
    table = Table(box=None, show_header=False)
    for said, value in found.items():
        table.add_row(said.replace("_", " "), f"{value:,}" if isinstance(value, int) else str(value))
    out.print(table)


def _tell(what: str, model: str, path: Path, report: Path, date: dt.date, form: str) -> None:
    """Say where a candidate and its report lie, and what to do next."""
    if form == "json":
        out.print_json(
            json.dumps({"model": model, "path": str(path), "report": str(report), "business_date": str(date)})
        )
        return
    out.print(f"trained {model} on {date}")
    out.print(f"  {path}\n  {report}")
    out.print(f"  next: c360 train {'' if what == MATCHING else what + ' '}--compare {model}")


def _model(store: ModelStore[Model], load: Callable[[Path], Model], name_or_path: str) -> Model:
    path = Path(name_or_path)
    try:
        return load(path) if path.is_file() else store.load(name_or_path)
    except (ModelError, ValueError) as error:
        raise click.UsageError(str(error)) from None


def _print(changes: ModelChanges, in_force: str, new: str, date: dt.date, currency: str) -> None:
    out.print(f"{date}: what {new} would change against {in_force}")
    table = Table(box=None, show_header=False)
    for name, value in dataclasses.asdict(changes).items():
        if name != "largest":
            unit = f" {currency}" if name == "moved_amount" else ""
            table.add_row(name.replace("_", " "), f"{value:,}{unit}")
    out.print(table)
    if changes.largest:
        largest = Table("from customer", "to customer", "records", "products", currency, box=None)
        for moved in changes.largest:
            amounts = (f"{moved.records:,}", f"{moved.products:,}", f"{moved.moved_amount:,}")
            largest.add_row(moved.from_customer_id, moved.to_customer_id, *amounts)
        out.print("largest changes by money")
        out.print(largest)


COMMANDS = (train,)
