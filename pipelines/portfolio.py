"""The page for management: contribution, tiers, risk, concentration, whom to keep, and who looks after whom.

One HTML page from one release, readable without the network. It names customers by their id alone: who may see names
finds them in the release. The figures are those of the marts; nothing is computed here.
"""

import base64
import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal
from html import escape
from pathlib import Path

import duckdb

from models.tables import Table
from models.value import charts
from pipelines.workspace import Workspace
from quality.report import STYLE
from warehouse.release import Release

GRADES = ("normal", "special_mention", "substandard", "doubtful", "loss")
_FIRST = 20
_STYLE = f"""{STYLE}
td.n, th.n {{ text-align: right; font-variant-numeric: tabular-nums; }}
figure {{ margin: 1rem 0; }} svg {{ width: 100%; max-width: 46rem; height: auto; background: #fff; }}
"""


def write_portfolio(path: Path, release: Release, *, bank: str, currency: str, written_at: dt.datetime) -> None:
    """Write the page of a release as a whole: a reader of ``path`` never sees half of it.

    Args:
        path: where the page goes.
        release: the release that is read.
        bank: title of the bank.
        currency: the bank's currency, unit of all amounts.
        written_at: when, UTC.
    """
    with duckdb.connect(str(release.database), read_only=True) as con:
        sections = [
            _headline(con),
            _curve(con),
            _tiers(con),
            _risk(con),
            _concentration(con),
            _retention(con),
            _coverage(con),
        ]
    title = f"Portfolio of {bank}"
    page = "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{escape(title)}</h1>",
            f"<p>Release {escape(release.id)}, amounts in {escape(currency)}. "
            f"Written {written_at:%Y-%m-%d %H:%M} UTC.</p>",
            *sections,
            "</body></html>\n",
        ]
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(page, encoding="utf-8")
    temporary.replace(path)


def _headline(con: duckdb.DuckDBPyConnection) -> str:
    rows = con.execute(
        """
        select
            count(*) as customers,
            sum(customer_360.total_deposit_amount) as deposits,
            sum(customer_360.total_debt_amount) as debts,
            sum(annual.contribution_amount) as contribution,
            sum(annual.eva_amount) as eva,
            sum(annual.contribution_amount) / nullif(sum(annual.capital_amount), 0) as raroc
        from mart.customer_360
        left join mart.customer_annual_contribution as annual using (customer_id)
        """
    ).fetchall()
    head = ("customers", "deposits", "debts", "contribution of 12 months", "economic value added", "RAROC")
    return _table(head, rows)


def _curve(con: duckdb.DuckDBPyConnection) -> str:
    deciles = con.execute(
        """
        select
            (customer_percentile + 9) // 10 * 10 as first_percent,
            sum(customer_count),
            sum(contribution_amount),
            max_by(cumulative_share, customer_percentile)
        from mart.contribution_curve
        group by all
        order by all
        """
    ).fetchall()
    head = ("best, % of customers", "customers in the step", "contribution", "brought together")
    return _section("Contribution", _figure(_curve_chart(con)) + _table(head, deciles))


def _curve_chart(con: duckdb.DuckDBPyConnection) -> str:
    points = con.execute(
        "select customer_percentile, cumulative_share from mart.contribution_curve order by all"
    ).fetchall()
    return charts.lines(
        [0, *(float(percent) for percent, _ in points)],
        {"contribution": [0, *(100 * float(share or 0) for _, share in points)]},
        title="Contribution curve",
        x_label="customers, the best first, %",
        y_label="of the bank's contribution, %",
        level=100,
    )


def _tiers(con: duckdb.DuckDBPyConnection) -> str:
    tiers = con.execute(
        """
        select party_type, service_tier, count(*), sum(assets_amount), sum(contribution_12m_amount)
        from mart.customer_segment
        group by all
        order by party_type, max(tier_rank) desc, service_tier
        """
    ).fetchall()
    head = ("", "tier", "customers", "assets", "contribution of 12 months")
    return _section("Service tiers", _table(head, tiers) + _figure(_movement_chart(con)))


def _movement_chart(con: duckdb.DuckDBPyConnection) -> str:
    moved = con.execute(
        """
        select coalesce(from_tier, 'new'), to_tier, sum(customer_count)
        from mart.tier_movement
        where party_type = 'person' and month = (select max(month) from mart.tier_movement)
        group by all
        """
    ).fetchall()
    ranks: dict[str, int] = dict(
        con.execute(
            "select service_tier, min(tier_rank) from mart.service_standard where party_type = 'person' group by all"
        ).fetchall()
    )
    counts = {(source, target): float(count) for source, target, count in moved}
    rows = sorted({source for source, _ in counts}, key=lambda tier: ranks.get(tier, -1))
    columns = sorted({target for _, target in counts}, key=lambda tier: ranks.get(tier, -1))
    cells = [[counts.get((source, target), 0.0) for target in columns] for source in rows]
    return charts.grid(rows, columns, cells, title="Persons by tier at the month's beginning and now")


