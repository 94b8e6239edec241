"""Text files as blocks of whole lines in bounded memory: compression, byte order marks, encodings, line numbers.

Lines are the physical lines of the file, counted from 1; everything that names a place uses them, so the bytes
of a record can be found again. What a record is (quotes, widths, JSON) is each reader's own knowledge.
"""

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

BLOCK_BYTES = 8 << 20
LONGEST_RECORD = 16 << 20
_SAMPLE_BYTES = 1 << 20
# What a line may hold and still be blank: a mainframe ends a file with 0x1A and pads with zeros.
_BLANK = " \t\r\n\x1a\0"
_COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
_CANDIDATES = ("utf-8", "gb18030", "big5")
_UTF8_TEXT = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_UTF8_CJK = re.compile(rb"[\xe3-\xe9][\x80-\xbf]{2}|\xef[\xbc\xbd][\x80-\xbf]")

Lines = npt.NDArray[np.int64]
Refuse = Callable[[str, int | None], Exception]


class ByteStream:
    """A file's bytes, decompressed if its name ends in ``.gz`` or ``.zst``."""

    def __init__(self, path: Path, refuse: Refuse) -> None:
        self._compression = _COMPRESSIONS.get(path.suffix.lower())
        self._refuse = refuse
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
            Exception: what ``refuse`` makes of a compressed file that is cut off or damaged.
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
        return b"".join(parts)


@dataclass(frozen=True)
class Charset:
    """An encoding as the file uses it: Python's codec, bytes per code unit, and the bytes of a line end."""

    codec: str
    newline: bytes = b"\n"

    @property
    def unit(self) -> int:
        """Bytes per code unit: 2 for UTF-16, 4 for UTF-32, else 1."""
        return len(self.newline)

    @classmethod
    def of(cls, encoding: str, start: bytes) -> tuple["Charset", int]:
        """The charset of a file that begins with these bytes, and the length of its byte order mark."""
        codec = codecs.lookup(encoding).name
        mark, marked = next(((m, name) for m, name in _MARKS if start.startswith(m)), (b"", ""))
        if codec in ("utf-16", "utf-32"):
            codec = marked if marked.startswith(codec) else f"{codec}-le"
        elif codec in ("utf-8-sig", "utf_8_sig"):
            codec = "utf-8"
        newline = "\n".encode(codec)
        if newline not in start and "\r".encode(codec) in start:
            newline = "\r".encode(codec)
        return cls(codec, newline), len(mark) if marked == codec else 0

    @property
    def newline_in_utf8(self) -> int:
        """The byte that ends a line once the text is UTF-8."""
        return ord(self.newline.decode(self.codec))

    def line_ends(self, raw: bytes) -> Lines:
        """Offsets just behind each line end."""
        if self.unit == 1:
            return np.flatnonzero(np.frombuffer(raw, np.uint8) == self.newline[0]) + 1
        units = np.frombuffer(raw, f"<u{self.unit}", count=len(raw) // self.unit)
        return (np.flatnonzero(units == int.from_bytes(self.newline, "little")) + 1) * self.unit

    def behind_last_line(self, raw: bytes, end: int | None = None) -> int:
        """Offset just behind the last line end before ``end``; 0 if there is none."""
        end = len(raw) if end is None else end
        while (found := raw.rfind(self.newline, 0, end)) >= 0 and found % self.unit:
            end = found + self.unit - 1
        return found + self.unit if found >= 0 else 0

    def decode(self, raw: bytes, first_line: int) -> tuple[bytes, Lines]:
        """UTF-8 of whole lines, and the numbers of those with bytes that are not this encoding (replaced there)."""
        try:
            text = raw.decode(self.codec)
        except UnicodeDecodeError:
            return self._decode_by_line(raw, first_line)
        return (raw if self.codec == "utf-8" else text.encode()), np.empty(0, np.int64)

    def _decode_by_line(self, raw: bytes, first_line: int) -> tuple[bytes, Lines]:
        texts, broken = [], []
        ends = [*self.line_ends(raw).tolist()]
        if not ends or ends[-1] < len(raw):
            ends.append(len(raw))
        start = 0
        for number, end in enumerate(ends, first_line):
            try:
                texts.append(raw[start:end].decode(self.codec))
            except UnicodeDecodeError:
                texts.append(self._replaced(raw[start:end]))
                broken.append(number)
            start = end
        return "".join(texts).encode(), np.array(broken, np.int64)

    def _replaced(self, line: bytes) -> str:
        """The line with its broken bytes replaced, still exactly one line."""
        body = line.removesuffix(self.newline)
        return body.decode(self.codec, "replace") + (self.newline.decode(self.codec) if body != line else "")


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
                    raise self._refuse(f"a line is longer than {LONGEST_RECORD >> 20} MB", self._line)
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


def encodings_to_try(codec: str) -> tuple[str, ...]:
    """Common encodings other than this one, likeliest first."""
    return tuple(name for name in _CANDIDATES if codecs.lookup(name).name != codecs.lookup(codec).name)


def readable_as(raw: bytes, contract_encoding: str) -> str | None:
    """The common encoding that these bytes fit although they do not fit the contract's; None if none does."""
    if wide := _looks_wide(raw):
        return wide
    return next((name for name in encodings_to_try(contract_encoding) if _decodes(raw, name)), None)


def _looks_wide(raw: bytes) -> str | None:
    """UTF-16 by its zero bytes: in every other place. Padding with zeros lies in both."""
    even, odd = raw[::2].count(0), raw[1::2].count(0)
    if max(even, odd) * 5 < len(raw) or min(even, odd) * 10 > max(even, odd) or not raw:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def misfit(charset: Charset, encoding: str, sample: bytes, start: bytes) -> str | None:
    """Say that the file is plainly not in the contract's encoding; None if it may be.

    Single broken lines are not judged here (they go to quarantine), only a file whose text is another encoding.
    """
    marked = next((name for mark, name in _MARKS if start.startswith(mark)), charset.codec)
    if marked != charset.codec and not (marked == "gb18030" and charset.codec != "utf-8"):
        return f"the contract gives the encoding {encoding}, but the file begins with the mark of {marked}"
    sample = sample[: charset.behind_last_line(sample) or len(sample) // charset.unit * charset.unit]
    if charset.unit == 1:
        surely = _looks_wide(sample) or ("utf-8" if _is_surely_utf8(sample, charset.codec) else None)
        if surely and surely != charset.codec:
            return f"the contract gives the encoding {encoding}, but the bytes are {surely}"
    if _decodes(sample, charset.codec):
        return None
    broken = charset.decode(sample, 1)[1]
    other = sum(not line.isascii() for line in sample.split(charset.newline)) if charset.unit == 1 else 0
    if len(broken) >= 2 and len(broken) * 2 > other:
        fitting = readable_as(sample, encoding)
        said = f"; they are {fitting}" if fitting else ""
        return (
            f"the bytes do not fit the encoding {encoding} that the contract gives "
            f"({len(broken)} of the first lines with other than ASCII text cannot be read){said}"
        )
    return None


def _is_surely_utf8(sample: bytes, codec: str) -> bool:
    """Whether text in an older encoding would by no accident look like this much well-formed UTF-8."""
    if sample.isascii() or not _decodes(sample, "utf-8"):
        return False
    if codec.startswith(("gb", "big5", "cp9", "euc", "shift")):
        return len(_UTF8_CJK.findall(sample)) >= 2
    return len(_UTF8_TEXT.findall(sample)) >= 4
