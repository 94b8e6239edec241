"""The engine: in-memory DuckDB connections that see lake partitions as tables.

A connection is made for one business date and a list of tables; each is a view ``layer.table`` over the
partition. Schema ``landing_history`` holds, for a landing table, every partition up to the date. Memory is
bounded, what does not fit spills to a folder. No file is ever opened for writing here but through the lake.
"""

import datetime as dt
import os
import re
import secrets
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from models.tables import Table, load_tables
from warehouse.lake import Lake, MissingPartitionError

HISTORY = "landing_history"
PREVIOUS = "previous"


class TableError(RuntimeError):
    """A table could not be computed; says which and how, without any value of the data."""


@dataclass(frozen=True)
class Engine:
    """A lake and the bounds within which queries over it run."""

    lake: Lake
    spill: Path
    memory_limit: str = "8GB"
    threads: int = 2

    @contextmanager
    def connection(self, business_date: dt.date, table_ids: Iterable[str] = ()) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open an in-memory DuckDB with one view for each table id.

        ``landing_history.x`` shows all partitions of ``landing.x`` up to and including the date;
        ``previous.layer__x`` the latest partition of ``layer.x`` before it: of a defined table with all columns that it
        has now, and empty before its first night; of another table no view if there is none.

        Raises:
            MissingPartitionError: a table has no partition for the date.
            DamagedPartitionError: the bytes of a partition are not those that were written.
        """
        self.spill.mkdir(parents=True, exist_ok=True)
        con = duckdb.connect(
            config={
                "memory_limit": self.memory_limit,
                "threads": self.threads,
                "temp_directory": own_spill(self.spill),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            }
        )
        try:
            con.execute("set TimeZone = 'UTC'")
            con.execute("set enable_progress_bar = false")
            for table_id in table_ids:
                self._add_view(con, table_id, business_date)
            yield con
        finally:
            con.close()

    def materialise(self, table: Table, business_date: dt.date, params: Mapping[str, Any] | None = None) -> int:
        """Run a table's SQL over its inputs and write the partition; returns the row count.

        Raises:
            MissingPartitionError: an input has no partition for the date.
            ValueError: the table has no SQL, or its result lacks or adds columns against the definition.
        """
        if table.sql is None:
            raise ValueError(f"{table.id} has no .sql file: it is made by a function")
        with self.connection(business_date, table.inputs) as con:
            return self.write(con, table, table.sql, business_date, params)

    def write(
        self,
        con: duckdb.DuckDBPyConnection,
        table: Table,
        select: str,
        business_date: dt.date,
        params: Mapping[str, Any] | None = None,
    ) -> int:
        """Write a select as a defined table: exactly its columns, in their order and types, sorted by its key."""
        try:
            return self._write(con, table, select, business_date, params)
        except (duckdb.IOException, duckdb.OutOfMemoryException):
            raise  # they speak of files and memory, and whoever has to make room must know where
        except duckdb.Error as error:
            # DuckDB quotes the value it stumbled over: it must not reach logs and event stores
            raise TableError(f"{table.id}: {type(error).__name__}: {without_values(str(error))}") from None

    def _write(
        self,
        con: duckdb.DuckDBPyConnection,
        table: Table,
        select: str,
        business_date: dt.date,
        params: Mapping[str, Any] | None,
    ) -> int:
        given = dict(params or {})
        months = list(months_between(given[table.months_from], business_date)) if table.months_from else []
        if months:
            given["month"] = months[0]
        wanted = {name: value for name, value in given.items() if f"${name}" in select}
        body = select.rstrip().rstrip(";")
        result = con.execute(f"describe ({body}\n)", wanted or None).fetchall()
        found = [row[0] for row in result]
        expected = [column.name for column in table.columns]
        if sorted(found) != sorted(expected):
            raise ValueError(
                f"{table.id}: the query lacks {sorted(set(expected) - set(found))} "
                f"and has undefined {sorted(set(found) - set(expected))}"
            )
        columns = ", ".join(f'cast("{c.name}" as {c.type}) as "{c.name}"' for c in table.columns)
        order = ", ".join(f'"{name}"' for name in table.key)
        statement = f"select {columns} from ({body}\n) order by {order}"
        if not months:
            return self.lake.write(con, statement, table.id, business_date, wanted)
        # one month at a time is sorted and written aside: their rows in a row are the table sorted by its key
        with tempfile.TemporaryDirectory(prefix=f"{os.getpid()}-", dir=self.spill) as folder:
            parts = [Path(folder) / f"{month}.parquet" for month in months]
            for month, part in zip(months, parts, strict=True):
                con.execute(f"copy ({statement}\n) to {_quoted(part)} (format parquet)", {**wanted, "month": month})
            return self.lake.write(con, f"from read_parquet({_listed(parts)})", table.id, business_date)

    def _add_view(self, con: duckdb.DuckDBPyConnection, table_id: str, business_date: dt.date) -> None:
        schema, _, name = table_id.partition(".")
        shape = ""
        if schema == HISTORY:
            landing = f"landing.{name}"
            files = [self.lake.require(landing, d) for d in self.lake.dates(landing) if d <= business_date]
            if not files:
                raise MissingPartitionError(f"{landing} has no partition up to {business_date}; land a delivery first")
        elif schema == PREVIOUS:
            former = name.replace("__", ".", 1)
            earlier = self.lake.previous(former, business_date)
            files = [self.lake.require(former, earlier)] if earlier else []
            if defined := load_tables().get(former):
                columns = ", ".join(f'cast(null as {c.type}) as "{c.name}"' for c in defined.columns)
                shape = f"select {columns} where false union all by name "
        else:
            files = [self.lake.require(table_id, business_date)]
        found = f"from read_parquet({_listed(files)}, hive_partitioning = false)" if files else ""
        if query := f"{shape}{found}".removesuffix("union all by name "):
            con.execute(f'create schema if not exists "{schema}"')
            con.execute(f'create view "{schema}"."{name}" as {query}')


def own_spill(spill: Path) -> str:
    """A folder for one connection below the folder to spill to, ``<process>-<random>``; DuckDB makes and removes it.

    DuckDB names its temporary files the same in every connection: two that spill to one folder read each other's.
    """
    return str(spill / f"{os.getpid()}-{secrets.token_hex(4)}")


def months_between(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    """First days of the months from one date's to another's."""
    for number in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        yield dt.date(number // 12, number % 12 + 1, 1)


def _listed(files: Iterable[Path]) -> str:
    return f"[{', '.join(map(_quoted, files))}]"


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def without_values(message: str) -> str:
    """First line of a DuckDB message, everything in quotes left out."""
    return re.sub(r"\"[^\"]*\"|'[^']*'", "'...'", message.strip().splitlines()[0])
