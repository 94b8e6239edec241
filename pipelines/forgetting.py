"""Rows of forgotten parties in what was landed: found by the home's tombstones and left out, each night anew."""

import datetime as dt
from pathlib import Path

from pipelines.workspace import Workspace, canonical_entities
from sources.contract import SourceObject
from sources.forgetting import ForgottenRows, Tombstones, count_anew, forgotten_rows, leave_out
from sources.manifest import LandingResult
from warehouse.lake import replace_partition


def rows_of_forgotten(
    workspace: Workspace, source: SourceObject, date: dt.date, path: Path, tombstones: Tombstones
) -> ForgottenRows:
    """Find the rows of forgotten parties in an object's landed partition, or in its state on the date."""
    lake = workspace.lake
    others: dict[str, list[Path]] = {}
    for contract in workspace.bank.contracts:
        for other in contract.objects if contract.system == source.system else ():
            schema, _, name = other.relation.partition(".")
            table_id = f"{'landing' if schema == 'landing_history' else schema}.{name}"
            dates = [day for day in lake.dates(table_id) if day <= date]
            others[other.relation] = [
                lake.require(table_id, day) for day in (dates if schema == "landing_history" else dates[-1:])
            ]
    return forgotten_rows(workspace.bank.contracts, source, path, others, canonical_entities(), tombstones, date)


def forget_in(
    workspace: Workspace, source: SourceObject, date: dt.date, path: Path, tombstones: Tombstones
) -> int | None:
    """Leave the rows of forgotten parties out of a partition; returns how many, None where it stays as it is."""
    rows = rows_of_forgotten(workspace, source, date, path, tombstones)
    return leave_out(path, rows, replace_partition) if rows else None


def recount(workspace: Workspace, source: SourceObject, date: dt.date) -> LandingResult | None:
    """Set the manifest of a landing right by what it holds; None where nothing was landed."""
    lake = workspace.lake
    if not lake.exists(f"landing.{source.table}", date):
        return None
    quarantine = lake.path(f"landing.quarantine__{source.table}", date)
    return count_anew(source, lake.path(f"landing.{source.table}", date), quarantine)
