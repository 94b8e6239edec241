"""Row rules: what a contract says of single values and keys, compiled to DuckDB predicates over landed text.

A row that breaks a rule goes to quarantine. Numbers, dates and codes are understood as staging understands them
(``conversions``). Most values are plainly written, so each rule first asks the cheap question whether the value
is plainly fine, and only what is not gets the exact judgement. Rules over whole tables (sums, references,
quality entries of the contract) are the gate's, not ours.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from sources import conversions
from sources.contract import Field, SourceObject
from sources.conversions import clean, code_literals, folded, identifier, literal
from sources.parquet_files import parquet

_ISO = "%Y-%m-%d"
_NUMERIC = ("number", "integer")
_DATES = ("date", "timestamp")
_BLANK_CODES = "(9, 10, 13, 32, 160, 12288)"
_BOUNDS = (
    ("minimum", ">=", "less than"),
    ("exclusiveMinimum", ">", "not more than"),
    ("maximum", "<=", "more than"),
    ("exclusiveMaximum", "<", "not less than"),
)
_LENGTHS = (("minLength", ">=", "shorter"), ("maxLength", "<=", "longer"))


@dataclass(frozen=True)
class Rule:
    """One rule: the field it is about, its name, what a steward reads, and the predicate that is true if broken.

    The predicate is SQL over the landed columns and may use ``$business_date``; it is never null.
    """

    field: str
    name: str
    reason: str
    predicate: str


def row_rules(obj: SourceObject) -> tuple[Rule, ...]:
    """Every rule of the object that can be judged from one row alone, in the order of its fields."""
    return tuple(
        Rule(field.name, name, reason, f"case when {fine} then false else coalesce({broken}, false) end")
        for field in obj.fields
        for name, reason, fine, broken in _field_rules(field)
    )


def total_of(field: Field) -> str:
    """SQL aggregate: exact sum of a field's numbers, implied decimals not set; null if there is none."""
    text = identifier(field.name)
    plain = plain_number(text)
    other = f"case when {plain} is null and {text} <> '' then {_exact(field)} end"
    return f"coalesce(sum({plain}), 0)::decimal(38, 10) + coalesce(sum({other}), 0)"


def plain_number(text: str) -> str:
    """Number of a text written plainly with at most four places behind the point; null of any other, blank ones too."""
    return f"case when not regexp_matches({text}, '[.][0-9]{{5}}|[eE]') then try_cast({text} as decimal(18, 4)) end"


def exact_number(text: str) -> str:
    """Exact number of any cleaned text that is one: to ten places, with separators or a sign behind to four."""
    odd = conversions.decimal(text, scale=4)
    return f"coalesce(try_cast({text} as decimal(38, 10)), cast({odd} as decimal(38, 10)))"


def unreadable_number(field: Field) -> str:
    """Predicate: the field holds something, but no number."""
    text = identifier(field.name)
    return (
        f"case when try_cast({text} as decimal(18, 4)) is not null then false "
        f"else {clean(text)} is not null and {_exact(field)} is null end"
    )


def repeated_keys(obj: SourceObject, landed: str, offenders: str) -> str:
    """Query for the rows (column ``_row``) whose primary key an earlier row has that breaks no rule.

    Args:
        obj: the object; it has a primary key.
        landed: relation with the landed columns and ``_row``, the row's place.
        offenders: relation with the ``_row`` of those that break a rule.
    """
    keys = ", ".join(key_values(obj))
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
    keys = ", ".join(f"{key} as k{n}" for n, key in enumerate(key_values(obj)))
    names = ", ".join(f"k{n}" for n in range(len(obj.primary_key)))
    return f"""
        select _row
        from (select _row, {keys} from {landed} where _row not in (select _row from {offenders})) as arriving
        semi join (select {keys} from {parquet(*history)}) as earlier using ({names})
    """


def key_values(obj: SourceObject) -> list[str]:
    """Key values as staging sees them, without blanks around; few have any."""
    names = [identifier(name) for name in obj.primary_key]
    return [
        f"case when ord({n}) not in {_BLANK_CODES} and ord(right({n}, 1)) not in {_BLANK_CODES} then {n} "
        f"else {clean(n)} end"
        for n in names
    ]


