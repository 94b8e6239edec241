"""From a set's exports to standardised party tables, through the same steps as a night.

Both engines read what is written here: the staging tables of parties and ``identity.party_*``, in a lake of the
benchmark's own. Nothing of identity resolution itself is here.
"""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from pipelines import steps
from pipelines.workspace import Workspace
from sources.sample import FIRST_DATE

DATE: dt.date = FIRST_DATE


def stage(workspace: Workspace) -> None:
    """Land what describes parties, conform it, standardise it.

    Raises:
        DeliveryError: the exports do not fit the contracts.
    """
    needed = landed(workspace)
    for contract in workspace.bank.contracts:
        objects = [source for source in contract.objects if source.relation in needed]
        steps.land(workspace, contract, objects, DATE)
        for source in objects:
            if source.delivery.mode == "delta":
                steps.apply_delta(workspace, source, DATE)
    for table in party_inputs(workspace):
        steps.conform_entity(workspace, workspace.tables[table], DATE)
    steps.standardise_parties(workspace, DATE)


def party_inputs(workspace: Workspace) -> Sequence[str]:
    """What standardisation reads."""
    return workspace.tables["identity.party_standard"].inputs


def landed(workspace: Workspace) -> list[str]:
    """Relations of landing (and states of deltas) that describe parties."""
    tables = [workspace.tables[table] for table in party_inputs(workspace)]
    return sorted({relation for table in tables for relation in steps.entity_inputs(workspace, table)})


def readable(workspace: Workspace) -> list[str]:
    """Tables that an engine may read: landed, staged and standardised parties."""
    standardised = [table for table in workspace.tables if workspace.lake.dates(table)]
    return sorted({*landed(workspace), *standardised})


def open_workspace(bank: str, folder: Path) -> Workspace:
    """The benchmark's workspace below a folder: exports in ``exports``, the lake in ``home``."""
    return Workspace.open(bank, folder / "home", folder / "exports")
