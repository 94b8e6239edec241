"""JSON lines: one JSON object a line; DuckDB extracts the contract's top-level properties as text.

Scalars become their text, objects and arrays JSON text, what the contract does not name goes into ``_extra``.
Numbers keep every digit: DuckDB reads a number with a fraction as a double, so fractions are put in quotes
before it sees them. A line that is not a JSON object is unreadable.
"""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sources.contract import SourceObject
from sources.readers.charset import Lines
from sources.readers.limits import DEEPEST_JSON, MOST_COLUMNS, shown
from sources.readers.shapes import EXTRA, LINE, Report, Trouble, batch_schema, refusal
from sources.readers.text import TextBlock, TextFile

_QUOTE, _BACKSLASH, _POINT = b'"'[0], b"\\"[0], b"."[0]
_REPLACED = "\ufffd"
_BLANK = b" \t\r\n\x1a\0"
# Bytes that a JSON number is made of.
_NUMERIC = np.isin(np.arange(256), np.frombuffer(b"0123456789+-.eE", np.uint8))
_OPENING, _CLOSING = (np.isin(np.arange(256), np.frombuffer(marks, np.uint8)) for marks in (b"[{", b"]}"))
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
Bytes = npt.NDArray[np.uint8]


class JsonLinesReader:
    """Reads one file of JSON lines of an object (see ``shapes.Reader``)."""

    has_bytes = True

    def __init__(self, obj: SourceObject, path: Path, name: str) -> None:
        self._object = obj
        self._path = path
        self._unknown: set[str] = set()
        self.codec = "utf-8"
        self.name = name
        self.warnings: list[str] = []
        self.trailer = ""
        self.blank_lines = 0

    def batches(self, report: Report) -> Iterator[pa.RecordBatch]:
        """Stream the rows (see ``shapes.Reader.batches``)."""
        query = _extraction(self._object)
        with duckdb.connect(config={"threads": 1}) as con:
            for block in self._blocks():
                lines, numbers, broken = self._lines(block)
                con.register("lines", pa.table({"line": lines, "number": numbers, "deep": _too_deep(lines)}))
                table = con.execute(query).to_arrow_table()
                con.unregister("lines")
                table = self._valid(table, block, broken, report)
                self._note_unknown_keys(con, table)
                yield from table.to_batches()

    def raw(self, lines: Sequence[int]) -> Iterator[bytes]:
        """The given lines (see ``shapes.Reader.raw``)."""
        wanted = np.asarray(lines, np.int64)
        for block in self._blocks():
            here = wanted[: np.searchsorted(wanted, block.next_line)]
            wanted = wanted[here.size :]
            for number in here.tolist():
                yield block.raw_lines(number, number + 1)
            if not wanted.size:
                return

    def secrets(self, raw: bytes) -> list[bytes]:
        """The bytes of a line's tokenised properties, if it is JSON (see ``shapes.Reader.secrets``)."""
        try:
            record = json.loads(raw.decode(self.codec, "replace"))
        except (ValueError, RecursionError):
            return []
        names = [field.physical_name for field in self._object.fields if field.tokenise]
        values = [str(record[name]).strip() for name in names if isinstance(record, dict) and record.get(name)]
        return [value.encode(self.codec, "replace") for value in values]

    def _refuse(self, message: str, line: int | None) -> Exception:
        return refusal(self._object, self.name, message, line)

    def _blocks(self) -> Iterator[TextBlock]:
        delivery = self._object.delivery
        lines = TextFile(self._path, delivery.encoding, delivery.skip_lines, delivery.trailer_lines, self._refuse)
        with lines as file:
            self.codec = file.charset.codec
            while (block := file.next_block()) is not None:
                yield block
            self.trailer = file.trailer

    def _lines(self, block: TextBlock) -> tuple[pa.Array, Lines, Lines]:
        """The block's lines as text (blank ones left out), their numbers, and those with broken bytes."""
        text, broken = block.charset.decode(block.raw, block.first_line)
        text = keep_fractions(text, block.charset.newline_in_utf8)
        ends = np.flatnonzero(np.frombuffer(text, np.uint8) == block.charset.newline_in_utf8) + 1
        if not ends.size or ends[-1] < len(text):
            ends = np.append(ends, len(text))
        offsets = np.concatenate([np.zeros(1, np.int32), ends.astype(np.int32)])
        lines = pa.StringArray.from_buffers(ends.size, pa.py_buffer(offsets), pa.py_buffer(text))
        numbers = np.arange(block.first_line, block.first_line + ends.size)
        blank = np.diff(offsets) <= 2
        for index in np.flatnonzero(blank).tolist():
            blank[index] = not text[offsets[index] : offsets[index + 1]].strip(_BLANK)
        if blank.any():
            self.blank_lines += int(np.count_nonzero(blank))
            lines, numbers = lines.filter(pa.array(~blank)), numbers[~blank]
        return lines, numbers, broken

    def _valid(self, table: pa.Table, block: TextBlock, broken: Lines, report: Report) -> pa.Table:
        """Report the lines that cannot be taken as objects, and leave them out."""
        mistakes = table.column("mistake").combine_chunks()
        numbers = table.column(LINE).to_numpy()
        fine = mistakes.is_null()
        wrong = ~fine.to_numpy(zero_copy_only=False)
        for number, mistake in zip(numbers[wrong].tolist(), mistakes.drop_null().to_pylist(), strict=True):
            report(Trouble(number, None, "json", mistake, block.raw_lines(number, number + 1)))
        table = table.filter(fine).drop_columns("mistake").cast(batch_schema(self._object))
        numbers = numbers[~wrong]
        for number in np.intersect1d(broken, numbers).tolist():
            row = table.slice(int(np.searchsorted(numbers, number)), 1).to_pylist()[0]
            names = (name for name, value in row.items() if name != LINE and value and _REPLACED in value)
            reason = f"bytes that are not {self._object.delivery.encoding}"
            report(Trouble(number, next(names, EXTRA), "encoding", reason))
        return table

    def _note_unknown_keys(self, con: duckdb.DuckDBPyConnection, table: pa.Table) -> None:
        """Warn of keys that the contract does not name, or refuse the file for them."""
        extras = table.column(EXTRA).drop_null()
        if not len(extras):
            return
        con.register("extras", pa.table({"extra": extras}))
        found = con.execute("select distinct unnest(json_keys(extra)) as key from extras order by key").fetchall()
        con.unregister("extras")
        unknown = [key for (key,) in found if key not in self._unknown]
        if unknown and self._object.delivery.on_extra_field == "refuse":
            said = [f"key {shown(key)} is not in the contract, which refuses unknown keys" for key in unknown]
            raise refusal(self._object, self.name, said)
        self._unknown.update(unknown)
        if len(self._unknown) > MOST_COLUMNS:
            message = f"more than {MOST_COLUMNS} different keys that are not in the contract: are values used as keys?"
            raise refusal(self._object, self.name, message)
        self.warnings += [f"{self.name}: key {shown(key)} is not in the contract; kept in _extra" for key in unknown]


