"""Writing one share's DuckDB file from a release: rows filtered, columns treated, said so in comments and schema meta.

The file holds what the policy grants and nothing else: no key, no view back to the release, no order of the rows that
a treatment was to hide (rows are sorted by the treated key). All work is done by DuckDB, table by table. Where the file
belongs and whether it may be read is ``warehouse.shares.store``'s matter.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import duckdb

from models.tables import Table, load_tables
from warehouse.build import Bounds, duckdb_config
from warehouse.ddl import comments, create_table, literal, qualified, quoted
from warehouse.engine import without_values
from warehouse.release import Release
from warehouse.shares.encryption import attach_existing, attach_new
from warehouse.shares.keys import ShareKeys
from warehouse.shares.policy import CONSENT, CUSTOMERS, RESTRICTION, Policy, TablePolicy
from warehouse.shares.tokens import define_tokens
from warehouse.shares.treatments import TOKEN_FUNCTION, Tokenise

META = Path(__file__).parent / "meta"

_RELEASE = "release"
_SHARE = "share"
# customers of the share with their tokens: made once, as a token takes DuckDB some ten times as long as a join
_CUSTOMERS = "temp.main.share_customer"
_RESTRICTED = "temp.main.restricted_customer"


class ShareError(RuntimeError):
    """A share cannot be written or read; the message says why and what to do, without any value of the data."""


def build_share(
    path: Path, release: Release, policy: Policy, keys: ShareKeys, built_at: dt.datetime, bounds: Bounds
) -> dict[str, int]:
    """Write a share's file; returns the row count of each table.

    Args:
        path: the file; must not exist.
        release: what it is made from; its database is opened read-only.
        policy: what it may hold.
        keys: with an encryption key the file is encrypted.
        built_at: time of writing, UTC.
        bounds: memory, threads, spill folder.

    Raises:
        ShareError: the release lacks a table or column of the policy, or DuckDB could not do it.
    """
    rows = {}
    with duckdb.connect(config=duckdb_config(bounds)) as con:
        con.execute("set TimeZone = 'UTC'")
        attach_new(con, path, _SHARE, keys.encryption_key)
        attach_existing(con, release.database, _RELEASE, None)
        define_tokens(con, keys)
        step = policy.name
        try:
            _create_customers(con, policy)
            for table in policy.tables:
                step = table.source.id
                rows[step] = _write_table(con, table, policy)
            step = "meta"
            _write_meta(con, release, policy, keys, built_at, rows)
        except duckdb.Error as error:  # DuckDB quotes the value that it stumbled over
            told = f"{type(error).__name__}: {without_values(str(error))}"
            raise ShareError(f"share {policy.name} of release {release.id}: {step}: {told}") from None
        con.execute(f"detach {_SHARE}")  # writes the last of the log into the file
    return rows


def meta_tables() -> dict[str, Table]:
    """Definitions of the tables of a share's schema meta."""
    return load_tables(META)


def _create_customers(con: duckdb.DuckDBPyConnection, policy: Policy) -> None:
    """Create the table of the customers whom the share may show, each with its token."""
    said = policy.settings.customers
    conditions = []
    if said.consent:
        conditions.append(
            f"customer_id in (select customer_id from {_RELEASE}.{CONSENT} "
            f"where purpose = {literal(said.consent)} and is_granted)"
        )
    if said.active:
        conditions.append("product_count > 0")
    if said.branches:
        listed = ", ".join(literal(branch) for branch in said.branches)
        conditions.append(f"concat(branch_system, ':', branch_id) in ({listed})")
    if said.where:
        conditions.append(f"({said.where}\n)")
    con.execute(f"create temp table restricted_customer as {_restricted(con, policy)}")
    conditions.append(f"customer_id not in (from {_RESTRICTED})")
    where = " and ".join(conditions)
    con.execute(
        f"create temp table share_customer as select customer_id, {TOKEN_FUNCTION}(customer_id) as token "
        f"from {_RELEASE}.{CUSTOMERS} where {where}"
    )


def _restricted(con: duckdb.DuckDBPyConnection, policy: Policy) -> str:
    """Select of the customers whose data is kept for duties by law alone, unless the share has one; customer_id."""
    layer, _, name = RESTRICTION.partition(".")
    [[known]] = con.execute(
        "select count(*) from duckdb_tables() where database_name = ? and schema_name = ? and table_name = ?",
        [_RELEASE, layer, name],
    ).fetchall()
    if policy.settings.customers.legal_duty or not known:  # a release from before there were any
        return "select cast(null as varchar) as customer_id where false"
    return f"select customer_id from {_RELEASE}.{RESTRICTION}"


