"""Commands over the departments' shares: shares (list), shares show, shares build, shares keys."""

import click
from rich.markup import escape
from rich.table import Table

from pipelines.cli.main import Options, err, fail, out
from warehouse.shares.keys import ShareKeyError


@click.group(invoke_without_command=True)
@click.pass_context
def shares(context: click.Context) -> None:
    """List the departments' shares; with a command: show, build, keys."""
    if context.invoked_subcommand is None:
        _list(context.obj)


def _list(options: Options) -> None:
    workspace = options.workspace
    table = Table("share", "version", "built (UTC)", "tables", "rows", "MB", "key", "leak scan", box=None)
    for name in workspace.bank.shares.shares:
        version, blocked = workspace.shares.current(name), workspace.shares.blocked(name)
        scan = f"blocked for release {blocked['release_id']}" if blocked else "passed" if version else ""
        if version is None:
            table.add_row(name, "none yet", "", "", "", "", "", scan)
            continue
        table.add_row(
            name,
            version.id,
            f"{version.built_at:%Y-%m-%d %H:%M:%S}",
            str(len(version.rows)),
            str(sum(version.rows.values())),
            f"{version.database.stat().st_size / 1e6:.1f}",
            version.key_id + (", encrypted" if version.is_encrypted else ""),
            scan,
        )
    for name in set(workspace.shares.names()) - set(workspace.bank.shares.shares):
        left = workspace.shares.root / name
        err.print(f"{left} is of no share of shares.yaml: whom it was for can still open it; remove it")
    if not table.row_count:
        fail(f"{workspace.bank.folder} has no shares.yaml, or no share in it; docs/shares.md tells how to write one")
    out.print(table)


@shares.command()
@click.argument("name")
@click.pass_obj
def show(options: Options, name: str) -> None:
    """Show what share NAME grants, and where it lies."""
    from pipelines.sharing import policy

    check_share(options, name)
    workspace = options.workspace
    granted, version, blocked = policy(workspace, name), workspace.shares.current(name), workspace.shares.blocked(name)
    said = granted.settings
    out.print(f"{said.title.en} {said.title.zh}, owner {said.owner}")
    out.print(f"purpose   {said.purpose.en}\n          {said.purpose.zh}")
    out.print(f"version   {version.id if version else 'none yet'}")
    if version:
        out.print(f"file      {version.database}{' (encrypted)' if version.is_encrypted else ''}")
    if blocked:
        out.print(f"blocked   for release {blocked['release_id']}: {escape('; '.join(blocked['findings']))}")
    for one in granted.tables:
        rows = f", {version.rows[one.source.id]} rows" if version and one.source.id in version.rows else ""
        table = Table(f"{one.source.id}{rows}", "type", "class", "treatment", box=None)
        for column in one.shared.columns:
            treatment = one.treatments[column.name].words()[0]
            table.add_row(f"  {column.name}", escape(column.type), column.pii, escape(treatment))
        out.print(escape(one.shared.en))
        out.print(table)


@shares.command()
@click.argument("names", nargs=-1)
@click.pass_obj
def build(options: Options, names: tuple[str, ...]) -> None:
    """Make shares NAMES (all by default) of the current release anew, as after a change of shares.yaml or of a key."""
    from pipelines.night_lock import NightRunningError, night
    from pipelines.sharing import share_release
    from warehouse.shares.build import ShareError

    for name in names:
        check_share(options, name)
    workspace = options.workspace
    release = workspace.releases.current()
    if release is None:
        raise click.UsageError("no release yet to make shares from; 'c360 run' publishes one")
    is_blocked = False
    try:
        with night(workspace.home):
            for name in names or workspace.bank.shares.shares:
                outcome = share_release(workspace, name, release)
                if outcome.version is None:
                    is_blocked = True
                    err.print(f"{name}: blocked; the policy does not grant:")
                    err.print("\n".join(f"  {escape(finding.line)}" for finding in outcome.findings))
                else:
                    out.print(f"{name}: {outcome.version.id}{' (unchanged)' if outcome.unchanged else ''}")
    except (ShareError, ShareKeyError, NightRunningError) as error:
        fail(escape(str(error)))
    if is_blocked:
        raise SystemExit(3)


@shares.group()
def keys() -> None:
    """Make and rotate the shares' keys; no key is ever shown."""


@keys.command()
@click.argument("name")
@click.pass_obj
def new(options: Options, name: str) -> None:
    """Make the first keys of share NAME."""
    from pipelines.sharing import make_keys

    check_share(options, name)
    workspace = options.workspace
    try:
        key_id = make_keys(workspace, name)
    except ShareKeyError as error:
        raise click.UsageError(str(error)) from None
    out.print(f"{name}: key {key_id} in {workspace.share_keys.path}")


@keys.command()
@click.argument("name")
@click.pass_obj
def rotate(options: Options, name: str) -> None:
    """Make the next keys of share NAME; its tokens change with the next version."""
    from pipelines.sharing import rotate_keys

    check_share(options, name)
    workspace = options.workspace
    try:
        key_id = rotate_keys(workspace, name)
    except ShareKeyError as error:
        raise click.UsageError(str(error)) from None
    out.print(f"{name}: key {key_id} in {workspace.share_keys.path}; 'c360 shares build {name}' uses it at once")


def check_share(options: Options, name: str) -> None:
    """End the command with exit code 2 if the bank has no share of that name."""
    from sources.problems import hint

    known = options.workspace.bank.shares.shares
    if name not in known:
        raise click.UsageError(f"no share {name!r}{hint(name, known)}")


COMMANDS = (shares,)
