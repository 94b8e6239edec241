"""Rows and money of each object, step by step from what the sender states to what the fills make of it.

The steps are those of ``meta.reconciliation``. Sums are exact decimals of the raw text, added up apart from the
conversions that staging makes, so that the two can be held against each other. A figure that a fill does not simply
copy from a field (by codes, SQL, a lookup) has no sum before staging; nor has money of landings whose manifests are
older than this module. What staging and later layers hold is not known here.
"""

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

import duckdb

from sources import mapping
from sources.contract_shapes import Contract, Field, SourceObject
from sources.conversions import clean, code_literals, folded, identifier
from sources.expressions import Expression
from sources.manifest import LandingResult
from sources.mapping import CanonicalColumn, Part
from sources.rules import exact_number, plain_number, total_of

ROWS = "rows"
# The money of each canonical entity that is followed from the sender to the marts.
FIGURES: Mapping[str, tuple[str, ...]] = {
    "party": (),
    "account": ("balance_amount",),
    "card": ("credit_limit_amount", "balance_amount"),
    "loan": ("principal_amount", "outstanding_amount", "overdue_amount"),
    "standing_order": ("amount",),
    "transaction": ("amount",),
}
_DIGITS = 18  # of an amount in staging

Sums = dict[str, Decimal]
Steps = dict[str, Sums]


class Line(NamedTuple):
    """One step of one figure: what there is (``landed``), or what came or went between two (``quarantined``: less)."""

    system: str
    object: str | None
    subject: str | None
    figure: str
    step: str
    amount: Decimal


def fields_totalled(source: SourceObject) -> tuple[Field, ...]:
    """Fields whose sums are taken at landing: those with a control total, and those that figures are copied from."""
    control = source.delivery.control
    names = {*(control.totals if control else ())}
    for fill in source.fills:
        for figure in FIGURES.get(fill.entity, ()):
            copied = fill.columns.get(figure)
            if copied is not None and not fill.each and _is_copied(copied):
                names.add(copied.path or "")
    return tuple(field for field in source.fields if field.name in names)


def object_lines(
    con: duckdb.DuckDBPyConnection,
    contracts: Sequence[Contract],
    source: SourceObject,
    entities: Mapping[str, Sequence[CanonicalColumn]],
    landings: Sequence[LandingResult],
    business_date: dt.date,
    has_state_before: bool,
) -> list[Line]:
    """Every step of an object, from ``stated`` to ``mapped``: for each entity that it fills, and each control total.

    Args:
        con: connection with the landed partition, the object's relation, those of its lookups, and
            ``previous.staging__<table>`` if a delta object had a state before.
        contracts: the bank's contracts.
        source: the object.
        entities: canonical entities and their columns.
        landings: manifests of the landings up to the date, ascending; the last is the date's own.
        business_date: the date.
        has_state_before: whether there is a state before, of a delta object.
    """
    steps = _until_current(con, source, landings, has_state_before)
    lines: list[Line] = []
    copied: set[str] = set()
    for entity in FIGURES:
        parts = [part for part in mapping.parts_of(contracts, entity) if part.source.table == source.table]
        if parts:
            taken = _taken(con, parts, entities[entity], business_date)
            for figure in (ROWS, *FIGURES[entity]):
                found = [] if figure == ROWS else _copied_from(parts, figure)
                copied.update(field.name for field, _, _ in found or ())
                lines.extend(
                    Line(source.system, source.name, entity, figure, step, amount)
                    for step, amount in _steps_of(steps, taken, figure, found, parts)
                )
    for figure in (ROWS, *(field.name for field in fields_totalled(source))):
        if figure not in copied and (figure != ROWS or not lines):
            lines.extend(
                Line(source.system, source.name, None, figure, step, sums[figure])
                for step, sums in steps.items()
                if figure in sums
            )
    return lines


def party_lines(
    con: duckdb.DuckDBPyConnection, contracts: Sequence[Contract], columns: Sequence[CanonicalColumn]
) -> list[Line]:
    """Descriptions of parties by system, over all its objects, and those of them that describe a record once more."""
    by_name = {column.name: column for column in columns}
    selects = [
        f"select {mapping.value_of(part, by_name['system'])} as system, "
        f"{mapping.value_of(part, by_name['record_id'])} as record_id\n{mapping.rows_of(part)}"
        for part in mapping.parts_of(contracts, "party")
    ]
    if not selects:
        return []
    union = "\nunion all\n".join(selects)
    found = con.execute(
        f"select system, count(*), count(distinct coalesce(record_id, '')) from ({union}\n) group by system"
    ).fetchall()
    return [
        line
        for system, described, records in found
        for line in (
            Line(system, None, "party", ROWS, "mapped", Decimal(described)),
            Line(system, None, "party", ROWS, "repeated", Decimal(records - described)),
        )
    ]


