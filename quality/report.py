"""The quality report: one HTML page of a gate's results, readable without the network.

Great Expectations' own pages load styles and scripts from the internet and stay blank in a bank's network. This one
holds nothing but text and its own style; it names tables, checks and counts, never values.
"""

import datetime as dt
from collections.abc import Sequence
from html import escape
from pathlib import Path

from quality.gate import CheckResult, blocking, by_suite

STYLE = """
:root { color-scheme: light dark; --line: #8884; --bad: #c62828; --warn: #b26a00; --ok: #2e7d32; }
body { font: 15px/1.5 system-ui, "Noto Sans CJK SC", sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
summary { cursor: pointer; padding: .25rem 0; }
.ok { color: var(--ok); } .warning { color: var(--warn); } .blocked, .broken { color: var(--bad); font-weight: 600; }
"""

_VERDICT = {"blocked": "blocked: the last release stays", "warning": "passed, with warnings", "ok": "passed"}
_ORDER = {"broken": 0, "blocked": 1, "warning": 2, "ok": 3}


def render_report(
    results: Sequence[CheckResult], *, bank: str, business_date: dt.date, release: str, written_at: dt.datetime
) -> str:
    """Return the page.

    Args:
        results: of every check.
        bank: title of the bank.
        business_date: whose night.
        release: id of the release, published or not.
        written_at: when, UTC.
    """
    failed = sorted((r for r in results if not r.passed), key=lambda r: (_ORDER[r.status], r.table, r.check_name))
    verdict = "blocked" if blocking(results) else "warning" if failed else "ok"
    title = f"Quality of {bank}, {business_date.isoformat()}"
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>",
        f"<h1>{escape(title)}</h1>",
        f'<p>Release {escape(release)} <span class="{verdict}">{_VERDICT[verdict]}</span>. '
        f"{len(results)} checks of {len(by_suite(results))} tables, {len(failed)} not passed. "
        f"Written {written_at:%Y-%m-%d %H:%M} UTC.</p>",
    ]
    if failed:
        parts += ["<h2>Not passed</h2>", _table(failed, with_table=True)]
    parts.append("<h2>All checks by table</h2>")
    for checks in by_suite(results).values():
        worst = min(checks, key=lambda r: _ORDER[r.status]).status
        passed = sum(r.passed for r in checks)
        parts.append(
            f"<details><summary>{escape(checks[0].table)} "
            f'<span class="{worst}">{passed} of {len(checks)} passed</span></summary>'
            f"{_table(checks, with_table=False)}</details>"
        )
    parts.append("</body></html>")
    return "\n".join(parts) + "\n"


def write_report(
    path: Path,
    results: Sequence[CheckResult],
    *,
    bank: str,
    business_date: dt.date,
    release: str,
    written_at: dt.datetime,
) -> None:
    """Write the page as a whole: a reader of ``path`` never sees half of it. See ``render_report``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    page = render_report(results, bank=bank, business_date=business_date, release=release, written_at=written_at)
    temporary.write_text(page, encoding="utf-8")
    temporary.replace(path)


def _table(results: Sequence[CheckResult], *, with_table: bool) -> str:
    columns = ["result", *(["table"] if with_table else []), "check", "demanded", "observed"]
    head = "".join(f"<th>{column}</th>" for column in columns)
    return (
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(_row(r, with_table) for r in results)}</tbody></table>"
    )


def _row(result: CheckResult, with_table: bool) -> str:
    cells = [*([result.table] if with_table else []), result.check_name, result.message, result.observed]
    return f'<tr><td class="{result.status}">{result.status}</td>{"".join(f"<td>{escape(c)}</td>" for c in cells)}</tr>'
