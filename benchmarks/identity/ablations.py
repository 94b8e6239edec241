"""``python -m benchmarks.identity.ablations``: what each part of our identity resolution brings, by taking it away."""

from pathlib import Path

import click

from benchmarks.identity.measured import common_options, run_sets, show
from benchmarks.identity.ours import ABLATIONS
from benchmarks.identity.sets import SETS

ABLATED = ("historical_50k", "sample")


@click.command()
@click.option("--only", multiple=True, type=click.Choice(list(SETS)), default=ABLATED, show_default=True)
@common_options
def main(
    only: tuple[str, ...], parties: int, data: Path | None, half: str, json_file: Path | None, page: Path | None
) -> None:
    """Measure ours whole and without each of its parts."""
    rows = run_sets(only, ["ours", *ABLATIONS], parties, data, half)
    show(rows, "benchmarks.identity.ablations", ["--parties", str(parties)], "ablations", json_file, page)


if __name__ == "__main__":
    main()
