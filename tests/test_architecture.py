"""The lines of the house: who may import whom, and which library lives in which room."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("pipelines", "quality", "warehouse", "models", "sources")
ALLOWED = {
    "pipelines": {"quality", "warehouse", "models", "sources"},
    "quality": {"models", "sources.contract"},
    "warehouse": {"models"},
    "models": set(),
    "sources": set(),
}
ONLY_IN = {
    "dagster": ("pipelines/",),
    "great_expectations": ("quality/",),
    "splink": ("models/identity/",),
    "sqlalchemy": (
        "sources/readers/database.py",
        "quality/gx.py",
        "warehouse/append_only.py",
        "warehouse/decision_log.py",
        "warehouse/consent_log.py",
        "warehouse/quarantine_log.py",
        "warehouse/restriction_log.py",
    ),
}


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


FILES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    for name in _imports(path):
        other = name.partition(".")[0]
        assert other != "benchmarks", "no room imports a benchmark"
        if other in ROOMS and other != room:
            permitted = ALLOWED[room]
            assert (
                other in permitted
                or any(f"{name}.".startswith(f"{p}.") for p in permitted)
                or (name in {p.partition(".")[0] for p in permitted})
            ), f"{room} must not import {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_library_stays_in_its_room(path: Path) -> None:
    where = str(path.relative_to(ROOT))
    for name in _imports(path):
        library = name.partition(".")[0]
        if library in ONLY_IN:
            assert where.startswith(ONLY_IN[library]), f"{library} is imported in {where}"


def test_benchmarks_reach_dagster_and_great_expectations_through_their_rooms() -> None:
    for path in sorted((ROOT / "benchmarks").rglob("*.py")):
        libraries = {name.partition(".")[0] for name in _imports(path)}
        assert not libraries & {"dagster", "great_expectations"}, path


def test_banks_hold_no_code() -> None:
    assert not list((ROOT / "banks").rglob("*.py"))
    assert not list((ROOT / "banks").rglob("*.sql"))


def test_no_other_folder_at_the_top() -> None:
    known = {*ROOMS, "banks", "tests", "benchmarks", "docs"}
    ignored = {"data", "build", "dist"}
    folders = {p.name for p in ROOT.iterdir() if p.is_dir() and not p.name.startswith((".", "_"))}
    folders = {name for name in folders if not name.endswith(".egg-info")}
    assert folders - ignored <= known
