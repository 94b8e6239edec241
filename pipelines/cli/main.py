"""The command group, its common options, and how errors are told."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from models.identity.matching_model import ModelArtefact
from models.model_store import ModelError
from pipelines.workspace import DEFAULT_BANK, DEFAULT_HOME, Workspace

# into a file or pipe, where there are no 80 columns to fit into, a table is as wide as it needs
_WIDTH = None if sys.stdout.isatty() else 200

out = Console(highlight=False, soft_wrap=True, width=_WIDTH)
err = Console(stderr=True, highlight=False, soft_wrap=True)

DATE = click.DateTime(["%Y-%m-%d"])

# What a caller can mend: told in words, without a traceback.
CALLER_ERRORS: tuple[type[Exception], ...] = ()


@dataclass
class Options:
    """The common options; the workspace is opened when a command first asks for it."""

    bank: str
    home: Path
    exports: Path | None
    _workspace: Workspace | None = None

    @property
    def workspace(self) -> Workspace:
        """The workspace of the options; a bank with mistakes ends the command with exit code 2."""
        from pipelines.bank import BankError

        if self._workspace is None:
            try:
                self._workspace = Workspace.open(self.bank, self.home, self.exports)
            except BankError as error:
                raise click.UsageError(f"the bank has mistakes; nothing was done\n{error}") from None
        return self._workspace


class Group(click.Group):
    """A group whose common options may stand before or after the command."""

    COMMON = ("--bank", "--home", "--exports")

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Move the common options to the front: ``c360 run --bank berka`` is ``c360 --bank berka run``."""
        front: list[str] = []
        rest: list[str] = []
        words = iter(args)
        for word in words:
            name, equals, _ = word.partition("=")
            if word == "--":
                rest.extend([word, *words])
            elif name in self.COMMON:
                front.append(word)
                if not equals:
                    front.extend([value] if (value := next(words, None)) is not None else [])
            else:
                rest.append(word)
        return super().parse_args(ctx, front + rest)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--bank", envvar="C360_BANK", default=DEFAULT_BANK, show_default=True, help="Name or folder of the bank.")
@click.option(
    "--home",
    envvar="C360_HOME",
    default=DEFAULT_HOME,
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of lake, releases and run history.",
)
@click.option(
    "--exports",
    envvar="C360_EXPORTS",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the systems' exports, instead of bank.yaml's.",
)
@click.version_option(package_name="customer-360", prog_name="c360")
@click.pass_context
def cli(ctx: click.Context, bank: str, home: Path, exports: Path | None) -> None:
    """Customer-360: from the exports of separate systems to one warehouse of unified customers."""
    ctx.obj = Options(bank, home, exports)


def main() -> None:
    """Entry point of ``c360``."""
    _add_commands()
    cli()


def _add_commands() -> None:
    from pipelines.cli import (
        audit,
        banks,
        data,
        diff,
        models,
        nights,
        quarantine,
        releases,
        reports,
        rights,
        shares,
        stewards,
        why,
    )

    for module in (
        banks,
        nights,
        models,
        releases,
        diff,
        shares,
        reports,
        data,
        stewards,
        quarantine,
        why,
        rights,
        audit,
    ):
        for command in module.COMMANDS:
            cli.add_command(command)


def check_model(workspace: Workspace) -> ModelArtefact | None:
    """The matching model in force; a model that is missing or was changed ends the command with exit code 2."""
    try:
        return workspace.model_in_force()
    except ModelError as error:
        raise click.UsageError(str(error)) from None


def check_fitted_models(workspace: Workspace) -> dict[str, str]:
    """What each kind of model of value is judged by; a model that is missing or was changed ends with exit code 2."""
    try:
        return {kind: model.id if model else "none" for kind, model in workspace.fitted_models().items()}
    except ModelError as error:
        raise click.UsageError(str(error)) from None


def fail(message: str, code: int = 1) -> None:
    """Print an error and leave with an exit code."""
    err.print(f"[red]error:[/red] {message}", markup=True)
    sys.exit(code)


def with_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Pass the common options as the first argument."""
    return click.pass_obj(function)
