"""What is damaged, left or started twice in a home after two nights: the next night mends it, or says why not."""

import datetime as dt
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelines.publishing import publish
from pipelines.upkeep import mend, remove_leftovers
from pipelines.workspace import Workspace
from warehouse.audit import AuditLog
from warehouse.lake import DamagedPartitionError

ROOT = Path(__file__).parents[2]
FIRST, SECOND, THIRD = (dt.date(2026, 10, day) for day in (29, 30, 31))
LOANS = "landing.loans__loan"


@pytest.fixture(scope="module")
def home(first_nights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home after two nights; each test leaves it as it was, but for what the next night would read."""
    folder = tmp_path_factory.mktemp("home")
    shutil.copytree(first_nights, folder, symlinks=True, dirs_exist_ok=True)
    return folder


@pytest.fixture
def workspace(home: Path) -> Workspace:
    return Workspace.open("sample", home)


def damaged(workspace: Workspace, table_id: str, date: dt.date) -> bytes:
    """Turn one bit of a partition over; returns the bytes that it had."""
    path = workspace.lake.path(table_id, date)
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    return whole


@pytest.mark.parametrize(
    ("table_id", "date", "also"),
    [
        pytest.param("customer.customer_event", SECOND, ("identity.cluster",), id="made of another that is damaged"),
        pytest.param("mart.customer_segment", SECOND, (), id="made by a .sql file"),
        pytest.param("identity.decision", SECOND, (), id="read from the stewards' log"),
        pytest.param("staging.loans__loan", SECOND, (LOANS,), id="a delta's state, and the delta"),
        pytest.param("landing.core__transaction", FIRST, (), id="landed from a file"),
        pytest.param("landing.quarantine__core__transaction", FIRST, (), id="in quarantine"),
    ],
)
def test_a_damaged_partition_of_an_earlier_date_is_made_anew_byte_for_byte(
    workspace: Workspace, table_id: str, date: dt.date, also: tuple[str, ...]
) -> None:
    whole = {one: damaged(workspace, one, date) for one in (table_id, *also)}
    said: list[str] = []
    mend(workspace, THIRD, said.append)
    for one, content in whole.items():
        path = workspace.lake.path(one, date)
        assert path.read_bytes() == content
        assert f"{one} of {date} was damaged ({path}); it was made anew, as it was" in said
    assert len(said) == len(whole)


@pytest.fixture
def without_delivery(home: Path) -> Iterator[None]:
    """The loans' delta of the first date is no longer among the exports."""
    (delta,) = (home / "exports").rglob("LOAN_20261029.jsonl.gz")
    away = home / delta.name
    delta.rename(away)
    yield
    away.rename(delta)


@pytest.mark.usefixtures("without_delivery")
def test_a_damaged_delta_whose_file_is_gone_is_refused_with_what_is_missing(workspace: Workspace) -> None:
    whole = damaged(workspace, LOANS, FIRST)
    path = workspace.lake.path(LOANS, FIRST)
    with pytest.raises(DamagedPartitionError) as refused:
        mend(workspace, THIRD, lambda said: None)
    assert str(refused.value) == (
        f"{LOANS} of 2026-10-29 is damaged: the bytes of {path} are not those that were written; "
        "it cannot be made anew, restore the file from a backup: "
        "loans.loan: what was delivered for 2026-10-29 is no longer there"
    )
    path.write_bytes(whole)
    mend(workspace, THIRD, pytest.fail)


def test_a_release_is_not_made_of_a_damaged_table(workspace: Workspace) -> None:
    whole = damaged(workspace, "mart.customer_360", SECOND)
    before = workspace.releases.list()
    with pytest.raises(DamagedPartitionError, match=r"mart.customer_360 of 2026-10-30 .*'c360 run --date 2026-10-30'"):
        publish(workspace, SECOND)
    assert workspace.releases.list() == before
    workspace.lake.path("mart.customer_360", SECOND).write_bytes(whole)


@pytest.mark.slow
def test_a_release_that_a_killed_night_could_not_record_is_recorded_by_the_next(
    workspace: Workspace, tmp_path: Path
) -> None:
    workspace.__dict__["audit"] = AuditLog(tmp_path)  # a log that does not know of it
    publish(workspace, SECOND)
    publish(workspace, SECOND)
    told = [(one.action, one.subject) for one in workspace.audit.entries()]
    assert told == [("published", "2026-10-30.1"), ("unchanged", "2026-10-30.1")]


def test_what_killed_nights_left_is_removed_and_nothing_else(workspace: Workspace) -> None:
    home = workspace.home
    living = home / "spill" / f"{os.getppid()}-0a1b2c3d"  # another process's, which still reads it
    living.mkdir()
    before = {path for path in home.rglob("*") if "dagster" not in path.parts}
    partition = workspace.lake.path("mart.customer_360", FIRST).parent
    landed = workspace.lake.path(LOANS, FIRST).parent
    planted = [
        partition / ".data.parquet.tmp",
        partition / ".data.parquet.sha256.tmp",
        landed / ".data.parquet.arrived.tmp",
        landed / ".data.parquet.troubles.tmp",
        landed / ".manifest.json.tmp",
        home / "reports" / ".2026-10-30.html.tmp",
        home / "models" / "identity" / ".pin.json.tmp",
        home / "spill" / "duckdb_temp_storage_DEFAULT-0.tmp",
        home / "spill" / "4194305-0a1b2c3d" / "duckdb_temp_storage_DEFAULT-0.tmp",  # no process has that number
        home / "spill" / "4194305-ab12" / "2026-10-01.parquet",
        home / "warehouse" / ".current",
        home / "warehouse" / "releases" / ".building-2026-10-31.1" / "customer360.duckdb",
        home / "warehouse" / "releases" / ".removing-2026-09-30.1" / "customer360.duckdb",
        home / "warehouse" / "shares" / "marketing" / ".building-2026-10-31.1" / "marketing.duckdb",
        home / "warehouse" / "shares" / "marketing" / ".current",
    ]
    for path in planted:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    remove_leftovers(workspace)
    after = {path for path in home.rglob("*") if "dagster" not in path.parts}
    assert after == before
    living.rmdir()


@pytest.mark.parametrize("date", [SECOND, THIRD], ids=["the same date", "another date"])
def test_a_second_night_is_refused_in_one_line(home: Path, run: Callable, date: dt.date) -> None:
    hold = (
        "import sys; from pathlib import Path; from pipelines.night_lock import hold_night; "
        "hold_night(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", hold, str(home)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, env=environment, **pipes) as other:
        assert other.stdout.readline() == "held\n"
        refused = run("--home", home, "run", "--date", str(date))
        other.kill()
    assert refused.code == 1
    assert refused.output.startswith(f"error: another night is running in {home} (process {other.pid} since ")
    assert len(refused.output.splitlines()) == 1
