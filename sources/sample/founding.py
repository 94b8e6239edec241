"""The sample bank on its first business date: population, systems and products for a number of party records."""

from dataclasses import dataclass

import numpy as np

from sources.sample.accounts import Accounts, Transactions, book, open_accounts
from sources.sample.bank import COMPANY_BASE, Bank
from sources.sample.branches import Outlets, make_outlets
from sources.sample.companies import Companies, appoint, make_companies
from sources.sample.documents import person_documents
from sources.sample.identifiers import mobiles
from sources.sample.lending import (
    Beside,
    Cards,
    LoanPlan,
    Loans,
    grant_loans,
    issue_cards,
    plan_loans,
    stand_beside,
)
from sources.sample.names import person_names
from sources.sample.population import make_persons
from sources.sample.rates import Noise
from sources.sample.registers import (
    CORE_DOCUMENTS,
    Register,
    borrower_columns,
    card_columns,
    core_columns,
    open_register,
)
from sources.sample.shapes import Addresses, Persons
from sources.sample.text import Mask, Numbers, Text, blank, pick, put, serial
from sources.sample.vocabulary import Vocabulary, load_vocabulary

COMPANIES_PER_RECORD = 0.058
HOUSEHOLDS_PER_RECORD = 0.43
PARTIES_PER_AGENT = 6000
OFFICERS = 10  # stage of chance
_FIRST_CUSTOMER = 6_100_000_001


@dataclass
class Sample:
    """Everything the systems hold on a day.

    ``representative`` is, for each core record, the person described in it as its representative, or -1;
    ``operation`` the loans delivered that day by operation code, ``drawn`` the balances of the first accounts before
    any transaction.
    """

    seed: int
    parties: int
    first_day: int
    day: int
    bank: Bank
    outlets: Outlets
    core: Register
    representative: Numbers
    holders: Register
    borrowers: Register
    accounts: Accounts
    booked: Transactions
    cards: Cards
    loans: Loans
    beside: Beside
    operation: dict[str, Numbers]
    drawn: Numbers

    def chance(self, stage: int) -> np.random.Generator:
        """The source of chance of one stage of the day: days and stages do not disturb one another."""
        return np.random.default_rng([self.seed, self.day - self.first_day, stage])


