"""What people say for a customer of whether it consents to a purpose, beside what the sources deliver.

Here a statement of the consent log is a row, and the log a table of one row per record and statement. Which statement
counts is ``customer.consent``'s matter.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from models.identity.decisions import Record

_COLUMNS = {
    "consent_id": pa.int64(),
    "system": pa.string(),
    "record_id": pa.string(),
    "purpose": pa.string(),
    "is_granted": pa.bool_(),
    "decided_at": pa.timestamp("us"),
}


@dataclass(frozen=True)
class ConsentStatement:
    """One row of the consent log.

    Attributes:
        consent_id: Its number; 0 until it is written.
        made_at: When it was made, with time zone.
        made_by: Who wrote it down.
        records: Party records of the customer at that time; statements follow records, not ids.
        purpose: Purpose, a code of the bank's.
        is_granted: Whether consent is given; False where it is withdrawn.
        reason: Why, in words.
    """

    consent_id: int
    made_at: dt.datetime
    made_by: str
    records: tuple[Record, ...]
    purpose: str
    is_granted: bool
    reason: str


def snapshot(con: duckdb.DuckDBPyConnection, statements: Iterable[ConsentStatement]) -> None:
    """Create table ``consent_decision``: one row per statement and record; times are UTC."""
    rows = [
        (one.consent_id, *record, one.purpose, one.is_granted, one.made_at.astimezone(dt.UTC).replace(tzinfo=None))
        for one in statements
        for record in one.records
    ]
    columns = zip(*rows, strict=True) if rows else ([] for _ in _COLUMNS)
    arrays = [pa.array(list(values), kind) for values, kind in zip(columns, _COLUMNS.values(), strict=True)]
    con.register("stated", pa.table(arrays, list(_COLUMNS)))
    con.execute("create table consent_decision as from stated")
    con.unregister("stated")
