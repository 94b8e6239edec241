"""How often each error is injected, for each level of noise, and the count of what was injected.

``docs/sample-bank.md`` carries this table; a test keeps the two equal. What each error does to a value is in
``rendering``.
"""

from dataclasses import dataclass, field

import numpy as np

from sources.sample.text import Mask, Numbers

LEVELS = ("low", "default", "high")


@dataclass(frozen=True)
class Rate:
    """Share of the eligible values that are hit, by level, and what happens to them."""

    low: float
    default: float
    high: float
    eligible: str
    meaning: str

    def at(self, level: str) -> float:
        """The rate of a level."""
        return float(getattr(self, level))


_RECORD = "records of persons"
_OWN = "records of persons but those described beside others"
_RESIDENT = "records of persons with a resident id"
_HAN = "records of persons with a Han name"
_COMPANY = "records of companies"

RATES: dict[str, Rate] = {
    "id_missing": Rate(0.015, 0.050, 0.090, _OWN, "document number empty"),
    "id_placeholder": Rate(0.003, 0.010, 0.020, _OWN, "无, -, 不详, 0, a row of zeros or of ones"),
    "id_masked": Rate(0.005, 0.015, 0.030, _RESIDENT, "characters 7 to 14 replaced by *"),
    "id_transposed": Rate(0.001, 0.004, 0.008, _RESIDENT, "two neighbouring digits swapped"),
    "id_wrong_digit": Rate(0.001, 0.004, 0.008, _RESIDENT, "one digit wrong"),
    "id_letter": Rate(0.002, 0.006, 0.010, _RESIDENT, "one 0 written O or one 1 written I"),
    "id_relative": Rate(0.0002, 0.001, 0.003, _RESIDENT, "the id of another person of the household"),
    "id_other_document": Rate(0.003, 0.008, 0.015, _RESIDENT, "identified by passport instead"),
    "id_old_form": Rate(
        0.030,
        0.080,
        0.120,
        "records of persons born before 1985 whose id is right",
        "the 15-digit form of before 1999",
    ),
    "id_format": Rate(
        0.010,
        0.030,
        0.060,
        "records of persons with a document",
        "full-width digits, blanks between the groups, or a small x",
    ),
    "id_shared": Rate(0.00002, 0.0001, 0.0003, "persons", "bears the valid id of an unrelated person"),
    "name_homophone": Rate(0.003, 0.010, 0.025, _HAN, "one character replaced by one of the same sound"),
    "name_look_alike": Rate(0.003, 0.008, 0.020, _HAN, "one character replaced by a similar-looking one"),
    "name_traditional": Rate(0.005, 0.020, 0.040, _HAN, "written in traditional characters"),
    "name_title": Rate(0.002, 0.005, 0.015, _HAN, "先生 or 女士 behind the name"),
    "name_space": Rate(0.005, 0.015, 0.030, _HAN, "a blank or full-width blank within the name"),
    "name_latin_only": Rate(0.010, 0.030, 0.060, "card holders", "name field holds the embossed name only"),
    "name_former": Rate(
        0.003, 0.008, 0.015, "persons", "changed the given name; records not updated since bear the old one"
    ),
    "birth_missing": Rate(0.020, 0.050, 0.100, _RECORD, "birth date empty"),
    "birth_placeholder": Rate(0.003, 0.010, 0.020, _RECORD, "1900-01-01"),
    "birth_error": Rate(0.003, 0.008, 0.020, _RECORD, "year, month or day wrong, or day and month swapped"),
    "sex_missing": Rate(0.020, 0.040, 0.080, _RECORD, "sex empty"),
    "sex_error": Rate(0.001, 0.003, 0.008, _RECORD, "the other sex"),
    "mobile_missing": Rate(0.030, 0.080, 0.150, _RECORD, "mobile empty"),
    "mobile_placeholder": Rate(0.003, 0.008, 0.015, _RECORD, "13800000000, 11111111111, 无, -, 000000"),
    "mobile_agent": Rate(0.003, 0.010, 0.020, _RECORD, "the number of an agent who opened many accounts"),
    "mobile_relative": Rate(0.010, 0.030, 0.050, _RECORD, "the number of another person of the household"),
    "mobile_error": Rate(0.002, 0.005, 0.010, _RECORD, "one digit wrong"),
    "address_missing": Rate(0.020, 0.050, 0.100, "records of persons and companies", "address empty"),
    "address_short": Rate(
        0.150,
        0.300,
        0.450,
        "records of persons and companies",
        "province or city left out, or their 省 and 市",
    ),
    "address_style": Rate(
        0.100,
        0.250,
        0.400,
        "records of persons and companies",
        "building as 3-2-501, full-width digits, or without the name of the estate",
    ),
    "second_core_record": Rate(0.020, 0.030, 0.050, "customers of core banking", "held twice there"),
    "second_card_record": Rate(0.010, 0.020, 0.040, "card holders", "held twice there"),
    "company_document_missing": Rate(0.010, 0.040, 0.080, _COMPANY, "credit code empty or a placeholder"),
    "company_document_old": Rate(0.020, 0.060, 0.100, _COMPANY, "the old organisation code instead"),
    "company_document_error": Rate(0.001, 0.005, 0.010, _COMPANY, "one character of the credit code wrong"),
    "company_name_variant": Rate(
        0.050, 0.150, 0.300, _COMPANY, "city left out, other legal form, half-width brackets, short name"
    ),
}


@dataclass
class Noise:
    """One level's rates; counts what it lets through, by name: hits and eligible values."""

    level: str
    counted: dict[str, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise ValueError(f"noise {self.level!r} is not one of {', '.join(LEVELS)}")

    def rate(self, name: str) -> float:
        """Share of eligible values that the error hits."""
        return RATES[name].at(self.level)

    def hits(self, rng: np.random.Generator, name: str, eligible: Mask) -> Mask:
        """Draw which of the eligible values the error hits, and count them."""
        hit: Mask = eligible & (rng.random(len(eligible)) < self.rate(name))
        self.count(name, int(hit.sum()), int(eligible.sum()))
        return hit

    def one_of(self, rng: np.random.Generator, names: dict[str, Mask]) -> Numbers:
        """Draw at most one of several errors a row: its number from 1 in the order given, or 0."""
        point = rng.random(len(next(iter(names.values()))))
        fate = np.zeros(len(point), dtype=np.int64)
        low = 0.0
        for number, (name, eligible) in enumerate(names.items(), start=1):
            hit = eligible & (point >= low) & (point < low + self.rate(name))
            fate[hit] = number
            low += self.rate(name)
            self.count(name, int(hit.sum()), int(eligible.sum()))
        return fate

    def count(self, name: str, hits: int, eligible: int) -> None:
        """Add to the counts of an error."""
        known = self.counted.get(name, (0, 0))
        self.counted[name] = (known[0] + hits, known[1] + eligible)
