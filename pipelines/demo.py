"""What a newcomer sees after ``make demo``: the outcome of the nights, in numbers read from the release."""

import duckdb
from rich.console import Console
from rich.table import Table

from pipelines.workspace import Workspace

_QUERIES = (
    "select customer_id, full_name, system_count, total_deposit_amount from mart.customer_360 "
    "order by total_deposit_amount desc limit 5",
    "select product_family, currency_code, count(*) as customers, sum(balance_amount) as balance "
    "from mart.customer_holding group by all order by all",
    "select event, count(*) as times from customer.customer_event group by all",
)


def print_result(workspace: Workspace, out: Console) -> None:
    """Print records in per system, duplicates found, customers out, checks, the release, and queries to try.

    Raises:
        LookupError: there is no release.
    """
    current = workspace.releases.current()
    if current is None:
        raise LookupError("no release to show")
    with duckdb.connect(str(current.database), read_only=True) as con:
        records = con.execute(
            "select system, count(*), count(distinct customer_id) from customer.customer_record group by 1 order by 1"
        ).fetchall()
        customers, people = con.execute(
            "select count(*), count(*) filter (where party_type = 'person') from customer.customer"
        ).fetchall()[0]
        checks = con.execute("select count(*), count(*) filter (where is_passed) from meta.check_result").fetchall()[0]
        quarantined = con.execute("select count(*) from meta.quarantine").fetchall()[0][0]
    total = sum(row[1] for row in records)
    table = Table("system", "party records in", "customers behind them", box=None)
    for system, count, distinct in records:
        table.add_row(system, f"{count:,}", f"{distinct:,}")
    table.add_row("all", f"{total:,}", f"{customers:,}", style="bold")
    out.print()
    out.print(table)
    out.print()
    out.print(f"duplicates found   {total - customers:,} party records belong to a customer known already")
    out.print(f"customers out      {customers:,} ({people:,} people, {customers - people:,} organisations)")
    out.print(f"checks             {checks[1]:,} of {checks[0]:,} passed, {checks[0] - checks[1]:,} warned")
    out.print(f"quarantine         {quarantined:,} rows")
    out.print(f"release            {current.id}  {current.database}")
    out.print("\nThree queries to try:")
    for query in _QUERIES:
        out.print(f'  .venv/bin/c360 --home {workspace.home} sql "{query}"', soft_wrap=True)