# from the sender to the object's rows on the date


def _until_current(
    con: duckdb.DuckDBPyConnection, source: SourceObject, landings: Sequence[LandingResult], has_state_before: bool
) -> Steps:
    """Steps of an object's rows and fields, up to the rows that its fills read."""
    tonight, earlier = landings[-1], landings[:-1]
    totals = tonight.totals
    steps: Steps = {
        "stated": {name: one.stated for name, one in totals.items() if one.stated is not None},
        # the sender counts what rows carry that nobody can read: landing has warned of it
        "unread": {
            name: one.delivered - one.stated for name, one in totals.items() if one.stated is not None and one.unread
        },
        "delivered": {ROWS: Decimal(tonight.rows_delivered)} | {n: one.delivered for n, one in totals.items()},
        "quarantined": {ROWS: Decimal(-tonight.rows_quarantined)} | {n: -one.quarantined for n, one in totals.items()},
        "released": {ROWS: Decimal(tonight.rows_released)} | {n: one.released for n, one in totals.items()},
        "forgotten": {ROWS: Decimal(-tonight.rows_forgotten)} | {n: -one.forgotten for n, one in totals.items()},
    }
    if tonight.control_rows is not None:
        steps["stated"][ROWS] = Decimal(tonight.control_rows)
    steps["landed"] = sums_of(con, source, f"from landing.{source.table}")
    if source.delivery.mode == "append":
        steps["carried"] = _landed_before(source, earlier)
    elif source.delivery.mode == "delta":
        steps["carried"], steps["superseded"] = _delta(con, source, has_state_before)
    if "carried" in steps:
        for name in steps["landed"].keys() - steps["carried"].keys():
            # nothing is known of what was landed before: the figure begins with what there is now
            for sums in steps.values():
                sums.pop(name, None)
        steps["current"] = sums_of(con, source, f"from {source.relation}")
    return steps


def sums_of(con: duckdb.DuckDBPyConnection, source: SourceObject, rows: str) -> Sums:
    """Count of an object's rows, and exact sum of each field that is totalled, in a from-clause over landed columns."""
    fields = fields_totalled(source)
    found = con.execute(f"select {', '.join(['count(*)', *map(total_of, fields)])} {rows}").fetchall()[0]
    return {ROWS: Decimal(found[0])} | {
        field.name: total.scaleb(-field.decimals) for field, total in zip(fields, found[1:], strict=True)
    }


def _landed_before(source: SourceObject, earlier: Sequence[LandingResult]) -> Sums:
    sums = {ROWS: Decimal(sum(one.rows_landed for one in earlier))}
    for field in fields_totalled(source):
        if all(field.name in one.totals for one in earlier):
            sums[field.name] = sum((one.totals[field.name].landed for one in earlier), Decimal(0))
    return sums


def _delta(con: duckdb.DuckDBPyConnection, source: SourceObject, has_state_before: bool) -> tuple[Sums, Sums]:
    """What the state before held; what of it and of the date's delta is replaced or ended (as a negative)."""
    key = ", ".join(map(identifier, source.primary_key))
    last = f"row_number() over (partition by {key} order by _source_file desc, _source_line desc)"
    ended = "false"
    if operation := source.delivery.operation:
        codes = ", ".join(spelt for value in operation.delete for spelt in code_literals(value))
        ended = f"coalesce({folded(clean(identifier(operation.field)))} in ({codes}), false)"
    gone = f"select * from landing.{source.table} qualify {last} > 1 or {ended}"
    nothing = dict.fromkeys((ROWS, *(field.name for field in fields_totalled(source))), Decimal(0))
    before, superseded = nothing, sums_of(con, source, f"from ({gone})")
    if has_state_before:
        state = f"from previous.staging__{source.table}"
        before = sums_of(con, source, state)
        touched = sums_of(con, source, f"{state} semi join landing.{source.table} using ({key})")
        superseded = {name: amount + touched[name] for name, amount in superseded.items()}
    return before, {name: -amount for name, amount in superseded.items()}


# from the object's rows to what its fills make of them


@dataclass(frozen=True)
class _Taken:
    """What a fill takes: all of it, what rounding to cents adds, what has too many digits for an amount."""

    amount: Decimal
    rounded: Decimal = Decimal(0)
    unconverted: Decimal = Decimal(0)


Copied = tuple[Field, int, int]
"""A field that a figure is copied from, further decimals of ``divide``, and the sign."""


def _is_copied(expression: Expression) -> bool:
    """Whether a column is a field's number as it is; a default of 0 changes no sum."""
    default = expression.default
    return (
        expression.path is not None
        and "." not in expression.path
        and expression.codes is None
        and not expression.absolute
        and (default is None or default.strip("0.") == "")
    )


