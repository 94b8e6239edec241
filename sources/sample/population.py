"""The people of the sample bank: households, where they live, their mobiles, and which systems know them.

This is the truth, without errors: numbers and pool indices, no text. Names and papers are given in ``identities``;
what the systems record of all this, and how wrongly, is ``names``, ``documents`` and ``particulars``.
"""

import numpy as np

from sources.sample import identifiers
from sources.sample.identities import draw_names, family_names, give_documents, share_ids
from sources.sample.rates import Noise
from sources.sample.shapes import CHILD, ELDER, HEAD, SECOND_CHILD, SPOUSE, YEAR, Addresses, Members, Persons
from sources.sample.text import Numbers, draw
from sources.sample.vocabulary import FOREIGN, HAN, HONG_KONG, MACAU, MINORITY, TAIWAN, Vocabulary

_KIND_SHARE = {HAN: 0.971, MINORITY: 0.010, HONG_KONG: 0.005, MACAU: 0.001, TAIWAN: 0.004, FOREIGN: 0.009}
_HISTORY_DAYS = int(12 * YEAR)  # how far back changes of mobile and address lie


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
    members = _members(rng, vocabulary, households, today)
    household, count = members.household, len(members)
    size = np.bincount(household, minlength=households)[household]
    position = np.arange(count) - members.head
    relative = np.where(size > 1, first[0] + members.head + (position + 1) % size, -1)
    family, given1, given2 = family_names(rng, vocabulary, members)
    renamed = noise.hits(rng, "name_former", members.kind == HAN)
    _, old_given1, old_given2 = draw_names(rng, vocabulary, members)
    district = vocabulary.places.residence.draw(rng, households)
    document_type, document, length = give_documents(rng, vocabulary, district[household], members, taken)
    mobile, old_mobile, mobile_on = _mobiles(rng, members, today)
    address, old_address, moved_on, addresses = _addresses(rng, vocabulary, district, members, today, first[2])
    persons = Persons(
        household=household + first[1],
        role=members.role,
        kind=members.kind,
        country=members.country,
        family=family,
        given1=given1,
        given2=given2,
        old_given1=np.where(renamed, old_given1, -1),
        old_given2=np.where(renamed, old_given2, -1),
        renamed_on=np.where(renamed, today - rng.integers(30, _HISTORY_DAYS, count), -1),
        sex=members.sex,
        birth=members.birth,
        document_type=document_type,
        document=document,
        document_length=length,
        mobile=mobile,
        old_mobile=old_mobile,
        mobile_on=mobile_on,
        address=address,
        old_address=old_address,
        moved_on=moved_on,
        relative=relative,
        occupation=rng.integers(0, len(vocabulary.occupation), count),
        core=np.zeros(count, dtype=np.int64),
        cards=np.zeros(count, dtype=np.int64),
        loans=np.zeros(count, dtype=np.int64),
    )
    _choose_systems(rng, persons, noise, today)
    share_ids(rng, persons, noise, alone=size == 1)
    return persons, addresses


def _members(rng: np.random.Generator, vocabulary: Vocabulary, households: int, today: int) -> Members:
    """Found households of one to four, with the age of each member, and say of what kind they are."""
    shape = draw(rng, (35, 25, 22, 10, 8), households)  # single, couple, one child, two, three generations
    alone = 18 + 66 * rng.beta(1.4, 2.0, households)
    age = np.where(shape == 0, alone, 25 + 52 * rng.beta(1.6, 2.4, households))
    head = today - age * YEAR
    head_sex = (rng.random(households) < np.where(shape == 0, 0.5, 0.7)).astype(np.int64)
    spouse = head + np.clip(rng.normal(0, 3, households), -9, 9) * YEAR
    child = head + rng.uniform(22, 34, households) * YEAR
    child_sex = rng.integers(0, 2, households)
    twins = rng.random(households) < 0.12
    second = np.where(twins, child, child + rng.uniform(1.2, 7, households) * YEAR)
    alike = twins & (rng.random(households) < 0.4)
    second_sex = np.where(alike, child_sex, rng.integers(0, 2, households))
    elder = head - rng.uniform(22, 33, households) * YEAR
    nobody = np.zeros(households, dtype=bool)
    everyone = np.arange(households)
    groups = [
        (HEAD, shape >= 0, head, head_sex, nobody),
        (SPOUSE, shape >= 1, spouse, 1 - head_sex, nobody),
        (CHILD, shape >= 2, child, child_sex, nobody),
        (SECOND_CHILD, shape == 3, second, second_sex, twins),
        (ELDER, shape == 4, elder, rng.integers(0, 2, households), nobody),
    ]
    parts = []
    for role, there, born, sex, twin in groups:
        birth = born.astype(np.int64)
        rows = there & (birth < today) & (birth > today - 97 * YEAR)
        parts.append((everyone[rows], np.full(int(rows.sum()), role), birth[rows], sex[rows], twin[rows]))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.lexsort((columns[1], columns[0]))
    household, roles, births, sexes, second_twins = (column[order] for column in columns)
    kind = draw(rng, list(_KIND_SHARE.values()), households)
    country = np.where(kind == FOREIGN, rng.integers(0, len(vocabulary.countries), households), -1)
    start = np.flatnonzero(np.r_[True, household[1:] != household[:-1]])
    return Members(
        household=household,
        role=roles,
        kind=kind[household],
        country=country[household],
        sex=sexes,
        birth=births,
        head=np.repeat(start, np.diff(np.r_[start, len(household)])),
        twin=second_twins,
    )


def _mobiles(rng: np.random.Generator, members: Members, today: int) -> tuple[Numbers, Numbers, Numbers]:
    """Mobile, former mobile and the day of the change: changed, shared within families, given to others anew."""
    count, birth = len(members), members.birth
    mobile, old_mobile = identifiers.mobiles(rng, count), identifiers.mobiles(rng, count)
    changed = (rng.random(count) < 0.35) & (birth < today - 16 * YEAR)
    changed_on = np.where(changed, today - rng.integers(30, _HISTORY_DAYS, count), -1)
    # a released number comes back to somebody else, at the earliest 90 days later, as that person's new one
    donor = rng.permutation(np.flatnonzero(changed))[: int(0.15 * changed.sum())]
    taker = rng.permutation(np.flatnonzero(changed))[: len(donor)]
    fits = changed_on[taker] >= changed_on[donor] + 90
    mobile[taker[fits]] = old_mobile[donor[fits]]
    dependent = members.child & (birth > today - 24 * YEAR) & (rng.random(count) < 0.5)
    aged = (members.role == ELDER) & (rng.random(count) < 0.35)
    mobile = np.where(dependent | aged, mobile[members.head], mobile)
    return mobile, np.where(changed, old_mobile, -1), changed_on


def _addresses(
    rng: np.random.Generator,
    vocabulary: Vocabulary,
    district: Numbers,
    members: Members,
    today: int,
    first: int,
) -> tuple[Numbers, Numbers, Numbers, Addresses]:
    """Address, former address and day of moving: a quarter of households moved, grown children live apart."""
    household, birth = members.household, members.birth
    households = len(district)
    moved = np.flatnonzero(rng.random(households) < 0.25)
    former = np.full(households, -1)
    former[moved] = households + np.arange(len(moved))
    former_on = np.where(former >= 0, today - rng.integers(30, _HISTORY_DAYS, households), -1)
    grown = members.child & (birth < today - 26 * YEAR)
    apart = np.flatnonzero(grown & (rng.random(len(birth)) < 0.6))
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
