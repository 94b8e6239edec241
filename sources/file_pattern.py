"""File patterns: globs in which ``{date:%Y%m%d}`` stands for the business date (strptime's notation).

Only names are looked at here; listing folders and opening files is the delivery's work.
"""

import datetime as dt
import re
from collections.abc import Iterable

from sources.expressions import DIRECTIVES

_DATE = re.compile(r"\{date(?::([^}]*))?\}")
_GLOB = re.compile(r"\*+|\?|\[!?\]?[^\]]*\]|.", re.DOTALL)
_ISO = "%Y-%m-%d"


def file_pattern(pattern: str, business_date: dt.date) -> str:
    """Return the glob for one business date: each ``{date:%Y%m%d}`` (``{date}``: ISO) becomes the date."""
    return _DATE.sub(lambda match: business_date.strftime(match.group(1) or _ISO), pattern)


def dates_in(pattern: str, names: Iterable[str]) -> tuple[dt.date, ...]:
    """Business dates that names (paths with ``/``) carry where the pattern has ``{date:...}``, ascending.

    A date may be spread or repeated over the pattern (``{date:%Y}/{date:%m}/CUST_{date:%Y%m%d}.csv``). Names that do
    not fit, carry no real date, or two different ones, give none; so does a pattern without a date.
    """
    if not _DATE.search(pattern):
        return ()
    regex, directives = _expression(pattern)
    return tuple(sorted({date for name in names if (date := _date(regex, directives, name))}))


def pattern_mistake(pattern: str) -> str | None:
    """What is wrong with a pattern's dates, or None."""
    forms = [match.group(1) or _ISO for match in _DATE.finditer(pattern)]
    known = {"Y", "y", "m", "d", "j", "H", "M", "S", "b", "B"}
    directives = {d for form in forms for d in re.findall(r"%(.)", form)}
    if directives - known:
        unknown = sorted(directives - known)[0]
        return f"%{unknown} is unknown in a file pattern (known: %{', %'.join(sorted(known))})"
    if "{" in _DATE.sub("", pattern):
        return "only {date} and {date:%Y%m%d}-like placeholders are known"
    has_month = bool(directives & {"m", "b", "B"})
    has_day = "j" in directives or ("d" in directives and has_month)
    if forms and not (directives & {"Y", "y"} and has_day):
        return "the pattern names no full date; give year, month and day, such as {date:%Y%m%d}"
    return None


def _date(regex: re.Pattern[str], directives: list[str], name: str) -> dt.date | None:
    match = regex.fullmatch(name)
    if match is None:
        return None
    values: dict[str, str] = {}
    for directive, value in zip(directives, match.groups(), strict=True):
        if values.setdefault(directive, value) != value:
            return None
    try:
        form = " ".join(f"%{directive}" for directive in values)
        return dt.datetime.strptime(" ".join(values.values()), form).replace(tzinfo=dt.UTC).date()
    except ValueError:
        return None


def _expression(pattern: str) -> tuple[re.Pattern[str], list[str]]:
    """Regular expression with one group for each date directive of the pattern, and those directives."""
    regex, directives, end = "", list[str](), 0
    for match in _DATE.finditer(pattern):
        regex += _glob(pattern[end : match.start()])
        for directive, literal in re.findall(r"%(.)|([^%]+)", match.group(1) or _ISO):
            regex += f"({DIRECTIVES[directive][1]})" if directive else re.escape(literal)
            directives += [directive] if directive else []
        end = match.end()
    return re.compile(regex + _glob(pattern[end:])), directives


def _glob(part: str) -> str:
    """Regular expression of a piece of a glob; wildcards stay within one folder."""
    return "".join(_glob_piece(piece) for piece in _GLOB.findall(part))


def _glob_piece(piece: str) -> str:
    if piece.startswith("*"):
        return "[^/]*"
    if piece == "?":
        return "[^/]"
    if len(piece) > 1:
        return "[^" + piece[2:] if piece[1] == "!" else piece
    return re.escape(piece)
