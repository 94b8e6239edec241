"""Text files as blocks of whole lines in bounded memory: compression, line numbers, lines to leave out.

Lines are the physical lines of the file, counted from 1; everything that names a place uses them, so the bytes
of a record can be found again. What a record is (quotes, widths, JSON) is each reader's own knowledge.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from sources.readers.charset import Charset, Lines, misfit
from sources.readers.limits import LARGEST_EXPANSION, LONGEST_RECORD, largest_expansion

BLOCK_BYTES = 8 << 20
_SAMPLE_BYTES = 1 << 20
# What a line may hold and still be blank: a mainframe ends a file with 0x1A and pads with zeros.
_BLANK = " \t\r\n\x1a\0"
_COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
Refuse = Callable[[str, int | None], Exception]


class ByteStream:
    """A file's bytes, decompressed if its name ends in ``.gz`` or ``.zst``."""

    def __init__(self, path: Path, refuse: Refuse) -> None:
        self._compression = _COMPRESSIONS.get(path.suffix.lower())
        self._refuse = refuse
        self._largest = largest_expansion(path.stat().st_size)
        self._expanded = 0
        self._stream: BinaryIO | Any = (
            pa.input_stream(str(path), compression=self._compression) if self._compression else path.open("rb")
        )

    def __enter__(self) -> "ByteStream":
        return self

    def __exit__(self, *exc: object) -> None:
        self._stream.close()

    def read(self, size: int) -> bytes:
        """Read this many bytes, less only at the end of the file.

        Raises:
            Exception: what ``refuse`` makes of a compressed file that is cut off, damaged, or swells beyond measure.
        """
        parts, wanted = [], size
        try:
            while wanted and (part := self._stream.read(wanted)):
                parts.append(part)
                wanted -= len(part)
        except OSError as error:
            if self._compression is None:
                raise
            raise self._refuse(f"cannot be decompressed; is it whole? ({error})", None) from error
        self._expanded += size - wanted
        if self._compression and self._expanded > self._largest:
            message = f"it unpacks to more than {LARGEST_EXPANSION} times its size; if it is right, deliver it unpacked"
            raise self._refuse(message, None)
        return b"".join(parts)


@dataclass(frozen=True)
class TextBlock:
    """Whole lines of a file: their bytes, the number of the first, and whether the file ends here."""

    charset: Charset
    raw: bytes
    first_line: int
    final: bool

    @cached_property
    def _starts(self) -> Lines:
        ends = self.charset.line_ends(self.raw)
        starts = np.concatenate([np.zeros(1, np.int64), ends])
        return starts if ends.size and ends[-1] == len(self.raw) else np.append(starts, len(self.raw))

    @property
    def next_line(self) -> int:
        """Number of the line behind the block's last."""
        return self.first_line + len(self._starts) - 1

    def first_part(self, lines: int) -> "TextBlock":
        """The block's first lines."""
        end = int(self._starts[min(lines, len(self._starts) - 1)])
        return self if end == len(self.raw) else TextBlock(self.charset, self.raw[:end], self.first_line, False)

    def raw_lines(self, first: int, behind: int) -> bytes:
        """Bytes of lines ``first`` to ``behind - 1`` (file numbers), without the last one's line end."""
        starts = self._starts
        raw = self.raw[starts[first - self.first_line] : starts[min(behind - self.first_line, len(starts) - 1)]]
        raw = raw.removesuffix(self.charset.newline)
        return raw.removesuffix("\r".encode(self.charset.codec))


class TextFile:
    """Reads a text file as blocks of whole lines, without the lines to skip at its start and end."""

    def __init__(self, path: Path, encoding: str, skip_lines: int, trailer_lines: int, refuse: Refuse) -> None:
        self._encoding = encoding
        self._skip_lines = skip_lines
        self._trailer_lines = trailer_lines
        self._refuse = refuse
        self._stream = ByteStream(path, refuse)
        self._carry = b""
        self._line = 1
        self._ended = False
        self.charset = Charset("utf-8")
        self.trailer = ""

    def __enter__(self) -> "TextFile":
        self._begin()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stream.__exit__(*exc)

    def next_block(self) -> TextBlock | None:
        """The next block, or None at the end of the file.

        Raises:
            Exception: what ``refuse`` makes of a line that is longer than a record may be.
        """
        while not self._ended:
            read = self._stream.read(BLOCK_BYTES)
            data, final = self._carry + read, not read
            end = len(data) if final else self.charset.behind_last_line(data)
            kept = self._trailer_start(data, end) if self._trailer_lines else end
            if final:
                self._ended, self.trailer = True, data[kept:end].decode(self.charset.codec, "replace").strip(_BLANK)
            elif kept == 0:
                if len(data) > LONGEST_RECORD:
                    message = f"a line is longer than {LONGEST_RECORD >> 20} MB: are the line ends lost?"
                    raise self._refuse(message, self._line)
                self._carry = data
                continue
            self._carry = b"" if final else data[kept:]
            if kept:
                block = TextBlock(self.charset, data[:kept], self._line, final)
                self._line = block.next_line
                return block
        return None

    def push_back(self, block: TextBlock, lines: int) -> None:
        """Give back the last lines of a block: the next block begins with them."""
        if lines:
            start = block.next_line - lines
            cut = int(block._starts[start - block.first_line])
            self._carry = block.raw[cut:] + self._carry
            self._line = start

    def _begin(self) -> None:
        first = self._stream.read(BLOCK_BYTES)
        self.charset, mark = Charset.of(self._encoding, first[:_SAMPLE_BYTES])
        self._carry = first[mark:]
        if mistake := misfit(self.charset, self._encoding, first[mark : mark + _SAMPLE_BYTES], first[:4]):
            raise self._refuse(mistake, None)
        for _ in range(self._skip_lines):
            self._carry = self._carry[self._end_of_first_line() :]
            self._line += 1

    def _end_of_first_line(self) -> int:
        found = self._carry.find(self.charset.newline)
        while found >= 0 and found % self.charset.unit:
            found = self._carry.find(self.charset.newline, found + 1)
        return found + self.charset.unit if found >= 0 else len(self._carry)

    def _trailer_start(self, data: bytes, end: int) -> int:
        """Where the last ``trailer_lines`` lines that are not blank begin."""
        start, found = end, 0
        while start > 0 and found < self._trailer_lines:
            before = self.charset.behind_last_line(data, max(start - self.charset.unit, 0))
            found += bool(data[before:start].decode(self.charset.codec, "replace").strip(_BLANK))
            start = before
        return start
