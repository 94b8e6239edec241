"""What two releases differ in: rows by the key of each table, columns, customers.

Rows are compared inside DuckDB by a hash of their key and one of their content, so that 24 million of them need no more
than the memory that DuckDB is given. A table whose fingerprints are equal is not read. No value of any row leaves here
but counts.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import duckdb

from warehouse.ddl import literal, quoted
from warehouse.release import Release, ReleaseError

CROSSWALK = "customer.customer_record"


@dataclass(frozen=True)
class RowChanges:
    """Rows of one table by key: only in the later release, in both with other content, only in the earlier one."""

    added: int
    changed: int
    removed: int


@dataclass(frozen=True)
class Shape:
    """A table as a release describes it in schema meta: row count, fingerprint, columns with their types, key."""

    rows: int
    content_hash: str
    columns: Mapping[str, str]
    key: tuple[str, ...]


@dataclass(frozen=True)
class TableChange:
    """One table in two releases; ``before`` or ``after`` is None where it is not there.

    Attributes:
        rows: None where the table is not in both, or its key has other columns: then no row can be found again.
    """

    table: str
    before: Shape | None
    after: Shape | None
    rows: RowChanges | None

    @property
    def columns_added(self) -> list[str]:
        """Columns that only the later release has, in its order."""
        known = self.before.columns if self.before else {}
        return [name for name in (self.after.columns if self.after else {}) if name not in known]

    @property
    def columns_removed(self) -> list[str]:
        """Columns that only the earlier release has, in its order."""
        known = self.after.columns if self.after else {}
        return [name for name in (self.before.columns if self.before else {}) if name not in known]

    @property
    def columns_retyped(self) -> list[str]:
        """Columns of another type, each as ``name: from -> to``."""
        if not (self.before and self.after):
            return []
        pairs = [(name, kind, self.after.columns.get(name, kind)) for name, kind in self.before.columns.items()]
        return [f"{name}: {old} -> {new}" for name, old, new in pairs if old != new]


@dataclass(frozen=True)
class Comparison:
    """Two releases' databases, attached to one connection.

    Attributes:
        con: the connection.
        before: catalog of the earlier release.
        after: catalog of the later release, or of a candidate.
    """

    con: duckdb.DuckDBPyConnection
    before: str
    after: str

    @cached_property
    def shapes(self) -> tuple[Mapping[str, Shape], Mapping[str, Shape]]:
        """The tables of the earlier and of the later release, by name."""
        return self._shapes(self.before), self._shapes(self.after)

    def tables(self) -> list[TableChange]:
        """Every data table of either, in the order of the later release, then those that it no longer has."""
        before, after = self.shapes
        return [self.table(name) for name in {**after, **before}]

    def table(self, name: str) -> TableChange:
        """One table.

        Raises:
            ReleaseError: neither release has it.
        """
        before, after = (shapes.get(name) for shapes in self.shapes)
        if not (before or after):
            raise ReleaseError(f"neither release has a table {name!r}; write schema.table")
        rows = None
        if before and after and before.key == after.key and set(after.key) <= set(_common(before, after)):
            same = before.content_hash == after.content_hash
            rows = RowChanges(0, 0, 0) if same else self._rows(name, before, after)
        return TableChange(name, before, after, rows)

    def columns(self, change: TableChange) -> dict[str, int]:
        """In how many rows that both releases have each column says something else; only columns where any does."""
        if not (change.rows and change.rows.changed and change.before and change.after):
            return {}
        key = change.after.key
        names = [column for column in _common(change.before, change.after) if column not in key]
        counts = ", ".join(
            f"count(*) filter (where before.{quoted(c)} is distinct from after.{quoted(c)})" for c in names
        )
        same_key = " and ".join(f"before.{quoted(c)} is not distinct from after.{quoted(c)}" for c in key)
        [found] = self.con.execute(
            f"select {counts} from {_in(self.before, change.table)} as before "
            f"inner join {_in(self.after, change.table)} as after on {same_key}"
        ).fetchall()
        return {column: count for column, count in zip(names, found, strict=True) if count}

    def customers(self) -> dict[str, int]:
        """How many customers were born, retired, merged and split; empty where a release has no crosswalk.

        ``born``: ids that are new. ``retired``: ids that live no more. ``merged``: customers that hold records of
        several former ones. ``split``: former ones whose records are of several now.
        """
        if any(CROSSWALK not in shapes for shapes in self.shapes):
            return {}
        [found] = self.con.execute(
            f"""
            with before as (select * from {_in(self.before, CROSSWALK)}),
            after as (select * from {_in(self.after, CROSSWALK)}),
            kept as (
                select before.customer_id as former_id, after.customer_id
                from before inner join after using (system, record_id)
                group by all
            ),
            into_one as (select customer_id from kept group by customer_id having count(*) > 1),
            into_several as (select former_id from kept group by former_id having count(*) > 1)
            select
                (select count(distinct customer_id) from after anti join before using (customer_id)),
                (select count(distinct customer_id) from before anti join after using (customer_id)),
                (select count(*) from into_one),
                (select count(*) from into_several)
            """
        ).fetchall()
        return dict(zip(("born", "retired", "merged", "split"), found, strict=True))

    def _rows(self, name: str, before: Shape, after: Shape) -> RowChanges:
        key = ", ".join(quoted(column) for column in after.key)
        content = ", ".join(quoted(column) for column in _common(before, after))
        [found] = self.con.execute(
            f"""
            with before as (select hash({key}) as key, hash({content}) as content from {_in(self.before, name)}),
            after as (select hash({key}) as key, hash({content}) as content from {_in(self.after, name)})
            select
                count(*) filter (where before.key is null),
                count(*) filter (where before.content <> after.content),
                count(*) filter (where after.key is null)
            from before full join after on before.key = after.key
            """
        ).fetchall()
        return RowChanges(*found)

    def _shapes(self, catalog: str) -> dict[str, Shape]:
        meta = f"{quoted(catalog)}.meta"
        columns: dict[str, dict[str, str]] = {}
        keys: dict[str, list[str]] = {}
        listed = f"select table_name, column_name, data_type, is_key from {meta}.columns order by table_name, position"
        for table, column, kind, is_key in self.con.execute(listed).fetchall():
            columns.setdefault(table, {})[column] = kind
            keys.setdefault(table, []).extend([column] * is_key)
        tables = self.con.execute(f"select table_name, row_count, content_hash from {meta}.tables").fetchall()
        return {name: Shape(rows, print_, columns[name], tuple(keys[name])) for name, rows, print_ in tables}


@contextmanager
def compared(before: Release, after: Release, config: Mapping[str, str | int | bool]) -> Iterator[Comparison]:
    """Open two releases read-only for comparison.

    Args:
        before: the earlier release.
        after: the later one.
        config: bounds of DuckDB.
    """
    with duckdb.connect(config=dict(config)) as con:
        for catalog, release in (("before", before), ("after", after)):
            attach(con, release, catalog)
        yield Comparison(con, "before", "after")


def attach(con: duckdb.DuckDBPyConnection, release: Release, catalog: str) -> None:
    """Attach a release's database read-only under a name."""
    con.execute(f"attach {literal(str(release.database))} as {quoted(catalog)} (read_only)")


def _common(before: Shape, after: Shape) -> list[str]:
    """Columns that both have with the same type: of a row only these can be compared."""
    return [name for name, kind in after.columns.items() if before.columns.get(name) == kind]


def _in(catalog: str, table: str) -> str:
    return ".".join(quoted(part) for part in (catalog, *table.split(".")))
