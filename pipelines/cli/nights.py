"""Commands that run nights and tell how they went: run, backfill, status, ui."""

import datetime as dt
import os
import subprocess
import sys
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from pipelines.cli.main import DATE, Options, check_fitted_models, check_model, err, fail, out
from pipelines.cli.stewards import told
from pipelines.workspace import Workspace


@click.command()
@click.option("--date", "day", type=DATE, help="Business date; without it the latest that is delivered complete.")
@click.option("--wait", type=click.IntRange(0), help="Seconds to wait for missing deliveries, instead of bank.yaml's.")
@click.pass_obj
def run(options: Options, day: dt.datetime | None, wait: int | None) -> None:
    """Run one night: exports in, release and shares out. Exit code 0 published, 1 failed, 3 blocked."""
    workspace = options.workspace.waiting(wait)
    date = _checked(options, day.date()) if day else _latest(options)
    run_dates(workspace, [date])


@click.command()
@click.option("--from", "first", type=DATE, required=True, help="First business date.")
@click.option("--to", "last", type=DATE, required=True, help="Last business date.")
@click.pass_obj
def backfill(options: Options, first: dt.datetime, last: dt.datetime) -> None:
    """Run the nights of all delivered business dates from one date to another, oldest first."""
    from pipelines.automation import complete_dates

    if first > last:
        raise click.BadParameter("--from is after --to")
    start, end = _checked(options, first.date()), _checked(options, last.date())
    dates = [date for date in complete_dates(options.workspace) if start <= date <= end]
    if not dates:
        fail(f"no complete delivery between {start} and {end} in {options.workspace.exports}")
    run_dates(options.workspace, dates)


def run_dates(workspace: Workspace, dates: list[dt.date]) -> None:
    """Run nights in order, narrating; leaves with the exit code of the first that failed or was blocked."""
    from pipelines.disk import HomeError, require_writable
    from pipelines.night import run_nights
    from pipelines.night_lock import NightRunningError

    check_model(workspace)
    check_fitted_models(workspace)
    try:
        require_writable(workspace.home)
    except HomeError as error:
        fail(escape(str(error)))
    codes = []
    try:
        with out.status("starting") as status:
            for result in run_nights(workspace, dates, _Narrator(status)):
                codes.append(result.exit_code)
                if not result.metadata:
                    err.print(f"{result.business_date}: not published. {escape(result.message)}")
                    break
                release = result.metadata["release"]
                same = " (content unchanged)" if result.metadata["unchanged"] else ""
                out.print(f"{result.business_date}: published release {release}{same}")
                out.print(f"  {result.metadata['path']}")
                if result.exit_code:
                    err.print(f"{result.business_date}: not every share was made. {escape(result.message)}")
    except NightRunningError as error:
        fail(str(error))
    if failed := [code for code in codes if code]:
        sys.exit(failed[0])


class _Narrator:
    """Shows the running step on a terminal; prints what each step made where output is kept."""

    def __init__(self, status: Any) -> None:
        self.status = status

    def __call__(self, step: str, metadata: dict[str, Any]) -> None:
        if step == "warning":
            err.print(f"warning: {escape(str(metadata['text']))}")
        elif not metadata:
            self.status.update(step)
        elif metadata.get("rows_quarantined"):
            out.print(f"  {step}: {metadata['dagster/row_count']} rows, {metadata['rows_quarantined']} in quarantine")


def _checked(options: Options, date: dt.date) -> dt.date:
    workspace = options.workspace
    first = workspace.bank.settings.first_business_date
    if date > workspace.today():
        raise click.BadParameter(f"{date} is in the future; today in {workspace.bank.zone} is {workspace.today()}")
    if date < first:
        raise click.BadParameter(f"{date} is before first_business_date {first} of {workspace.bank.folder}/bank.yaml")
    return date


def _latest(options: Options) -> dt.date:
    from pipelines.automation import complete_dates, missing_deliveries

    workspace = options.workspace
    dates = complete_dates(workspace)
    if not dates:
        fail(
            f"no business date is delivered complete in {workspace.exports}:\n"
            + "\n".join(missing_deliveries(workspace))
        )
    return dates[-1]


@click.command()
@click.pass_obj
def status(options: Options) -> None:
    """Show what is delivered, what is published, and how the last nights ended."""
    from dagster import DagsterRunStatus, RunsFilter

    from pipelines.automation import complete_dates
    from pipelines.erasure import unfinished
    from pipelines.instance import open_instance
    from pipelines.quarantine import items
    from pipelines.reconciling import unexplained

    workspace = options.workspace
    current = workspace.releases.current()
    out.print(f"bank      {workspace.bank.settings.title} ({workspace.bank.folder})")
    out.print(f"home      {workspace.home}")
    out.print(f"exports   {workspace.exports}")
    out.print(f"release   {current.id if current else 'none yet'}")
    published = {release.business_date for release in workspace.releases.list()}
    waiting = [d for d in complete_dates(workspace) if d not in published]
    out.print(f"to run    {', '.join(map(str, waiting)) or 'nothing: every complete delivery is published'}")
    with told():
        if rows := sum(item.state == "open" for item in items(workspace)):
            out.print(f"quarantine  {rows} rows are open: c360 quarantine list")
    if left := unfinished(workspace):
        out.print(f"[yellow]erasure[/yellow]   {left[0].stem} is unfinished: c360 forget --resume")
    for step in unexplained(workspace):
        out.print(f"[yellow]missing[/yellow]   {step}; see docs/reconciliation.md")
    table = Table("business date", "started (UTC)", "seconds", "ended", box=None)
    with open_instance(workspace.home) as instance:
        for record in instance.get_run_records(RunsFilter(), limit=10):
            seconds = record.end_time - record.start_time if record.end_time and record.start_time else None
            table.add_row(
                record.dagster_run.tags.get("dagster/partition", "?"),
                f"{record.create_timestamp:%Y-%m-%d %H:%M:%S}",
                f"{seconds:.0f}" if seconds is not None else "",
                {DagsterRunStatus.SUCCESS: "published", DagsterRunStatus.FAILURE: "not published"}.get(
                    record.dagster_run.status, record.dagster_run.status.value.lower()
                ),
            )
    if table.row_count:
        out.print(table)


@click.command()
@click.option("--port", default=3000, show_default=True, help="Port on the loopback address.")
@click.pass_obj
def ui(options: Options, port: int) -> None:
    """Start Dagster's web page and daemon over this home, on the loopback address; stop with Ctrl-C."""
    from pipelines.instance import SETTINGS, close_killed_runs_of, open_instance, prepare_instance

    workspace = options.workspace
    with open_instance(workspace.home) as instance:
        close_killed_runs_of(workspace.home, instance)
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(prepare_instance(workspace.home)),
        "C360_BANK": str(workspace.bank.folder),
        "C360_HOME": str(workspace.home),
        "C360_EXPORTS": str(workspace.exports),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }
    # in the project's folder dagster finds the code location in pyproject.toml
    command = [sys.executable, "-m", "dagster", "dev", "-h", "127.0.0.1", "-p", str(port)]
    sys.exit(subprocess.call(command, env=environment, cwd=SETTINGS.parent))  # noqa: S603 - our own interpreter


COMMANDS = (run, backfill, status, ui)