def keep_fractions(text: bytes, newline: int = 0x0A) -> bytes:
    """Put quotes around every number with a fraction or an exponent, so that it stays the text it is.

    Args:
        text: lines of JSON, UTF-8. A malformed number (``1.2.3``) becomes text too, for the row rules to judge.
        newline: the byte that ends a line.
    """
    data = np.frombuffer(text, np.uint8)
    marks = np.flatnonzero((data == _POINT) | (data == ord("e")) | (data == ord("E")))
    digit_before = (marks > 0) & _is_digit(data[np.maximum(marks - 1, 0)])
    marks = marks[digit_before]
    if marks.size:
        marks = marks[~_in_string(data, marks, newline)]
    if not marks.size:
        return text
    starts, ends = _numbers(data, marks)
    # 1.5e3 has two marks and is one number.
    keep = np.concatenate([[True], starts[1:] != starts[:-1]])
    return np.insert(data, np.concatenate([starts[keep], ends[keep]]), _QUOTE).tobytes()


def _too_deep(lines: pa.Array) -> npt.NDArray[np.bool_]:
    """Which lines hold objects and arrays within one another beyond the limit; only those with many are followed."""
    text = np.frombuffer(lines.buffers()[2] or b"\0", np.uint8)
    offsets = np.frombuffer(lines.buffers()[1], np.int32)[lines.offset : lines.offset + len(lines) + 1]
    places = np.flatnonzero(_OPENING[text])
    deep: npt.NDArray[np.bool_] = np.diff(np.searchsorted(places, offsets)) > DEEPEST_JSON
    for row in np.flatnonzero(deep).tolist():
        deep[row] = _depth(text[offsets[row] : offsets[row + 1]].tobytes()) > DEEPEST_JSON
    return deep


