"""Databases by SQLAlchemy URL: rows streamed by a server-side cursor, all objects of a system in one snapshot.

A ``Snapshot`` is one read-only transaction in which every object of the system is read, so accounts and their
owners belong to the same moment. Values become text exactly (``values.as_text``); rows are numbered from 1 in
primary-key order. Passwords come from environment variables and never appear in a message.
"""

import datetime as dt
import os
import re
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from sources.contract import Contract, SourceObject
from sources.errors import DeliveryMissing, DeliveryRefused
from sources.readers import limits
from sources.readers.extra import extra_json
from sources.readers.header import Columns, match_columns
from sources.readers.shapes import EXTRA, Report, Trouble, batch_schema, refusal
from sources.readers.values import as_text

_BATCH_ROWS = 20_000
_BATCH_BYTES = 32 << 20
# Rows that a driver may hold: a value may be as long as a record.
_BUFFER_ROWS = 500
_CHECK_EVERY = 1_000_000  # steps of SQLite
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_USER_PART = re.compile(r"[^:/]+://(?P<user>[^@/]*)@")
# Classes of the errors whose text may repeat the value that caused them: data exceptions, and those a function raises.
_TELLING = ("22", "P0")
# How each database calls a transaction that sees one moment.
_SNAPSHOT_ISOLATION = {
    "postgresql": "REPEATABLE READ",
    "mysql": "REPEATABLE READ",
    "mariadb": "REPEATABLE READ",
    "oracle": "SERIALIZABLE",
    "mssql": "SNAPSHOT",
}


class Snapshot:
    """One consistent view of a system's database; a context manager."""

    def __init__(self, contract: Contract, exports: Path, environment: Mapping[str, str] | None = None) -> None:
        """Prepare, without connecting.

        Raises:
            DeliveryMissing: an environment variable of the URL is not set, or the SQLite file is not there.
            DeliveryRefused: the URL cannot be used (unknown database, driver not installed).
        """
        self._system = contract.system
        self._engine = _engine(contract, exports, os.environ if environment is None else environment)
        self._connection: sa.Connection | None = None
        self._is_whole = False

    def __enter__(self) -> "Snapshot":
        try:
            self._connection = self._begin()
        except SQLAlchemyError as error:
            self._engine.dispose()
            raise DeliveryMissing(
                f"{self._system}: the database {self.address} cannot be reached: {_cause(error)}"
            ) from None
        return self

    def __exit__(self, *exc: object) -> None:
        if self._connection is not None:
            self._connection.close()
        self._engine.dispose()

    @property
    def address(self) -> str:
        """The URL without its password, for messages."""
        return self._engine.url.render_as_string(hide_password=True)

    @property
    def connection(self) -> sa.Connection:
        """The open connection; RuntimeError outside the ``with`` block."""
        if self._connection is None:
            raise RuntimeError("the snapshot is not open")
        return self._connection

    def _begin(self) -> sa.Connection:
        dialect = self._engine.dialect.name
        options: dict[str, Any] = {}
        if dialect in _SNAPSHOT_ISOLATION:
            options["isolation_level"] = _SNAPSHOT_ISOLATION[dialect]
        if dialect == "postgresql":
            options["postgresql_readonly"] = True
        connection = self._engine.connect().execution_options(**options)
        if dialect == "sqlite":
            _tame_sqlite(connection)
            # The driver starts no transaction for a select; without one each object would see its own moment.
            connection.exec_driver_sql("begin")
        connection.execute(sa.select(sa.literal(1))).all()
        return connection

    def require_whole(self, obj: SourceObject) -> None:
        """Do nothing if the database is sound; SQLite has no checksums, and reads a damaged file with rows missing.

        Raises:
            DeliveryRefused: pages of the SQLite file do not fit together.
        """
        if self._is_whole or self._engine.dialect.name != "sqlite":
            return
        if self.connection.exec_driver_sql("pragma quick_check(1)").scalar() != "ok":
            name = Path(str(self._engine.url.database)).name
            raise refusal(obj, name, "the SQLite file is damaged; deliver it again")
        self._is_whole = True

    def limit_time(self, seconds: float) -> None:
        """Let the database itself give up a statement that takes longer (SQLite and PostgreSQL)."""
        if self._engine.dialect.name == "sqlite":
            end = time.monotonic() + seconds
            driver = self.connection.connection.driver_connection
            driver.set_progress_handler(lambda: time.monotonic() > end, _CHECK_EVERY)  # type: ignore[union-attr]
        elif self._engine.dialect.name == "postgresql":
            self.connection.exec_driver_sql(f"set local statement_timeout = {int(seconds * 1000)}")


