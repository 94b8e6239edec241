"""JSON lines: one JSON object a line; DuckDB extracts the contract's top-level properties as text.

Scalars become their text, objects and arrays JSON text, what the contract does not name goes into ``_extra``.
Numbers keep every digit: DuckDB reads a number with a fraction as a double, so fractions are put in quotes
before it sees them. A line that is not a JSON object is unreadable.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sources.contract import SourceObject
from sources.readers.charset import Lines
from sources.readers.shapes import EXTRA, LINE, Report, Trouble, batch_schema, refusal
from sources.readers.text import TextBlock, TextFile

_QUOTE, _BACKSLASH, _POINT = b'"'[0], b"\\"[0], b"."[0]
_REPLACED = "\ufffd"
_BLANK = b" \t\r\n\x1a\0"
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
                con.register("lines", pa.table({"line": lines, "number": numbers}))
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
        except ValueError:
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
        """Report the lines that are no objects, and leave them out."""
        is_object = table.column("is_object").to_numpy()
        numbers = table.column(LINE).to_numpy()
        for number in numbers[~is_object].tolist():
            report(Trouble(number, None, "json", "not a JSON object", block.raw_lines(number, number + 1)))
        if not is_object.all():
            table = table.filter(pa.array(is_object))
        table = table.drop_columns("is_object").cast(batch_schema(self._object))
        numbers = numbers[is_object]
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
            said = [f"key {key!r} is not in the contract, which refuses unknown keys" for key in unknown]
            raise refusal(self._object, self.name, said)
        self._unknown.update(unknown)
        self.warnings += [f"{self.name}: key {key!r} is not in the contract; kept in _extra" for key in unknown]


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
    starts, ends = _number_start(data, marks), _number_end(data, marks)
    # 1.5e3 has two marks and is one number.
    keep = np.concatenate([[True], starts[1:] != starts[:-1]])
    return np.insert(data, np.concatenate([starts[keep], ends[keep]]), _QUOTE).tobytes()


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


def _number_start(data: Bytes, places: Lines) -> Lines:
    """Where the number around each place begins."""
    starts = places.copy()
    moving = np.arange(places.size)
    while moving.size:
        before = data[np.maximum(starts[moving] - 1, 0)]
        moving = moving[(starts[moving] > 0) & _is_numeric(before)]
        starts[moving] -= 1
    return starts


def _number_end(data: Bytes, places: Lines) -> Lines:
    """Where the number around each place ends (the first byte behind it)."""
    ends = places + 1
    moving = np.arange(places.size)
    while moving.size:
        here = data[np.minimum(ends[moving], data.size - 1)]
        moving = moving[(ends[moving] < data.size) & _is_numeric(here)]
        ends[moving] += 1
    return ends


def _is_numeric(data: Bytes) -> npt.NDArray[np.bool_]:
    """Bytes a JSON number is made of."""
    return _is_digit(data) | np.isin(data, np.frombuffer(b"+-.eE", np.uint8))


def _extraction(obj: SourceObject) -> str:
    """Query over ``lines``: the contract's properties, ``_extra``, the line number, whether it is an object."""
    names = [field.physical_name for field in obj.fields]
    shape = _literal(json.dumps(dict.fromkeys(names, "VARCHAR"), ensure_ascii=False))
    columns = ", ".join(f'record[{_literal(f.physical_name)}] as "{f.name}"' for f in obj.fields)
    without = _literal(json.dumps(dict.fromkeys(names), ensure_ascii=False))
    listed = ", ".join(_literal(name) for name in names)
    return f"""
        with parsed as materialized (
            select
                line, number,
                json_valid(line) and coalesce(json_type(try_cast(line as json)), '') = 'OBJECT' as is_object
            from lines
        ),
        record as materialized (
            select
                number, is_object,
                case when is_object then json_transform(line, {shape}) end as record,
                case
                    when is_object and len(list_filter(json_keys(line), lambda k: k not in ({listed}))) > 0
                        then json_merge_patch(line, {without})::varchar
                end as "{EXTRA}"
            from parsed
        )
        select {columns}, "{EXTRA}", number as "{LINE}", is_object from record
    """


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
