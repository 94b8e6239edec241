"""What a release says of itself: the shapes that the night fills in, and the rows of schema meta made from them.

The tables of schema meta are defined in ``warehouse/meta``, in the same form as those of ``models``. Writing the rows
is ``warehouse.build``'s work.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import duckdb

from models.lineage import Edge
from models.tables import Table, load_tables
from warehouse.fingerprint import Fingerprint
from warehouse.lake import Lake
from warehouse.release import Release
from warehouse.release_diff import RowChanges

META = Path(__file__).parent / "meta"


@dataclass(frozen=True)
class DeliveredObject:
    """What one object's delivery brought: rows delivered + released = landed + quarantined + of forgotten parties."""

    system: str
    object: str
    business_date: dt.date
    delivery_mode: str
    source_files: tuple[str, ...]
    delivered_rows: int
    landed_rows: int
    quarantined_rows: int
    forgotten_rows: int = 0
    released_rows: int = 0


@dataclass(frozen=True)
class Facts:
    """What a release says of its making.

    Attributes:
        bank: name of the bank.
        code_version: version of the code.
        model_version: version of the identity model; "none" where no model took part.
        deliveries: the deliveries that the night landed.
        quarantine: Parquet files of the rows that are missing from the release for a rule they broke
            (see ``quarantine_files``).
        lineage: where each column of each table comes from.
        audit_head: the end of the audit log, ``SEQUENCE:HASH``; None where nothing has been recorded yet.
    """

    bank: str
    code_version: str
    model_version: str
    deliveries: tuple[DeliveredObject, ...]
    quarantine: tuple[Path, ...] = ()
    lineage: Sequence[Edge] = ()
    audit_head: str | None = None

    @property
    def source_dates(self) -> dict[str, dt.date]:
        """Business date of each system's latest delivery."""
        dates: dict[str, dt.date] = {}
        for delivery in self.deliveries:
            dates[delivery.system] = max(delivery.business_date, dates.get(delivery.system, dt.date.min))
        return dates


class CheckRow(Protocol):
    """What a release records of a check's result; ``quality.gate.CheckResult`` is one."""

    @property
    def table(self) -> str: ...  # noqa: D102
    @property
    def check_name(self) -> str: ...  # noqa: D102
    @property
    def severity(self) -> str: ...  # noqa: D102
    @property
    def passed(self) -> bool: ...  # noqa: D102
    @property
    def broken(self) -> bool: ...  # noqa: D102
    @property
    def unexpected_count(self) -> int | None: ...  # noqa: D102
    @property
    def observed(self) -> str: ...  # noqa: D102
    @property
    def message(self) -> str: ...  # noqa: D102


def meta_tables() -> dict[str, Table]:
    """Definitions of the tables of schema meta, keyed ``meta.<name>``."""
    return load_tables(META)


def quarantine_files(
    lake: Lake, business_date: dt.date, full: Iterable[str], accumulating: Iterable[str]
) -> tuple[Path, ...]:
    """Quarantine partitions whose rows are missing from a release of the date.

    Args:
        lake: the lake.
        business_date: the release's date.
        full: objects (``system__object``) that deliver the whole table: only the date's own quarantine counts.
        accumulating: objects that deliver changes or new rows: what was set aside on any earlier date is missing too.
    """
    found = [
        lake.require(table, date)
        for name, history in [*((n, False) for n in full), *((n, True) for n in accumulating)]
        for table in [f"landing.quarantine__{name}"]
        for date in lake.dates(table)
        if date == business_date or (history and date < business_date)
    ]
    return tuple(sorted(found))


def table_rows(tables: Mapping[str, Table], prints: Mapping[str, Fingerprint]) -> Iterator[tuple[object, ...]]:
    """Rows of ``meta.tables``."""
    for name, table in tables.items():
        yield name, prints[name].rows, prints[name].content_hash, ", ".join(table.key), table.en, table.zh


def column_rows(tables: Mapping[str, Table]) -> Iterator[tuple[object, ...]]:
    """Rows of ``meta.columns``."""
    for name, table in tables.items():
        for position, column in enumerate(table.columns, start=1):
            yield (
                name,
                column.name,
                position,
                column.type,
                column.unit,
                column.required,
                column.name in table.key,
                column.pii,
                ", ".join(column.values) or None,
                column.en,
                column.zh,
            )


def delivery_rows(deliveries: Iterable[DeliveredObject]) -> Iterator[tuple[object, ...]]:
    """Rows of ``meta.delivery``."""
    for d in sorted(deliveries, key=lambda d: (d.system, d.object, d.business_date)):
        yield (
            d.system,
            d.object,
            d.business_date,
            d.delivery_mode,
            ", ".join(d.source_files),
            d.delivered_rows,
            d.landed_rows,
            d.quarantined_rows,
            d.forgotten_rows,
            d.released_rows,
        )


def release_row(release: Release, facts: Facts) -> tuple[object, ...]:
    """The row of ``meta.release``."""
    return (
        release.id,
        release.business_date,
        release.published_at.replace(tzinfo=None),
        release.bank,
        release.code_version,
        release.model_version,
        duckdb.__version__,
        release.content_hash,
        facts.source_dates,
        facts.audit_head,
    )


def change_rows(
    prints: Mapping[str, Fingerprint], previous: Release | None, changes: Mapping[str, RowChanges]
) -> Iterator[tuple[object, ...]]:
    """Rows of ``meta.changes``: each table against the release that was current before, if any."""
    earlier = previous.tables if previous else {}
    for name, now in prints.items():
        before, rows = earlier.get(name), changes.get(name)
        yield (
            name,
            previous.id if previous else None,
            now.rows,
            before.rows if before else None,
            now.rows - before.rows if before else None,
            rows.added if rows else None,
            rows.changed if rows else None,
            rows.removed if rows else None,
            now != before,
        )


def customer_change_rows(previous: Release | None, customers: Mapping[str, int]) -> Iterator[tuple[object, ...]]:
    """Rows of ``meta.customer_changes``: none where there is nothing to compare with."""
    for kind, count in customers.items():
        yield kind, previous.id if previous else None, count


def result_rows(results: Iterable[CheckRow]) -> Iterator[tuple[object, ...]]:
    """Rows of ``meta.check_result``."""
    for r in results:
        yield r.table, r.check_name, r.severity, r.passed, r.broken, r.unexpected_count, r.observed, r.message
