"""What each system holds of its parties: columns of text beside the entity that each record is of.

A register is the state of one file. ``core_columns``, ``card_columns`` and ``borrower_columns`` write the records
of given entities as of given days; the errors come from ``names``, ``documents`` and ``particulars``.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sources.sample.bank import COMPANY_BASE, Bank
from sources.sample.branches import Outlets
from sources.sample.companies import SOLE_TRADER
from sources.sample.documents import (
    Documents,
    company_documents,
    expiry_days,
    person_documents,
)
from sources.sample.names import company_names, industries, person_names
from sources.sample.particulars import (
    addresses,
    birth_dates,
    company_landlines,
    company_mobiles,
    emails,
    mobiles,
    person_addresses,
    person_landlines,
    sex_codes,
    some,
)
from sources.sample.text import (
    Mask,
    Numbers,
    Text,
    blank,
    choose,
    clock_text,
    constant,
    date_text,
    join,
    pick,
    put,
    together,
)
from sources.sample.vocabulary import FOREIGN, HONG_KONG, MACAU, TAIWAN

Columns = dict[str, Text]

# codes of document types, in the order of ``shapes``
CORE_DOCUMENTS = pa.array(["01", "02", "03", "04", "05", "11", "12"])
CARD_DOCUMENTS = pa.array(["A", "B", "C", "D", "E", "X", "Y"])
LOAN_DOCUMENTS = pa.array(
    ["身份证", "护照", "港澳居民来往内地通行证", "台湾居民来往大陆通行证", "外国人永久居留身份证",
     "统一社会信用代码", "组织机构代码"]
)  # fmt: skip
_ALPHA_3 = {
    "US": "USA",
    "GB": "GBR",
    "JP": "JPN",
    "KR": "KOR",
    "DE": "DEU",
    "FR": "FRA",
    "RU": "RUS",
    "SG": "SGP",
}


@dataclass
class Register:
    """One file's records: entity, days of opening and last update, the fields as text, whether still held."""

    entity: Numbers
    opened: Numbers
    updated: Numbers
    columns: Columns
    held: Mask

    def __len__(self) -> int:
        return len(self.entity)

    def put(self, rows: Numbers, columns: Columns) -> None:
        """Replace fields of the rows (ascending)."""
        for name, values in columns.items():
            self.columns[name] = put(self.columns[name], rows, values)

    def extend(self, other: "Register") -> None:
        """Add the other's records below."""
        self.entity = np.concatenate([self.entity, other.entity])
        self.opened = np.concatenate([self.opened, other.opened])
        self.updated = np.concatenate([self.updated, other.updated])
        self.held = np.concatenate([self.held, other.held])
        self.columns = {name: together(column, other.columns[name]) for name, column in self.columns.items()}

    def persons(self) -> Numbers:
        """Positions of the records that are of persons and still held."""
        return np.flatnonzero((self.entity < COMPANY_BASE) & self.held)


def open_register(
    rng: np.random.Generator, bank: Bank, entity: Numbers, today: int, new: bool
) -> tuple[Register, Numbers]:
    """Start a register of the entities, in the order of opening; also returns that order.

    ``new`` records are opened on the day, others over the years before.
    """
    count = len(entity)
    opened = np.full(count, today)
    if new:
        order = rng.permutation(count)
        updated = opened
    else:
        company = entity >= COMPANY_BASE
        since = np.empty(count, dtype=np.int64)
        birth = bank.persons.birth[entity[~company]]
        grown = np.minimum(birth + 16 * 365, np.maximum(birth + 30, today - 900))
        since[~company] = np.maximum(grown, today - 20 * 365)
        since[company] = bank.companies.founded[entity[company] - COMPANY_BASE]
        since = np.minimum(since, today - 10)
        opened = since + (rng.random(count) * (today - since)).astype(np.int64)
        updated = opened + (rng.beta(2, 1.2, count) * (today - opened)).astype(np.int64)
        order = np.argsort(opened, kind="stable")
    held = np.ones(count, dtype=bool)
    return Register(entity[order], opened[order], updated[order], {}, held), order


