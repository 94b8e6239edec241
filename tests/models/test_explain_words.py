"""Nothing that an explanation may have to tell is without words, in any language; numbers read well."""

import string
from pathlib import Path

import pytest

from models.identity import explain_phrases, explain_text
from models.identity.blocking_keys import KEYS
from models.identity.collapse import FITS
from models.identity.comparisons import CATALOGUE
from models.identity.explain_phrases import count_words
from models.identity.explanation import Verdict
from models.identity.standardise_settings import StandardiseSettings
from models.identity.words import Words, languages, load_words
from models.tables import load_tables
from pipelines.cli import why

ENGLISH = load_words("en")
EVERY_LANGUAGE = pytest.mark.parametrize("words", [load_words(code) for code in languages()], ids=languages())


@EVERY_LANGUAGE
def test_every_level_of_agreement_has_words(words: Words) -> None:
    levels = {(c.name, level.name) for comparisons in CATALOGUE.values() for c in comparisons for level in c.levels}
    assert levels - {(name, level) for name, known in words.levels.items() for level in known} == set()
    assert {comparison for comparison, _ in levels} - set(words.fields) == set()


@EVERY_LANGUAGE
def test_every_blocking_key_document_and_fit_has_words(words: Words) -> None:
    assert {key for keys in KEYS.values() for key in keys} - set(words.keys) == set()
    assert set(StandardiseSettings().documents) - set(words.documents) == set()
    assert set(FITS) - set(words.fits) == set()


@EVERY_LANGUAGE
def test_every_verdict_has_a_sentence(words: Words) -> None:
    assert {v.value for v in Verdict} - {s.removeprefix("because_") for s in words.text} == set()


@EVERY_LANGUAGE
def test_every_language_says_the_same_with_the_same_places(words: Words) -> None:
    assert set(words.text) == set(ENGLISH.text)
    for name, template in ENGLISH.text.items():
        assert _places(words.text[name]) == _places(template), name


def _places(template: str) -> set[str]:
    return {place for _, place, *_ in string.Formatter().parse(template) if place}


def test_a_level_without_words_is_told_by_its_name() -> None:
    assert ENGLISH.level("shoe_size", "nearly_equal") == "shoe size: nearly equal"
    assert ENGLISH.document("library_card") == "library card"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1.07, "1.1"),
        (2, "2"),
        (73.4, "73"),
        (9034, "9,000"),
        (240_000, "240,000"),
        (34_400_000, "34 million"),
        (5.1e9, "5.1 billion"),
        (2.0**60, "1,000 billion"),
    ],
)
def test_numbers_are_told_to_two_digits(value: float, said: str) -> None:
    assert count_words(ENGLISH, value).removeprefix("more than ") == said


def test_things_are_listed() -> None:
    assert ENGLISH.listed(["a"]) == "a"
    assert ENGLISH.listed(["a", "b"]) == "a and b"
    assert ENGLISH.listed(["a", "b", "c"]) == "a, b and c"


def test_every_sentence_is_used() -> None:
    modules = (explain_phrases, explain_text, why)
    code = "".join(Path(str(module.__file__)).read_text(encoding="utf-8") for module in modules)
    made = {f"because_{v.value}" for v in Verdict} | {"chain_score", "chain_clusters", "built_score", "built_clusters"}
    made |= {"decision_same", "decision_different"}
    made |= {
        f"retired_{resolution}" for resolution in load_tables()["customer.retired_customer"].column("resolution").values
    }
    assert {name for name in ENGLISH.text if f'"{name}"' not in code} - made == set()
