"""Delimited text: any delimiter, quoting and encoding; compressed or not; quotes may hold line ends.

The file is cut into blocks of whole records, decoded block by block, and parsed by ``pyarrow.csv`` with every
column as text. A record with a wrong number of columns is unreadable; one with bytes that are not the contract's
encoding is readable with those bytes replaced, and reported.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv

from sources.contract import SourceObject
from sources.readers.charset import Lines, encodings_to_try
from sources.readers.extra import extra_json
from sources.readers.header import Columns, match_columns, matches
from sources.readers.limits import LONGEST_RECORD
from sources.readers.records import Cut, Dialect, cut_records, split_record, stray_returns
from sources.readers.shapes import EXTRA, Report, Trouble, batch_schema, refusal
from sources.readers.text import TextBlock, TextFile

_STAND_INS = "\x1f\x1e\x1d\x1c"
_REPLACED = "\ufffd"
_BLANK = " \t\x1a\r\n"


@dataclass(frozen=True)
class _Records:
    """Whole records: their lines as bytes, and as UTF-8 with a one-byte delimiter."""

    lines: TextBlock
    text: bytes
    dialect: Dialect
    starts: Lines
    start_lines: Lines
    broken: Lines

    def record(self, index: int) -> str:
        end = self.starts[index + 1] if index + 1 < len(self.starts) else len(self.text)
        return self.text[self.starts[index] : end].decode()

    def raw(self, index: int) -> bytes:
        behind = self.start_lines[index + 1] if index + 1 < len(self.starts) else self.lines.next_line
        return self.lines.raw_lines(int(self.start_lines[index]), int(behind))


class DelimitedReader:
    """Reads one delimited file of an object (see ``shapes.Reader``)."""

    has_bytes = True

    def __init__(self, obj: SourceObject, path: Path, name: str) -> None:
        self._object = obj
        self._delivery = obj.delivery
        self._path = path
        self._columns: Columns | None = None
        self.codec = "utf-8"
        self.name = name
        self.warnings: list[str] = []
        self.trailer = ""
        self.blank_lines = 0

    def batches(self, report: Report) -> Iterator[pa.RecordBatch]:
        """Stream the rows (see ``shapes.Reader.batches``)."""
        self._columns = None
        for records in self._records():
            kept = ~_blank_records(records)
            self.blank_lines += int(np.count_nonzero(~kept))
            if self._columns is None and kept.any():
                first = int(np.argmax(kept))
                self._columns = self._first_record(records, first)
                kept[first] = not self._delivery.header
            if self._columns is not None and kept.any():
                yield from self._rows(records, np.flatnonzero(kept), self._columns, report)

    def raw(self, lines: Sequence[int]) -> Iterator[bytes]:
        """The records that begin at these lines (see ``shapes.Reader.raw``)."""
        wanted = np.asarray(lines, np.int64)
        for records in self._records():
            here = wanted[: np.searchsorted(wanted, records.lines.next_line)]
            wanted = wanted[here.size :]
            for index in np.searchsorted(records.start_lines, here).tolist():
                yield records.raw(index)
            if not wanted.size:
                return

    def secrets(self, raw: bytes) -> list[bytes]:
        """The bytes of a record's tokenised fields, as far as it can be split (see ``shapes.Reader.secrets``)."""
        text = raw.decode(self.codec, "replace").encode()
        dialect, text = self._dialect(text, ord("\n"))
        values = split_record(text.decode(), dialect)
        places = zip(self._object.fields, self._columns.positions if self._columns else (), strict=False)
        found = [values[p] for field, p in places if field.tokenise and p is not None and p < len(values)]
        return [value.strip().encode(self.codec, "replace") for value in found if value.strip()]

    def _refuse(self, message: str, line: int | None) -> Exception:
        return refusal(self._object, self.name, message, line)

    def _records(self) -> Iterator[_Records]:
        delivery = self._delivery
        skipped = TextFile(self._path, delivery.encoding, delivery.skip_lines, delivery.trailer_lines, self._refuse)
        with skipped as file:
            self.codec = file.charset.codec
            while (block := file.next_block()) is not None:
                text, broken = file.charset.decode(block.raw, block.first_line)
                dialect, text = self._dialect(text, file.charset.newline_in_utf8)
                cut = cut_records(text, dialect, block.final)
                self._check_open_quote(cut, text, block, dialect)
                given_back = text.count(dialect.newline, cut.end)
                file.push_back(block, given_back)
                if cut.end:
                    yield _whole(block, text, dialect, cut, broken)
            self.trailer = file.trailer

    def _check_open_quote(self, cut: Cut, text: bytes, block: TextBlock, dialect: Dialect) -> None:
        if cut.open_quote is not None and (block.final or len(text) - cut.end > LONGEST_RECORD):
            line = block.first_line + text.count(dialect.newline, 0, cut.open_quote)
            raise self._refuse("a quoted field opens here and is never closed", line)

    def _dialect(self, text: bytes, newline: int) -> tuple[Dialect, bytes]:
        """How the text is written; a delimiter that is not one ASCII character gets a one-byte stand-in."""
        delivery = self._delivery
        quote, escape = (ord(mark) if mark else None for mark in (delivery.quote, delivery.escape))
        if len(delivery.delimiter) == 1 and delivery.delimiter.isascii():
            return Dialect(ord(delivery.delimiter), quote, escape, newline), text
        free = [mark for mark in _STAND_INS if mark.encode() not in text]
        if not free:
            raise self._refuse("the text holds every control character that could stand for the delimiter", None)
        return Dialect(ord(free[0]), quote, escape, newline), text.replace(
            delivery.delimiter.encode(), free[0].encode()
        )

    def _first_record(self, records: _Records, index: int) -> Columns:
        """Columns as the header names them, or as the contract lists them where there is no header."""
        fields = split_record(records.record(index), records.dialect)
        line = int(records.start_lines[index])
        if not self._delivery.header:
            count = len(self._object.fields)
            # Many systems end every line with a delimiter: that is no column.
            trailing = len(fields) == count + 1 and fields[-1] == ""
            return Columns(count + trailing, tuple(range(count)), nameless=count if trailing else None)
        if matches(self._object, fields) < len(self._object.fields):
            self._check_header_encoding(records.raw(index), len(self._object.fields), fields, line)
        columns, warnings = match_columns(self._object, fields, self.name, may_trail=True)
        self.warnings += warnings
        return columns

    def _check_header_encoding(self, raw: bytes, count: int, fields: Sequence[str], line: int) -> None:
        """Refuse a header that is nonsense in the contract's encoding and sense in another."""
        for encoding in encodings_to_try(self.codec):
            try:
                text = raw.decode(encoding)
            except UnicodeDecodeError:
                continue
            dialect, encoded = self._dialect(text.encode(), ord("\n"))
            if matches(self._object, split_record(encoded.decode(), dialect)) > matches(self._object, fields):
                message = (
                    f"the contract gives the encoding {self._delivery.encoding}, "
                    f"but the header fits the contract when read as {encoding}"
                )
                raise self._refuse(message, line)

    def _rows(self, records: _Records, kept: Lines, columns: Columns, report: Report) -> Iterator[pa.RecordBatch]:
        """Parse the kept records; rows come out in the order of the file."""
        stray = np.intersect1d(kept, stray_returns(records.text, records.dialect, records.starts))
        regular = np.setdiff1d(kept, stray, assume_unique=True)
        wrong: dict[int, int] = {}
        table = _parse(records, regular, columns.count, wrong)
        good = regular[~np.isin(regular, np.fromiter(wrong, np.int64, len(wrong)))] if wrong else regular
        if stray.size:
            table, good = _add_stray(records, stray, columns.count, wrong, table, good)
        for index, found in sorted(wrong.items()):
            expected = "the header has" if self._delivery.header else "there should be"
            reason = f"the number of columns is {found}, {expected} {columns.count}"
            line = int(records.start_lines[index])
            report(Trouble(line, None, "columns", reason, records.raw(index)))
        if records.broken.size:
            self._report_broken(records, table, good, columns, report)
        yield from self._batches(table, records.start_lines[good], columns, records.dialect)

    def _batches(self, table: pa.Table, lines: Lines, columns: Columns, dialect: Dialect) -> Iterator[pa.RecordBatch]:
        if not table.num_rows:
            return
        arrays = [self._delimiter_restored(table.column(n).combine_chunks(), dialect) for n in range(columns.count)]
        extras = {name: arrays[place] for name, place in columns.extras}
        if columns.nameless is not None and pc.any(pc.not_equal(arrays[columns.nameless], "")).as_py():
            extras[f"column_{columns.nameless + 1}"] = arrays[columns.nameless]
        yield pa.record_batch(
            [*columns.of_fields(arrays, table.num_rows), extra_json(extras, table.num_rows), pa.array(lines)],
            schema=batch_schema(self._object),
        )

    def _delimiter_restored(self, array: pa.Array, dialect: Dialect) -> pa.Array:
        """Undo the stand-in where the delimiter was text inside quotes."""
        if len(self._delivery.delimiter) == 1 and self._delivery.delimiter.isascii():
            return array
        return pc.replace_substring(array, chr(dialect.delimiter), self._delivery.delimiter)

    def _report_broken(self, records: _Records, table: pa.Table, good: Lines, columns: Columns, report: Report) -> None:
        owners = np.unique(np.searchsorted(records.start_lines, records.broken, side="right") - 1)
        rows = np.searchsorted(good, np.intersect1d(owners, good))
        for row in rows.tolist():
            places = zip(self._object.fields, columns.positions, strict=True)
            fields = [f.name for f, p in places if p is not None and _REPLACED in table.column(p)[row].as_py()]
            reason = f"bytes that are not {self._delivery.encoding}"
            line = int(records.start_lines[good[row]])
            report(Trouble(line, fields[0] if fields else EXTRA, "encoding", reason))


