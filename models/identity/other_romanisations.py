"""Names in Chinese characters as other romanisations than pinyin spell them: Hong Kong's, and Wade-Giles in Taiwan.

Here lives ``std_work.romanised_name``: which written name a name in Latin letters may be. 陈大文 is CHEN DAWEN in
pinyin, CHAN TAI MAN in Hong Kong, CHEN TA-WEN in Taiwan. Here do not live pinyin (``romanised.py``) nor the table of
spellings (``languages/<code>.yaml``).

A written name is given such a form only if the bank has a name that is spelled so and that pinyin does not explain:
where somebody is 常慧梅, CHANG HUIMEI is hers and not 张惠妹's.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

import duckdb
import pyarrow as pa
from pypinyin import Style
from pypinyin.style import convert

from models.identity.distinct_values import WORK
from models.identity.romanised import Pinyin, words_of

_WADE_GILES_VARIANTS = {"I": ("I", "YI"), "SSU": ("SSU", "SZU")}
_LONGEST_GIVEN_NAME = 3


@dataclass(frozen=True)
class Romanisation:
    """One way of spelling characters.

    Attributes:
        spellings: Spellings of each character, capital letters only.
        pinyin: The language's main romanisation.
        surnames: Spellings of surnames whose characters are spelled differently elsewhere.
    """

    spellings: Mapping[str, Sequence[str]]
    pinyin: Pinyin
    surnames: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @cached_property
    def _syllables(self) -> re.Pattern[str]:
        syllables = {one for table in (self.spellings, self.surnames) for listed in table.values() for one in listed}
        return re.compile(f"(?:{'|'.join(sorted(syllables, key=lambda one: (-len(one), one)))})+")

    def surname(self, surname: str) -> Sequence[str]:
        """Return every spelling of a surname; none if one of its characters has none."""
        spelled = ("".join(syllables) for syllables in product(*(self.spellings.get(c, ()) for c in surname)))
        return self.surnames.get(surname) or list(spelled)

    def letters(self, name: str) -> str | None:
        """Return the letters of those words of a name that are so spelled, or None if they are no whole name.

        A forename beside them (CHAN Tai Man Peter) is left out; a word of pinyin beside them makes the name pinyin.
        """
        words = words_of(name)
        spelled = [word for word in words if self._syllables.fullmatch(word)]
        is_pinyin = any(self.pinyin.words([word]) for word in words if word not in spelled)
        return "".join(spelled) if len(spelled) >= 2 and not is_pinyin else None


def romanisations(pinyin: Pinyin, characters: Iterable[str]) -> dict[str, Romanisation]:
    """Return the other romanisations of a language by name; Wade-Giles spells the given characters."""
    found = {"wade_giles": _wade_giles(pinyin, sorted(characters))}
    for name, table in pinyin.language.romanised_characters.items():
        spellings: dict[str, list[str]] = {}
        for spelling, spelled_so in table.items():
            for character in spelled_so:
                spellings.setdefault(character, []).append(spelling)
        found[name] = Romanisation(spellings, pinyin)
    return found


def create_romanised_names(con: duckdb.DuckDBPyConnection, pinyin: Pinyin | None) -> None:
    """Create ``std_work.romanised_name``: name_standard of a written name, name_latin of what may be its spelling.

    Reads ``std_work.person_name``. A bank without such a language has none.
    """
    if pinyin is None:
        con.execute(f"create or replace table {WORK}.romanised_name (name_standard varchar, name_latin varchar)")
        return
    is_written = rf"regexp_matches(name_standard, '\p{{{pinyin.language.script}}}')"
    con.execute(
        f"""
        create or replace table {WORK}.split_name as
        select distinct name_standard, surname, given_name, name_latin
        from {WORK}.person_name
        where {is_written} and surname is not null and length(given_name) between 1 and {_LONGEST_GIVEN_NAME}
        """
    )
    con.execute(
        f"""
        create or replace table {WORK}.unexplained_name as
        select distinct text, name_latin
        from {WORK}.person_name
        anti join (select name_latin from {WORK}.person_name where {is_written}) as written using (name_latin)
        where name_standard = name_latin
        """
    )
    _create_spellings(con, pinyin)
    _join_spellings(con)


def _create_spellings(con: duckdb.DuckDBPyConnection, pinyin: Pinyin) -> None:
    """Create what names are made of, by system: ``spelled_letters``, ``spelled_surname``, ``spelled_character``."""
    surnames = _column(con, f"select distinct surname from {WORK}.split_name")
    characters = _column(con, f"select distinct unnest(string_split(surname || given_name, '')) from {WORK}.split_name")
    names = con.execute(f"from {WORK}.unexplained_name").fetchall()
    letters_rows, surname_rows, character_rows = [], [], []
    for system, one in romanisations(pinyin, characters).items():
        letters_rows += [(system, letters, latin) for text, latin in names if (letters := one.letters(text))]
        surname_rows += [(system, surname, spelled) for surname in surnames for spelled in one.surname(surname)]
        character_rows += [
            (system, character, spelled) for character, listed in one.spellings.items() for spelled in listed
        ]
    _table(con, "spelled_letters", ("system", "letters", "name_latin"), letters_rows)
    _table(con, "spelled_surname", ("system", "surname", "spelled"), surname_rows)
    _table(con, "spelled_character", ("system", "character", "spelled"), character_rows)


def _join_spellings(con: duckdb.DuckDBPyConnection) -> None:
    """Create the table: the surname before or behind the given name, all characters in one system.

    Surnames that no spelled name begins or ends with are left out first: in most banks that leaves few names.
    """
    later = range(2, _LONGEST_GIVEN_NAME + 1)
    joins = "".join(
        f" left join {WORK}.spelled_character as c{place}"
        f" on name.given_name[{place}] = c{place}.character and c{place}.system = family.system"
        for place in later
    )
    given = "c1.spelled" + "".join(f" || coalesce(c{place}.spelled, '')" for place in later)
    whole = " and ".join(f"(length(name.given_name) < {place} or c{place}.spelled is not null)" for place in later)
    con.execute(
        f"""
        create or replace table {WORK}.romanised_name as
        with length as (
            select distinct length(spelled) as length from {WORK}.spelled_surname
        ),
        ends as (
            select distinct system, unnest([left(letters, length.length), right(letters, length.length)]) as spelled
            from {WORK}.spelled_letters
            cross join length
        ),
        spelled as (
            select
                name.name_standard, name.name_latin, family.system, family.spelled as family, {given} as given
            from {WORK}.split_name as name
            inner join {WORK}.spelled_surname as family using (surname)
            semi join ends on ends.system = family.system and ends.spelled = family.spelled
            inner join {WORK}.spelled_character as c1
                on name.given_name[1] = c1.character and c1.system = family.system
            {joins}
            where {whole}
        ),
        ordered as (
            select name_standard, name_latin, system, family || given as letters from spelled
            union all
            select name_standard, name_latin, system, given || family from spelled
        )
        select distinct ordered.name_standard, latin.name_latin
        from ordered
        inner join {WORK}.spelled_letters as latin using (system, letters)
        where latin.name_latin <> ordered.name_latin
        """
    )


def _wade_giles(pinyin: Pinyin, characters: Sequence[str]) -> Romanisation:
    """Wade-Giles as passports write it: without apostrophes and dots."""
    reading_of = dict(zip(characters, pinyin.readings(characters), strict=True))
    surnames = {surname: reading for surname, reading in pinyin.language.surname_readings.items() if len(surname) == 1}
    spelled = {reading: _in_wade_giles(reading) for reading in {*reading_of.values(), *surnames.values()}}
    return Romanisation(
        {character: spelled[reading] for character, reading in reading_of.items()},
        pinyin,
        {surname: spelled[reading] for surname, reading in surnames.items()},
    )


def _in_wade_giles(reading: str) -> tuple[str, ...]:
    spelled = convert(reading.lower(), Style.WADEGILES, True).upper().replace("V", "U")
    plain = re.sub("[^A-Z]", "", spelled)
    return _WADE_GILES_VARIANTS.get(plain, (plain,))


def _column(con: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    return [value for (value,) in con.execute(query).fetchall()]


def _table(con: duckdb.DuckDBPyConnection, name: str, columns: Sequence[str], rows: Iterable[tuple[str, ...]]) -> None:
    """Create a scratch table of text columns."""
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    con.register("std_incoming", pa.table([pa.array(v, pa.string()) for v in values], names=list(columns)))
    con.execute(f"create or replace table {WORK}.{name} as from std_incoming")
    con.unregister("std_incoming")
