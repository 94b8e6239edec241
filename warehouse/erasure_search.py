"""Searching every file of a home for texts: the proof that nothing of somebody is left, or what is shared with others.

Parquet files and DuckDB databases are read column by column, since their bytes are compressed; every other file is
searched as bytes, in the encodings that systems deliver in and as JSON escapes (``Texts``). A search
tells files and counts, never what was found.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from warehouse.ddl import literal, quoted
from warehouse.erasure import columns_of, parquet_relation
from warehouse.erasure_texts import Texts


@dataclass(frozen=True)
class Hit:
    """Where something was found: file, table in it (empty for plain files), rows (occurrences in plain files)."""

    file: Path
    table: str
    count: int


def found_in(con: duckdb.DuckDBPyConnection, relation: str, where: str, texts: Texts) -> set[str]:
    """Which of the texts stand in any cell of the relation's rows."""
    cells = _cells(columns_of(con, relation))
    if not texts or not cells:
        return set()
    rows = con.execute(
        f"select distinct unnest(regexp_extract_all({cells}, $pattern)) from {relation} where {where}",
        {"pattern": texts.pattern},
    ).fetchall()
    return {text for (found,) in rows for text in texts.texts if text in found}


def count_in(con: duckdb.DuckDBPyConnection, relation: str, texts: Texts) -> int:
    """How many rows of a relation hold any of the texts, in cells of text or of bytes."""
    columns = columns_of(con, relation)
    cells, count = _cells(columns), 0
    if texts and cells:
        [(count,)] = con.execute(
            f"select count(*) from {relation} where regexp_matches({cells}, $pattern)", {"pattern": texts.pattern}
        ).fetchall()
    for name in (name for name, kind in columns.items() if kind == "BLOB"):
        found = con.execute(f"select {quoted(name)} from {relation}")
        while rows := found.fetchmany(10_000):
            count += sum(bool(raw and texts.count_in(raw)) for (raw,) in rows)
    return int(count)


def search(files: Iterable[Path], texts: Texts, keys: Sequence[str] = ()) -> Iterator[Hit]:
    """Search files; yields where anything was found.

    Args:
        files: what to search; anything may lie there.
        texts: what for.
        keys: encryption keys that open encrypted databases.

    Raises:
        duckdb.Error: a database cannot be opened with any of the keys.
    """
    with duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False}) as con:
        for path in files:
            if path.suffix == ".parquet":
                if count := count_in(con, parquet_relation(path), texts):
                    yield Hit(path, "", count)
            elif path.suffix == ".duckdb":
                yield from _search_database(con, path, texts, keys)
            elif count := texts.count_in(path.read_bytes()):
                yield Hit(path, "", count)


def _search_database(con: duckdb.DuckDBPyConnection, path: Path, texts: Texts, keys: Sequence[str]) -> Iterator[Hit]:
    _attach(con, path, keys)
    try:
        for schema, name in con.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = 'searched' order by 1, 2"
        ).fetchall():
            if count := count_in(con, f"searched.{quoted(schema)}.{quoted(name)}", texts):
                yield Hit(path, f"{schema}.{name}", count)
    finally:
        con.execute("detach searched")


def _attach(con: duckdb.DuckDBPyConnection, path: Path, keys: Sequence[str]) -> None:
    options = ["read_only", *(f"read_only, encryption_key {literal(key)}" for key in keys)]
    for number, option in enumerate(options, 1):
        try:
            con.execute(f"attach {literal(str(path))} as searched ({option})")
            return
        except duckdb.Error:
            if number == len(options):
                raise


def _cells(columns: dict[str, str]) -> str:
    """All cells of a row that can hold text, as one text; empty if there are none."""
    texts = [
        f"cast({quoted(name)} as varchar)"
        for name, kind in columns.items()
        if any(word in kind for word in ("VARCHAR", "JSON", "ENUM"))
    ]
    return f"concat_ws(chr(10), {', '.join(texts)})" if texts else ""
