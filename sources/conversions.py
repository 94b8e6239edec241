"""From raw text to typed values, as DuckDB SQL: blanks, full-width digits, dates in many formats, exact decimals.

Every function takes and returns SQL text. A value that cannot be converted becomes NULL; nothing raises at run
time and money never passes through a floating-point number. Which column gets which conversion is said by
``mapping``; this module knows neither contracts nor columns.
"""

from collections.abc import Sequence

from sqlglot import exp

from sources.expressions import DIRECTIVES, format_pattern

# Formats tried where a contract names none: ISO, compact, with slashes or dots, and as China writes them.
DATE_FORMATS = ("%Y-%m-%d", "%Y%m%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日")
TIME_FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y%m%d%H%M%S",
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%dT%H:%M:%S.%f%z",
    "%Y-%m-%d %H:%M:%S%z",
)

_TRIMMED = " \t\r\n\u00a0\u3000"
_BLANKS = "e' \\t\\r\\n\u00a0\u3000'"
_WIDE = "０１２３４５６７８９－＋．，／："  # full-width
_NARROW = "0123456789-+.,/:"
_TO_NARROW = str.maketrans(_WIDE, _NARROW)
_SPACES = " \u00a0\u3000"
# Groups of three digits, or of four as China counts; '12,50' is no number, so that a decimal comma never
# silently becomes a hundredfold amount.
_NUMBER = r"^[+-]?(?:\d+|\d{1,3}(?:,\d{3})+|\d{1,4}(?:,\d{4})+)?(?:\.\d*)?(?:[eE][+-]?\d{1,3})?[+-]?$"
_WHOLE = r"^[+-]?(?:\d+|\d{1,3}(?:,\d{3})+|\d{1,4}(?:,\d{4})+)(?:\.0*)?[+-]?$"


def literal(value: str) -> str:
    """SQL text of a string, escaped."""
    return exp.Literal.string(value).sql(dialect="duckdb")


def identifier(name: str) -> str:
    """SQL text of a column or table name, quoted."""
    return exp.to_identifier(name, quoted=True).sql(dialect="duckdb")


def clean(text: str) -> str:
    """Text without blanks around it (full-width and no-break ones included); NULL if nothing is left."""
    return f"nullif(trim({text}, {_BLANKS}), '')"


def folded(text: str) -> str:
    """Text in lower case, for comparing with ``code_literals``."""
    return f"lower({text})"


def code_literals(value: str) -> tuple[str, ...]:
    """Return how a code is spelt, as literals: in lower case, and with full-width digits if it has any."""
    spelt = value.strip(_TRIMMED).lower()
    wide = spelt.translate(str.maketrans(_NARROW[:10], _WIDE[:10]))
    return tuple(literal(each) for each in dict.fromkeys((spelt.translate(_TO_NARROW), wide)))


def date(text: str, formats: Sequence[str] = (), may_be_future: bool = False) -> str:
    """Date of a text in one of the formats (default: the usual ones).

    Two-digit years: a date after ``$business_date`` moves back a century, unless the date looks forward by its
    nature. A time of day behind the date is dropped, the date is taken as written.
    """
    return f"cast({_moment(text, formats or DATE_FORMATS + TIME_FORMATS, may_be_future, zone=None)} as date)"


def timestamp(text: str, formats: Sequence[str] = (), zone: str | None = None) -> str:
    """Timestamp in UTC of a text in one of the formats; a text without zone is local time of ``zone`` (else UTC)."""
    return _moment(text, formats or TIME_FORMATS + DATE_FORMATS, may_be_future=False, zone=zone or "UTC")


def decimal(text: str, scale: int = 2, shift: int = 0) -> str:
    """Exact number of a text, of 18 digits with ``scale`` behind the point; thousands separators and spaces go.

    The sign may stand before or behind. ``shift`` digits more than the text shows stand behind the point ('12345'
    with 2 is 123.45). What needs more than 18 digits is NULL. A plainly written number takes the short way, for
    there are millions of them.
    """
    kind = f"decimal(18, {max(scale - shift, 0)})"
    signed = _plain_number(text, _NUMBER)
    made = f"coalesce(try_cast({text} as {kind}), try_cast({signed} as {kind}))"
    return f"try_cast(try({made} * 0.{'0' * (shift - 1)}1) as decimal(18, {scale}))" if shift else made


def integer(text: str, type_: str) -> str:
    """Whole number of a text, written as for ``decimal``; with a fraction it is NULL."""
    signed = _plain_number(text, _WHOLE)
    is_plain = f"regexp_full_match({text}, '[+-]?\\d+')"
    return f"case when {is_plain} then try_cast({text} as {type_}) else try_cast({signed} as {type_}) end"


def boolean(text: str) -> str:
    """Boolean of the usual words."""
    return f"try_cast({text} as boolean)"


def _plain_number(text: str, pattern: str) -> str:
    """Digits, point and leading sign of a text that has the pattern once it is in ASCII; else empty text."""
    plain = f"translate({text}, '{_WIDE}{_SPACES}', '{_NARROW}')"
    number = f"replace(regexp_extract({plain}, {literal(pattern)}), ',', '')"
    return f"regexp_replace({number}, '^(.*)([+-])$', '\\2\\1')"


def _moment(text: str, formats: Sequence[str], may_be_future: bool, zone: str | None) -> str:
    """Timestamp of a text; formats of one kind are tried together, in the order given within the kind.

    With a zone the result is UTC; without, the offset of a text is dropped and its clock taken as written.
    """
    plain = f"case when strlen({text}) = length({text}) then {text} else translate({text}, '{_WIDE}', '{_NARROW}') end"
    with_offset = [f for f in formats if "%z" in f]
    short = [f for f in formats if "%y" in f and "%z" not in f]
    full = [f for f in formats if f not in short and f not in with_offset]
    if not zone:
        full += [f.replace("%z", "") for f in with_offset if f.replace("%z", "") not in full]
    made = []
    if full:
        made.append(_local(_parsed(plain, full, bool(with_offset) and not zone), zone))
    if short:
        parsed = _local(_parsed(plain, short), zone)
        pivoted = f"{parsed} - to_years(case when cast({parsed} as date) > $business_date then 100 else 0 end)"
        made.append(parsed if may_be_future else pivoted)
    if with_offset and zone:
        offset_text = f"regexp_replace({plain}, 'Z$', '+00')"
        made.append(f"timezone('UTC', {_parsed(offset_text, with_offset)})")
    return made[0] if len(made) == 1 else f"coalesce({', '.join(made)})"


def _local(moment: str, zone: str | None) -> str:
    return moment if zone in (None, "UTC") else f"timezone('UTC', timezone({literal(str(zone))}, {moment}))"


def _parsed(text: str, formats: Sequence[str], may_have_offset: bool = False) -> str:
    """Parse what one of the formats describes in full: strptime alone would take '2024011' for a day."""
    offset = f"(?:{DIRECTIVES['z'][0]})?" if may_have_offset else ""
    pattern = f"^({'|'.join(format_pattern(f) for f in formats)}){offset}$"
    names = literal(formats[0]) if len(formats) == 1 else f"[{', '.join(literal(f) for f in formats)}]"
    return f"try_strptime(regexp_extract({text}, {literal(pattern)}, 1), {names})"
