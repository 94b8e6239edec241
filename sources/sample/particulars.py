"""Birth dates, sex, contacts and addresses as the systems record them, with errors.

A record shows what held on the day of its last update: a mobile or an address that changed later is still the
old one.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.sample.bank import Bank
from sources.sample.text import (
    Mask,
    Numbers,
    Text,
    calendar,
    choose,
    date_text,
    day_number,
    draw,
    full_width,
    join,
    pick,
    put,
    serial,
)
from sources.sample.vocabulary import MALE

MOBILE_PLACEHOLDERS = pa.array(["13800000000", "11111111111", "无", "-", "000000", "不详"])
_DOMAINS = pa.array(["mail.example", "post.example", "corp.example", "web.example"])
_DATE_STYLES = {"core": (68, 20, 9, 3), "cards": (80, 15, 0, 5), "loans": (10, 75, 15, 0)}
_SEX_STYLES = {"core": (40, 25, 35), "cards": (75, 5, 20), "loans": (5, 70, 25)}
_MOBILE_STYLES = (78, 5, 3, 5, 5, 2, 2)
PLACEHOLDER_BIRTH = int(day_number([1900], [1], [1])[0])


@dataclass(frozen=True)
class AddressText:
    """An address in parts (null if missing) and as one text."""

    province: Text
    city: Text
    district: Text
    detail: Text
    postcode: Text
    text: Text


def birth_dates(rng: np.random.Generator, bank: Bank, rows: Numbers, system: str) -> Text:
    """Record birth dates of persons in the formats that the system mixes in one field."""
    noise, birth = bank.noise, bank.persons.birth[rows].copy()
    everyone = np.ones(len(rows), dtype=bool)
    fate = noise.one_of(rng, {"birth_missing": everyone, "birth_placeholder": everyone, "birth_error": everyone})
    birth[fate == 2] = PLACEHOLDER_BIRTH
    wrong = np.flatnonzero(fate == 3)
    years, months, days = calendar(birth[wrong])
    style = rng.integers(0, 4, len(wrong))
    swappable = (style == 0) & (days <= 12) & (days != months)
    birth[wrong] = np.select(
        [swappable, style == 1, style == 2],
        [
            day_number(years, days, months),
            day_number(years + rng.choice([-10, -1, 1, 10], len(wrong)), months, days),
            day_number(years, months % 12 + 1, days),
        ],
        birth[wrong] + rng.integers(1, 20, len(wrong)) * rng.choice([-1, 1], len(wrong)),
    )
    shape = draw(rng, _DATE_STYLES[system], len(rows))
    text = choose(shape == 1, date_text(birth, "-"), date_text(birth))
    text = choose(shape == 2, date_text(birth, "/", padded=False), text)
    wide = np.flatnonzero(shape == 3)
    text = put(text, wide, full_width(date_text(birth[wide])))
    return choose(fate == 1, None, text)


def sex_codes(rng: np.random.Generator, bank: Bank, rows: Numbers, system: str) -> Text:
    """Record the sex of persons as 1 or 2, M or F, 男 or 女."""
    everyone = np.ones(len(rows), dtype=bool)
    fate = bank.noise.one_of(rng, {"sex_missing": everyone, "sex_error": everyone})
    male = (bank.persons.sex[rows] == MALE) ^ (fate == 2)
    shape = draw(rng, _SEX_STYLES[system], len(rows))
    text = choose(
        shape == 0,
        choose(male, "1", "2"),
        choose(shape == 1, choose(male, "M", "F"), choose(male, "男", "女")),
    )
    return choose(fate == 1, None, text)


def mobiles(rng: np.random.Generator, bank: Bank, rows: Numbers, updated: Numbers) -> Text:
    """Record mobiles of persons: the one of that day, another's, an agent's, misread, missing."""
    persons, noise = bank.persons, bank.noise
    still_old = (persons.mobile_on[rows] >= 0) & (updated < persons.mobile_on[rows])
    number = np.where(still_old, persons.old_mobile[rows], persons.mobile[rows])
    everyone = np.ones(len(rows), dtype=bool)
    relative = persons.relative[rows]
    fate = noise.one_of(
        rng,
        {
            "mobile_missing": everyone,
            "mobile_placeholder": everyone,
            "mobile_agent": everyone,
            "mobile_relative": relative >= 0,
            "mobile_error": everyone,
        },
    )
    number = np.where(fate == 3, rng.choice(bank.agents, len(rows)), number)
    number = np.where(fate == 4, persons.mobile[np.maximum(relative, 0)], number)
    position = 10 ** rng.integers(0, 8, len(rows))
    digit = number // position % 10
    misread = number + ((digit + rng.integers(1, 10, len(rows))) % 10 - digit) * position
    number = np.where(fate == 5, misread, number)
    text = _mobile_text(rng, serial(number))
    junk = np.flatnonzero(fate == 2)
    text = put(text, junk, pick(MOBILE_PLACEHOLDERS, rng.integers(0, len(MOBILE_PLACEHOLDERS), len(junk))))
    return choose(fate == 1, None, text)


def company_mobiles(rng: np.random.Generator, bank: Bank, rows: Numbers) -> Text:
    """Record mobiles of organisations: the owner's or representative's, where they gave one."""
    representative = bank.companies.representative[rows]
    text = _mobile_text(rng, serial(bank.persons.mobile[representative]))
    return choose(bank.companies.owner_mobile[rows], text, None)


def person_landlines(rng: np.random.Generator, bank: Bank, rows: Numbers) -> Text:
    """Record the telephone of the dwelling for a third of persons: the same for all who live there."""
    address = bank.persons.address[rows]
    text = _landline_text(rng, bank, bank.addresses.district[address], bank.addresses.landline[address])
    return choose((address % 2 == 0) & (rng.random(len(rows)) < 0.66), text, None)


def company_landlines(rng: np.random.Generator, bank: Bank, rows: Numbers) -> Text:
    """Record telephones of organisations."""
    companies = bank.companies
    district = bank.addresses.district[companies.address[rows]]
    text = _landline_text(rng, bank, district, companies.landline[rows])
    return choose(rng.random(len(rows)) < 0.8, text, None)


def emails(rng: np.random.Generator, bank: Bank, rows: Numbers, share: float) -> Text:
    """Record e-mail addresses of persons for a share of the records; in capitals now and then."""
    persons = bank.persons
    local = join(
        pick(bank.vocabulary.given.latin, persons.given1[rows]),
        pick(bank.vocabulary.family.latin, persons.family[rows]),
        sep=".",
    )
    local = join(pc.utf8_lower(local), serial(rows % 9973))
    text = join(local, pick(_DOMAINS, rows % len(_DOMAINS)), sep="@")
    text = choose(rng.random(len(rows)) < 0.05, pc.utf8_upper(text), text)
    grown = persons.birth[rows] > PLACEHOLDER_BIRTH + 40 * 365
    return choose(grown & (rng.random(len(rows)) < share), text, None)


def person_addresses(rng: np.random.Generator, bank: Bank, rows: Numbers, updated: Numbers) -> AddressText:
    """Record addresses of persons as of the days of the records' last updates."""
    persons = bank.persons
    still_old = (persons.old_address[rows] >= 0) & (updated < persons.moved_on[rows])
    return addresses(rng, bank, np.where(still_old, persons.old_address[rows], persons.address[rows]))