class DatabaseReader:
    """Reads one table or query (see ``shapes.Reader``)."""

    has_bytes = False
    codec = "utf-8"

    def __init__(self, obj: SourceObject, snapshot: Snapshot, business_date: dt.date) -> None:
        self._object = obj
        self._snapshot = snapshot
        self._business_date = business_date
        self.name = obj.delivery.table or "query"
        self.warnings: list[str] = []
        self.trailer = ""
        self.blank_lines = 0

    def batches(self, report: Report) -> Iterator[pa.RecordBatch]:
        """Stream the rows (see ``shapes.Reader.batches``)."""
        connection = self._snapshot.connection
        try:
            # A savepoint: an object that fails must not end the snapshot of the others.
            with connection.begin_nested():
                self._snapshot.limit_time(limits.LONGEST_SELECT_SECONDS)
                self._snapshot.require_whole(self._object)
                result = connection.execute(
                    self._statement(connection),
                    execution_options={"stream_results": True, "max_row_buffer": _BUFFER_ROWS},
                )
                columns, self.warnings = match_columns(self._object, list(result.keys()), self.name)
                line = 1
                for rows in self._parts(result):
                    yield self._batch(rows, columns, line, report)
                    line += len(rows)
        except SQLAlchemyError as error:
            if getattr(error, "connection_invalidated", False):
                # passing, unlike what the database refuses: the whole system is read again in a new snapshot
                raise ConnectionError(
                    f"{self._object.system}.{self._object.name}: {self.name}: the database closed the connection while "
                    f"it was read: {_cause(error)}"
                ) from None
            raise self._refused(f"the database refused the read: {_cause(error)}") from None

    def raw(self, lines: Sequence[int]) -> Iterator[bytes]:
        """Nothing: a row of a database has no bytes of its own."""
        yield from ()

    def secrets(self, raw: bytes) -> list[bytes]:
        """Nothing: there are no bytes."""
        return []

    def _statement(self, connection: sa.Connection) -> sa.Executable:
        delivery = self._object.delivery
        if delivery.query is not None:
            statement = sa.text(delivery.query)
            bound = {"business_date": self._business_date} if ":business_date" in delivery.query else {}
            return statement.bindparams(**bound)
        preparer = connection.dialect.identifier_preparer
        table = ".".join(preparer.quote(part) for part in str(delivery.table).split("."))
        names = list(connection.execute(_literally(f"select * from {table} where 1 = 0")).keys())
        columns, _ = match_columns(self._object, names, self.name)
        places = {f.name: place for f, place in zip(self._object.fields, columns.positions, strict=True)}
        order = [places[key] for key in self._object.primary_key]
        keys = ", ".join(preparer.quote(names[place]) for place in order if place is not None)
        return _literally(f"select * from {table}" + (f" order by {keys}" if keys else ""))

    def _parts(self, result: sa.CursorResult[Any]) -> Iterator[list[sa.Row[Any]]]:
        """Rows in lists of bounded length and size."""
        part, size, number = list[sa.Row[Any]](), 0, 0
        end = time.monotonic() + limits.LONGEST_SELECT_SECONDS
        for number, row in enumerate(result, 1):
            length = sum(len(value) for value in row if isinstance(value, str | bytes))
            if length > limits.LONGEST_RECORD:
                raise self._refused(f"row {number} is longer than {limits.LONGEST_RECORD >> 20} MB")
            part.append(row)
            size += length + 8 * len(row)
            if len(part) == _BATCH_ROWS or size > _BATCH_BYTES:
                yield part
                part, size = [], 0
                if time.monotonic() > end:
                    hours = f"{limits.LONGEST_SELECT_SECONDS / 3600:g} hours"
                    raise self._refused(f"{number} rows in {hours}, and no end: does the query run in circles?")
        if part:
            yield part

    def _refused(self, message: str) -> Exception:
        return refusal(self._object, self.name, message)

    def _batch(self, rows: Sequence[sa.Row[Any]], columns: Columns, line: int, report: Report) -> pa.RecordBatch:
        arrays = [pa.nulls(0)] * columns.count
        fields = {place: field.name for field, place in zip(self._object.fields, columns.positions, strict=True)}
        broken: set[int] = set()
        for place, values in enumerate(zip(*rows, strict=True)):
            texts = [as_text(value) for value in values]
            try:
                arrays[place] = pa.array(texts, pa.string())
            except UnicodeEncodeError:
                for row, text in enumerate(texts):
                    if text and _SURROGATE.search(text) and row not in broken:
                        broken.add(row)
                        report(Trouble(line + row, fields.get(place, EXTRA), "encoding", "text that is not unicode"))
                arrays[place] = pa.array([text and _SURROGATE.sub("\ufffd", text) for text in texts], pa.string())
        extra = extra_json({name: arrays[place] for name, place in columns.extras}, len(rows))
        lines = pa.array(range(line, line + len(rows)), pa.int64())
        return pa.record_batch([*columns.of_fields(arrays, len(rows)), extra, lines], schema=batch_schema(self._object))


