"""National identifiers: checks over many numbers at once, with what a valid number tells of its holder.

Here live the checks, by the name of their python-stdnum module. Numbers that a bank has by the million have a
vectorised form here (a test holds it against python-stdnum); every other number goes through the library, one
distinct value at a time. Here does not live which document type is checked how (``standardise_settings.py``).
"""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

import numpy as np
import numpy.typing as npt
from stdnum import numdb
from stdnum.exceptions import ValidationError

Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.uint8]

LOOK_ALIKES = (str.maketrans("OI", "01"), str.maketrans("OIL", "011"))
"""Letters that are written for digits, surest first; a repair counts only if the check character then fits."""


@dataclass(frozen=True)
class Checked:
    """What a check found; every array is as long as the numbers that went in.

    Attributes:
        number: The numbers in standard form: a short form completed, everything else as it came.
        is_valid: Right length, characters, check character, and a date that exists.
        has_check: A valid number was written with its check character (a completed short form was not).
        birth_date: ``datetime64[D]``, day of birth in a valid number, NaT where there is none.
        is_male: Whether a valid number is a man's; meaningless where ``has_sex`` is not set.
        has_sex: Whether a valid number tells the sex.
    """

    number: list[str]
    is_valid: Flags
    has_check: Flags
    birth_date: npt.NDArray[np.datetime64]
    is_male: Flags
    has_sex: Flags


def check_numbers(validator: str, numbers: Sequence[str]) -> Checked:
    """Check numbers (upper case letters and digits, ``*`` masked) with the rules of one python-stdnum module.

    Numbers that fail are tried again with letters for look-alike digits replaced, and with X for a masked last
    character; a repaired number counts only when its check character fits.
    """
    check = _VECTORISED.get(validator) or _library_check(validator)
    found = check(numbers)
    for repair in (*(lambda number, t=table: number.translate(t) for table in LOOK_ALIKES), _unmask_last):
        tried = {
            place: repaired
            for place in map(int, np.flatnonzero(~found.is_valid))
            if (repaired := repair(numbers[place])) != numbers[place]
        }
        if tried:
            found = _with_repaired(found, np.array(list(tried)), check(list(tried.values())))
    return found


def is_vectorised(validator: str) -> bool:
    """Whether the check of this python-stdnum module works on many numbers at once."""
    return validator in _VECTORISED


def check_resident_ids(numbers: Sequence[str]) -> Checked:
    """Check Chinese resident identity numbers, GB 11643-1999, of 18 or (until 1999) 15 characters.

    A 15-digit number has a two-digit year of the 20th century and no check character: it comes back with both.
    The first two digits must be those of a province. A masked number in which a fixed sign stands for what is hidden
    (``310***1234``) comes back with as many as it hides.
    """
    codes, length = _codes(numbers, 18)
    short = length == 15
    codes[short, 8:17] = codes[short, 6:15]
    codes[short, 6:8] = np.frombuffer(b"19", dtype=np.uint8)
    digits = codes.astype(np.int64) - ord("0")
    is_digits = ((digits[:, :17] >= 0) & (digits[:, :17] <= 9)).all(axis=1)
    expected = _RESIDENT_CHECKS[(digits[:, :17] @ _RESIDENT_WEIGHTS) % 11]
    codes[short, 17] = expected[short]
    day, is_day = _days(digits[:, 6:10] @ (1000, 100, 10, 1), digits[:, 10:12] @ (10, 1), digits[:, 12:14] @ (10, 1))
    is_place = np.isin(digits[:, 0] * 10 + digits[:, 1], _provinces())
    is_valid = ((length == 18) | short) & is_digits & is_day & is_place & (codes[:, 17] == expected)
    completed = [_unfolded_mask(number) if "*" in number else number for number in numbers]
    for place in np.flatnonzero(is_valid & short):
        completed[place] = codes[place].tobytes().decode("ascii")
    return Checked(
        number=completed,
        is_valid=is_valid,
        has_check=is_valid & ~short,
        birth_date=np.where(is_valid, day, np.datetime64("NaT", "D")),
        is_male=digits[:, 16] % 2 == 1,
        has_sex=is_valid,
    )


def check_credit_codes(numbers: Sequence[str]) -> Checked:
    """Check Chinese unified social credit codes, GB 32100-2015, of 18 characters."""
    codes, length = _codes(numbers, 18)
    values = _CREDIT_VALUES[codes]
    is_known = (values >= 0).all(axis=1) & (values[:, :8] <= 9).all(axis=1)
    is_valid = (length == 18) & is_known & ((values @ _CREDIT_WEIGHTS) % 31 == 0)
    return _without_person(list(numbers), is_valid)