def _depth(line: bytes) -> int:
    """How deep brackets outside strings are nested."""
    text = np.frombuffer(_STRING.sub(b"", line), np.uint8)
    return int(np.cumsum(_OPENING[text].astype(np.int64) - _CLOSING[text]).max(initial=0))


def _is_digit(data: Bytes) -> npt.NDArray[np.bool_]:
    return (data >= ord("0")) & (data <= ord("9"))


def _in_string(data: Bytes, places: Lines, newline: int) -> npt.NDArray[np.bool_]:
    """Which places lie inside a string: behind an odd number of quotes since their line began."""
    quotes = np.flatnonzero(data == _QUOTE)
    suspects = quotes[(quotes > 0) & (data[np.maximum(quotes - 1, 0)] == _BACKSLASH)]
    if suspects.size:
        escaped = [place for place in suspects.tolist() if _backslashes_before(data, place) % 2]
        quotes = np.setdiff1d(quotes, np.array(escaped, np.int64), assume_unique=True)
    line_ends = np.flatnonzero(data == newline)
    line = np.searchsorted(line_ends, places)
    line_starts = np.concatenate([np.zeros(1, np.int64), line_ends])[line]
    before: Lines = np.searchsorted(quotes, places) - np.searchsorted(quotes, line_starts)
    inside: npt.NDArray[np.bool_] = before % 2 == 1
    return inside


def _backslashes_before(data: Bytes, place: int) -> int:
    count = 0
    while place - count > 0 and data[place - count - 1] == _BACKSLASH:
        count += 1
    return count


def _numbers(data: Bytes, places: Lines) -> tuple[Lines, Lines]:
    """Where the numbers around these places begin, and end (the first byte behind)."""
    other = np.flatnonzero(~_NUMERIC[data])
    behind = np.searchsorted(other, places)
    bounds = np.concatenate([[-1], other, [data.size]])
    return bounds[behind] + 1, bounds[behind + 1]


def _extraction(obj: SourceObject) -> str:
    """Query over ``lines``: the contract's properties, ``_extra``, the line number, why it cannot be taken or null."""
    names = [field.physical_name for field in obj.fields]
    shape = _literal(json.dumps(dict.fromkeys(names, "VARCHAR"), ensure_ascii=False))
    columns = ", ".join(f'record[{_literal(f.physical_name)}] as "{f.name}"' for f in obj.fields)
    without = _literal(json.dumps(dict.fromkeys(names), ensure_ascii=False))
    listed = ", ".join(_literal(name) for name in names)
    return f"""
        with parsed as materialized (
            select
                line, number,
                case
                    when deep then 'nested deeper than {DEEPEST_JSON} levels'
                    when not (json_valid(line) and coalesce(json_type(try_cast(line as json)), '') = 'OBJECT')
                        then 'not a JSON object'
                    when len(json_keys(line)) > len(list_distinct(json_keys(line))) then 'a key stands there twice'
                end as mistake
            from lines
        ),
        record as materialized (
            select
                number, mistake,
                case when mistake is null then json_transform(line, {shape}) end as record,
                case
                    when mistake is null and len(list_filter(json_keys(line), lambda k: k not in ({listed}))) > 0
                        then json_merge_patch(line, {without})::varchar
                end as "{EXTRA}"
            from parsed
        )
        select {columns}, "{EXTRA}", number as "{LINE}", mistake from record
    """


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