def addresses(rng: np.random.Generator, bank: Bank, where: Numbers) -> AddressText:
    """Record addresses by number, abbreviated and misshapen at the rates of the noise level."""
    held, words, noise = bank.addresses, bank.vocabulary, bank.noise
    everyone = np.ones(len(where), dtype=bool)
    missing = noise.hits(rng, "address_missing", everyone)
    short = noise.hits(rng, "address_short", ~missing)
    styled = noise.hits(rng, "address_style", ~missing)
    district = held.district[where]
    city = words.places.district_city[district]
    province_name, city_name = pick(words.places.province, city), pick(words.places.city, city)
    district_name = pick(words.places.district, district)
    municipality = np.asarray(pc.equal(province_name, city_name))

    shape = np.where(short, rng.integers(0, 4, len(where)), -1)
    province_part = choose((shape == 0) | (shape == 1) | municipality, "", province_name)
    city_part = choose((shape == 1) & ~municipality, "", city_name)
    cut = np.flatnonzero(shape >= 2)
    province_part = put(province_part, cut, _stripped(province_part.take(pa.array(cut))))
    city_part = put(city_part, cut, _stripped(city_part.take(pa.array(cut))))

    style = np.where(styled, rng.integers(0, 3, len(where)), -1)
    building, unit = serial(held.building[where]), serial(held.unit[where])
    room, number = serial(held.room[where]), serial(held.number[where])
    community = choose(style == 1, "", pick(words.community, held.community[where]))
    dwelling = choose(style == 0, join(building, unit, room, sep="-"), join(building, "号楼", unit, "单元", room, "室"))
    detail = join(pick(words.road, held.road[where]), number, "号", community, dwelling)
    wide = np.flatnonzero(style == 2)
    detail = put(detail, wide, full_width(detail.take(pa.array(wide))))
    postcode = serial(words.places.postcode[city] * 1000 + held.road[where] % 10 * 100, 6)
    text = join(province_part, city_part, district_name, detail)
    return AddressText(
        *(choose(missing, None, column) for column in (province_name, city_name, district_name, detail, postcode, text))
    )


def _stripped(names: Text) -> Text:
    """Leave out 省 and 市 at the end of names."""
    return pc.replace_substring_regex(names, "[省市]$", "")


def _mobile_text(rng: np.random.Generator, number: Text) -> Text:
    """Write mobiles in the forms that occur."""
    shape = draw(rng, _MOBILE_STYLES, len(number))
    groups = [pc.utf8_slice_codeunits(number, *span) for span in ((0, 3), (3, 7), (7, 11))]
    text = choose(shape == 1, join("+86", number), choose(shape == 2, join("86-", number), number))
    text = choose(shape == 3, join(*groups, sep=" "), choose(shape == 4, join(*groups, sep="-"), text))
    text = choose(shape == 5, join("0", number), text)
    wide = np.flatnonzero(shape == 6)
    return put(text, wide, full_width(number.take(pa.array(wide))))


def _landline_text(rng: np.random.Generator, bank: Bank, district: Numbers, number: Numbers) -> Text:
    """Write telephones with their area code in the forms that occur."""
    places = bank.vocabulary.places
    area, local = pick(places.area_code, places.district_city[district]), serial(number)
    shape = draw(rng, (70, 12, 12, 6), len(number))
    text = choose(
        shape == 1, join("(", area, ")", local), choose(shape == 2, join(area, local), join(area, "-", local))
    )
    return choose(shape == 3, join("+86 ", pc.utf8_slice_codeunits(area, 1), " ", local), text)


def some(rng: np.random.Generator, share: float, column: Text) -> Text:
    """Keep a share of the values, null the rest."""
    mask: Mask = rng.random(len(column)) < share
    return choose(mask, column, None)
