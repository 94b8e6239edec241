"""The people of the sample bank: households with their names, documents, mobiles, addresses and systems.

This is the truth, without errors: numbers and pool indices, no text. What the systems record of it, and how
wrongly, is ``rendering``; companies are ``companies``.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from sources.sample import identifiers
from sources.sample.rates import Noise
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

RESIDENT_ID, PASSPORT, HK_MACAU_PERMIT, TAIWAN_PERMIT, FOREIGN_PERMIT, CREDIT_CODE, ORGANISATION_CODE = range(7)
HEAD, SPOUSE, CHILD, SECOND_CHILD, ELDER = range(5)
YEAR = 365.25

_KIND_SHARE = {HAN: 0.971, MINORITY: 0.010, HONG_KONG: 0.005, MACAU: 0.001, TAIWAN: 0.004, FOREIGN: 0.009}
_ONE_CHARACTER = dict(zip(GENERATIONS, (0.12, 0.30, 0.42, 0.12), strict=True))
_COUNTRY_CODES = {"US": b"USA", "GB": b"GBR", "JP": b"JPN", "KR": b"KOR", "DE": b"DEU", "FR": b"FRA",
                  "RU": b"RUS", "SG": b"SGP"}
_HISTORY_DAYS = int(12 * YEAR)  # how far back changes of mobile and address lie


@dataclass
class Columns:
    """Parallel arrays, one row a thing."""

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    def extend(self, other: "Columns") -> None:
        """Add the other's rows below."""
        for column in fields(self):
            both = np.concatenate([getattr(self, column.name), getattr(other, column.name)])
            setattr(self, column.name, both)

    def keep(self, rows: Mask | Numbers | slice) -> None:
        """Keep the given rows only."""
        for column in fields(self):
            setattr(self, column.name, getattr(self, column.name)[rows])


@dataclass
class Addresses(Columns):
    """Dwellings and premises, as pool indices and numbers."""

    district: Numbers
    road: Numbers
    number: Numbers
    community: Numbers
    building: Numbers
    unit: Numbers
    room: Numbers
    landline: Numbers


@dataclass
class Persons(Columns):
    """Natural persons. Dates are days since 1970-01-01; -1 means none; ``core``, ``cards`` and ``loans``
    count the records that the system is to hold of the person."""

    household: Numbers
    role: Numbers
    kind: Numbers
    country: Numbers
    family: Numbers
    given1: Numbers
    given2: Numbers
    old_given1: Numbers
    old_given2: Numbers
    renamed_on: Numbers
    sex: Numbers
    birth: Numbers
    document_type: Numbers
    document: NDArray[np.uint8]
    document_length: Numbers
    mobile: Numbers
    old_mobile: Numbers
    mobile_on: Numbers
    address: Numbers
    old_address: Numbers
    moved_on: Numbers
    relative: Numbers
    occupation: Numbers
    core: Numbers
    cards: Numbers
    loans: Numbers

    def age(self, today: int) -> Numbers:
        """Completed years (rounded down from days) on the day."""
        return ((today - self.birth) / YEAR).astype(np.int64)


def make_addresses(rng: np.random.Generator, vocabulary: Vocabulary, district: Numbers) -> Addresses:
    """Draw an address in each of the districts."""
    count = len(district)
    floor, flat = rng.integers(1, 27, count), rng.integers(1, 5, count)
    return Addresses(
        district=district,
        road=rng.integers(0, len(vocabulary.road), count),
        number=rng.integers(1, 1200, count),
        community=rng.integers(0, len(vocabulary.community), count),
        building=rng.integers(1, 40, count),
        unit=rng.integers(1, 6, count),
        room=floor * 100 + flat,
        landline=rng.integers(2 * 10**7, 9 * 10**7, count),
    )


