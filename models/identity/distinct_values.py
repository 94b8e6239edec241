"""Library calls over distinct values: out of DuckDB, through a Python function, back into a table.

Here lives the passage between SQL and the libraries that know a language or a number format. Here does not
live any rule about names, documents, contacts or addresses.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache

import duckdb
import opencc
import pyarrow as pa

from models.identity.languages import Lexicon

WORK = "std_work"
"""Schema of the tables that live only while one standardisation runs."""


def quoted(text: str) -> str:
    """Return the text as a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def sql_list(words: Iterable[str]) -> str:
    """Return the words as a SQL list for ``in``; an empty one matches nothing."""
    # Comparing with an empty list must give false, which a list of NULL would not.
    return f"({', '.join(quoted(word) for word in words) or 'select null::varchar where false'})"


def alternation(words: Sequence[str]) -> str:
    """Return a regular expression group (not capturing) that matches any of the words, or nothing at all.

    Words are tried in their order, so pass longer ones first. Without words the group can never match. It may
    stand inside a SQL string literal, whatever the words hold.
    """
    escaped = "|".join(re.escape(word).replace("'", r"\x27") for word in words)
    return f"(?:{escaped})" if words else r"(?:[^\s\S])"


def map_distinct(
    con: duckdb.DuckDBPyConnection,
    table: str,
    values_sql: str,
    function: Callable[..., Mapping[str, Sequence[str | None] | pa.Array]],
) -> None:
    """Create ``table`` from the rows of a query and the columns that a function finds for them.

    Args:
        con: Connection that owns the tables.
        table: Name of the table to create, with its schema.
        values_sql: Query whose rows are distinct; its columns go to the function as lists, in order.
        function: Takes one list a column and returns new columns by name, each as long as the lists: text, or an
            Arrow array of another type.
    """
    values = con.sql(values_sql).to_arrow_table()
    found = function(*(column.to_pylist() for column in values.columns))
    for name, column in found.items():
        values = values.append_column(name, column if isinstance(column, pa.Array) else pa.array(column, pa.string()))
    con.register("std_incoming", values)
    try:
        con.execute(f"create or replace table {table} as select * from std_incoming")
    finally:
        con.unregister("std_incoming")


def clean_texts(con: duckdb.DuckDBPyConnection, table: str, values_sql: str, lexicon: Lexicon) -> None:
    """Create ``table`` (raw, text): each distinct text in one spelling of its characters.

    Control and format characters go, white space becomes single blanks, compatibility forms (full-width digits,
    ligatures) become plain ones (NFKC), traditional characters become simplified ones where a language says
    so. Texts of which nothing is left are not in the table.

    Args:
        con: Connection that owns the tables.
        table: Name of the table to create, with its schema.
        values_sql: Query with one text column; NULLs and repetitions are allowed.
        lexicon: Words of the bank's languages, for their OpenCC conversions.
    """
    con.execute(
        f"""
        create or replace table {table}_raw as
        with value as (select distinct raw from ({values_sql}) as given(raw) where raw is not null)
        select
            raw,
            regexp_matches(raw, {quoted(_not_plain(lexicon.conversions))}) or raw <> trim(raw) or contains(raw, '  ')
                as is_special
        from value
        """
    )
    map_distinct(
        con,
        f"{table}_special",
        f"select raw from {table}_raw where is_special",
        lambda texts: {"text": plain_texts(texts, lexicon.conversions)},
    )
    con.execute(
        f"""
        create or replace table {table} as
        select raw, raw as text from {table}_raw where not is_special and raw <> ''
        union all
        select raw, text from {table}_special where text <> ''
        """
    )
    con.execute(f"drop table {table}_raw")
    con.execute(f"drop table {table}_special")


def keep_only(con: duckdb.DuckDBPyConnection, *tables: str) -> None:
    """Drop every table of the scratch schema but these (names without the schema), to free their memory."""
    present = con.execute("select table_name from duckdb_tables() where schema_name = $1", [WORK]).fetchall()
    for (table,) in present:
        if table not in tables:
            con.execute(f"drop table {WORK}.{table}")


def plain_texts(texts: Sequence[str], conversions: Sequence[str]) -> list[str]:
    """Return the texts as ``clean_texts`` spells them, in order."""
    if not texts:
        return []
    joined = unicodedata.normalize("NFKC", "\n".join(_INVISIBLE.sub(_blank_for_control, text) for text in texts))
    for conversion in conversions:
        joined = _converter(conversion).convert(joined)
    return [" ".join(text.split()) for text in joined.split("\n")]


def _blank_for_control(found: re.Match[str]) -> str:
    return "" if unicodedata.category(found[0]) == "Cf" else " "


# Control characters and the format characters that occur in text; surrogates cannot reach DuckDB.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)


@cache
def _converter(conversion: str) -> opencc.OpenCC:
    return opencc.OpenCC(conversion)


@cache
def _not_plain(conversions: tuple[str, ...]) -> str:
    """A class of every character but printable ASCII and the CJK characters that no conversion changes."""
    every = [chr(code) for code in range(0x4E00, 0xA000)]
    kept = set(every)
    for conversion in conversions:
        converted = _converter(conversion).convert("\n".join(every)).split("\n")
        kept -= {before for before, after in zip(every, converted, strict=True) if before != after}
    return f"[^ -~{''.join(sorted(kept))}]"