def _codes(numbers: Sequence[str], width: int) -> tuple[Codes, npt.NDArray[np.int64]]:
    """The numbers as ASCII codes, (numbers, width), and their lengths; a longer one counts as width + 1."""
    text = np.array([number.encode("ascii", "replace") for number in numbers], dtype=f"S{width + 1}")
    codes = text.view(np.uint8).reshape(len(numbers), width + 1)
    return codes[:, :width].copy(), (codes != 0).sum(axis=1)


def _days(
    year: npt.NDArray[np.int64], month: npt.NDArray[np.int64], day: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.datetime64], Flags]:
    """Days of the calendar, and which of them exist."""
    is_month = (month >= 1) & (month <= 12)
    first = ((np.where(is_month, year, 1970) - 1970) * 12 + np.where(is_month, month, 1) - 1).astype("datetime64[M]")
    start, following = first.astype("datetime64[D]"), (first + 1).astype("datetime64[D]")
    found = start + (day - 1).astype("timedelta64[D]")
    return found, is_month & (day >= 1) & (found < following)


def _without_person(numbers: list[str], is_valid: Flags) -> Checked:
    nothing = np.zeros(len(numbers), dtype=bool)
    days = np.full(len(numbers), np.datetime64("NaT"), dtype="datetime64[D]")
    return Checked(numbers, is_valid, is_valid, days, nothing, nothing)


def _library_check(validator: str) -> Callable[[Sequence[str]], Checked]:
    """The check by python-stdnum, with the birth date and sex of modules that know them."""
    module = importlib.import_module(f"stdnum.{validator}")

    def told(getter: str, number: str) -> object:
        if not module.is_valid(number):
            return None
        try:
            return getattr(module, getter)(number)
        except ValidationError:  # a valid number that tells nothing, as some old short forms
            return None

    def check(numbers: Sequence[str]) -> Checked:
        is_valid = np.array([module.is_valid(number) for number in numbers], dtype=bool)
        compact = [module.compact(number) if ok else number for number, ok in zip(numbers, is_valid, strict=True)]
        found = _without_person(compact, is_valid)
        if hasattr(module, "get_birth_date"):
            born = [told("get_birth_date", number) for number in compact]
            days = [np.datetime64(day if isinstance(day, date) else "NaT", "D") for day in born]
            found = replace(found, birth_date=np.array(days, dtype="datetime64[D]"))
        if hasattr(module, "get_gender"):
            sexes = [told("get_gender", number) for number in compact]
            found = replace(
                found,
                is_male=np.array([sex == "M" for sex in sexes], dtype=bool),
                has_sex=np.array([sex in ("M", "F") for sex in sexes], dtype=bool),
            )
        return found

    return check


def _unfolded_mask(number: str) -> str:
    if len(number) in (15, 18):
        return number
    head, _, tail = number.partition("*")
    tail = tail.lstrip("*")
    hidden = 18 - len(head) - len(tail)
    return number if "*" in tail or hidden < 1 else head + "*" * hidden + tail


def _unmask_last(number: str) -> str:
    return f"{number[:-1]}X" if number.count("*") == 1 and number.endswith("*") else number


def _with_repaired(found: Checked, places: npt.NDArray[np.int64], repaired: Checked) -> Checked:
    """Take over the repaired numbers whose own check character fits."""
    good = repaired.is_valid & repaired.has_check
    number = list(found.number)
    for place, text in zip(places[good], np.array(repaired.number, dtype=object)[good], strict=True):
        number[place] = text

    merged = Checked(
        number,
        found.is_valid.copy(),
        found.has_check.copy(),
        found.birth_date.copy(),
        found.is_male.copy(),
        found.has_sex.copy(),
    )
    for name in ("is_valid", "has_check", "birth_date", "is_male", "has_sex"):
        getattr(merged, name)[places[good]] = getattr(repaired, name)[good]
    return merged


@cache
def _provinces() -> tuple[int, ...]:
    """Two-digit codes of provinces; 83 is that of Taiwan residents' permits, which python-stdnum lacks."""
    known = numdb.get("cn/loc")
    return (*(code for code in range(10, 100) if known.info(str(code))[0][1]), 83)


_RESIDENT_WEIGHTS = np.array([2 ** (17 - place) % 11 for place in range(17)])
_RESIDENT_CHECKS = np.frombuffer(b"10X98765432", dtype=np.uint8)

_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_WEIGHTS = np.array([3**place % 31 for place in range(17)] + [1])
_CREDIT_VALUES = np.full(256, -1, dtype=np.int64)
_CREDIT_VALUES[np.frombuffer(_CREDIT_ALPHABET.encode(), dtype=np.uint8)] = np.arange(len(_CREDIT_ALPHABET))

_VECTORISED: dict[str, Callable[[Sequence[str]], Checked]] = {
    "cn.ric": check_resident_ids,
    "cn.uscc": check_credit_codes,
}
