"""The truth about what models are to find: each debtor's chance of default, each customer's chance to leave.

Grain of the file: entity, kind, month end. Told are debtors with a loan running who are not in default, and core
customers who can be seen to leave and have not. ``default``: beyond 90 days past due at one of the next twelve month
ends. ``churn``: leaves within the next three months. ``silence``: leaves in the month that follows, so that no own
transaction comes in all of the next three. ``happened`` is null where the horizon is not over.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sources.sample import attachment, debtors
from sources.sample.attachment import LEFT
from sources.sample.bank import entity_ids
from sources.sample.debtors import DEFAULT
from sources.sample.founding import Sample
from sources.sample.months import last_day
from sources.sample.past import Past
from sources.sample.text import Numbers

_SCHEMA = pa.schema(
    [
        ("entity_id", pa.string()),
        ("kind", pa.string()),
        ("as_of_date", pa.date32()),
        ("true_probability", pa.float64()),
        ("happened", pa.bool_()),
    ]
)


def write_hazards(past: Past, sample: Sample, path: Path) -> int:
    """Write the truth of all month ends told so far; returns the rows."""
    rows = 0
    with pq.ParquetWriter(path, _SCHEMA, compression="zstd") as writer:
        for table in _tables(past, sample):
            writer.write_table(table)
            rows += table.num_rows
    return rows


def _tables(past: Past, sample: Sample) -> Iterator[pa.Table]:
    for month in sorted(past.ends):
        end = past.ends[month]
        known = len(end.missed)
        first = past.debtors.debtor[:known] == np.arange(known)
        told = np.flatnonzero(first & end.running & (end.missed < DEFAULT))
        chance = debtors.probability_of_default(past.debtors.strain[told], end.missed[told])
        over = [past.ends[later].missed[told] >= DEFAULT for later in _later(past, month, debtors.HORIZON)]
        yield _table(sample.borrowers.entity[told], "default", month, chance, over, debtors.HORIZON)
        if past.customers is None:
            continue
        known = len(end.state)
        customers = past.customers
        first = customers.customer[:known] == np.arange(known)
        told = np.flatnonzero(first & (customers.active_from[:known] <= last_day(month)) & (end.state != LEFT))
        for kind, horizon in (("churn", attachment.HORIZON), ("silence", 1)):
            chance = attachment.probability_of_leaving(customers.attachment[told], end.state[told], horizon)
            over = [past.ends[later].state[told] == LEFT for later in _later(past, month, horizon)]
            yield _table(sample.core.entity[told], kind, month, chance, over, horizon)


def _later(past: Past, month: int, horizon: int) -> list[int]:
    return [later for later in range(month + 1, month + horizon + 1) if later in past.ends]


def _table(entity: Numbers, kind: str, month: int, chance: Numbers, later: list[Numbers], horizon: int) -> pa.Table:
    count = len(entity)
    happened = np.any(later, axis=0) if len(later) == horizon else np.zeros(count, dtype=bool)
    return pa.table(
        [
            entity_ids(entity),
            pa.repeat(pa.scalar(kind), count),
            pa.array(np.full(count, last_day(month), dtype=np.int32)).cast(pa.date32()),
            pa.array(chance),
            pa.array(happened, mask=np.full(count, len(later) < horizon)),
        ],
        schema=_SCHEMA,
    )
