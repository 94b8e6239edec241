"""Names and documents of the sample bank's people, as their families and the authorities gave them.

Names run in families, twins have neighbouring id numbers, and a number belongs to one person but for the few
cases that the noise level asks for. How records misstate them is ``names`` and ``documents``.
"""

import numpy as np
from numpy.typing import NDArray

from sources.sample import identifiers
from sources.sample.rates import Noise
from sources.sample.shapes import (
    CHILD,
    ELDER,
    FOREIGN_PERMIT,
    HK_MACAU_PERMIT,
    PASSPORT,
    RESIDENT_ID,
    SECOND_CHILD,
    SPOUSE,
    TAIWAN_PERMIT,
    Members,
    Persons,
)
from sources.sample.text import Mask, Numbers, calendar, draw
from sources.sample.vocabulary import (
    FOREIGN,
    GENERATIONS,
    HAN,
    HONG_KONG,
    MACAU,
    MALE,
    MINORITY,
    TAIWAN,
    Vocabulary,
)

_ONE_CHARACTER = dict(zip(GENERATIONS, (0.12, 0.30, 0.42, 0.12), strict=True))
_COUNTRY_CODES = {
    "US": b"USA",
    "GB": b"GBR",
    "JP": b"JPN",
    "KR": b"KOR",
    "DE": b"DEU",
    "FR": b"FRA",
    "RU": b"RUS",
    "SG": b"SGP",
}


def family_names(
    rng: np.random.Generator, vocabulary: Vocabulary, members: Members
) -> tuple[Numbers, Numbers, Numbers]:
    """Name the members: family name, first and second given character, as pool indices (-1: none).

    Children bear the father's family name; twins, and now and then siblings, share their first character.
    """
    household, role, kind, head = members.household, members.role, members.kind, members.head
    family, given1, given2 = draw_names(rng, vocabulary, members)
    spouse = np.full(household[-1] + 1, -1)
    spouse[household[role == SPOUSE]] = np.flatnonzero(role == SPOUSE)
    father = np.where((members.sex[head] == MALE) | (spouse[household] < 0), head, spouse[household])
    child = members.child
    inherits = child | ((role == ELDER) & (members.sex == MALE))
    family = np.where(inherits, family[np.where(child, father, head)], family)
    patronymic = child & (kind == MINORITY)
    family[patronymic] = vocabulary.father_name[given1[father[patronymic]] % len(vocabulary.father_name)]

    younger = np.flatnonzero((role == SECOND_CHILD) & (kind == HAN))
    younger = younger[role[younger - 1] == CHILD]
    shares = rng.random(len(younger)) < np.where(members.twin[younger], 0.6, 0.2)
    shares &= given2[younger - 1] >= 0
    given1[younger[shares]] = given1[younger[shares] - 1]
    for _ in range(20):
        fresh = draw_names(rng, vocabulary, members)[2][younger]
        same = (given1[younger] == given1[younger - 1]) & (
            (given2[younger] == given2[younger - 1]) | (given2[younger] < 0)
        )
        given2[younger[same]] = fresh[same]
        if not same.any():
            break
    return family, given1, given2


def draw_names(rng: np.random.Generator, vocabulary: Vocabulary, members: Members) -> tuple[Numbers, Numbers, Numbers]:
    """Draw family and given names by kind of person, sex and year of birth, without regard to families."""
    kind, country, sex = members.kind, members.country, members.sex
    count = len(kind)
    family, given1, given2 = (np.full(count, -1) for _ in range(3))
    generation = np.searchsorted(GENERATIONS, calendar(members.birth)[0], side="right") - 1
    for one in np.unique(kind):
        rows = np.flatnonzero(kind == one)
        if one == FOREIGN:
            for number, name in enumerate(vocabulary.countries):
                own = rows[country[rows] == number]
                family[own] = vocabulary.family_of[FOREIGN, name].draw(rng, len(own))
                for each in (0, 1):
                    some = own[sex[own] == each]
                    given1[some] = vocabulary.given_of[FOREIGN, name, each].draw(rng, len(some))
            continue
        family[rows] = vocabulary.family_of[one].draw(rng, len(rows))
        if one in (HONG_KONG, MACAU, TAIWAN):
            given1[rows] = vocabulary.given_of[one].draw(rng, len(rows))
            given2[rows] = vocabulary.given_of[one].draw(rng, len(rows))
            continue
        for each in (0, 1):
            some = rows[sex[rows] == each]
            if one == MINORITY:
                given1[some] = vocabulary.given_of[MINORITY, each].draw(rng, len(some))
                continue
            for number, years in enumerate(GENERATIONS):
                born = some[generation[some] == number]
                choice = vocabulary.given_of[HAN, each, years]
                given1[born] = choice.draw(rng, len(born))
                second = choice.draw(rng, len(born))
                given2[born] = np.where(rng.random(len(born)) < _ONE_CHARACTER[years], -1, second)
    return family, given1, given2


