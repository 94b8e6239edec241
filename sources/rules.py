"""Row rules: what a contract says of single values and keys, compiled to DuckDB predicates over landed text.

A row that breaks a rule goes to quarantine. Values are understood as staging will understand them
(``conversions``), so nothing that passes here is lost there. Rules over whole tables (sums, references, quality
entries of the contract) are the gate's, not ours.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from sources import conversions
from sources.contract import Field, SourceObject
from sources.conversions import clean, code, folded, identifier, literal

_ISO = "%Y-%m-%d"
_NUMERIC = ("number", "integer")
_DATES = ("date", "timestamp")


@dataclass(frozen=True)
class Rule:
    """One rule: its name, the field it is about, what a steward reads, and the predicate that is true if broken.

    The predicate is SQL over the landed columns and may use ``$business_date``; it is never null.
    """

    field: str
    name: str
    reason: str
    predicate: str


def row_rules(obj: SourceObject) -> tuple[Rule, ...]:
    """Every rule of the object that can be judged from one row alone, in the order of its fields."""
    return tuple(rule for field in obj.fields for rule in _field_rules(field))


def number_of(field: Field) -> str:
    """SQL of a field's exact number as staging reads it (implied decimals set); null where it is none."""
    return conversions.divided(_decimal(_value(field)), field.decimals)


def unreadable_number(field: Field) -> str:
    """Predicate: the field holds something, but no number."""
    return f"coalesce({_value(field)} is not null and {_decimal(_value(field))} is null, false)"


def repeated_keys(obj: SourceObject, landed: str, offenders: str) -> str:
    """Query for the rows (column ``row``) whose primary key an earlier row has that breaks no rule.

    Args:
        obj: the object; it has a primary key.
        landed: relation with the landed columns and ``row``, the row's place.
        offenders: relation with the ``row`` of those that break a rule.
    """
    keys = ", ".join(_keys(obj))
    # Hashes first: only rows that may be repeated are compared by their keys, so memory stays small.
    return f"""
        with candidate as (
            select hash({keys}) as key_hash from {landed} group by all having count(*) > 1
        )
        select row from (
            select row, row_number() over (partition by {keys} order by row) as occurrence
            from {landed}
            where hash({keys}) in (from candidate) and row not in (select row from {offenders})
        ) where occurrence > 1
    """


def known_keys(obj: SourceObject, landed: str, history: Sequence[Path]) -> str:
    """Query for the rows (column ``row``) whose primary key an earlier business date has brought."""
    files = ", ".join(literal(str(path)) for path in history)
    keys = ", ".join(f"{key} as k{n}" for n, key in enumerate(_keys(obj)))
    names = ", ".join(f"k{n}" for n in range(len(obj.primary_key)))
    return f"""
        select row from (select row, {keys} from {landed}) as arriving
        semi join (select {keys} from read_parquet([{files}])) as earlier using ({names})
    """


def _keys(obj: SourceObject) -> list[str]:
    return [clean(identifier(name)) for name in obj.primary_key]


def _value(field: Field) -> str:
    return clean(identifier(field.name))


def _field_rules(field: Field) -> Iterator[Rule]:
    value = _value(field)

    def rule(name: str, reason: str, predicate: str) -> Rule:
        return Rule(field.name, name, reason, f"coalesce({predicate}, false)")

    if field.primary_key:
        yield rule("primaryKey", "the primary key is empty", f"{value} is null")
    elif field.required:
        yield rule("required", "required and empty", f"{value} is null")
    if field.on_invalid == "quarantine" and (understood := _understood(field)):
        kind = {"integer": "a whole number", "object": "JSON", "array": "JSON"}.get(field.logical_type)
        said = kind or f"a {field.logical_type}"
        yield rule("logicalType", f"not {said}", f"{value} is not null and {understood} is null")
    if field.enum:
        allowed = ", ".join(code(value) for value in field.enum)
        yield rule("enum", "not one of the contract's codes", f"{folded(value)} not in ({allowed})")
    yield from (rule(*parts) for parts in _option_rules(field))
    if field.not_future:
        yield rule("not_future", "after the business date", f"{_date(field)} > $business_date")


def _understood(field: Field) -> str | None:
    """SQL that is null where the field's value does not fit its logical type; None if any text fits."""
    value = _value(field)
    if field.logical_type == "number":
        return _decimal(value)
    if field.logical_type == "integer":
        return conversions.numeric(_decimal(value), "hugeint")
    if field.logical_type == "date":
        return _date(field)
    if field.logical_type == "timestamp":
        return conversions.timestamp(value, field.formats)
    if field.logical_type == "boolean":
        return conversions.boolean(value)
    if field.is_nested:
        return f"nullif(json_valid({value}), false)"
    return None


def _option_rules(field: Field) -> Iterable[tuple[str, str, str]]:
    """Rules of ``logicalTypeOptions``: name, reason, predicate."""
    options, value = field.options, _value(field)
    if isinstance(pattern := options.get("pattern"), str):
        yield "pattern", "does not match the contract's pattern", f"not regexp_matches({value}, {literal(pattern)})"
    for option, sign, said in (
        ("minimum", "<", "less than"),
        ("exclusiveMinimum", "<=", "not more than"),
        ("maximum", ">", "more than"),
        ("exclusiveMaximum", ">=", "not less than"),
    ):
        if (bound := options.get(option)) is not None and (limit := _bound(field, bound)):
            measured = number_of(field) if field.logical_type in _NUMERIC else _date(field)
            yield option, f"{said} {bound}", f"{measured} {sign} {limit}"
    for option, sign, said in (("minLength", "<", "shorter"), ("maxLength", ">", "longer")):
        if isinstance(length := options.get(option), int):
            yield option, f"{said} than {length} characters", f"length({value}) {sign} {length}"


def _bound(field: Field, bound: Any) -> str | None:
    if field.logical_type in _NUMERIC:
        return f"cast({literal(str(Decimal(str(bound))))} as decimal(38, 10))"
    if field.logical_type in _DATES:
        return f"cast({literal(str(bound))} as date)"
    return None


def _decimal(value: str) -> str:
    """Number of a text. Plain ones are cast, which is fast; separators and signs behind take the longer way."""
    cast = f"try_cast({value} as decimal(38, 10))"
    return (
        f"case when {cast} is not null and not contains({value}, '_') then {cast} "
        f"else {conversions.decimal(value)} end"
    )


def _date(field: Field) -> str:
    """Date of a field; ISO dates are cast, which is fast, where the contract allows them."""
    value = _value(field)
    formatted = conversions.date(value, field.formats)
    if field.formats and _ISO not in field.formats:
        return formatted
    cast = f"try_cast({value} as date)"
    return f"case when strlen({value}) = 10 and {cast} is not null then {cast} else {formatted} end"
