"""What the sample bank's people, companies and places are called: the lists of the YAML files as pools.

A pool is a column of text; everything else refers to its entries by index, so that names are compared, altered
and written as whole columns. Who bears which name is decided in ``population``; which errors happen to it in
``rendering``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import opencc
import pyarrow as pa
import pypinyin
import yaml

from sources.sample.text import Numbers, Text, draw

HERE = Path(__file__).parent
HAN, MINORITY, HONG_KONG, MACAU, TAIWAN, FOREIGN = range(6)
FEMALE, MALE = 0, 1
GENERATIONS = (1900, 1960, 1980, 1995)
ISSUED_FROM = 1985  # first resident identity cards; older people's numbers carry the codes of that time
_RARE_SHARE = 0.06
_ATTEMPTS = 80  # half of them in the city; three districts in ten or more fit any year
_TAIL_PER_MILLE, _COMPOUND_PER_MILLE = 138.0, 2.0


@dataclass(frozen=True)
class Choice:
    """Indices into a pool with their weights."""

    index: Numbers
    weight: Numbers

    def draw(self, rng: np.random.Generator, count: int) -> Numbers:
        """Draw pool indices."""
        return self.index[draw(rng, self.weight, count)]


@dataclass(frozen=True)
class Alternatives:
    """For each entry of a pool the entries that it may be mistaken for."""

    start: Numbers
    count: Numbers
    members: Numbers

    def replace(self, rng: np.random.Generator, index: Numbers) -> Numbers:
        """Draw a mistaken entry for each index; the index itself where there is none or it is below zero."""
        safe = np.maximum(index, 0)
        count = np.where(index < 0, 0, self.count[safe])
        offset = (rng.random(len(index)) * count).astype(np.int64)
        position = np.minimum(self.start[safe] + offset, len(self.members) - 1)
        return np.where(count > 0, self.members[position], index)


@dataclass(frozen=True)
class NamePool:
    """Parts of names in three writings, with what they are mistaken for."""

    simplified: Text
    traditional: Text
    latin: Text
    homophones: Alternatives
    look_alikes: Alternatives


@dataclass(frozen=True)
class Places:
    """Cities and districts. District columns are parallel; ``city`` points into the city columns."""

    province: Text
    city: Text
    area_code: Text
    postcode: Numbers
    city_weight: Numbers
    district: Text
    district_city: Numbers
    district_code: Numbers
    valid_from: Numbers
    valid_to: Numbers
    residence: Choice
    city_start: Numbers
    city_count: Numbers

    def birth_districts(self, rng: np.random.Generator, cities: Numbers, birth_years: Numbers) -> Numbers:
        """Draw for each person a district of the city whose code was in use when the number was given.

        Where the city had no such code (Chongqing before it became a municipality), a district of another city.
        """
        issued = np.maximum(birth_years, ISSUED_FROM)
        found = np.zeros(len(cities), dtype=np.int64)
        rows = np.arange(len(cities))
        for attempt in range(_ATTEMPTS):
            start, count = self.city_start[cities[rows]], self.city_count[cities[rows]]
            if attempt > _ATTEMPTS // 2:
                start, count = np.zeros_like(start), np.full_like(count, len(self.district_code))
            found[rows] = start + (rng.random(len(rows)) * count).astype(np.int64)
            fits = (self.valid_from[found[rows]] <= issued[rows]) & (self.valid_to[found[rows]] >= issued[rows])
            rows = rows[~fits]
        return found


@dataclass(frozen=True)
class Vocabulary:
    """Every pool that the generator draws from."""

    family: NamePool
    given: NamePool
    family_of: Mapping[Any, Choice]
    given_of: Mapping[Any, Choice]
    father_name: Numbers
    places: Places
    countries: tuple[str, ...]
    brand: Text
    business: Text
    business_industry: Text
    shop: Text
    shop_industry: Text
    legal_form: Text
    occupation: Text
    road: Text
    community: Text


def load_vocabulary() -> Vocabulary:
    """Read the YAML files beside this module and build the pools."""
    words = yaml.safe_load((HERE / "names.yaml").read_text(encoding="utf-8"))
    lists = {key: value.split() for key, value in words.items() if isinstance(value, str)}
    families, family_of, father_name = _families(lists, words["foreign"])
    givens, given_of = _givens(lists, words)
    to_simplified = opencc.OpenCC("t2s").convert
    to_traditional = _traditional(lists["traditional_surnames"])
    pairs = lists["look_alikes"]
    return Vocabulary(
        family=_pool(families, to_simplified, to_traditional, pairs),
        given=_pool(givens, to_simplified, opencc.OpenCC("s2t").convert, pairs),
        family_of=family_of,
        given_of=given_of,
        father_name=father_name,
        places=_places(yaml.safe_load((HERE / "regions.yaml").read_text(encoding="utf-8"))),
        countries=tuple(words["foreign"]),
        brand=pa.array(lists["brand"]),
        business=pa.array(lists["business"][::2]),
        business_industry=pa.array(lists["business"][1::2]),
        shop=pa.array(lists["shops"][::2]),
        shop_industry=pa.array(lists["shops"][1::2]),
        legal_form=pa.array(lists["legal_forms"]),
        occupation=pa.array(lists["occupations"]),
        road=pa.array(lists["roads"]),
        community=pa.array(lists["communities"]),
    )


class _Entries:
    """Parts of names in the order of their index: written form and Latin reading."""

    def __init__(self) -> None:
        self.position: dict[tuple[str, str], int] = {}

    def add(self, written: str, latin: str) -> int:
        """Return the index of the entry, adding it if it is new."""
        return self.position.setdefault((written, latin), len(self.position))

    def choice(self, written: Iterable[str], latin: Iterable[str], weights: Iterable[float]) -> Choice:
        """Add entries and return them with their weights."""
        index = [self.add(*entry) for entry in zip(written, latin, strict=True)]
        return Choice(np.array(index), np.array(list(weights), dtype=np.float64))


def _falling(count: int, total: float = 1.0) -> Numbers:
    """Weights that fall with the rank as frequencies of names do."""
    weights = 1.0 / (np.arange(count) + 5.0) ** 0.9
    return np.asarray(weights / weights.sum() * total)


def _families(
    lists: dict[str, list[str]], foreign: dict[str, dict[str, str]]
) -> tuple[_Entries, dict[Any, Choice], Numbers]:
    entries = _Entries()
    tail, compound = lists["rare_surnames"], lists["compound_surnames"]
    written = lists["surnames"][::3] + tail[::2] + compound[::2]
    latin = lists["surnames"][1::3] + tail[1::2] + compound[1::2]
    weights = np.concatenate(
        [
            np.array(lists["surnames"][2::3], dtype=np.float64),
            _falling(len(tail) // 2, _TAIL_PER_MILLE),
            _falling(len(compound) // 2, _COMPOUND_PER_MILLE),
        ]
    )
    choices: dict[Any, Choice] = {HAN: entries.choice(written, [reading.upper() for reading in latin], weights)}
    for kind, key in ((HONG_KONG, "hong_kong"), (TAIWAN, "taiwan")):
        names = lists[f"{key}_surnames"]
        choices[kind] = entries.choice(names[::2], names[1::2], _falling(len(names) // 2))
    choices[MACAU] = choices[HONG_KONG]
    fathers = lists["minority_male"]
    choices[MINORITY] = entries.choice(fathers, map(_reading, fathers), _falling(len(fathers)))
    for country, parts in foreign.items():
        names = parts["family"].split()
        choices[FOREIGN, country] = entries.choice(names, names, _falling(len(names)))
    return entries, choices, choices[MINORITY].index


def _givens(lists: dict[str, list[str]], words: dict[str, Any]) -> tuple[_Entries, dict[Any, Choice]]:
    entries = _Entries()
    choices: dict[Any, Choice] = {}
    for sex, key in ((MALE, "male"), (FEMALE, "female")):
        # the minority's come first: a father's given name is found by its rank in the list of family parts
        names = lists[f"minority_{key}"]
        choices[MINORITY, sex] = entries.choice(names, map(_reading, names), _falling(len(names)))
    rare = lists["given_rare"]
    for sex, key in ((MALE, "given_male"), (FEMALE, "given_female")):
        for generation in GENERATIONS:
            common = words[key][generation].split()
            weights = np.concatenate(
                [_falling(len(common), 1 - _RARE_SHARE), np.full(len(rare), _RARE_SHARE / len(rare))]
            )
            characters = common + rare
            choices[HAN, sex, generation] = entries.choice(characters, map(_reading, characters), weights)
    for kind, key in ((HONG_KONG, "hong_kong_given"), (TAIWAN, "taiwan_given")):
        names = lists[key]
        choices[kind] = entries.choice(names[::2], names[1::2], _falling(len(names) // 2))
    choices[MACAU] = choices[HONG_KONG]
    for country, parts in words["foreign"].items():
        for sex, key in ((MALE, "male"), (FEMALE, "female")):
            names = parts[key].split()
            choices[FOREIGN, country, sex] = entries.choice(names, names, _falling(len(names)))
    return entries, choices


def _reading(text: str) -> str:
    return "".join(pypinyin.lazy_pinyin(text)).upper()


def _traditional(exceptions: list[str]) -> Any:
    known = dict(zip(exceptions[::2], exceptions[1::2], strict=True))
    convert = opencc.OpenCC("s2t").convert
    return lambda text: known.get(text) or convert(text)


def _pool(entries: _Entries, to_simplified: Any, to_traditional: Any, pairs: list[str]) -> NamePool:
    """Add the look-alikes that nobody bears as a name, and relate the entries to one another."""
    bearers: dict[str, int] = {}
    for entry, index in entries.position.items():
        bearers.setdefault(entry[0], index)
    alike: list[tuple[int, int]] = []
    for pair in pairs:
        for right, wrong in ((pair[0], pair[1]), (pair[1], pair[0])):
            if right in bearers:
                alike.append((bearers[right], entries.add(wrong, _reading(wrong))))
    written = [key[0] for key in entries.position]
    latin = [key[1] for key in entries.position]
    simplified = [to_simplified(text) for text in written]
    sounds: dict[str, list[int]] = {}
    for index, (text, reading) in enumerate(zip(written, latin, strict=True)):
        if len(text) == 1 and text == simplified[index]:
            sounds.setdefault(reading, []).append(index)
    same_sound = [(a, b) for group in sounds.values() for a in group for b in group if a != b]
    return NamePool(
        simplified=pa.array(simplified),
        traditional=pa.array(
            [to_traditional(text) if text == plain else text for text, plain in zip(written, simplified, strict=True)]
        ),
        latin=pa.array(latin),
        homophones=_alternatives(same_sound, len(written)),
        look_alikes=_alternatives(alike, len(written)),
    )


def _alternatives(pairs: list[tuple[int, int]], size: int) -> Alternatives:
    ordered = np.array(sorted(set(pairs)), dtype=np.int64).reshape(-1, 2)
    count = np.bincount(ordered[:, 0], minlength=size)
    return Alternatives(start=np.cumsum(count) - count, count=count, members=ordered[:, 1])


def _places(regions: list[dict[str, Any]]) -> Places:
    districts: list[tuple[str, int, int, int, int]] = []
    sizes = []
    for number, region in enumerate(regions):
        listed = [entry.split() for entry in region["districts"].split(",")]
        sizes.append(len(listed))
        for code, name, *years in listed:
            first, last = years[0].split("-") if years else ("", "")
            districts.append((name, number, int(region["code"] + code), int(first or 0), int(last or 9999)))
    names, cities, codes, valid_from, valid_to = (list(column) for column in zip(*districts, strict=True))
    weight = np.array([region["weight"] for region in regions], dtype=np.float64)
    city, ends = np.array(cities), np.array(valid_to)
    current = np.flatnonzero(ends == 9999)
    per_city = np.bincount(city[current], minlength=len(regions))
    counts = np.array(sizes)
    return Places(
        province=pa.array([region["province"] for region in regions]),
        city=pa.array([region["city"] for region in regions]),
        area_code=pa.array([region["area_code"] for region in regions]),
        postcode=np.array([int(region["postcode"]) for region in regions]),
        city_weight=weight,
        district=pa.array(names),
        district_city=city,
        district_code=np.array(codes),
        valid_from=np.array(valid_from),
        valid_to=ends,
        residence=Choice(current, weight[city[current]] / per_city[city[current]]),
        city_start=np.cumsum(counts) - counts,
        city_count=counts,
    )
