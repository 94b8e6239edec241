"""Parquet: row groups in small batches, every column as DuckDB spells it; nested columns as JSON text.

A file tells sizes and types of itself, and may lie: what cannot be read as it says is refused, text that is not
UTF-8 is reported, and a batch has fewer rows where a value is long, for one value may stand in every row.
"""

from collections.abc import Iterator

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sources.readers.extra import extra_json
from sources.readers.header import Columns, match_columns
from sources.readers.limits import LARGEST_EXPANSION, LONGEST_RECORD, largest_expansion, shown
from sources.readers.shapes import EXTRA, CellReader, Report, Trouble, batch_schema, refusal
from sources.readers.values import as_text

_BATCH_ROWS = 65_536
_BATCH_BYTES = 16 << 20
_BUFFER_BYTES = 1 << 20


class ParquetReader(CellReader):
    """Reads one Parquet file of an object (see ``shapes.Reader``); rows are numbered from 1."""

    def batches(self, report: Report) -> Iterator[pa.RecordBatch]:
        """Stream the rows (see ``shapes.Reader.batches``); no row of a Parquet file is unreadable by itself."""
        try:
            with pq.ParquetFile(self._path, buffer_size=_BUFFER_BYTES, page_checksum_verification=True) as file:
                yield from self._read(file, report)
        except (pa.ArrowException, OSError, UnicodeError, MemoryError, duckdb.Error) as error:
            if isinstance(error, FileNotFoundError):
                raise
            raise self._refused("not a whole Parquet file; deliver it again") from error

    def _read(self, file: pq.ParquetFile, report: Report) -> Iterator[pa.RecordBatch]:
        names = file.schema_arrow.names
        columns, self.warnings = match_columns(self._object, names, self.name)
        metadata = file.metadata
        self._check_expansion(sum(metadata.row_group(group).total_byte_size for group in range(file.num_row_groups)))
        line, expanded = 1, 0
        with duckdb.connect(config={"threads": 1}) as con:
            con.execute("set TimeZone = 'UTC'")
            for group in range(file.num_row_groups):
                for batch in file.iter_batches(self._rows_at_once(file, group), row_groups=[group]):
                    arrays, broken = self._texts(con, batch)
                    expanded += sum(array.nbytes for array in arrays)
                    self._check_expansion(expanded)
                    for row, place in broken.items():
                        known = zip(self._object.fields, columns.positions, strict=True)
                        field = next((field.name for field, p in known if p == place), EXTRA)
                        report(Trouble(line + row, field, "encoding", "bytes that are not utf-8"))
                    yield self._batch(arrays, columns, line, batch.num_rows)
                    line += batch.num_rows
        if line - 1 != metadata.num_rows:
            raise self._refused(f"it says {metadata.num_rows} rows of itself, and holds {line - 1}")

    def _refused(self, message: str) -> Exception:
        return refusal(self._object, self.name, message)

    def _check_expansion(self, size: int) -> None:
        if size > largest_expansion(self._path.stat().st_size):
            raise self._refused(f"it unpacks to more than {LARGEST_EXPANSION} times its size; deliver it as text")

    def _rows_at_once(self, file: pq.ParquetFile, group: int) -> int:
        """Rows that fit a batch whichever of the group's repeated values they hold."""
        texts = [c.path for c in map(file.schema.column, range(len(file.schema))) if c.physical_type == "BYTE_ARRAY"]
        longest = 0
        with pq.ParquetFile(self._path, buffer_size=_BUFFER_BYTES, read_dictionary=texts) as repeated:
            for batch in repeated.iter_batches(1, row_groups=[group]):
                longest = max(longest, *map(_longest, batch.columns))
                break
        if longest > LONGEST_RECORD:
            raise self._refused(f"a value is longer than {LONGEST_RECORD >> 20} MB")
        return max(1, min(_BATCH_ROWS, _BATCH_BYTES // max(longest, 16 * len(file.schema), 1)))

    def _texts(self, con: duckdb.DuckDBPyConnection, batch: pa.RecordBatch) -> tuple[list[pa.Array], dict[int, int]]:
        """The columns as text, and the first column of each row with bytes that are no text (replaced there)."""
        broken: dict[int, int] = {}
        arrays = list(batch.columns)
        for place, array in enumerate(arrays):
            try:
                array.validate(full=True)
            except pa.ArrowInvalid:
                arrays[place], rows = self._replaced(array, batch.schema.names[place])
                broken = dict.fromkeys(rows, place) | broken
        arrays = [self._readable(array, name) for array, name in zip(arrays, batch.schema.names, strict=True)]
        con.register("batch", pa.table(arrays, [f"c{n}" for n in range(len(arrays))]))
        table = con.execute(_as_text([array.type for array in arrays])).to_arrow_table()
        con.unregister("batch")
        return [column.combine_chunks() for column in table.columns], broken

    def _replaced(self, array: pa.Array, name: str) -> tuple[pa.Array, list[int]]:
        """Text with what is not UTF-8 replaced, and the rows of it."""
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        if not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
            raise self._refused(f"column {shown(name)} holds nested text that is not utf-8; deliver it again")
        raw = array.cast(pa.large_binary()).to_pylist()
        texts = [None if value is None else value.decode("utf-8", "replace") for value in raw]
        rows = [n for n, (value, text) in enumerate(zip(raw, texts, strict=True)) if text and text.encode() != value]
        return pa.array(texts, pa.string()), rows

    def _readable(self, array: pa.Array, name: str) -> pa.Array:
        """The column in a type that DuckDB reads."""
        if pa.types.is_float16(array.type):
            return array.cast(pa.float32())
        if pa.types.is_decimal256(array.type):
            return pa.array([as_text(value) for value in array.to_pylist()], pa.string())
        if _has_unknown(array.type):
            message = f"column {shown(name)} is of type {array.type}, which is not read; deliver it as text"
            raise self._refused(message)
        return array

    def _batch(self, arrays: list[pa.Array], columns: Columns, line: int, rows: int) -> pa.RecordBatch:
        extra = extra_json({name: arrays[place] for name, place in columns.extras}, rows)
        lines = pa.array(np.arange(line, line + rows))
        return pa.record_batch([*columns.of_fields(arrays, rows), extra, lines], schema=batch_schema(self._object))


def _longest(array: pa.Array) -> int:
    """Bytes of the longest text in the dictionaries of a column."""
    if isinstance(array, pa.DictionaryArray):
        return pc.max(pc.binary_length(array.dictionary)).as_py() or 0
    if isinstance(array, pa.StructArray):
        return max(map(_longest, array.flatten()), default=0)
    if isinstance(array, pa.MapArray):
        return max(_longest(array.keys), _longest(array.items))
    return _longest(array.values) if isinstance(array, pa.ListArray) else 0


def _has_unknown(kind: pa.DataType) -> bool:
    """Whether a type, or one within it, is none that DuckDB reads."""
    if pa.types.is_nested(kind):
        return any(_has_unknown(kind.field(n).type) for n in range(kind.num_fields))
    return bool(pa.types.is_float16(kind) or pa.types.is_decimal256(kind))


def _as_text(kinds: list[pa.DataType]) -> str:
    return f"select {', '.join(_column(n, kind) for n, kind in enumerate(kinds))} from batch"


def _column(number: int, kind: pa.DataType) -> str:
    if pa.types.is_nested(kind):
        return f"to_json(c{number})::varchar as c{number}"
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return f"lower(hex(c{number})) as c{number}"
    return f"c{number}::varchar as c{number}"
