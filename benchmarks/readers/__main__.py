"""``python -m benchmarks.readers``: readers that never stop, twenty nights, five rollbacks; how they fare."""

import datetime as dt
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import click

from benchmarks.identity.report import circumstances, put_section

FIRST = dt.date(2026, 10, 29)


def _c360(home: Path, *words: str) -> None:
    done = subprocess.run(  # noqa: S603 -- our own module
        [sys.executable, "-m", "pipelines.cli", "--home", str(home), *words],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise click.ClickException(f"c360 {words[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def nights_and_rollbacks(home: Path, publishes: int, rollbacks: int) -> None:
    """Publish one night after the other, with the rollbacks spread between them; each night switches forward again."""
    every = max(publishes // rollbacks, 1) if rollbacks else publishes + 1
    for number in range(1, publishes + 1):
        _c360(home, "run", "--date", str(FIRST + dt.timedelta(days=number)))
        if number % every == 0 and number // every <= rollbacks:
            _c360(home, "rollback")


@click.command()
@click.option("--readers", default=8, show_default=True, help="Processes that query in a loop.")
@click.option("--publishes", default=20, show_default=True, help="Nights published while they read.")
@click.option("--rollbacks", default=5, show_default=True, help="Rollbacks while they read.")
@click.option("--parties", default=1000, show_default=True, help="Party records of the sample bank.")
@click.option("--page", type=click.Path(path_type=Path, exists=True), help="Markdown page to put the figures into.")
def main(readers: int, publishes: int, rollbacks: int, parties: int, page: Path | None) -> None:
    """Count what goes wrong for readers; ends with 1 if anything does."""
    with tempfile.TemporaryDirectory(prefix="readers-") as folder:
        home, stop = Path(folder), Path(folder) / "stop"
        _c360(home, "sample", "--parties", str(parties), "--days", str(publishes + 1))
        _c360(home, "run", "--date", str(FIRST))
        # the lowest priority: eight loops without a pause on few cores would only show how long a night can take
        command = [
            "nice",
            "-n",
            "19",
            sys.executable,
            "-m",
            "benchmarks.readers.reader",
            str(home / "warehouse"),
            str(stop),
        ]
        running = [
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 -- our own module
            for _ in range(readers)
        ]
        try:
            nights_and_rollbacks(home, publishes, rollbacks)
        finally:
            stop.touch()
            told = [process.communicate(timeout=120)[0] for process in running]
    ended_badly = sum(process.returncode != 0 for process in running)
    seen: Counter[str] = Counter()
    for text in told:
        seen.update(json.loads(text or "{}"))
    releases = sum(key.startswith("release ") for key in seen)
    rounds = sum(count for key, count in seen.items() if key.startswith("release "))
    lines = [
        "| readers | publishes | rollbacks | releases seen | openings | queries | failed queries | mixed results |",
        "|---|---|---|---|---|---|---|---|",
        f"| {readers} | {publishes} | {rollbacks} | {releases} | {rounds} | {seen['queries']} "
        f"| **{seen['failed']}** | **{seen['mixed']}** |",
    ]
    where = circumstances(
        f"python -m benchmarks.readers --readers {readers} --publishes {publishes} --rollbacks {rollbacks} "
        f"--parties {parties}",
        ("duckdb",),
    )
    text = (
        "\n".join(lines)
        + f"\n\n`{where['command']}`, {where['date']}, {where['machine']}; duckdb {where['versions']['duckdb']}."
    )
    click.echo(text)
    if errors := {key: count for key, count in seen.items() if key.startswith("error ")}:
        click.echo(f"errors: {errors}", err=True)
    if page:
        put_section(page, "readers", text)
    if ended_badly or seen["failed"] or seen["mixed"] or not seen["queries"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
