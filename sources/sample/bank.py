"""The sample bank's truth in one place: who exists, where they live, and how noisy the records are to be."""

from dataclasses import dataclass

from sources.sample.companies import Companies
from sources.sample.rates import Noise
from sources.sample.shapes import Addresses, Persons
from sources.sample.text import Numbers, Text, choose, serial
from sources.sample.vocabulary import Vocabulary

COMPANY_BASE = 1 << 40  # an entity is a person's number, or a company's number above this


@dataclass
class Bank:
    """Persons, companies and addresses; ``agents`` are mobiles that many unrelated records share."""

    vocabulary: Vocabulary
    noise: Noise
    persons: Persons
    companies: Companies
    addresses: Addresses
    agents: Numbers


def entity_ids(entities: Numbers) -> Text:
    """Write entities as ids: P for persons, C for organisations, and their number."""
    company = entities >= COMPANY_BASE
    return choose(company, serial(entities - COMPANY_BASE, 8, "C"), serial(entities, 8, "P"))
