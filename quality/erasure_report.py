"""The proof of an erasure: what was done, and that nothing was found afterwards; as a page and as JSON.

It names no person and shows no value: counts, tables, and files of the home.
"""

import datetime as dt
import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def write_erasure_report(folder: Path, *, tombstone_id: str, **said: Any) -> Path:
    """Write ``forgotten-<tombstone id>.json`` and ``.html``; returns the page.

    Args:
        folder: the home's reports.
        tombstone_id: number of the erasure.
        said: ``bank``, ``forgotten_on``, ``files_rewritten``, ``rows_removed`` (by table), ``files_searched``,
            ``texts_searched``, ``texts_shared``, ``found`` (file, table, count), ``written_at``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"forgotten-{tombstone_id}.html"
    path.with_suffix(".json").write_text(
        json.dumps({"tombstone_id": tombstone_id, **said}, default=str, ensure_ascii=False, indent=2) + "\n",
        encoding="utf-8",
    )
    path.write_text(_page(tombstone_id, **said), encoding="utf-8")
    return path


def _page(
    tombstone_id: str,
    *,
    bank: str,
    forgotten_on: dt.date,
    files_rewritten: int,
    rows_removed: Mapping[str, int],
    files_searched: int,
    texts_searched: int,
    texts_shared: int,
    found: Sequence[tuple[str, str, int]],
    written_at: dt.datetime,
) -> str:
    verdict = "Nothing of the customer was found." if not found else f"Still found in {len(found)} places."
    facts = {
        "Forgotten on": f"{forgotten_on}",
        "Files written anew": f"{files_rewritten:,}",
        "Rows removed": f"{sum(rows_removed.values()):,}",
        "Files searched": f"{files_searched:,}",
        "Texts searched for": f"{texts_searched:,}",
        "Texts that other parties share, which stay with them": f"{texts_shared:,}",
        "Written at": f"{written_at:%Y-%m-%d %H:%M:%S} UTC",
    }
    rows = [(name, f"{count:,}") for name, count in rows_removed.items()]
    places = [(file, table, f"{count:,}") for file, table, count in found]
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8">'
        f"<title>Erasure {html.escape(tombstone_id)}</title>\n"
        "<style>body{font:15px/1.5 sans-serif;margin:2rem;max-width:60rem}td,th{padding:.2rem 1rem .2rem 0;"
        "text-align:left}</style>\n"
        f"<h1>{html.escape(bank)}: erasure {html.escape(tombstone_id)}</h1>\n<p>{verdict}</p>\n"
        + _table(("", ""), list(facts.items()))
        + "<h2>Rows removed by table</h2>\n"
        + _table(("table", "rows"), rows)
        + ("<h2>Found</h2>\n" + _table(("file", "table", "count"), places) if places else "")
        + "</html>\n"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["<tr>" + "".join(f"<th>{html.escape(cell)}</th>" for cell in head) + "</tr>"]
    lines += ["<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows]
    return "<table>" + "\n".join(lines) + "</table>\n"
