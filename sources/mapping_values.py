"""One expression of a fill as SQL: its text, its typed value, and whether the source said anything at all.

The SQL reads a row in which every path is a column holding cleaned text (``"name.full"``), every doubtful
presence a column ``"name.full?"`` and every lookup a column ``lookup_1``; ``mapping`` builds that row.
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sources import conversions
from sources.conversions import clean, code_literals, folded, identifier, literal
from sources.expressions import Expression, Fill, Lookup, unquote
from sources.scope import POSITION, Scope
from sources.sql_expression import paths_in, with_columns

# Dates that lie ahead by their nature: the two-digit-year rule does not move them back a century.
FORWARD_DATES = frozenset({"expiry_date", "maturity_date"})


@dataclass(frozen=True)
class CanonicalColumn:
    """A column of a canonical entity: DuckDB type, whether it is required, allowed codes (empty: any)."""

    name: str
    type: str
    required: bool
    values: tuple[str, ...] = ()

    @property
    def is_text(self) -> bool:
        """Whether the column holds text."""
        return self.type.lower() == "varchar"

    @property
    def is_number(self) -> bool:
        """Whether the column holds a decimal or an integer."""
        return self.type.lower().split("(")[0].strip() in ("decimal", "integer", "bigint", "smallint")

    @property
    def scale(self) -> int | None:
        """Digits behind the decimal point; None for whole numbers."""
        match = re.fullmatch(r"decimal\(\s*\d+\s*,\s*(\d+)\s*\)", self.type.lower())
        return int(match.group(1)) if match else None

    @property
    def is_date(self) -> bool:
        """Whether the column holds a date or a timestamp."""
        return self.type.lower() in ("date", "timestamp")


def expressions_in(expression: Expression) -> Iterator[Expression]:
    """Return the expression and all that are inside it."""
    yield expression
    for part in expression.parts():
        yield from expressions_in(part)


def paths_of(fill: Fill) -> tuple[str, ...]:
    """Every path that a fill reads, in order of appearance."""
    paths = [condition.path for condition in fill.when]
    for expression in _all(fill):
        if expression.path is not None:
            paths.append(expression.path)
        if expression.sql is not None:
            paths.extend(paths_in(expression.sql))
        if expression.lookup is not None:
            paths.extend(own for own in expression.lookup.by.values() if unquote(own) is None)
    return tuple(dict.fromkeys(paths))


def lookups_of(fill: Fill) -> tuple[Lookup, ...]:
    """Every different lookup of a fill; the first is ``lookup_1``."""
    found: list[Lookup] = []
    for expression in _all(fill):
        if expression.lookup is not None and expression.lookup not in found:
            found.append(expression.lookup)
    return tuple(found)


def _all(fill: Fill) -> Iterable[Expression]:
    return [inner for expression in fill.columns.values() for inner in expressions_in(expression)]


@dataclass(frozen=True)
class Values:
    """Compiles the expressions of one fill."""

    scope: Scope
    lookups: tuple[Lookup, ...]

    def value(self, expression: Expression, column: CanonicalColumn, with_default: bool = True) -> str:
        """Typed SQL value of a column; NULL where nothing is there or nothing could be understood."""
        if expression.first_of is not None:
            parts = [self.value(_inheriting(part, expression), column) for part in expression.first_of]
            made = parts[0] if len(parts) == 1 else f"coalesce({', '.join(parts)})"
        else:
            made = self._typed(self._coded(expression), expression, column)
        if with_default and expression.default is not None:
            made = f"coalesce({made}, {self._typed(literal(expression.default), Expression(constant=''), column)})"
        return made

    def present(self, expression: Expression) -> str | None:
        """SQL condition: the source says something there; None for an expression that the source has no part in."""
        if expression.path is not None:
            return None if expression.path == POSITION else self._path_present(expression.path, expression)
        if expression.lookup is not None:
            own = [path for path in expression.lookup.by.values() if unquote(path) is None]
            return " and ".join(f"{identifier(path)} is not null" for path in own) or None
        if expression.sql is not None:
            return f"{self._text(expression)} is not null"
        parts = [present for part in expression.parts() if (present := self.present(_inheriting(part, expression)))]
        return f"({' or '.join(parts)})" if parts else None

    def can_be_lost(self, expression: Expression, column: CanonicalColumn) -> bool:
        """Whether a conversion, a code list, a join, a lookup or JSON can turn something present into NULL."""
        if expression.constant is not None:
            return False
        return (
            not column.is_text
            or bool(column.values)
            or any(
                inner.codes is not None
                or inner.lookup is not None
                or (inner.join is not None and not inner.skip_missing)
                or (inner.path is not None and self.scope.place(inner.path).may_meet_json)
                for inner in expressions_in(expression)
            )
        )

    def _path_present(self, path: str, expression: Expression) -> str:
        column = identifier(f"{path}?") if self.scope.place(path).may_meet_json else f"{identifier(path)} is not null"
        meaningless = [key for key, meaning in (expression.codes or {}).items() if meaning is None]
        if not meaningless:
            return column
        listed = ", ".join(spelt for key in meaningless for spelt in code_literals(key))
        return f"({column} and coalesce({folded(identifier(path))} not in ({listed}), true))"

    def _text(self, expression: Expression) -> str:
        if expression.path is not None:
            return identifier(expression.path)
        if expression.constant is not None:
            return literal(expression.constant)
        if expression.lookup is not None:
            return f"lookup_{self.lookups.index(expression.lookup) + 1}"
        if expression.sql is not None:
            return clean(f"cast(({with_columns(expression.sql)}) as varchar)")
        return self._joined(expression)

    def _joined(self, expression: Expression) -> str:
        text = CanonicalColumn("text", "varchar", False)
        parts = [self.value(part, text) for part in expression.join or ()]
        if not expression.skip_missing:
            between = f" || {literal(expression.separator)} || " if expression.separator else " || "
            return "(" + between.join(parts) + ")"
        said = [part for part, e in zip(parts, expression.join or (), strict=True) if e.constant is None]
        joined = f"concat_ws({literal(expression.separator)}, {', '.join(parts)})"
        return f"case when coalesce({', '.join(said)}) is not null then {joined} end" if said else joined

    def _coded(self, expression: Expression) -> str:
        text = self._text(expression)
        if expression.codes is None:
            return text
        cases = " ".join(
            f"when {spelt} then {'null' if meaning is None else literal(meaning)}"
            for key, meaning in expression.codes.items()
            for spelt in code_literals(key)
        )
        if expression.otherwise is None:
            return f"case {folded(text)} {cases} end"
        translated = f"case {folded(text)} {cases} else {literal(expression.otherwise)} end"
        return f"case when {text} is not null then {translated} end"

    def _typed(self, text: str, expression: Expression, column: CanonicalColumn) -> str:
        type_ = column.type.lower()
        if column.is_date:
            field = self.scope.place(expression.path).field if expression.path else None
            formats = expression.formats or (field.formats if field else ())
            if type_ == "timestamp":
                zone = field.options.get("defaultTimezone") if field else None
                return conversions.timestamp(text, formats, zone)
            return conversions.date(text, formats, column.name in FORWARD_DATES)
        if column.is_number:
            return self._number(text, expression, column)
        if type_ == "boolean":
            return conversions.boolean(text)
        if not column.is_text:
            return f"try_cast({text} as {type_})"
        if column.values and expression.codes is None and expression.constant is None:
            allowed = ", ".join(literal(value) for value in column.values)
            return f"case when lower({text}) in ({allowed}) then lower({text}) end"
        return text

    def _number(self, text: str, expression: Expression, column: CanonicalColumn) -> str:
        """Number of a column; implied decimals and ``divide`` are digits that the text does not show."""
        scale = column.scale
        if scale is None:
            number = conversions.integer(text, column.type.lower())
        else:
            field = self.scope.place(expression.path).field if expression.path else None
            shift = (field.decimals if field else 0) + round(math.log10(expression.divide))
            number = conversions.decimal(text, scale, shift)
            if column.type.lower().replace(" ", "") != f"decimal(18,{scale})":
                number = f"try_cast({number} as {column.type.lower()})"
        number = f"abs({number})" if expression.absolute else number
        return f"-{number}" if expression.negate else number


def _inheriting(part: Expression, whole: Expression) -> Expression:
    """Give a part what the whole says of its text, where the part itself says nothing; a constant is as it is."""
    if part.constant is not None:
        return part
    given = {
        name: getattr(whole, name)
        for name in ("formats", "divide", "negate", "absolute")
        if getattr(part, name) == Expression.model_fields[name].default
    }
    if part.codes is None:
        given |= {"codes": whole.codes, "otherwise": whole.otherwise}
    return part.model_copy(update=given)
