"""The lake: one Parquet file a table and business date, replaced atomically.

A partition is ``<root>/<layer>/<table>/business_date=YYYY-MM-DD/data.parquet``. A writer makes a temporary
file beside it, flushes it to disk and renames it, so a reader sees the old partition or the new one, and a
killed writer leaves only a temporary file that the next writer of that partition removes.
"""

import datetime as dt
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

PARTITION = "business_date="
FILE = "data.parquet"


class MissingPartitionError(LookupError):
    """A table has no partition for the date; the message says which and how to make it."""


class Lake:
    """Partitions of all tables below one root folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, table_id: str, business_date: dt.date) -> Path:
        """Where the partition lies or would lie; ``table_id`` is ``layer.table``."""
        return self._folder(table_id) / f"{PARTITION}{business_date.isoformat()}" / FILE

    def require(self, table_id: str, business_date: dt.date) -> Path:
        """Return the partition's path.

        Raises:
            MissingPartitionError: there is no such partition.
        """
        path = self.path(table_id, business_date)
        if not path.exists():
            raise MissingPartitionError(
                f"{table_id} has no partition for {business_date}; run the night of that date, "
                f"or materialise the asset {table_id.replace('.', '/')} for it"
            )
        return path

    def exists(self, table_id: str, business_date: dt.date) -> bool:
        """Whether the partition is there, complete."""
        return self.path(table_id, business_date).exists()

    def dates(self, table_id: str) -> list[dt.date]:
        """Business dates that the table has partitions for, ascending."""
        found = self._folder(table_id).glob(f"{PARTITION}*/{FILE}")
        return sorted(dt.date.fromisoformat(path.parent.name.removeprefix(PARTITION)) for path in found)

    def previous(self, table_id: str, business_date: dt.date) -> dt.date | None:
        """The latest partition's date before ``business_date``, or None."""
        earlier = [date for date in self.dates(table_id) if date < business_date]
        return earlier[-1] if earlier else None

    def rows(self, table_id: str, business_date: dt.date) -> int:
        """Row count of a partition, read from its footer."""
        return int(pq.read_metadata(self.require(table_id, business_date)).num_rows)

    def write(
        self,
        con: duckdb.DuckDBPyConnection,
        select: str,
        table_id: str,
        business_date: dt.date,
        params: Mapping[str, Any] | None = None,
    ) -> int:
        """Write the result of a select as the table's partition, replacing it; returns the row count.

        Row order is the select's: end it with ``order by`` where byte-identical files matter.
        """
        path = self.path(table_id, business_date)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{FILE}.tmp")
        temporary.unlink(missing_ok=True)
        con.execute(
            f"copy ({select.rstrip().rstrip(';')}\n) to '{_quoted(temporary)}' (format parquet, compression zstd)",
            dict(params) if params else None,
        ).fetchall()
        replace_durably(temporary, path)
        return self.rows(table_id, business_date)

    def _folder(self, table_id: str) -> Path:
        layer, _, name = table_id.partition(".")
        return self.root / layer / name


def replace_durably(temporary: Path, path: Path) -> None:
    """Flush a finished temporary file to disk and rename it over ``path``; survives a power cut."""
    with temporary.open("rb+") as handle:
        os.fsync(handle.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
