"""Identity documents as the systems record them: right, in another form, or wrong.

Types are the numbers of ``shapes``; each export writes them with its own codes.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sources.sample import identifiers
from sources.sample.bank import Bank
from sources.sample.companies import SOLE_TRADER
from sources.sample.shapes import CREDIT_CODE, ORGANISATION_CODE, PASSPORT, RESIDENT_ID
from sources.sample.text import (
    Mask,
    Numbers,
    Text,
    blank,
    choose,
    from_bytes,
    full_width,
    join,
    pick,
    put,
    together,
)

PLACEHOLDERS = pa.array(["无", "-", "不详", "0", "000000000000000000", "111111111111111111"])
FIRST_DAY_OF_NEW_FORM = 5478  # 1985-01-01: those born before may have been entered with the 15-digit form
_FATES = {
    "id_missing": 1,
    "id_placeholder": 2,
    "id_masked": 3,
    "id_transposed": 4,
    "id_wrong_digit": 5,
    "id_letter": 6,
    "id_relative": 7,
    "id_other_document": 8,
}


@dataclass(frozen=True)
class Documents:
    """Type, number (null if missing) and whether the number is the bearer's own and right in whatever form."""

    kind: Numbers
    number: Text
    usable: Mask


def person_documents(rng: np.random.Generator, bank: Bank, rows: Numbers, demanded: bool = False) -> Documents:
    """Record the documents of persons with the errors of the noise level.

    Where the number is ``demanded`` (of a party that a record describes by name and document only) it is never
    missing, but as often wrong as elsewhere.
    """
    persons, noise = bank.persons, bank.noise
    kind, number = persons.document_type[rows], persons.document[rows]
    length = persons.document_length[rows].copy()
    resident = kind == RESIDENT_ID
    related = resident & (persons.relative[rows] >= 0)
    related[related] = persons.document_type[persons.relative[rows[related]]] == RESIDENT_ID
    may_lack = np.full(len(rows), not demanded)
    fate = noise.one_of(
        rng,
        {
            "id_missing": may_lack,
            "id_placeholder": may_lack,
            "id_masked": resident,
            "id_transposed": resident,
            "id_wrong_digit": resident,
            "id_letter": resident,
            "id_relative": related,
            "id_other_document": resident,
        },
    )
    hit = {name: np.flatnonzero(fate == code) for name, code in _FATES.items()}
    right = fate == 0
    old = np.flatnonzero(
        noise.hits(rng, "id_old_form", right & resident & (persons.birth[rows] < FIRST_DAY_OF_NEW_FORM))
    )
    number[old] = identifiers.padded(np.delete(number[old], (6, 7, 17), axis=1))
    length[old] = 15
    number[hit["id_masked"], 6:14] = ord("*")
    _swap(rng, number, hit["id_transposed"])
    _misread(rng, number, hit["id_wrong_digit"])
    _letter(rng, number, hit["id_letter"])
    relative = hit["id_relative"]
    number[relative] = persons.document[persons.relative[rows[relative]]]
    other = hit["id_other_document"]
    number[other] = identifiers.padded(identifiers.own_passports(rows[other]))
    length[other] = 9
    kind = kind.copy()
    kind[other] = PASSPORT

    text = from_bytes(number, length)
    text = _reformat(rng, text, np.flatnonzero(noise.hits(rng, "id_format", right)))
    text = put(text, hit["id_placeholder"], _placeholders(rng, len(hit["id_placeholder"])))
    text = choose(fate == _FATES["id_missing"], None, text)
    noise.count("strong_id_right", int(right.sum()), len(rows))
    return Documents(kind, text, right)


def right_documents(bank: Bank, rows: Numbers) -> Documents:
    """Record the documents of persons without errors."""
    persons = bank.persons
    text = from_bytes(persons.document[rows], persons.document_length[rows])
    return Documents(persons.document_type[rows], text, np.ones(len(rows), dtype=bool))


