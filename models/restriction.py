"""Requests to be forgotten that wait: a row of the log, and the log as a table.

When each may be granted is ``customer.restriction``'s matter.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from models.identity.decisions import Record

_COLUMNS = {
    "restriction_id": pa.int64(),
    "system": pa.string(),
    "record_id": pa.string(),
    "restricted_from": pa.date32(),
}


@dataclass(frozen=True)
class RestrictionRequest:
    """One row of the log of restrictions.

    Attributes:
        restriction_id: Its number; 0 until it is written.
        made_at: When it was made, with time zone.
        made_by: Who wrote it down.
        records: Party records of the customer at that time; the request follows records, not ids.
        reason: Why, in words.
    """

    restriction_id: int
    made_at: dt.datetime
    made_by: str
    records: tuple[Record, ...]
    reason: str


def snapshot(con: duckdb.DuckDBPyConnection, requests: Iterable[RestrictionRequest]) -> None:
    """Create table ``restriction_request``: one row per request and record; dates are UTC's."""
    rows = [
        (one.restriction_id, *record, one.made_at.astimezone(dt.UTC).date())
        for one in requests
        for record in one.records
    ]
    columns = zip(*rows, strict=True) if rows else ([] for _ in _COLUMNS)
    arrays = [pa.array(list(values), kind) for values, kind in zip(columns, _COLUMNS.values(), strict=True)]
    con.register("requested", pa.table(arrays, list(_COLUMNS)))
    con.execute("create table restriction_request as from requested")
    con.unregister("requested")