def _field_rules(field: Field) -> Iterator[tuple[str, str, str, str]]:
    """Rules of one field: name, reason, the value is plainly fine, the value breaks the rule."""
    text = identifier(field.name)
    value = clean(text)
    filled = f"ord({text}) > 32 and ord({text}) not in {_BLANK_CODES}"
    if field.primary_key:
        yield "primaryKey", "the primary key is empty", filled, f"{value} is null"
    elif field.required:
        yield "required", "required and empty", filled, f"{value} is null"
    if field.on_invalid == "quarantine" and (understood := _type(field)):
        said, fine, exact = understood
        yield "logicalType", f"not {said}", fine, f"{value} is not null and {exact} is null"
    if field.enum:
        allowed = ", ".join(spelling for each in field.enum for spelling in code_literals(each))
        reason = "not one of the contract's codes"
        yield "enum", reason, f"{folded(text)} in ({allowed})", f"{folded(value)} not in ({allowed})"
    yield from _option_rules(field)
    if field.not_future:
        fine = f"{_plain_date(field)} <= $business_date"
        yield "not_future", "after the business date", fine, f"{_date(field)} > $business_date"


def _type(field: Field) -> tuple[str, str, str] | None:
    """What a logical type wants: in words, plainly there, null if it is not there; None if any text will do."""
    text = identifier(field.name)
    value = clean(text)
    number = f"try_cast({text} as decimal(18, 4))"
    kinds = {
        "number": ("a number", f"{number} is not null", _exact(field)),
        "integer": (
            "a whole number",
            f"{number} = trunc({number})",
            f"case when {_exact(field)} = trunc({_exact(field)}) then 1 end",
        ),
        "date": ("a date", f"{_plain_date(field)} is not null", _date(field)),
        "timestamp": ("a timestamp", "false", conversions.timestamp(value, field.formats)),
        "boolean": ("a boolean", "false", conversions.boolean(value)),
        "object": ("JSON", "false", f"nullif(json_valid({value}), false)"),
        "array": ("JSON", "false", f"nullif(json_valid({value}), false)"),
    }
    return kinds.get(field.logical_type)


def _option_rules(field: Field) -> Iterator[tuple[str, str, str, str]]:
    """Rules of ``logicalTypeOptions``."""
    options, text = field.options, identifier(field.name)
    value = clean(text)
    if isinstance(pattern := options.get("pattern"), str):
        matched = literal(pattern)
        broken = f"not regexp_matches({value}, {matched})"
        yield "pattern", "does not match the contract's pattern", f"regexp_matches({text}, {matched})", broken
    for option, sign, said in _BOUNDS:
        if (bound := options.get(option)) is None:
            continue
        if field.logical_type in _NUMERIC:
            # In the units of the text: implied decimals move the bound's point to the right.
            limit = format(Decimal(str(bound)).scaleb(field.decimals), "f")
            plain, exact = f"try_cast({text} as decimal(18, 4))", _exact(field)
        elif field.logical_type in _DATES:
            limit, plain, exact = f"date {literal(str(bound))}", _plain_date(field), _date(field)
        else:
            continue
        yield option, f"{said} {bound}", f"{plain} {sign} {limit}", f"not ({exact} {sign} {limit})"
    for option, sign, said in _LENGTHS:
        if isinstance(length := options.get(option), int):
            yield option, f"{said} than {length} characters", "false", f"not (length({value}) {sign} {length})"


def _exact(field: Field) -> str:
    return exact_number(clean(identifier(field.name)))


def _plain_date(field: Field) -> str:
    """Date of a text in ISO form, null where it has another or the contract wants another."""
    if field.formats and _ISO not in field.formats:
        return "null"
    text = identifier(field.name)
    # A cast alone takes '2026-01-1x' for a day, and knows a year 0.
    dashed = f"{text}[5] = '-' and {text}[8] = '-' and {text}[10] between '0' and '9' and {text} >= '0001'"
    return f"case when strlen({text}) = 10 and {dashed} then try_cast({text} as date) end"


def _date(field: Field) -> str:
    """Date of any text that is one, as the contract writes dates."""
    return conversions.date(clean(identifier(field.name)), field.formats)
