"""Our engine: the product's identity resolution with the settings that the bank ships."""

from collections.abc import Callable

import duckdb
import pyarrow as pa

from benchmarks.identity.staged import DATE
from models.identity.resolve import resolve
from pipelines.workspace import Workspace


def run(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, set_name: str, clock: Callable[[str], None]
) -> dict[str, pa.Table]:
    """Train a model on the set and resolve with it (see ``engine``)."""
    resolve(con, workspace.bank.matching, DATE)
    clock("train and resolve")
    return {"": con.execute("select system, record_id, customer_id from res.customer_record").to_arrow_table()}
