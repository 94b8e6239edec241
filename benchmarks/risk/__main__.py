"""``python -m benchmarks.risk``: Berka's loans by cross-validation, and the sample bank against the truth."""

from pathlib import Path

import click
import numpy as np

from benchmarks.identity.report import circumstances, put_section
from benchmarks.identity.sets import DATA_VARIABLE, SetMissingError
from benchmarks.risk.berka import loans
from benchmarks.risk.judges import JUDGES, cross_validated
from benchmarks.risk.sample import reach

LIBRARIES = ("scikit-learn", "lightgbm", "numpy", "duckdb")


@click.command()
@click.option("--only", type=click.Choice(["berka", "sample"]), help="One of the two.")
@click.option("--seeds", default=10, show_default=True, help="Seeds of the folds: 0, 1, 2 ...")
@click.option("--parties", default=60_000, show_default=True, help="Party records of the sample bank.")
@click.option("--months", default=36, show_default=True, help="Months of history of the sample bank.")
@click.option("--data", type=click.Path(path_type=Path), help=f"Folder in which berka lies ({DATA_VARIABLE}).")
@click.option("--page", type=click.Path(path_type=Path, exists=True), help="Markdown page to put the figures into.")
def main(only: str | None, seeds: int, parties: int, months: int, data: Path | None, page: Path | None) -> None:
    """Measure how well defaults are told."""
    found: dict[str, str] = {}
    if only != "sample":
        try:
            found["berka"] = _berka(seeds, data)
        except SetMissingError as missing:
            click.echo(f"berka is left out: {missing}", err=True)
    if only != "berka":
        found["sample"] = _sample(parties, months)
    where = circumstances(
        f"python -m benchmarks.risk{f' --only {only}' if only else ''} --seeds {seeds} --parties {parties} "
        f"--months {months}",
        LIBRARIES,
    )
    versions = ", ".join(f"{name} {number}" for name, number in where["versions"].items())
    for name, table in found.items():
        text = f"{table}\n\n`{where['command']}`, {where['date']}, {where['machine']}; {versions}."
        click.echo(f"{name}\n{text}")
        if page:
            put_section(page, name, text)


def _berka(seeds: int, data: Path | None) -> str:
    features, bad = loans(data)
    lines = [
        f"{len(bad)} loans, {int(bad.sum())} bad, {len(features)} characteristics; AUC over {seeds} times five folds.",
        "",
        "| method | AUC, mean | sd between seeds | lowest | highest |",
        "|---|---|---|---|---|",
    ]
    for judge in JUDGES:
        scores = np.array([cross_validated(judge, features, bad, seed) for seed in range(seeds)])
        lines.append(
            f"| {judge.name} | {scores.mean():.4f} | {scores.std(ddof=1) if seeds > 1 else 0:.4f} | "
            f"{scores.min():.4f} | {scores.max():.4f} |"
        )
        click.echo(lines[-1], err=True)
    return "\n".join(lines)


def _sample(parties: int, months: int) -> str:
    got = reach(parties, months)
    return "\n".join(
        [
            "| month end | debtors | defaults | fitted on | AUC | AUC of the true probability | share of the way |",
            "|---|---|---|---|---|---|---|",
            f"| {got.as_of_date} | {got.debtors:,} | {got.defaults:,} | {got.fitted_on:,} | {got.auc:.4f} | "
            f"{got.auc_true:.4f} | {got.share:.3f} |",
        ]
    )


if __name__ == "__main__":
    main()
