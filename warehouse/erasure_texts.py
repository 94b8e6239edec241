"""Texts that a customer is searched by: names, documents, contacts, addresses; in cells, and in bytes of any file.

A short text (a name) counts where no letter goes before or after it, a longer one (a document, a phone number, an
address) wherever it stands. Bytes are read in the encodings that occur in a home, and JSON's escapes as what they mean.
"""

import re
from collections.abc import Iterable

ENCODINGS = ("utf-8", "gb18030")
_LONG = 6
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


class Texts:
    """Texts to search for.

    Attributes:
        texts: the texts, longer ones first: of alternatives that begin alike the first is found.
        pattern: regular expression of DuckDB (RE2) that finds any of them in a cell.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = sorted({text for text in texts if text}, key=lambda text: (-len(text), text))
        self.pattern = self._alternatives("(?:^|{0})", "(?:$|{0})", r"[^\p{L}\p{N}]", r"\P{L}")
        self._plain = re.compile(self._alternatives("(?<!{0})", "(?!{0})", r"[^\W_]", r"[^\W\d_]") or "(?!)")

    def __bool__(self) -> bool:
        return bool(self.texts)

    def count_in(self, raw: bytes) -> int:
        """How often any of the texts stands in bytes, in the encoding in which most are found."""
        return max(len(self._plain.findall(_unescaped(raw.decode(one, "ignore")))) for one in ENCODINGS)

    def _alternatives(self, before: str, after: str, plain: str, other: str) -> str:
        """All texts as one pattern; ``plain`` and ``other``: what ends a short text in ASCII, and in other letters."""

        def alternative(text: str) -> str:
            if len(text) >= _LONG:
                return re.escape(text)
            ends = [plain if one.isascii() else other for one in (text[0], text[-1])]
            return before.replace("{0}", ends[0]) + re.escape(text) + after.replace("{0}", ends[1])

        return "|".join(map(alternative, self.texts))


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda code: chr(int(code[1], 16)), text) if "\\u" in text else text
