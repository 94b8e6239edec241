"""When a night starts by itself: the schedule, the sensor on complete deliveries, and the alert on failure."""

import datetime as dt

import dagster as dg

from pipelines.alerts import alert
from pipelines.instance import close_killed_runs_of
from pipelines.workspace import Workspace
from sources.delivery import available_dates, inspect

# a run that was heard of so lately may just be starting, before it takes the night's lock
_QUIET_SECONDS = 300


def complete_dates(workspace: Workspace) -> list[dt.date]:
    """Business dates for which every system's delivery is complete, ascending, none in the future."""
    bank = workspace.bank
    dated = [set(dates) for c in bank.contracts if (dates := available_dates(c, workspace.exports))]
    candidates = set.intersection(*dated) if dated else {bank.settings.business_date or workspace.today()}
    return [
        date
        for date in sorted(candidates)
        if bank.settings.first_business_date <= date <= workspace.today()
        and all(inspect(contract, workspace.exports, date).state == "complete" for contract in bank.contracts)
    ]


def missing_deliveries(workspace: Workspace) -> list[str]:
    """Say, for each system, which business dates its exports hold and what is wrong with the latest."""
    lines = []
    for contract in workspace.bank.contracts:
        dates = available_dates(contract, workspace.exports)
        lines.append(f"  {contract.system}: " + (", ".join(map(str, dates[-5:])) or "no dated files"))
        date = dates[-1] if dates else workspace.bank.settings.business_date or workspace.today()
        lines.extend(f"    {problem}" for problem in inspect(contract, workspace.exports, date).problems)
    return lines


def night_schedule(workspace: Workspace, job_name: str) -> dg.ScheduleDefinition:
    """Start the night of the day that has just ended, at bank.yaml's hour in the bank's time zone."""

    @dg.schedule(
        name="nightly",
        job_name=job_name,
        cron_schedule=workspace.bank.settings.schedule,
        execution_timezone=workspace.bank.settings.timezone,
        description="The night of the business date that has just ended.",
    )
    def nightly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        close_killed_runs_of(workspace.home, context.instance, _QUIET_SECONDS)
        date = context.scheduled_execution_time.astimezone(workspace.bank.zone).date() - dt.timedelta(days=1)
        return dg.RunRequest(run_key=f"night-{date}", partition_key=date.isoformat())

    return nightly


def deliveries_sensor(workspace: Workspace, job_name: str) -> dg.SensorDefinition:
    """Start a night as soon as every system has delivered it, oldest first; each date once."""

    @dg.sensor(
        name="deliveries_complete",
        job_name=job_name,
        minimum_interval_seconds=60,
        description="Starts a night when every system's delivery for its business date is complete.",
    )
    def deliveries_complete(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        close_killed_runs_of(workspace.home, context.instance, _QUIET_SECONDS)
        done = {release.business_date for release in workspace.releases.list()}
        newest = max(done, default=dt.date.min)
        due = [date for date in complete_dates(workspace) if date > newest]
        if not due:
            return dg.SkipReason("no complete delivery after the last release")
        return dg.SensorResult([dg.RunRequest(run_key=f"night-{d}", partition_key=d.isoformat()) for d in due])

    return deliveries_complete


def failure_sensor(workspace: Workspace) -> dg.SensorDefinition:
    """Alert when a night that the daemon started fails; ``c360 run`` alerts by itself."""

    @dg.run_failure_sensor(name="night_failed", description="Alerts when a night failed.")
    def night_failed(context: dg.RunFailureSensorContext) -> None:
        date = context.dagster_run.tags.get("dagster/partition", "unknown date")
        alert(
            workspace,
            f"{workspace.bank.settings.title}: night of {date} failed",
            context.failure_event.message or "",
        )

    return night_failed
