"""Settings of standardisation: what differs between banks, languages and countries.

Here lives the shape of the ``standardise:`` part of a bank's ``matching.yaml``. Here does not live how a value
is standardised (the modules beside this one) nor words of a language (``languages/<code>.yaml``).
"""

import datetime as dt
import importlib
import re
from functools import cached_property
from typing import Annotated, Literal, Self

import duckdb
import phonenumbers
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from models.identity.languages import known_languages

_PARTY_TYPES = Literal["person", "organisation", "any"]


def _stdnum_module(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?", name):
        raise ValueError(f"validator {name!r} is not a module name of python-stdnum such as 'cn.ric'")
    try:
        module = importlib.import_module(f"stdnum.{name}")
    except ModuleNotFoundError:
        raise ValueError(f"python-stdnum has no module {name!r}; see its list of formats") from None
    if not hasattr(module, "is_valid"):
        raise ValueError(f"python-stdnum's {name!r} is a country, not a number: name one of its modules")
    return name


def _pattern(text: str) -> str:
    try:
        groups = re.compile(text).groups
    except re.error as error:
        raise ValueError(f"pattern {text!r} is not a regular expression: {error}") from None
    try:
        duckdb.execute("select regexp_matches('', $1)", [text])
    except duckdb.InvalidInputException as error:
        raise ValueError(f"pattern {text!r} is beyond RE2's regular expressions: {error}") from None
    if groups > 1:
        raise ValueError(f"pattern {text!r} may hold at most one group: the part that is the number")
    return text


def _phone_region(code: str) -> str:
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"phone_region {code!r} is not an ISO 3166 alpha-2 code that phonenumbers knows")
    return code


def _language(code: str) -> str:
    if code not in known_languages():
        raise ValueError(f"language {code!r} is not one of {', '.join(known_languages())}")
    return code


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DocumentPart(_Settings):
    """A document number that lies inside another one, ``length`` characters from ``start`` (1-based)."""

    start: int = Field(ge=1)
    length: int = Field(ge=1)


class DocumentRule(_Settings):
    """How numbers of one document type are checked and what they prove.

    A type needs a ``validator``, a ``pattern`` or both to have valid numbers at all: a number is valid when
    it satisfies every rule that is given.

    Attributes:
        validator: Module of python-stdnum, ``cn.ric`` or ``cz.rc``.
        pattern: Regular expression that the whole number (upper case, only letters and digits) must match.
            With a group, the group is the number: the rest (an issue count) is dropped.
        strong: A valid number of this type identifies one party.
        identifies: The kind of party that the number identifies; on a record of the other kind (a legal
            representative's id on the company's record) the number is not strong.
        per_country: Numbers are unique only within the issuing country, so the country becomes part of the
            number (``CN:E12345678``) where it is known.
        country: Issuing country where neither the document nor the party names one (ISO alpha-2).
        parts: Other document types whose number lies inside this one.
    """

    validator: Annotated[str, AfterValidator(_stdnum_module)] | None = None
    pattern: Annotated[str, AfterValidator(_pattern)] | None = None
    strong: bool = False
    identifies: _PARTY_TYPES = "any"
    per_country: bool = False
    country: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")
    parts: dict[str, DocumentPart] = {}

    @cached_property
    def can_be_valid(self) -> bool:
        """Whether any number of the type can be called valid."""
        return self.validator is not None or self.pattern is not None

    @cached_property
    def has_group(self) -> bool:
        """Whether the pattern says which part of the number is the number."""
        return re.compile(self.pattern or "").groups == 1


class Placeholders(_Settings):
    """Values that stand for nothing. They add to the words of the languages and to the rules in code.

    Attributes:
        words: Whole values of any text field, compared without case, spaces and punctuation.
        phones: Numbers in E.164 (``+8613800138000``).
        emails: Whole addresses, or the part before the @ when the entry ends in @ (``test@``).
        birth_dates: Dates that systems write when they know none.
    """

    words: tuple[str, ...] = ()
    phones: tuple[str, ...] = ("+8613800138000",)
    emails: tuple[str, ...] = (
        *("test@", "none@", "null@", "noemail@", "nomail@", "no@", "na@", "email@", "mail@", "user@"),
        *("abc@", "xxx@", "aaa@", "1@", "111@", "123@", "1234@", "123456@", "12345678@", "888888@"),
    )
    birth_dates: tuple[dt.date, ...] = (
        dt.date(1800, 1, 1),
        dt.date(1900, 1, 1),
        dt.date(1901, 1, 1),
        dt.date(1970, 1, 1),
        dt.date(9999, 12, 31),
    )


