"""Compiling contracts' fills into SQL: raw text in landing, canonical and typed columns out.

``compile_entity`` makes the one select of a canonical entity from all systems, ``compile_losses`` counts what the
conversions could not understand, ``inputs`` names the relations both read, ``delta_state_sql`` applies a delta.
Canonical columns come in as arguments; what a conversion is lies in ``conversions``, which paths exist in
``scope``, and whether a fill is right in ``mapping_check``. The functions here expect checked contracts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import indent

from sources.contract_shapes import Contract, SourceObject
from sources.conversions import clean, code_literals, folded, identifier, literal
from sources.expressions import Condition, Fill, Lookup, unquote
from sources.mapping_check import LINEAGE, check_fills, find_object
from sources.mapping_values import CanonicalColumn, Values, lookups_of, paths_of
from sources.scope import Scope

__all__ = [
    "KEPT_WHOLE",
    "CanonicalColumn",
    "Part",
    "check_fills",
    "compile_entity",
    "compile_losses",
    "compile_object",
    "delta_state_sql",
    "inputs",
    "is_something",
    "parts_of",
    "relations_of",
    "rows_of",
    "value_of",
]

# Of these every source row is kept, even if a required column is missing: the gate must see it. Of all others a
# row without its required columns says that there is nothing (a customer without a second phone).
KEPT_WHOLE = frozenset({"party", "account", "card", "loan", "transaction"})
# The columns that are the point of a row: without any of them there is nothing, whatever the keys say.
CONTENT = {
    "party_name": ("full_name",),
    "party_document": ("document_number",),
    "party_contact": ("contact_value",),
    "party_address": ("address_text", "province", "city", "district", "postcode"),
    "party_role": ("record_id", "product_id"),
    "standing_order": ("order_id",),
    "consent": ("purpose",),
}
LANDING_COLUMNS = ("_extra", "_source_file", "_source_line", "_record_hash", "_quarantine_id")


def compile_entity(contracts: Sequence[Contract], entity: str, columns: Sequence[CanonicalColumn]) -> str:
    """Compile every fill of an entity into one select of exactly its columns, in their order and types.

    The select takes the business date as ``$business_date`` where it needs it, and reads ``inputs(...)``. What no
    fill gives is NULL; no fill at all gives an empty result.
    """
    selects = [_select(part, columns) for part in parts_of(contracts, entity)]
    if not selects:
        nulls = ",\n".join(f"    cast(null as {column.type}) as {identifier(column.name)}" for column in columns)
        return f"select\n{nulls}\nwhere false"
    return "\nunion all\n".join(selects)


def compile_object(
    contracts: Sequence[Contract], source: SourceObject, entity: str, columns: Sequence[CanonicalColumn]
) -> list[tuple[str, tuple[str, ...]]]:
    """Compile what one object says of an entity: for each of its fills the select, and the relations that it reads."""
    return [
        (_select(part, columns), relations_of(part))
        for part in parts_of(contracts, entity)
        if part.source.table == source.table
    ]


def compile_losses(contracts: Sequence[Contract], entities: Mapping[str, Sequence[CanonicalColumn]]) -> str:
    """Compile the count of values that are present in the source but that the fills could not convert.

    Returns:
        A select of system, source_object, entity, column_name, lost_count (bigint, above 0), one row for each.
        A row of a list-like entity that is dropped although its content is there counts for the missing column.
    """
    counts = [
        select
        for entity in sorted(entities)
        for part in parts_of(contracts, entity)
        if (select := _loss_select(part, entities[entity]))
    ]
    if not counts:
        names = ("system", "source_object", "entity", "column_name")
        nulls = ", ".join(f"cast(null as varchar) as {name}" for name in names)
        return f"select {nulls}, cast(null as bigint) as lost_count\nwhere false"
    union = indent("\nunion all\n".join(counts), "    ")
    return (
        "select system, source_object, entity, column_name, cast(sum(lost_count) as bigint) as lost_count\n"
        f"from (\n{union}\n)\ngroup by all\nhaving sum(lost_count) > 0"
    )


def inputs(contracts: Sequence[Contract], entity: str) -> tuple[str, ...]:
    """Return the relations (``landing.core__customer``) that an entity's fills and their lookups read, sorted."""
    return tuple(sorted({relation for part in parts_of(contracts, entity) for relation in relations_of(part)}))


