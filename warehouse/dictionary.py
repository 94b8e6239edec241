"""The data dictionary: every published table and column in English and Chinese, generated from the definitions.

``docs/dictionary.md`` is this text; a test and ``c360 dictionary --check`` fail when it is out of date. The release
carries the same words as comments and in ``meta.columns``.
"""

from collections.abc import Iterable, Iterator, Mapping

from models.tables import Column, Table, load_tables
from warehouse.facts import meta_tables

_INTRODUCTION = """\
# Data dictionary

Generated from the table definitions: do not edit (`c360 dictionary > docs/dictionary.md`).

Every table of the release `customer360.duckdb`. **Key**: the columns whose values together name one row. *Needed*: a
value in every row. **PII** is the class of personal information by JR/T 0171-2020: C3 authenticates, C2 identifies or
describes a person, C1 is of internal use, none is neither. Amounts are in the currency of the row's `currency_code`
unless the unit says otherwise; times are UTC; rates are fractions.
"""

_ENTITIES = """
# Canonical entities

What the contracts' `fills` may fill; not part of the release. `system`, `source_object` and `source_line` are filled by
themselves. Every fill of an entity gives at least the columns that are needed.
"""


def dictionary(tables: Mapping[str, Table] | None = None) -> str:
    """Return the dictionary as Markdown.

    Args:
        tables: definitions by id; by default those of the models and of schema meta. Published ones are listed, and
            the canonical entities that contracts fill.
    """
    known = {**load_tables(), **meta_tables()} if tables is None else tables
    published = [table for table in known.values() if table.published]
    parts = [_INTRODUCTION, *_contents(published)]
    for table in published:
        parts.extend(_section(table))
    parts.append(_ENTITIES)
    for table in known.values():
        if table.canonical:
            parts.extend(_section(table))
    return "\n".join(parts) + "\n"


def _contents(tables: Iterable[Table]) -> Iterator[str]:
    yield "| table | what it holds | 内容 |"
    yield "|---|---|---|"
    for table in tables:
        anchor = table.id.replace(".", "").lower()
        yield f"| [`{table.id}`](#{anchor}) | {_cell(table.en)} | {_cell(table.zh)} |"


def _section(table: Table) -> Iterator[str]:
    yield f"\n## {table.id}\n"
    yield f"{table.en} {table.zh}。\n"
    yield f"Key: {', '.join(f'`{name}`' for name in table.key)}\n"
    yield "| column | type | needed | unit | PII | meaning | 含义 | codes |"
    yield "|---|---|---|---|---|---|---|---|"
    yield from (_row(table, column) for column in table.columns)


def _row(table: Table, column: Column) -> str:
    name = f"**`{column.name}`**" if column.name in table.key else f"`{column.name}`"
    cells = [
        name,
        column.type,
        "yes" if column.required else "",
        column.unit or "",
        column.pii,
        column.en,
        column.zh,
        ", ".join(f"`{value}`" for value in column.values),
    ]
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
