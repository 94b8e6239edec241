"""Landing: a complete delivery into one Parquet partition of raw text and one of quarantined rows.

Nothing is interpreted: landed columns are the contract's fields as text, then ``_extra``, ``_source_file``,
``_source_line`` and ``_record_hash``. Rows that cannot be read or break a row rule go to quarantine; every row
delivered is in exactly one of the two. A delivery whose figures disagree, or with more bad rows than the contract
allows, is refused and leaves what was there before. The same delivery lands byte for byte the same.

Where partitions lie is the caller's knowledge: paths come in, written under a temporary name and renamed.
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from sources.contract import SourceObject
from sources.control import Delivered, Figures, as_decimal, compare, read_control, read_trailer
from sources.conversions import identifier, literal
from sources.delivery import ObjectDelivery, SystemDelivery
from sources.errors import DeliveryError, DeliveryMissing, DeliveryRefused, all_of, problem_line
from sources.manifest import ControlTotal, LandedFile, LandingResult, publish, read_manifest, write_manifest
from sources.offenders import find_offenders
from sources.protect import CardTokens
from sources.quarantine import Spool, counts_by_rule, first_places, write_quarantine
from sources.readers import LINE, Reader, Snapshot, batch_schema, open_file, open_table
from sources.rules import total_of, unreadable_number

__all__ = ["LandingResult", "LandingSettings", "LandingTarget", "land", "land_system", "read_manifest"]

FILE = "_source_file"
HASH = "_record_hash"
_PLACES_SHOWN = 5
_CHUNK = 1 << 20


@dataclass(frozen=True)
class LandingSettings:
    """Bounds of a landing: DuckDB's memory (readers need about 200 MB beside it), threads, folder to spill to."""

    spill: Path
    memory_limit: str = "512MB"
    threads: int = 2


@dataclass(frozen=True)
class LandingTarget:
    """Where an object's rows go, and its partitions of earlier business dates, ascending.

    ``history`` serves two checks: keys of an append object that were delivered before, and a delivery that is
    the last one again.
    """

    landing: Path
    quarantine: Path
    history: tuple[Path, ...] = ()


