"""``python -m benchmarks.checks``: the seconds of a night, and those that its checks take of them.

The night is run as an operator runs it; then its release is built again, measured against the night before and judged,
in a process of its own, part by part. The whole check run is all that ``publish`` does between building a release and
switching to it: drift and suites.
"""

import datetime as dt
import json
import resource
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import click

from benchmarks.identity.report import circumstances, put_section

FIRST = dt.date(2026, 10, 29)


def _c360(home: Path, *words: str) -> float:
    """Seconds of a command; ends the benchmark where it fails."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "pipelines.cli", "--home", str(home), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- our own module
    if done.returncode:
        raise click.ClickException(f"c360 {words[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return time.perf_counter() - start


def checked(home: Path, date: dt.date) -> dict[str, float]:
    """Seconds of building a date's candidate and of each part of its check; rows, checks, and the peak in GB."""
    from pipelines import publishing
    from pipelines.workspace import Workspace
    from quality.gate import judge

    workspace = Workspace.open(home=home)
    suites = publishing.suites(workspace)
    times = [time.perf_counter()]
    with publishing.candidate_of(workspace, date) as candidate:
        times.append(time.perf_counter())
        with publishing.gate_over(workspace, date, candidate, suites) as con:
            publishing.measure_drift(workspace, date, con)
            times.append(time.perf_counter())
            checks = len(judge(con, suites))
            times.append(time.perf_counter())
            [(rows,)] = con.execute("select sum(row_count) from meta.tables").fetchall()
    build, drift, judging = (after - before for before, after in pairwise(times))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return {"build": build, "drift": drift, "suites": judging, "checks": checks, "rows": int(rows), "peak": peak}


@click.command()
@click.option("--parties", default=10_000, show_default=True, help="Party records of the sample bank.")
@click.option("--json", "target", type=click.Path(path_type=Path), help="File for the same figures.")
@click.option("--page", type=click.Path(path_type=Path, exists=True), help="Markdown page to put the figures into.")
@click.option("--home", type=click.Path(path_type=Path, exists=True), help="Only check this home's second night.")
def main(parties: int, target: Path | None, page: Path | None, home: Path | None) -> None:
    """Run two nights of the sample bank, then take the second one's checks apart."""
    second = FIRST + dt.timedelta(days=1)
    if home:
        click.echo(json.dumps(checked(home, second)))
        return
    with tempfile.TemporaryDirectory(prefix="checks-") as folder:
        _c360(Path(folder), "sample", "--parties", str(parties), "--days", "2")
        _c360(Path(folder), "run", "--date", str(FIRST))
        night = _c360(Path(folder), "run", "--date", str(second))
        asked = [sys.executable, "-m", "benchmarks.checks", "--home", folder]
        told = subprocess.run(asked, check=True, capture_output=True, text=True)  # noqa: S603 -- our own module
    found = json.loads(told.stdout)
    both = found["drift"] + found["suites"]
    lines = [
        "| party records | rows published | checks | night s | drift s | suites s | share of the night | peak GB |",
        "|---|---|---|---|---|---|---|---|",
        f"| {parties:,} | {found['rows']:,} | {found['checks']:,} | {night:.0f} | {found['drift']:.1f} "
        f"| {found['suites']:.1f} | **{both / night:.1%}** | {found['peak']:.1f} |",
    ]
    where = circumstances(f"python -m benchmarks.checks --parties {parties}", ("duckdb", "great_expectations"))
    versions = ", ".join(f"{name} {version}" for name, version in where["versions"].items())
    text = "\n".join(lines) + f"\n\n`{where['command']}`, {where['date']}, {where['machine']}; {versions}."
    click.echo(text)
    if target:
        target.write_text(json.dumps({"parties": parties, "night": night, **found, "where": where}, indent=2))
    if page:
        put_section(page, "checks", text)


if __name__ == "__main__":
    main()
