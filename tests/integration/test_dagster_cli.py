"""Dagster's own commands, started in the project's folder as a data engineer does."""

import datetime as dt
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from dagster import DagsterRunStatus, RunRecord

from models.tables import load_tables
from tests.integration.conftest import ROOT
from warehouse.lake import Lake


def _dagster(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k != "DAGSTER_HOME"}
    return subprocess.run(
        [sys.executable, "-m", "dagster", *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**environment, "C360_HOME": str(home), "DAGSTER_HOME": _instance(home)},
        check=False,
    )


def _instance(home: Path) -> str:
    from pipelines.instance import prepare_instance

    return str(prepare_instance(home))


def test_definitions_validate(sample_home: Path) -> None:
    done = _dagster(sample_home, "definitions", "validate")
    assert done.returncode == 0, done.stderr
    assert "All code locations passed validation" in done.stdout + done.stderr


def test_one_asset_of_one_date_can_be_materialised_alone(published_home: Path) -> None:
    lake = Lake(published_home / "lake")
    path = lake.path("mart.customer_360", dt.date(2026, 10, 30))
    before, content = path.stat().st_mtime_ns, path.read_bytes()
    done = _dagster(
        published_home,
        *("asset", "materialize", "-m", "pipelines.definitions"),
        *("--select", "mart/customer_360", "--partition", "2026-10-30"),
    )
    assert done.returncode == 0, done.stderr
    assert path.stat().st_mtime_ns > before
    assert path.read_bytes() == content


def test_one_object_of_a_system_can_be_landed_alone(published_home: Path) -> None:
    lake = Lake(published_home / "lake")
    day = dt.date(2026, 10, 30)
    paths = {name: lake.path(f"landing.{name}", day) for name in ("core__account", "core__customer")}
    before = {name: path.stat().st_mtime_ns for name, path in paths.items()}
    done = _dagster(
        published_home,
        *("asset", "materialize", "-m", "pipelines.definitions"),
        *("--select", "landing/core__account", "--partition", "2026-10-30"),
    )
    assert done.returncode == 0, done.stderr
    assert paths["core__account"].stat().st_mtime_ns > before["core__account"]
    assert paths["core__customer"].stat().st_mtime_ns == before["core__customer"]


@pytest.mark.slow
def test_a_backfill_over_three_dates_runs_one_night_after_the_other(sample_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(sample_home / "exports", home / "exports")
    with _dagster_dev(home):
        done = _dagster(
            home,
            *("job", "backfill", "-m", "pipelines.definitions", "-j", "night", "--noprompt"),
            *("--from", "2026-10-29", "--to", "2026-10-31"),
        )
        assert done.returncode == 0, done.stdout + done.stderr
        records = _wait_for_runs(home, 3)
    assert [record.dagster_run.status for record in records] == [DagsterRunStatus.SUCCESS] * 3
    spans = sorted((record.start_time, record.end_time) for record in records)
    assert all(one[1] <= other[0] for one, other in pairwise(spans)), "two nights ran at once"
    assert (home / "warehouse" / "current").resolve().name == "2026-10-31.1"


@contextmanager
def _dagster_dev(home: Path) -> Iterator[None]:
    """``dagster dev`` in a process group of its own, with signals as a terminal gives them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "dagster", "dev", "-h", "127.0.0.1", "-p", str(port)],
        cwd=ROOT,
        env={**os.environ, "C360_HOME": str(home), "DAGSTER_HOME": _instance(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_for_runs(home: Path, count: int, seconds: float = 600) -> list[RunRecord]:
    from pipelines.instance import open_instance

    deadline = time.monotonic() + seconds
    with open_instance(home) as instance:
        while time.monotonic() < deadline:
            records = list(instance.get_run_records())
            if len(records) >= count and all(record.dagster_run.is_finished for record in records):
                return records
            time.sleep(2)
    pytest.fail(f"the runs did not end within {seconds:.0f} s")


@pytest.mark.parametrize("table", sorted(t.id for t in load_tables().values() if t.published))
def test_every_published_table_has_a_partition_for_each_date(published_home: Path, table: str) -> None:
    dates = Lake(published_home / "lake").dates(table)
    assert {dt.date(2026, 10, 29), dt.date(2026, 10, 30)} <= set(dates)
