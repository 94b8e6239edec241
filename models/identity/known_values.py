"""Values that an earlier night has worked out, so that none is worked out twice.

Here lives how a step takes known results over and what makes them void. Here does not live where they are kept
between nights (``warehouse/value_cache.py``): results come in and go out as tables of the connection. A result may
be remembered only if it depends on its value, the settings and the rules alone, never on other records.
"""

import hashlib
import platform
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path

import duckdb

from models.identity.standardise_settings import StandardiseSettings

KNOWN = "std_known"
"""Schema of results of earlier nights: one relation a kind of result, each row a value and what was found for it."""
SEEN = "std_seen"
"""Schema of the same for all values of this night, for the night that comes."""

_LIBRARIES = ("duckdb", "opencc", "phonenumbers", "pypinyin", "python-stdnum")


def remember(
    con: duckdb.DuckDBPyConnection, kind: str, table: str, values_sql: str, compute: Callable[[str], None]
) -> None:
    """Create ``table`` for distinct values, computing only those that ``std_known.<kind>`` does not hold.

    ``std_seen.<kind>`` becomes a copy of the table.

    Args:
        con: Connection that owns the tables; ``std_known.<kind>``, if there is one, has the table's columns.
        kind: Name of what is found.
        table: Name of the table to create, with its schema.
        values_sql: Query whose rows are distinct values without NULLs.
        compute: Creates ``table`` for such a query: its columns, and what is found.
    """
    if _is_known(con, kind):
        keys = ", ".join(column for column, *_ in con.execute(f"describe {values_sql}").fetchall())
        con.execute(f"create or replace table {table}_value as {values_sql}")
        con.execute(
            f"create or replace table {table}_known as "
            f"select known.* from {KNOWN}.{kind} as known semi join {table}_value using ({keys})"
        )
        compute(f"select * from {table}_value anti join {table}_known using ({keys})")
        con.execute(f"insert into {table} by name from {table}_known")
        con.execute(f"drop table {table}_known")
        con.execute(f"drop table {table}_value")
    else:
        compute(values_sql)
    con.execute(f"create schema if not exists {SEEN}")
    con.execute(f"create or replace table {SEEN}.{kind} as from {table}")


def rules_version(settings: StandardiseSettings) -> str:
    """Return a word that changes with everything but the value that a remembered result depends on.

    That is the settings, the code and word lists of this room, the libraries and Python's Unicode tables. More than
    is needed may change it: then one night works everything out again.
    """
    return hashlib.sha256(f"{_code_version()} {settings.model_dump_json()}".encode()).hexdigest()[:16]


def _is_known(con: duckdb.DuckDBPyConnection, kind: str) -> bool:
    found = "select 1 from information_schema.tables where table_schema = $1 and table_name = $2"
    return bool(con.execute(found, [KNOWN, kind]).fetchall())


@cache
def _code_version() -> str:
    room = Path(__file__).parent
    files = sorted([*room.glob("*.py"), *room.glob("languages/*")])
    code = hashlib.sha256(b"".join(path.read_bytes() for path in files if path.is_file()))
    return " ".join((code.hexdigest(), platform.python_version(), *map(version, _LIBRARIES)))
