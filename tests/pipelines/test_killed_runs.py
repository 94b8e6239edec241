"""A night that was killed leaves Dagster a run that never ends and a place in the pool that is never given back."""

import datetime as dt
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from pipelines.assets.common import POOL
from pipelines.instance import close_killed_runs, close_killed_runs_of, open_instance
from pipelines.night_lock import night

ROOT = Path(__file__).parents[2]
DIES = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_killed_runs import job
from pipelines.instance import open_instance
with open_instance(Path(sys.argv[1])) as instance:
    job(lambda: os.kill(os.getpid(), signal.SIGKILL)).execute_in_process(instance=instance)
"""


def job(work) -> dg.JobDefinition:
    """A job of one step in the nights' pool."""

    @dg.asset(name="thing", pool=POOL)
    def thing() -> None:
        work()

    return dg.Definitions([thing], jobs=[dg.define_asset_job("night")]).resolve_job_def("night")


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose first run was killed within its step."""
    home = tmp_path_factory.mktemp("killed")
    with open_instance(home):
        pass
    command = [sys.executable, "-c", DIES, str(home), str(Path(__file__).parent)]
    done = subprocess.run(command, env={"PYTHONPATH": str(ROOT), "PATH": ""}, capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    return home


def _statuses(instance: dg.DagsterInstance) -> list[str]:
    return sorted(record.dagster_run.status.value for record in instance.get_run_records())


def test_the_next_night_ends_the_killed_run_and_does_not_wait_for_its_place(killed: Path) -> None:
    with open_instance(killed) as instance:
        places = instance.event_log_storage.get_concurrency_info(POOL)
        assert _statuses(instance) == ["STARTED"] and places.active_slot_count == 1
        # a run that was heard of just now may be about to take the lock; one whose lock is held is alive
        close_killed_runs_of(killed, instance, quiet_seconds=3600)
        assert _statuses(instance) == ["STARTED"]
        command = [sys.executable, "-c", _HOLD, str(killed)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as other:
            assert other.stdout.readline() == "held\n"
            close_killed_runs_of(killed, instance)
            assert _statuses(instance) == ["STARTED"]
            other.stdin.close()
        with night(killed):
            assert close_killed_runs(instance) == 1
        assert _statuses(instance) == ["FAILURE"]
        assert instance.event_log_storage.get_concurrency_info(POOL).active_slot_count == 0
        started = dt.datetime.now(dt.UTC)
        assert job(lambda: None).execute_in_process(instance=instance).success
        assert dt.datetime.now(dt.UTC) - started < dt.timedelta(seconds=60)


_HOLD = (
    "import sys; from pathlib import Path; from pipelines.night_lock import hold_night; hold_night(Path(sys.argv[1])); "
    "print('held', flush=True); sys.stdin.read()"
)