def make_persons(
    rng: np.random.Generator,
    vocabulary: Vocabulary,
    households: int,
    noise: Noise,
    today: int,
    taken: Numbers,
    first: tuple[int, int, int] = (0, 0, 0),
) -> tuple[Persons, Addresses]:
    """Make the members of new households, household by household, and their addresses.

    Args:
        rng: source of chance.
        vocabulary: the pools.
        households: how many households.
        noise: rates of what is true of persons, not of records: shared ids, changed names, second records.
        today: the day on which the ages hold.
        taken: first 17 digits of the resident ids that others bear already.
        first: numbers of the first person, household and address to be made.
    """
    household, role, birth, sex, twin = _members(rng, households, today)
    count = len(household)
    start = np.flatnonzero(np.r_[True, household[1:] != household[:-1]])
    size = np.diff(np.r_[start, count])
    head = np.repeat(start, size)
    position = np.arange(count) - head
    relative = np.where(np.repeat(size, size) > 1, head + (position + 1) % np.repeat(size, size), -1)

    kind = draw(rng, list(_KIND_SHARE.values()), households)[household]
    country = np.where(kind == FOREIGN, rng.integers(0, len(vocabulary.countries), households)[household], -1)
    family, given1, given2 = _names(rng, vocabulary, (household, role, kind, country, sex, birth, head, twin))
    renamed = noise.hits(rng, "name_former", kind == HAN)
    _, old_given1, old_given2 = _draw_names(rng, vocabulary, kind, country, sex, birth)

    district = vocabulary.places.residence.draw(rng, households)
    document_type, document, length = _documents(
        rng, vocabulary, district[household], (role, kind, country, sex, birth, head, twin), taken
    )
    mobile, old_mobile, mobile_on = _mobiles(rng, role, birth, head, today)
    address, old_address, moved_on, addresses = _addresses(
        rng, vocabulary, district, (household, role, birth), today, first[2]
    )
    persons = Persons(
        household=household + first[1], role=role, kind=kind, country=country, family=family, given1=given1,
        given2=given2, old_given1=np.where(renamed, old_given1, -1), old_given2=np.where(renamed, old_given2, -1),
        renamed_on=np.where(renamed, today - rng.integers(30, _HISTORY_DAYS, count), -1), sex=sex, birth=birth,
        document_type=document_type, document=document, document_length=length, mobile=mobile,
        old_mobile=old_mobile, mobile_on=mobile_on, address=address, old_address=old_address,
        moved_on=moved_on, relative=np.where(relative < 0, -1, relative + first[0]),
        occupation=rng.integers(0, len(vocabulary.occupation), count),
        core=np.zeros(count, dtype=np.int64), cards=np.zeros(count, dtype=np.int64),
        loans=np.zeros(count, dtype=np.int64),
    )  # fmt: skip
    _choose_systems(rng, persons, noise, today)
    _share_ids(rng, persons, noise, size[household] == 1)
    return persons, addresses


def _members(rng: np.random.Generator, households: int, today: int) -> tuple[Numbers, ...]:
    """Household, role, birth day, sex, and whether the row is the second of twins; sorted by household."""
    shape = draw(rng, [35, 25, 22, 10, 8], households)  # single, couple, one child, two, three generations
    everyone = np.arange(households)
    head_age = np.where(
        shape == 0, 18 + 66 * rng.beta(1.4, 2.0, households), 25 + 52 * rng.beta(1.6, 2.4, households)
    )
    head_birth = (today - head_age * YEAR).astype(np.int64)
    head_sex = (rng.random(households) < np.where(shape == 0, 0.5, 0.7)).astype(np.int64)
    rows = [(everyone, np.full(households, HEAD), head_birth, head_sex, np.zeros(households, dtype=bool))]

    def add(who: Numbers, role: int, birth: Numbers, sex: Numbers, twin: Mask) -> None:
        plausible = (birth < today) & (birth > today - 97 * YEAR)
        rows.append(
            (who[plausible], np.full(int(plausible.sum()), role), birth[plausible], sex[plausible], twin[plausible])
        )

    couple = np.flatnonzero(shape >= 1)
    spouse_birth = head_birth + np.clip(rng.normal(0, 3, households), -9, 9) * YEAR
    add(couple, SPOUSE, spouse_birth[couple].astype(np.int64), 1 - head_sex[couple], np.zeros(len(couple), bool))
    parent = np.flatnonzero(shape >= 2)
    child_birth = (head_birth + rng.uniform(22, 34, households) * YEAR).astype(np.int64)
    child_sex = rng.integers(0, 2, households)
    add(parent, CHILD, child_birth[parent], child_sex[parent], np.zeros(len(parent), bool))
    second = np.flatnonzero(shape == 3)
    twin = rng.random(households) < 0.12
    later = (child_birth + rng.uniform(1.2, 7, households) * YEAR).astype(np.int64)
    second_birth = np.where(twin, child_birth, later)
    second_sex = np.where(twin & (rng.random(households) < 0.4), child_sex, rng.integers(0, 2, households))
    add(second, SECOND_CHILD, second_birth[second], second_sex[second], twin[second])
    old = np.flatnonzero(shape == 4)
    elder_birth = (head_birth - rng.uniform(22, 33, households) * YEAR).astype(np.int64)
    add(old, ELDER, elder_birth[old], rng.integers(0, 2, len(old)), np.zeros(len(old), bool))
    columns = [np.concatenate(column) for column in zip(*rows, strict=True)]
    order = np.lexsort((columns[1], columns[0]))
    return tuple(column[order] for column in columns)


