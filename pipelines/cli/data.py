"""Commands that read a release: sql, evaluate."""

import csv
import datetime as dt
import json
import sys
from pathlib import Path

import click
import duckdb
from rich.markup import escape
from rich.table import Table

from pipelines.cli.main import DATE, Options, err, fail, out


def open_current(options: Options, as_of: dt.date | None = None) -> duckdb.DuckDBPyConnection:
    """Open the current release, or the one of a date, read-only; ends the command when there is none."""
    from warehouse.release import ReleaseError

    store = options.workspace.releases
    try:
        if as_of is None:
            return store.connect()
        release = store.as_of(as_of)
        err.print(f"release {release.id}")
        return store.connect(release.id)
    except ReleaseError as error:
        raise click.UsageError(str(error)) from None


def open_share(options: Options, share: str, as_of: dt.date | None) -> duckdb.DuckDBPyConnection:
    """Open a share's current version, or the one of a date, read-only; ends the command when there is none."""
    from pipelines.cli.shares import check_share
    from pipelines.sharing import connect
    from warehouse.shares.build import ShareError
    from warehouse.shares.keys import ShareKeyError

    check_share(options, share)
    try:
        return connect(options.workspace, share, as_of)
    except (ShareError, ShareKeyError) as error:
        raise click.UsageError(str(error)) from None


@click.command()
@click.argument("query", required=False)
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
@click.option("--as-of", type=DATE, help="The latest kept release of this business date or before, not the current.")
@click.option("--share", help="A department's share instead of the release; an encrypted one is opened with its key.")
@click.pass_obj
def sql(options: Options, query: str | None, form: str, as_of: dt.datetime | None, share: str | None) -> None:
    """Run QUERY (or standard input) on the current release or a share, read-only; the audit log records it."""
    text = query or sys.stdin.read()
    date = as_of.date() if as_of else None
    with open_share(options, share, date) if share else open_current(options, date) as con:
        told = "select share || ' ' || release_id from meta.share" if share else "select release_id from meta.release"
        [(opened,)] = con.execute(told).fetchall()
        try:
            result = con.execute(text)
            names = [column[0] for column in result.description or []]
            found = result.fetchall()
        except duckdb.Error as error:
            _record(options, text, None, opened)
            raise click.UsageError(str(error)) from None
    _record(options, text, len(found), opened)
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


def _record(options: Options, text: str, rows: int | None, opened: str) -> None:
    """Record a query before its answer is shown; ends the command where that cannot be done."""
    from pipelines.auditing import record_query
    from warehouse.audit import AuditError

    try:
        record_query(options.workspace, text, rows, opened)
    except (AuditError, PermissionError) as error:
        fail(escape(str(error)))


@click.command()
@click.argument("check", metavar="TABLE.CHECK")
@click.option("--date", "day", type=DATE, help="Business date; without it the latest that was landed.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1))
@click.pass_obj
def failing(options: Options, check: str, day: dt.datetime | None, limit: int) -> None:
    """Show rows that fail TABLE.CHECK, of a blocked night too; they may be personal, so the audit log records it."""
    from pipelines.publishing import offending_query, offending_rows
    from warehouse.lake import MissingPartitionError
    from warehouse.release import ReleaseError

    workspace = options.workspace
    landed = workspace.lake.dates("staging.party")
    if not landed:
        fail(f"no night was run in {workspace.home} yet; 'c360 run' runs one")
    date = day.date() if day else landed[-1]
    table, _, name = check.rpartition(".")
    try:
        query = offending_query(workspace, table, name)
        if query is None:
            out.print(f"{check} is about the table, not about rows; its result says all")
            return
        found = offending_rows(workspace, date, query, limit)
    except (LookupError, MissingPartitionError) as error:
        raise click.UsageError(str(error)) from None
    except ReleaseError as error:
        fail(str(error))
    assert query is not None  # noqa: S101 - told above
    _record(options, query, found.num_rows, f"candidate {date}")
    shown = Table(*found.column_names, box=None)
    for row in zip(*(column.to_pylist() for column in found.columns), strict=True):
        shown.add_row(*("" if value is None else escape(str(value)) for value in row))
    out.print(shown)
    out.print(f"({found.num_rows} row{'' if found.num_rows == 1 else 's'})")


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


COMMANDS = (sql, failing, evaluate)
