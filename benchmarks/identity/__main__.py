"""``python -m benchmarks.identity``: identity resolution on standardised sets, as a table and as JSON."""

import json
import tempfile
from pathlib import Path
from typing import Any

import click

from benchmarks.identity.engine import ENGINES, Run, measure
from benchmarks.identity.judged import best_cut, half_of, judge
from benchmarks.identity.sets import SETS, BenchmarkSet, SetMissingError
from benchmarks.identity.staged import open_workspace, stage

COLUMNS = ("set", "engine", "P", "R", "F1", "B3 F1", "exact", "over-merged", "largest", "seconds", "MB")


@click.command()
@click.option("--parties", default=10_000, show_default=True, help="Party records of the sample bank.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the public sets; else C360_BENCHMARK_DATA.")
@click.option("--only", multiple=True, type=click.Choice(list(SETS)), help="Sets to run; heavy ones only so.")
@click.option("--engine", "engines", multiple=True, type=click.Choice(list(ENGINES)), default=tuple(ENGINES))
@click.option("--half", type=click.Choice(["tuning", "test"]), default="test", show_default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the figures here too.")
def main(
    parties: int,
    data: Path | None,
    only: tuple[str, ...],
    engines: tuple[str, ...],
    half: str,
    json_file: Path | None,
) -> None:
    """Measure identity resolution on public sets and on the sample bank."""
    rows: list[dict[str, Any]] = []
    for one in SETS.values():
        if one.name in only or not (only or one.heavy):
            try:
                rows += run_set(one, data, parties, engines, half)
            except SetMissingError as missing:
                click.echo(f"{one.name}: skipped: {missing}", err=True)
    if json_file:
        json_file.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def run_set(
    one: BenchmarkSet, data: Path | None, parties: int, engines: tuple[str, ...], half: str
) -> list[dict[str, Any]]:
    """Stage one set and run the engines on it; returns one row of figures for each result."""
    with tempfile.TemporaryDirectory(prefix="c360-benchmark-") as name:
        folder = Path(name)
        workspace = open_workspace(one.bank, folder)
        truth = one.write(data, workspace.exports, parties)
        stage(workspace)
        rows = []
        for engine in engines:
            run = measure(engine, one.name, folder)
            rows += [_row(one, engine, run, truth, half)]
            click.echo("  ".join(f"{value}" for value in rows[-1].values()))
        return rows


def _row(one: BenchmarkSet, engine: str, run: Run, truth: Any, half: str) -> dict[str, Any]:
    judged = half_of(truth, half if one.halves else None)
    cut = best_cut(run, judged) if len(run.crosswalks) > 1 else next(iter(run.crosswalks))
    found = judge(run.crosswalks[cut], judged)
    pairs = found["pairwise"]
    return {
        "set": one.name + (f" ({half} half)" if one.halves else ""),
        "engine": engine,
        "precision": round(pairs["precision"], 4),
        "recall": round(pairs["recall"], 4),
        "f1": round(pairs["f1"], 4),
        "b_cubed_f1": round(found["b_cubed"]["f1"], 4),
        "exact": round(found["exact_cluster_share"], 4),
        "over_merged": found["over_merged_customers"],
        "seconds": round(sum(run.seconds.values()), 1),
        "megabytes": round(run.peak_megabytes),
    }


if __name__ == "__main__":
    main()
