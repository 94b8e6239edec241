"""Commands over the published releases: releases, rollback."""

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


COMMANDS = (releases, rollback)
