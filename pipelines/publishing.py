"""The last step of a night: reconcile it, build the candidate, judge it, and publish it only if nothing blocks.

The gate sits inside this one function, so there is no way round it.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import duckdb
import pyarrow as pa

from pipelines.reconciling import landings, reconcile
from pipelines.steps import model_version
from pipelines.workspace import NO_MODEL, Workspace
from quality import drift
from quality.gate import CheckResult, blocking, by_suite, judge, open_gate
from quality.report import write_report
from quality.suites import Suite, handwritten_suites, merge, night_suites, relations
from sources.contract import SourceObject
from warehouse.candidate import Candidate, build_candidate
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
    """Every suite of the bank's gate: landed objects, tables, schema meta, drift, our checks and the bank's own."""
    tables = {**workspace.tables, **meta_tables()}
    own = handwritten_suites(workspace.bank.folder / "checks")
    return merge([*night_suites(workspace.bank.contracts, tables), drift.drift_suite(), *own])


def publish(workspace: Workspace, date: dt.date) -> Publication:
    """Reconcile a date, build its release, run the gate over it, publish it unless a check blocks.

    Raises:
        ReleaseError: another process is publishing.
        MissingPartitionError: a published table has no partition for the date.
        AuditError: the audit log cannot be written.
    """
    models = {f"model_{kind}": model.id if model else NO_MODEL for kind, model in workspace.fitted_models().items()}
    models["model_matching"] = model_version(workspace, date)
    checks = suites(workspace)
    with candidate_of(workspace, date) as candidate:
        with gate_over(workspace, date, candidate, checks) as con:
            measured = measure_drift(workspace, date, con)
            results = judge(con, checks)
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
        release = candidate.finish(results, measured)
        # a process killed between switching and recording leaves the recording to the next night
        action = "unchanged" if release.unchanged and _is_recorded(workspace, release) else "published"
        workspace.audit.append(action, release.id, {**models, "content_hash": release.content_hash})
        return Publication(release, results)


def _is_recorded(workspace: Workspace, release: Release) -> bool:
    return any((one.action, one.subject) == ("published", release.id) for one in workspace.audit.entries())


def offending_query(workspace: Workspace, table: str, name: str) -> str | None:
    """The query for rows that break a check; None if the check is about its table as a whole.

    Raises:
        LookupError: there is no such check; names those of the table, or the tables.
    """
    checks = suites(workspace)
    suite = next((suite for suite in checks if suite.table == table), None)
    check = next((check for check in suite.checks if check.name == name), None) if suite else None
    if suite is None or check is None:
        known = [f"{table}.{check.name}" for check in suite.checks] if suite else [suite.table for suite in checks]
        raise LookupError(f"there is no check {table}.{name}; there are {', '.join(known)}")
    return suite.offending(check)


def offending_rows(workspace: Workspace, date: dt.date, query: str, limit: int) -> pa.Table:
    """At most ``limit`` rows of an ``offending_query`` over a candidate of the date, discarded: personal data.

    Raises:
        ReleaseError: another process is publishing.
        MissingPartitionError: a published table has no partition for the date.
    """
    with candidate_of(workspace, date) as candidate, gate_over(workspace, date, candidate, suites(workspace)) as con:
        measure_drift(workspace, date, con)
        return con.execute(f"select * from ({query}\n) as offending limit {limit}").to_arrow_table()


def rollback(workspace: Workspace, to: str | None = None) -> Release:
    """Make another release current: the one named, or the one before the current.

    Raises:
        ReleaseError: there is no such release, or another process is publishing.
    """
    before = workspace.releases.current()
    release = workspace.releases.rollback(to)
    workspace.audit.append("rolled_back", release.id, {"from": before.id if before else None})
    return release


def candidate_of(workspace: Workspace, date: dt.date) -> Candidate:
    """A candidate of the date's partitions, reconciled, to be used in a ``with`` statement; see ``build_candidate``."""
    reconcile(workspace, date)
    facts = _facts(workspace, date)
    return build_candidate(workspace.releases, workspace.lake, workspace.tables, date, facts, workspace.bounds)


@contextmanager
def gate_over(
    workspace: Workspace, date: dt.date, candidate: Candidate, checks: list[Suite]
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The gate's connection over a candidate, with the release of the date before if there is one."""
    bounds, previous = workspace.bounds, workspace.releases.before(date)
    read = {*relations(checks), *drift.measured_relations(workspace.tables, workspace.bank.contracts)}
    with open_gate(
        candidate.database,
        _lake_views(workspace, date, sorted(read)),
        previous=previous.database if previous else None,
        memory_limit=bounds.memory_limit,
        threads=bounds.threads,
        spill=bounds.spill,
    ) as con:
        yield con


def measure_drift(workspace: Workspace, date: dt.date, con: duckdb.DuckDBPyConnection) -> dict[str, pa.Table]:
    """Measure a date in the gate's connection, where the checks of ``meta.drift`` then find it."""
    bank = workspace.bank
    return drift.measure(con, workspace.tables, bank.contracts, bank.settings.quality.drift, date)


def _lake_views(workspace: Workspace, date: dt.date, read: Sequence[str]) -> dict[str, list[Path]]:
    """Parquet files of every relation that is read and that the lake holds for the date."""
    lake = workspace.lake
    views: dict[str, list[Path]] = {}
    for relation in read:
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
            one.rows_released,
        )
        for one in landings(workspace, source, date)
    ]
