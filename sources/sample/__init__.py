"""The sample bank: a generator of three Chinese bank systems' exports, with the truth about who is who.

Seeded and vectorised; ``docs/sample-bank.md`` says what it injects and how hard it is to undo. The systems are
described to the pipeline by ``banks/sample``; nothing here knows the pipeline.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sources.sample.deltas import advance
from sources.sample.files import truth, write_day
from sources.sample.founding import found
from sources.sample.hazards import write_hazards
from sources.sample.past import remember
from sources.sample.rates import LEVELS

FIRST_DATE = dt.date(2026, 10, 29)
TRUTH, TRUE_HAZARD = "truth.parquet", "truth_hazard.parquet"

__all__ = ["FIRST_DATE", "LEVELS", "TRUE_HAZARD", "TRUTH", "SampleSummary", "generate"]


@dataclass(frozen=True)
class SampleSummary:
    """What was generated: party records by date, entities, rows by file, injected errors (hits, eligible)."""

    dates: tuple[dt.date, ...]
    parties: dict[dt.date, int]
    entities: int
    rows: dict[str, int]
    injected: dict[str, tuple[int, int]]

    def __str__(self) -> str:
        held = ", ".join(f"{date} {count:,}" for date, count in self.parties.items())
        return f"party records {held}; {self.entities:,} parties in truth; {sum(self.rows.values()):,} rows in files"


def generate(
    parties: int,
    noise: str,
    seed: int,
    days: int,
    out: Path,
    first_date: dt.date = FIRST_DATE,
    say: Callable[[str], None] = lambda _: None,
    broken_rows: int = 0,
    months: int = 1,
) -> SampleSummary:
    """Write the sample bank's exports for consecutive business dates, and the truth.

    The same arguments give the same bytes, and a date's files are the same however many dates follow.

    Args:
        parties: party records on the first date, within 2 % (at least 50).
        noise: ``low``, ``default`` or ``high``.
        seed: seed of everything drawn, 0 or more.
        days: business dates, at least 1.
        out: folder for ``core/``, ``cards/``, ``loans/``, ``truth.parquet``, ``truth_hazard.parquet`` and one
            ``truth_YYYYMMDD.parquet`` a date. Files of the same names are replaced.
        first_date: the first business date.
        say: receives a line of progress for each date.
        broken_rows: rows that cannot be landed, added to every customer, product and transaction file.
        months: whole months of history in the first delivery, 1 to 120; with more than one, accounts, arrears and
            customers follow a simulated past.

    Raises:
        ValueError: an argument is outside its range.
    """
    if parties < 50 or days < 1 or seed < 0 or broken_rows < 0 or not 1 <= months <= 120:
        raise ValueError(
            "parties must be at least 50, days at least 1, seed and broken_rows not below 0, months between 1 and 120"
        )
    first_day = int(np.datetime64(first_date, "D").astype(np.int64))
    out.mkdir(parents=True, exist_ok=True)
    sample = found(parties, noise, seed, first_day)
    past = remember(sample, months)
    dates: list[dt.date] = []
    held: dict[dt.date, int] = {}
    rows: dict[str, int] = {}
    for number in range(days):
        if number:
            advance(sample, past)
        date = first_date + dt.timedelta(days=number)
        rows |= write_day(sample, past, out, broken_rows)
        held[date] = _write(truth(sample, ever=False), out / f"truth_{date:%Y%m%d}.parquet")
        dates.append(date)
        say(f"{date}: {held[date]:,} party records")
    everything = truth(sample, ever=True)
    _write(everything, out / TRUTH)
    write_hazards(past, sample, out / TRUE_HAZARD)
    entities = int(pc.count_distinct(everything["entity_id"]).as_py())
    return SampleSummary(tuple(dates), held, entities, rows, dict(sample.bank.noise.counted))


def _write(table: pa.Table, path: Path) -> int:
    pq.write_table(table, path, compression="zstd")
    return int(table.num_rows)
