"""Parquet: row groups in small batches, every column as DuckDB spells it; nested columns as JSON text."""

from collections.abc import Iterator

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sources.readers.extra import extra_json
from sources.readers.header import Columns, match_columns
from sources.readers.shapes import CellReader, Report, batch_schema, refusal

_BATCH_ROWS = 65_536


class ParquetReader(CellReader):
    """Reads one Parquet file of an object (see ``shapes.Reader``); rows are numbered from 1."""

    def batches(self, report: Report) -> Iterator[pa.RecordBatch]:
        """Stream the rows (see ``shapes.Reader.batches``); no row of a Parquet file is unreadable by itself."""
        try:
            with pq.ParquetFile(self._path) as file, duckdb.connect(config={"threads": 1}) as con:
                con.execute("set TimeZone = 'UTC'")
                columns, self.warnings = match_columns(self._object, file.schema_arrow.names, self.name)
                query = _as_text(file.schema_arrow)
                line = 1
                for batch in file.iter_batches(_BATCH_ROWS):
                    con.register("batch", pa.table(batch.columns, [f"c{n}" for n in range(batch.num_columns)]))
                    table = con.execute(query).to_arrow_table()
                    con.unregister("batch")
                    yield self._batch(table, columns, line)
                    line += table.num_rows
        except (pa.ArrowInvalid, OSError) as error:
            if isinstance(error, FileNotFoundError):
                raise
            raise refusal(self._object, self.name, "not a whole Parquet file") from error

    def _batch(self, table: pa.Table, columns: Columns, line: int) -> pa.RecordBatch:
        arrays = [column.combine_chunks() for column in table.columns]
        extra = extra_json({name: arrays[place] for name, place in columns.extras}, table.num_rows)
        lines = pa.array(np.arange(line, line + table.num_rows))
        fields = columns.of_fields(arrays, table.num_rows)
        return pa.record_batch([*fields, extra, lines], schema=batch_schema(self._object))


def _as_text(schema: pa.Schema) -> str:
    return f"select {', '.join(_column(n, field.type) for n, field in enumerate(schema))} from batch"


def _column(number: int, kind: pa.DataType) -> str:
    if pa.types.is_nested(kind):
        return f"to_json(c{number})::varchar as c{number}"
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return f"lower(hex(c{number})) as c{number}"
    return f"c{number}::varchar as c{number}"
