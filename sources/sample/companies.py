"""The organisations of the sample bank: companies, their branches and sisters, and sole traders.

As ``population`` does for people, this holds the truth in numbers and pool indices. A branch, a sister company and
a sole trader are parties of their own, however much they share with the head office or the owner.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sources.sample import identifiers
from sources.sample.population import make_addresses
from sources.sample.rates import Noise
from sources.sample.shapes import Addresses, Persons, Rows
from sources.sample.text import Numbers, draw
from sources.sample.vocabulary import Vocabulary

COMPANY, BRANCH, SISTER, SOLE_TRADER = range(4)
_SHARES = (0.58, 0.08, 0.06, 0.28)


@dataclass
class Companies(Rows):
    """Organisations, as pool indices; -1 means none.

    ``model`` is the company that a branch or sister belongs to, ``representative`` a person, ``described`` marks
    one told by name and id only; ``core`` and ``loans`` count the records that the system is to hold.
    """

    kind: Numbers
    city: Numbers
    branch_city: Numbers
    brand1: Numbers
    brand2: Numbers
    brand3: Numbers
    business: Numbers
    form: Numbers
    shop: Numbers
    named_after_owner: Numbers
    code: NDArray[np.uint8]
    model: Numbers
    representative: Numbers
    described: Numbers
    address: Numbers
    landline: Numbers
    owner_mobile: Numbers
    founded: Numbers
    core: Numbers
    loans: Numbers


def make_companies(
    rng: np.random.Generator,
    vocabulary: Vocabulary,
    count: int,
    noise: Noise,
    today: int,
    first: tuple[int, int] = (0, 0),
) -> tuple[Companies, Addresses]:
    """Make organisations and their addresses; their representatives are appointed later.

    Args:
        rng: source of chance.
        vocabulary: the pools.
        count: how many organisations.
        noise: rates, here of second records.
        today: the day before which they were founded, in days since 1970-01-01.
        first: numbers of the first organisation and address to be made.
    """
    kind = draw(rng, _SHARES, count)
    places = vocabulary.places
    district = places.residence.draw(rng, count)
    brand1, brand2, brand3 = (rng.integers(0, len(vocabulary.brand), count) for _ in range(3))
    brand3 = np.where(rng.random(count) < 0.3, brand3, -1)
    business = rng.integers(0, len(vocabulary.business), count)
    form = draw(rng, (62, 22, 6, 5, 5), count)
    address, landline = np.arange(count), rng.integers(2 * 10**7, 9 * 10**7, count)
    described = rng.random(count) < 0.35

    # branches and sisters copy a company's brand; a sister also shares its city, premises, telephone and head
    heads = np.flatnonzero(kind == COMPANY)
    if len(heads) == 0:
        kind[:] = SOLE_TRADER
    copies = np.flatnonzero(np.isin(kind, (BRANCH, SISTER)))
    model = rng.choice(heads, len(copies)) if len(copies) else copies
    for column in (brand1, brand2, brand3, form):
        column[copies] = column[model]
    city = places.district_city[district]
    branch_city = np.where(kind == BRANCH, city, -1)
    city[copies] = city[model]
    sister = kind[copies] == SISTER
    branches, branch_model = copies[~sister], model[~sister]
    business[branches] = business[branch_model]
    sisters, sister_model = copies[sister], model[sister]
    for column in (address, landline, district, described):
        column[sisters] = column[sister_model]
    others = rng.integers(1, len(vocabulary.business), len(sisters))
    business[sisters] = (business[sister_model] + others) % len(vocabulary.business)

    models = np.full(count, -1)
    models[copies] = model + first[0]
    everyone = np.ones(count, dtype=bool)
    companies = Companies(
        kind=kind,
        city=city,
        branch_city=branch_city,
        brand1=brand1,
        brand2=brand2,
        brand3=brand3,
        business=business,
        form=form,
        shop=rng.integers(0, len(vocabulary.shop), count),
        named_after_owner=(kind == SOLE_TRADER) & (rng.random(count) < 0.15),
        code=identifiers.credit_codes(rng, places.district_code[district], kind == SOLE_TRADER),
        model=models,
        representative=np.full(count, -1),
        described=described,
        address=address + first[1],
        landline=landline,
        owner_mobile=(kind == SOLE_TRADER) | (rng.random(count) < 0.3),
        founded=today - rng.integers(60, 9000, count),
        core=everyone + noise.hits(rng, "second_core_record", everyone).astype(np.int64),
        loans=(rng.random(count) < 0.22).astype(np.int64),
    )
    return companies, make_addresses(rng, vocabulary, district)


def appoint(rng: np.random.Generator, companies: Companies, persons: Persons, today: int, first: int = 0) -> None:
    """Appoint the representatives of the organisations from number ``first`` on, among grown persons.

    One who is to be referred to by number is a customer of core banking. A sister has its model's.
    """
    grown = persons.age(today) >= 20
    known, anyone = np.flatnonzero(grown & (persons.core > 0)), np.flatnonzero(grown)
    rows = np.arange(first, len(companies))
    chosen = np.where(companies.described[rows], rng.choice(anyone, len(rows)), rng.choice(known, len(rows)))
    companies.representative[rows] = chosen
    sisters = rows[companies.kind[rows] == SISTER]
    companies.representative[sisters] = companies.representative[companies.model[sisters]]
