"""An append-only log: one table that is only ever added to, in SQLite below the home or in PostgreSQL.

Here a row is written and all rows are read. Nothing removes one, and nothing changes one but the erasure of a customer
(``redact``): the database itself refuses (triggers). Writers take turns, so each sees all earlier rows before its own
is accepted, and numbers rise in the order of acceptance without gaps. Which columns a log has is its own module's
matter (``decision_log``, ``consent_log``, ``restriction_log``); what its rows mean is the matter of ``models``.
"""

import datetime as dt
import json
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Row = TypeVar("Row", bound="DataclassInstance")

# how long a writer waits for another to finish
WAIT_SECONDS = 30

_MADE_AT = "made_at"

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_ADVISORY_LOCK = 360_360
_GUARDS = {
    "sqlite": (
        "create trigger {table}_no_update before update on {table} "
        "begin select raise(abort, 'the {name} is append-only'); end",
        "create trigger {table}_no_delete before delete on {table} "
        "begin select raise(abort, 'the {name} is append-only'); end",
        # 'insert or replace' removes the old row without asking the trigger above
        "create trigger {table}_no_replace before insert on {table} "
        "when exists (select 1 from {table} where {key} = new.{key}) "
        "begin select raise(abort, 'the {name} is append-only'); end",
    ),
    "postgresql": (
        "create function {table}_append_only() returns trigger language plpgsql as "
        "$$ begin raise exception 'the {name} is append-only'; end $$",
        "create trigger {table}_no_change before update or delete or truncate on {table} "
        "for each statement execute function {table}_append_only()",
    ),
}

_UNGUARD = {
    "sqlite": (
        "drop trigger {table}_no_update",
        "drop trigger {table}_no_delete",
        "drop trigger {table}_no_replace",
    ),
    "postgresql": ("drop trigger {table}_no_change on {table}", "drop function {table}_append_only()"),
}


class LogError(ConnectionError):
    """The log cannot be read or written; says where it is, without password, and what to do."""


