"""Quarantine: the rows that are not landed, each with file, line, field, rule, reason and its original bytes.

Troubles that readers report are spooled to disk on the way, so a wholly broken file needs no memory. Offenders
of row rules are known by their place in the landed file; their bytes are read again from the source. Card numbers
are masked in the bytes of objects that have tokenised fields; ``record`` holds what would have landed (JSON, card
numbers as tokens), null where the row could not be read.

``quarantine_id`` is a keyed digest of object, rule and bytes: the same row has it again the next night, and it tells
nothing of the row. What people decide about a row is ``released_rows``'s matter.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from sources.contract import SourceObject
from sources.conversions import identifier, literal
from sources.parquet_files import parquet
from sources.protect import mask_cards
from sources.readers import EXTRA, Reader, Trouble

_ID_CHARACTERS = 12
_SPOOL_ROWS = 5_000
_SPOOL_BYTES = 16 << 20
_TROUBLE = pa.schema(
    [
        ("source_file", pa.string()),
        ("source_line", pa.int64()),
        ("field", pa.string()),
        ("rule", pa.string()),
        ("reason", pa.string()),
        ("raw", pa.binary()),
    ]
)
_BYTES = pa.schema([("_row", pa.int64()), ("raw", pa.binary())])


class Spool:
    """Troubles on their way to disk: unreadable rows with their bytes, flawed ones without."""

    def __init__(self, path: Path, obj: SourceObject) -> None:
        self.path = path
        self.unreadable = 0
        self.flawed = 0
        self._masks = _has_cards(obj)
        self._writer = pq.ParquetWriter(path, _TROUBLE)
        self._rows: list[dict[str, object]] = []
        self._bytes = 0

    def add(self, reader: Reader, trouble: Trouble) -> None:
        """Keep one trouble of a reader."""
        raw = trouble.raw
        if raw is None:
            self.flawed += 1
        else:
            self.unreadable += 1
            raw = mask_cards(raw, (), reader.codec) if self._masks else raw
        entry = (reader.name, trouble.line, trouble.field, trouble.rule, trouble.reason, raw)
        self._rows.append(dict(zip(_TROUBLE.names, entry, strict=True)))
        self._bytes += len(raw or b"")
        if len(self._rows) >= _SPOOL_ROWS or self._bytes >= _SPOOL_BYTES:
            self._flush()

    def close(self) -> None:
        """Write what is left; the spool can be read now."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        self._writer.write_table(pa.Table.from_pylist(self._rows, _TROUBLE))
        self._rows.clear()
        self._bytes = 0


def quarantine_id(key: bytes, obj: SourceObject, rule: str, raw: bytes) -> str:
    """Lasting id of a quarantined row: ``Q`` and 60 bits of an HMAC-SHA-256 in base 32."""
    content = b"\0".join([obj.table.encode(), rule.encode(), raw])
    digest = base64.b32encode(hmac.digest(key, content, hashlib.sha256)).decode("ascii")
    return f"Q{digest[:_ID_CHARACTERS]}"


def write_quarantine(
    con: duckdb.DuckDBPyConnection,
    obj: SourceObject,
    readers: Sequence[Reader],
    spool: Spool,
    bytes_path: Path,
    path: Path,
    key: bytes,
) -> None:
    """Write the quarantine file of a landing, in the order of the source.

    Args:
        con: connection with the view ``landed`` (``_row`` included) and the table ``quarantined`` (_row, field,
            rule, reason).
        obj: the object.
        readers: its readers, by which bytes are read again.
        spool: the troubles, closed.
        bytes_path: temporary file for the offenders' bytes.
        path: where to write.
        key: the secret of the ids.
    """
    con.create_function("id_of", lambda rule, raw: quarantine_id(key, obj, rule, raw), ["VARCHAR", "BLOB"], "VARCHAR")
    has_bytes = readers[0].has_bytes
    if has_bytes:
        _collect_bytes(con, obj, readers, bytes_path)
        raw, source = "bytes.raw", f"join {parquet(bytes_path)} as bytes using (_row)"
    else:
        raw, source = "encode(record)", ""
    named = ", ".join(f"{literal(name)}: {identifier(name)}" for name in (*(f.name for f in obj.fields), EXTRA))
    query = f"""
        with unreadable as (
            select source_file, source_line, field, rule, reason, raw, null::varchar as record
            from {parquet(spool.path)} where raw is not null
        ),
        offending as (
            select
                _source_file, _source_line, quarantined.field, quarantined.rule, quarantined.reason, _row,
                to_json({{{named}}})::varchar as record
            from quarantined join landed using (_row)
        )
        select
            id_of(rule, raw) as quarantine_id,
            {literal(obj.system)} as system, {literal(obj.name)} as object,
            source_file, source_line, field, rule, reason, raw, record
        from (
            from unreadable
            union all
            select _source_file, _source_line, field, rule, reason, {raw}, record from offending {source}
        )
        order by source_file, source_line
    """
    con.execute(f"copy ({query}) to {literal(str(path))} (format parquet, compression zstd)").fetchall()


def without_bytes(spool: Spool) -> str:
    """SQL relation of what goes into quarantine, as long as it is not written: source_file to reason."""
    return f"""(
        select source_file, source_line, field, rule, reason from {parquet(spool.path)} where raw is not null
        union all
        select _source_file, _source_line, quarantined.field, quarantined.rule, quarantined.reason
        from quarantined join landed using (_row)
    )"""


def counts_by_rule(con: duckdb.DuckDBPyConnection, quarantine: str) -> Mapping[str, int]:
    """How many rows each rule sent to quarantine."""
    return dict(con.execute(f"select rule, count(*) from {quarantine} group by rule order by rule").fetchall())


def first_places(con: duckdb.DuckDBPyConnection, quarantine: str, count: int) -> list[str]:
    """The first quarantined rows in words: file, line, field, reason; no values."""
    rows = con.execute(
        f"select source_file, source_line, field, reason from {quarantine} order by 1, 2 limit {count}"
    ).fetchall()
    return [f"{file} line {line}: {f'{name}: ' if name else ''}{reason}" for file, line, name, reason in rows]


def _collect_bytes(con: duckdb.DuckDBPyConnection, obj: SourceObject, readers: Sequence[Reader], path: Path) -> None:
    """Read the bytes of the quarantined rows again from their files, file by file."""
    masks = _has_cards(obj)
    with pq.ParquetWriter(path, _BYTES) as writer:
        for reader in readers:
            found = con.execute(
                "select _row, _source_line from quarantined join landed using (_row) "
                "where _source_file = $file order by _row",
                {"file": reader.name},
            ).to_arrow_table()
            lines: list[int] = found.column(1).to_pylist()
            for start, part in _parts(reader.raw(lines) if lines else iter(())):
                if masks:
                    part = [mask_cards(raw, reader.secrets(raw), reader.codec) for raw in part]
                rows = found.column(0).slice(start, len(part)).combine_chunks()
                writer.write_table(pa.table([rows, pa.array(part, pa.binary())], schema=_BYTES))


def _parts(records: Iterator[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """Records in lists of bounded length and size, each with its place."""
    start, part, size = 0, list[bytes](), 0
    for record in records:
        part.append(record)
        size += len(record)
        if len(part) == _SPOOL_ROWS or size >= _SPOOL_BYTES:
            yield start, part
            start, part, size = start + len(part), [], 0
    if part:
        yield start, part


def _has_cards(obj: SourceObject) -> bool:
    return any(field.tokenise for field in obj.fields)
