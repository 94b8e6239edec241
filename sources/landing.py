"""Landing: a complete delivery into one Parquet partition of raw text and one of quarantined rows.

Nothing is interpreted: landed columns are the contract's fields as text, then ``_extra``, ``_source_file``,
``_source_line``, ``_record_hash`` and ``_quarantine_id``. Rows that cannot be read or break a row rule go to
quarantine; every row delivered is in exactly one of the two, and what a steward released from quarantine lands with
its id. A delivery whose figures disagree, or with more bad rows than the contract allows, is refused and leaves what
was there before. The same delivery and decisions land byte for byte the same.

The limit is a share of the rows delivered, rounded down, but at least one row, so that one torn line does not
stop a small file; a limit of 0 allows none, and a delivery without one good row is refused whatever the limit.

Where partitions lie is the caller's knowledge: paths come in, written under a temporary name and renamed.
"""

import datetime as dt
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from sources.arrival import FILE, Arrival
from sources.contract import SourceObject
from sources.control import Delivered, Figures, compare, read_control, read_trailer, stated_total
from sources.conversions import literal
from sources.delivery import ObjectDelivery, SystemDelivery
from sources.errors import DeliveryError, DeliveryMissing, DeliveryRefused, all_of
from sources.manifest import FieldTotal, LandingResult, read_manifest, write_manifest
from sources.offenders import find_offenders
from sources.parquet_files import parquet, publish
from sources.quarantine import Spool, counts_by_rule, first_places, without_bytes, write_quarantine
from sources.readers import LINE, Snapshot
from sources.readers.shapes import refusal
from sources.released_rows import Decisions, History, Released, release_rows
from sources.rules import unreadable_number
from sources.totals import fields_totalled, sums_of

__all__ = [
    "Decisions",
    "History",
    "LandingResult",
    "LandingSettings",
    "LandingTarget",
    "land",
    "land_system",
    "read_manifest",
]

_PLACES_SHOWN = 5
_MEMORY_BYTES = 400_000_000


@dataclass(frozen=True)
class LandingSettings:
    """Bounds of a landing: folder to spill to, DuckDB's memory and threads.

    Landing takes at most 400 MB for DuckDB, however much is allowed; readers need about 200 MB beside it.
    """

    spill: Path
    memory_limit: str = "400MB"
    threads: int = 2


@dataclass(frozen=True)
class LandingTarget:
    """Where an object's rows go, and its partitions of other business dates.

    ``history`` serves the keys of an append object that were delivered before, a delivery that is the last one again,
    and released rows of earlier nights. ``put`` brings a finished partition from its temporary name to its place.
    """

    landing: Path
    quarantine: Path
    history: History = field(default_factory=History)
    put: Callable[[Path, Path], None] = publish


def land(
    delivery: ObjectDelivery,
    business_date: dt.date,
    target: LandingTarget,
    settings: LandingSettings,
    decisions: Decisions,
    *,
    token_key: bytes | None = None,
    snapshot: Snapshot | None = None,
) -> LandingResult:
    """Land one object.

    Args:
        delivery: a complete delivery, as ``delivery.inspect`` found it.
        business_date: the night's date.
        target: where to write; partitions that are there are replaced, with the manifest beside the landed one.
        settings: bounds.
        decisions: what stewards released from quarantine.
        token_key: key of card tokens; needed if the contract tokenises a field.
        snapshot: the open snapshot of the system's database, for objects that lie in one.

    Raises:
        DeliveryMissing: the delivery is not complete.
        DeliveryRefused: it does not fit the contract or its own figures; every problem found is listed.
        ValueError: a token key is needed and there is none.
    """
    if delivery.state != "complete":
        error = DeliveryRefused if delivery.state == "refused" else DeliveryMissing
        raise error(delivery.message)
    with ExitStack() as stack:
        landing = _Landing(delivery, business_date, target, decisions, token_key, snapshot)
        stack.callback(landing.remove_temporary_files)
        landing.remove_temporary_files()
        landing.con = stack.enter_context(_connection(settings))
        try:
            return landing.run()
        except duckdb.OutOfMemoryException:
            names = ", ".join(delivery.name_of(file) for file in delivery.files)
            message = "its values are too long: they do not fit the memory that landing may take; deliver them apart"
            raise refusal(delivery.obj, names, message) from None