def delta_state_sql(source: SourceObject, has_previous: bool) -> str:
    """Compile the state of a delta object: the state before without the keys touched, and their last upserts.

    Reads ``landing.<table>`` (the day's delta) and, if there is one, ``previous.staging__<table>``; returns the
    landing table's columns.
    """
    columns = ", ".join(identifier(name) for name in (*(f.name for f in source.fields), *LANDING_COLUMNS))
    key = ", ".join(identifier(name) for name in source.primary_key)
    latest = (
        f"select {columns} from landing.{source.table}\n"
        f"qualify row_number() over (partition by {key} order by _source_file desc, _source_line desc) = 1"
    )
    operation = source.delivery.operation
    is_kept = ""
    if operation:
        deleted = ", ".join(spelt for value in operation.delete for spelt in code_literals(value))
        is_kept = f"\nwhere coalesce({folded(clean(identifier(operation.field)))} not in ({deleted}), true)"
    upserts = f"select {columns} from (\n{indent(latest, '    ')}\n){is_kept}"
    if not has_previous:
        return upserts
    # by name, as far as they are there: a state of before a column was added lacks it
    return (
        f"select {columns} from (\n"
        f"    select * from previous.staging__{source.table} anti join landing.{source.table} using ({key})\n"
        f"    union all by name\n{indent(upserts, '    ')}\n)"
    )


@dataclass(frozen=True)
class Part:
    """One fill with everything needed to compile it."""

    contracts: Sequence[Contract]
    source: SourceObject
    fill: Fill
    scope: Scope
    lookups: tuple[Lookup, ...]
    values: Values


def relations_of(part: Part) -> tuple[str, ...]:
    """Relations that a fill reads: its object's, and those of its lookups."""
    others = (find_object(part.contracts, part.source, lookup.object).relation for lookup in part.lookups)
    return (part.source.relation, *others)


def parts_of(contracts: Sequence[Contract], entity: str) -> Iterator[Part]:
    """Fills of an entity, in the order of systems, objects and fills."""
    for contract in sorted(contracts, key=lambda c: c.system):
        for source in contract.objects:
            for fill in source.fills:
                if fill.entity == entity:
                    scope, lookups = Scope(source, fill.each), lookups_of(fill)
                    yield Part(contracts, source, fill, scope, lookups, Values(scope, lookups))


def _select(part: Part, columns: Sequence[CanonicalColumn]) -> str:
    listed = ",\n".join(f"    {value_of(part, column)} as {identifier(column.name)}" for column in columns)
    select = f"select\n{listed}\n{rows_of(part)}"
    if condition := is_something(part.fill, columns):
        select = f"select * from (\n{indent(select, '    ')}\n)\nwhere {condition}"
    return f"-- {part.source.system}.{part.source.name}\n{select}"


def value_of(part: Part, column: CanonicalColumn) -> str:
    """Typed SQL value of a canonical column over ``rows_of``; NULL where the fill does not give it."""
    expression = part.fill.columns.get(column.name)
    if expression is not None:
        return part.values.value(expression, column)
    if column.name in ("system", "product_system"):
        return literal(part.source.system)
    if column.name == "source_object":
        return literal(part.source.name)
    if column.name == "source_line":
        return "_source_line"
    return f"cast(null as {column.type})"


def is_something(fill: Fill, columns: Sequence[CanonicalColumn]) -> str:
    """Condition under which a row of a list-like entity says anything; empty for the entities kept whole."""
    if fill.entity in KEPT_WHOLE:
        return ""
    needed = [c.name for c in columns if c.required and _may_be_missing(fill, c)]
    conditions = [f"{identifier(name)} is not null" for name in needed]
    content = [name for name in CONTENT.get(fill.entity, ()) if name in fill.columns]
    if content and not set(content) & set(needed):
        conditions.append(f"coalesce({', '.join(identifier(name) for name in content)}) is not null")
    return " and ".join(conditions)


def _may_be_missing(fill: Fill, column: CanonicalColumn) -> bool:
    expression = fill.columns.get(column.name)
    return column.name not in LINEAGE and expression is not None and expression.constant is None


