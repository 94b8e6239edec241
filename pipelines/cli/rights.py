"""Commands for the rights of customers: consent, forget."""

import getpass
from typing import TYPE_CHECKING

import click
from rich.markup import escape

from pipelines.cli.main import Options, fail, out
from pipelines.cli.stewards import told

if TYPE_CHECKING:
    from pipelines.erasure import Outcome


@click.command()
@click.argument("customer")
@click.argument("purpose")
@click.argument("verdict", type=click.Choice(["grant", "withdraw"]))
@click.option("--by", default=getpass.getuser, show_default="login name", help="Who writes it down.")
@click.option("--reason", required=True, help="Why, in words: the letter, the call, the form.")
@click.pass_obj
def consent(options: Options, customer: str, purpose: str, verdict: str, by: str, reason: str) -> None:
    """Write down that CUSTOMER grants or withdraws consent to PURPOSE; it counts from the next night on.

    CUSTOMER is a customer id, or a record as SYSTEM:RECORD_ID, which stands for its customer.
    """
    from pipelines.consents import state_consent

    with told():
        row = state_consent(options.workspace, customer, purpose, verdict == "grant", by, reason)
    out.print(
        f"statement {row.consent_id}: {escape(purpose)} {'granted' if row.is_granted else 'withdrawn'} for "
        f"{len(row.records)} record(s); it counts from the next night on"
    )


@click.command()
@click.argument("customer", required=False)
@click.option("--by", default=getpass.getuser, show_default="login name", help="Who writes it down.")
@click.option("--reason", default="at the customer's request", show_default=True, help="Why, in words.")
@click.option("--dry-run", is_flag=True, help="Tell what would happen; change nothing.")
@click.option("--resume", "is_resumed", is_flag=True, help="Finish an erasure that was interrupted.")
@click.pass_obj
def forget(options: Options, customer: str | None, by: str, reason: str, dry_run: bool, is_resumed: bool) -> None:
    """Erase CUSTOMER from everything in the home, or restrict it while the law makes the bank keep its data.

    CUSTOMER is a customer id, or a record as SYSTEM:RECORD_ID, which stands for its customer. Erasing cannot be
    undone; --dry-run tells before. Exports are the bank's own files and are not touched.
    """
    from pipelines import erasure
    from pipelines.night_lock import NightRunningError
    from warehouse.lake import DamagedPartitionError

    if is_resumed == (customer is not None):
        raise click.UsageError("name the customer, or say --resume")
    try:
        with told(), out.status("forgetting"):
            if customer is None:
                outcomes = erasure.resume(options.workspace)
            else:
                outcomes = [erasure.forget(options.workspace, customer, by, reason, dry_run)]
    except (erasure.ErasureIncompleteError, NightRunningError, DamagedPartitionError) as error:
        fail(escape(str(error)))
    for outcome in outcomes:
        _tell(outcome, dry_run)
    if not outcomes:
        out.print("no erasure is unfinished")


def _tell(outcome: "Outcome", dry_run: bool) -> None:
    if not outcome.is_erasable:
        when = f"it may be erased from {outcome.erasable_from}" if outcome.erasable_from else "nobody knows until when"
        would = "would be restricted" if dry_run else "is restricted from the next night on"
        out.print(f"the bank must keep the data: {when}; the customer {would}")
        return
    rows = outcome.rows or {}
    out.print(f"{sum(rows.values()):,} rows {'would go' if dry_run else 'removed'}; "
              f"{outcome.shared_values} texts stay because other parties share them")  # fmt: skip
    if dry_run:
        for name, count in rows.items():
            out.print(f"  {name}: {count:,}")
    else:
        out.print(f"erased: {outcome.tombstone_id}\n  {outcome.report}")


COMMANDS = (consent, forget)
