"""One night at a time in one home."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.night_lock import NightRunningError, hold_night, night

HOLD = (
    "import sys; from pathlib import Path; from pipelines.night_lock import hold_night; hold_night(Path(sys.argv[1]))"
)


def _hold_elsewhere(home: Path, then: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", f"{HOLD}; print('held', flush=True); {then}", str(home)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_second_night_is_refused_while_another_process_runs_one(tmp_path: Path) -> None:
    other = _hold_elsewhere(tmp_path, "import time; time.sleep(60)")
    try:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(NightRunningError, match=rf"another night is running .*process {other.pid} since"):
            hold_night(tmp_path)
    finally:
        other.kill()
        other.wait()
    with night(tmp_path):
        pass


def test_a_process_may_run_several_nights_and_gives_the_home_back(tmp_path: Path) -> None:
    with night(tmp_path):
        hold_night(tmp_path)
    other = _hold_elsewhere(tmp_path, "pass")
    assert other.communicate(timeout=60)[0] == "held\n"
