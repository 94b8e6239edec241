"""DDL of a table from its definition: types, not null, primary key, checks on codes, comments.

Primary keys cost: at a million rows of eight columns, loading takes 1.5 s instead of 0.65 s and the file grows from
36 to 81 MB, because DuckDB keeps the key's index in the file; checks and not null cost nothing measurable. So every
table whose key columns are all required has its primary key, but for the tables that hold many rows per customer
(``UNINDEXED``): their keys are proven by the gate's suites instead.
"""

from models.tables import Column, Table

UNINDEXED = frozenset(
    {
        "customer.transaction",
        "customer.customer_field",
        "customer.customer_record_history",
        "customer.customer_history",
        "mart.customer_product_contribution",
        "mart.customer_contribution",
        "meta.quarantine",
    }
)


def quoted(name: str) -> str:
    """An identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text in single quotes."""
    return "'" + text.replace("'", "''") + "'"


def qualified(table: Table, catalog: str | None = None) -> str:
    """A table's name with its schema, and with the catalog if one is given, in quotes."""
    parts = [catalog] if catalog else []
    return ".".join(quoted(part) for part in (*parts, table.layer, table.name))


def create_table(table: Table, catalog: str | None = None, constrained: bool = True) -> str:
    """Return the ``create table`` statement; without constraints the table takes any row of the right types."""
    lines = [_column(column, constrained) for column in table.columns]
    if constrained and has_primary_key(table):
        lines.append(f"primary key ({', '.join(quoted(name) for name in table.key)})")
    body = ",\n    ".join(lines)
    return f"create table {qualified(table, catalog)} (\n    {body}\n)"


def has_primary_key(table: Table) -> bool:
    """Whether the release enforces the key by an index (see the module's charter)."""
    return table.id not in UNINDEXED and all(table.column(name).required for name in table.key)


def comments(table: Table, catalog: str | None = None) -> list[str]:
    """Return the ``comment on`` statements of a table and its columns, each ``English | Chinese``."""
    name = qualified(table, catalog)
    return [
        f"comment on table {name} is {literal(f'{table.en} | {table.zh}')}",
        *(
            f"comment on column {name}.{quoted(column.name)} is {literal(column_comment(column))}"
            for column in table.columns
        ),
    ]


def column_comment(column: Column) -> str:
    """What a column means, with its unit, in English and Chinese."""
    unit = f" ({column.unit})" if column.unit else ""
    return f"{column.en}{unit} | {column.zh}"


def _column(column: Column, constrained: bool) -> str:
    line = f"{quoted(column.name)} {column.type}"
    if constrained and column.required:
        line += " not null"
    if constrained and column.values:
        codes = ", ".join(literal(value) for value in column.values)
        line += f" check ({quoted(column.name)} in ({codes}))"
    return line
