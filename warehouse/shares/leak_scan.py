"""Reading a built share back for personal data that nobody granted. Any finding blocks the share.

Looked for in every text column: Chinese resident id numbers whose check digit is right (GB 11643), card numbers that
pass Luhn (ISO/IEC 7812), mobile numbers, e-mail addresses, and names of persons among the release's customers. What a
column is there for is no finding where the policy keeps it; a card number always is one (PCI DSS). A finding names
column and count, never a value.

Tables up to ``FULL_ROWS`` rows are read whole, of larger ones a part of the rows that is the same in every run. Not
found are names of two characters inside a longer Chinese text, and what is written in other ways than these.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from models.tables import Column
from warehouse.build import Bounds, duckdb_config
from warehouse.ddl import qualified, quoted
from warehouse.shares.encryption import attach_existing
from warehouse.shares.policy import CUSTOMERS, Policy, TablePolicy
from warehouse.shares.treatments import Keep, Tokenise

FULL_ROWS = 200_000

ID_NUMBER, CARD, MOBILE, EMAIL, NAME = "id number", "card number", "mobile number", "e-mail address", "customer's name"
NO_TOKEN, NOT_GRANTED = "value that is no token", "column that is not granted"

# what a column is there for: no finding where the policy keeps it as it is
_MEANT = {
    "full_name": {NAME},
    "manager_name": {NAME},
    "counterparty_name": {NAME},
    "document_number": {ID_NUMBER},
    "mobile": {MOBILE},
    "phone": {MOBILE},
    "email": {EMAIL},
    "address_text": {NAME},  # streets and villages are called like people
    "contact_value": {MOBILE, EMAIL},
    "field_value": {NAME, ID_NUMBER, MOBILE, EMAIL},
}

# columns of long numbers, some of which look like a card or a mobile by chance: one in ten passes Luhn, and of those
# with eleven digits one in fourteen begins like a mobile; only more than that is a finding
_NUMBERS = ("_id", "_number", "_account")
_CARD_CHANCE, _MOBILE_CHANCE = 1 / 10, 1 / 14

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_MACROS = f"""
create temp macro is_luhn(number) as list_sum(list_transform(
    range(1, length(number) + 1),
    lambda place: case
        when place % 2 = 1 then cast(substr(reverse(number), place, 1) as integer)
        else [0, 2, 4, 6, 8, 1, 3, 5, 7, 9][cast(substr(reverse(number), place, 1) as integer) + 1]
    end
)) % 10 = 0;
create temp macro is_card_shaped(number) as regexp_full_match(
    number, '62[0-9]{{14,17}}|4([0-9]{{12}}|[0-9]{{15}}|[0-9]{{18}})|(5[1-5]|2[2-7]|35)[0-9]{{14}}|3[47][0-9]{{13}}'
);
create temp macro is_id_number(number) as
    regexp_full_match(
        number, '[1-8][0-9]{{5}}(19|20)[0-9]{{2}}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])[0-9]{{3}}[0-9Xx]'
    )
    and substr('10X98765432', 1 + cast(list_sum(list_transform(
        range(1, 18),
        lambda place: {list(_ID_WEIGHTS)}[place] * coalesce(try_cast(substr(number, place, 1) as integer), 0)
    )) % 11 as integer), 1) = upper(right(number, 1));
create temp macro numbers(text) as list_concat(
    list_transform(
        regexp_extract_all(text, '[0-9A-Za-z_]+'), lambda word: regexp_extract(word, '^[A-Za-z]*([0-9]+[Xx]?)$', 1)
    ),
    list_transform(
        regexp_extract_all(text, '\\b[0-9]{{4}}[ -][0-9]{{4}}[ -][0-9]{{4}}[ -][0-9]{{4}}(?:[ -][0-9]{{1,3}})?\\b'),
        lambda word: regexp_replace(word, '[ -]', '', 'g')
    )
);
create temp macro has_email(text) as
    regexp_matches(text, '[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)*\\.[A-Za-z]{{2,}}');
