"""Commands around a bank's folder: init, check, sample, dictionary, demo."""

import datetime as dt
import shutil
from pathlib import Path

import click

from pipelines.cli.main import Options, check_fitted_models, check_model, fail, out

SCAFFOLD = Path(__file__).parent.parent.parent / "banks" / "_scaffold"


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def init(folder: Path) -> None:
    """Make an annotated bank folder in FOLDER, ready to be changed."""
    if folder.exists() and any(folder.iterdir()):
        raise click.UsageError(f"{folder} is not empty; name a new folder")
    shutil.copytree(SCAFFOLD, folder, dirs_exist_ok=True)
    out.print(f"{folder} is a bank with three example systems. Next:")
    out.print(f"  1. describe your systems in {folder}/contracts (start from the example nearest to yours)")
    out.print(f"  2. set name, time zone, currency and where the exports lie in {folder}/bank.yaml")
    out.print(f"  3. c360 --bank {folder} check")
    out.print(f"  4. c360 --bank {folder} --home DATA run --date YYYY-MM-DD")


@click.command()
@click.pass_obj
def check(options: Options) -> None:
    """Check the bank's folder: every mistake of all its files at once, exit code 2.

    The models that the home's nights would use are checked too.
    """
    bank = options.workspace.bank
    model = check_model(options.workspace)
    out.print(f"{bank.settings.title}: no mistakes")
    for contract in bank.contracts:
        filled = sorted({fill.entity for source in contract.objects for fill in source.fills})
        out.print(f"  {contract.system}: {len(contract.objects)} objects fill {', '.join(filled)}")
    out.print(f"  matching model: {model.id if model else 'none yet; the first night trains one and pins it'}")
    for kind, fitted in check_fitted_models(options.workspace).items():
        out.print(f"  {kind} model: {fitted}")
    if bank.shares.shares:
        out.print(f"  shares: {', '.join(bank.shares.shares)}")


@click.command()
@click.option("--parties", default=10_000, show_default=True, type=click.IntRange(100), help="Party records on day 1.")
@click.option("--noise", default="default", show_default=True, type=click.Choice(["low", "default", "high"]))
@click.option("--seed", default=1, show_default=True, help="Same arguments, same files.")
@click.option("--days", default=3, show_default=True, type=click.IntRange(1, 60), help="Business dates.")
@click.option("--months", default=1, show_default=True, type=click.IntRange(1, 120), help="Months of history on day 1.")
@click.option("--out", "folder", type=click.Path(file_okay=False, path_type=Path), help="Default: HOME/exports.")
@click.pass_obj
def sample(options: Options, parties: int, noise: str, seed: int, days: int, months: int, folder: Path | None) -> None:
    """Generate the sample bank's exports, with the truth of who is who, and what becomes of whom, beside them."""
    from sources.sample import generate

    target = folder or options.home / "exports"
    summary = generate(parties=parties, noise=noise, seed=seed, days=days, out=target, months=months)
    out.print(f"{target}: {summary}")


@click.command()
@click.option("--check", "existing", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def dictionary(existing: Path | None) -> None:
    """Print the dictionary of all published tables; with --check fail when FILE is not that text."""
    from warehouse.dictionary import dictionary as generate_dictionary

    text = generate_dictionary()
    if existing is None:
        click.echo(text, nl=False)
    elif existing.read_text(encoding="utf-8") != text:
        fail(f"{existing} is out of date; run: c360 dictionary > {existing}")


@click.command()
@click.option("--parties", default=10_000, show_default=True, type=click.IntRange(100))
@click.pass_obj
def demo(options: Options, parties: int) -> None:
    """Three nights of the sample bank, from generated exports to a release, and what came out."""
    from pipelines.cli.nights import run_dates
    from pipelines.demo import print_result
    from sources.sample import generate

    home = options.home
    marker = home / ".demo"
    if home.exists() and not marker.exists() and any(home.iterdir()):
        raise click.UsageError(f"{home} is not a demo's home; name another with --home, the demo empties it")
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    marker.touch()
    options.exports = home / "exports"
    first = dt.date(2026, 10, 29)
    out.print(
        f"generating {parties} party records of three systems for three business dates, and 24 months before them"
    )
    generate(parties=parties, noise="default", seed=1, days=3, out=options.exports, first_date=first, months=24)
    run_dates(options.workspace, [first + dt.timedelta(days=n) for n in range(3)])
    print_result(options.workspace, out)


COMMANDS = (init, check, sample, dictionary, demo)
