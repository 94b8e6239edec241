"""Results for people and machines: a Markdown table, JSON, and where and with what they were measured."""

import datetime as dt
import os
import platform
import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

LIBRARIES = ("splink", "duckdb", "pyarrow", "numpy")

_COLUMNS = (
    ("set", lambda row: row["set"] + (f" ({row['judged']})" if row["judged"] != "all" else "")),
    ("engine", lambda row: row["engine"]),
    ("settings", lambda row: row["settings"]),
    ("P", lambda row: f"{row['pairwise']['precision']:.4f}"),
    ("R", lambda row: f"{row['pairwise']['recall']:.4f}"),
    ("**F1**", lambda row: f"**{row['pairwise']['f1']:.4f}**"),
    ("B³ P", lambda row: f"{row['b_cubed']['precision']:.4f}"),
    ("B³ R", lambda row: f"{row['b_cubed']['recall']:.4f}"),
    ("B³ F1", lambda row: f"{row['b_cubed']['f1']:.4f}"),
    ("exact", lambda row: f"{row['exact_cluster_share']:.1%}"),
    ("over-merged", lambda row: str(row["over_merged_customers"])),
    ("largest", lambda row: str(row["largest_customer"])),
    ("seconds", lambda row: f"{row['seconds']:.1f}"),
    ("GB", lambda row: f"{row['peak_megabytes'] / 1000:.1f}"),
)


def as_markdown(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as a Markdown table, one line a row."""
    lines = ["| " + " | ".join(name for name, _ in _COLUMNS) + " |", "|" + "---|" * len(_COLUMNS)]
    lines += ["| " + " | ".join(show(row) for _, show in _COLUMNS) + " |" for row in rows]
    return "\n".join(lines)


def circumstances(command: str, libraries: Sequence[str] = LIBRARIES) -> dict[str, Any]:
    """Machine, versions of the libraries, date (UTC) and command of a measurement."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GB",
        "versions": {"python": platform.python_version(), **{name: version(name) for name in libraries}},
        "command": command,
    }


def section(rows: Sequence[dict[str, Any]], where: dict[str, Any]) -> str:
    """The table with its circumstances, as it stands in a page."""
    versions = ", ".join(f"{name} {number}" for name, number in where["versions"].items())
    return f"{as_markdown(rows)}\n\n`{where['command']}`, {where['date']}, {where['machine']}; {versions}."


def put_section(page: Path, name: str, text: str) -> None:
    """Replace what stands between ``<!-- NAME -->`` and ``<!-- end of NAME -->`` of a page.

    Raises:
        ValueError: the page has no such marks.
    """
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    old = page.read_text(encoding="utf-8")
    if begin not in old or end not in old:
        raise ValueError(f"{page} has no marks {begin} and {end}")
    new = re.sub(f"{begin}.*{end}", lambda _: f"{begin}\n{text}\n{end}", old, flags=re.DOTALL)
    page.write_text(new, encoding="utf-8")