class AppendOnlyLog(ABC, Generic[Row]):
    """A log at a SQLAlchemy URL.

    Attributes:
        name: What errors call it.
        table: Its table; the key is ``<something>_id``, and it has ``made_at``.

    Args:
        url: ``sqlite:///path`` or ``postgresql+psycopg://user:${PASSWORD}@host/database``; names in ``${}`` are
            environment variables.
        environment: Where the variables are looked up.

    Raises:
        LogError: the URL cannot be used.
    """

    name: ClassVar[str]
    table: ClassVar[sa.Table]

    def __init__(self, url: str, environment: Mapping[str, str] = os.environ) -> None:
        try:
            parsed = _filled(self.name, sa.make_url(url), environment)
            isolation = "AUTOCOMMIT" if parsed.get_backend_name() == "sqlite" else "READ COMMITTED"
            self._engine = sa.create_engine(
                parsed,
                poolclass=sa.NullPool,
                isolation_level=isolation,
                json_serializer=partial(json.dumps, ensure_ascii=False),
            )
        except (ArgumentError, NoSuchModuleError, ImportError, ValueError):
            kind = url.partition(":")[0]
            raise LogError(
                f"the {self.name}'s URL ({kind}:...) cannot be used: write sqlite:///path or "
                "postgresql+psycopg://user:${PASSWORD}@host:port/database"
            ) from None
        if self._engine.dialect.name not in _GUARDS:
            raise LogError(f"the {self.name} lies in SQLite or PostgreSQL, not in {self._engine.dialect.name}")

    @property
    def address(self) -> str:
        """The URL without its password, for messages."""
        return self._engine.url.render_as_string(hide_password=True)

    def rows(self) -> tuple[Row, ...]:
        """All rows, oldest first; none where the log has never been written.

        Raises:
            LogError: the database cannot be reached, or the file can be read by others.
        """
        if self._file and not self._file.exists():
            return ()
        self._refuse_open_file()
        with self._telling(), self._engine.connect() as connection:
            return self._read(connection) if sa.inspect(connection).has_table(self.table.name) else ()

    def append(self, draft: Callable[[Sequence[Row]], Row], made_at: dt.datetime) -> Row:
        """Add one row; returns it with its number.

        Args:
            draft: Makes the row from all rows before it, whose number and time are then set; what it raises leaves
                the log as it was. No other writer gets in between.
            made_at: The time of the decision, with time zone.

        Raises:
            LogError: as for ``rows``; nothing is written.
        """
        self._create_file()
        self._refuse_open_file()
        with self._telling(), self._engine.connect() as connection, self._turn(connection):
            self._create_table(connection)
            before = self._read(connection)
            number = max((getattr(earlier, self._key) for earlier in before), default=0) + 1
            # a clock that was set back must not make the latest word an earlier one
            last: dt.datetime = max((getattr(earlier, _MADE_AT) for earlier in before), default=made_at)
            at = made_at if made_at >= last else last + dt.timedelta(microseconds=1)
            row = replace(draft(before), **{self._key: number, _MADE_AT: at})
            connection.execute(self.table.insert(), self._values(row))
        return row

    def redact(self, change: Callable[[Row], Row]) -> int:
        """Rewrite rows of a customer that was erased: the one change there is, and none of the log's own making.

        The guards are lifted for it within one transaction; a SQLite file is then written anew, so that no old bytes
        stay in it.

        Args:
            change: Gives the row as it is to be; its number and time stay.

        Returns:
            How many rows were changed.

        Raises:
            LogError: as for ``rows``; or the database's user may not change the log (in PostgreSQL its owner may).
        """
        if self._file and not self._file.exists():
            return 0
        self._refuse_open_file()
        changed: list[tuple[Row, Row]] = []
        with self._telling(), self._engine.connect() as connection:
            with self._turn(connection):
                if sa.inspect(connection).has_table(self.table.name):
                    changed = [(row, new) for row in self._read(connection) if (new := change(row)) != row]
                if changed:
                    self._unguard(connection)
                    for row, new in changed:
                        number = self.table.c[self._key] == getattr(row, self._key)
                        connection.execute(self.table.update().where(number).values(**self._values(new)))
                    self._guard(connection)
            if self._file:
                connection.exec_driver_sql("vacuum")
        return len(changed)

    def _guard(self, connection: sa.Connection) -> None:
        for guard in _GUARDS[self._engine.dialect.name]:
            connection.exec_driver_sql(guard.format(table=self.table.name, key=self._key, name=self.name))

    def _unguard(self, connection: sa.Connection) -> None:
        for undo in _UNGUARD[self._engine.dialect.name]:
            connection.exec_driver_sql(undo.format(table=self.table.name))

    @abstractmethod
    def _from_row(self, row: sa.Row[Any]) -> Row:
        """A row as it is read, ``made_at`` without its time zone (UTC)."""

    @abstractmethod
    def _values(self, row: Row) -> dict[str, object]:
        """A row as it is written."""

    def _read(self, connection: sa.Connection) -> tuple[Row, ...]:
        found = connection.execute(sa.select(self.table).order_by(self.table.c[self._key]))
        return tuple(self._from_row(row) for row in found)

    @property
    def _key(self) -> str:
        [column] = self.table.primary_key
        return column.name

    @property
    def _file(self) -> Path | None:
        database = self._engine.url.database
        return Path(database) if self._engine.dialect.name == "sqlite" and database else None

    def _create_file(self) -> None:
        if self._file and not self._file.exists():
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(self._file, os.O_WRONLY | os.O_CREAT, 0o600))

    def _refuse_open_file(self) -> None:
        if self._file and self._file.stat().st_mode & 0o077:
            raise LogError(f"{self._file} is open to others than its owner; run: chmod 600 {self._file}")

    @contextmanager
    def _turn(self, connection: sa.Connection) -> Iterator[None]:
        """A transaction that other writers wait for; readers do not."""
        if self._engine.dialect.name == "sqlite":
            connection.exec_driver_sql(f"pragma busy_timeout = {WAIT_SECONDS * 1000}")
            connection.exec_driver_sql("begin immediate")
            try:
                yield
            except BaseException:
                connection.exec_driver_sql("rollback")
                raise
            connection.exec_driver_sql("commit")
        else:
            with connection.begin():
                connection.exec_driver_sql(f"set local lock_timeout = '{WAIT_SECONDS}s'")
                connection.exec_driver_sql(f"select pg_advisory_xact_lock({_ADVISORY_LOCK})")
                yield

    def _create_table(self, connection: sa.Connection) -> None:
        if not sa.inspect(connection).has_table(self.table.name):
            self.table.create(connection)
            self._guard(connection)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Tell the database's errors in one line: no statement, no values, no password."""
        try:
            yield
        except SQLAlchemyError as error:
            said = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()
            raise LogError(
                f"the {self.name} {self.address} cannot be used: {said[0] if said else type(error).__name__}"
            ) from None


def _filled(name: str, url: sa.URL, environment: Mapping[str, str]) -> sa.URL:
    """Put environment variables in; a part may hold any character once it has been told from the others."""
    parts = {part: getattr(url, part) for part in ("username", "password", "host", "database")}
    unset = sorted({v for part in parts.values() for v in _VARIABLE.findall(part or "") if not environment.get(v)})
    if unset:
        raise LogError(f"the {name}'s URL needs the environment variable {', '.join(unset)}")
    filled = {key: part and _VARIABLE.sub(lambda v: environment[v[1]], part) for key, part in parts.items()}
    return url.set(**filled)  # type: ignore[arg-type]