def found(parties: int, noise: str, seed: int, first_day: int) -> Sample:
    """Found the bank with about so many party records (within 2 %; days since 1970-01-01)."""
    rates = Noise(noise)
    rng = np.random.default_rng([seed, 0, 0])
    vocabulary = load_vocabulary()
    outlets = make_outlets(rng, vocabulary)
    persons, companies, addresses, plan = _populate(rng, vocabulary, rates, parties, first_day)
    agents = mobiles(rng, max(3, parties // PARTIES_PER_AGENT))
    bank = Bank(vocabulary, rates, persons, companies, addresses, agents)

    rng = np.random.default_rng([seed, 0, 1])
    core, _ = open_register(rng, bank, entities(persons.core, companies.core), first_day, new=False)
    core.columns = core_columns(rng, bank, outlets, core)
    number_customers(core, 0)
    representative = represent(rng, bank, core, core.entity, core.updated, core)

    rng = np.random.default_rng([seed, 0, 2])
    holders, _ = open_register(rng, bank, np.repeat(np.arange(len(persons)), persons.cards), first_day, new=False)
    holders.columns = {"CH_NO": serial(np.arange(len(holders)), 11, "C"), **card_columns(rng, bank, holders)}

    rng = np.random.default_rng([seed, 0, 3])
    borrowers, order = open_register(rng, bank, plan.entity, first_day, new=False)
    plan.keep(order)
    loans = grant_loans(rng, borrowers, first_day)
    borrowers.columns = borrower_columns(rng, bank, borrowers)
    number_borrowers(borrowers, 0)
    assign_officers(np.random.default_rng([seed, 0, OFFICERS]), outlets, borrowers, loans)
    beside = stand_beside(rng, bank, borrowers, 0, plan, first_day)

    rng = np.random.default_rng([seed, 0, 4])
    accounts = open_accounts(rng, bank, core, 0, first_day)
    drawn = accounts.balance.copy()
    booked = book(rng, core, accounts, first_day, with_history=True)
    cards = issue_cards(rng, holders, 0, first_accounts(bank, core, accounts), first_day)
    limit_holders(holders, cards)
    return Sample(
        seed, parties, first_day, first_day, bank, outlets, core, representative, holders, borrowers, accounts,
        booked, cards, loans, beside, {"I": np.arange(len(borrowers))}, drawn,
    )  # fmt: skip


def _populate(
    rng: np.random.Generator, vocabulary: Vocabulary, noise: Noise, parties: int, today: int
) -> tuple[Persons, Companies, Addresses, LoanPlan]:
    """Make people and companies until their records reach the number asked for, by whole households."""
    companies, premises = make_companies(rng, vocabulary, max(1, round(COMPANIES_PER_RECORD * parties)), noise, today)
    plan = plan_loans(rng, COMPANY_BASE + np.repeat(np.arange(len(companies)), companies.loans))
    of_companies = (companies.core * (1 + companies.described) + companies.loans).sum() + plan.described().sum()
    households = int(HOUSEHOLDS_PER_RECORD * parties) + 40
    persons, dwellings = make_persons(rng, vocabulary, households, noise, today, np.empty(0, dtype=np.int64))
    personal = plan_loans(rng, np.repeat(np.arange(len(persons)), persons.loans))
    records = persons.core + persons.cards + persons.loans
    np.add.at(records, personal.entity, personal.described())
    per_household = np.bincount(persons.household, weights=records, minlength=households).astype(np.int64)
    total = np.cumsum(per_household)
    kept = int(np.abs(total - (parties - of_companies)).argmin()) + 1
    stay: Mask = persons.household < kept
    personal.keep(stay[personal.entity])
    persons.keep(stay)
    companies.address += len(dwellings)
    dwellings.extend(premises)
    appoint(rng, companies, persons, today)
    personal.extend(plan)
    return persons, companies, dwellings, personal


def entities(persons: Numbers, companies: Numbers, first_person: int = 0, first_company: int = 0) -> Numbers:
    """Repeat each entity as often as a system holds it."""
    return np.concatenate(
        [
            first_person + np.repeat(np.arange(len(persons)), persons),
            COMPANY_BASE + first_company + np.repeat(np.arange(len(companies)), companies),
        ]
    )


def number_customers(core: Register, first: int) -> None:
    """Give core records their numbers, the first one's position being ``first``."""
    numbers = serial(_FIRST_CUSTOMER + first + np.arange(len(core)))
    core.columns = {"CUST_NO": numbers, **core.columns}


def number_borrowers(borrowers: Register, first: int) -> None:
    """Give borrowers and their loans their numbers, the first one's position being ``first``."""
    position = first + np.arange(len(borrowers))
    borrowers.columns["cust_no"] = serial(position + 1, 9, "LC")
    borrowers.columns["loan_no"] = serial(position + 1, 9, "LN")


def assign_officers(rng: np.random.Generator, outlets: Outlets, borrowers: Register, loans: Loans) -> None:
    """Name the loan officer of the outlet for some of the borrowers, by the business the borrower belongs to."""
    outlet = loans.outlet % len(outlets.outlet_no)
    borrowers.columns["officer_no"] = outlets.officer_numbers(rng, outlet, borrowers.entity >= COMPANY_BASE, 0.6)


def represent(
    rng: np.random.Generator, bank: Bank, core: Register, entity: Numbers, updated: Numbers, known: Register
) -> Numbers:
    """Write the representatives of organisations into core records: by customer number or by name and id.

    Returns for each record the person described in it, or -1.
    """
    company = entity >= COMPANY_BASE
    rows = np.flatnonzero(company)
    which = entity[rows] - COMPANY_BASE
    person, described = bank.companies.representative[which], bank.companies.described[which]
    number_of = np.full(len(bank.persons), -1)
    customers = known.persons()[::-1]
    number_of[known.entity[customers]] = customers
    described = described | (number_of[person] < 0)
    names = person_names(rng, bank, person[described], updated[rows[described]]).name
    documents = person_documents(rng, bank, person[described], demanded=True)
    count = len(entity)
    core.columns["LEGAL_REP_NO"] = _fill(
        count, rows[~described], pick(known.columns["CUST_NO"], number_of[person[~described]])
    )
    core.columns["LEGAL_REP_NAME"] = _fill(count, rows[described], names)
    core.columns["LEGAL_REP_CERT_TYPE"] = _fill(count, rows[described], pick(CORE_DOCUMENTS, documents.kind))
    core.columns["LEGAL_REP_CERT_NO"] = _fill(count, rows[described], documents.number)
    inline = np.full(count, -1)
    inline[rows[described]] = person[described]
    return inline


def _fill(count: int, rows: Numbers, values: Text) -> Text:
    return put(blank(count), rows, values)


def first_accounts(bank: Bank, core: Register, accounts: Accounts) -> Numbers:
    """For each person the position of the first open account for payments, or -1."""
    usable = np.flatnonzero((accounts.product <= 1) & (accounts.closed < 0))
    owner = core.entity[accounts.owner[usable]]
    personal = owner < COMPANY_BASE
    first = np.full(len(bank.persons), -1)
    first[owner[personal][::-1]] = usable[personal][::-1]
    return first


def limit_holders(holders: Register, cards: Cards) -> None:
    """Write each holder's total limit, in cents without a point, from the cards."""
    total = np.bincount(cards.holder, weights=cards.limit, minlength=len(holders)).astype(np.int64)
    holders.columns["TOTAL_LIMIT"] = serial(total)
