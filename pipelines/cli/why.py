"""Commands that explain customers: why, show. What is found out, and in which words, lives in models.identity."""

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
import duckdb
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from models.identity.words import Words, languages, load_words
from pipelines.cli.data import open_current
from pipelines.cli.main import DATE, Options, fail, out
from warehouse.lake import MissingPartitionError

if TYPE_CHECKING:
    from models.identity.customer_history import Meant
    from models.identity.explain_text import Block
    from models.identity.matching_model import ModelArtefact

# The evidence that every night leaves; whatever else of layer identity is there is read as well.
_EVIDENCE = (
    *(f"identity.{name}" for name in ("party_standard", "party_name", "party_document", "party_contact")),
    *(f"identity.{name}" for name in ("party_node", "node_pair", "refused_merge")),
    *("customer.customer_record", "customer.customer_record_history"),
    *("customer.customer_event", "customer.retired_customer"),
)
# What records say as their sources write it, shown beside what was read from it.
_WRITTEN = ("staging.party", "staging.party_document", "staging.party_contact", "staging.party_address")

_language = click.option(
    "--lang", type=click.Choice(languages()), default="en", show_default=True, help="Language of the words."
)


@dataclass(frozen=True)
class _Night:
    """The evidence of the night that made the current release, and the release itself."""

    evidence: duckdb.DuckDBPyConnection
    release: duckdb.DuckDBPyConnection
    model: "ModelArtefact"


@click.command()
@click.argument("left", metavar="A")
@click.argument("right", metavar="B")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@_language
@click.pass_obj
def why(options: Options, left: str, right: str, form: str, lang: str) -> None:
    """Why A and B are one customer, or are not: each a party record (SYSTEM:RECORD_ID) or a customer id."""
    from models.identity.explain import explain
    from models.identity.explain_text import pair_blocks, sentence

    with _night(options) as night:
        told = explain(night.evidence, options.workspace.bank.matching, night.model, left, right)
    words = load_words(lang)
    if form == "json":
        out.print_json(json.dumps({"sentence": sentence(words, told), **dataclasses.asdict(told)}, default=str))
    else:
        _print(pair_blocks(words, told))


@click.command()
@click.argument("who")
@click.option("--on", type=DATE, help="Who WHO was on that business date.")
@_language
@click.pass_obj
def show(options: Options, who: str, on: dt.datetime | None, lang: str) -> None:
    """Show one customer: WHO is a customer id, living or retired, or a party record as SYSTEM:RECORD_ID."""
    from models.identity.customer_history import find_customer
    from models.identity.explain_customer import construct
    from models.identity.explain_text import construction_blocks

    words, day = load_words(lang), on.date() if on else None
    with _night(options) as night:
        [(released,)] = night.release.execute("select business_date from meta.release").fetchall()
        if day and day > released:
            raise click.UsageError(f"--on {day} is after the current release, which is of {released}")
        meant = find_customer(night.release, who, day)
        for line in _story(meant, words, day):
            out.print(escape(line))
        if day:
            _section(night.release, "party records on that date", meant.customer_id, day)
        customer_id = meant.living_customer_id
        if customer_id is None:
            return
        [customer] = _rows(night.release, "select * from customer.customer where customer_id = ?", customer_id)
        built = construct(night.evidence, options.workspace.bank.matching, night.model, customer_id)
        out.print(f"[bold]customer {customer_id}[/bold]")
        for name, value in customer.items():
            if value is not None and name != "customer_id":
                out.print(f"  {name:<22} {escape(str(value))}")
        _section(night.release, "party records", customer_id)
        _print(construction_blocks(words, built))
        for title in list(_SECTIONS)[2:]:
            _section(night.release, title, customer_id)


def _story(meant: "Meant", words: Words, on: dt.date | None) -> Iterator[str]:
    """What became of a reference that does not simply name a living customer."""
    said = {
        "asked": meant.asked,
        "customer": meant.customer_id,
        "living": meant.living_customer_id,
        **{"first": meant.valid_from, "end": meant.valid_to, "retired": meant.retired_date},
    }
    if meant.valid_to:
        yield words.say("belonged_until" if on else "deleted_since", **said)
    elif meant.valid_from and on:
        yield words.say("belongs_since", **said)
    if meant.resolution:
        yield words.say(f"retired_{meant.resolution}", **said)


