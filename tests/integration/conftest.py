"""Homes with nights already run, made once for a test file through the same entry points that people use."""

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

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


@pytest.fixture(scope="module")
def sample_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with generated exports of three dates (1,500 party records) and no night run."""
    home = tmp_path_factory.mktemp("home")
    made = c360("--home", home, "sample", "--parties", "1500", "--days", "3", "--seed", "7")
    assert made.code == 0, made.output
    return home


@pytest.fixture(scope="module")
def published_home(sample_home: Path) -> Path:
    """The home after the nights of the first two dates."""
    done = c360("--home", sample_home, "backfill", "--from", FIRST.isoformat(), "--to", "2026-10-30")
    assert done.code == 0, done.output
    return sample_home
