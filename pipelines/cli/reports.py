"""The command that writes pages for people who open no database: the portfolio of a release."""

import datetime as dt
from pathlib import Path

import click

from pipelines.cli.main import Options, fail, out


@click.command()
@click.argument("release", required=False)
@click.option(
    "--out",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File; without it below the home's reports.",
)
@click.option("--open", "show", is_flag=True, help="Open the pages in the browser.")
@click.pass_obj
def report(options: Options, release: str | None, target: Path | None, show: bool) -> None:
    """Write the portfolio of RELEASE, or of the current one, as a page; tell where the night's checks are."""
    from pipelines.portfolio import write_portfolio

    workspace = options.workspace
    kept = {found.id: found for found in workspace.releases.list()}
    current = workspace.releases.current()
    if release is None and current is None:
        fail(f"no release in {workspace.releases.root} yet; 'c360 run' publishes one")
    if release is not None and release not in kept:
        raise click.UsageError(f"no release {release!r} is kept; 'c360 releases' lists them")
    chosen = kept[release] if release else current
    assert chosen is not None  # noqa: S101 - told above
    reports = workspace.home / "reports"
    path = target or reports / f"portfolio-{chosen.id}.html"
    settings = workspace.bank.settings
    write_portfolio(path, chosen, bank=settings.title, currency=settings.currency, written_at=dt.datetime.now(dt.UTC))
    pages = {f"portfolio of {chosen.id}": path, "checks of its night": reports / f"{chosen.business_date}.html"}
    for told, page in pages.items():
        if page.is_file():
            out.print(f"{told}\n  {page}")
            if show:
                click.launch(str(page))


COMMANDS = (report,)
