"""The settings as a bank writes them: defaults, YAML form, and what is refused with which words."""

import pytest
import yaml
from pydantic import ValidationError

from models.identity.languages import Lexicon, known_languages, load_language
from models.identity.romanised import Pinyin
from models.identity.standardise_settings import StandardiseSettings

MATCHING = """
languages: [zh, en]
phone_region: CN
documents:
  resident_id: {validator: cn.ric, strong: true, identifies: person}
  uscc: {validator: cn.uscc, strong: true, identifies: organisation, parts: {organisation_code: {start: 9, length: 9}}}
  organisation_code: {pattern: "[0-9A-Z]{8}[0-9X]"}
  passport: {pattern: "[A-Z0-9]{6,12}", strong: true, per_country: true}
titles: [行长]
placeholders: {words: [柜台], birth_dates: [1900-01-01]}
contact_profile: {max_parties: 9}
"""


def test_yaml_form() -> None:
    settings = StandardiseSettings.model_validate(yaml.safe_load(MATCHING))
    assert settings.documents["passport"].per_country
    assert settings.documents["uscc"].parts["organisation_code"].start == 9
    assert settings.contact_profile.max_parties == 9
    assert (
        StandardiseSettings.model_validate(yaml.safe_load(yaml.safe_dump(settings.model_dump(mode="json")))) == settings
    )


def test_defaults_stand_alone() -> None:
    assert StandardiseSettings() == StandardiseSettings.model_validate({})
    assert StandardiseSettings().documents["resident_id"].strong


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"language": ["zh"]}, "Extra inputs"),
        ({"languages": ["xx"]}, "is not one of"),
        ({"phone_region": "China"}, "ISO 3166"),
        ({"documents": {"a": {"validator": "cn.nothing"}}}, "python-stdnum has no module"),
        ({"documents": {"a": {"validator": "cn"}}}, "is a country, not a number"),
        ({"documents": {"a": {"validator": "os.path"}}}, "python-stdnum has no module"),
        ({"documents": {"a": {"pattern": "(a"}}}, "is not a regular expression"),
        ({"documents": {"a": {"pattern": "(a)(b)"}}}, "at most one group"),
        ({"documents": {"a": {"pattern": "a(?=b)"}}}, "RE2"),
        ({"documents": {"a": {"identifies": "animal"}}}, "person"),
        (
            {"documents": {"a": {"pattern": "a", "parts": {"b": {"start": 1, "length": 2}}}}},
            "type that is not listed: b",
        ),
        ({"address_priority": {"person": ["home"]}}, "organisation is missing"),
        ({"contact_profile": {"max_parties": 0}}, "greater than or equal to 1"),
    ],
)
def test_mistakes_are_named(change: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        StandardiseSettings.model_validate(change)


def test_all_mistakes_at_once() -> None:
    with pytest.raises(ValidationError) as error:
        StandardiseSettings.model_validate(
            {"languages": ["xx"], "phone_region": "??", "contact_profile": {"max_parties": 0}}
        )
    assert error.value.error_count() == 3


def test_every_language_loads() -> None:
    assert set(known_languages()) >= {"zh", "en", "cs", "de"}
    for code in known_languages():
        language = load_language(code)
        assert language.person_titles and language.organisation_forms and language.placeholder_words
    with pytest.raises(KeyError, match="no language 'xx'"):
        load_language("xx")


def test_chinese_surnames_are_sound() -> None:
    chinese = load_language("zh")
    assert len(set(chinese.surnames)) == len(chinese.surnames)
    assert all(len(surname) == 1 for surname in chinese.surnames)
    assert all(len(surname) == 2 for surname in chinese.compound_surnames)
    # the ten most frequent of the Ministry of Public Security's name report for 2020
    assert set(chinese.surnames[:10]) == set("王李张刘陈杨黄赵吴周")
    pinyin = Pinyin(chinese)
    read = {"单": "SHAN", "曾": "ZENG", "仇": "QIU", "解": "XIE", "查": "ZHA", "区": "OU", "盖": "GE", "翟": "ZHAI"}
    assert {surname: pinyin.surname_reading(surname) for surname in read} == read
    # no title may be taken off a name that could be all of it
    assert not set(Lexicon.of(("zh",)).words("person_titles")) & set(chinese.compound_surnames)