def _literally(sql: str) -> sa.TextClause:
    """A statement whose names may hold a colon, which otherwise marks a parameter."""
    return sa.text(sql.replace(":", "\\:"))


def _tame_sqlite(connection: sa.Connection) -> None:
    """Read a file that others made: no value beyond the limit, nothing written, broken text kept as it is."""
    driver: Any = connection.connection.driver_connection
    driver.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, limits.LONGEST_RECORD)
    driver.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
    connection.exec_driver_sql("pragma query_only = on")


def _engine(contract: Contract, exports: Path, environment: Mapping[str, str]) -> sa.Engine:
    template = contract.server.url or ""
    unset = sorted({name for name in _VARIABLE.findall(template) if not environment.get(name)})
    if unset:
        raise DeliveryMissing(
            [
                f"{contract.system}: the environment variable {name} is not set; the contract's database URL needs it"
                for name in unset
            ]
        )
    text = template.replace("{exports}", str(exports))
    try:
        url = sa.engine.make_url(_filled(text, environment))
        engine = sa.create_engine(url, poolclass=sa.NullPool)
    except ImportError as error:
        raise DeliveryRefused(
            f"{contract.system}: the driver of the contract's database URL is not installed ({error.name})"
        ) from None
    except (ArgumentError, NoSuchModuleError, ValueError):
        kind = template.partition(":")[0]
        raise DeliveryRefused(
            f"{contract.system}: the contract's database URL ({kind}:...) cannot be used: "
            "write dialect+driver://user:${PASSWORD}@host:port/database"
        ) from None
    path = url.database
    if engine.dialect.name == "sqlite" and path and path != ":memory:" and not Path(path).is_file():
        raise DeliveryMissing(f"{contract.system}: the SQLite file {path} is not there")
    return engine


def _filled(template: str, environment: Mapping[str, str]) -> str:
    """Put the variables in; those of the user and password part may hold any character."""
    match = _USER_PART.match(template)
    start, end = match.span("user") if match else (0, 0)
    user = _VARIABLE.sub(lambda found: quote(environment[found.group(1)], safe=""), template[start:end])
    before, behind = (
        _VARIABLE.sub(lambda found: environment[found.group(1)], part) for part in (template[:start], template[end:])
    )
    return before + user + behind


def _cause(error: SQLAlchemyError) -> str:
    """What the database said, first line only: no statement, no parameters, no values."""
    original = getattr(error, "orig", None) or error
    state = str(getattr(original, "sqlstate", "") or "")
    if state.startswith(_TELLING):
        return f"a value does not fit the query (SQLSTATE {state})"
    lines = str(original).strip().splitlines()
    return lines[0] if lines else type(error).__name__
