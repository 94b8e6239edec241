"""Row rules: what a contract says of single values and keys, compiled to DuckDB predicates over landed text.

A row that breaks a rule goes to quarantine. Numbers, dates and codes are understood as staging understands them
(``conversions``). Rules over whole tables (sums, references, quality
entries of the contract) are the gate's, not ours.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from sources import conversions
from sources.contract import Field, SourceObject
from sources.conversions import clean, code_literals, folded, identifier, literal

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
    """SQL of a field's exact number as written (implied decimals not yet set); null where it is none."""
    return _decimal(_value(field))


def unreadable_number(field: Field) -> str:
    """Predicate: the field holds something, but no number."""
    return f"coalesce({_value(field)} is not null and {_decimal(_value(field))} is null, false)"


def repeated_keys(obj: SourceObject, landed: str, offenders: str) -> str:
    """Query for the rows (column ``_row``) whose primary key an earlier row has that breaks no rule.

    Args:
        obj: the object; it has a primary key.
        landed: relation with the landed columns and ``_row``, the row's place.
        offenders: relation with the ``_row`` of those that break a rule.
    """
    keys = ", ".join(_keys(obj))
    # Hashes first: only rows that may be repeated are compared by their keys, so memory stays small.
    return f"""
        with suspect as (
            select hash({keys}) as key_hash from {landed} group by all having count(*) > 1
        )
        select _row from (
            select _row, row_number() over (partition by {keys} order by _row) as occurrence
            from {landed}
            where hash({keys}) in (from suspect) and _row not in (select _row from {offenders})
        ) where occurrence > 1
    """


def known_keys(obj: SourceObject, landed: str, offenders: str, history: Sequence[Path]) -> str:
    """Query for the rows (column ``_row``), offenders apart, whose key an earlier business date has brought."""
    files = ", ".join(literal(str(path)) for path in history)
    keys = ", ".join(f"{key} as k{n}" for n, key in enumerate(_keys(obj)))
    names = ", ".join(f"k{n}" for n in range(len(obj.primary_key)))
    return f"""
        select _row
        from (select _row, {keys} from {landed} where _row not in (select _row from {offenders})) as arriving
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
        allowed = ", ".join(spelling for each in field.enum for spelling in code_literals(each))
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
        return f"case when {_decimal(value)} = trunc({_decimal(value)}) then 1 end"
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
    """SQL of a bound, in the units of the text: implied decimals move its point to the right."""
    if field.logical_type in _NUMERIC:
        return f"cast({literal(format(Decimal(str(bound)).scaleb(field.decimals), 'f'))} as decimal(38, 10))"
    if field.logical_type in _DATES:
        return f"cast({literal(str(bound))} as date)"
    return None


def _decimal(value: str) -> str:
    """Exact number of a text: plainly written ones to ten places, those with separators or a sign behind to four."""
    odd = conversions.decimal(value, scale=4)
    return f"coalesce(try_cast({value} as decimal(38, 10)), cast({odd} as decimal(38, 10)))"


def _date(field: Field) -> str:
    """Date of a field; ISO dates are cast, which is fast, where the contract allows them."""
    value = _value(field)
    formatted = conversions.date(value, field.formats)
    if field.formats and _ISO not in field.formats:
        return formatted
    cast = f"try_cast({value} as date)"
    return f"case when strlen({value}) = 10 and {cast} is not null then {cast} else {formatted} end"
