"""``python -m benchmarks.identity.ablations``: what each part of our identity resolution brings, by taking it away."""

from pathlib import Path

import click

from benchmarks.identity.measured import common_options, run_sets, show
from benchmarks.identity.ours import ABLATIONS
from benchmarks.identity.sets import SETS
from models.identity.settings import MatchingSettings

ABLATED = ("historical_50k", "sample")


@click.command()
@click.option("--only", multiple=True, type=click.Choice(list(SETS)), default=ABLATED, show_default=True)
@common_options
def main(
    only: tuple[str, ...], parties: int, data: Path | None, half: str, json_file: Path | None, page: Path | None
) -> None:
    """Measure ours whole and without each of its parts."""
    known = MatchingSettings.model_fields
    parts = [name for name, part in ABLATIONS.items() if set(part.settings) <= set(known)]
    rows = run_sets(only, ["ours", *parts], parties, data, half)
    show(rows, "benchmarks.identity.ablations", ["--parties", str(parties)], "ablations", json_file, page)


if __name__ == "__main__":
    main()