def give_documents(
    rng: np.random.Generator, vocabulary: Vocabulary, residence: Numbers, members: Members, taken: Numbers
) -> tuple[Numbers, NDArray[np.uint8], Numbers]:
    """Issue documents: type, number and its length; resident ids to citizens, permits and passports to others.

    ``residence`` are the districts in which they live, ``taken`` the ``id_key`` of the ids that others bear.
    """
    role, kind, sex, birth = members.role, members.kind, members.sex, members.birth
    count = len(kind)
    places = vocabulary.places
    home = places.district_city[residence]
    moved_in = rng.random(count) < np.where(members.child, 0.2, 0.5)
    home = np.where(moved_in, draw(rng, places.city_weight, count), home)
    far_west = np.flatnonzero(places.city_weight == 0)
    home = np.where(kind == MINORITY, far_west[rng.integers(0, len(far_west), count)], home)
    district = places.birth_districts(rng, home, calendar(birth)[0])
    second = np.flatnonzero(members.twin & (role == SECOND_CHILD) & (np.roll(role, 1) == CHILD))
    district[second] = district[second - 1]
    code = places.district_code[district]

    sequence = 1 + rng.integers(0, 499, count) * 2 + (sex != MALE)
    resident = np.isin(kind, (HAN, MINORITY))
    step = np.where(sex[second] == sex[second - 1], 2, 1)
    while True:
        sequence[second] = (sequence[second - 1] + step - 1) % 999 + 1
        odd = (sequence[second] % 2 == 1) != (sex[second] == MALE)
        sequence[second[odd]] += 1
        ids = identifiers.resident_ids(code, birth, sequence)
        key = id_key(ids)
        key[~resident] = -1 - np.arange(int((~resident).sum()))
        clash = np.isin(key, taken) | _repeated(key)
        if not clash.any():
            break
        again = np.flatnonzero(clash)
        again = np.where(np.isin(again, second), again - 1, again)
        sequence[again] = 1 + rng.integers(0, 499, len(again)) * 2 + (sex[again] != MALE)

    document_type = np.full(count, RESIDENT_ID)
    document, length = ids, np.full(count, identifiers.WIDTH)
    for one, kind_of_document, letters, width in (
        (HONG_KONG, HK_MACAU_PERMIT, b"H", 9),
        (MACAU, HK_MACAU_PERMIT, b"M", 9),
        (TAIWAN, TAIWAN_PERMIT, b"0", 8),
        (FOREIGN, PASSPORT, b"ACEGKLMPX", 9),
    ):
        rows = np.flatnonzero(kind == one)
        numbers = identifiers.lettered(rng, letters, len(rows), width)
        document[rows] = identifiers.padded(numbers)
        length[rows], document_type[rows] = width, kind_of_document
    settled = np.flatnonzero((kind == FOREIGN) & (rng.random(count) < 0.15))
    codes = np.array([list(_COUNTRY_CODES[name]) for name in vocabulary.countries], dtype=np.uint8)
    permits = identifiers.foreign_permits(rng, codes[members.country[settled]], birth[settled])
    document[settled], length[settled] = identifiers.padded(permits), permits.shape[1]
    document_type[settled] = FOREIGN_PERMIT
    return document_type, document, length


def id_key(ids: NDArray[np.uint8]) -> Numbers:
    """The first 17 digits of resident ids as whole numbers."""
    powers = 10 ** np.arange(16, -1, -1, dtype=np.int64)
    return np.asarray(((ids[:, :17].astype(np.int64) - ord("0")) * powers).sum(axis=1))


def _repeated(key: Numbers) -> Mask:
    """Every occurrence of a key but the first."""
    _, first = np.unique(key, return_index=True)
    repeated = np.ones(len(key), dtype=bool)
    repeated[first] = False
    return repeated


def share_ids(rng: np.random.Generator, persons: Persons, noise: Noise, alone: Mask) -> None:
    """Give a few persons who live alone the id of another; half of them were even born on the same day."""
    citizen = persons.document_type == RESIDENT_ID
    bearers = np.flatnonzero(noise.hits(rng, "id_shared", alone & citizen & (persons.kind == HAN)))
    others = rng.permutation(np.flatnonzero(citizen & ~alone))[: len(bearers)]
    bearers = bearers[: len(others)]
    persons.document[bearers] = persons.document[others]
    same_day = rng.random(len(bearers)) < 0.5
    persons.birth[bearers[same_day]] = persons.birth[others[same_day]]