def land(
    delivery: ObjectDelivery,
    business_date: dt.date,
    target: LandingTarget,
    settings: LandingSettings,
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
        landing = _Landing(delivery, business_date, target, token_key, snapshot)
        stack.callback(landing.remove_temporary_files)
        landing.remove_temporary_files()
        landing.con = stack.enter_context(_connection(settings))
        return landing.run()


def land_system(
    delivery: SystemDelivery,
    targets: Callable[[SourceObject], LandingTarget],
    settings: LandingSettings,
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
            "memory_limit": settings.memory_limit,
            "threads": settings.threads,
            "temp_directory": str(settings.spill),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    try:
        con.execute("set TimeZone = 'UTC'")
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
        token_key: bytes | None,
        snapshot: Snapshot | None,
    ) -> None:
        self._delivery = delivery
        self._object = delivery.obj
        self._business_date = business_date
        self._target = target
        self._tokens = _tokens(delivery.obj, token_key)
        self._readers = self._open(snapshot)
        self._rows: dict[str, int] = dict.fromkeys((reader.name for reader in self._readers), 0)
        self._problems: list[str] = []
        self._warnings: list[str] = []
        for path in (target.landing, target.quarantine):
            path.parent.mkdir(parents=True, exist_ok=True)

    def run(self) -> LandingResult:
        """Read, judge, and publish both partitions."""
        stats, files, checksums = self._fingerprints()
        self._check_repeat(files)
        spool = Spool(self._temporary("troubles"), self._object)
        arrived = self._temporary("arrived")
        try:
            self._copy_arriving(spool, arrived)
        finally:
            spool.close()
        if stats != [_stat(path) for path in self._delivery.files]:
            raise self._refused("the file changed while it was read: it is still being written")
        self.con.execute(
            f"create view landed as select * exclude (file_row_number), file_row_number as _row "
            f"from read_parquet({literal(str(arrived))}, file_row_number = true)"
        )
        delivered = self._delivered(spool, checksums)
        figures = self._check_figures(delivered)
        offenders = find_offenders(self.con, self._object, self._business_date, spool, self._target.history)
        quarantined = spool.unreadable + offenders
        self._check_limits(spool, figures, delivered.rows, quarantined)
        if self._problems:
            raise DeliveryRefused(self._problems)
        write_quarantine(
            self.con, self._object, self._readers, spool, self._temporary("bytes"), self._temporary("quarantine")
        )
        landed = self._without_offenders() if offenders else arrived
        result = self._result(files, delivered, figures, spool, quarantined, landed)
        # The landed partition last: where it is, its quarantine is too.
        publish(self._temporary("quarantine"), self._target.quarantine)
        publish(landed, self._target.landing)
        write_manifest(result, self._target.landing)
        return result

    def remove_temporary_files(self) -> None:
        """Remove what this landing, or one that was killed, left beside the partitions."""
        for path in (self._target.landing, self._target.quarantine):
            for left in path.parent.glob(f".{path.name}.*.tmp"):
                left.unlink(missing_ok=True)

    def _temporary(self, name: str) -> Path:
        path = self._target.quarantine if name == "quarantine" else self._target.landing
        return path.with_name(f".{path.name}.{name}.tmp")

    def _open(self, snapshot: Snapshot | None) -> list[Reader]:
        if self._object.delivery.format == "sql":
            if snapshot is None:
                raise ValueError(f"{self._object.table} lies in a database; open its snapshot first")
            return [open_table(self._object, snapshot, self._business_date)]
        return [open_file(self._object, file, self._delivery.name_of(file)) for file in self._delivery.files]

    def _refused(self, message: str, file: str | None = None) -> DeliveryRefused:
        names = ", ".join(reader.name for reader in self._readers)
        return DeliveryRefused(problem_line(self._object.system, self._object.name, file or names, message))

    def _note(self, message: str) -> None:
        self._problems.extend(self._refused(message).problems)

    def _fingerprints(self) -> tuple[list[tuple[int, ...]], dict[str, tuple[int, str]], dict[str, str]]:
        """Sizes and times; bytes and SHA-256 by file; and the checksums that the control file states, by file."""
        control = self._object.delivery.control
        algorithm = control.checksum.algorithm if control and control.checksum else None
        stats = [_stat(path) for path in self._delivery.files]
        files, checksums = {}, {}
        for reader, path in zip(self._readers, self._delivery.files, strict=False):
            digests = [hashlib.sha256(), *([hashlib.new(algorithm, usedforsecurity=False)] if algorithm else [])]
            with path.open("rb") as handle:
                while chunk := handle.read(_CHUNK):
                    for digest in digests:
                        digest.update(chunk)
            files[reader.name] = (path.stat().st_size, digests[0].hexdigest())
            checksums[reader.name] = digests[-1].hexdigest()
        return stats, files, checksums

    def _check_repeat(self, files: Mapping[str, tuple[int, str]]) -> None:
        """Refuse, or warn of, files that are byte for byte those of the last business date."""
        last = read_manifest(self._target.history[-1]) if self._target.history else None
        if last is None or not files or not last.rows_delivered:
            return
        if sorted(entry.sha256 for entry in last.files) == sorted(sha256 for _, sha256 in files.values()):
            names = ", ".join(entry.name for entry in last.files)
            message = f"the same bytes as the delivery of {last.business_date} ({names}): delivered twice?"
            if self._object.delivery.refuses_repeat:
                raise self._refused(message)
            self._warnings.extend(self._refused(message).problems)

    def _copy_arriving(self, spool: Spool, path: Path) -> None:
        """Stream every file into one Parquet file; no row is judged yet."""
        failure: list[BaseException] = []

        def arriving() -> Iterator[pa.RecordBatch]:
            # DuckDB would wrap an error of ours in its own words: keep it to raise it as it is.
            try:
                yield from self._batches(spool)
            except BaseException as error:
                failure.append(error)
                raise

        schema = batch_schema(self._object).append(pa.field(FILE, pa.string()))
        self.con.register("arriving", pa.RecordBatchReader.from_batches(schema, arriving()))
        names = [field.name for field in self._object.fields]
        listed = ", ".join(identifier(name) for name in (*names, "_extra", FILE, LINE))
        try:
            self.con.execute(
                f"copy (select {listed}, {_record_hash(names)} as {HASH} from arriving) "
                f"to {literal(str(path))} (format parquet, compression zstd)"
            ).fetchall()
        except duckdb.Error:
            if failure:
                raise failure[0] from None
            raise
        finally:
            self.con.unregister("arriving")

    def _batches(self, spool: Spool) -> Iterator[pa.RecordBatch]:
        """Batches of all files, card numbers already tokens, with the file's name. Every file is tried."""
        errors = []
        for reader in self._readers:
            try:
                for batch in reader.batches(partial(spool.add, reader)):
                    self._rows[reader.name] += batch.num_rows
                    yield self._protected(batch).append_column(
                        FILE, pa.repeat(reader.name, batch.num_rows).cast(pa.string())
                    )
            except DeliveryError as error:
                errors.append(error)
            self._warnings.extend(reader.warnings)
        if errors:
            raise all_of(errors)

    def _protected(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if self._tokens is None:
            return batch
        cards = {field.name for field in self._object.fields if field.tokenise}
        columns = [
            self._tokens.column(column) if name in cards else column
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
        return pa.record_batch(columns, schema=batch.schema)

    def _delivered(self, spool: Spool, checksums: Mapping[str, str]) -> Delivered:
        """Rows and exact totals of everything delivered, before any row is judged."""
        control = self._object.delivery.control
        totals, unread = {}, {}
        for name in control.totals if control else ():
            if field := self._object.find(name):
                total, lacking = self.con.execute(
                    f"select {total_of(field)}, count(*) filter (where {unreadable_number(field)}) from landed"
                ).fetchall()[0]
                totals[name], unread[name] = _plain(total.scaleb(-field.decimals)), int(lacking) + spool.unreadable
        return Delivered(sum(self._rows.values()) + spool.unreadable, totals, checksums, unread)

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

    def _check_limits(self, spool: Spool, figures: Figures | None, delivered: int, quarantined: int) -> None:
        """Note a delivery without rows that nothing confirms, and one with more bad rows than allowed."""
        settings = self._object.delivery
        confirmed = figures is not None and figures.rows == 0
        if delivered == 0 and settings.mode == "full" and settings.format != "sql" and not confirmed:
            size = sum(path.stat().st_size for path in self._delivery.files)
            said = "no rows behind the header" if settings.format == "csv" and settings.header and size else "no rows"
            hint = "a full delivery without rows needs a control file that says 0"
            self._note(f"the file is empty ({'0 bytes' if not size else said}); {hint}")
        allowed = max(1, int(settings.reject_limit * delivered)) if settings.reject_limit else 0
        if quarantined > allowed or 0 < delivered == quarantined:
            rules = ", ".join(f"{count} {rule}" for rule, count in counts_by_rule(self.con, spool).items())
            places = "; ".join(first_places(self.con, spool, _PLACES_SHOWN))
            limit = f"{settings.reject_limit:.2%} of the rows, {allowed} here"
            self._note(
                f"{quarantined} of {delivered} rows cannot be used ({rules}); "
                f"the contract allows {limit}. First: {places}"
            )

    def _without_offenders(self) -> Path:
        kept = self._temporary("kept")
        self.con.execute(
            f"copy (select * exclude (_row) from landed where _row not in (select _row from quarantined)) "
            f"to {literal(str(kept))} (format parquet, compression zstd)"
        ).fetchall()
        return kept

    def _result(
        self,
        files: Mapping[str, tuple[int, str]],
        delivered: Delivered,
        figures: Figures | None,
        spool: Spool,
        quarantined: int,
        landed: Path,
    ) -> LandingResult:
        stated = figures.totals if figures else {}
        return LandingResult(
            system=self._object.system,
            object=self._object.name,
            business_date=self._business_date,
            mode=self._object.delivery.mode,
            rows_delivered=delivered.rows,
            rows_landed=int(pq.read_metadata(landed).num_rows),
            rows_quarantined=quarantined,
            blank_lines=sum(reader.blank_lines for reader in self._readers),
            files=tuple(LandedFile(name, *files[name], self._rows[name]) for name in files),
            control_source=figures.source if figures else None,
            control_rows=figures.rows if figures else None,
            control_totals={
                name: ControlTotal(as_decimal(stated[name]) if name in stated else None, total)
                for name, total in delivered.totals.items()
            },
            quarantined_by_rule=counts_by_rule(self.con, spool),
            warnings=tuple(self._warnings),
        )


def _tokens(obj: SourceObject, key: bytes | None) -> CardTokens | None:
    if not any(field.tokenise for field in obj.fields):
        return None
    if key is None:
        raise ValueError(f"{obj.system}.{obj.name}: the contract tokenises a field; a token key is needed")
    return CardTokens(key)


def _stat(path: Path) -> tuple[int, ...]:
    """What changes when a file is written or replaced."""
    stat = path.stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _record_hash(names: Sequence[str]) -> str:
    """SQL of the MD5 over the field values, each with its length before it, so that no two rows read alike."""
    parts = ", ".join(f"coalesce(strlen({n})::varchar, '-'), ':', {n}" for n in map(identifier, names))
    return f"md5(concat({parts}))"


def _plain(total: Decimal) -> Decimal:
    """The total without trailing zeros behind the point, as people write it."""
    return Decimal(format(total.normalize(), "f"))
