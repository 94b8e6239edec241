"""Card numbers before they reach the lake: tokens in columns, masks in the bytes that quarantine keeps.

A token is ``<first 6>-<16 hex digits of HMAC-SHA-256>-<last 4>``: equal for equal numbers in every system and
night under one key, so cards still join, and useless without the key. The key comes in as bytes; where it is
kept is not this module's business.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

_TOKEN_DIGITS = 16
_CARD = re.compile(r"\d{12,19}")
_SEPARATORS = str.maketrans("", "", " -\u3000\xa0")
_WIDE_DIGITS = str.maketrans("０１２３４５６７８９", "0123456789")
_DIGIT_RUN = re.compile(rb"\d(?:[ -]?\d){12,}")
_SHORTEST, _LONGEST = 13, 19
# A shorter value is no card number, and its bytes may stand anywhere in the record.
_SHORTEST_SECRET = 8


class CardTokens:
    """Turns card numbers into tokens under one key."""

    def __init__(self, key: bytes) -> None:
        if len(key) < 16:
            raise ValueError("the token key is shorter than 16 bytes")
        self._key = key

    def token(self, value: str) -> str:
        """Token of one value. What is no card number has no part shown: ``other-<16 hex>``; blank stays blank."""
        number = value.translate(_WIDE_DIGITS).translate(_SEPARATORS).strip()
        if not number:
            return value
        digest = hmac.digest(self._key, number.encode(), hashlib.sha256).hex()[:_TOKEN_DIGITS]
        return f"{number[:6]}-{digest}-{number[-4:]}" if _CARD.fullmatch(number) else f"other-{digest}"

    def column(self, values: pa.Array) -> pa.Array:
        """Tokens of a text column; null stays null. Each distinct value is computed once."""
        encoded = pc.dictionary_encode(values)
        tokens = [self.token(value) for value in encoded.dictionary.to_pylist()]
        return pc.take(pa.array(tokens, pa.string()), encoded.indices)


def mask_cards(raw: bytes, secrets: Sequence[bytes], codec: str) -> bytes:
    """Bytes of a record without its card numbers, of the same length: first 6 and last 4 digits stay.

    Args:
        raw: the record in the file's encoding.
        secrets: values known to be card numbers, wherever they stand in it.
        codec: the file's encoding.

    A run of 13 to 19 digits (single blanks or hyphens between them allowed) that passes the Luhn check is a card
    number; in a longer run, as adjoining fixed-width fields make, every stretch of it that passes is.
    """
    for secret in (secret for secret in secrets if len(secret) >= _SHORTEST_SECRET):
        raw = raw.replace(secret, _masked(secret, codec))
    if "1".encode(codec) != b"1":
        # Digits are other bytes in this encoding: look at the text.
        text = raw.decode(codec, "replace")
        masked = _mask_runs(text.encode())
        return masked.decode().encode(codec, "replace") if masked != text.encode() else raw
    return _mask_runs(raw)


def passes_luhn(digits: bytes) -> bool:
    """Whether ASCII digits pass the Luhn check (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = (digit - 48) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _masked(secret: bytes, codec: str) -> bytes:
    text = secret.decode(codec, "replace")
    shown = len(text) >= _SHORTEST
    stars = "*" * (len(text) - 10) if shown else "*" * len(text)
    return (f"{text[:6]}{stars}{text[-4:]}" if shown else stars).encode(codec, "replace")


def _mask_runs(raw: bytes) -> bytes:
    return _DIGIT_RUN.sub(lambda run: _mask_run(run.group()), raw)


def _mask_run(run: bytes) -> bytes:
    places = [place for place, byte in enumerate(run) if 48 <= byte <= 57]
    digits = bytes(run[place] for place in places)
    hidden: set[int] = set()
    if len(digits) <= _LONGEST:
        if passes_luhn(digits):
            hidden.update(range(6, len(digits) - 4))
    else:
        for length in range(_SHORTEST, _LONGEST + 1):
            for start in range(len(digits) - length + 1):
                if passes_luhn(digits[start : start + length]):
                    hidden.update(range(start + 6, start + length - 4))
    masked = bytearray(run)
    for index in hidden:
        masked[places[index]] = ord("*")
    return bytes(masked)
