"""Reconciling a night: the contracts' sums of what arrived, and from there every step to the marts."""

import datetime as dt

from pipelines.workspace import Workspace, canonical_entities
from sources import mapping
from sources.contract import SourceObject
from sources.landing import LandingResult, read_manifest
from sources.totals import FIGURES, Line, object_lines, party_lines
from warehouse.reconciliation import RECONCILIATION, write_reconciliation


def reconcile(workspace: Workspace, date: dt.date) -> int:
    """Write ``meta.reconciliation`` of a date, from what the lake holds now; returns the number of lines.

    Raises:
        MissingPartitionError: something that is reconciled has no partition for the date.
    """
    contracts, entities = workspace.bank.contracts, canonical_entities()
    lines: list[Line] = []
    for contract in contracts:
        for source in contract.objects:
            lines.extend(_object(workspace, source, date))
    with workspace.engine.connection(date, mapping.inputs(contracts, "party")) as con:
        lines.extend(party_lines(con, contracts, entities["party"]))
    return write_reconciliation(workspace.engine, date, lines)


def unexplained(workspace: Workspace) -> list[str]:
    """The unexplained steps of the latest date that was reconciled, published or not, in words: sums, no values."""
    dates = workspace.lake.dates(RECONCILIATION)
    if not dates:
        return []
    with workspace.engine.connection(dates[-1], [RECONCILIATION]) as con:
        found = con.execute(
            "select concat_ws(' ', system, object, subject, product_family, currency_code, figure), "
            f"step, unexplained_amount from {RECONCILIATION} where not is_explained order by all"
        ).fetchall()
    return [f"{dates[-1]} {walk}: {amount:+,f} at {step}" for walk, step, amount in found]


def landings(workspace: Workspace, source: SourceObject, date: dt.date) -> list[LandingResult]:
    """The object's landings that are part of the date's state: all up to it, unless each is whole."""
    table, lake = f"landing.{source.table}", workspace.lake
    dates = [d for d in lake.dates(table) if d == date or (d < date and source.delivery.mode != "full")]
    landed = [read_manifest(lake.path(table, day)) for day in dates]
    return [one for one in landed if one is not None]


def _object(workspace: Workspace, source: SourceObject, date: dt.date) -> list[Line]:
    found = landings(workspace, source, date)
    if not found or found[-1].business_date != date:
        return []
    contracts, state = workspace.bank.contracts, f"staging.{source.table}"
    relations = {f"landing.{source.table}", source.relation}
    for entity in FIGURES:
        parts = [part for part in mapping.parts_of(contracts, entity) if part.source.table == source.table]
        relations.update(name for part in parts for name in mapping.relations_of(part))
    has_state_before = source.delivery.mode == "delta" and workspace.lake.previous(state, date) is not None
    if has_state_before:
        relations.add(f"previous.{state.replace('.', '__')}")
    with workspace.engine.connection(date, sorted(relations)) as con:
        return object_lines(con, contracts, source, canonical_entities(), found, date, has_state_before)
