"""The measurement: stage a set once, run engines on it one after the other, judge each; the commands' common part."""

import json
import shlex
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import pyarrow.parquet as pq

from benchmarks.identity.engine import measure
from benchmarks.identity.judged import judge
from benchmarks.identity.report import as_markdown, circumstances, put_section, section
from benchmarks.identity.sets import DATA_VARIABLE, SETS, BenchmarkSet, SetMissingError
from benchmarks.identity.staged import DATE, open_workspace, stage

Command = Callable[..., None]


def common_options(command: Command) -> Command:
    """Options of every command of this benchmark."""
    for option in reversed(
        (
            click.option("--parties", default=100_000, show_default=True, help="Party records of the sample bank."),
            click.option(
                "--data", type=click.Path(path_type=Path), help=f"Folder of the public sets ({DATA_VARIABLE})."
            ),
            click.option("--half", type=click.Choice(["tuning", "test"]), default="test", show_default=True),
            click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write all figures here."),
            click.option(
                "--page", type=click.Path(path_type=Path, exists=True), help="Markdown page to put them into."
            ),
        )
    ):
        command = option(command)
    return command


def run_sets(
    names: Sequence[str], engines: Sequence[str], parties: int, data: Path | None, half: str
) -> list[dict[str, Any]]:
    """Measure engines on sets; says each result as it comes, and of a set that is not here why it is left out."""
    rows: list[dict[str, Any]] = []
    for name in names:
        try:
            for row in _run_set(SETS[name], engines, parties, data, half):
                click.echo(as_markdown([row]).splitlines()[-1], err=True)
                rows.append(row)
        except SetMissingError as missing:
            click.echo(f"{name} is left out: {missing}", err=True)
    return rows


def _run_set(
    one: BenchmarkSet, engines: Sequence[str], parties: int, data: Path | None, half: str
) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="c360-benchmark-") as name:
        folder = Path(name)
        workspace = open_workspace(one.bank, folder)
        truth = one.write(data, workspace.exports, parties)
        stage(workspace)
        documents = pq.read_table(workspace.lake.require("identity.party_document", DATE))
        for engine in engines:
            run = measure(engine, one.name, folder)
            for figures in judge(one, run, truth, half, documents):
                yield {
                    "set": one.name,
                    "engine": engine,
                    **figures,
                    "seconds": run.total_seconds,
                    "seconds_by_step": run.seconds,
                    "peak_megabytes": run.peak_megabytes,
                }


def show(
    rows: list[dict[str, Any]], module: str, words: Sequence[str], mark: str, json_file: Path | None, page: Path | None
) -> None:
    """Print the table; write JSON and put the table between the page's marks where that is asked for."""
    click.echo(as_markdown(rows))
    where = circumstances(shlex.join(["python", "-m", module, *words]))
    if json_file:
        json_file.write_text(json.dumps({**where, "rows": rows}, indent=1) + "\n", encoding="utf-8")
    if page:
        put_section(page, mark, section(rows, where))
