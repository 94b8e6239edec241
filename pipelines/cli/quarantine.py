"""Commands over rows in quarantine: quarantine list, show, release, discard, withdraw, approve."""

import datetime as dt
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape
from rich.table import Table

from pipelines.cli.main import DATE, Options, out
from pipelines.cli.stewards import FORMAT, signed, told

if TYPE_CHECKING:
    from models.quarantine_decisions import QuarantineDecision
    from pipelines.quarantine import Item

_STATES = ("open", "pending", "released", "landed", "held", "discarded", "gone", "all")


@click.group()
def quarantine() -> None:
    """Rows that were set aside: list them, read one, release it into the next night, or accept it as lost."""


@quarantine.command("list")
@click.option("--state", type=click.Choice(_STATES), default="open", show_default=True, help="How rows stand.")
@click.option("--system", help="Only of this system.")
@click.option("--object", "name", help="Only of this object.")
@click.option("--rule", help="Only rows that break this rule.")
@click.option("--date", "day", type=DATE, help="Only rows that were set aside on this business date.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="How many rows of the table.")
@FORMAT
@click.pass_obj
def list_(
    options: Options,
    state: str,
    system: str | None,
    name: str | None,
    rule: str | None,
    day: dt.datetime | None,
    limit: int,
    form: str,
) -> None:
    """List rows in quarantine, with counts by rule at the top; without --state only open ones. No values."""
    from pipelines.quarantine import items

    with told():
        everything = items(options.workspace)
    found = [
        item
        for item in everything
        if state in ("all", item.state)
        and system in (None, item.source.system)
        and name in (None, item.source.name)
        and rule in (None, item.rule)
        and (day is None or day.date() in item.nights)
    ]
    if form == "json":
        out.print_json(json.dumps([_as_json(item) for item in found]))
        return
    counts = Counter[str](item.state for item in everything)
    out.print(", ".join(f"{counts[one]} {one}" for one in _STATES if counts[one]) or "nothing is in quarantine")
    if not found:
        return
    for (source, broken), count in sorted(Counter((_source(item), item.rule) for item in found).items()):
        out.print(f"  {count:>6,}  {escape(source)}  {escape(broken)}")
    table = Table("id", "object", "first", "nights", "last place", "field", "rule", "reason", "state", box=None)
    for item in found[:limit]:
        _, file, line = item.places[-1]
        cells = (f"{file}:{line}", item.field or "", item.rule, item.reason, item.state)
        head = (item.quarantine_id, _source(item), str(item.nights[0]), str(len(item.nights)))
        table.add_row(*map(escape, (*head, *cells)))
    out.print(table)
    if len(found) > limit:
        out.print(f"... and {len(found) - limit:,} more; --limit, or --format json for all")
    if state == "open":
        out.print("c360 quarantine show ID tells what the row says and what to do")


@quarantine.command()
@click.argument("quarantine_id", metavar="ID")
@click.pass_obj
def show(options: Options, quarantine_id: str) -> None:
    """Show what row ID says: personal data. Who looked is written to the audit log."""
    from pipelines.quarantine import STATES, find, read

    with told():
        [item] = find(options.workspace, [quarantine_id])
        content = read(options.workspace, item)
    _, file, line = item.places[-1]
    out.print(f"row       {item.quarantine_id} of {escape(_source(item))}")
    out.print(f"place     {escape(file)} line {line}, business date {item.nights[-1]}")
    out.print(f"nights    {len(item.nights)}, first {item.nights[0]}")
    out.print(f"rule      {escape(item.rule)}{f', field {escape(item.field)}' if item.field else ''}")
    out.print(f"reason    {escape(item.reason)}")
    out.print(f"state     {item.state}: {STATES[item.state]}")
    if item.standing:
        _tell_decision(options, item.standing.decision)
    landed = "in quarantine no more: it landed where it was delivered"
    out.print(f"bytes     {landed if content.text is None else escape(content.text)}")
    for name, value in (content.record or {}).items():
        if value is not None:
            out.print(f"  {escape(name)} = {escape(repr(value))}")
    for line_ in _advice(item, content.record is None):
        out.print(line_)


@quarantine.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option(
    "--set", "pairs", multiple=True, metavar="FIELD=VALUE", help="A field's right value, as the source writes."
)
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The whole row anew: a file like the object's delivery that holds it alone.",
)
@signed()
@click.pass_obj
def release(
    options: Options, ids: tuple[str, ...], pairs: tuple[str, ...], file: Path | None, by: str, reason: str
) -> None:
    """Release rows ID... into the next night: with other values, or without them as they are, their rule waived."""
    from pipelines import quarantine as desk
    from sources.corrections import Correction

    values = dict(_pair(one) for one in pairs)
    if len(values) < len(pairs):
        raise click.UsageError("--set gives a field twice")
    with told():
        rows = desk.release(options.workspace, ids, Correction(values, file), by, reason)
    _tell(rows)


