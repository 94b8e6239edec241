"""The language's last resort: ``sql:`` expressions, fenced in.

An expression sees the fields of its own row and the parameter ``$business_date``, nothing else: no table, no
subselect, no function whose result changes from run to run. It is checked by sqlglot and, for types and
function names, by DuckDB itself on an empty row.
"""

import datetime as dt
from collections.abc import Callable
from functools import cache

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from sources.conversions import identifier

# Not marked as changing by DuckDB, but they read the session or the environment.
_SESSION = frozenset({"getenv", "getvariable", "current_setting", "current_user", "current_role", "version"})
_FORBIDDEN = {
    exp.Query: "no subselect",
    exp.Table: "no table",
    exp.AggFunc: "no aggregate: it would join rows",
    exp.Window: "no window: it would look at other rows",
    exp.Star: "no '*'",
    exp.Parameter: "no parameter but $business_date",
    exp.Command: "no statement",
    exp.DDL: "no statement",
    exp.DML: "no statement",
}


def paths_in(sql: str) -> tuple[str, ...]:
    """Paths that an expression names, in order of appearance.

    Raises:
        ValueError: the text is not one expression, or uses what is forbidden; says which.
    """
    return tuple(dict.fromkeys(_path(column) for column in _parse(sql).find_all(exp.Column, bfs=False)))


def with_columns(sql: str) -> str:
    """Return the expression as written, each path quoted as the column that holds its text (``"name.full"``)."""
    spans = []
    for column in _parse(sql).find_all(exp.Column):
        parts = column.parts
        spans.append((int(parts[0].meta["start"]), int(parts[-1].meta["end"]) + 1, identifier(_path(column))))
    for start, end, name in sorted(spans, reverse=True):
        sql = sql[:start] + name + sql[end:]
    return sql


def mistake_in(sql: str, check_path: Callable[[str], object]) -> str | None:
    """What is wrong with an expression, or None.

    Args:
        sql: the expression.
        check_path: raises ValueError for a path that names nothing.
    """
    try:
        paths = paths_in(sql)
        for path in paths:
            check_path(path)
    except ValueError as error:
        return str(error)
    columns = ", ".join(f"cast(null as varchar) as {identifier(path)}" for path in paths) or "1 as one"
    statement = f"describe select cast({with_columns(sql)} as varchar) as text from (select {columns})"
    values = {"business_date": dt.date(2000, 1, 1)} if "$business_date" in sql else None
    with duckdb.connect(config={"enable_external_access": False}) as con:
        try:
            con.execute(statement, values)
        except duckdb.Error as error:
            return f"DuckDB refuses it: {str(error).splitlines()[0]}"
    return None


def _parse(sql: str) -> exp.Expr:
    try:
        parsed = sqlglot.parse(sql, dialect="duckdb")
    except SqlglotError as error:
        raise ValueError(f"not a SQL expression: {str(error).splitlines()[0]}") from error
    if len(parsed) != 1 or parsed[0] is None:
        raise ValueError("not one SQL expression")
    tree = parsed[0]
    for node in tree.walk():
        _refuse(node)
    return tree


def _refuse(node: exp.Expr) -> None:
    for kind, reason in _FORBIDDEN.items():
        if isinstance(node, kind):
            raise ValueError(f"{reason} ({node.sql(dialect='duckdb')})")
    if node.comments:
        raise ValueError("no comments in the expression (write them in YAML)")
    if isinstance(node, exp.Placeholder) and node.name != "business_date":
        raise ValueError("no parameter but $business_date")
    if isinstance(node, exp.Func):
        name = node.sql(dialect="duckdb").partition("(")[0].lower()
        if name in _changing_functions():
            raise ValueError(f"{name} changes from run to run; the business date is $business_date")


def _path(column: exp.Column) -> str:
    return ".".join(part.name for part in column.parts)


@cache
def _changing_functions() -> frozenset[str]:
    with duckdb.connect() as con:
        rows = con.execute(
            "select distinct function_name from duckdb_functions() "
            "where function_type = 'scalar' and stability <> 'CONSISTENT'"
        ).fetchall()
    return frozenset(row[0] for row in rows) | {"current_time", "current_timestamp", "localtimestamp"} | _SESSION