@contextmanager
def _night(options: Options) -> Iterator[_Night]:
    """Open the current release and the lake's partitions of its date.

    What cannot be found or was asked wrongly ends the command with exit code 2, a night that the lake no longer
    holds with exit code 1.
    """
    from models.identity.customer_history import NotFoundError

    workspace = options.workspace
    with open_current(options) as release:
        date, version = release.execute("select business_date, model_version from meta.release").fetchall()[0]
        more = (table_id for table_id in workspace.tables if table_id.startswith("identity.") or table_id in _WRITTEN)
        wanted = {*_EVIDENCE, *(table_id for table_id in more if workspace.lake.exists(table_id, date))}
        try:
            with workspace.engine.connection(date, sorted(wanted)) as evidence:
                yield _Night(evidence, release, workspace.models.load(version))
        except MissingPartitionError as error:
            fail(f"the lake does not hold the evidence of this release: {error}")
        except (NotFoundError, ValueError) as error:
            raise click.UsageError(str(error)) from None


def _print(blocks: "Iterator[Block]") -> None:
    from models.identity.explain_text import Grid

    for number, block in enumerate(blocks):
        if block.title is not None:
            out.print(f"\n[bold]{escape(block.title)}[/bold]")
        elif number:
            out.print()
        if isinstance(block, Grid):
            table = Table(box=None, padding=(0, 1), pad_edge=True, show_edge=False)
            for place, name in enumerate(block.header):
                table.add_column(name, justify="right" if place in block.numbers else "left", overflow="fold")
            for row in block.rows:
                table.add_row(*map(escape, row))
            out.print(table, soft_wrap=False)
        else:
            for line in block.lines:
                indent = len(line) - len(line.lstrip()) + (2 if block.title is not None else 0)
                out.print(Padding(Text(line.strip()), (0, 0, 0, indent), expand=False), soft_wrap=False)


_SECTIONS = {
    "party records on that date": """
        select system, record_id, valid_from, valid_to from customer.customer_record_history
        where customer_id = $1 and valid_from <= $2 and (valid_to is null or $2 < valid_to)
        order by system, record_id""",
    "party records": """
        select system, record_id, link_reason, round(match_weight, 1) as match_weight
        from customer.customer_record where customer_id = ? order by system, record_id""",
    "where each field comes from": """
        select field, field_value, system, record_id,
            (select count(*) from customer.customer_field as other
             where other.customer_id = field.customer_id and other.field = field.field) - 1 as other_candidates,
            decisive_criterion
        from customer.customer_field as field where customer_id = ? and field_rank = 1 order by field""",
    "accounts": """
        select system, account_id, product_family, currency_code, balance_amount, status_code
        from customer.account where customer_id = ? order by all""",
    "cards": """
        select system, card_id, product_family, currency_code, balance_amount, status_code
        from customer.card where customer_id = ? order by all""",
    "loans": """
        select system, loan_id, product_family, currency_code, outstanding_amount, days_past_due
        from customer.loan where customer_id = ? order by all""",
    "other roles": """
        select role, product_type, product_system, product_id from customer.party_role
        where customer_id = ? and role not in ('owner', 'cardholder', 'borrower') order by all""",
    "relationships": """
        select relationship, related_customer_id, customer.full_name, strength, evidence, since_date, until_date
        from customer.relationship
        inner join customer.customer on customer.customer_id = related_customer_id
        where relationship.customer_id = ? order by all""",
    "events": """
        select business_date, event, related_customer_id, cause from customer.customer_event
        where customer_id = ? order by all""",
}


def _rows(con: duckdb.DuckDBPyConnection, query: str, *params: object) -> list[dict[str, Any]]:
    result = con.execute(query, list(params))
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _section(con: duckdb.DuckDBPyConnection, title: str, *params: object) -> None:
    """Print a section, if the release knows of it and there is anything to tell."""
    try:
        found = _rows(con, _SECTIONS[title], *params)
    except (duckdb.CatalogException, duckdb.BinderException):  # published by an earlier version, without it
        return
    if found:
        table = Table(*found[0], box=None, title=title, title_justify="left")
        for row in found:
            table.add_row(*("" if value is None else escape(str(value)) for value in row.values()))
        out.print(table)


COMMANDS = (why, show)
