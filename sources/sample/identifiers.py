"""Numbers with a form: resident ids, credit codes, permits, passports, mobiles, bank cards.

Whole columns at a time, as ASCII byte matrices (rows x width). Check characters follow GB 11643-1999 (ISO 7064
MOD 11-2), GB 32100-2015 (MOD 31), GB 11714-1997 (MOD 11) and ISO/IEC 7812 (Luhn). Errors in them are made in
``rendering``.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sources.sample.text import Numbers, calendar

Bytes: TypeAlias = NDArray[np.uint8]

WIDTH = 18
_ZERO = ord("0")
_RESIDENT_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_RESIDENT_CHECK = np.frombuffer(b"10X98765432", dtype=np.uint8)
_USCC_ALPHABET = np.frombuffer(b"0123456789ABCDEFGHJKLMNPQRTUWXY", dtype=np.uint8)
_USCC_WEIGHTS = np.array([1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28])
_ORGANISATION_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2])
_ORGANISATION_CHECK = np.frombuffer(b"0123456789X0", dtype=np.uint8)
_MOBILE_PREFIXES = np.r_[130:140, 150:154, 155:160, 166, 173, 175:179, 180:190, 191, 198, 199]


def digits(numbers: Numbers, width: int) -> Bytes:
    """Write whole numbers as ASCII digits, filled with zeros to the width (rows x width)."""
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    return (np.asarray(numbers, dtype=np.int64)[:, None] // powers % 10 + _ZERO).astype(np.uint8)


def padded(matrix: Bytes, width: int = WIDTH) -> Bytes:
    """Widen a byte matrix with blanks on the right."""
    wide = np.full((len(matrix), width), ord(" "), dtype=np.uint8)
    wide[:, : matrix.shape[1]] = matrix
    return wide


def resident_ids(district_codes: Numbers, birth_days: Numbers, sequence: Numbers) -> Bytes:
    """Make 18-digit resident identity numbers; an odd sequence number (1-999) is a man's."""
    years, months, days = calendar(birth_days)
    body = np.hstack([digits(district_codes, 6), digits(years * 10000 + months * 100 + days, 8), digits(sequence, 3)])
    check = _RESIDENT_CHECK[((body - _ZERO).astype(np.int64) * _RESIDENT_WEIGHTS).sum(axis=1) % 11]
    return np.hstack([body, check[:, None]])


def credit_codes(rng: np.random.Generator, district_codes: Numbers, sole_trader: Numbers) -> Bytes:
    """Make unified social credit codes: authority, kind, district, organisation code, check character."""
    count = len(district_codes)
    kind = np.where(sole_trader, ord("2"), ord("1")).astype(np.uint8)
    head = np.hstack([np.full((count, 1), ord("9"), dtype=np.uint8), kind[:, None], digits(district_codes, 6)])
    body = _USCC_ALPHABET[rng.integers(0, len(_USCC_ALPHABET), (count, 8))]
    numeric = rng.random(count) < 0.5  # registered before 2015: digits; since then MA and six characters
    body[numeric] = digits(rng.integers(10**7, 8 * 10**7, int(numeric.sum())), 8)
    body[~numeric, 0], body[~numeric, 1] = ord("M"), ord("A")
    check = _ORGANISATION_CHECK[11 - (_alphanumeric(body) * _ORGANISATION_WEIGHTS).sum(axis=1) % 11]
    code = np.hstack([head, body, check[:, None]])
    value = np.searchsorted(_USCC_ALPHABET, code)
    last = _USCC_ALPHABET[(31 - (value * _USCC_WEIGHTS).sum(axis=1) % 31) % 31]
    return np.hstack([code, last[:, None]])


def _alphanumeric(characters: Bytes) -> NDArray[np.int64]:
    """Digits as themselves, letters from A = 10."""
    values = characters.astype(np.int64) - _ZERO
    return np.where(values > 9, values - 7, values)


def lettered(rng: np.random.Generator, letters: bytes, count: int, width: int) -> Bytes:
    """Make different numbers of one letter out of ``letters`` and random digits: permits and passports."""
    first = np.frombuffer(letters, dtype=np.uint8)[rng.integers(0, len(letters), count)]
    return np.hstack([first[:, None], digits(rng.choice(10 ** (width - 1), count, replace=False), width - 1)])


def foreign_permits(rng: np.random.Generator, countries: Bytes, birth_days: Numbers) -> Bytes:
    """Make 15-character permanent residence numbers: country, place, birth date as YYMMDD, two digits."""
    years, months, days = calendar(birth_days)
    birth = years % 100 * 10000 + months * 100 + days
    count = len(birth)
    place = digits(rng.integers(1100, 6600, count), 4)
    return np.hstack([countries, place, digits(birth, 6), digits(rng.integers(0, 100, count), 2)])


def own_passports(person: Numbers) -> Bytes:
    """Make the passport number of a resident: the same for the same person, different for any two."""
    return np.hstack(
        [
            np.full((len(person), 1), ord("E"), dtype=np.uint8),
            digits((np.asarray(person, dtype=np.int64) * 48_271 + 20_481_973) % 99_999_989, 8),
        ]
    )


def mobiles(rng: np.random.Generator, count: int) -> Numbers:
    """Draw eleven-digit mobile numbers."""
    prefix = _MOBILE_PREFIXES[rng.integers(0, len(_MOBILE_PREFIXES), count)]
    return np.asarray(prefix * 10**8 + rng.integers(10**6, 10**8, count))


def bank_cards(issuer: Numbers, serial: Numbers, width: int) -> Bytes:
    """Make bank card numbers: six digits of the issuer, a serial number, the Luhn check digit."""
    body = np.hstack([digits(issuer, 6), digits(serial, width - 7)])
    values = (body - _ZERO).astype(np.int64)[:, ::-1]
    values[:, ::2] *= 2
    total = (values // 10 + values % 10).sum(axis=1)
    return np.hstack([body, digits((10 - total % 10) % 10, 1)])