def _copied_from(parts: Sequence[Part], figure: str) -> list[Copied] | None:
    """The fields that a figure is copied from, each once; None if any of it is not only copied."""
    found: dict[str, Copied] = {}
    for part in parts:
        if (expression := part.fill.columns.get(figure)) is None:
            continue
        field = part.source.find(expression.path or "") if _is_copied(expression) else None
        if part.fill.each or field is None:
            return None
        one = (field, round(math.log10(expression.divide)), -1 if expression.negate else 1)
        if found.setdefault(field.name, one) != one:
            return None
    return list(found.values())


def _steps_of(
    steps: Steps, taken: Mapping[str, _Taken], figure: str, copied: list[Copied] | None, parts: Sequence[Part]
) -> Iterator[tuple[str, Decimal]]:
    """Steps of one figure of an entity, those without movement left out."""
    if copied is None or (figure != ROWS and not copied):
        return
    last = Decimal(0)
    for step, sums in steps.items():
        if figure == ROWS and ROWS in sums:
            last = sums[ROWS]
        elif figure != ROWS and all(field.name in sums for field, _, _ in copied):
            last = sum((sign * sums[field.name].scaleb(-shift) for field, shift, sign in copied), Decimal(0))
        else:
            continue
        yield step, last
    made = taken[figure]
    if len(parts) > 1 or any(_chooses(part) for part in parts):
        yield "by_contract", made.amount - last
    yield "unconverted", made.unconverted
    yield "rounded", made.rounded
    yield "mapped", made.amount + made.unconverted + made.rounded


def _chooses(part: Part) -> bool:
    """Whether a fill may leave rows of its object out, or list one several times."""
    return bool(part.fill.when or part.fill.each) or part.fill.entity not in mapping.KEPT_WHOLE


def _taken(
    con: duckdb.DuckDBPyConnection,
    parts: Sequence[Part],
    columns: Sequence[CanonicalColumn],
    business_date: dt.date,
) -> dict[str, _Taken]:
    """Rows and money that the fills of one object and entity take."""
    sums: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
    for part in parts:
        numbers, listed, shifts = dict[str, str](), ["count(*)"], list[tuple[str, int]]()
        for column in columns:
            if column.name in FIGURES[part.fill.entity] and (copied := _copied_from([part], column.name)):
                ((field, divided, sign),) = copied
                name, shift = f"number_{len(numbers) + 1}", field.decimals + divided
                numbers[name] = _number(identifier(field.name))
                listed.append(_three_sums(name, column.scale or 0, shift, sign))
                shifts.append((column.name, shift))
        query = f"select {', '.join(listed)} from (\n{_rows_taken(part, columns, numbers)}\n)"
        date = {"business_date": business_date} if "$business_date" in query else None
        count, *found = con.execute(query, date).fetchall()[0]
        sums[ROWS][0] += count
        for (figure, shift), three in zip(shifts, found, strict=True):
            sums[figure] = [sum_ + one.scaleb(-shift) for sum_, one in zip(sums[figure], three, strict=True)]
    return {figure: _Taken(*three) for figure, three in sums.items()}


def _rows_taken(part: Part, columns: Sequence[CanonicalColumn], numbers: Mapping[str, str]) -> str:
    """Select of the rows that a fill takes; lookups are joined only where they decide, so that they cannot add any."""
    listed = "".join(f", {number} as {name}" for name, number in numbers.items())
    if part.fill.entity in mapping.KEPT_WHOLE:
        return f"select 1 as one{listed}\n{mapping.rows_of(replace(part, lookups=()))}"
    values = ", ".join(f"{mapping.value_of(part, column)} as {identifier(column.name)}" for column in columns)
    condition = mapping.is_something(part.fill, columns) or "true"
    return f"select * from (\nselect {values}{listed}\n{mapping.rows_of(part)}\n)\nwhere {condition}"


def _number(text: str) -> str:
    """Exact number of a cleaned text."""
    plain = plain_number(text)
    return f"case when {plain} is not null then cast({plain} as decimal(38, 10)) else {exact_number(text)} end"


def _three_sums(number: str, scale: int, shift: int, sign: int) -> str:
    """Sum; what rounding to ``scale`` adds to it; and, negative, the sum of what does not fit an amount's digits."""
    fits = f"abs({number}) < 1{'0' * (_DIGITS - max(scale - shift, 0))}"
    rounding = f"cast(round({number}, {scale - shift}) as decimal(38, 10)) - {number}"
    sums = [f"sum({number})", f"sum({rounding}) filter ({fits})", f"-sum({number}) filter (not {fits})"]
    return f"[{', '.join(f'{sign} * coalesce({one}, 0)' for one in sums)}]"
