"""The mapping language: how a contract says which value goes into a canonical column.

These are shapes only, checked for themselves; whether the named fields and columns exist is checked, and the
SQL is made, by ``sources.mapping``. A column's expression has one *source* (``from``, ``first_of``, ``join``,
``constant``, ``lookup``, ``sql``), and may say how the text found there is understood (``codes``,
``formats``, ``divide``...). In short form an expression is a path (``name.full``) or a literal in single
quotes (``'CNY'``).
"""

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

# There is no year 0.
_YEAR = r"(?:[1-9]\d{3}|0[1-9]\d{2}|00[1-9]\d|000[1-9])"
# strptime directives a contract may use, as the regular expression of what they match: (separated, compact).
DIRECTIVES = {
    "Y": (_YEAR, _YEAR),
    "y": (r"\d{2}", r"\d{2}"),
    "m": (r"\d{1,2}", r"\d{2}"),
    "d": (r"\d{1,2}", r"\d{2}"),
    "H": (r"\d{1,2}", r"\d{2}"),
    "I": (r"\d{1,2}", r"\d{2}"),
    "M": (r"\d{2}", r"\d{2}"),
    "S": (r"\d{2}", r"\d{2}"),
    "j": (r"\d{3}", r"\d{3}"),
    "f": (r"\d{1,6}", r"\d{6}"),
    "b": (r"[A-Za-z]{3}", r"[A-Za-z]{3}"),
    "B": (r"[A-Za-z]+", r"[A-Za-z]+"),
    "p": (r"[AaPp][Mm]", r"[AaPp][Mm]"),
    "z": (r"Z|[+-]\d{2}(?::?\d{2})?", r"Z|[+-]\d{2}(?::?\d{2})?"),
}
_JDK = {"yyyy": "%Y", "uuuu": "%Y", "yy": "%y", "MM": "%m", "M": "%m", "dd": "%d", "d": "%d", "HH": "%H", "H": "%H"}
_JDK |= {"mm": "%M", "ss": "%S", "SSSSSS": "%f", "SSS": "%f", "MMM": "%b", "hh": "%I", "a": "%p", "DDD": "%j"}
_JDK |= {"XXX": "%z", "XX": "%z", "X": "%z", "Z": "%z"}


def _text(value: Any) -> Any:
    """Codes and constants are text in the sources, however YAML reads them."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def listed(value: Any) -> Any:
    """A single value as a list of one: both may be written."""
    return value if isinstance(value, list | tuple) or value is None else [value]


def strptime_format(written: str) -> str:
    """Return a date format in strptime's notation; it may be written so, or as ODCS does (``yyyy-MM-dd``).

    Raises:
        ValueError: a letter or directive that we do not know.
    """
    if "%" in written:
        unknown = [d for d in re.findall(r"%(.)", written) if d not in DIRECTIVES]
        if unknown:
            raise ValueError(f"date format {written!r}: %{unknown[0]} is unknown (known: %{' %'.join(DIRECTIVES)})")
        return written
    made = ""
    for match in re.finditer(r"'([^']*)'|([A-Za-z])\2*|[^A-Za-z']+", written):
        token = match.group(0)
        if match.group(1) is not None:
            made += match.group(1)
        elif match.group(2):
            if token not in _JDK:
                raise ValueError(f"date format {written!r}: {token!r} is unknown (example: 'yyyy-MM-dd' or '%Y-%m-%d')")
            made += _JDK[token]
        else:
            made += token
    return made


def format_pattern(strptime: str) -> str:
    """Regular expression of the texts that a strptime format describes in full (compact = no separators)."""
    pieces = re.findall(r"%(.)|([^%]+)", strptime)
    pattern = ""
    for place, (directive, literal) in enumerate(pieces):
        if literal:
            pattern += re.escape(literal)
            continue
        neighbours = [pieces[i] for i in (place - 1, place + 1) if 0 <= i < len(pieces)]
        compact = any(neighbour[0] for neighbour in neighbours) and directive not in "zpf"
        piece = DIRECTIVES[directive][compact]
        pattern += f"(?:{piece})" if "|" in piece else piece
    return pattern


Text = Annotated[str, BeforeValidator(_text)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(listed)]
_Format = Annotated[str, BeforeValidator(lambda v: strptime_format(v) if isinstance(v, str) else v)]


class Shape(BaseModel):
    """Base of everything that stands in our custom properties: unknown keys are mistakes; values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Condition(Shape):
    """A row takes part only where the text at ``from`` is missing, present, a value or one of several values."""

    path: str = Field(alias="from")
    values: Texts = Field(alias="is", min_length=1)


class Lookup(Shape):
    """A value from another object: the row of ``object`` whose fields equal ``by``; no or several answers = NULL.

    ``by`` maps the other object's fields to a path of this row or to a literal in single quotes; the short form
    is the name of a field that both have.
    """

    object: str
    by: dict[str, str] = Field(min_length=1)
    take: str

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("by"), str):
            return data | {"by": {data["by"]: data["by"]}}
        return data


SOURCES = ("from", "first_of", "join", "constant", "lookup", "sql")


class Expression(Shape):
    """Where a column's value comes from and how its text is understood."""

    path: str | None = Field(None, alias="from")
    first_of: tuple["Expression", ...] | None = Field(None, min_length=1)
    join: tuple["Expression", ...] | None = Field(None, min_length=1)
    constant: Text | None = None
    lookup: Lookup | None = None
    sql: str | None = None
    separator: str = Field("", alias="with")
    skip_missing: bool = False
    codes: dict[str, Text | None] | None = None
    otherwise: Text | None = None
    default: Text | None = None
    formats: Annotated[tuple[_Format, ...], BeforeValidator(listed)] = ()
    divide: Literal[1, 10, 100, 1000, 10000, 1000000] = 1
    negate: bool = False
    absolute: bool = False

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, data: Any) -> Any:
        if not isinstance(data, str):
            return data
        literal = unquote(data)
        return {"from": data} if literal is None else {"constant": literal}

    @model_validator(mode="after")
    def _one_source(self) -> "Expression":
        given = [name for name, value in self.sources() if value is not None]
        if len(given) != 1:
            said = f"not {' and '.join(given)}" if given else "none is given"
            raise ValueError(f"an expression has exactly one of {', '.join(SOURCES)}; {said}")
        if self.otherwise is not None and self.codes is None:
            raise ValueError("'otherwise' belongs to 'codes'; for a missing value write 'default'")
        if (self.separator or self.skip_missing) and self.join is None:
            raise ValueError("'with' and 'skip_missing' belong to 'join'")
        return self

    def sources(self) -> Iterable[tuple[str, Any]]:
        """Each possible source and what stands there."""
        return zip(SOURCES, (self.path, self.first_of, self.join, self.constant, self.lookup, self.sql), strict=True)

    def parts(self) -> tuple["Expression", ...]:
        """Expressions inside this one."""
        return (self.first_of or ()) + (self.join or ())


class Fill(Shape):
    """One canonical entity that the rows of an object, or the items of one of its arrays, fill."""

    entity: str
    columns: dict[str, Expression] = Field(min_length=1)
    each: str | None = None
    when: Annotated[tuple[Condition, ...], BeforeValidator(listed)] = ()


def unquote(text: str) -> str | None:
    """Text inside single quotes (``'-G'`` -> ``-G``, doubled quotes are one), or None if it is not quoted."""
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    return None
