"""A share's dictionary as one HTML page: what each table and column means and what became of it; needs no network.

It holds definitions alone, no value of any row.
"""

from collections.abc import Iterator
from html import escape
from pathlib import Path

from models.tables import Column
from warehouse.release import Release
from warehouse.shares.policy import Policy, TablePolicy

_STYLE = """
:root { color-scheme: light dark; --line: #8884; }
body { font: 15px/1.5 system-ui, "Noto Sans CJK SC", sans-serif; max-width: 80rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 2rem 0 0; }
p { margin: .25rem 0; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td:nth-child(-n+2) { font-family: ui-monospace, monospace; font-size: 13px; overflow-wrap: anywhere; }
input { font: inherit; width: 100%; max-width: 30rem; padding: .25rem .5rem; margin: 1rem 0 0; }
"""

# hides what does not contain the words; a table stays as long as one of its columns does, or its own name does
_SEARCH = """
document.querySelector("input").addEventListener("input", event => {
  const words = event.target.value.toLowerCase();
  for (const section of document.querySelectorAll("section")) {
    const whole = section.querySelector("header").textContent.toLowerCase().includes(words);
    let found = whole;
    for (const row of section.querySelectorAll("tbody tr")) {
      row.hidden = !(whole || row.textContent.toLowerCase().includes(words));
      found = found || !row.hidden;
    }
    section.hidden = !found;
  }
});
"""


def write_dictionary(path: Path, release: Release, policy: Policy, rows: dict[str, int]) -> None:
    """Write the page of a release's version of a share; ``rows`` are the row counts of its tables."""
    said = policy.settings
    title = f"{said.title.en} {said.title.zh}"
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}: dictionary</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(said.purpose.en)}</p><p>{escape(said.purpose.zh)}</p>",
        f"<p>Share <code>{policy.name}</code> of release {escape(release.id)}, owner {escape(said.owner)}"
        f"{', encrypted' if said.encrypted else ''}.</p>",
        '<input type="search" placeholder="search tables and columns, 搜索" aria-label="search">',
        *(part for table in policy.tables for part in _section(table, rows[table.shared.id])),
        f"<script>{_SEARCH}</script></body></html>",
    ]
    path.write_text("\n".join(parts) + "\n", encoding="utf-8")


def _section(table: TablePolicy, rows: int) -> Iterator[str]:
    shared = table.shared
    yield f"<section><header><h2>{escape(shared.id)}</h2><p>{escape(shared.en)}</p><p>{escape(shared.zh)}</p>"
    yield f"<p>{rows:,} rows, one per {escape(', '.join(shared.key))}.</p></header>"
    heads = "".join(f"<th>{head}</th>" for head in ("column", "type", "class", "treatment", "meaning"))
    yield f"<table><thead><tr>{heads}</tr></thead><tbody>"
    yield from (_row(table, column) for column in shared.columns)
    yield "</tbody></table></section>"


def _row(table: TablePolicy, column: Column) -> str:
    source = table.source.column(column.name)
    unit = f" ({column.unit})" if column.unit else ""
    cells = (column.name, column.type, column.pii, " ".join(table.treatments[column.name].words()))
    codes = f"<br>{escape(', '.join(column.values))}" if column.values else ""
    meaning = f"{escape(source.en + unit)}<br>{escape(source.zh)}{codes}"
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + f"<td>{meaning}</td></tr>"
