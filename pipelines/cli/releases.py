"""Commands over the published releases: releases, rollback; and where a column of them comes from: lineage."""

import difflib

import click
from rich.table import Table

from pipelines.cli.main import Options, err, fail, out


@click.command()
@click.pass_obj
def releases(options: Options) -> None:
    """List the releases that are kept; the current one is marked."""
    store = options.workspace.releases
    current = store.current()
    table = Table("", "release", "published (UTC)", "customers", "MB", box=None)
    for release in store.list():
        table.add_row(
            "*" if current and release.id == current.id else "",
            release.id,
            f"{release.published_at:%Y-%m-%d %H:%M:%S}",
            str(release.customers),
            f"{release.database.stat().st_size / 1e6:.1f}",
        )
    if not table.row_count:
        fail(f"no release in {store.root} yet; 'c360 run' publishes one")
    out.print(table)


@click.command()
@click.argument("release", required=False)
@click.pass_obj
def rollback(options: Options, release: str | None) -> None:
    """Make RELEASE current again; without it the one before the current. Every share goes with it."""
    from pipelines.publishing import rollback as make_current
    from pipelines.sharing import follow
    from warehouse.audit import AuditError
    from warehouse.release import ReleaseError
    from warehouse.shares.build import ShareError

    try:
        now = make_current(options.workspace, release)
        out.print(f"current release is now {now.id}")
        switched, stayed = follow(options.workspace, now)
    except ReleaseError as error:
        raise click.UsageError(str(error)) from None
    except (AuditError, ShareError) as error:
        fail(str(error))
    for version in switched:
        out.print(f"share {version.share} is now {version.id}")
    for share in stayed:
        err.print(f"share {share} has no version of {now.id} and stays; 'c360 shares build {share}' makes one")


@click.command()
@click.argument("column")
@click.pass_obj
def lineage(options: Options, column: str) -> None:
    """Show where COLUMN (mart.customer_360.total_debt_amount) comes from, up to the fields of the sources.

    It is read from the definitions of now; what a release was made from is in its meta.lineage.
    """
    from pipelines.lineage import tree

    known = {f"{one.id}.{c.name}" for one in options.workspace.tables.values() for c in one.columns}
    if column not in known:
        near = difflib.get_close_matches(column, sorted(known), 3)
        hint = f"; did you mean {' or '.join(near)}?" if near else "; write layer.table.column"
        raise click.UsageError(f"no column {column!r}{hint}")
    table, _, name = column.rpartition(".")
    click.echo("\n".join(tree(options.workspace.lineage, table, name)))


COMMANDS = (releases, rollback, lineage)