def _names(
    rng: np.random.Generator, vocabulary: Vocabulary, who: tuple[Numbers, ...]
) -> tuple[Numbers, Numbers, Numbers]:
    """Names within families: children bear the father's family name, twins and siblings often share a character."""
    household, role, kind, country, sex, birth, head, twin = who
    family, given1, given2 = _draw_names(rng, vocabulary, kind, country, sex, birth)
    spouse = np.full(household[-1] + 1, -1)
    spouse[household[role == SPOUSE]] = np.flatnonzero(role == SPOUSE)
    father = np.where((sex[head] == MALE) | (spouse[household] < 0), head, spouse[household])
    child = (role == CHILD) | (role == SECOND_CHILD)
    inherits = child | ((role == ELDER) & (sex == MALE))
    family = np.where(inherits, family[np.where(child, father, head)], family)
    patronymic = child & (kind == MINORITY)
    family[patronymic] = vocabulary.father_name[given1[father[patronymic]] % len(vocabulary.father_name)]

    younger = np.flatnonzero((role == SECOND_CHILD) & (kind == HAN))
    younger = younger[role[younger - 1] == CHILD]
    shares = rng.random(len(younger)) < np.where(twin[younger], 0.6, 0.2)
    shares &= given2[younger - 1] >= 0
    given1[younger[shares]] = given1[younger[shares] - 1]
    for _ in range(20):
        _, _, fresh = _draw_names(rng, vocabulary, kind[younger], country[younger], sex[younger], birth[younger])
        same = (given1[younger] == given1[younger - 1]) & (
            (given2[younger] == given2[younger - 1]) | (given2[younger] < 0)
        )
        given2[younger[same]] = fresh[same]
        if not same.any():
            break
    return family, given1, given2


def _draw_names(
    rng: np.random.Generator, vocabulary: Vocabulary, kind: Numbers, country: Numbers, sex: Numbers, birth: Numbers
) -> tuple[Numbers, Numbers, Numbers]:
    """Draw family and given names by kind of person, sex and year of birth."""
    count = len(kind)
    family, given1, given2 = (np.full(count, -1) for _ in range(3))
    generation = np.searchsorted(GENERATIONS, calendar(birth)[0], side="right") - 1
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


def _documents(
    rng: np.random.Generator, vocabulary: Vocabulary, residence: Numbers, who: tuple[Numbers, ...], taken: Numbers
) -> tuple[Numbers, NDArray[np.uint8], Numbers]:
    """Document type, number and its length: resident ids for citizens, permits and passports for others."""
    role, kind, country, sex, birth, head, twin = who
    count = len(kind)
    places = vocabulary.places
    home = places.district_city[residence]
    moved_in = rng.random(count) < np.where((role == CHILD) | (role == SECOND_CHILD), 0.2, 0.5)
    home = np.where(moved_in, draw(rng, places.city_weight, count), home)
    far_west = np.flatnonzero(places.city_weight == 0)
    home = np.where(kind == MINORITY, far_west[rng.integers(0, len(far_west), count)], home)
    district = places.birth_districts(rng, home, calendar(birth)[0])
    second = np.flatnonzero(twin & (role == SECOND_CHILD) & (np.roll(role, 1) == CHILD))
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
        document[rows], length[rows], document_type[rows] = identifiers.padded(numbers), width, kind_of_document
    settled = np.flatnonzero((kind == FOREIGN) & (rng.random(count) < 0.15))
    codes = np.array([list(_COUNTRY_CODES[name]) for name in vocabulary.countries], dtype=np.uint8)
    permits = identifiers.foreign_permits(rng, codes[country[settled]], birth[settled])
    document[settled], length[settled] = identifiers.padded(permits), permits.shape[1]
    document_type[settled] = FOREIGN_PERMIT
    return document_type, document, length


def id_key(ids: NDArray[np.uint8]) -> Numbers:
    """The first 17 digits of resident ids as whole numbers."""
    powers = 10 ** np.arange(16, -1, -1, dtype=np.int64)
    return ((ids[:, :17].astype(np.int64) - ord("0")) * powers).sum(axis=1)


def _repeated(key: Numbers) -> Mask:
    """Every occurrence of a key but the first."""
    _, first = np.unique(key, return_index=True)
    repeated = np.ones(len(key), dtype=bool)
    repeated[first] = False
    return repeated


