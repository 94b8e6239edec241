"""The lake: one Parquet file a table and business date, replaced atomically.

A partition is ``<root>/<layer>/<table>/business_date=YYYY-MM-DD/data.parquet``. A writer makes a temporary
file beside it, flushes it to disk and renames it, so a reader sees the old partition or the new one, and a
killed writer leaves only a temporary file that the next writer of that partition removes.

Beside it lies ``data.parquet.sha256``, the SHA-256 of its bytes. Who reads a partition through ``require`` reads what
was written, or is told which file is damaged; a partition without a checksum, from an older version, is read as it is.
"""

import datetime as dt
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

PARTITION = "business_date="
FILE = "data.parquet"
CHECKSUM = f"{FILE}.sha256"


class MissingPartitionError(LookupError):
    """A table has no partition for the date; the message says which and how to make it."""


class DamagedPartitionError(MissingPartitionError):
    """A partition is there, but its bytes are not those that were written; says which file and how it is made anew.

    Attributes:
        table_id: ``layer.table``.
        business_date: the partition's date.
        path: the file.
    """

    def __init__(self, table_id: str, business_date: dt.date, path: Path, remedy: str = "") -> None:
        remedy = remedy or f"'c360 run --date {business_date}' makes it anew, and so does the next night if it reads it"
        super().__init__(
            f"{table_id} of {business_date} is damaged: the bytes of {path} are not those that were written; {remedy}"
        )
        self.table_id = table_id
        self.business_date = business_date
        self.path = path


class Lake:
    """Partitions of all tables below one root folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        # what was verified by this process, as the file was then: each is hashed once, however often it is read
        self._verified: dict[Path, tuple[int, ...]] = {}

    def path(self, table_id: str, business_date: dt.date) -> Path:
        """Where the partition lies or would lie; ``table_id`` is ``layer.table``."""
        return self._folder(table_id) / f"{PARTITION}{business_date.isoformat()}" / FILE

    def require(self, table_id: str, business_date: dt.date) -> Path:
        """Return the partition's path, its bytes verified.

        Raises:
            MissingPartitionError: there is no such partition.
            DamagedPartitionError: its bytes are not those that were written.
        """
        path = self.path(table_id, business_date)
        if not path.exists():
            raise MissingPartitionError(
                f"{table_id} has no partition for {business_date}; run the night of that date, "
                f"or materialise the asset {table_id.replace('.', '/')} for it"
            )
        stat = path.stat()
        seen = stat.st_ino, stat.st_size, stat.st_mtime_ns
        if self._verified.get(path) != seen:
            written = checksums(path)
            if written and sha256(path) not in written:
                raise DamagedPartitionError(table_id, business_date, path)
            self._verified[path] = seen
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
        try:
            con.execute(
                f"copy ({select.rstrip().rstrip(';')}\n) to '{_quoted(temporary)}' (format parquet, compression zstd)",
                dict(params) if params else None,
            ).fetchall()
            replace_partition(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)  # half a file would fill a full disk
        return int(pq.read_metadata(path).num_rows)

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


def replace_partition(temporary: Path, path: Path) -> None:
    """``replace_durably`` for a partition of the lake: its checksum is kept beside it.

    The checksum comes first, beside the earlier one, and that goes last: wherever a process is killed, the file that is
    there has its checksum.
    """
    digest = sha256(temporary)
    before = checksums(path) or ([sha256(path)] if path.exists() else [])
    _note(path, [digest, *before])
    replace_durably(temporary, path)
    _note(path, [digest])


def checksums(path: Path) -> list[str]:
    """The checksums that a partition may have: one, or several where a writer was killed; none if it was given none."""
    kept = path.with_name(CHECKSUM)
    return kept.read_text(encoding="ascii").split() if kept.exists() else []


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _note(path: Path, digests: list[str]) -> None:
    temporary = path.with_name(f".{CHECKSUM}.tmp")
    temporary.write_text("\n".join(digests) + "\n", encoding="ascii")
    replace_durably(temporary, path.with_name(CHECKSUM))


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
