"""Commands over the audit log: verify, show."""

import datetime as dt
import json
import sys

import click
from rich.markup import escape
from rich.table import Table

from pipelines.cli.main import Options, err, fail, out


@click.group()
def audit() -> None:
    """The audit log: who published, rolled back, queried, decided, trained."""


@audit.command()
@click.option("--head", help="SEQUENCE:HASH as an earlier 'c360 audit verify' told it, noted outside this machine.")
@click.pass_obj
def verify(options: Options, head: str | None) -> None:
    """Verify the chain; exit code 0 if every line is as it was written, 1 if not, naming the first that is not."""
    from pipelines import auditing
    from warehouse.audit import Head

    try:
        noted = {"the head given": Head.parse(head)} if head else {}
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--head") from None
    verdict = auditing.verify(options.workspace, noted)
    for fault in verdict.faults:
        err.print(escape(fault))
    if verdict.faults:
        fail(f"the audit log does not hold; its chain is whole up to line {verdict.head.sequence}")
    out.print(f"the audit log holds: {verdict.head.sequence} lines\nhead {verdict.head}")


@audit.command()
@click.option("--since", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]), help="From this time on, bank's time.")
@click.option("--action", help="Only this action: published, rolled_back, queried, decided ...")
@click.option("--who", help="Only what this person did.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.pass_obj
def show(options: Options, since: dt.datetime | None, action: str | None, who: str | None, form: str) -> None:
    """Show lines of the log, oldest first."""
    from warehouse.audit import AuditError, select

    workspace = options.workspace
    zone = workspace.bank.zone
    try:
        found = select(workspace.audit.entries(), since.replace(tzinfo=zone) if since else None, action, who)
    except AuditError as error:
        fail(escape(str(error)))
    if form == "json":
        for entry in found:
            sys.stdout.write(json.dumps(vars(entry), ensure_ascii=False) + "\n")
        return
    table = Table("no", f"at, {zone.key}", "who", "action", "subject", "details", box=None)
    for entry in found:
        at = f"{dt.datetime.fromisoformat(entry.at).astimezone(zone):%Y-%m-%d %H:%M:%S}"
        said = ", ".join(f"{name} {value}" for name, value in entry.details.items() if value is not None)
        table.add_row(str(entry.sequence), *map(escape, (at, entry.who, entry.action, entry.subject, said)))
    out.print(table)


COMMANDS = (audit,)
