"""Fixed-width text: fields are widths in bytes of the file's encoding, as mainframes write them.

Records end with a line end, or follow each other without one. A block becomes a matrix of bytes (records by
record width); each field is a slice of it, decoded as one piece and stripped of its padding (blanks, full-width
blanks, zero bytes). A record of another length is unreadable; one with half a character in a field is reported.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sources.contract import Field, SourceObject
from sources.readers.charset import Charset, Lines, misfit
from sources.readers.shapes import Report, Trouble, batch_schema, refusal
from sources.readers.text import BLOCK_BYTES, ByteStream, TextFile

_PADDING = " \u3000\0\n"
_SAMPLE_BYTES = 1 << 16
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class _Records:
    """Records of a block: its bytes, where each starts, its length, and its line number."""

    data: bytes
    starts: Lines
    lengths: Lines
    lines: Lines

    def raw(self, index: int) -> bytes:
        return self.data[self.starts[index] : self.starts[index] + self.lengths[index]]


class FixedReader:
    """Reads one fixed-width file of an object (see ``shapes.Reader``)."""

    has_bytes = True

    def __init__(self, obj: SourceObject, path: Path, name: str) -> None:
        self._object = obj
        self._path = path
        self._slices = _slices(obj.fields)
        self._width = max(end for _, end in self._slices)
        self._charset = Charset("utf-8")
        self.name = name
        self.warnings: list[str] = []
        self.trailer = ""
        self.blank_lines = 0

    def batches(self, report: Report) -> Iterator[pa.RecordBatch]:
        """Stream the rows (see ``shapes.Reader.batches``)."""
        for records in self._records():
            fitting = records.lengths == self._width
            for index in np.flatnonzero(~fitting).tolist():
                raw = records.raw(index)
                if not raw.strip(b" \t\x1a\0"):
                    self.blank_lines += 1
                    continue
                reason = f"a record of {len(raw)} bytes; the contract's widths add up to {self._width}"
                report(Trouble(int(records.lines[index]), None, "length", reason, raw))
            if fitting.any():
                matrix = _matrix(records.data, records.starts[fitting], self._width)
                yield self._batch(matrix, records.lines[fitting], report)

    def raw(self, lines: Sequence[int]) -> Iterator[bytes]:
        """The records on these lines (see ``shapes.Reader.raw``)."""
        wanted = np.asarray(lines, np.int64)
        for records in self._records():
            if records.lines.size:
                here = wanted[: np.searchsorted(wanted, records.lines[-1], side="right")]
                wanted = wanted[here.size :]
                for index in np.searchsorted(records.lines, here).tolist():
                    yield records.raw(index)
            if not wanted.size:
                return

    def secrets(self, raw: bytes) -> list[bytes]:
        """The bytes of a record's tokenised fields (see ``shapes.Reader.secrets``)."""
        places = zip(self._object.fields, self._slices, strict=True)
        found = [raw[start:end].strip() for field, (start, end) in places if field.tokenise]
        return [value for value in found if value]

    @property
    def codec(self) -> str:
        """Encoding of the records' bytes."""
        return self._charset.codec

    def _refuse(self, message: str, line: int | None) -> Exception:
        return refusal(self._object, self.name, message, line)

    def _records(self) -> Iterator[_Records]:
        with ByteStream(self._path, self._refuse) as stream:
            sample = stream.read(max(_SAMPLE_BYTES, 4 * self._width))
        self._charset, mark = Charset.of(self._object.delivery.encoding, sample)
        if self._charset.unit > 1:
            raise self._refuse(f"fixed width is not possible in {self._charset.codec}", None)
        has_line_ends = self._charset.newline in sample or len(sample) - mark <= self._width
        return self._terminated() if has_line_ends else self._unterminated(mark, sample)

    def _terminated(self) -> Iterator[_Records]:
        delivery = self._object.delivery
        lines = TextFile(self._path, delivery.encoding, delivery.skip_lines, delivery.trailer_lines, self._refuse)
        with lines as file:
            while (block := file.next_block()) is not None:
                data = np.frombuffer(block.raw, np.uint8)
                behind = self._charset.line_ends(block.raw)
                starts = np.concatenate([np.zeros(1, np.int64), behind])
                ends = behind - 1
                if not behind.size or behind[-1] < len(data):
                    ends = np.append(ends, len(data))
                starts = starts[: ends.size]
                returns = (ends > starts) & (data[np.maximum(ends - 1, 0)] == "\r".encode(self._charset.codec)[0])
                numbers = np.arange(block.first_line, block.first_line + ends.size)
                yield _Records(block.raw, starts, ends - returns - starts, numbers)
            self.trailer = file.trailer

    def _unterminated(self, mark: int, sample: bytes) -> Iterator[_Records]:
        """Records that follow each other without line ends; their numbers stand for lines."""
        delivery, width = self._object.delivery, self._width
        if mistake := misfit(self._charset, delivery.encoding, sample[mark:], sample[:4]):
            raise self._refuse(mistake, None)
        held_back = delivery.trailer_lines * width
        with ByteStream(self._path, self._refuse) as stream:
            stream.read(mark + delivery.skip_lines * width)
            carry, line = b"", delivery.skip_lines + 1
            while read := stream.read(max(BLOCK_BYTES // width, 1) * width):
                data = carry + read
                count = max(len(data) - held_back, 0) // width
                yield self._stride(data[: count * width], line)
                carry, line = data[count * width :], line + count
            end = max(len(carry) - held_back, 0)
            self.trailer = carry[end:].decode(self._charset.codec, "replace").strip(_PADDING)
            yield self._stride(carry[:end], line)

    def _stride(self, data: bytes, line: int) -> _Records:
        starts = np.arange(0, len(data), self._width, dtype=np.int64)
        lengths = np.minimum(self._width, len(data) - starts)
        return _Records(data, starts, lengths, np.arange(line, line + starts.size))

    def _batch(self, matrix: Bytes, lines: Lines, report: Report) -> pa.RecordBatch:
        arrays = []
        for field, (start, end) in zip(self._object.fields, self._slices, strict=True):
            array, broken = _decoded(matrix[:, start:end], self._charset)
            arrays.append(array)
            for row in broken:
                reason = f"bytes that are not {self._object.delivery.encoding}"
                report(Trouble(int(lines[row]), field.name, "encoding", reason))
        return pa.record_batch(
            [*arrays, pa.nulls(len(lines), pa.string()), pa.array(lines)], schema=batch_schema(self._object)
        )


def _slices(fields: Sequence[Field]) -> list[tuple[int, int]]:
    """Offsets of each field: where it says it starts, else behind the one before."""
    slices, place = [], 0
    for field in fields:
        start = field.start - 1 if field.start else place
        place = start + (field.width or 0)
        slices.append((start, place))
    return slices


def _matrix(data: bytes, starts: Lines, width: int) -> Bytes:
    """The records, one a row; a view where they are evenly spaced, else a copy."""
    flat = np.frombuffer(data, np.uint8)
    steps = np.diff(starts)
    if steps.size and (steps == steps[0]).all():
        return np.lib.stride_tricks.as_strided(
            flat[starts[0] :], (starts.size, width), (int(steps[0]), 1), writeable=False
        )
    windows: Bytes = np.lib.stride_tricks.sliding_window_view(flat, width)
    return windows[starts]


def _decoded(column: Bytes, charset: Charset) -> tuple[pa.Array, list[int]]:
    """Text of one field of all records, and the rows whose bytes are not this encoding (replaced there)."""
    rows, width = column.shape
    # A line end behind each value keeps the values apart through decoding, whatever their length in UTF-8.
    apart = np.empty((rows, width + 1), np.uint8)
    apart[:, :width] = column
    apart[:, width] = charset.newline[0]
    is_ascii = charset.newline == b"\n" and not (apart & 0x80).any()
    raw = apart.tobytes()
    try:
        text = raw if is_ascii else raw.decode(charset.codec).encode()
    except UnicodeDecodeError:
        return _decoded_one_by_one(apart, charset)
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == charset.newline_in_utf8)
    if ends.size != rows:
        return _decoded_one_by_one(apart, charset)
    offsets = np.concatenate([np.zeros(1, np.int32), (ends + 1).astype(np.int32)])
    array = pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(text))
    return _stripped(array), []


def _decoded_one_by_one(apart: Bytes, charset: Charset) -> tuple[pa.Array, list[int]]:
    values, broken = [], []
    for row, raw in enumerate(apart[:, :-1]):
        try:
            values.append(raw.tobytes().decode(charset.codec))
        except UnicodeDecodeError:
            values.append(raw.tobytes().decode(charset.codec, "replace"))
            broken.append(row)
    return _stripped(pa.array(values, pa.string())), broken


def _stripped(array: pa.Array) -> pa.Array:
    return pc.utf8_trim(array, characters=_PADDING)
