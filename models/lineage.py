"""Which columns each column of a table is made from, read from the table's SQL.

Here lives what can be known from the definitions alone: the same every night. Which fields of the sources the canonical
entities are filled from is ``sources.mapping_lineage``'s matter. Values drawn by a function cannot be read from SQL: of
such a table only the tables that it reads are known.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from sqlglot import exp, parse_one
from sqlglot.lineage import Node, lineage

from models.tables import Table

DIALECT = "duckdb"
PREVIOUS = "previous."


class Edge(NamedTuple):
    """One step of lineage.

    Kinds: ``copied``, the source column as it is; ``computed``, made from it; ``none``, from no column (a constant, a
    setting, a count); ``rows``, the source only decides which rows there are, or is counted, and no column is named;
    ``function``, a function makes the table and reads the source (None: settings alone), and no column is known. A
    table of the night before is ``previous.<layer>.<table>``.
    """

    table: str
    column: str | None
    source_table: str | None
    source_column: str | None
    kind: str


def table_lineage(tables: Mapping[str, Table], parameters: Mapping[str, Any]) -> list[Edge]:
    """Every edge of the tables, in the order of tables and columns; of canonical entities none, contracts fill them.

    Args:
        tables: all definitions by id; they are also the schema that the SQL is resolved by.
        parameters: values of the SQL's ``$parameters`` that are structs or lists of structs; only the names of their
            fields are looked at.

    Raises:
        ValueError: a column of some SQL cannot be resolved; names table and column.
    """
    schema: dict[str, dict[str, dict[str, str]]] = {"previous": {}}
    for table in tables.values():
        columns = {column.name: column.type for column in table.columns}
        schema.setdefault(table.layer, {})[table.name] = columns
        schema["previous"][f"{table.layer}__{table.name}"] = columns
    structs = _structs(tables.values(), parameters)
    made = [table for table in tables.values() if not table.canonical]
    return [edge for table in made for edge in _edges(table, schema, structs)]


def _edges(table: Table, schema: dict[str, Any], structs: Mapping[str, list[str]]) -> Iterator[Edge]:
    if table.sql is None:
        yield from (Edge(table.id, None, _plain(source), None, "function") for source in table.inputs)
        if not table.inputs:
            yield Edge(table.id, None, None, None, "function")
        return
    query = parse_one(table.sql, dialect=DIALECT)
    _spread_structs(query, structs)
    roots = lineage(None, query, schema, dialect=DIALECT, trim_selects=False)
    read: set[str] = set()
    for column in table.columns:
        found = _sources(roots[column.name], f"{table.id}.{column.name}")
        read.update(source for source, _ in found)
        for (source, source_column), is_copy in sorted(found.items()):
            yield Edge(table.id, column.name, _plain(source), source_column, "copied" if is_copy else "computed")
        if not found:
            yield Edge(table.id, column.name, None, None, "none")
    yield from (Edge(table.id, None, _plain(source), None, "rows") for source in table.inputs if source not in read)


def _sources(root: Node, name: str) -> dict[tuple[str, str], bool]:
    """Columns of tables below a node, each with whether some way to it only passes the value on."""
    found: dict[tuple[str, str], bool] = {}
    seen: set[tuple[int, bool]] = set()

    def visit(node: Node, is_copy: bool) -> None:
        if (id(node), is_copy) in seen:  # nodes are shared: without this a deep query is walked exponentially often
            return
        seen.add((id(node), is_copy))
        if isinstance(node.expression, exp.Table):
            source = f"{node.expression.db}.{node.expression.name}", node.name.rpartition(".")[2].strip('"')
            found[source] = found.get(source, False) or is_copy
        elif isinstance(node.expression, exp.Placeholder) and not node.downstream and "." in node.name:
            raise ValueError(f"{name}: where {node.name} comes from cannot be read from the SQL")
        passes_on = is_copy and isinstance(node.expression.unalias(), exp.Column | exp.SetOperation)
        for source_node in node.downstream:
            visit(source_node, passes_on)

    visit(root, True)
    return found


def _structs(tables: Iterable[Table], parameters: Mapping[str, Any]) -> dict[str, list[str]]:
    """Names of the fields of every column, parameter and field of a parameter that is a struct or a list of them."""
    structs = {}
    for table in tables:
        for column in table.columns:
            if column.type.startswith("struct"):
                structs[column.name] = _fields(exp.DataType.build(column.type, dialect=DIALECT))
    pending = list(parameters.items())
    for name, value in pending:
        one = value[0] if isinstance(value, list | tuple) and value else value
        if isinstance(one, Mapping):
            structs[name] = list(one)
            pending.extend(one.items())
    return structs


def _spread_structs(query: exp.Expr, structs: Mapping[str, list[str]]) -> None:
    """Write ``unnest(structs)`` as the columns that come of it, which sqlglot does not know."""
    for select in query.find_all(exp.Select):
        columns: list[exp.Expr] = []
        for projection in select.expressions:
            given = projection.this if isinstance(projection, exp.Explode) else None
            if isinstance(given, exp.Cast):
                names = _fields(given.to)
            elif isinstance(given, exp.Array):
                names = [pair.this.name for pair in given.expressions[0].expressions]
            elif given is not None:
                names = structs[given.name]
            else:
                columns.append(projection)
                continue
            columns.extend(exp.alias_(exp.Explode(this=given.copy()), name) for name in names)
        select.set("expressions", columns)


def _fields(kind: exp.DataType) -> list[str]:
    while kind.this == exp.DType.ARRAY:
        kind = kind.expressions[0]
    return [field.name for field in kind.expressions]


def _plain(source: str) -> str:
    """``previous.mart__coverage`` as ``previous.mart.coverage``."""
    return source.replace("__", ".", 1) if source.startswith(PREVIOUS) else source
