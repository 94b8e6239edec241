"""Names as the systems record them: of persons in Chinese and Latin letters, of organisations.

Errors of characters are made on pool indices before writing, errors of form on the written text.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.sample.bank import Bank
from sources.sample.companies import BRANCH, SOLE_TRADER
from sources.sample.text import Mask, Numbers, Text, choose, join, pick, put
from sources.sample.vocabulary import FOREIGN, HAN, HONG_KONG, MACAU, MALE, MINORITY, TAIWAN

_DOTS = pa.array(["·", "·", "·", "·", "•", ".", "．", "・", " ", ""])
_BLANKS = pa.array([" ", "\u3000", "  "])


@dataclass(frozen=True)
class PersonNames:
    """Name as entered, former name (null if the record knows none), and the name as embossed on a card."""

    name: Text
    former: Text
    latin: Text


def person_names(rng: np.random.Generator, bank: Bank, rows: Numbers, updated: Numbers) -> PersonNames:
    """Record the names of persons as of the days of the records' last updates, with errors."""
    persons, noise, words = bank.persons, bank.noise, bank.vocabulary
    kind = persons.kind[rows]
    han = kind == HAN
    renamed = persons.renamed_on[rows] >= 0
    still_old = renamed & (updated < persons.renamed_on[rows])
    family = persons.family[rows]
    given1 = np.where(still_old, persons.old_given1[rows], persons.given1[rows])
    given2 = np.where(still_old, persons.old_given2[rows], persons.given2[rows])
    latin = _latin(rng, bank, kind, (family, given1, given2))
    for error, pool in (("name_homophone", "homophones"), ("name_look_alike", "look_alikes")):
        hit = np.flatnonzero(noise.hits(rng, error, han))
        slot = rng.random(len(hit))
        wrong = {
            part: getattr(getattr(words, part), pool).replace(rng, values[hit])
            for part, values in (("family", family), ("given", given1))
        }
        third = getattr(words.given, pool).replace(rng, given2[hit])
        in_family, in_third = slot < 0.15, (slot >= 0.57) & (given2[hit] >= 0)
        family[hit] = np.where(in_family, wrong["family"], family[hit])
        given1[hit] = np.where(in_family | in_third, given1[hit], wrong["given"])
        given2[hit] = np.where(in_third, third, given2[hit])

    parts = (family, given1, given2)
    name = _chinese(bank, parts, "simplified")
    overseas = np.isin(kind, (HONG_KONG, MACAU, TAIWAN)) & (rng.random(len(rows)) < 0.5)
    traditional = overseas | noise.hits(rng, "name_traditional", han)
    name = put(name, np.flatnonzero(traditional), _chinese(bank, _rows(parts, traditional), "traditional"))
    name = _dotted(rng, bank, name, parts, kind)
    name = put(name, np.flatnonzero(kind == FOREIGN), _foreign(rng, bank, _rows(parts, kind == FOREIGN)))
    name = _decorated(rng, bank, name, persons.sex[rows], han)
    told = renamed & ~still_old & (rng.random(len(rows)) < 0.5)
    former = choose(
        told,
        _chinese(bank, (persons.family[rows], persons.old_given1[rows], persons.old_given2[rows]), "simplified"),
        None,
    )
    return PersonNames(name, former, latin)


def true_names(bank: Bank, rows: Numbers) -> Text:
    """Write the present names of persons without errors, in simplified characters or Latin letters."""
    persons = bank.persons
    parts = (persons.family[rows], persons.given1[rows], persons.given2[rows])
    kind = persons.kind[rows]
    family, given = bank.vocabulary.family, bank.vocabulary.given
    name = _chinese(bank, parts, "simplified")
    western = join(pick(given.latin, parts[1]), pick(family.latin, parts[0]), sep=" ")
    dotted = join(pick(given.simplified, parts[1]), pick(family.simplified, parts[0]), sep="·")
    return choose(kind == FOREIGN, western, choose(kind == MINORITY, dotted, name))


