"""A share's policy, resolved against the table definitions: which table and column gets which treatment.

``mistakes`` tells everything in shares.yaml that the definitions forbid, before any night; ``resolve`` is for a policy
without mistakes. The building, the leak scan and the contract read the resolved policy alone.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

import duckdb
import sqlglot
from sqlglot import exp

from models.tables import Column, Table
from warehouse.ddl import quoted
from warehouse.engine import without_values
from warehouse.shares.settings import CustomerFilter, ShareSettings, SharesSettings
from warehouse.shares.treatments import Keep, Treatment

CUSTOMERS = "mart.customer_360"
CONSENT = "customer.consent"
RESTRICTION = "customer.restriction"

# part of every policy's hash: raised when the same policy is to give another file
FORM = 1

Location = tuple[str | int, ...]


@dataclass(frozen=True)
class Mistake:
    """What is wrong in shares.yaml: where, in words, and, of a wrong name, the names that would do."""

    where: Location
    message: str
    name: str = ""
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True)
class TablePolicy:
    """One table of a share.

    Attributes:
        source: the table's definition in the release.
        shared: its definition in the share: granted columns only, as treated.
        treatments: of each granted column.
        where: predicate over the source's rows.
    """

    source: Table
    shared: Table
    treatments: Mapping[str, Treatment]
    where: str | None

    @property
    def references(self) -> tuple[str, ...]:
        """Columns of the source that name a customer, granted or not."""
        return tuple(column.name for column in self.source.columns if column.refers_to == "customer")


@dataclass(frozen=True)
class Policy:
    """A share's settings against the definitions."""

    name: str
    settings: ShareSettings
    tables: tuple[TablePolicy, ...]

    @property
    def token_share(self) -> str:
        """The share whose key makes the tokens."""
        return self.settings.tokens or self.name

    @property
    def hash(self) -> str:
        """The same as long as the policy would give the same file."""
        said = {
            "form": FORM,
            "settings": self.settings.model_dump(mode="json", exclude={"tables", "classes"}),
            "tables": [
                [t.source.id, t.where, t.shared.key, [[c.name, c.type, *_words(t, c)] for c in t.shared.columns]]
                for t in self.tables
            ],
        }
        return hashlib.sha256(json.dumps(said, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def resolve(name: str, settings: ShareSettings, tables: Mapping[str, Table]) -> Policy:
    """Resolve a share's settings; they must have no mistakes."""
    return Policy(name, settings, tuple(_table_policy(tables[id_], settings, id_) for id_ in settings.tables))


def _table_policy(source: Table, settings: ShareSettings, table_id: str) -> TablePolicy:
    said = settings.tables[table_id]
    treatments = {}
    for grant in said.columns:
        treatment = grant.treatment or settings.treatment(source.column(grant.name).pii) or Keep()
        if treatment.is_granted:
            treatments[grant.name] = treatment
    columns = tuple(treatments[name].treated(source.column(name)) for name in treatments)
    note_en, note_zh = _rows_in_words(settings.customers, said.where)
    shared = replace(source, columns=columns, en=f"{source.en}{note_en}", zh=f"{source.zh}{note_zh}")
    return TablePolicy(source, shared, treatments, said.where)


def _words(table: TablePolicy, column: Column) -> tuple[str, str, str]:
    return (column.en, column.zh, table.treatments[column.name].name)


def _rows_in_words(customers: CustomerFilter, where: str | None) -> tuple[str, str]:
    en, zh = [], []
    if customers.consent:
        en.append(f"customers who consent to {customers.consent}")
        zh.append(f"已同意用途 {customers.consent} 的客户")
    if customers.active:
        en.append("customers who hold a product")
        zh.append("持有产品的客户")
    if customers.branches:
        en.append(f"customers of branches {', '.join(customers.branches)}")
        zh.append(f"机构 {', '.join(customers.branches)} 的客户")
    for predicate in filter(None, (customers.where, where)):
        en.append(f"rows where {predicate}")
        zh.append(f"满足条件 {predicate} 的记录")
    return (f" Only {'; '.join(en)}.", f"；仅限：{'；'.join(zh)}") if en else ("", "")


def mistakes(
    settings: SharesSettings, tables: Mapping[str, Table], systems: Collection[str], purposes: Collection[str]
) -> Iterator[Mistake]:
    """Everything that the definitions forbid.

    Args:
        settings: all shares.
        tables: table definitions by id.
        systems: the systems that the bank's contracts describe.
        purposes: what customers are asked to consent to.
    """
    published = {name: table for name, table in tables.items() if table.published}
    for name, share in settings.shares.items():
        where = ("shares", name)
        yield from _token_mistakes(name, settings, (*where, "tokens"))
        yield from _customer_mistakes(share.customers, published, systems, purposes, (*where, "customers"))
        for table_id, said in share.tables.items():
            place = (*where, "tables", table_id)
            if table_id not in published:
                yield Mistake(place, f"no table {table_id!r} is published", table_id, tuple(published))
                continue
            table = published[table_id]
            yield from _column_mistakes(share, table, place)
            if said.where:
                yield from _predicate_mistakes(said.where, table, (*place, "where"))


def _token_mistakes(name: str, settings: SharesSettings, where: Location) -> Iterator[Mistake]:
    other = settings.shares[name].tokens
    if other is None:
        return
    if other not in settings.shares or other == name:
        allowed = tuple(share for share in settings.shares if share != name)
        yield Mistake(where, f"no other share {other!r} whose key could make the tokens", other, allowed)
    elif settings.shares[other].tokens:
        yield Mistake(where, f"{other!r} has no key of its own; name the share whose key it uses")


def _customer_mistakes(
    customers: CustomerFilter,
    tables: Mapping[str, Table],
    systems: Collection[str],
    purposes: Collection[str],
    where: Location,
) -> Iterator[Mistake]:
    if customers.consent and customers.consent not in purposes:
        message = f"bank.yaml has no purpose {customers.consent!r} in consent.purposes"
        yield Mistake((*where, "consent"), message, customers.consent, tuple(purposes))
    for number, branch in enumerate(customers.branches):
        system = branch.partition(":")[0]
        if system not in systems:
            place = (*where, "branches", number)
            yield Mistake(place, f"no contract describes {system!r}", system, tuple(systems))
    if customers.where:
        yield from _predicate_mistakes(customers.where, tables[CUSTOMERS], (*where, "where"))


def _column_mistakes(share: ShareSettings, table: Table, where: Location) -> Iterator[Mistake]:
    known = {column.name: column for column in table.columns}
    names = [grant.name for grant in share.tables[table.id].columns]
    for number, grant in enumerate(share.tables[table.id].columns):
        place = (*where, "columns", number)
        if grant.name not in known:
            yield Mistake(place, f"{table.id} has no column {grant.name!r}", grant.name, tuple(known))
            continue
        if grant.name in names[:number]:
            yield Mistake(place, f"{grant.name} is listed twice")
        if message := _grant_mistake(share, table, known[grant.name], grant.treatment):
            yield Mistake(place, f"{grant.name} {message}")
    missing = [name for name in table.key if name not in names]
    if missing:
        yield Mistake((*where, "columns"), f"the key of {table.id} is incomplete without {', '.join(missing)}")


def _grant_mistake(share: ShareSettings, table: Table, column: Column, said: Treatment | None) -> str | None:
    """What is wrong with one column's grant, in words that follow its name."""
    treatment = said or share.treatment(column.pii)
    if treatment is not None and not treatment.is_granted and column.name not in table.key:
        return None
    if column.pii == "C3":
        return "is of class C3, which authenticates: it is in no share"
    if treatment is None:
        return (
            f"is of class {column.pii}: say how it is given, as in {{{column.name}: {{mask: {{first: 1}}}}}}, or 'keep'"
        )
    if column.name in table.key and not treatment.keeps_uniqueness:
        return f"is part of the key of {table.id}: keep or tokenise it, or leave out the table"
    if misfit := treatment.misfit(column, table):
        by_class = "" if said else f" (treatment of class {column.pii}; say another for this column)"
        return f"{misfit}{by_class}"
    if column.refers_to == "household" and share.customers.conditions and isinstance(treatment, Keep):
        return "may be the id of a customer whom the share leaves out: tokenise it"
    return None


def _predicate_mistakes(predicate: str, table: Table, where: Location) -> Iterator[Mistake]:
    """A predicate must be one expression over the table's own columns, true or false."""
    try:
        parsed = [tree for tree in sqlglot.parse(predicate, dialect="duckdb") if tree]
    except sqlglot.errors.SqlglotError:
        yield Mistake(where, "not a predicate that DuckDB reads")
        return
    if len(parsed) != 1 or list(parsed[0].find_all(exp.Query, exp.Table, exp.Command)):
        yield Mistake(where, "a predicate is one condition over the row's own columns, without subqueries")
        return
    known = [column.name for column in table.columns]
    unknown = sorted({column.name for column in parsed[0].find_all(exp.Column)} - set(known))
    for name in unknown:
        yield Mistake(where, f"{table.id} has no column {name!r}", name, tuple(known))
    if not unknown and (message := _binding_mistake(predicate, table)):
        yield Mistake(where, message)


def _binding_mistake(predicate: str, table: Table) -> str | None:
    columns = ", ".join(f"cast(null as {column.type}) as {quoted(column.name)}" for column in table.columns)
    with duckdb.connect(config={"enable_external_access": False}) as con:
        try:
            kind = con.execute(f"describe select ({predicate}\n) from (select {columns})").fetchall()[0][1]
        except duckdb.Error as error:
            return f"DuckDB does not take it: {without_values(str(error))}"
    return None if kind == "BOOLEAN" else f"a predicate is true or false; this gives {kind.lower()}"
