"""Running nights from the command line: the same Dagster job that the schedule starts, in this process."""

import datetime as dt
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import dagster as dg

from pipelines.alerts import alert
from pipelines.assets.release import RELEASE
from pipelines.definitions import NIGHT, build_definitions
from pipelines.instance import close_killed_runs, open_instance
from pipelines.night_lock import night
from pipelines.workspace import Workspace

PUBLISHED, FAILED, BLOCKED = 0, 1, 3

Listener = Callable[[str, dict[str, Any]], None]


@dataclass(frozen=True)
class NightResult:
    """How a night ended.

    Attributes:
        business_date: the night's date.
        exit_code: 0 published with all shares, 1 failed, 3 blocked by a gate or a leak scan.
        message: what to tell the operator.
        metadata: of the published release; empty if there is none. With one, what failed was a share.
    """

    business_date: dt.date
    exit_code: int
    message: str
    metadata: dict[str, Any]


def run_nights(workspace: Workspace, dates: Sequence[dt.date], listen: Listener) -> Iterator[NightResult]:
    """Run one night for each date, in order, stopping after the first whose release is not published.

    Args:
        workspace: bank and home.
        dates: business dates.
        listen: called with the name of a step and its metadata when it starts (no metadata) and ends.

    Raises:
        NightRunningError: another process runs a night in this home.
    """
    job = build_definitions(workspace, {"console": _step_logger(listen)}).resolve_job_def(NIGHT)
    with night(workspace.home), open_instance(workspace.home) as instance, _quiet_libraries():
        close_killed_runs(instance)
        for date in dates:
            result = _result(
                date,
                job.execute_in_process(
                    instance=instance,
                    partition_key=date.isoformat(),
                    raise_on_error=False,
                    run_config={"loggers": {"console": {}}},
                ),
            )
            if result.exit_code != PUBLISHED:
                what = "published, but not all its shares" if result.metadata else "not published"
                alert(workspace, f"{workspace.bank.settings.title}: night of {date} {what}", result.message)
            yield result
            if not result.metadata:
                return


def _result(date: dt.date, run: dg.ExecuteInProcessResult) -> NightResult:
    failures = [_failure(event) for event in run.all_events if event.is_step_failure]
    metadata = {
        name: value.value
        for event in run.all_events
        if event.event_type_value == "ASSET_MATERIALIZATION" and event.asset_key == RELEASE
        for name, value in event.step_materialization_data.materialization.metadata.items()
    }
    if failures:
        # what fails after the release is a share: the others are made all the same
        told = failures if metadata else failures[:1]
        return NightResult(date, told[0][0], "\n".join(text for _, text in told), metadata)
    if not run.success:
        return NightResult(date, FAILED, "the run did not start; see its log in the UI", {})
    return NightResult(date, PUBLISHED, f"published {metadata['release']}", metadata)


def _failure(event: dg.DagsterEvent) -> tuple[int, str]:
    """Exit code and text of a step's failure."""
    failure = event.step_failure_data
    user = failure.user_failure_data
    kind = user.metadata.get("error") if user else None
    code = BLOCKED if kind and kind.value == "Blocked" else FAILED
    cause = failure.error.cause or failure.error if failure.error else None
    text = (user.description if user else None) or (cause.message.strip() if cause else "unknown failure")
    return code, f"{event.step_key}: {text}"


def _step_logger(listen: Listener) -> dg.LoggerDefinition:
    """A Dagster logger that tells the listener when a step starts and what it materialised."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            event = getattr(record, "dagster_meta", {}).get("dagster_event")
            if event is None:
                # a step that is left out because another failed is no news beside that failure
                text = record.dagster_meta["orig_message"]  # type: ignore[attr-defined]
                if record.levelno >= logging.WARNING and not text.startswith("Dependencies for step"):
                    listen("warning", {"text": text})
            elif event.event_type_value == "STEP_START":
                listen(event.step_key, {})
            elif event.event_type_value == "ASSET_MATERIALIZATION":
                materialization = event.event_specific_data.materialization
                values = {name: value.value for name, value in materialization.metadata.items()}
                listen("/".join(materialization.asset_key.path), values)

    @dg.logger
    def console(_context: dg.InitLoggerContext) -> logging.Logger:
        logger = logging.Logger("c360", level=logging.INFO)
        logger.addHandler(Handler())
        return logger

    return console


@contextmanager
def _quiet_libraries() -> Iterator[None]:
    """Keep libraries' own chatter off the terminal; everything of a run is in the instance's event log."""
    loggers = [logging.getLogger(name) for name in ("dagster", "splink", "great_expectations")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
