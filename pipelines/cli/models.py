"""The command around trained matching models: train, and what another model would change."""

import dataclasses
import datetime as dt
import json
from pathlib import Path

import click
from rich.table import Table

from models.identity.matching_model import ModelArtefact
from models.identity.model_comparison import ModelChanges
from models.identity.training import DEFAULT_NAME
from models.model_store import ModelError
from pipelines.cli.main import Options, check_model, out
from pipelines.cli.nights import DATE
from pipelines.workspace import Workspace
from warehouse.lake import MissingPartitionError


@click.command()
@click.option("--date", "day", type=DATE, help="Business date whose records are read; without it the latest night's.")
@click.option("--name", default=DEFAULT_NAME, show_default=True, help="Name of the model: a-z, 0-9, _ and -.")
@click.option(
    "--compare", "other", metavar="MODEL", help="Train nothing: tell what MODEL (NAME-VERSION or a file) changes."
)
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.pass_obj
def train(options: Options, day: dt.datetime | None, name: str, other: str | None, form: str) -> None:
    """Train a matching model on the lake as a candidate with its report, or compare one with the model in force.

    No night uses a candidate until matching.yaml names it.
    """
    from pipelines.model_training import compare_with_force, latest_date, train_candidate

    if not name or set(name) - set("abcdefghijklmnopqrstuvwxyz0123456789_-"):
        raise click.BadParameter(f"{name!r} has other characters than a-z, 0-9, _ and -", param_hint="--name")
    workspace = options.workspace
    date = day.date() if day else latest_date(workspace)
    if date is None:
        raise click.UsageError(f"no night has been run in {workspace.home}; run one first: c360 run")
    try:
        if other is None:
            with out.status(f"training on {date}"):
                candidate = train_candidate(workspace, date, name, dt.datetime.now(dt.UTC))
            told = {"model": candidate.model.id, "path": str(candidate.path), "report": str(candidate.report)}
            if form == "json":
                out.print_json(json.dumps({**told, "business_date": str(date)}))
            else:
                out.print(f"trained {candidate.model.id} on {date}")
                out.print(f"  {candidate.path}\n  {candidate.report}")
                out.print(f"  next: c360 train --compare {candidate.model.id}")
            return
        in_force, new = check_model(workspace), _model(workspace, other)
        if in_force is None:
            raise click.UsageError(f"no model is in force in {workspace.home}: there is nothing to compare with")
        with out.status(f"comparing on {date}"):
            changes = compare_with_force(workspace, date, in_force, new)
    except MissingPartitionError as error:
        raise click.UsageError(str(error)) from None
    if form == "json":
        told = {"in_force": in_force.id, "model": new.id, "business_date": str(date)}
        out.print_json(json.dumps({**told, **dataclasses.asdict(changes)}, default=str))
    else:
        _print(changes, in_force.id, new.id, date, workspace.bank.settings.currency)


def _model(workspace: Workspace, name_or_path: str) -> ModelArtefact:
    path = Path(name_or_path)
    try:
        return ModelArtefact.load(path) if path.is_file() else workspace.models.load(name_or_path)
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
