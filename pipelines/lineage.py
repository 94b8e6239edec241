"""From a column of a mart back to the fields of the sources: what the SQL says, and what the contracts say.

Reading either is ``models.lineage``'s and ``sources.mapping_lineage``'s work; here they are joined, and told as a tree.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from itertools import groupby

from models.lineage import PREVIOUS, Edge, table_lineage
from models.tables import Table
from pipelines.bank import Bank
from sources.mapping_lineage import entity_lineage


def lineage(bank: Bank, tables: Mapping[str, Table]) -> list[Edge]:
    """Every edge from every defined table, published or not, up to the fields of landing: ``meta.lineage``."""
    parameters = bank.value.parameters(dt.date(9999, 1, 1))  # only names of fields are read: any date will do
    edges = table_lineage(tables, parameters)
    for table in tables.values():
        if table.canonical:
            edges.extend(_filled(bank, table))
    return edges


def _filled(bank: Bank, table: Table) -> Iterator[Edge]:
    found = entity_lineage(bank.contracts, table.name)
    for column in table.columns:
        sources = [one for one in found if one.column == column.name]
        for one in sources:
            yield Edge(table.id, column.name, one.landing_table, one.field, "copied" if one.is_copy else "computed")
        if not sources:
            yield Edge(table.id, column.name, None, None, "none")


def tree(edges: list[Edge], table: str, column: str) -> Iterator[str]:
    """Tell where a column comes from, line by line, each source indented below what is made from it.

    What has been told above is not told again, and the night before is not followed.
    """
    into = {key: list(found) for key, found in groupby(sorted(edges, key=_target), key=_target)}
    told: set[tuple[str, str]] = set()

    def lines(name: tuple[str, str], how: str, depth: int) -> Iterator[str]:
        head = f"{'  ' * depth}{name[0]}.{name[1]}{how}"
        sources = into.get(name, [])
        functions = into.get((name[0], ""), [])
        if name in told:
            yield f"{head}, as above"
            return
        told.add(name)
        if name[0].startswith(PREVIOUS):
            yield f"{head}, of the night before"
        elif any(edge.kind == "none" for edge in sources):
            yield f"{head}, from no column: a constant, a setting, a count, or never filled"
        elif not sources and functions:
            made_from = ", ".join(edge.source_table for edge in functions if edge.source_table)
            yield f"{head}, by a function of {made_from or 'settings'}"
        else:
            yield head
        for edge in sources:
            if edge.source_table and edge.source_column:
                yield from lines((edge.source_table, edge.source_column), f"  {edge.kind}", depth + 1)

    yield from lines((table, column), "", 0)


def _target(edge: Edge) -> tuple[str, str]:
    return edge.table, edge.column or ""
