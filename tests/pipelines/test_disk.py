"""Disks that are full or read-only, real ones: what is told, what is left, what the next run does."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipelines.workspace import Workspace

ROOT = Path(__file__).parents[2]


def _mounted(folder: Path, options: str, *command: str) -> "subprocess.CompletedProcess[str]":
    """Run a command with a disk of its own on a folder; nobody else sees it, and it ends with the command."""
    script = 'mount -t tmpfs -o "$1" tmpfs "$2" || exit 77; shift 2; exec "$@"'
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", options, str(folder), *command],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
    )
    if done.returncode == 77 or done.stderr.startswith("unshare:"):
        pytest.skip(f"this system lets nobody mount a disk in a namespace of his own: {done.stderr.strip()}")
    return done


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("full")
    program = str(Path(__file__).with_name("full_disk.py"))
    done = _mounted(folder, "size=150m", sys.executable, program, str(folder))
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout)


@pytest.mark.parametrize(
    ("work", "where"),
    [
        ("landing", "desk/lake/core__customer/business_date=2026-01-31/.data.parquet.arrived.tmp"),
        ("lake", "lake/mart/thing/business_date=2026-10-29/.data.parquet.tmp"),
        ("spill", "spill"),
        ("audit", "audit/audit.jsonl"),
        ("candidate", "warehouse/releases/.building-2026-01-31.2/customer360.duckdb"),
    ],
)
def test_a_full_disk_is_told_with_its_path_and_the_next_run_works(
    full: tuple[Path, dict[str, Any]], work: str, where: str
) -> None:
    folder, told = full
    assert told[work]["told"] == (
        f"no space left for {folder / where}; free some (every temporary file of this night is removed), "
        "then run the night again. The last release stays"
    )
    assert not [name for name in told[work]["left"] if not name.startswith("audit/")]
    assert told[work]["again"] == "done"


def test_on_a_full_disk_the_last_release_is_read_and_the_audit_log_holds(full: tuple[Path, dict[str, Any]]) -> None:
    _, told = full
    assert told["candidate"]["meanwhile"] == [[1, 1000]]
    assert told["current"] == [[2, 1000]]
    assert told["audit faults"] == []


def test_a_secret_key_is_made_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace.open("sample", tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            workspace.secret_key("card-token")
    assert not (tmp_path / "secrets" / "card-token.key").exists()
    key = workspace.secret_key("card-token")
    assert len(key) == 32 and workspace.secret_key("card-token") == key


def test_a_read_only_warehouse_ends_the_night_before_it_starts(tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse"
    warehouse.mkdir()
    c360 = (sys.executable, "-m", "pipelines.cli", "--home", str(tmp_path), "run", "--date", "2026-10-29")
    done = _mounted(warehouse, "ro", *c360)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"error: {warehouse} cannot be written (a read-only file system, or another user's folder); "
        "nothing was done, the last release stays"
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["warehouse"]
