"""Commands that read the current release: sql, show, evaluate."""

import csv
import json
import sys
from pathlib import Path
from typing import Any

import click
import duckdb
from rich.markup import escape
from rich.table import Table

from pipelines.cli.main import Options, fail, out


def open_current(options: Options) -> duckdb.DuckDBPyConnection:
    """Open the current release read-only; ends the command when there is none."""
    from warehouse.release import ReleaseError

    try:
        return options.workspace.releases.connect()
    except ReleaseError as error:
        raise click.UsageError(str(error)) from None


@click.command()
@click.argument("query", required=False)
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
@click.pass_obj
def sql(options: Options, query: str | None, form: str) -> None:
    """Run QUERY (or standard input) on the current release, read-only."""
    text = query or sys.stdin.read()
    with open_current(options) as con:
        try:
            result = con.execute(text)
            names = [column[0] for column in result.description or []]
            found = result.fetchall()
        except duckdb.Error as error:
            raise click.UsageError(str(error)) from None
    if form == "json":
        out.print_json(json.dumps([dict(zip(names, row, strict=True)) for row in found], default=str))
    elif form == "csv":
        writer = csv.writer(sys.stdout)
        writer.writerow(names)
        writer.writerows(found)
    else:
        table = Table(*names, box=None)
        for row in found:
            table.add_row(*("" if value is None else escape(str(value)) for value in row))
        out.print(table)
        out.print(f"({len(found)} row{'' if len(found) == 1 else 's'})")


@click.command()
@click.argument("who")
@click.pass_obj
def show(options: Options, who: str) -> None:
    """Show one customer: WHO is a customer id, or a party record as SYSTEM:RECORD_ID."""
    with open_current(options) as con:
        customer_id = _living(con, _resolve(con, who))
        customer = _one(con, "select * from customer.customer where customer_id = ?", customer_id)
        if customer is None:
            fail(f"no customer and no party record {who!r} in the current release")
            return
        out.print(f"[bold]customer {customer_id}[/bold]")
        for name, value in customer.items():
            if value is not None and name != "customer_id":
                out.print(f"  {name:<22} {escape(str(value))}")
        for title, query in _SECTIONS.items():
            _section(con, title, query, customer_id)


_SECTIONS = {
    "party records": """
        select system, record_id, link_reason, round(match_weight, 1) as match_weight
        from customer.customer_record where customer_id = ? order by system, record_id""",
    "where each field comes from": """
        select field, field_value, system, record_id,
            (select count(*) from customer.customer_field as other
             where other.customer_id = field.customer_id and other.field = field.field) - 1 as other_candidates
        from customer.customer_field as field where customer_id = ? and field_rank = 1 order by field""",
    "accounts": """
        select system, account_id, product_family, currency_code, balance_amount, status_code
        from customer.account where customer_id = ? order by all""",
    "cards": """
        select system, card_id, product_family, currency_code, balance_amount, status_code
        from customer.card where customer_id = ? order by all""",
    "loans": """
        select system, loan_id, product_family, currency_code, outstanding_amount, days_past_due
        from customer.loan where customer_id = ? order by all""",
    "other roles": """
        select role, product_type, product_system, product_id from customer.party_role
        where customer_id = ? and role not in ('owner', 'cardholder', 'borrower') order by all""",
    "events": """
        select business_date, event, related_customer_id, cause from customer.customer_event
        where customer_id = ? order by all""",
}


def _resolve(con: duckdb.DuckDBPyConnection, who: str) -> str:
    system, colon, record_id = who.partition(":")
    if not colon:
        return who
    row = con.execute(
        "select customer_id from customer.customer_record where system = ? and record_id = ?",
        [system, record_id],
    ).fetchall()
    return str(row[0][0]) if row else who


def _living(con: duckdb.DuckDBPyConnection, customer_id: str) -> str:
    """Follow merges from a retired id to the customer that lives."""
    seen = set()
    while customer_id not in seen:
        seen.add(customer_id)
        row = con.execute(
            "select related_customer_id from customer.customer_event where customer_id = ? and event = 'merge' "
            "and related_customer_id is not null and not exists "
            "(select 1 from customer.customer where customer.customer_id = customer_event.customer_id) "
            "order by business_date desc limit 1",
            [customer_id],
        ).fetchall()
        customer_id = str(row[0][0]) if row else customer_id
    return customer_id


def _one(con: duckdb.DuckDBPyConnection, query: str, *params: Any) -> dict[str, Any] | None:
    result = con.execute(query, list(params))
    names = [column[0] for column in result.description or []]
    found = result.fetchall()
    return dict(zip(names, found[0], strict=True)) if found else None


def _section(con: duckdb.DuckDBPyConnection, title: str, query: str, customer_id: str) -> None:
    result = con.execute(query, [customer_id])
    names = [column[0] for column in result.description or []]
    found = result.fetchall()
    if found:
        table = Table(*names, box=None, title=title, title_justify="left")
        for row in found:
            table.add_row(*("" if value is None else escape(str(value)) for value in row))
        out.print(table)


@click.command()
@click.option(
    "--truth",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Parquet or CSV with columns system, record_id, entity_id.",
)
@click.pass_obj
def evaluate(options: Options, truth: Path) -> None:
    """Judge the current release's customers against known truth; prints JSON."""
    from quality.linkage import evaluate as evaluate_linkage

    workspace = options.workspace
    with open_current(options) as con:
        crosswalk = con.execute("select system, record_id, customer_id from customer.customer_record").to_arrow_table()
        day = con.execute("select business_date from meta.release").fetchall()[0][0]
    with duckdb.connect() as con:
        known = con.execute(f"from {_reader(truth)}", [str(truth)]).to_arrow_table()
        documents = con.execute(
            "from read_parquet(?)", [str(workspace.lake.require("identity.party_document", day))]
        ).to_arrow_table()
    try:
        report = evaluate_linkage(crosswalk, known, documents)
    except ValueError as error:
        raise click.UsageError(f"{truth}: {error}") from None
    out.print_json(json.dumps(report))


def _reader(path: Path) -> str:
    return "read_parquet(?)" if path.suffix == ".parquet" else "read_csv(?, all_varchar = true)"


COMMANDS = (sql, show, evaluate)
