"""``python -m benchmarks.identity``: ours and Splink on the same standardised sets, as a table and as JSON."""

from pathlib import Path

import click

from benchmarks.identity.measured import common_options, run_sets, show
from benchmarks.identity.sets import SETS


@click.command()
@click.option("--only", multiple=True, type=click.Choice(list(SETS)), help="Sets to run; heavy ones only so.")
@click.option("--engine", "engines", multiple=True, type=click.Choice(["ours", "splink"]), default=("ours", "splink"))
@common_options
def main(
    only: tuple[str, ...],
    engines: tuple[str, ...],
    parties: int,
    data: Path | None,
    half: str,
    json_file: Path | None,
    page: Path | None,
) -> None:
    """Measure identity resolution on public sets and on the sample bank."""
    names = only or [name for name, one in SETS.items() if not one.heavy]
    rows = run_sets(names, engines, parties, data, half)
    words = [word for name in only for word in ("--only", name)]
    show(rows, "benchmarks.identity", [*words, "--parties", str(parties)], "results", json_file, page)


if __name__ == "__main__":
    main()