def rows_of(part: Part, with_presence: bool = False) -> str:
    """From-clause of a fill: each path as a column of cleaned text, lookups joined, conditions applied."""
    texts = []
    for path in paths_of(part.fill):
        place = part.scope.place(path)
        texts.append(f"{place.text} as {identifier(path)}")
        if with_presence and place.may_meet_json:
            texts.append(f"{place.present} as {identifier(path + '?')}")
    listed = ",\n".join(f"    {text}" for text in (*texts, "_source_line"))
    cleaned = f"select\n{listed}\n{part.scope.relation()}"
    rows = f"from (\n{indent(cleaned, '    ')}\n)"
    for number, lookup in enumerate(part.lookups, 1):
        rows += "\n" + _join(part, number, lookup)
    conditions = [_condition(condition) for condition in part.fill.when]
    return rows + (f"\nwhere {' and '.join(conditions)}" if conditions else "")


def _join(part: Part, number: int, lookup: Lookup) -> str:
    """Left join of a lookup: at most one row for each key, NULL where the answers differ."""
    other = find_object(part.contracts, part.source, lookup.object)
    scope = Scope(other)
    keys: list[str] = []
    fixed: list[str] = []
    on: list[str] = []
    for theirs, own in lookup.by.items():
        text, constant = scope.place(theirs).text, unquote(own)
        if constant is not None:
            fixed.append(f"{text} = {literal(constant)}")
        else:
            keys.append(f"{text} as lookup_{number}_{len(keys) + 1}")
            on.append(f"{identifier(own)} = lookup_{number}_{len(keys)}")
    take = scope.place(lookup.take).text
    listed = ",\n".join(f"    {item}" for item in (*keys, f"{take} as answer"))
    where = f"\nwhere {' and '.join(fixed)}" if fixed else ""
    found = f"select\n{listed}\nfrom {other.relation}{where}"
    names = ", ".join(key.rpartition(" as ")[2] for key in keys)
    one = f"case when min(answer) = max(answer) then min(answer) end as lookup_{number}"
    grouped = f"select {names}, {one}\nfrom (\n{indent(found, '    ')}\n)\ngroup by {names}"
    return f"left join (\n{indent(grouped, '    ')}\n) on {' and '.join(on)}"


def _condition(condition: Condition) -> str:
    column = identifier(condition.path)
    codes = [value for value in condition.values if value not in ("missing", "present")]
    choices = [f"{column} is null"] if "missing" in condition.values else []
    choices += [f"{column} is not null"] if "present" in condition.values else []
    if codes:
        spelt = ", ".join(each for value in codes for each in code_literals(value))
        choices.append(f"{folded(column)} in ({spelt})")
    return choices[0] if len(choices) == 1 else f"({' or '.join(choices)})"


def _loss_select(part: Part, columns: Sequence[CanonicalColumn]) -> str:
    """Count of one fill's losses by column; empty if nothing of it can be lost."""
    content = [
        part.values.value(part.fill.columns[column.name], column)
        for column in columns
        if column.name in CONTENT.get(part.fill.entity, ()) and column.name in part.fill.columns
    ]
    names, counts = [], []
    for column in columns:
        expression = part.fill.columns.get(column.name)
        if expression is None:
            continue
        value = part.values.value(expression, column, with_default=False)
        present = part.values.present(expression) if part.values.can_be_lost(expression, column) else None
        reasons = [present] if present else []
        if part.fill.entity not in KEPT_WHOLE and column.required and _may_be_missing(part.fill, column):
            reasons += [f"{other} is not null" for other in content if other != value]
        if reasons:
            names.append(literal(column.name))
            counts.append(f"count(*) filter (where ({' or '.join(reasons)}) and {value} is null)")
    if not names:
        return ""
    listed = ",\n".join(f"        {count}" for count in counts)
    constants = (part.source.system, part.source.name, part.fill.entity)
    system, name, entity = (literal(constant) for constant in constants)
    return (
        f"select\n    {system} as system,\n    {name} as source_object,\n    {entity} as entity,\n"
        f"    unnest([{', '.join(names)}]) as column_name,\n    unnest([\n{listed}\n    ]) as lost_count\n"
        f"{rows_of(part, with_presence=True)}"
    )
