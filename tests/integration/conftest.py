"""Homes with nights already run, made once through the same entry points that people use, a copy for each test file."""

import datetime as dt
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner
from filelock import FileLock

from pipelines.cli.main import _add_commands, cli

ROOT = Path(__file__).parent.parent.parent
_add_commands()
FIRST = dt.date(2026, 10, 29)
BERKA = ROOT.parent / "shared" / "data" / "berka"


@dataclass(frozen=True)
class Outcome:
    code: int
    output: str


def c360(*words: str | Path, **environment: str) -> Outcome:
    """Run the command line: a night in a process of its own, as an operator does; the rest in this one, at once."""
    if not {"run", "backfill"} & set(words):
        own = CliRunner(env={"COLUMNS": "200", **environment})
        told = own.invoke(cli, [str(word) for word in words], catch_exceptions=False)
        return Outcome(told.exit_code, told.output)
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200", **environment},
        check=False,
    )
    return Outcome(done.returncode, done.stdout + done.stderr)


@pytest.fixture(scope="session")
def run() -> Callable[..., Outcome]:
    return c360


@pytest.fixture(scope="session")
def first_nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with generated exports of three dates (1,500 party records) and the nights of the first two: to copy.

    Made once a run, by the first worker that asks; the others wait for it.
    """
    base = tmp_path_factory.getbasetemp()
    home = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "first-nights"
    with FileLock(home.with_suffix(".lock")):
        if not home.exists():
            building = home.with_suffix(".building")
            shutil.rmtree(building, ignore_errors=True)
            for words in (
                ("sample", "--parties", "1500", "--days", "3", "--seed", "7"),
                ("backfill", "--from", FIRST.isoformat(), "--to", "2026-10-30"),
            ):
                done = c360("--home", building, *words)
                assert done.code == 0, done.output
            building.rename(home)
    return home


@pytest.fixture(scope="module")
def sample_home(first_nights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the exports of three dates and no night run."""
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(first_nights / "exports", home / "exports")
    return home


@pytest.fixture(scope="module")
def published_home(first_nights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of the file's own after the nights of the first two dates."""
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(first_nights, home, symlinks=True, dirs_exist_ok=True)
    return home
