"""Commands of stewards: review, decide, unmerge, withdraw, approve, decisions."""

import getpass
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from models.identity.decisions import JudgedPair, LogRow, Record, Verdict
from pipelines import stewardship
from pipelines.cli.main import Options, fail, out

FORMAT = click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
_TROUBLES = {
    "absent": "a record is not delivered",
    "superseded": "decision {} says the opposite",
    "contradicted": "would join what decision {} keeps apart",
    "other_kind": "a person and an organisation",
}


def signed(reason: str | None = None) -> Callable[[Any], Any]:
    """Options that every entry of the log needs: why, and by whom."""

    def add(command: Any) -> Any:
        who = click.option("--by", default=getpass.getuser, show_default="login name", help="Who decides.")
        why = click.option("--reason", required=reason is None, default=reason, help="Why, in words.")
        return why(who(command))

    return add


@contextmanager
def told() -> Iterator[None]:
    """Tell what a steward can mend in one line with exit code 2, a log out of reach with 1."""
    from warehouse.append_only import LogError
    from warehouse.audit import AuditError
    from warehouse.release import ReleaseError

    try:
        yield
    except (stewardship.DecisionRefused, ReleaseError) as error:
        fail(escape(str(error)), 2)
    except (LogError, AuditError) as error:
        fail(escape(str(error)))


@click.command()
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="How many pairs at most.")
@FORMAT
@click.pass_obj
def review(options: Options, limit: int, form: str) -> None:
    """List pairs of customers that are worth judging, most money at stake first."""
    with told():
        queue = stewardship.review(options.workspace, limit)
    if form == "json":
        out.print_json(json.dumps(queue, default=str))
        return
    if not queue:
        out.print("nothing is open")
        return
    currency = options.workspace.bank.settings.currency
    table = Table(
        "rank", "customers", f"at stake, {currency}", "bits", "why it is open", box=None, padding=(0, 2, 1, 0)
    )
    for pair in queue:
        sides = [
            f"{pair[f'customer_id_{side}']} {pair[f'full_name_{side}'] or ''} ({pair[f'balance_amount_{side}']:,})"
            for side in "lr"
        ]
        why = "\n".join(text for text in (pair["reason"], pair["comparison_levels"]) if text)
        cells = (
            str(pair["review_rank"]),
            "\n".join(sides),
            f"{pair['at_stake_amount']:,}",
            f"{pair['match_weight']:.1f}",
            why,
        )
        table.add_row(*map(escape, cells))
    out.print(table)
    out.print("c360 decide same|different A B --reason '...'")


@click.command()
@click.argument("verdict", type=click.Choice(["same", "different"]))
@click.argument("one", metavar="A")
@click.argument("other", metavar="B")
@signed()
@click.pass_obj
def decide(options: Options, verdict: Verdict, one: str, other: str, by: str, reason: str) -> None:
    """Decide that A and B are the same party, or different ones.

    A and B are party records as SYSTEM:RECORD_ID, or customer ids, which stand for the records that they have now. The
    decision binds from the next night on until it is withdrawn.
    """
    with told():
        _tell(options, stewardship.decide(options.workspace, verdict, one, other, by, reason))


@click.command()
@click.argument("customer")
@click.argument("records", nargs=-1, required=True, metavar="SYSTEM:RECORD_ID...")
@signed()
@click.pass_obj
def unmerge(options: Options, customer: str, records: tuple[str, ...], by: str, reason: str) -> None:
    """Take records out of CUSTOMER: they are different from all its others."""
    with told():
        _tell(options, stewardship.unmerge(options.workspace, customer, records, by, reason))


@click.command()
@click.argument("number", type=int, metavar="ID")
@signed()
@click.pass_obj
def withdraw(options: Options, number: int, by: str, reason: str) -> None:
    """Withdraw decision ID: from the next night on it no longer counts."""
    with told():
        _tell(options, stewardship.withdraw(options.workspace, number, by, reason))


@click.command()
@click.argument("number", type=int, metavar="ID")
@signed("approved")
@click.pass_obj
def approve(options: Options, number: int, by: str, reason: str) -> None:
    """Approve the pending decision ID of somebody else (four eyes)."""
    with told():
        row = stewardship.approve(options.workspace, number, by, reason)
        out.print(f"decision {number} is approved by {escape(row.made_by)}; it counts from the next night on")
        _tell_contradictions(options, number)


@click.command()
@FORMAT
@click.pass_obj
def decisions(options: Options, form: str) -> None:
    """List all decisions: their state, and which do not bind and why."""
    zone = options.workspace.bank.zone
    with told():
        found = stewardship.standings(options.workspace)
    if form == "json":
        out.print_json(json.dumps([_as_json(one) for one in found]))
        return
    table = Table("id", f"made, {zone.key}", "by", "state", "decision", "reason", box=None)
    for one in found:
        made = f"{one.row.made_at.astimezone(zone):%Y-%m-%d %H:%M}"
        said = (str(one.row.decision_id), made, one.row.made_by, one.state, _said(one.row), one.row.reason)
        table.add_row(*map(escape, said))
    out.print(table)
    for one in found:
        _warn(one.row, one.troubles)


def _tell(options: Options, row: LogRow) -> None:
    """What was written down, whether it waits for approval, and what it contradicts."""
    out.print(f"decision {row.decision_id}: {escape(_said(row))}")
    if row.needs_approval:
        out.print(f"it waits for approval; somebody else runs: c360 approve {row.decision_id}")
        return
    out.print("it counts from the next night on")
    _tell_contradictions(options, row.decision_id)


def _tell_contradictions(options: Options, number: int) -> None:
    for one in stewardship.standings(options.workspace):
        _warn(one.row, [pair for pair in one.troubles if number in (one.row.decision_id, pair.overruled_by)])


def _warn(row: LogRow, troubles: Iterable[JudgedPair]) -> None:
    for line in _troubles(troubles):
        out.print(f"[yellow]warning:[/yellow] decision {row.decision_id} does not bind for {escape(line)}")


def _said(row: LogRow) -> str:
    if row.refers_to is not None:
        return f"{row.verdict} {row.refers_to}"
    return f"{_side(row.left)} {'=' if row.verdict == 'same' else '≠'} {_side(row.right)}"


def _side(records: tuple[Record, ...]) -> str:
    return ", ".join(":".join(record) for record in records)


def _troubles(pairs: Iterable[JudgedPair]) -> list[str]:
    return [
        f"{_side(pair.pair[:1])} and {_side(pair.pair[1:])}: {_TROUBLES[pair.standing].format(pair.overruled_by)}"
        for pair in pairs
    ]


def _as_json(one: stewardship.Standing) -> dict[str, Any]:
    row = one.row
    return {
        "decision_id": row.decision_id,
        "made_at": row.made_at.isoformat(),
        "made_by": row.made_by,
        "state": one.state,
        "verdict": row.verdict,
        "left": [":".join(record) for record in row.left],
        "right": [":".join(record) for record in row.right],
        "refers_to": row.refers_to,
        "reason": row.reason,
        "does_not_bind": _troubles(one.troubles),
    }


COMMANDS = (review, decide, unmerge, withdraw, approve, decisions)
