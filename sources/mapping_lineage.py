"""Which fields of which objects each column of a canonical entity is filled from, read from the contracts' fills.

What the fills become as SQL is ``mapping``'s matter. The functions here expect checked contracts.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sources.contract_shapes import Contract, SourceObject
from sources.expressions import Expression, Fill, unquote
from sources.mapping_check import find_object
from sources.mapping_values import expressions_in
from sources.scope import ITEM, POSITION
from sources.sql_expression import paths_in


class FilledFrom(NamedTuple):
    """A column of an entity, the landing table and field (nested: ``name.full``) behind it, and whether only copied.

    A field that is typed (a date, an amount) counts as copied; one that is translated, joined or looked up does not.
    """

    column: str
    landing_table: str
    field: str
    is_copy: bool


def entity_lineage(contracts: Sequence[Contract], entity: str) -> list[FilledFrom]:
    """Every field behind every column of an entity, sorted, each pair once."""
    found: dict[tuple[str, str, str], bool] = {}
    for contract in contracts:
        for source in contract.objects:
            for fill in source.fills:
                if fill.entity == entity:
                    for one in _fields(contracts, source, fill):
                        found[one[:3]] = found.get(one[:3], False) or one.is_copy
    return [FilledFrom(*key, is_copy) for key, is_copy in sorted(found.items())]


def _fields(contracts: Sequence[Contract], source: SourceObject, fill: Fill) -> Iterator[FilledFrom]:
    own = f"landing.{source.table}"
    for column, whole in fill.columns.items():
        is_copy = whole.path not in (None, POSITION) and whole.codes is None
        for expression in expressions_in(whole):
            for path in _paths(expression):
                yield FilledFrom(column, own, _in_object(path, fill.each), is_copy)
            if expression.lookup is not None:
                other = find_object(contracts, source, expression.lookup.object)
                for field in (expression.lookup.take, *expression.lookup.by):
                    yield FilledFrom(column, f"landing.{other.table}", field, False)


def _paths(expression: Expression) -> Iterator[str]:
    if expression.path is not None:
        yield expression.path
    if expression.sql is not None:
        yield from paths_in(expression.sql)
    if expression.lookup is not None:
        yield from (own for own in expression.lookup.by.values() if unquote(own) is None)


def _in_object(path: str, each: str | None) -> str:
    """A path of an item of an array as the path from the object: ``item.number`` of ``phones`` is ``phones.number``."""
    if each is None or path.partition(".")[0] != ITEM:
        return path
    return each if path in (ITEM, POSITION) else f"{each}.{path.removeprefix(f'{ITEM}.')}"