create temp macro is_mobile(number) as regexp_full_match(number, '(86)?1[3-9][0-9]{{9}}');
create temp macro has_international(text) as regexp_matches(text, '\\+[1-9][0-9]{{7,14}}');
"""


@dataclass(frozen=True)
class Finding:
    """What was found in one column: of which kind, and how many different values of those that were read."""

    table: str
    column: str
    kind: str
    count: int

    @property
    def line(self) -> str:
        """The finding in words, without any value."""
        return f"{self.table}.{self.column}: {self.count} x {self.kind}"


def scan(
    database: Path, release_database: Path, policy: Policy, encryption_key: str | None, bounds: Bounds
) -> tuple[Finding, ...]:
    """Read a built share for what its policy does not grant.

    Args:
        database: the share's file; nobody writes it any more.
        release_database: what it was made from, for the names of customers.
        policy: what was granted.
        encryption_key: opens the file if it is encrypted.
        bounds: memory, threads, spill folder.
    """
    with duckdb.connect(config=duckdb_config(bounds)) as con:
        attach_existing(con, database, "share", encryption_key)
        attach_existing(con, release_database, "release", None)
        con.execute(_MACROS)
        _create_names(con)
        found = list(_not_granted(con, policy))
        for table in policy.tables:
            for column in table.shared.columns:
                if column.type == "varchar" and not column.values:
                    found += _column_findings(con, table, column)
    return tuple(found)


def _not_granted(con: duckdb.DuckDBPyConnection, policy: Policy) -> Iterator[Finding]:
    """Columns that the file has and the policy does not."""
    granted = {(table.source.id, column.name) for table in policy.tables for column in table.shared.columns}
    there = con.execute(
        "select schema_name || '.' || table_name, column_name from duckdb_columns() "
        "where database_name = 'share' and schema_name <> 'meta' and not internal"
    ).fetchall()
    for table, column in sorted(set(there) - granted):
        yield Finding(table, column, NOT_GRANTED, 1)


def _create_names(con: duckdb.DuckDBPyConnection) -> None:
    """Create the names of persons, in capitals, but for those that places, branches and products have too."""
    known = {
        (schema, table): set(names)
        for schema, table, names in con.execute(
            "select schema_name, table_name, list(column_name) from duckdb_columns() "
            "where database_name = 'release' group by all"
        ).fetchall()
    }
    names = f"select upper(full_name) from release.{CUSTOMERS} where party_type = 'person' and length(full_name) >= 2"
    if not {"full_name", "party_type"} <= known.get(("mart", "customer_360"), set()):
        names = "select null::varchar where false"
    others = [
        f"select {quoted(name)} from release.{schema}.{table}"
        for schema, table, name in (
            *(("mart", "customer_360", name) for name in ("province", "city", "district", "branch_name")),
            *(("customer", "branch", name) for name in ("branch_name", "province", "city")),
        )
        if name in known.get((schema, table), set())
    ]
    places = " union all ".join(others) or "select null::varchar where false"
    con.execute(
        f"create temp table person_name as select distinct name from ({names}) as person(name) "
        f"where name not in (select upper(place) from ({places}) as known(place) where place is not null)"
    )


def _column_findings(con: duckdb.DuckDBPyConnection, table: TablePolicy, column: Column) -> Iterator[Finding]:
    treatment = table.treatments[column.name]
    con.execute(f"create or replace temp table scanned as {_values(con, table, column)}")
    if isinstance(treatment, Tokenise):
        [[count]] = con.execute(
            "select count(*) from scanned where not regexp_full_match(text, '[a-z0-9]+_[0-9a-f]{32}')"
        ).fetchall()
        if count:
            yield Finding(table.source.id, column.name, NO_TOKEN, count)
        return
    meant = _MEANT.get(column.name, set()) if isinstance(treatment, Keep) else set()
    for kind, count in _counts(con, is_number=column.name.endswith(_NUMBERS)).items():
        if count and kind not in meant:
            yield Finding(table.source.id, column.name, kind, count)


def _values(con: duckdb.DuckDBPyConnection, table: TablePolicy, column: Column) -> str:
    name, value = qualified(table.shared, "share"), quoted(column.name)
    [[rows]] = con.execute(f"select count(*) from {name}").fetchall()
    part = f" and hash(rowid) % {rows // FULL_ROWS + 1} = 0" if rows > FULL_ROWS else ""
    return f"select distinct {value} as text from {name} where {value} is not null{part}"


def _counts(con: duckdb.DuckDBPyConnection, is_number: bool) -> dict[str, int]:
    """How many values hold each kind; of a column of numbers only where more do than chance explains."""
    [[ids, card_shaped, cards, mobile_shaped, mobiles, international, emails]] = con.execute(
        """
        with number as (select distinct text, unnest(numbers(text)) as number from scanned)
        select
            count(distinct text) filter (is_id_number(number)),
            count(distinct text) filter (is_card_shaped(number)),
            count(distinct text) filter (is_card_shaped(number) and is_luhn(regexp_replace(number, '[Xx]$', ''))),
            count(distinct text) filter (length(number) = 11),
            count(distinct text) filter (is_mobile(number)),
            (select count(*) from scanned where has_international(text)),
            (select count(*) from scanned where has_email(text))
        from number
        where number <> ''
        """
    ).fetchall()
    if is_number:
        cards = cards if _is_no_chance(cards, card_shaped, _CARD_CHANCE) else 0
        mobiles = mobiles if _is_no_chance(mobiles, mobile_shaped, _MOBILE_CHANCE) else 0
    return {ID_NUMBER: ids, CARD: cards, MOBILE: max(mobiles, international), EMAIL: emails, NAME: _names(con)}


def _is_no_chance(found: int, of: int, chance: float) -> bool:
    """Whether more were found than four standard deviations, and two, above what chance gives."""
    return found > of * chance + 4 * math.sqrt(of * chance * (1 - chance)) + 2


def _names(con: duckdb.DuckDBPyConnection) -> int:
    """Values in which a person's name stands: up to four words in a row, or three or four Chinese characters."""
    [[count]] = con.execute(
        r"""
        with words as (
            select text, regexp_extract_all(upper(text), '[\p{L}·''-]+') as words
            from scanned
        ),
        window_of as (
            select text, unnest(flatten([
                list_transform(range(1, len(words) - size + 2), lambda start:
                    array_to_string(words[start:start + size - 1], ' '))
                for size in [1, 2, 3, 4]
            ])) as part
            from words
        ),
        sentence as (
            select text, unnest(regexp_extract_all(text, '\p{Han}{4,}')) as sentence from scanned
        ),
        piece as (
            select text, unnest(flatten([
                list_transform(range(1, length(sentence) - size + 2), lambda start: substr(sentence, start, size))
                for size in [3, 4]
            ])) as part
            from sentence
        )
        select count(distinct text)
        from (select * from window_of union all select * from piece)
        where part in (select name from person_name)
        """
    ).fetchall()
    return int(count)