def _whole(block: TextBlock, text: bytes, dialect: Dialect, cut: Cut, broken: Lines) -> _Records:
    """The records of a block, without what was given back."""
    text = text[: cut.end]
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == dialect.newline)
    start_lines = block.first_line + np.searchsorted(ends, cut.starts)
    lines = text.count(dialect.newline) + (not text.endswith(bytes([dialect.newline])))
    whole = block.first_part(lines)
    return _Records(whole, text, dialect, cut.starts, start_lines, broken[broken < whole.next_line])


def _blank_records(records: _Records) -> npt.NDArray[np.bool_]:
    """Which records hold nothing but blanks (or a mainframe's end-of-file mark)."""
    data = np.frombuffer(records.text, np.uint8)
    blanks = _BLANK.replace(chr(records.dialect.delimiter), "")
    blank = np.isin(data[records.starts], np.frombuffer(blanks.encode(), np.uint8))
    for index in np.flatnonzero(blank).tolist():
        blank[index] = not records.record(index).strip(blanks)
    return blank


def _parse(records: _Records, kept: Lines, count: int, wrong: dict[int, int]) -> pa.Table:
    """Parse these records as text; those with another number of columns go to ``wrong``: index -> columns found."""
    names = [f"c{number}" for number in range(count)]
    schema = pa.schema([(name, pa.string()) for name in names])
    if not kept.size:
        return schema.empty_table()

    def note(row: csv.InvalidRow) -> str:
        wrong[int(kept[row.number - 1])] = row.actual_columns
        return "skip"

    text, dialect = _joined(records, kept), records.dialect
    return csv.read_csv(
        pa.BufferReader(text),
        # One block: the parser then numbers the rows, and no row lies across two of its own.
        read_options=csv.ReadOptions(column_names=names, use_threads=False, block_size=len(text) + 1),
        parse_options=csv.ParseOptions(
            delimiter=chr(dialect.delimiter),
            quote_char=chr(dialect.quote) if dialect.quote is not None else False,
            escape_char=chr(dialect.escape) if dialect.escape is not None else False,
            newlines_in_values=dialect.quote is not None or dialect.escape is not None,
            ignore_empty_lines=True,
            invalid_row_handler=note,
        ),
        convert_options=csv.ConvertOptions(column_types=schema, strings_can_be_null=False, check_utf8=False),
    )