def company_names(rng: np.random.Generator, bank: Bank, rows: Numbers) -> tuple[Text, Text]:
    """Record names of organisations and their short names; variants at the rate of the noise level."""
    companies, words = bank.companies, bank.vocabulary
    kind, form = companies.kind[rows], companies.form[rows].copy()
    everyone = np.ones(len(rows), dtype=bool)
    variant = bank.noise.hits(rng, "company_name_variant", everyone)
    style = np.where(variant, rng.integers(0, 4, len(rows)), -1)
    form[(style == 1) & (form < 2)] ^= 1  # 有限公司 and 有限责任公司 for one another
    brand = join(*(pick(words.brand, getattr(companies, f"brand{number}")[rows]) for number in (1, 2, 3)))
    town = pc.replace_substring(pick(words.places.city, companies.city[rows]), "市", "")
    branch_town = pc.replace_substring(pick(words.places.city, companies.branch_city[rows]), "市", "")
    business = pick(words.business, companies.business[rows])
    head = choose(style == 0, "", town)
    name = join(head, brand, business, pick(words.legal_form, form))
    name = choose(kind == BRANCH, join(name, branch_town, "分公司"), name)
    short = join(brand, business)
    shop = join(head, brand, pick(words.shop, companies.shop[rows]))
    owner = join(choose(style == 0, "个体户", "个体工商户"), true_names(bank, companies.representative[rows]))
    sole = kind == SOLE_TRADER
    name = choose(sole, choose(companies.named_after_owner[rows], owner, shop), name)
    narrow = pc.replace_substring(pc.replace_substring(name, "（", "("), "）", ")")
    name = choose(style == 2, narrow, name)
    name = choose((style == 3) & ~sole, short, name)
    return name, choose(~sole & (rng.random(len(rows)) < 0.3), short, None)


def industries(bank: Bank, rows: Numbers) -> Text:
    """Write the industries of organisations."""
    companies, words = bank.companies, bank.vocabulary
    return choose(
        companies.kind[rows] == SOLE_TRADER,
        pick(words.shop_industry, companies.shop[rows]),
        pick(words.business_industry, companies.business[rows]),
    )


def _rows(parts: tuple[Numbers, Numbers, Numbers], mask: Mask) -> tuple[Numbers, Numbers, Numbers]:
    return parts[0][mask], parts[1][mask], parts[2][mask]


def _chinese(bank: Bank, parts: tuple[Numbers, Numbers, Numbers], writing: str) -> Text:
    family, given = getattr(bank.vocabulary.family, writing), getattr(bank.vocabulary.given, writing)
    return join(pick(family, parts[0]), pick(given, parts[1]), pick(given, parts[2]))


def _dotted(
    rng: np.random.Generator, bank: Bank, name: Text, parts: tuple[Numbers, Numbers, Numbers], kind: Numbers
) -> Text:
    """Write minority names: given name, one of the dots in use, the father's name."""
    rows = np.flatnonzero(kind == MINORITY)
    written = join(
        pick(bank.vocabulary.given.simplified, parts[1][rows]),
        pick(_DOTS, rng.integers(0, len(_DOTS), len(rows))),
        pick(bank.vocabulary.family.simplified, parts[0][rows]),
    )
    return put(name, rows, written)


def _foreign(rng: np.random.Generator, bank: Bank, parts: tuple[Numbers, Numbers, Numbers]) -> Text:
    """Write foreign names in the orders and cases that clerks use."""
    family, given = pick(bank.vocabulary.family.latin, parts[0]), pick(bank.vocabulary.given.latin, parts[1])
    order = rng.random(len(parts[0]))
    name = choose(
        order < 0.5,
        join(family, given, sep=" "),
        choose(order < 0.8, join(given, family, sep=" "), join(family, given, sep=", ")),
    )
    return choose(rng.random(len(parts[0])) < 0.25, pc.utf8_title(name), name)


def _decorated(rng: np.random.Generator, bank: Bank, name: Text, sex: Numbers, han: Mask) -> Text:
    """Add titles and blanks."""
    titled = bank.noise.hits(rng, "name_title", han)
    name = choose(titled, join(name, choose(sex == MALE, "先生", "女士")), name)
    spaced = bank.noise.hits(rng, "name_space", han)
    apart = join(
        pc.utf8_slice_codeunits(name, 0, 1),
        pick(_BLANKS, rng.integers(0, len(_BLANKS), len(name))),
        pc.utf8_slice_codeunits(name, 1),
    )
    return choose(spaced, apart, name)


def _latin(rng: np.random.Generator, bank: Bank, kind: Numbers, parts: tuple[Numbers, Numbers, Numbers]) -> Text:
    """Write names as cards bear them: capitals, family name first or last, given name in one word or two."""
    given = bank.vocabulary.given.latin
    family = pick(bank.vocabulary.family.latin, parts[0])
    first, second = pick(given, parts[1]), pick(given, parts[2])
    apart = np.isin(kind, (HONG_KONG, MACAU)) | (rng.random(len(kind)) < 0.1)
    together = choose(apart & (parts[2] >= 0), join(first, second, sep=" "), join(first, second))
    order = rng.random(len(kind))
    family_last = order < 0.25
    slashed = (order > 0.93) & (kind == HAN)
    return choose(
        family_last,
        join(together, family, sep=" "),
        choose(slashed, join(family, together, sep="/"), join(family, together, sep=" ")),
    )
