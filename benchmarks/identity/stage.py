"""``python -m benchmarks.identity.stage``: what the identity stage of a night takes, step by step.

The steps are the night's own, reading and writing included, each in a process of its own, whose start is not counted.
``score`` fits a model the first time; the second time, as in every later night, it scores with that one.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from benchmarks.identity.sets import SETS
from benchmarks.identity.staged import DATE, open_workspace, stage
from pipelines.assets.identity import STEPS

ORDER = ("standardise", "decide", "collapse", "score", "score", "cluster", "assign_customers")


@click.command()
@click.option("--parties", default=1_000_000, show_default=True, help="Party records of the sample bank.")
@click.option("--step", help="Take this one step of the night below --folder.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where the night lies; made where it is not there.")
def main(parties: int, step: str | None, folder: Path | None) -> None:
    """Generate, land and stage a sample bank, then measure each step of its identity stage."""
    if step:
        workspace = open_workspace("sample", folder or Path())
        elapsed, used = time.perf_counter(), time.process_time()
        STEPS[step][0](workspace, DATE)
        seconds, processor_seconds = time.perf_counter() - elapsed, time.process_time() - used
        click.echo(f"| {step} | {seconds:.1f} | {processor_seconds:.1f} |")
        return
    with tempfile.TemporaryDirectory(prefix="c360-benchmark-") as name:
        folder = folder or Path(name)
        if not (folder / "home").exists():
            SETS["sample"].write(None, open_workspace("sample", folder).exports, parties)
            stage(open_workspace("sample", folder))
        click.echo("| step | seconds | processor seconds |\n|---|---|---|")
        for one in ORDER:
            asked = [sys.executable, "-m", "benchmarks.identity.stage", "--step", one, "--folder", str(folder)]
            subprocess.run(asked, check=True)  # noqa: S603 -- our own module


if __name__ == "__main__":
    main()
