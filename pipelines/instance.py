"""The Dagster instance of a home: the settings of the root's dagster.yaml, storage below ``<home>/dagster``."""

import datetime as dt
from pathlib import Path
from typing import Any

import yaml
from dagster import DagsterInstance as DagsterInstance  # benchmarks watch its events through this door
from dagster import DagsterRunStatus, RunsFilter
from filelock import FileLock

from pipelines.night_lock import NightRunningError, night

_UNDER_WAY = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]

SETTINGS = Path(__file__).parent.parent / "dagster.yaml"


def prepare_instance(home: Path) -> Path:
    """Write ``<home>/dagster/dagster.yaml`` and return its folder, the DAGSTER_HOME of this home.

    It is the root's dagster.yaml; where that keeps SQLite and artifacts below the default home, here they lie
    below this one. Another storage (PostgreSQL) stays as configured.
    """
    folder = home.resolve() / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    settings: dict[str, Any] = yaml.safe_load(SETTINGS.read_text(encoding="utf-8"))
    if "sqlite" in settings.get("storage", {}):
        settings["storage"]["sqlite"]["base_dir"] = str(folder)
    settings["local_artifact_storage"]["config"]["base_dir"] = str(folder)
    text = "# Made from the project's dagster.yaml at every start; change that one.\n" + yaml.safe_dump(settings)
    target = folder / "dagster.yaml"
    # two processes that first open a new SQLite storage at once both create its tables and leave it broken
    with FileLock(folder / ".prepare.lock"):
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8")
            DagsterInstance.from_config(str(folder)).dispose()
    return folder


def open_instance(home: Path) -> DagsterInstance:
    """Open the home's instance; use it as a context manager."""
    return DagsterInstance.from_config(str(prepare_instance(home)))


def close_killed_runs(instance: DagsterInstance, before: dt.datetime | None = None) -> int:
    """Mark runs whose process was killed as failed, and give back their places; returns how many.

    The night's lock must be held. A killed process tells Dagster nothing: its run would stay "started", the queue would
    start no other, and a step would wait for its place in the pool for ever.

    Args:
        instance: the home's instance.
        before: only runs that were last heard of before; without it all that are under way.
    """
    told = instance.get_run_records(RunsFilter(statuses=_UNDER_WAY, updated_before=before))
    for record in told:
        run = record.dagster_run
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        instance.report_run_failed(run, "the process of this night was killed; the night has to be run again")
    return len(told)


def close_killed_runs_of(home: Path, instance: DagsterInstance, quiet_seconds: float = 0) -> None:
    """``close_killed_runs`` where no night is running in the home; else nothing.

    Args:
        home: the home.
        instance: its instance.
        quiet_seconds: leave runs alone that were heard of so lately: they may just be starting.
    """
    before = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=quiet_seconds)
    if instance.get_run_records(RunsFilter(statuses=_UNDER_WAY, updated_before=before), limit=1):
        try:
            with night(home):
                close_killed_runs(instance, before)
        except NightRunningError:
            return
