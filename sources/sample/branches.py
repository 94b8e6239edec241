"""The bank's own organisation: branches by city and the customer managers in them."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.sample.text import Mask, Numbers, Text, choose, join, pick, serial, together
from sources.sample.vocabulary import FEMALE, HAN, MALE, Vocabulary

HEAD_OFFICE = "0001"
MANAGERS_PER_OUTLET = 4
_TEAMS = pa.array(["零售业务部", "财富管理部", "公司业务部", "小微金融部"])
_CORPORATE, _SMALL_BUSINESS = 2, 3  # the teams that lend


@dataclass(frozen=True)
class Outlets:
    """Branches and managers as columns; outlets of a city are numbered from ``first`` on, ``count`` of them."""

    branches: dict[str, Text]
    managers: dict[str, Text]
    outlet_no: Text
    first: Numbers
    count: Numbers

    def near(self, rng: np.random.Generator, cities: Numbers) -> Numbers:
        """Draw an outlet of each city; of any city where the bank has none."""
        anywhere = rng.integers(0, len(self.outlet_no), len(cities))
        own = self.first[cities] + (rng.random(len(cities)) * self.count[cities]).astype(np.int64)
        return np.where(self.count[cities] > 0, own, anywhere)

    def manager_numbers(self, rng: np.random.Generator, outlets: Numbers, share: float) -> Text:
        """Draw a manager of the outlet for a share of the rows; null for the rest."""
        number = serial(outlets * MANAGERS_PER_OUTLET + rng.integers(0, MANAGERS_PER_OUTLET, len(outlets)), 5, "M")
        return choose(rng.random(len(outlets)) < share, number, None)

    def officer_numbers(self, rng: np.random.Generator, outlets: Numbers, company: Mask, share: float) -> Text:
        """Name the outlet's loan officer (for companies, for persons) for a share of the rows; null for the rest."""
        number = serial(outlets * MANAGERS_PER_OUTLET + np.where(company, _CORPORATE, _SMALL_BUSINESS), 5, "M")
        return choose(rng.random(len(outlets)) < share, number, None)

    def officers(self) -> dict[str, Text]:
        """The loan system's own list of its officers: the staff of the two lending teams, numbered as everywhere."""
        team = np.arange(len(self.managers["MANAGER_NO"])) % len(_TEAMS)
        lending = pa.array(np.flatnonzero((team == _CORPORATE) | (team == _SMALL_BUSINESS)))
        names = ("officer_no", "name", "branch_no", "department")
        return {name: column.take(lending) for name, column in zip(names, self.managers.values(), strict=True)}


def make_outlets(rng: np.random.Generator, vocabulary: Vocabulary) -> Outlets:
    """Found one branch a city with outlets by the city's weight, and staff them."""
    places = vocabulary.places
    served = np.flatnonzero(places.city_weight > 0)
    count = np.zeros(len(places.city_weight), dtype=np.int64)
    count[served] = 1 + places.city_weight[served].astype(np.int64)
    first = np.cumsum(count) - count
    city = np.repeat(np.arange(len(count)), count)
    rank = np.arange(len(city)) - first[city]
    town = pc.replace_substring(places.city, "市", "")
    outlet_no = join(serial(100 + city, 4), serial(rank + 1, 2))
    road = pick(vocabulary.road, rng.integers(0, len(vocabulary.road), len(city)))
    branches = {
        "BRANCH_NO": together(pa.array([HEAD_OFFICE]), serial(100 + served, 4), outlet_no),
        "BRANCH_NAME": together(
            pa.array(["样本银行总行"]),
            join("样本银行", pick(town, served), "分行"),
            join("样本银行", pick(town, city), pc.replace_substring_regex(road, "(路|大道|街)$", ""), "支行"),
        ),
        "PARENT_NO": together(
            pa.array([None], pa.string()), pa.array([HEAD_OFFICE] * len(served)), serial(100 + city, 4)
        ),
        "PROVINCE": pick(places.province, np.r_[0, served, city]),
        "CITY": pick(places.city, np.r_[0, served, city]),
    }
    staff = np.arange(len(city) * MANAGERS_PER_OUTLET)
    sex = rng.choice([MALE, FEMALE], len(staff))
    given = np.where(
        sex == MALE,
        vocabulary.given_of[HAN, MALE, 1980].draw(rng, len(staff)),
        vocabulary.given_of[HAN, FEMALE, 1980].draw(rng, len(staff)),
    )
    managers = {
        "MANAGER_NO": serial(staff, 5, "M"),
        "MANAGER_NAME": join(
            pick(vocabulary.family.simplified, vocabulary.family_of[HAN].draw(rng, len(staff))),
            pick(vocabulary.given.simplified, given),
        ),
        "BRANCH_NO": pick(outlet_no, staff // MANAGERS_PER_OUTLET),
        "TEAM": pick(_TEAMS, staff % len(_TEAMS)),
    }
    return Outlets(branches, managers, outlet_no, first, count)
