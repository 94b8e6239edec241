"""Checking fills before any row is read: every path, column, code, lookup and expression, all at once.

The contract's own form is checked by ``contract_check``; here the fills are held against the objects' fields, the
other systems' contracts and the canonical entities, which come in as arguments.
"""

from collections.abc import Iterator, Mapping, Sequence

from sources.contract_shapes import Contract, SourceObject
from sources.expressions import Expression, Fill, Lookup, unquote
from sources.mapping_values import CanonicalColumn, expressions_in
from sources.problems import Location, Problem, hint
from sources.scope import Scope, UnknownPathError
from sources.sql_expression import mistake_in

# Columns that every row has without being told; of these only the two systems may be filled.
LINEAGE = ("system", "product_system", "source_object", "source_line")


def check_fills(contracts: Sequence[Contract], entities: Mapping[str, Sequence[CanonicalColumn]]) -> list[Problem]:
    """Check every fill of all contracts; returns each mistake with its file and line."""
    return [
        source.problem(location, message)
        for contract in contracts
        for source in contract.objects
        for number, fill in zip(source.fill_places or range(len(source.fills)), source.fills, strict=True)
        for location, message in _fill_mistakes(contracts, source, ("fills", number), fill, entities)
    ]


def find_object(contracts: Sequence[Contract], source: SourceObject, name: str) -> SourceObject:
    """Find the object that a lookup names: ``system.object``, or ``object`` of the same system.

    Raises:
        UnknownPathError: there is none.
    """
    system, _, short = name.rpartition(".")
    wanted = f"{system or source.system}.{short}"
    objects = {f"{o.system}.{o.name}": o for contract in contracts for o in contract.objects}
    if wanted not in objects:
        raise UnknownPathError(f"there is no object {name!r}{hint(wanted, objects)}")
    return objects[wanted]


Mistake = tuple[Location, str]


def _fill_mistakes(
    contracts: Sequence[Contract],
    source: SourceObject,
    here: Location,
    fill: Fill,
    entities: Mapping[str, Sequence[CanonicalColumn]],
) -> Iterator[Mistake]:
    scope = Scope(source, fill.each)
    try:
        scope.check_each()
    except UnknownPathError as error:
        yield (*here, "each"), str(error)
        scope = Scope(source)
        fill = _without_items(fill)
    for number, condition in enumerate(fill.when):
        yield from _path_mistake(scope, condition.path, (*here, "when", number, "from"))
    columns = {column.name: column for column in entities.get(fill.entity, ())}
    if fill.entity not in entities:
        yield (*here, "entity"), f"{fill.entity!r} is not a canonical entity{hint(fill.entity, entities)}"
    else:
        yield from _column_mistakes(fill, columns, here)
    systems = {contract.system for contract in contracts}
    for name, expression in fill.columns.items():
        location = (*here, "columns", name)
        yield from _expression_mistakes(contracts, scope, expression, location)
        if name in columns:
            yield from _value_mistakes(scope, expression, columns[name], location)
        stated = expression.constant if name in ("system", "product_system") else None
        if stated is not None and stated not in systems:
            yield location, f"there is no system {stated!r}{hint(stated, systems)}"


def _without_items(fill: Fill) -> Fill:
    """The fill without what its wrong ``each`` would make wrong as well."""

    def names_item(expression: Expression) -> bool:
        return any(
            (inner.path or "").startswith("item") or "item" in (inner.sql or "") or inner.lookup is not None
            for inner in expressions_in(expression)
        )

    kept = {name: Expression(constant="") if names_item(e) else e for name, e in fill.columns.items()}
    when = tuple(condition for condition in fill.when if not condition.path.startswith("item"))
    return fill.model_copy(update={"each": None, "columns": kept, "when": when})


def _column_mistakes(fill: Fill, columns: Mapping[str, CanonicalColumn], here: Location) -> Iterator[Mistake]:
    fillable = [name for name in columns if name not in ("source_object", "source_line")]
    for name in fill.columns:
        if name not in fillable:
            yield (*here, "columns", name), f"{fill.entity} has no column {name!r}{hint(name, fillable)}"
    for column in columns.values():
        if column.required and column.name not in LINEAGE and column.name not in fill.columns:
            yield (*here, "columns"), f"required column {column.name!r} of {fill.entity} is not filled"


def _expression_mistakes(
    contracts: Sequence[Contract], scope: Scope, expression: Expression, location: Location
) -> Iterator[Mistake]:
    """Mistakes in what an expression names, parts included."""
    if expression.path is not None:
        yield from _path_mistake(scope, expression.path, location)
    if expression.sql is not None:
        mistake = mistake_in(expression.sql, scope.place)
        if mistake:
            yield (*location, "sql"), mistake
    if expression.lookup is not None:
        for message in _lookup_mistakes(contracts, scope, expression.lookup):
            yield (*location, "lookup"), message
    for kind, parts in (("first_of", expression.first_of), ("join", expression.join)):
        for number, part in enumerate(parts or ()):
            yield from _expression_mistakes(contracts, scope, part, (*location, kind, number))


def _lookup_mistakes(contracts: Sequence[Contract], scope: Scope, lookup: Lookup) -> Iterator[str]:
    if all(unquote(own) is not None for own in lookup.by.values()):
        yield "'by' names no field of this row, only literals"
    for own in lookup.by.values():
        if unquote(own) is None:
            yield from (message for _, message in _path_mistake(scope, own, ()))
    try:
        other = Scope(find_object(contracts, scope.source, lookup.object))
    except UnknownPathError as error:
        yield str(error)
        return
    for theirs in (*lookup.by, lookup.take):
        yield from (message for _, message in _path_mistake(other, theirs, ()))


def _value_mistakes(
    scope: Scope, expression: Expression, column: CanonicalColumn, location: Location
) -> Iterator[Mistake]:
    """Mistakes in how an expression's text becomes the column's value."""
    for inner in expressions_in(expression):
        if inner.formats and not column.is_date:
            yield (*location, "formats"), f"'formats' are for dates; {column.name} is {column.type}"
        if inner.divide != 1 and column.scale is None:
            yield (*location, "divide"), f"'divide' is for decimals; {column.name} is {column.type}"
        elif (inner.negate or inner.absolute) and not column.is_number:
            yield location, f"'negate' and 'absolute' are for numbers; {column.name} is {column.type}"
        if inner.codes is not None and expression.join is None:
            keys = [key.strip().lower() for key in inner.codes]
            for key in sorted({key for key in keys if keys.count(key) > 1}):
                yield (*location, "codes"), f"code {key!r} is there twice (codes are compared without case)"
        if not column.values or (expression.join is not None and inner is not expression):
            continue
        stated = {
            "constant": [inner.constant],
            "default": [inner.default],
            "otherwise": [inner.otherwise],
            "codes": list((inner.codes or {}).values()),
        }
        for key, values in stated.items():
            for value in (v for v in values if v is not None and v not in column.values):
                place = (*location, key) if key != "constant" else location
                yield place, f"{value!r} is not a {column.name}{hint(value, column.values)}"


def _path_mistake(scope: Scope, path: str, location: Location) -> Iterator[Mistake]:
    try:
        scope.place(path)
    except UnknownPathError as error:
        yield location, str(error)