def company_documents(rng: np.random.Generator, bank: Bank, rows: Numbers) -> Documents:
    """Record credit codes of organisations, or the old organisation code within them, with errors."""
    noise, code = bank.noise, bank.companies.code[rows]
    everyone = np.ones(len(rows), dtype=bool)
    incorporated = bank.companies.kind[rows] != SOLE_TRADER
    fate = noise.one_of(
        rng,
        {
            "company_document_missing": everyone,
            "company_document_old": incorporated,
            "company_document_error": everyone,
        },
    )
    _misread(rng, code, np.flatnonzero(fate == 3), low=2, high=8)
    text = from_bytes(code, np.full(len(rows), identifiers.WIDTH))
    organisation = from_bytes(code[:, 8:17], np.full(len(rows), 9))
    dashed = join(pc.utf8_slice_codeunits(organisation, 0, 8), "-", pc.utf8_slice_codeunits(organisation, 8))
    text = choose(fate == 2, choose(rng.random(len(rows)) < 0.5, dashed, organisation), text)
    missing = np.flatnonzero(fate == 1)
    text = put(
        text,
        missing,
        together(_placeholders(rng, len(missing) // 3), blank(len(missing) - len(missing) // 3)),
    )
    return Documents(np.where(fate == 2, ORGANISATION_CODE, CREDIT_CODE), text, fate == 0)


def expiry_days(rng: np.random.Generator, bank: Bank, rows: Numbers, updated: Numbers) -> Numbers:
    """Draw for persons' documents the day of expiry, after the day of the last update."""
    years = np.where(bank.persons.document_type[rows] == RESIDENT_ID, 20, 10)
    return updated + (rng.random(len(rows)) * years * 365).astype(np.int64)


def _placeholders(rng: np.random.Generator, count: int) -> Text:
    return pick(PLACEHOLDERS, rng.integers(0, len(PLACEHOLDERS), count))


def _one_position(rng: np.random.Generator, allowed: Mask) -> Numbers:
    """Draw one allowed position in each row; the first where none is allowed."""
    return np.asarray((rng.random(allowed.shape) * allowed).argmax(axis=1))


def _swap(rng: np.random.Generator, number: NDArray[np.uint8], rows: Numbers) -> None:
    """Swap two neighbouring, different digits between positions 7 and 17."""
    part = number[rows]
    left = 6 + _one_position(rng, part[:, 6:16] != part[:, 7:17])
    number[rows, left], number[rows, left + 1] = number[rows, left + 1], number[rows, left]


def _misread(rng: np.random.Generator, number: NDArray[np.uint8], rows: Numbers, low: int = 6, high: int = 17) -> None:
    """Replace one digit by another within positions low+1 to high."""
    position = rng.integers(low, high, len(rows))
    digit = number[rows, position] - ord("0")
    number[rows, position] = ord("0") + (digit + rng.integers(1, 10, len(rows))) % 10


def _letter(rng: np.random.Generator, number: NDArray[np.uint8], rows: Numbers) -> None:
    """Write one 0 as O or one 1 as I."""
    part = number[rows]
    position = _one_position(rng, np.isin(part, (ord("0"), ord("1"))))
    number[rows, position] = np.where(number[rows, position] == ord("0"), ord("O"), ord("I"))


def _reformat(rng: np.random.Generator, text: Text, rows: Numbers) -> Text:
    """Write numbers in another way that means the same: full width, in groups, with a small x."""
    part = text.take(pa.array(rows))
    style = rng.integers(0, 3, len(rows))
    groups = join(
        pc.utf8_slice_codeunits(part, 0, 6),
        pc.utf8_slice_codeunits(part, 6, 14),
        pc.utf8_slice_codeunits(part, 14),
        sep=" ",
    )
    part = choose(style == 0, full_width(part), choose(style == 1, groups, pc.utf8_lower(part)))
    return put(text, rows, part)