@quarantine.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@signed()
@click.pass_obj
def discard(options: Options, ids: tuple[str, ...], by: str, reason: str) -> None:
    """Accept rows ID... as lost: they stay in quarantine and are no longer open."""
    from pipelines import quarantine as desk

    with told():
        rows = desk.discard(options.workspace, ids, by, reason)
    _tell(rows)


@quarantine.command()
@click.argument("quarantine_id", metavar="ID")
@signed()
@click.pass_obj
def withdraw(options: Options, quarantine_id: str, by: str, reason: str) -> None:
    """Take back what is decided about row ID; the next night lands it no more."""
    from pipelines import quarantine as desk

    with told():
        [item] = desk.find(options.workspace, [quarantine_id])
        row = desk.withdraw(options.workspace, quarantine_id, by, reason)
    _tell([row])
    if item.state == "landed" and item.source.delivery.mode != "full":
        out.print(
            "it has landed and stays so until the night in which it did, and those after it, are run again: "
            "c360 backfill --from DATE --to LAST"
        )


@quarantine.command()
@click.argument("quarantine_id", metavar="ID")
@signed("approved")
@click.pass_obj
def approve(options: Options, quarantine_id: str, by: str, reason: str) -> None:
    """Approve somebody else's decision about row ID that waits for it (four eyes)."""
    from pipelines import quarantine as desk

    with told():
        row = desk.approve(options.workspace, quarantine_id, by, reason)
    out.print(f"decision {row.refers_to} is approved by {escape(row.made_by)}; it counts from the next night on")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.UsageError("--set wants FIELD=VALUE")
    return name, value


def _source(item: "Item") -> str:
    return f"{item.source.system}.{item.source.name}"


def _tell(rows: "Sequence[QuarantineDecision]") -> None:
    for row in rows:
        changed = f", {', '.join(row.changes)} corrected" if row.changes else ""
        waived = ", its rule waived" if row.verdict == "release" and row.changes is None else ""
        waits = f"it waits for approval: c360 quarantine approve {row.quarantine_id}"
        counts = waits if row.needs_approval else "it counts from the next night on"
        out.print(f"decision {row.decision_id}: {row.verdict} {row.quarantine_id}{escape(changed)}{waived}; {counts}")


def _tell_decision(options: Options, row: "QuarantineDecision") -> None:
    made = f"{row.made_at.astimezone(options.workspace.bank.zone):%Y-%m-%d %H:%M}"
    out.print(f"decision  {row.decision_id}: {row.verdict}, {made}, by {escape(row.made_by)}: {escape(row.reason)}")
    for name, value in (row.changes or {}).items():
        out.print(f"  {escape(name)} := {escape(repr(value))}")


def _advice(item: "Item", is_unreadable: bool) -> list[str]:
    one = item.quarantine_id
    if item.standing:
        return [f"to decide anew: c360 quarantine withdraw {one} --reason '...'"]
    if item.state != "open":
        return []
    if is_unreadable or (item.rule == "encoding" and item.source.delivery.format != "sql"):
        right = f"c360 quarantine release {one} --file ROW --reason '...'   (ROW: like the delivery, this row alone)"
    else:
        right = f"c360 quarantine release {one} --set {item.field or 'FIELD'}=VALUE --reason '...'"
    lines = ["best is a right delivery: ask the source system; until then", f"  right it     {right}"]
    if not is_unreadable and item.rule not in ("encoding", "primaryKey"):
        lines.append(f"  let it pass  c360 quarantine release {one} --reason '...'")
    return [escape(line) for line in [*lines, f"  give it up   c360 quarantine discard {one} --reason '...'"]]


def _as_json(item: "Item") -> dict[str, Any]:
    decision = item.standing.decision if item.standing else None
    date, file, line = item.places[-1]
    return {
        "quarantine_id": item.quarantine_id,
        "system": item.source.system,
        "object": item.source.name,
        "state": item.state,
        "rule": item.rule,
        "field": item.field,
        "reason": item.reason,
        "nights": len(item.nights),
        "first_business_date": item.nights[0].isoformat(),
        "last_business_date": date.isoformat(),
        "source_file": file,
        "source_line": line,
        "decision_id": decision.decision_id if decision else None,
        "verdict": decision.verdict if decision else None,
        "made_by": decision.made_by if decision else None,
    }


COMMANDS = (quarantine,)