def land_system(
    delivery: SystemDelivery,
    targets: Callable[[SourceObject], LandingTarget],
    settings: LandingSettings,
    decisions: Callable[[SourceObject], Decisions],
    *,
    token_key: bytes | None = None,
    environment: Mapping[str, str] | None = None,
) -> dict[str, LandingResult]:
    """Land every object of a system, those of a database in one snapshot; returns the results by object.

    Raises:
        DeliveryError: one or more objects are missing or refused; the problems of all are listed. Objects without
            problems have landed.
        ValueError: a token key is needed and there is none.
    """
    errors: list[DeliveryError] = []
    results: dict[str, LandingResult] = {}
    with ExitStack() as stack:
        snapshot = None
        if delivery.contract.server.type != "local":
            snapshot = stack.enter_context(Snapshot(delivery.contract, delivery.exports, environment))
        for found in delivery.objects:
            try:
                results[found.obj.name] = land(
                    found,
                    delivery.business_date,
                    targets(found.obj),
                    settings,
                    decisions(found.obj),
                    token_key=token_key,
                    snapshot=snapshot,
                )
            except DeliveryError as error:
                errors.append(error)
    if errors:
        raise all_of(errors)
    return results


@contextmanager
def _connection(settings: LandingSettings) -> Iterator[duckdb.DuckDBPyConnection]:
    settings.spill.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect(
        config={
            "memory_limit": _bounded(settings.memory_limit),
            "threads": settings.threads,
            # its own: DuckDB names temporary files the same in every process
            "temp_directory": str(settings.spill / f"{os.getpid()}-{secrets.token_hex(4)}"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    try:
        con.execute("set TimeZone = 'UTC'")
        con.execute("set enable_progress_bar = false")
        yield con
    finally:
        con.close()


class _Landing:
    """One object's landing, step by step; ``run`` is the order of the steps."""

    con: duckdb.DuckDBPyConnection

    def __init__(
        self,
        delivery: ObjectDelivery,
        business_date: dt.date,
        target: LandingTarget,
        decisions: Decisions,
        token_key: bytes | None,
        snapshot: Snapshot | None,
    ) -> None:
        self._delivery = delivery
        self._object = delivery.obj
        self._business_date = business_date
        self._target = target
        self._decisions = decisions
        self._arrival = Arrival(delivery, business_date, token_key, snapshot)
        self._readers = self._arrival.readers
        self._problems: list[str] = []
        self._warnings: list[str] = []
        for path in (target.landing, target.quarantine):
            path.parent.mkdir(parents=True, exist_ok=True)

    def run(self) -> LandingResult:
        """Read, judge, and publish both partitions."""
        self._arrival.take_fingerprints()
        self._check_repeat()
        spool = Spool(self._temporary("troubles"), self._object)
        arrived = self._temporary("arrived")
        try:
            self._arrival.copy(self.con, spool, arrived)
        finally:
            spool.close()
        self._warnings.extend(warning for reader in self._readers for warning in reader.warnings)
        self.con.execute(
            f"create view landed as select * exclude (file_row_number), file_row_number as _row "
            f"from {parquet(arrived, row_number=True)}"
        )
        delivered = self._delivered(spool)
        figures = self._check_figures(delivered)
        find_offenders(self.con, self._object, self._business_date, spool, self._target.history.landed)
        if self._decisions.released:
            self._write_quarantine(spool)
            released = self._release()
            quarantine = parquet(self._temporary("quarantine"))
        else:
            released, quarantine = Released(), without_bytes(spool)
        counts = counts_by_rule(self.con, quarantine)
        self._check_limits(quarantine, counts, figures, delivered.rows)
        if self._problems:
            raise DeliveryRefused(self._problems)
        if not self._decisions.released:
            self._write_quarantine(spool)
        if released.rows and self._target.history.later and self._object.delivery.mode == "delta":
            message = "released rows land on a date that later dates build on; run those again, in order"
            self._warnings.extend(self._refused(message).problems)
        landed = self._kept(released) if counts or released.rows else arrived
        result = self._result(delivered, figures, counts, released, landed)
        # The landed partition last: where it is, its quarantine and its manifest are too.
        self._target.put(self._temporary("quarantine"), self._target.quarantine)
        write_manifest(result, self._target.landing)
        self._target.put(landed, self._target.landing)
        return result

    def remove_temporary_files(self) -> None:
        """Remove what this landing, or one that was killed, left beside the partitions."""
        for path in (self._target.landing, self._target.quarantine):
            for left in path.parent.glob(f".{path.name}.*.tmp"):
                left.unlink(missing_ok=True)

    def _temporary(self, name: str) -> Path:
        path = self._target.quarantine if name == "quarantine" else self._target.landing
        return path.with_name(f".{path.name}.{name}.tmp")

    def _refused(self, message: str) -> DeliveryRefused:
        return refusal(self._object, ", ".join(reader.name for reader in self._readers), message)

    def _note(self, message: str) -> None:
        self._problems.extend(self._refused(message).problems)

    def _check_repeat(self) -> None:
        """Refuse, or warn of, files that are byte for byte those of the last business date."""
        last = read_manifest(self._target.history.landed[-1]) if self._target.history.landed else None
        files = self._arrival.files
        if last is None or not files or not last.rows_delivered or self._object.delivery.on_repeat == "ignore":
            return
        if sorted(entry.sha256 for entry in last.files) == sorted(entry.sha256 for entry in files):
            names = ", ".join(entry.name for entry in last.files)
            message = f"the same bytes as the delivery of {last.business_date} ({names}): delivered twice?"
            if self._object.delivery.refuses_repeat:
                raise self._refused(message)
            self._warnings.extend(self._refused(message).problems)

    def _delivered(self, spool: Spool) -> Delivered:
        """Rows and exact totals of everything delivered, before any row is judged."""
        fields = fields_totalled(self._object)
        totals = self._totals("from landed")
        lacking = [f"count(*) filter (where {unreadable_number(field)})" for field in fields]
        counts = self.con.execute(f"select {', '.join(lacking)} from landed").fetchall()[0] if fields else ()
        unread = {field.name: count + spool.unreadable for field, count in zip(fields, counts, strict=True)}
        return Delivered(sum(self._arrival.rows.values()), totals, self._arrival.checksums, unread)

    def _totals(self, rows: str) -> dict[str, Decimal]:
        return {name: _plain(total) for name, total in sums_of(self.con, self._object, rows).items()}

    def _check_figures(self, delivered: Delivered) -> Figures | None:
        control = self._object.delivery.control
        if control is None:
            return None
        try:
            if control.trailer is not None:
                figures = read_trailer(self._object, {reader.name: reader.trailer for reader in self._readers})
            elif self._delivery.control is not None:
                figures = read_control(self._object, self._delivery.control, [r.name for r in self._readers])
            else:
                raise self._refused("the contract names a control file, and none was found")
        except DeliveryRefused as error:
            self._problems.extend(error.problems)
            return None
        mistakes, warnings = compare(self._object, figures, delivered, self._business_date)
        for mistake in mistakes:
            self._note(mistake)
        for warning in warnings:
            self._warnings.extend(self._refused(warning).problems)
        return figures

    def _write_quarantine(self, spool: Spool) -> None:
        write_quarantine(
            self.con,
            self._object,
            self._readers,
            spool,
            self._temporary("bytes"),
            self._temporary("quarantine"),
            self._decisions.key,
        )

    def _release(self) -> Released:
        """Find the released rows that land, and take tonight's out of the quarantine."""
        quarantine, rest = self._temporary("quarantine"), self._temporary("rest")
        released = release_rows(
            self.con, self._object, self._business_date, self._decisions, quarantine, self._target.history
        )
        if len(released.rows) > released.earlier:
            self.con.execute(
                f"copy (select * from {parquet(quarantine)} where (source_file, source_line) not in "
                f"(select ({FILE}, {LINE}) from released where _night = {released.tonight}) "
                f"order by source_file, source_line) to {literal(str(rest))} (format parquet, compression zstd)"
            ).fetchall()
            rest.replace(quarantine)
        return released

    def _check_limits(
        self, quarantine: str, counts: Mapping[str, int], figures: Figures | None, delivered: int
    ) -> None:
        """Note a delivery without rows that nothing confirms, and one with more bad rows than allowed."""
        settings, quarantined = self._object.delivery, sum(counts.values())
        confirmed = figures is not None and figures.rows == 0
        if delivered == 0 and settings.mode == "full" and settings.format != "sql" and not confirmed:
            size = sum(path.stat().st_size for path in self._delivery.files)
            said = "no rows behind the header" if settings.format == "csv" and settings.header and size else "no rows"
            hint = "a full delivery without rows needs a control file that says 0"
            self._note(f"the file is empty ({'0 bytes' if not size else said}); {hint}")
        allowed = max(1, int(settings.reject_limit * delivered)) if settings.reject_limit else 0
        if quarantined > allowed or 0 < delivered == quarantined:
            rules = ", ".join(f"{count} {rule}" for rule, count in counts.items())
            places = "; ".join(first_places(self.con, quarantine, _PLACES_SHOWN))
            limit = f"{settings.reject_limit:.2%} of the rows, {allowed} here"
            self._note(
                f"{quarantined} of {delivered} rows cannot be used ({rules}); "
                f"the contract allows {limit}. First: {places}"
            )

    def _kept(self, released: Released) -> Path:
        """Write the rows that land: those without offence, and released ones by night, file and line of delivery."""
        kept = self._temporary("kept")
        good = "select * exclude (_row) from landed where _row not in (select _row from quarantined)"
        if released.rows:
            files = ", ".join(literal(reader.name) for reader in self._readers)
            good = (
                f"select * exclude (_night) from (select *, {released.tonight} as _night from ({good}) "
                f"union all by name from released) "
                f"order by _night, list_position([{files}], {FILE}), {FILE}, {LINE}"
            )
        self.con.execute(f"copy ({good}) to {literal(str(kept))} (format parquet, compression zstd)").fetchall()
        return kept

    def _result(
        self,
        delivered: Delivered,
        figures: Figures | None,
        counts: Mapping[str, int],
        released: Released,
        landed: Path,
    ) -> LandingResult:
        stated = figures.totals if figures else {}
        set_aside = self._totals("from landed where _row in (select _row from quarantined)")
        let_in = self._totals("from released") if released.rows else {}
        return LandingResult(
            system=self._object.system,
            object=self._object.name,
            business_date=self._business_date,
            mode=self._object.delivery.mode,
            rows_delivered=delivered.rows,
            rows_landed=int(pq.read_metadata(landed).num_rows),
            rows_quarantined=sum(counts.values()),
            blank_lines=sum(reader.blank_lines for reader in self._readers),
            files=self._arrival.files,
            control_source=figures.source if figures else None,
            control_rows=figures.rows if figures else None,
            totals={
                field.name: FieldTotal(
                    stated_total(stated[field.name], delivered.totals[field.name], field.decimals)
                    if field.name in stated
                    else None,
                    delivered.totals[field.name],
                    quarantined=set_aside[field.name],
                    released=let_in.get(field.name, Decimal(0)),
                    unread=delivered.unread[field.name],
                )
                for field in fields_totalled(self._object)
            },
            quarantined_by_rule=counts,
            warnings=tuple(self._warnings),
            rows_released=released.earlier,
            released=released.rows,
            held=released.held,
        )


def _bounded(limit: str) -> str:
    """The caller's memory limit, but never more than landing needs: it streams, more memory makes it no faster."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?\s*", limit.lower())
    if match is None:
        return limit
    size = float(match.group(1)) * (1024 if match.group(3) else 1000) ** "_kmgt".index(match.group(2) or "_")
    return f"{min(int(size), _MEMORY_BYTES)}B"


def _plain(total: Decimal) -> Decimal:
    """The total without trailing zeros behind the point, as people write it."""
    return Decimal(format(total.normalize(), "f"))