def _joined(records: _Records, kept: Lines) -> bytes:
    """Text of these records; most often one slice."""
    text, starts = records.text, np.append(records.starts, len(records.text))
    breaks = np.flatnonzero(np.diff(kept) != 1)
    firsts = kept[np.concatenate([[0], breaks + 1])]
    lasts = kept[np.concatenate([breaks, [kept.size - 1]])]
    parts = [text[starts[a] : starts[b + 1]] for a, b in zip(firsts.tolist(), lasts.tolist(), strict=True)]
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _add_stray(
    records: _Records, stray: Lines, count: int, wrong: dict[int, int], table: pa.Table, good: Lines
) -> tuple[pa.Table, Lines]:
    """Add the records that only the exact splitting reads, each in its place."""
    split = {index: split_record(records.record(index), records.dialect) for index in stray.tolist()}
    wrong |= {index: len(fields) for index, fields in split.items() if len(fields) != count}
    right = {index: fields for index, fields in split.items() if len(fields) == count}
    added = pa.table({name: [f[n] for f in right.values()] for n, name in enumerate(table.schema.names)}, table.schema)
    indexes = np.concatenate([good, np.fromiter(right, np.int64, len(right))])
    order = np.argsort(indexes)
    return pa.concat_tables([table, added]).take(pa.array(order)), indexes[order]
