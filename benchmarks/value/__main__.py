"""``python -m benchmarks.value``: seconds and memory of each table of value, on a night many times over.

In H is a whole night, with the models that it fitted: scoring is measured, fitting is not.
"""

import datetime as dt
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import click

from benchmarks.identity.report import circumstances
from benchmarks.value.multiplied import multiply
from models.tables import Table
from pipelines.assets.tables import made_one_by_one
from pipelines.workspace import Workspace

LAYERS = ("value", "mart")
_FIGURES = ("seconds", "cpu_seconds", "peak_gigabytes")


@click.command()
@click.option("--home", required=True, type=click.Path(path_type=Path, exists=True), help="Home of a whole night.")
@click.option("--date", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The night's business date.")
@click.option("--bank", default="sample", show_default=True)
@click.option("--copies", default=50, show_default=True, help="How many times over.")
@click.option("--keep", type=click.Path(path_type=Path), help="Folder of the multiplied home; gone on with if there.")
@click.option("--only", multiple=True, help="Measure these tables of a kept home, where all others are made.")
def main(home: Path, date: dt.datetime, bank: str, copies: int, keep: Path | None, only: tuple[str, ...]) -> None:
    """Multiply a night and make every table of value and every mart of it, each in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="c360-benchmark-") as name:
        folder = keep or Path(name)
        source, target = Workspace.open(bank, home), Workspace.open(bank, folder)
        tables = {table.id: table for table, _, _ in made_one_by_one(source) if table.layer in LAYERS}
        if not target.lake.root.exists():
            multiply(source, target, sorted(_inputs(tables.values()) - set(tables)), date.date(), copies)
        click.echo("| table | rows | seconds | processor seconds | GB |\n|---|---|---|---|---|")
        rows = []
        for table_id in only or _in_order(tables):
            rows.append(_measured(bank, folder, table_id, date.date()))
            click.echo(_line(table_id, f"{rows[-1]['rows']:,}", [rows[-1][figure] for figure in _FIGURES]))
    seconds = [sum(row[figure] for row in rows) for figure in _FIGURES[:2]]
    click.echo(_line("all", "", [*seconds, max(row[_FIGURES[2]] for row in rows)]))
    click.echo(json.dumps(circumstances(f"python -m benchmarks.value --copies {copies}", ("duckdb",))))


def _in_order(tables: dict[str, Table]) -> Iterable[str]:
    """Tables after those that they are made from."""
    return TopologicalSorter(
        {table.id: sorted(set(table.inputs) & set(tables)) for table in tables.values()}
    ).static_order()


def _inputs(tables: Iterable[Table]) -> set[str]:
    return {name for table in tables for name in table.inputs if not name.startswith("previous.")}


def _line(table: str, rows: str, figures: Iterable[float]) -> str:
    return f"| {table} | {rows} | {' | '.join(f'{figure:.1f}' for figure in figures)} |"


def _measured(bank: str, home: Path, table_id: str, date: dt.date) -> dict[str, Any]:
    """Make one table in a process of its own.

    Raises:
        subprocess.CalledProcessError: it could not be made; its traceback is on standard error.
    """
    asked = [sys.executable, "-m", "benchmarks.value.step", bank, str(home), table_id, str(date)]
    made = subprocess.run(asked, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 -- our own module
    return dict(json.loads(made.stdout))


if __name__ == "__main__":
    main()
