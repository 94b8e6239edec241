"""The command that tells two releases apart: diff. What is compared lives in ``warehouse.release_diff``."""

import click
from rich.table import Table

from pipelines.cli.main import Options, out
from warehouse.release import Release
from warehouse.release_diff import Comparison, TableChange, compared


@click.command()
@click.argument("before")
@click.argument("after", required=False)
@click.option("--table", "name", help="Tell of this table alone which columns changed in how many rows.")
@click.pass_obj
def diff(options: Options, before: str, after: str | None, name: str | None) -> None:
    """Tell what changed from release BEFORE to AFTER (the current one): rows, columns, customers, versions.

    Only counts and names are shown, no values.
    """
    from warehouse.build import duckdb_config
    from warehouse.release import ReleaseError

    store = options.workspace.releases
    try:
        earlier, later = store.find(before), store.find(after) if after else store.current()
        if later is None:
            raise ReleaseError(f"no release in {store.root} is current; name both")
        with compared(earlier, later, duckdb_config(options.workspace.bounds)) as comparison:
            if name is None:
                _tell_releases(earlier, later, comparison)
            else:
                _tell_table(comparison, name)
    except ReleaseError as error:
        raise click.UsageError(str(error)) from None


def _tell_releases(before: Release, after: Release, comparison: Comparison) -> None:
    out.print(f"{before.id} -> {after.id}")
    for what, old, new in (
        ("code", before.code_version, after.code_version),
        ("matching model", before.model_version, after.model_version),
    ):
        out.print(f"{what}  {old}" + (f" -> {new}" if new != old else ", the same"))
    customers = comparison.customers()
    if customers:
        out.print("customers  " + ", ".join(f"{count} {kind}" for kind, count in customers.items()))
    table = Table("table", "rows", "added", "changed", "removed", "columns", box=None)
    same = 0
    for change in comparison.tables():
        counts = (change.rows.added, change.rows.changed, change.rows.removed) if change.rows else ("?", "?", "?")
        columns = _columns(change)
        if counts == (0, 0, 0) and not columns:
            same += 1
        elif change.before is None or change.after is None:
            table.add_row(change.table, "", "", "", "", "new table" if change.before is None else "table is gone")
        else:
            table.add_row(change.table, str(change.after.rows), *map(str, counts), columns)
    if table.row_count:
        out.print(table)
    out.print(f"{same} table{'' if same == 1 else 's'} unchanged")


def _tell_table(comparison: Comparison, name: str) -> None:
    change = comparison.table(name)
    if columns := _columns(change):
        out.print(columns)
    if change.rows is None:
        out.print(f"rows of {name} cannot be compared: it is in one release only, or its key is another")
        return
    out.print(f"{change.rows.added} rows added, {change.rows.changed} changed, {change.rows.removed} removed")
    table = Table("column", "rows changed", box=None)
    for column, count in sorted(comparison.columns(change).items(), key=lambda one: (-one[1], one[0])):
        table.add_row(column, str(count))
    if table.row_count:
        out.print(table)


def _columns(change: TableChange) -> str:
    told = [*(f"+{name}" for name in change.columns_added), *(f"-{name}" for name in change.columns_removed)]
    return ", ".join([*told, *change.columns_retyped])


COMMANDS = (diff,)
