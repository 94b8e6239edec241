"""What a newcomer sees after ``make demo``: the outcome of the nights, in numbers read from the release."""

from decimal import Decimal

import duckdb
from rich.console import Console
from rich.table import Table

from pipelines.portfolio import figure
from pipelines.workspace import Workspace

_TABLES = (
    (
        "Top ten customers by contribution of twelve months",
        ("customer", "tier", "assets", "debts", "contribution", "RAROC"),
        """
        select customer_id, service_tier, assets_amount, debt_amount, contribution_amount, raroc
        from mart.customer_annual_contribution
        inner join mart.customer_segment using (customer_id)
        order by contribution_amount desc, customer_id
        limit 10
        """,
    ),
    (
        "Contribution curve",
        ("best customers", "contribution", "brought together"),
        """
        select customer_percentile || ' %', cumulative_contribution_amount, cumulative_share
        from mart.contribution_curve
        where customer_percentile in (1, 5, 10, 20, 40, 60, 80, 90, 100)
        order by customer_percentile
        """,
    ),
    (
        "Service tiers",
        ("kind", "tier", "customers", "assets", "contribution"),
        """
        select party_type, service_tier, count(*), sum(assets_amount), sum(contribution_12m_amount)
        from mart.customer_segment
        group by party_type, service_tier
        order by party_type desc, max(tier_rank) desc
        """,
    ),
    (
        "Whom to keep first: probability of leaving times contribution",
        ("", "customer", "tier", "leaves with", "contribution at stake"),
        """
        select retention_rank, customer_id, service_tier, churn_probability, at_stake_contribution_amount
        from mart.customer_behaviour
        inner join mart.customer_segment using (customer_id)
        where retention_rank <= 10
        order by retention_rank
        """,
    ),
    (
        "Coverage issues",
        ("issue", "severity", "customers", "money at stake"),
        """
        select issue_code, issue_severity, count(*), sum(at_stake_amount)
        from mart.coverage_issue
        group by issue_code, issue_severity
        order by count(*) desc, issue_code
        """,
    ),
)
_QUERIES = (
    "select customer_id, full_name, system_count, total_deposit_amount from mart.customer_360 "
    "order by total_deposit_amount desc limit 5",
    "select product_family, currency_code, count(*) as customers, sum(balance_amount) as balance "
    "from mart.customer_holding group by all order by all",
    "select event, count(*) as times from customer.customer_event group by all",
)
_OF_MARKETING = "select service_tier, count(*) as customers from mart.customer_segment group by all"


def print_result(workspace: Workspace, out: Console) -> None:
    """Print records in per system, duplicates found, customers out, what they are worth, checks, and queries to try.

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
        valued = [(title, head, con.execute(query).fetchall()) for title, head, query in _TABLES]
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
    for title, head, rows in valued:
        shown = Table(title=title, title_justify="left", box=None)
        for place, name in enumerate(head):
            number = bool(rows) and isinstance(rows[0][place], (int, float, Decimal))
            shown.add_column(name, justify="right" if number else "left", no_wrap=True)
        for row in rows:
            shown.add_row(*map(_text, row))
        out.print()
        out.print(shown)
    shares = Table(
        "share", "department", "tables", "rows", "", title="What each department gets", title_justify="left", box=None
    )
    for name, granted in workspace.bank.shares.shares.items():
        version = workspace.shares.current(name)
        held = f"{sum(version.rows.values()):,}" if version else "blocked"
        shares.add_row(name, granted.title.en, str(len(granted.tables)), held, "encrypted" if granted.encrypted else "")
    out.print()
    out.print(shares)
    out.print("\nThe portfolio as a page, and queries to try:")
    out.print(f"  .venv/bin/c360 --home {workspace.home} report", soft_wrap=True)
    out.print(f"  .venv/bin/c360 --home {workspace.home} sql --share marketing {_OF_MARKETING!r}", soft_wrap=True)
    for query in _QUERIES:
        out.print(f'  .venv/bin/c360 --home {workspace.home} sql "{query}"', soft_wrap=True)


def _text(value: object) -> str:
    return figure(value) if isinstance(value, (int, float, Decimal)) else "" if value is None else str(value)
