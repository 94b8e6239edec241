"""Fingerprints of tables: the same content gives the same fingerprint, whatever the order of its rows.

A table's fingerprint is its row count and the exact sum of a 64-bit hash of each row, under its column names and
types. It tells "changed" from "unchanged" and "as written" from "damaged"; it is no defence against forgery. DuckDB
does not promise the same hash in every version, so fingerprints compare only within one version of the engine.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from models.tables import Column


@dataclass(frozen=True)
class Fingerprint:
    """Row count of a table and the hash (hexadecimal, 64 digits) of its columns and rows."""

    rows: int
    content_hash: str


def fingerprint(con: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[Column]) -> Fingerprint:
    """Fingerprint a relation, its values read as the columns' declared types.

    Args:
        con: a connection that can read the relation.
        relation: what stands after ``from``: a table name or a table function.
        columns: the columns to take, in the order that counts.
    """
    values = ", ".join(f'cast("{column.name}" as {column.type})' for column in columns)
    # hugeint: a sum of 64-bit hashes must neither overflow nor round
    rows, total = con.execute(
        f"select count(*), coalesce(sum(cast(hash({values}) as hugeint)), 0) from {relation}"
    ).fetchall()[0]
    form = [[column.name, column.type] for column in columns]
    return Fingerprint(int(rows), _digest([form, int(rows), str(total)]))


def combine(fingerprints: Mapping[str, Fingerprint]) -> str:
    """One hash for many tables, keyed by table name; the order of the mapping does not matter."""
    return _digest(sorted((name, one.rows, one.content_hash) for name, one in fingerprints.items()))


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()
