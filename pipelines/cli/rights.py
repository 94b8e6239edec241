"""Commands for the rights of customers: consent."""

import getpass

import click
from rich.markup import escape

from pipelines.cli.main import Options, out
from pipelines.cli.stewards import told


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


COMMANDS = (consent,)
