"""``_extra``: what a source delivers beyond the contract, as JSON text of one object a row."""

from collections.abc import Mapping

import duckdb
import pyarrow as pa


def extra_json(columns: Mapping[str, pa.Array], rows: int) -> pa.Array:
    """JSON text of each row's extra columns (text or null), or null where there are none."""
    if not columns:
        return pa.nulls(rows, pa.string())
    arrays = {f"c{number}": array for number, array in enumerate(columns.values())}
    pairs = ", ".join(f"${number + 1}, c{number}" for number in range(len(columns)))
    with duckdb.connect(config={"threads": 1}) as con:
        con.register("extra", pa.table(arrays))
        result = con.execute(f"select json_object({pairs})::varchar as j from extra", list(columns)).to_arrow_table()
    return result.column("j").combine_chunks().cast(pa.string())
