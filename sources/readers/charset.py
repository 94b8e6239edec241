"""Encodings as files use them: code units, line ends, byte order marks, and telling that a file has another one.

Single broken lines are not judged here (they go to quarantine), only a file whose text is plainly in another
encoding than the contract gives.
"""

import codecs
import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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
    lines = sample.split(charset.newline)
    other = sum(not line.isascii() for line in lines) if charset.unit == 1 else 0
    fitting = readable_as(sample, encoding)
    # A few damaged lines among few that are not ASCII are no other encoding, unless one fits them all.
    if len(broken) >= 2 and len(broken) * 2 > other and (fitting or len(broken) * 10 > len(lines)):
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
