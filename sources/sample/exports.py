"""Files as the sample bank's systems write them: GB18030 CSV, fixed width in bytes, JSON lines, control files.

``broken`` adds rows at the end of a file that cannot be landed, in turn: one cut short, one whose amount is no
number (or, in a file without amounts, whose key is empty), one that repeats a key, and in files with Chinese text one
with bytes that are no text.
"""

import gzip
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sources.sample.text import Text, constant, join, put

ENCODING = "gb18030"
BAD_BYTES = b"\xff\xff"
BAD_AMOUNT = "12x4.5"
SHORT, NO_NUMBER, REPEATED, BAD_TEXT = range(4)
_SLICE = 250_000


@dataclass(frozen=True)
class Field:
    """One field of a fixed-width record: name, width in bytes, numbers to the right and filled with zeros."""

    name: str
    width: int
    number: bool = False


def write_csv(path: Path, slices: Iterable[Mapping[str, Text]], broken: int = 0, amount: str | None = None) -> int:
    """Write columns, slice by slice, as a CSV file with a header; returns the rows.

    Values are quoted where they need it, quotes doubled, null is empty.
    """
    rows = 0
    sample: Mapping[str, Text] = {}
    with path.open("wb") as file:
        for columns in slices:
            if not sample:
                file.write((",".join(columns) + "\n").encode(ENCODING))
                sample = {name: column.slice(0, max(broken, 1)) for name, column in columns.items()}
            file.write(_csv_bytes(columns))
            rows += len(next(iter(columns.values())))
        for line in _broken_lines(_csv_bytes, sample, min(broken, rows), amount, same_length=False):
            file.write(line + b"\n")
    return rows + min(broken, rows)


def by_slices(columns: Mapping[str, Text]) -> Iterable[dict[str, Text]]:
    """Cut columns into slices that fit into memory several times."""
    for rows in spans(len(next(iter(columns.values())))):
        yield {name: column.slice(rows.start, _SLICE) for name, column in columns.items()}


def spans(count: int) -> list[slice]:
    """Cut so many rows into slices; one empty slice where there are none."""
    return [slice(start, min(start + _SLICE, count)) for start in range(0, max(count, 1), _SLICE)]


def write_fixed(
    path: Path, fields: tuple[Field, ...], slices: Iterable[Mapping[str, Text]], broken: int, amount: str
) -> int:
    """Write columns as records of fixed byte width, one a line; returns the rows. Too long values are cut.

    The broken rows carry an amount of zero or none, so that control totals do not depend on them.
    """
    rows = 0
    sample: Mapping[str, Text] = {}
    with path.open("wb") as file:
        for columns in slices:
            if not sample:
                sample = {name: column.slice(0, max(broken, 1)) for name, column in columns.items()}
            file.write(_fixed_bytes(fields, columns))
            rows += len(next(iter(columns.values())))
        count = min(broken, rows)
        sample = {**sample, amount: constant("0", len(sample[amount]))}
        encode = partial(_fixed_bytes, fields)
        for line in _broken_lines(encode, sample, count, amount, same_length=True):
            file.write(line + b"\n")
    return rows + count