class ContactProfileSettings(_Settings):
    """When a phone, an e-mail or an address is more than one household's.

    Parties are different persons and organisations, however many records they have.

    Attributes:
        max_parties: A value of more parties than that identifies nobody.
        family_max_persons: Persons with a surname or an address in common are a family up to that many.
        employer_min_persons: Persons of different surnames and addresses who share a value with an organisation are
            its staff from that many on.
        employer_max_organisations: With more organisations than that among its holders a value is no employer's.
        junk_min_parties: From that many parties on, a value without common ground is no agent's but a placeholder.
        junk_common_share: Common ground is one branch or one address of that share of the parties.
        pattern_min_parties: Unrelated persons who make a number whose last six digits stand in a row a placeholder.
        reassigned_days: Days between two holders after which a number was given to somebody else.
        reassigned_types: Kinds of contacts that are re-assigned.
    """

    max_parties: int = Field(default=12, ge=1)
    family_max_persons: int = Field(default=6, ge=2)
    employer_min_persons: int = Field(default=3, ge=2)
    employer_max_organisations: int = Field(default=5, ge=1)
    junk_min_parties: int = Field(default=500, ge=2)
    junk_common_share: float = Field(default=0.2, gt=0, le=1)
    pattern_min_parties: int = Field(default=3, ge=2)
    reassigned_days: int = Field(default=90, ge=1)
    reassigned_types: tuple[Literal["mobile", "phone", "email"], ...] = ("mobile",)


def _chinese_documents() -> dict[str, DocumentRule]:
    return {
        "resident_id": DocumentRule(validator="cn.ric", strong=True, identifies="person"),
        "passport": DocumentRule(pattern=r"[A-Z0-9]{6,12}", strong=True, identifies="person", per_country=True),
        "hk_macau_permit": DocumentRule(pattern=r"([HM]\d{8})(?:\d{2})?", strong=True, identifies="person"),
        "taiwan_permit": DocumentRule(pattern=r"(\d{8})(?:\d{2}[A-Z]?)?", strong=True, identifies="person"),
        "foreign_permit": DocumentRule(pattern=r"[A-Z]{3}\d{12}|9\d{16}[0-9X]", strong=True, identifies="person"),
        "uscc": DocumentRule(
            validator="cn.uscc",
            strong=True,
            identifies="organisation",
            parts={"organisation_code": DocumentPart(start=9, length=9)},
        ),
        "organisation_code": DocumentRule(pattern=r"[0-9A-Z]{8}[0-9X]", strong=True, identifies="organisation"),
        "tax_id": DocumentRule(pattern=r"[0-9A-Z]{15,20}"),
        "other": DocumentRule(),
    }


class StandardiseSettings(_Settings):
    """Everything that standardisation is told about a bank; the defaults are those of a Chinese bank.

    Attributes:
        languages: Languages in which names and addresses are written, by code of ``languages/<code>.yaml``;
            the first one decides where two disagree.
        phone_region: Country in which a phone number without country code is dialled (ISO alpha-2).
        documents: Rules by document type; a type that is not listed is kept and never valid.
        titles: Titles of persons beside those of the languages.
        placeholders: Values that stand for nothing.
        maximum_age_years: An older birth date is a mistake.
        contact_profile: When a contact or an address is more than one household's.
        document_max_names: A valid number carried under more different names than that is a dummy, not strong.
        address_priority: Which address stands for the party, best first, by party type.
    """

    languages: tuple[Annotated[str, AfterValidator(_language)], ...] = ("zh", "en")
    phone_region: Annotated[str, AfterValidator(_phone_region)] = "CN"
    documents: dict[str, DocumentRule] = Field(default_factory=_chinese_documents)
    titles: tuple[str, ...] = ()
    placeholders: Placeholders = Placeholders()
    maximum_age_years: int = Field(default=120, ge=1)
    contact_profile: ContactProfileSettings = ContactProfileSettings()
    document_max_names: int = Field(default=8, ge=1)
    address_priority: dict[Literal["person", "organisation"], tuple[str, ...]] = {
        "person": ("home", "mailing", "registered", "work"),
        "organisation": ("registered", "work", "mailing", "home"),
    }

    @model_validator(mode="after")
    def _parts_are_types(self) -> Self:
        unknown = sorted(
            {part for rule in self.documents.values() for part in rule.parts if part not in self.documents}
        )
        if unknown:
            raise ValueError(f"documents: a part names a type that is not listed: {', '.join(unknown)}")
        missing = sorted({"person", "organisation"} - set(self.address_priority))
        if missing:
            raise ValueError(f"address_priority: {', '.join(missing)} is missing")
        return self
