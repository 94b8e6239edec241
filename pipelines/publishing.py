"""The last step of a night: build the candidate, judge it, and publish it only if nothing blocks.

The gate sits inside this one function, so there is no way round it.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from pipelines.steps import model_version
from pipelines.workspace import NO_MODEL, Workspace
from quality.gate import CheckResult, blocking, by_suite, run_gate
from quality.report import write_report
from quality.suites import Suite, night_suites, relations
from sources.contract import SourceObject
from sources.landing import read_manifest
from warehouse.candidate import build_candidate
from warehouse.facts import DeliveredObject, Facts, meta_tables, quarantine_files
from warehouse.release import Release


@dataclass(frozen=True)
class Publication:
    """How publishing ended: the release (None when blocked) and every check's result."""

    release: Release | None
    results: Sequence[CheckResult]

    @property
    def by_suite(self) -> Mapping[str, Sequence[CheckResult]]:
        """Results by suite."""
        return by_suite(self.results)

    @property
    def blocking(self) -> Sequence[CheckResult]:
        """Failed checks that keep the candidate from being published."""
        return blocking(self.results)


def suites(workspace: Workspace) -> list[Suite]:
    """Every suite of the bank's gate: landed objects, defined tables, schema meta, hand-written checks."""
    return night_suites(workspace.bank.contracts, {**workspace.tables, **meta_tables()})


def publish(workspace: Workspace, date: dt.date) -> Publication:
    """Build the release of a date, run the gate over it, publish it unless a check blocks.

    Raises:
        ReleaseError: another process is publishing.
        MissingPartitionError: a published table has no partition for the date.
        AuditError: the audit log cannot be written.
    """
    models = {f"model_{kind}": model.id if model else NO_MODEL for kind, model in workspace.fitted_models().items()}
    models["model_matching"] = model_version(workspace, date)
    bounds = workspace.bounds
    facts = _facts(workspace, date)
    with build_candidate(workspace.releases, workspace.lake, workspace.tables, date, facts, bounds) as candidate:
        checks = suites(workspace)
        results = run_gate(
            candidate.database,
            _lake_views(workspace, date, checks),
            checks,
            memory_limit=bounds.memory_limit,
            threads=bounds.threads,
            spill=bounds.spill,
        )
        write_report(
            workspace.home / "reports" / f"{date}.html",
            results,
            bank=workspace.bank.settings.title,
            business_date=date,
            release=candidate.release_id,
            written_at=dt.datetime.now(dt.UTC),
        )
        if blocked := blocking(results):
            workspace.audit.append("blocked", candidate.release_id, {**models, "blocking_checks": len(blocked)})
            return Publication(None, results)
        release = candidate.finish(results)
        # a process killed between switching and recording leaves the recording to the next night
        action = "unchanged" if release.unchanged and _is_recorded(workspace, release) else "published"
        workspace.audit.append(action, release.id, {**models, "content_hash": release.content_hash})
        return Publication(release, results)


def _is_recorded(workspace: Workspace, release: Release) -> bool:
    return any((one.action, one.subject) == ("published", release.id) for one in workspace.audit.entries())


def rollback(workspace: Workspace, to: str | None = None) -> Release:
    """Make another release current: the one named, or the one before the current.

    Raises:
        ReleaseError: there is no such release, or another process is publishing.
    """
    before = workspace.releases.current()
    release = workspace.releases.rollback(to)
    workspace.audit.append("rolled_back", release.id, {"from": before.id if before else None})
    return release


def _lake_views(workspace: Workspace, date: dt.date, checks: list[Suite]) -> dict[str, list[Path]]:
    """Parquet files of every relation that the suites read and the lake holds for the date."""
    lake = workspace.lake
    views: dict[str, list[Path]] = {}
    for relation in relations(checks):
        schema, _, name = relation.partition(".")
        if schema == "landing_history":
            dates = [d for d in lake.dates(f"landing.{name}") if d <= date]
            views[relation] = [lake.require(f"landing.{name}", d) for d in dates]
        elif lake.exists(relation, date):
            views[relation] = [lake.require(relation, date)]
    return views


def _facts(workspace: Workspace, date: dt.date) -> Facts:
    sources = [source for contract in workspace.bank.contracts for source in contract.objects]
    full = [source.table for source in sources if source.delivery.mode == "full"]
    accumulating = [source.table for source in sources if source.delivery.mode != "full"]
    return Facts(
        bank=workspace.bank.settings.name,
        code_version=version("customer-360"),
        model_version=model_version(workspace, date),
        deliveries=tuple(row for source in sources for row in _deliveries(workspace, source, date)),
        quarantine=quarantine_files(workspace.lake, date, full, accumulating),
        lineage=workspace.lineage,
        audit_head=str(head) if (head := workspace.audit.head()) else None,
    )


def _deliveries(workspace: Workspace, source: SourceObject, date: dt.date) -> list[DeliveredObject]:
    """What the object's landings brought that is part of the date's state: all up to it, unless each is whole."""
    table, lake = f"landing.{source.table}", workspace.lake
    dates = [d for d in lake.dates(table) if d == date or (d < date and source.delivery.mode != "full")]
    landed = [read_manifest(lake.path(table, day)) for day in dates]
    return [
        DeliveredObject(
            source.system,
            source.name,
            one.business_date,
            source.delivery.mode,
            tuple(file.name for file in one.files),
            one.rows_delivered,
            one.rows_landed,
            one.rows_quarantined,
            one.rows_forgotten,
        )
        for one in landed
        if one is not None
    ]
