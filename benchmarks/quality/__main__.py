"""``python -m benchmarks.quality``: how many of the sample bank's errors of each class are caught."""

import json
import tempfile
from pathlib import Path
from typing import Any

import click

from benchmarks.identity.report import circumstances, put_section
from benchmarks.quality.errors import ERRORS
from benchmarks.quality.experiment import measure

LIBRARIES = ("splink", "duckdb", "pyarrow", "numpy", "python-stdnum", "phonenumbers")


def as_markdown(found: dict[str, Any]) -> str:
    """The two tables, and the pairs that they are to be held against."""
    heads = (
        *("error", "injected", "hit", "repaired", "seen", "**not caught**", "golden right", "seen anyway"),
        *("pairs lost / wrong", "by", "what is not caught"),
    )
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for one in found["errors"]:
        error = ERRORS[one["error"]]
        injected = f"{one['injected']}" if error.of == "records" else f"{one['injected']} {error.of}"
        golden = "" if one["golden"] is None else one["golden"]
        cells = (
            *(f"`{one['error']}`", injected, one["hit"], one["repaired"], one["seen"], f"**{one['missed']}**"),
            *(golden, one["seen_anyway"], f"{one['pairs_lost']:+} / {one['pairs_wrong']:+}", error.check),
            error.rest if one["missed"] else "",
        )
        lines.append(f"| {' | '.join(map(str, cells))} |")
    (clean_lost, clean_wrong), (lost, wrong) = found["clean_pairs"], found["usual_pairs"]
    lines += [
        "",
        f"{found['records']:,} party records, {found['true_pairs']:,} pairs of one party. Without errors {clean_lost} "
        f"pairs are lost and {clean_wrong} wrong; with all classes at the default level {lost} and {wrong}.",
        "",
        "| object | rows added that cannot be landed | rows in quarantine | by rule |",
        "|---|---|---|---|",
    ]
    for one in found["broken_rows"]:
        rules = ", ".join(f"`{rule}` {count}" for rule, count in sorted(one["rules"].items()))
        lines.append(f"| `{one['object']}` | {one['injected']} | {one['quarantined']} | {rules} |")
    return "\n".join(lines)


@click.command()
@click.option("--parties", default=4000, show_default=True, help="Party records of each sample bank.")
@click.option("--only", multiple=True, type=click.Choice(list(ERRORS)), help="Classes of error; all by default.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="File to write the figures to.")
@click.option("--page", type=click.Path(path_type=Path, exists=True), help="Markdown page to put the tables into.")
def main(parties: int, only: tuple[str, ...], json_file: Path | None, page: Path | None) -> None:
    """Inject one class of error at a time and count what is repaired, seen and not caught."""
    with tempfile.TemporaryDirectory(prefix="c360-benchmark-") as folder:
        found = measure(parties, only or list(ERRORS), Path(folder), lambda text: click.echo(text, err=True))
    words = "".join(f" --only {name}" for name in only)
    found["circumstances"] = where = circumstances(
        f"python -m benchmarks.quality --parties {parties}{words}", LIBRARIES
    )
    versions = ", ".join(f"{name} {number}" for name, number in where["versions"].items())
    text = f"{as_markdown(found)}\n\n`{where['command']}`, {where['date']}, {where['machine']}; {versions}."
    click.echo(text)
    if json_file:
        json_file.write_text(json.dumps(found, indent=2), encoding="utf-8")
    if page:
        put_section(page, "caught", text)


if __name__ == "__main__":
    main()