def _write_table(con: duckdb.DuckDBPyConnection, table: TablePolicy, policy: Policy) -> int:
    con.execute(f"create schema if not exists {_SHARE}.{quoted(table.source.layer)}")
    con.execute(create_table(table.shared, _SHARE))
    columns = ", ".join(quoted(column.name) for column in table.shared.columns)
    order = ", ".join(quoted(name) for name in table.shared.key)
    [[count]] = con.execute(
        f"insert into {qualified(table.shared, _SHARE)} ({columns}) {_treated(table, policy)} order by {order}"
    ).fetchall()
    for statement in comments(table.shared, _SHARE):
        con.execute(statement)
    return int(count)


def _treated(table: TablePolicy, policy: Policy) -> str:
    """The select that gives a table's rows and columns as the share has them.

    A row is left out if a column of it names a customer whom the share may not show, or if it names none at all; where
    the share shows everyone, only rows that name a restricted customer are.
    """
    source = qualified(table.source, _RELEASE)
    if table.where:  # sees the table's own columns alone
        source = f"(select * from {source} where {table.where}\n)"
    shown = {name: quoted(f"shown as {name}") for name in table.references}
    joins = "".join(
        f" left join {_CUSTOMERS} as {alias} on {alias}.customer_id = source.{quoted(name)}"
        for name, alias in shown.items()
    )
    where = ""
    if policy.settings.customers.conditions and shown:
        named = ", ".join(f"source.{quoted(name)}" for name in shown)
        allowed = "".join(
            f" and (source.{quoted(name)} is null or {alias}.customer_id is not null)" for name, alias in shown.items()
        )
        where = f" where coalesce({named}) is not null{allowed}"
    elif shown:
        free = (f"coalesce(source.{quoted(name)} not in (from {_RESTRICTED}), true)" for name in shown)
        where = f" where {' and '.join(free)}"
    tokens = "".join(f", {alias}.token as {quoted(_token(name))}" for name, alias in shown.items())
    values = ", ".join(
        f"cast({_value(table, column.name)} as {column.type}) as {quoted(column.name)}"
        for column in table.shared.columns
    )
    return f"select {values} from (select source.*{tokens} from {source} as source{joins}{where})"


def _value(table: TablePolicy, name: str) -> str:
    treatment = table.treatments[name]
    value = treatment.sql(table.source.column(name))
    if isinstance(treatment, Tokenise) and name in table.references:
        return f"coalesce({quoted(_token(name))}, {value})"  # of an id that lives no more there is no token at hand
    return value


def _token(name: str) -> str:
    return f"token of {name}"


def _write_meta(
    con: duckdb.DuckDBPyConnection,
    release: Release,
    policy: Policy,
    keys: ShareKeys,
    built_at: dt.datetime,
    rows: dict[str, int],
) -> None:
    meta = meta_tables()
    said = policy.settings
    share = (
        policy.name,
        said.title.en,
        said.title.zh,
        said.owner,
        said.purpose.en,
        said.purpose.zh,
        release.id,
        release.business_date,
        built_at.astimezone(dt.UTC).replace(tzinfo=None),
        policy.hash,
        keys.key_id,
        keys.encryption_key is not None,
        duckdb.__version__,
    )
    con.execute(f"create schema {_SHARE}.meta")
    tables = [table.shared for table in policy.tables]
    _fill(con, meta["meta.share"], [share])
    _fill(con, meta["meta.tables"], ((t.id, rows[t.id], ", ".join(t.key), t.en, t.zh) for t in tables))
    _fill(con, meta["meta.columns"], (row for table in policy.tables for row in _column_rows(table)))


def _column_rows(table: TablePolicy) -> Iterator[tuple[object, ...]]:
    for position, column in enumerate(table.shared.columns, start=1):
        yield (
            table.source.id,
            column.name,
            position,
            column.type,
            column.unit,
            column.required,
            column.name in table.shared.key,
            column.pii,
            table.treatments[column.name].name,
            column.en,
            column.zh,
        )


def _fill(con: duckdb.DuckDBPyConnection, table: Table, rows: Iterable[Sequence[object]]) -> None:
    con.execute(create_table(table, _SHARE))
    places = ", ".join("?" for _ in table.columns)
    con.executemany(f"insert into {qualified(table, _SHARE)} values ({places})", [list(row) for row in rows])
    for statement in comments(table, _SHARE):
        con.execute(statement)