def core_columns(rng: np.random.Generator, bank: Bank, outlets: Outlets, register: Register) -> Columns:
    """Write core banking's customer fields but the key and the representatives, for persons and companies."""
    company = register.entity >= COMPANY_BASE
    person_rows, company_rows = register.entity[~company], register.entity[company] - COMPANY_BASE
    updated, opened = register.updated[~company], register.opened
    names = person_names(rng, bank, person_rows, updated)
    documents = person_documents(rng, bank, person_rows)
    where = person_addresses(rng, bank, person_rows, updated)
    expiry = date_text(expiry_days(rng, bank, person_rows, updated))
    count = len(person_rows)
    of_persons: Columns = {
        "CUST_TYPE": constant("1", count),
        "CUST_NAME": names.name,
        "FORMER_NAME": names.former,
        "SHORT_NAME": blank(count),
        "CERT_TYPE": pick(CORE_DOCUMENTS, documents.kind),
        "CERT_NO": documents.number,
        "CERT_EXPIRY": some(rng, 0.8, choose(rng.random(count) < 0.1, "99991231", expiry)),
        "BIRTH_DATE": birth_dates(rng, bank, person_rows, "core"),
        "SEX": sex_codes(rng, bank, person_rows, "core"),
        "NATION": _nations(rng, bank, person_rows),
        "OCCUPATION": some(rng, 0.7, pick(bank.vocabulary.occupation, bank.persons.occupation[person_rows])),
        "INDUSTRY": blank(count),
        "MOBILE": mobiles(rng, bank, person_rows, updated),
        "PHONE": person_landlines(rng, bank, person_rows),
        "EMAIL": emails(rng, bank, person_rows, 0.25),
        "ADDRESS": _broken_lines(rng, where.text),
        "POSTCODE": some(rng, 0.7, where.postcode),
    }
    name, short = company_names(rng, bank, company_rows)
    documents = company_documents(rng, bank, company_rows)
    where = addresses(rng, bank, bank.companies.address[company_rows])
    count = len(company_rows)
    sole = bank.companies.kind[company_rows] == SOLE_TRADER
    of_companies: Columns = {
        "CUST_TYPE": choose(sole, "3", "2"),
        "CUST_NAME": name,
        "FORMER_NAME": blank(count),
        "SHORT_NAME": short,
        "CERT_TYPE": pick(CORE_DOCUMENTS, documents.kind),
        "CERT_NO": documents.number,
        "CERT_EXPIRY": blank(count),
        "BIRTH_DATE": blank(count),
        "SEX": blank(count),
        "NATION": constant("CHN", count),
        "OCCUPATION": blank(count),
        "INDUSTRY": industries(bank, company_rows),
        "MOBILE": company_mobiles(rng, bank, company_rows),
        "PHONE": company_landlines(rng, bank, company_rows),
        "EMAIL": blank(count),
        "ADDRESS": _broken_lines(rng, where.text),
        "POSTCODE": some(rng, 0.7, where.postcode),
    }
    columns = merge(company, of_persons, of_companies)
    outlet = outlets.near(rng, home_cities(bank, register.entity))
    columns["BRANCH_NO"] = pick(outlets.outlet_no, outlet)
    columns["MANAGER_NO"] = outlets.manager_numbers(rng, outlet, 0.35)
    columns["OPEN_DATE"] = date_text(opened)
    columns["STATUS"] = choose(rng.random(len(company)) < 0.03, "2", "1")
    columns["UPDATED_AT"] = stamps(rng, register.updated)
    return columns


def card_columns(rng: np.random.Generator, bank: Bank, register: Register) -> Columns:
    """Write the card system's holder fields but the key and the limit."""
    rows, updated = register.entity, register.updated
    names = person_names(rng, bank, rows, updated)
    latin_only = bank.noise.hits(rng, "name_latin_only", np.ones(len(rows), dtype=bool))
    documents = person_documents(rng, bank, rows)
    where = person_addresses(rng, bank, rows, updated)
    return {
        "NAME": choose(latin_only, names.latin, names.name),
        "EMBOSSED": names.latin,
        "ID_TYPE": pick(CARD_DOCUMENTS, documents.kind),
        "ID_NO": documents.number,
        "BIRTH": birth_dates(rng, bank, rows, "cards"),
        "SEX": sex_codes(rng, bank, rows, "cards"),
        "MOBILE": mobiles(rng, bank, rows, updated),
        "PHONE": person_landlines(rng, bank, rows),
        "ADDRESS": where.text,
        "POSTCODE": some(rng, 0.8, where.postcode),
        "OPENED": date_text(register.opened),
        "STATUS": choose(rng.random(len(rows)) < 0.04, "N", "A"),
        "UPDATED": stamps(rng, updated, "", "", ""),
    }