def _risk(con: duckdb.DuckDBPyConnection) -> str:
    rows = con.execute(
        """
        select party_type, service_tier, risk_grade, customer_count, exposure_amount, expected_loss_amount,
            weighted_probability_of_default
        from mart.portfolio_risk
        order by party_type, service_tier, list_position(?, risk_grade)
        """,
        [list(GRADES)],
    ).fetchall()
    head = ("", "tier", "grade", "customers", "exposure", "expected loss", "PD, by exposure")
    return _section("Risk", _figure(_risk_chart(con)) + _table(head, rows))


def _risk_chart(con: duckdb.DuckDBPyConnection) -> str:
    found = con.execute(
        "select service_tier, risk_grade, sum(exposure_amount) from mart.portfolio_risk group by all"
    ).fetchall()
    exposure = {(tier, grade): float(amount) for tier, grade, amount in found}
    tiers = sorted({tier for tier, _ in exposure})
    totals = {tier: sum(exposure.get((tier, grade), 0.0) for grade in GRADES) for tier in tiers}
    # nearly all of it is sound: shares of what is not can be seen, amounts could not
    shares: charts.Series = {
        grade: [100 * exposure.get((tier, grade), 0.0) / (totals[tier] or 1.0) for tier in tiers]
        for grade in GRADES[1:]
    }
    return charts.bars(tiers, shares, title="Exposure that is not graded normal, by tier", y_label="of the exposure, %")


def _concentration(con: duckdb.DuckDBPyConnection) -> str:
    rows = con.execute(
        "select measure, top_customers, customer_count, top_amount, total_amount, top_share "
        "from mart.concentration order by measure, customer_count, length(top_customers), top_customers"
    ).fetchall()
    head = ("", "largest", "customers", "their amount", "total", "share")
    return _section("Concentration", _figure(_concentration_chart(con)) + _table(head, rows))


def _concentration_chart(con: duckdb.DuckDBPyConnection) -> str:
    found = con.execute("select measure, top_customers, top_share from mart.concentration").fetchall()
    steps = ("1", "10", "50", "100")
    share = {(measure, step): 100 * float(value or 0) for measure, step, value in found}
    series: charts.Series = {
        measure: [share.get((measure, step), 0.0) for step in steps] for measure in sorted({m for m, *_ in found})
    }
    return charts.lines(
        steps, series, title="Share of the largest customers", x_label="largest customers", y_label="of the total, %"
    )


def _retention(con: duckdb.DuckDBPyConnection) -> str:
    rows = con.execute(
        f"""
        select retention_rank, customer_id, service_tier, churn_probability, at_stake_contribution_amount
        from mart.customer_behaviour
        inner join mart.customer_segment using (customer_id)
        where retention_rank <= {_FIRST}
        order by retention_rank
        """
    ).fetchall()
    head = ("", "customer", "tier", "probability of leaving", "contribution at stake")
    return _section("Whom to keep first", _table(head, rows))


def _coverage(con: duckdb.DuckDBPyConnection) -> str:
    rows = con.execute(
        """
        select issue_code, issue_severity, count(*), sum(at_stake_amount)
        from mart.coverage_issue
        group by all
        order by count(*) desc, issue_code
        """
    ).fetchall()
    return _section("Coverage: what is to be mended", _table(("issue", "severity", "customers", "at stake"), rows))


# the tables of the portfolio, and the picture that Dagster shows of each
PICTURES: dict[str, Callable[[duckdb.DuckDBPyConnection], str]] = {
    "mart.contribution_curve": _curve_chart,
    "mart.tier_movement": _movement_chart,
    "mart.portfolio_risk": _risk_chart,
    "mart.concentration": _concentration_chart,
}


def picture(workspace: Workspace, table: Table, date: dt.date) -> str | None:
    """The picture of a night's table as markdown with the drawing inside; None of a table that has none."""
    draw = PICTURES.get(table.id)
    if draw is None:
        return None
    with workspace.engine.connection(date, [table.id, "mart.service_standard"]) as con:
        svg = draw(con)
    return f"![{table.en}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"


def _section(title: str, body: str) -> str:
    return f"<h2>{escape(title)}</h2>\n{body}"


def _figure(svg: str) -> str:
    return f"<figure>{svg}</figure>"


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    numbers = [any(isinstance(row[place], (int, float, Decimal)) for row in rows) for place in range(len(head))]
    heads = "".join(
        f'<th class="n">{escape(name)}</th>' if number else f"<th>{escape(name)}</th>"
        for name, number in zip(head, numbers, strict=True)
    )
    lines = "".join("<tr>" + "".join(_cell(value) for value in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>"


def _cell(value: object) -> str:
    if isinstance(value, (int, float, Decimal)):
        return f'<td class="n">{figure(value)}</td>'
    return f"<td>{'' if value is None else escape(str(value))}</td>"


def figure(value: int | float | Decimal) -> str:
    """A figure as people read it: what is a share, a rate or a probability in per cent, all else with its thousands."""
    if isinstance(value, float) or (isinstance(value, Decimal) and value.as_tuple().exponent == -6):
        return f"{value:.2%}"
    return f"{value:,.0f}"
