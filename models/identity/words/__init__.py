"""The words of explanations: one file a language, ``<code>.yaml``, holds everything that a translator touches.

Here live those files and their loading. How sentences are put together lives in ``explain_text``. A name that a
language does not know is told by itself, underscores as blanks, so a new level never breaks an explanation; a test
says which words are missing. A language is added by writing its file; the code names none.
"""

from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

_FOLDER = Path(__file__).parent


class Words(BaseModel):
    """One language.

    Attributes:
        last_separator: Between the last two of several things.
        separator: Between the others.
        sizes: Words for large numbers, the largest first, as they follow the number.
        most: Larger numbers are told as more than this.
        fields: Comparisons, and parts of a record.
        levels: By comparison, what each level of agreement says.
        keys: Blocking keys.
        documents: Document types.
        fits: Why records of one document were judged to fit, by name of ``collapse.FITS``.
        kinds: Kinds of shared contacts.
        standings: Why a steward's decision does not bind.
        text: Sentences and phrases, ``str.format`` templates.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    last_separator: str
    separator: str
    sizes: tuple[tuple[int, str], ...]
    most: float
    fields: dict[str, str]
    levels: dict[str, dict[str, str]]
    keys: dict[str, str]
    documents: dict[str, str]
    fits: dict[str, str]
    kinds: dict[str, str]
    standings: dict[str, str]
    text: dict[str, str]

    def field(self, name: str) -> str:
        """Name of a comparison or field."""
        return self.fields.get(name) or _plain(name)

    def level(self, comparison: str, level: str) -> str:
        """What a level of agreement says."""
        return self.levels.get(comparison, {}).get(level) or f"{self.field(comparison)}: {_plain(level)}"

    def key(self, name: str) -> str:
        """Name of a blocking key."""
        return self.keys.get(name) or self.field(name)

    def document(self, kind: str | None) -> str:
        """Name of a document type."""
        return self.documents.get(kind or "other") or _plain(kind or "")

    def fit(self, name: str) -> str:
        """Why two records of one document fit."""
        return self.fits.get(name) or _plain(name)

    def kind(self, name: str) -> str:
        """Name of a kind of shared contact."""
        return self.kinds.get(name) or _plain(name)

    def standing(self, name: str) -> str:
        """Why a decision does not bind."""
        return self.standings.get(name) or _plain(name)

    def say(self, sentence: str, **values: object) -> str:
        """A sentence with its places filled."""
        return self.text[sentence].format(**values)

    def listed(self, things: list[str]) -> str:
        """Things listed: ``a, b and c``."""
        return self.last_separator.join(filter(None, (self.separator.join(things[:-1]), *things[-1:])))


def languages() -> tuple[str, ...]:
    """Codes of the languages in which explanations can be told."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


@cache
def load_words(code: str) -> Words:
    """The words of a language, by one of the codes of ``languages``."""
    return Words.model_validate(yaml.safe_load((_FOLDER / f"{code}.yaml").read_text(encoding="utf-8")))


def _plain(name: str) -> str:
    return name.replace("_", " ")