def borrower_columns(rng: np.random.Generator, bank: Bank, register: Register) -> Columns:
    """Write the loan system's borrower fields but the key; addresses in parts and as one text."""
    company = register.entity >= COMPANY_BASE
    person_rows, company_rows = register.entity[~company], register.entity[company] - COMPANY_BASE
    updated = register.updated[~company]
    documents = person_documents(rng, bank, person_rows)
    of_persons: Columns = {
        "type": constant("P", len(person_rows)),
        "name": person_names(rng, bank, person_rows, updated).name,
        **_loan_document(documents),
        "birth": birth_dates(rng, bank, person_rows, "loans"),
        "sex": sex_codes(rng, bank, person_rows, "loans"),
        "mobile": mobiles(rng, bank, person_rows, updated),
        "phone": person_landlines(rng, bank, person_rows),
        "email": emails(rng, bank, person_rows, 0.4),
    }
    documents = company_documents(rng, bank, company_rows)
    count = len(company_rows)
    of_companies: Columns = {
        "type": constant("C", count),
        "name": company_names(rng, bank, company_rows)[0],
        **_loan_document(documents),
        "birth": blank(count),
        "sex": blank(count),
        "mobile": company_mobiles(rng, bank, company_rows),
        "phone": company_landlines(rng, bank, company_rows),
        "email": blank(count),
    }
    columns = merge(company, of_persons, of_companies)
    address = np.empty(len(company), dtype=np.int64)
    persons = bank.persons
    still_old = (persons.old_address[person_rows] >= 0) & (updated < persons.moved_on[person_rows])
    address[~company] = np.where(still_old, persons.old_address[person_rows], persons.address[person_rows])
    address[company] = bank.companies.address[company_rows]
    columns |= loan_address(rng, bank, address)
    return columns


def loan_address(rng: np.random.Generator, bank: Bank, address: Numbers) -> Columns:
    """Write addresses for the loan system: in parts for most, as one text for the rest."""
    where = addresses(rng, bank, address)
    as_text = rng.random(len(address)) < 0.3
    return {
        "province": choose(as_text, None, where.province),
        "city": choose(as_text, None, where.city),
        "district": choose(as_text, None, where.district),
        "detail": choose(as_text, None, where.detail),
        "postcode": choose(as_text, None, some(rng, 0.6, where.postcode)),
        "address_text": choose(as_text, where.text, None),
    }


def _loan_document(documents: Documents) -> Columns:
    return {"id_type": pick(LOAN_DOCUMENTS, documents.kind), "id_no": documents.number}


def merge(second: Mask, first_columns: Columns, second_columns: Columns) -> Columns:
    """Interleave two groups of records: rows of the mask take the second group's values in order."""
    order = np.empty(len(second), dtype=np.int64)
    order[~second] = np.arange(int((~second).sum()))
    order[second] = int((~second).sum()) + np.arange(int(second.sum()))
    positions = pa.array(order)
    return {name: together(column, second_columns[name]).take(positions) for name, column in first_columns.items()}


def home_cities(bank: Bank, entity: Numbers) -> Numbers:
    """The city in which each entity lives or has its seat."""
    company = entity >= COMPANY_BASE
    address = np.empty(len(entity), dtype=np.int64)
    address[~company] = bank.persons.address[entity[~company]]
    address[company] = bank.companies.address[entity[company] - COMPANY_BASE]
    return bank.vocabulary.places.district_city[bank.addresses.district[address]]


def stamps(
    rng: np.random.Generator, days: Numbers, date_sep: str = "-", between: str = " ", clock_sep: str = ":"
) -> Text:
    """Write time stamps within business hours of the days."""
    clock = clock_text(8 * 3600 + rng.integers(0, 10 * 3600, len(days)), clock_sep)
    return join(date_text(days, date_sep), clock, sep=between)


def _nations(rng: np.random.Generator, bank: Bank, rows: Numbers) -> Text:
    """Write nationalities as three letters, the home country's now and then in words or not at all."""
    kind, country = bank.persons.kind[rows], bank.persons.country[rows]
    at_home = choose(rng.random(len(rows)) < 0.1, "中国", "CHN")
    at_home = choose(rng.random(len(rows)) < 0.08, None, at_home)
    abroad = pick(pa.array([_ALPHA_3[name] for name in bank.vocabulary.countries]), country)
    text = choose(kind == FOREIGN, abroad, at_home)
    for one, code in ((HONG_KONG, "HKG"), (MACAU, "MAC"), (TAIWAN, "TWN")):
        text = choose(kind == one, code, text)
    return text


def _broken_lines(rng: np.random.Generator, text: Text) -> Text:
    """Break a few addresses into two lines after the number of the house, as entry screens let one do."""
    broken = np.flatnonzero(rng.random(len(text)) < 0.004)
    part = text.take(pa.array(broken))
    return put(text, broken, pa.compute.replace_substring(part, "号", "号\n", max_replacements=1))