def write_lines(path: Path, lines: Text, broken: int = 0) -> int:
    """Write ready-made JSON lines, gzip-compressed with a constant header; returns the rows."""
    count = min(broken, len(lines))
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 4, raw, mtime=0) as file:
        file.write(_buffer(join(lines, "\n")))
        for number, line in enumerate(lines.slice(0, count).to_pylist()):
            encoded = line.encode()
            kind = number % 4
            if kind == SHORT:
                encoded = encoded[: len(encoded) // 2]
            elif kind == BAD_TEXT:
                encoded = encoded.replace(b'"name":"', b'"name":"' + BAD_BYTES, 1)
            elif kind == NO_NUMBER:
                head, _, tail = encoded.partition(b'"principal":"')
                encoded = head + b'"principal":"' + BAD_AMOUNT.encode() + tail[tail.index(b'"') :]
            file.write(encoded + b"\n")
    return len(lines) + count


def write_control(path: Path, data: Path, rows: int, total: tuple[str, int], day: str) -> None:
    """Write a control file beside a data file: its name, date, rows, a named total of cents and MD5."""
    digest = hashlib.md5(usedforsecurity=False)
    with data.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    path.write_text(
        f"FILE={data.name}\nDATA_DATE={day}\nRECORD_COUNT={rows}\n"
        f"{total[0]}={total[1] // 100}.{total[1] % 100:02d}\nMD5={digest.hexdigest()}\n",
        encoding="ascii",
    )


def _broken_lines(
    encode: Callable[[Mapping[str, Text]], bytes],
    sample: Mapping[str, Text],
    count: int,
    amount: str | None,
    same_length: bool,
) -> list[bytes]:
    """Damage copies of the sample rows; bad bytes replace others where lines are of the ``same_length``."""
    if count == 0:
        return []
    # quotes would let a damaged row swallow its neighbours: the damage is to stay within the row
    part = {name: pc.replace_substring_regex(column.slice(0, count), '[",\n\r]', "") for name, column in sample.items()}
    kinds = np.arange(count) % (3 if encode(part).isascii() else 4)
    hit = np.flatnonzero(kinds == NO_NUMBER)
    target = amount or next(iter(part))
    part[target] = put(part[target], hit, constant(BAD_AMOUNT if amount else "", len(hit)))
    lines = []
    for number in range(count):
        line = encode({name: column.slice(number, 1) for name, column in part.items()}).removesuffix(b"\n")
        middle = len(line) // 2
        if kinds[number] == SHORT:
            line = line[:middle]
        elif kinds[number] == BAD_TEXT:
            line = line[:middle] + BAD_BYTES + line[middle + same_length * len(BAD_BYTES) :]
        lines.append(line)
    return lines


def _csv_bytes(columns: Mapping[str, Text]) -> bytes:
    fields = [_quoted(column) for column in columns.values()]
    return _encoded(join(join(*fields, sep=","), "\n"))


def _quoted(column: Text) -> Text:
    special = np.asarray(pc.fill_null(pc.match_substring_regex(column, '[",\n\r]'), False))
    rows = np.flatnonzero(special)
    if len(rows) == 0:
        return column
    part = column.take(pa.array(rows))
    return put(column, rows, join('"', pc.replace_substring(part, '"', '""'), '"'))


def _buffer(text: Text) -> bytes:
    """All values of a column behind one another, in UTF-8."""
    if len(text) == 0:
        return b""
    compact = pa.concat_arrays([text])
    offsets = np.frombuffer(compact.buffers()[1], dtype=np.int32)[compact.offset :][: len(compact) + 1]
    return memoryview(compact.buffers()[2])[int(offsets[0]) : int(offsets[-1])].tobytes()


def _encoded(text: Text) -> bytes:
    return _buffer(text).decode("utf-8").encode(ENCODING)


def _fixed_bytes(fields: tuple[Field, ...], columns: Mapping[str, Text]) -> bytes:
    count = len(next(iter(columns.values())))
    record = np.full((count, sum(field.width for field in fields) + 1), ord(" "), dtype=np.uint8)
    record[:, -1] = ord("\n")
    start = 0
    for field in fields:
        column = columns[field.name]
        if field.number:
            column = pc.utf8_lpad(pc.fill_null(column, ""), field.width, "0")
        _place(record[:, start : start + field.width], column)
        start += field.width
    return record.tobytes()


def _place(cells: NDArray[np.uint8], column: Text) -> None:
    """Write the encoded values into the cells from the left."""
    width = cells.shape[1]
    data = np.frombuffer(_encoded(join(column, "\n")), dtype=np.uint8)
    ends = np.flatnonzero(data == ord("\n"))  # no byte of a multi-byte GB18030 character is a line feed
    lengths = np.diff(np.r_[-1, ends]) - 1
    too_long = np.flatnonzero(lengths > width)
    if len(too_long):
        cut = pa.array([_clip(value, width) for value in column.take(pa.array(too_long)).to_pylist()])
        _place(cells, put(column, too_long, cut))
        return
    row = np.repeat(np.arange(len(lengths)), lengths)
    begin = ends - lengths
    inside = np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    cells[row, inside] = data[np.repeat(begin, lengths) + inside]


def _clip(value: str, width: int) -> str:
    """Shorten a text by whole characters until its encoding fits."""
    while len(value.encode(ENCODING)) > width:
        value = value[:-1]
    return value
