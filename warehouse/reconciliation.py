"""Writing ``meta.reconciliation`` into the lake: what arrived by the contracts, held against the night's tables.

What arrived is counted by ``sources.totals`` and comes in as lines; the rest is ``meta/meta/reconciliation.sql``. The
release carries the partition, and a check of the gate blocks it if a step is unexplained.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal

from warehouse.engine import Engine
from warehouse.facts import meta_tables

RECONCILIATION = "meta.reconciliation"
_ARRIVAL = "arrival.line"
_COLUMNS = "system varchar, object varchar, subject varchar, figure varchar, step varchar, amount decimal(38, 10)"


def write_reconciliation(
    engine: Engine, business_date: dt.date, lines: Iterable[Sequence[str | Decimal | None]]
) -> int:
    """Reconcile a date's tables; returns the number of lines.

    Args:
        engine: the engine over the lake.
        business_date: the date.
        lines: what arrived: system, object, subject, figure, step and amount of each step up to ``mapped``.

    Raises:
        MissingPartitionError: a table that is reconciled has no partition for the date.
    """
    table = meta_tables()[RECONCILIATION]
    with engine.connection(business_date, [name for name in table.inputs if name != _ARRIVAL]) as con:
        con.execute("create schema arrival")
        con.execute(f"create table {_ARRIVAL} ({_COLUMNS})")
        if given := list(lines):
            con.executemany(f"insert into {_ARRIVAL} values (?, ?, ?, ?, ?, ?)", given)
        return engine.write(con, table, table.sql or "", business_date, {"business_date": business_date})
