"""Words of languages: surnames, titles, legal forms, region suffixes, placeholders.

Here live ``<code>.yaml``, one a language, and their loading. Here does not live what is done with the words.
A language is added by writing its file; the code names none.
"""

from functools import cache
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator

_FOLDER = Path(__file__).parent


class Language(BaseModel):
    """What standardisation knows of one language; every key of its file.

    Attributes:
        script: Unicode script of its names.
        opencc: OpenCC conversion that makes spellings one (``t2s``); None converts nothing.
        romanisation: How its script is written in Latin letters; None for Latin scripts.
        name_order: Order of a full name without a comma.
        surnames: Surnames, the most frequent first; only where the script does not separate names by spaces.
        compound_surnames: Surnames of more than one character.
        character_readings: Readings of characters in names, where the library would choose another one.
        surname_readings: Readings of surnames whose characters are read differently elsewhere.
        romanised_characters: Spellings by ear, by romanisation: the characters that are spelled so.
        surname_particles: Words that begin a surname of several words (van der Berg).
        person_titles: Words beside a name that are not part of it.
        nicknames: Given names with their familiar forms; a form may belong to several names.
        withheld_words: Words in the place of a given name that is not told.
        organisation_forms: Legal forms by their short form.
        organisation_prefixes: The same for legal forms that stand before the name.
        branch_words: Words that make an organisation's name the name of its branch.
        country_words: Names of the own country at the head of an address.
        region_suffixes: Words for kinds of administrative divisions, dropped behind a region's name.
        region_qualifiers: Words that stand between a region's name and its suffix, dropped with it.
        region_fillers: Entries of a region field that name no region.
        street_words: What follows makes a region's name the name of a street.
        unit_words: Words behind a number that say which part of a building it counts.
        numerals: Digits written as words, and ``numeral_powers`` the powers of ten between them.
        address_abbreviations: Short forms of words in addresses.
        extension_words: Words before the extension of a phone number.
        placeholder_words: Whole values that stand for nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    script: Literal["Han", "Latin"]
    opencc: str | None = None
    romanisation: Literal["pinyin"] | None = None
    name_order: Literal["family_first", "given_first"]
    surnames: tuple[str, ...] = ()
    compound_surnames: tuple[str, ...] = ()
    character_readings: dict[str, str] = {}
    surname_readings: dict[str, str] = {}
    romanised_characters: dict[str, dict[str, str]] = {}
    surname_particles: tuple[str, ...] = ()
    person_titles: tuple[str, ...] = ()
    nicknames: dict[str, tuple[str, ...]] = {}
    withheld_words: tuple[str, ...] = ()
    organisation_forms: dict[str, tuple[str, ...]] = {}
    organisation_prefixes: dict[str, tuple[str, ...]] = {}
    branch_words: tuple[str, ...] = ()
    country_words: tuple[str, ...] = ()
    region_suffixes: tuple[str, ...] = ()
    region_qualifiers: tuple[str, ...] = ()
    region_fillers: tuple[str, ...] = ()
    street_words: tuple[str, ...] = ()
    unit_words: tuple[str, ...] = ()
    numerals: dict[str, int] = {}
    numeral_powers: dict[str, int] = {}
    address_abbreviations: dict[str, str] = {}
    extension_words: tuple[str, ...] = ()
    placeholder_words: tuple[str, ...] = ()

    @field_validator("surnames", "compound_surnames", mode="before")
    @classmethod
    def _words_of_a_line(cls, value: object) -> object:
        return tuple(value.split()) if isinstance(value, str) else value


class Lexicon(BaseModel):
    """The languages of a bank, most important first, asked as one."""

    model_config = ConfigDict(frozen=True)

    languages: tuple[Language, ...] = Field(min_length=1)

    @classmethod
    def of(cls, codes: tuple[str, ...]) -> Self:
        """Load the languages of these codes; KeyError for a code without a file."""
        return cls(languages=tuple(load_language(code) for code in codes))

    def words(self, key: str) -> tuple[str, ...]:
        """The list ``key`` of every language, longest word first (so that it wins in an alternation)."""
        found = {word for language in self.languages for word in getattr(language, key)}
        return tuple(sorted(found, key=lambda word: (-len(word), word)))

    @property
    def numerals(self) -> dict[str, int]:
        """Digits written as words."""
        return {word: value for one in reversed(self.languages) for word, value in one.numerals.items()}

    @property
    def numeral_powers(self) -> dict[str, int]:
        """Powers of ten written as words."""
        return {word: value for one in reversed(self.languages) for word, value in one.numeral_powers.items()}

    @property
    def address_abbreviations(self) -> dict[str, str]:
        """Short forms of words in addresses."""
        return {long: short for one in reversed(self.languages) for long, short in one.address_abbreviations.items()}

    @property
    def nicknames(self) -> tuple[tuple[str, str], ...]:
        """Familiar forms of given names with the names that they stand for."""
        return tuple(
            sorted({(form, name) for one in self.languages for name, forms in one.nicknames.items() for form in forms})
        )

    def first(self, script: str) -> Language | None:
        """The most important language of a script, or None."""
        return next((language for language in self.languages if language.script == script), None)

    @property
    def conversions(self) -> tuple[str, ...]:
        """OpenCC conversions, in order of the languages."""
        return tuple(dict.fromkeys(one.opencc for one in self.languages if one.opencc))


@cache
def known_languages() -> tuple[str, ...]:
    """Codes of the languages that have a file, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


@cache
def load_language(code: str) -> Language:
    """Read ``<code>.yaml``.

    Raises:
        KeyError: There is no such file.
    """
    if code not in known_languages():
        raise KeyError(f"no language {code!r}; there are {', '.join(known_languages())}")
    return Language.model_validate(yaml.safe_load((_FOLDER / f"{code}.yaml").read_text(encoding="utf-8")))
