"""Where the records of delimited text begin and end, and the slow, exact splitting of a single record.

The rules are those of ``pyarrow.csv``, which parses the blocks: a quote is special only at the start of a field,
a doubled quote inside quotes stands for one, the escape character takes the next one literally. Whole blocks are
judged with numpy by the parity of quotes; only a block with a stray quote is walked event by event.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_CR = 0x0D
Offsets = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Dialect:
    """How delimited text is written; each is one ASCII byte (``quote``, ``escape`` may be absent)."""

    delimiter: int
    quote: int | None
    escape: int | None
    newline: int


@dataclass(frozen=True)
class Cut:
    """Records of a block: offsets where they start, where the last whole one ends, the open quote behind it."""

    starts: Offsets
    end: int
    open_quote: int | None


def cut_records(text: bytes, dialect: Dialect, final: bool) -> Cut:
    """Find the records of a block that begins at a record's start.

    Args:
        text: whole lines, UTF-8.
        dialect: how the text is written.
        final: the file ends here, so an unterminated last record is whole (unless it is inside quotes).
    """
    data = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero(data == dialect.newline)
    quotes = np.flatnonzero(data == dialect.quote) if dialect.quote is not None else ends[:0]
    escaped = _escaped(data, dialect.escape)
    if escaped.size:
        ends, quotes = (np.setdiff1d(events, escaped, assume_unique=True) for events in (ends, quotes))
    open_quote = None
    if quotes.size:
        if _is_regular(data, quotes, escaped, dialect):
            outside = np.searchsorted(quotes, ends) % 2 == 0
            open_quote = int(quotes[-1]) if quotes.size % 2 else None
            ends = ends[outside]
        else:
            ends, open_quote = _walk(data, quotes, ends, escaped, dialect)
    ends = ends + 1
    if final and open_quote is None and (not ends.size or ends[-1] < len(text)) and text:
        ends = np.append(ends, len(text))
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]]) if ends.size else ends
    return Cut(starts, int(ends[-1]) if ends.size else 0, open_quote)


def stray_returns(text: bytes, dialect: Dialect, starts: Offsets) -> Offsets:
    """Indexes of the records with a carriage return that ends no line: text to us, a row's end to ``pyarrow``."""
    if dialect.newline == _CR or text.count(b"\r") == text.count(b"\r\n"):
        return starts[:0]
    data = np.frombuffer(text, np.uint8)
    returns = np.flatnonzero(data == _CR)
    lone = returns[(returns + 1 >= len(data)) | (data[np.minimum(returns + 1, len(data) - 1)] != dialect.newline)]
    return np.unique(np.searchsorted(starts, lone, side="right") - 1)


def split_record(record: str, dialect: Dialect) -> list[str]:
    """The fields of one record, character by character."""
    delimiter, quote, escape = (
        chr(c) if c is not None else None for c in (dialect.delimiter, dialect.quote, dialect.escape)
    )
    record = record.removesuffix(chr(dialect.newline)).removesuffix("\r")
    fields, field, quoted, at_start, place = list[str](), list[str](), False, True, 0
    while place < len(record):
        char = record[place]
        if char == escape and place + 1 < len(record):
            place += 1
            field.append(record[place])
        elif quoted:
            if char != quote:
                field.append(char)
            elif record[place + 1 : place + 2] == quote:
                place += 1
                field.append(char)
            else:
                quoted = False
        elif char == quote and at_start:
            quoted = True
        elif char == delimiter:
            fields.append("".join(field))
            field = []
            at_start, place = True, place + 1
            continue
        else:
            field.append(char)
        at_start, place = False, place + 1
    return [*fields, "".join(field)]


def _escaped(data: npt.NDArray[np.uint8], escape: int | None) -> Offsets:
    """Offsets of bytes taken literally: behind an escape that is not itself escaped."""
    found = np.flatnonzero(data == escape) if escape is not None else np.empty(0, np.int64)
    if not found.size:
        return found
    run_start = np.maximum.accumulate(np.where(np.diff(found, prepend=-2) != 1, np.arange(found.size), 0))
    active = (np.arange(found.size) - run_start) % 2 == 0
    escaped: Offsets = found[active] + 1
    return escaped


def _opens(data: npt.NDArray[np.uint8], quotes: Offsets, escaped: Offsets, dialect: Dialect) -> npt.NDArray[np.bool_]:
    """Which quotes stand where a field starts."""
    before = data[np.maximum(quotes - 1, 0)]
    start = (before == dialect.delimiter) | (before == dialect.newline) | (before == _CR)
    if escaped.size:
        start &= ~np.isin(quotes - 1, escaped)
    opens: npt.NDArray[np.bool_] = start | (quotes == 0)
    return opens


def _is_regular(data: npt.NDArray[np.uint8], quotes: Offsets, escaped: Offsets, dialect: Dialect) -> bool:
    """Whether quotes simply alternate: each odd one opens a field or is the second half of a doubled quote."""
    opening = quotes[::2]
    doubled = np.zeros(opening.size, np.bool_)
    doubled[1:] = opening[1:] == quotes[1::2][: opening.size - 1] + 1
    return bool(np.all(doubled | _opens(data, opening, escaped, dialect)))


def _walk(
    data: npt.NDArray[np.uint8], quotes: Offsets, ends: Offsets, escaped: Offsets, dialect: Dialect
) -> tuple[Offsets, int | None]:
    """Line ends outside quotes, and the quote that is still open, one event after the other."""
    starting = set(quotes[_opens(data, quotes, escaped, dialect)].tolist())
    is_quote = np.concatenate([np.ones(quotes.size, np.bool_), np.zeros(ends.size, np.bool_)])
    places = np.concatenate([quotes, ends])
    order = np.argsort(places, kind="stable")
    events = list(zip(places[order].tolist(), is_quote[order].tolist(), strict=True))
    outside: list[int] = []
    open_quote: int | None = None
    skip = -1
    for number, (place, quote) in enumerate(events):
        if place == skip:
            continue
        if not quote:
            if open_quote is None:
                outside.append(place)
        elif open_quote is None:
            open_quote = place if place in starting else None
        elif number + 1 < len(events) and events[number + 1] == (place + 1, True):
            skip = place + 1
        else:
            open_quote = None
    return np.array(outside, np.int64), open_quote
