"""Names in Latin letters: readings of Chinese characters, and one order for the words of a romanised name.

Here live pure functions over text. Here does not live SQL, nor the split of a name that is written in
Chinese characters (``names.py``).
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property

from pypinyin import lazy_pinyin
from pypinyin.constants import PHRASES_DICT

from models.identity.languages import Language, Lexicon

_UNDECOMPOSED = str.maketrans(
    {"Ł": "L", "Ø": "O", "Đ": "D", "Ð": "D", "ẞ": "SS", "Æ": "AE", "Œ": "OE", "Þ": "TH", "Ħ": "H"}
)
_INSIDE_A_WORD = re.compile("['’‘`´‐-―-]")
_WORD = re.compile(r"(?:[^\W\d_]|\*)+")
_ORDINAL = re.compile(r"\b[0-9]+(?:ST|ND|RD|TH)\b")
_ONLY_WORDS = re.compile(r"[A-Z ]+")
_LATIN = re.compile(r"[A-Z]+")


@dataclass(frozen=True)
class LatinName:
    """A name without Chinese characters, standardised.

    Attributes:
        name_standard: Upper-case words in canonical order; in their own order where some are masked or not Latin.
        name_latin: The same; None where words are masked or not Latin.
        surname: None where nothing tells it.
        given_name: None where nothing tells it.
    """

    name_standard: str | None
    name_latin: str | None = None
    surname: str | None = None
    given_name: str | None = None


def fold(text: str) -> str:
    """Return the text in upper case without accents; letters of other scripts stay."""
    if text.isascii():
        return text.upper()
    decomposed = unicodedata.normalize("NFD", text.upper().translate(_UNDECOMPOSED))
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))


def words_of(text: str) -> list[str]:
    """Return the words of a name in capital letters, without signs inside them (O'Neil, Ta-wen) and ordinals (2nd)."""
    folded = fold(text)
    if _ONLY_WORDS.fullmatch(folded):
        return folded.split()
    return _WORD.findall(_ORDINAL.sub(" ", _INSIDE_A_WORD.sub("", folded)))


@dataclass(frozen=True)
class Pinyin:
    """Readings of a language that is romanised as pinyin.

    Readings are upper case, without tones and blanks. ü is U in them: romanised names write it U, V, YU or Ü.
    """

    language: Language

    @cached_property
    def surname_rank(self) -> dict[str, int]:
        """Rank of every surname's reading: compound surnames, which are hardly ever given names, then by frequency."""
        surnames = (*self.language.compound_surnames, *self.language.surnames)
        return {reading: rank for rank, reading in enumerate(dict.fromkeys(map(self.surname_reading, surnames)))}

    @cached_property
    def _spelled(self) -> dict[str, str | None]:
        return {}

    @cached_property
    def _compound_readings(self) -> frozenset[str]:
        return frozenset(map(self.surname_reading, self.language.compound_surnames))

    @cached_property
    def _syllables(self) -> re.Pattern[str]:
        # GB 2312 holds the characters that people's names are written with, and so every syllable of them.
        rows = range(0xB0, 0xF8)
        common = b"".join(bytes((row, cell)) for row in rows for cell in range(0xA1, 0xFF))
        found = set(self.readings(sorted(set(common.decode("gb2312", errors="ignore")))))
        syllables = sorted((one for one in found if re.search("[AEIOU]", one)), key=len, reverse=True)
        return re.compile(f"(?:{'|'.join(syllables)})+")

    def surname_reading(self, surname: str) -> str:
        """Return the reading of a surname, which may differ from that of its characters elsewhere."""
        known = self.language.surname_readings.get(surname)
        return known.upper() if known else self.readings([surname])[0]

    def readings(self, texts: Sequence[str]) -> list[str]:
        """Return the reading of each text: as a phrase where it is one, else character by character."""
        if not texts:
            return []
        known = self.language.character_readings
        table = {ord(c): known.get(c) or "".join(lazy_pinyin(c)) for c in set().union(*texts)}
        by_character = "\n".join(texts).translate(table).split("\n")
        return [
            "".join(lazy_pinyin(text) if text in PHRASES_DICT else (reading,)).upper().replace("V", "U")
            for text, reading in zip(texts, by_character, strict=True)
        ]

    def words(self, words: Sequence[str]) -> list[str] | None:
        """Return the upper-case words in this spelling of pinyin, or None if one of them is no pinyin."""
        spelled = [self._word(word) for word in words]
        return [word for word in spelled if word] if all(spelled) else None

    def _word(self, word: str) -> str | None:
        if word not in self._spelled:
            in_u = re.sub("LYU|^NYU", lambda found: found[0][0] + "U", word).replace("V", "U")
            self._spelled[word] = in_u if self._syllables.fullmatch(in_u) else None
        return self._spelled[word]

    def in_order(self, one: str, other: str) -> tuple[str, str]:
        """Return two words with the likelier surname first, whatever order they came in.

        Where both are surnames a compound or the more frequent one leads, where none is the alphabet decides:
        张伟, ZHANG WEI and WEI ZHANG are one name.
        """
        rank, unknown = self.surname_rank, len(self.surname_rank)
        one_first = (rank.get(one, unknown), one) <= (rank.get(other, unknown), other)
        return (one, other) if one_first else (other, one)

    def split(self, words: Sequence[str]) -> tuple[str, str] | None:
        """Return surname and given name of pinyin words, or None where no surname is found."""
        if len(words) == 1:
            return self._split_word(words[0])
        if len(words) == 2:
            first, second = self.in_order(*words)
            return (first, second) if first in self.surname_rank else None
        if (compound := words[0] + words[1]) in self._compound_readings:
            return compound, "".join(words[2:])
        if words[0] in self.surname_rank:
            return words[0], "".join(words[1:])
        if words[-1] in self.surname_rank:
            return words[-1], "".join(words[:-1])
        return None

    def _split_word(self, word: str) -> tuple[str, str] | None:
        for end in range(len(word) - 1, 0, -1):
            if word[:end] in self.surname_rank and self._syllables.fullmatch(word[end:]):
                return word[:end], word[end:]
        return None


class LatinNames:
    """Standardises names of persons that hold no character of a romanised script."""

    def __init__(self, lexicon: Lexicon, titles: Sequence[str], pinyin: Pinyin | None) -> None:
        self._titles = {fold(title) for title in (*lexicon.words("person_titles"), *titles)}
        self._particles = set(lexicon.words("surname_particles"))
        latin = lexicon.first("Latin")
        self._family_first = latin is not None and latin.name_order == "family_first"
        self._pinyin = pinyin

    def standardise(self, text: str, family: str | None = None) -> LatinName:
        """Return the parts of one name.

        Args:
            text: The name after ``clean_texts``, masks as ``*``; a comma may stand behind the surname.
            family: The surname where the source has a field for it.
        """
        words = self._words(text)
        if len("".join(words)) < 2:
            return LatinName(None)
        if not _LATIN.fullmatch("".join(words)):
            return LatinName(" ".join(words))
        head, comma, _ = text.partition(",")
        surname_words = self._words(family or head) if family or comma else []
        if self._pinyin and (spelled := self._pinyin.words(words)):
            split = _split_at(spelled, self._pinyin.words(surname_words) or [], "") or self._pinyin.split(spelled)
            name = " ".join(self._pinyin.in_order(*split) if split else sorted(spelled))
            return LatinName(name, name, *(split or (None, None)))
        name = " ".join(sorted(words))
        return LatinName(name, name, *(_split_at(words, surname_words, " ") or self._split_by_order(words)))

    def columns(self, texts: Sequence[str], families: Sequence[str]) -> dict[str, list[str | None]]:
        """Standardise many names; an empty family means that no surname is known. One list a field."""
        names = [self.standardise(text, family or None) for text, family in zip(texts, families, strict=True)]
        return {field.name: [getattr(name, field.name) for name in names] for field in fields(LatinName)}

    def _words(self, text: str) -> list[str]:
        words = words_of(text)
        return [word for word in words if word not in self._titles] or words

    def _split_by_order(self, words: list[str]) -> tuple[str | None, str | None]:
        if len(words) == 1:
            return None, None
        if self._family_first:
            return words[0], " ".join(words[1:])
        start = len(words) - 1
        while start > 1 and words[start - 1] in self._particles:
            start -= 1
        return " ".join(words[start:]), " ".join(words[:start])


def _split_at(words: list[str], surname_words: list[str], joint: str) -> tuple[str, str] | None:
    """Surname and given name where the surname is known and is a part of the name, but not all of it."""
    given_words = list(words)
    for word in surname_words:
        if word not in given_words:
            return None
        given_words.remove(word)
    if not surname_words or not given_words:
        return None
    return joint.join(surname_words), joint.join(given_words)
