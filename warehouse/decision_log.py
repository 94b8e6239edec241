"""The stewards' decision log: one table that is only ever added to, in SQLite below the home or in PostgreSQL.

Here a row is written and all rows are read. There is nothing to change or remove one: the database itself refuses
(triggers). Writers take turns, so each sees all earlier rows before its own is accepted, and numbers rise in the order
of acceptance without gaps. What the rows mean is ``models.identity.decisions``'s matter.
"""

import datetime as dt
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from models.identity.decisions import LogRow

# how long a writer waits for another to finish
WAIT_SECONDS = 30

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_ADVISORY_LOCK = 360_360

_METADATA = sa.MetaData()
TABLE = sa.Table(
    "steward_decision",
    _METADATA,
    sa.Column("decision_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("made_at", sa.DateTime, nullable=False, comment="UTC"),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("left_records", sa.JSON, nullable=False, comment="[[system, record_id], ...]"),
    sa.Column("right_records", sa.JSON, nullable=False, comment="[[system, record_id], ...]"),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("refers_to", sa.BigInteger, sa.ForeignKey("steward_decision.decision_id")),
    sa.Column("needs_approval", sa.Boolean, nullable=False),
    sa.CheckConstraint("verdict in ('same', 'different', 'withdraw', 'approve')", name="known_verdict"),
    sa.CheckConstraint("(verdict in ('withdraw', 'approve')) = (refers_to is not null)", name="reference"),
    sa.CheckConstraint("trim(reason) <> ''", name="reason_given"),
    sa.CheckConstraint("trim(made_by) <> ''", name="maker_given"),
)
_GUARDS = {
    "sqlite": (
        "create trigger steward_decision_no_update before update on steward_decision "
        "begin select raise(abort, 'the decision log is append-only'); end",
        "create trigger steward_decision_no_delete before delete on steward_decision "
        "begin select raise(abort, 'the decision log is append-only'); end",
        # 'insert or replace' removes the old row without asking the trigger above
        "create trigger steward_decision_no_replace before insert on steward_decision "
        "when exists (select 1 from steward_decision where decision_id = new.decision_id) "
        "begin select raise(abort, 'the decision log is append-only'); end",
    ),
    "postgresql": (
        "create function steward_decision_append_only() returns trigger language plpgsql as "
        "$$ begin raise exception 'the decision log is append-only'; end $$",
        "create trigger steward_decision_no_change before update or delete or truncate on steward_decision "
        "for each statement execute function steward_decision_append_only()",
    ),
}


class DecisionLogError(ConnectionError):
    """The log cannot be read or written; says where it is, without password, and what to do."""


class DecisionLog:
    """The log at a SQLAlchemy URL.

    Args:
        url: ``sqlite:///path`` or ``postgresql+psycopg://user:${PASSWORD}@host/database``; names in ``${}`` are
            environment variables.
        environment: Where the variables are looked up.

    Raises:
        DecisionLogError: the URL cannot be used.
    """

    def __init__(self, url: str, environment: Mapping[str, str] = os.environ) -> None:
        try:
            parsed = _filled(sa.make_url(url), environment)
            isolation = "AUTOCOMMIT" if parsed.get_backend_name() == "sqlite" else "READ COMMITTED"
            self._engine = sa.create_engine(
                parsed,
                poolclass=sa.NullPool,
                isolation_level=isolation,
                json_serializer=partial(json.dumps, ensure_ascii=False),
            )
        except (ArgumentError, NoSuchModuleError, ImportError, ValueError):
            kind = url.partition(":")[0]
            raise DecisionLogError(
                f"the decision log's URL ({kind}:...) cannot be used: write sqlite:///path or "
                "postgresql+psycopg://user:${PASSWORD}@host:port/database"
            ) from None
        if self._engine.dialect.name not in _GUARDS:
            raise DecisionLogError(f"the decision log lies in SQLite or PostgreSQL, not in {self._engine.dialect.name}")

    @property
    def address(self) -> str:
        """The URL without its password, for messages."""
        return self._engine.url.render_as_string(hide_password=True)

    def rows(self) -> tuple[LogRow, ...]:
        """All rows, oldest first; none where the log has never been written.

        Raises:
            DecisionLogError: the database cannot be reached, or the file can be read by others.
        """
        if self._file and not self._file.exists():
            return ()
        self._refuse_open_file()
        with self._telling(), self._engine.connect() as connection:
            return _read(connection) if sa.inspect(connection).has_table(TABLE.name) else ()

    def append(self, draft: Callable[[Sequence[LogRow]], LogRow], made_at: dt.datetime) -> LogRow:
        """Add one row; returns it with its number.

        Args:
            draft: Makes the row from all rows before it, whose number and time are then set; what it raises leaves
                the log as it was. No other writer gets in between.
            made_at: The time of the decision, with time zone.

        Raises:
            DecisionLogError: as for ``rows``; nothing is written.
        """
        self._create_file()
        self._refuse_open_file()
        with self._telling(), self._engine.connect() as connection, self._turn(connection):
            self._create_table(connection)
            before = _read(connection)
            row = replace(
                draft(before),
                decision_id=max((r.decision_id for r in before), default=0) + 1,
                made_at=made_at,
            )
            connection.execute(TABLE.insert(), _values(row))
        return row

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
            raise DecisionLogError(f"{self._file} is open to others than its owner; run: chmod 600 {self._file}")

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
        if not sa.inspect(connection).has_table(TABLE.name):
            TABLE.create(connection)
            for guard in _GUARDS[self._engine.dialect.name]:
                connection.exec_driver_sql(guard)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Tell the database's errors in one line: no statement, no values, no password."""
        try:
            yield
        except SQLAlchemyError as error:
            said = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()
            raise DecisionLogError(
                f"the decision log {self.address} cannot be used: {said[0] if said else type(error).__name__}"
            ) from None


def _filled(url: sa.URL, environment: Mapping[str, str]) -> sa.URL:
    """Put environment variables in; a part may hold any character once it has been told from the others."""
    parts = {name: getattr(url, name) for name in ("username", "password", "host", "database")}
    unset = sorted({v for part in parts.values() for v in _VARIABLE.findall(part or "") if not environment.get(v)})
    if unset:
        raise DecisionLogError(f"the decision log's URL needs the environment variable {', '.join(unset)}")
    filled = {name: part and _VARIABLE.sub(lambda v: environment[v[1]], part) for name, part in parts.items()}
    return url.set(**filled)  # type: ignore[arg-type]


def _read(connection: sa.Connection) -> tuple[LogRow, ...]:
    return tuple(
        LogRow(
            decision_id=row.decision_id,
            made_at=row.made_at.replace(tzinfo=dt.UTC),
            made_by=row.made_by,
            verdict=row.verdict,
            left=tuple((system, record_id) for system, record_id in row.left_records),
            right=tuple((system, record_id) for system, record_id in row.right_records),
            reason=row.reason,
            refers_to=row.refers_to,
            needs_approval=row.needs_approval,
        )
        for row in connection.execute(sa.select(TABLE).order_by(TABLE.c.decision_id))
    )


def _values(row: LogRow) -> dict[str, object]:
    return {
        "decision_id": row.decision_id,
        "made_at": row.made_at.astimezone(dt.UTC).replace(tzinfo=None),
        "made_by": row.made_by,
        "verdict": row.verdict,
        "left_records": [list(record) for record in row.left],
        "right_records": [list(record) for record in row.right],
        "reason": row.reason,
        "refers_to": row.refers_to,
        "needs_approval": row.needs_approval,
    }
