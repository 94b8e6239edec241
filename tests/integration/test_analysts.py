"""What analysts are told works: the words of docs/access.md as they stand, the worked queries, the notebook."""

import os
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import nbformat
import pytest
from nbclient import NotebookClient

from pipelines.sharing import connect
from pipelines.workspace import Workspace
from tests.integration.conftest import ROOT

ACCESS = (ROOT / "docs" / "access.md").read_text(encoding="utf-8")
QUERIES = sorted((ROOT / "docs" / "examples" / "queries").glob("*.sql"))
SHELL = re.findall(r"```sh\n(.*?)```", ACCESS, re.DOTALL)
PYTHON = re.findall(r"```python\n(.*?)```", ACCESS, re.DOTALL)


@pytest.fixture
def environment(published_home: Path) -> dict[str, str]:
    """An analyst's: the home, the programs, and the key of the retail share."""
    key = Workspace.open("sample", published_home).share_keys.encryption_key("retail")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "C360_HOME": str(published_home), "RETAIL_KEY": key, "PATH": path, "PYTHONPATH": str(ROOT)}


def test_the_words_of_the_page_are_found() -> None:
    assert SHELL[0] == "export C360_HOME=/srv/customer360\n"
    assert len(SHELL) >= 5
    assert len(PYTHON) >= 4


@pytest.mark.parametrize("block", SHELL[1:], ids=range(1, len(SHELL)))
def test_a_shell_block_of_the_page_opens_what_it_says(block: str, environment: dict[str, str]) -> None:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        capture_output=True,
        text=True,
        env=environment,
        cwd=ROOT,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()


@pytest.mark.parametrize("block", PYTHON, ids=range(len(PYTHON)))
def test_a_python_block_of_the_page_opens_what_it_says(block: str, environment: dict[str, str]) -> None:
    done = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_every_share_has_its_worked_queries() -> None:
    assert {path.stem for path in QUERIES} == set(Workspace.open("sample", "unused").bank.shares.shares)


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_ten_worked_queries_run_on_the_share(path: Path, published_home: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"^-- (\d+)\. .+ \| .+$", text, re.MULTILINE) == [str(number) for number in range(1, 11)]
    statements = duckdb.extract_statements(text)
    assert len(statements) == 10
    with connect(Workspace.open("sample", published_home), path.stem) as con:
        answered = [bool(con.execute(statement.query).fetchall()) for statement in statements]
    # a bank of two nights has no fitted models and nothing that left: some questions have no answer yet
    assert sum(answered) >= 5, answered


def test_the_notebook_runs_from_the_first_cell_to_the_last(environment: dict[str, str]) -> None:
    notebook = nbformat.read(ROOT / "docs" / "examples" / "analysis.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "the notebook is kept without its outputs"
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute(env=environment)
    last = notebook.cells[-1].outputs[0]["data"]["text/plain"]
    assert last.endswith("True)"), "customer_id is unique"
