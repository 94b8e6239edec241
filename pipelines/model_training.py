"""Training a candidate on a home's lake, and comparing a model with the one in force; neither changes a night.

Here is wired what ``models.identity`` estimates, evaluates and compares. The lake is only read.
"""

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from models.identity import training
from models.identity.matching_model import ModelArtefact
from models.identity.model_comparison import SIDES, ModelChanges, compare_nights
from models.identity.model_evaluation import PartyFigures, evaluate_model
from models.identity.resolve import resolve_nodes
from pipelines.steps import CUSTOMER_RECORD, show_previous_night
from pipelines.workspace import Workspace
from quality.model_report import write_model_report

_NODES = "identity.party_node"
_PRODUCTS = ("account", "card", "loan", "party_role", "exchange_rate")


@dataclass(frozen=True)
class Candidate:
    """A trained model, where it and its report lie, and its figures by party type."""

    model: ModelArtefact
    path: Path
    report: Path
    figures: dict[str, PartyFigures]


def latest_date(workspace: Workspace) -> dt.date | None:
    """The latest business date whose records have been made nodes; None before the first night."""
    dates = workspace.lake.dates(_NODES)
    return dates[-1] if dates else None


def train_candidate(workspace: Workspace, date: dt.date, name: str, written_at: dt.datetime) -> Candidate:
    """Train a model on a date's records and write it with its report into ``<home>/models/identity``.

    Args:
        workspace: bank and home.
        date: business date whose identity tables are read.
        name: name of the model.
        written_at: when, UTC; the report says it, the model does not.

    Raises:
        MissingPartitionError: the night of the date has not been run.
    """
    settings = workspace.bank.matching
    inputs = (*workspace.tables["identity.node_pair"].inputs, _NODES)
    with workspace.engine.connection(date, dict.fromkeys(inputs)) as con:
        model = training.train(con, settings, name)
        figures = evaluate_model(con, settings, model)
    workspace.audit.append("trained", model.id, {"kind": "matching", "business_date": str(date)})
    path = model.save(workspace.models.home)
    report = path.with_suffix(".html")
    write_model_report(
        report,
        model,
        figures,
        bank=workspace.bank.settings.title,
        business_date=date,
        settings_hash=settings_hash(workspace),
        merge_bits=settings.merge_threshold_bits,
        written_at=written_at,
    )
    return Candidate(model, path, report, figures)


def settings_hash(workspace: Workspace) -> str:
    """First 16 hexadecimal digits of the SHA-256 of all matching settings but the approved model's name."""
    said = workspace.bank.matching.model_dump(mode="json", exclude={"model"})
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


def compare_with_force(
    workspace: Workspace, date: dt.date, in_force: ModelArtefact, new: ModelArtefact
) -> ModelChanges:
    """What a model would change on a date against the one in force: both after the same night before.

    Args:
        workspace: bank and home.
        date: business date.
        in_force: the model in force.
        new: the other.

    Raises:
        MissingPartitionError: the night of the date has not been run.
    """
    settings = workspace.bank.matching
    made = {"identity.node_pair", "identity.cluster", "identity.cluster_link"}
    needed = [t for t in made | {CUSTOMER_RECORD} for t in workspace.tables[t].inputs if t not in made]
    inputs = sorted({_NODES, *needed, *(f"staging.{name}" for name in _PRODUCTS)})
    with workspace.engine.connection(date, [t for t in inputs if not t.startswith("previous.")]) as con:
        show_previous_night(workspace, con, date)
        con.execute("create schema if not exists customer")
        for side, model in zip(SIDES, (in_force, new), strict=True):
            resolve_nodes(con, settings, date, model)
            con.execute(f"create schema {side}")
            con.execute(
                f"create table {side}.customer_record as select system, record_id, customer_id from res.customer_record"
            )
            con.execute(
                f"create table {side}.node_pair as select node_id_l, node_id_r, match_weight from res.node_pair"
            )
            con.execute(f"create or replace view customer.customer_record as from {side}.customer_record")
            for table in ("party_role", "product_holder"):
                con.execute(f"create or replace view customer.{table} as {workspace.tables[f'customer.{table}'].sql}")
            con.execute(f"create table {side}.product_holder as from customer.product_holder")
        return compare_nights(con, settings.merge_threshold_bits, settings.review_threshold_bits)