def _mobiles(
    rng: np.random.Generator, role: Numbers, birth: Numbers, head: Numbers, today: int
) -> tuple[Numbers, Numbers, Numbers]:
    """Mobile, former mobile and the day of the change: changed, shared within families, given to others anew."""
    count = len(role)
    mobile, old_mobile = identifiers.mobiles(rng, count), identifiers.mobiles(rng, count)
    changed = (rng.random(count) < 0.35) & (birth < today - 16 * YEAR)
    changed_on = np.where(changed, today - rng.integers(30, _HISTORY_DAYS, count), -1)
    # a released number comes back to somebody else, at the earliest 90 days later, as that person's new one
    donor = rng.permutation(np.flatnonzero(changed))[: int(0.15 * changed.sum())]
    taker = rng.permutation(np.flatnonzero(changed))[: len(donor)]
    fits = changed_on[taker] >= changed_on[donor] + 90
    mobile[taker[fits]] = old_mobile[donor[fits]]
    dependent = ((role == CHILD) | (role == SECOND_CHILD)) & (birth > today - 24 * YEAR)
    shares = (dependent & (rng.random(count) < 0.5)) | ((role == ELDER) & (rng.random(count) < 0.35))
    mobile = np.where(shares, mobile[head], mobile)
    return mobile, np.where(changed, old_mobile, -1), changed_on


def _addresses(
    rng: np.random.Generator,
    vocabulary: Vocabulary,
    district: Numbers,
    who: tuple[Numbers, ...],
    today: int,
    first: int,
) -> tuple[Numbers, Numbers, Numbers, Addresses]:
    """Address, former address and day of moving: a quarter of households moved, grown children live apart."""
    household, role, birth = who
    households = len(district)
    moved = np.flatnonzero(rng.random(households) < 0.25)
    former = np.full(households, -1)
    former[moved] = households + np.arange(len(moved))
    former_on = np.where(former >= 0, today - rng.integers(30, _HISTORY_DAYS, households), -1)
    child = (role == CHILD) | (role == SECOND_CHILD)
    apart = np.flatnonzero(child & (birth < today - 26 * YEAR) & (rng.random(len(role)) < 0.6))
    address, old_address, moved_on = household.copy(), former[household], former_on[household]
    address[apart] = households + len(moved) + np.arange(len(apart))
    old_address[apart] = household[apart]
    moved_on[apart] = today - rng.integers(30, np.maximum(today - birth[apart] - int(22 * YEAR), 31))
    near = np.where(rng.random(len(moved)) < 0.6, district[moved],
                    vocabulary.places.residence.draw(rng, len(moved)))  # fmt: skip
    own = vocabulary.places.residence.draw(rng, len(apart))
    own = np.where(rng.random(len(apart)) < 0.5, district[household[apart]], own)
    addresses = make_addresses(rng, vocabulary, np.concatenate([district, near, own]))
    return address + first, np.where(old_address < 0, -1, old_address + first), moved_on, addresses


def _choose_systems(rng: np.random.Generator, persons: Persons, noise: Noise, today: int) -> None:
    """Decide how many records each system holds of a person; some hold none and only appear with others."""
    age = persons.age(today)
    count = len(age)
    core = np.select([age >= 70, age >= 18, age >= 10], [0.85, 0.90, 0.25], 0.08)
    cards = np.select([age >= 70, age >= 20], [0.15, 0.52], 0.0)
    loans = np.where((age >= 22) & (age < 65), 0.17, 0.0)
    in_core, in_cards = rng.random(count) < core, rng.random(count) < cards
    in_loans = rng.random(count) < loans
    persons.core = in_core.astype(np.int64) + noise.hits(rng, "second_core_record", in_core)
    persons.cards = in_cards.astype(np.int64) + noise.hits(rng, "second_card_record", in_cards)
    persons.loans = in_loans.astype(np.int64) + (in_loans & (rng.random(count) < 0.12))


def _share_ids(rng: np.random.Generator, persons: Persons, noise: Noise, alone: Mask) -> None:
    """Give a few persons who live alone the id of another; half of them were even born on the same day."""
    citizen = persons.document_type == RESIDENT_ID
    bearers = np.flatnonzero(noise.hits(rng, "id_shared", alone & citizen & (persons.kind == HAN)))
    others = rng.permutation(np.flatnonzero(citizen & ~alone))[: len(bearers)]
    bearers = bearers[: len(others)]
    persons.document[bearers] = persons.document[others]
    same_day = rng.random(len(bearers)) < 0.5
    persons.birth[bearers[same_day]] = persons.birth[others[same_day]]
