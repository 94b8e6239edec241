"""Arrival: all files (or the table) of a delivery as one stream of raw text into one Parquet file.

Takes the files' checksums, gives card numbers their tokens on the way, adds ``_source_file``, ``_record_hash`` and an
empty ``_quarantine_id``. No row is judged here.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa

from sources.contract import SourceObject
from sources.conversions import identifier, literal
from sources.delivery import ObjectDelivery
from sources.errors import DeliveryError, DeliveryRefused, all_of, problem_line
from sources.manifest import LandedFile
from sources.protect import CardTokens
from sources.quarantine import Spool
from sources.readers import EXTRA, LINE, Reader, Snapshot, Trouble, batch_schema, open_file, open_table

FILE = "_source_file"
HASH = "_record_hash"
RELEASED = "_quarantine_id"
"""Id under which the row was in quarantine until a steward released it; null for rows that landed as delivered."""

_CHUNK = 1 << 20


class Arrival:
    """One object's delivery on its way into the lake."""

    def __init__(
        self,
        delivery: ObjectDelivery,
        business_date: dt.date,
        token_key: bytes | None,
        snapshot: Snapshot | None,
    ) -> None:
        """Prepare the readers.

        Raises:
            ValueError: the contract tokenises a field and there is no key, or the object lies in a database and
                there is no snapshot of it.
        """
        self._object = delivery.obj
        self._paths = delivery.files
        self._tokens = card_tokens(delivery.obj, token_key)
        self._fingerprints: list[tuple[int, str, tuple[int, ...]]] = []
        self.readers = _readers(delivery, business_date, snapshot)
        self.rows = dict.fromkeys((reader.name for reader in self.readers), 0)
        self.checksums: dict[str, str] = {}
        """By file, in the algorithm that the control file uses (else SHA-256)."""

    @property
    def files(self) -> tuple[LandedFile, ...]:
        """The data files, with the rows read so far (unreadable ones too). None for a database."""
        return tuple(
            LandedFile(reader.name, size, sha256, self.rows[reader.name])
            for reader, (size, sha256, _) in zip(self.readers, self._fingerprints, strict=False)
        )

    def take_fingerprints(self) -> None:
        """Read every file once for its checksums; ``copy`` makes sure that it then reads the same."""
        control = self._object.delivery.control
        algorithm = control.checksum.algorithm if control and control.checksum else "sha256"
        for reader, path in zip(self.readers, self._paths, strict=False):
            stat = _stat(path)
            digests = [hashlib.sha256(), hashlib.new(algorithm, usedforsecurity=False)]
            with path.open("rb") as handle:
                while chunk := handle.read(_CHUNK):
                    for digest in digests[: 1 if algorithm == "sha256" else 2]:
                        digest.update(chunk)
            sha256 = digests[0].hexdigest()
            self._fingerprints.append((path.stat().st_size, sha256, stat))
            self.checksums[reader.name] = sha256 if algorithm == "sha256" else digests[1].hexdigest()

    def copy(self, con: duckdb.DuckDBPyConnection, spool: Spool, path: Path) -> None:
        """Stream every file into one Parquet file; troubles go to the spool.

        Raises:
            DeliveryRefused: a file does not fit the contract (every file is tried), or changed while it was read.
        """
        failure: list[BaseException] = []

        def arriving() -> Iterator[pa.RecordBatch]:
            # DuckDB would wrap an error of ours in its own words: keep it to raise it as it is.
            try:
                yield from self._batches(spool)
            except BaseException as error:
                failure.append(error)
                raise

        schema = batch_schema(self._object).append(pa.field(FILE, pa.string()))
        con.register("arriving", pa.RecordBatchReader.from_batches(schema, arriving()))
        names = [field.name for field in self._object.fields]
        listed = ", ".join(identifier(name) for name in (*names, EXTRA, FILE, LINE))
        try:
            con.execute(
                f"copy (select {listed}, {record_hash(names)} as {HASH}, null::varchar as {RELEASED} from arriving) "
                f"to {literal(str(path))} (format parquet, compression zstd)"
            ).fetchall()
        except duckdb.Error:
            if failure:
                raise failure[0] from None
            raise
        finally:
            con.unregister("arriving")
        self._check_unchanged()

    def _batches(self, spool: Spool) -> Iterator[pa.RecordBatch]:
        """Batches of all files with the file's name."""
        errors = []
        for reader in self.readers:
            try:
                for batch in reader.batches(partial(self._report, spool, reader)):
                    self.rows[reader.name] += batch.num_rows
                    name = pa.repeat(pa.scalar(reader.name, pa.string()), batch.num_rows)
                    yield self._protected(batch).append_column(FILE, name)
            except DeliveryError as error:
                errors.append(error)
        if errors:
            raise all_of(errors)

    def _report(self, spool: Spool, reader: Reader, trouble: Trouble) -> None:
        spool.add(reader, trouble)
        self.rows[reader.name] += trouble.raw is not None

    def _protected(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with tokens in place of card numbers."""
        if self._tokens is None:
            return batch
        cards = {field.name for field in self._object.fields if field.tokenise}
        columns = [
            self._tokens.column(column) if name in cards else column
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
        return pa.record_batch(columns, schema=batch.schema)

    def _check_unchanged(self) -> None:
        for reader, path, (_, _, stat) in zip(self.readers, self._paths, self._fingerprints, strict=False):
            if _stat(path) != stat:
                message = "the file changed while it was read: it is still being written"
                raise DeliveryRefused(problem_line(self._object.system, self._object.name, reader.name, message))


def _readers(delivery: ObjectDelivery, business_date: dt.date, snapshot: Snapshot | None) -> list[Reader]:
    obj = delivery.obj
    if obj.delivery.format != "sql":
        return [open_file(obj, file, delivery.name_of(file)) for file in delivery.files]
    if snapshot is None:
        raise ValueError(f"{obj.system}.{obj.name} lies in a database; open its snapshot first")
    return [open_table(obj, snapshot, business_date)]


def card_tokens(obj: SourceObject, key: bytes | None) -> CardTokens | None:
    """What makes the object's card numbers tokens; None where it has none.

    Raises:
        ValueError: the contract tokenises a field and there is no key.
    """
    if not any(field.tokenise for field in obj.fields):
        return None
    if key is None:
        raise ValueError(f"{obj.system}.{obj.name}: the contract tokenises a field; a token key is needed")
    return CardTokens(key)


def _stat(path: Path) -> tuple[int, ...]:
    """What changes when a file is written or replaced."""
    stat = path.stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def record_hash(names: Sequence[str]) -> str:
    """SQL of the MD5 over the field values, each with its length before it, so that no two rows read alike."""
    parts = ", ".join(f"coalesce(strlen({n})::varchar, '-'), ':', {n}" for n in map(identifier, names))
    return f"md5(concat({parts}))"
