"""Cards of the card system and loans of the loan system, with those who stand beside the borrowers.

Amounts are whole cents, dates days since 1970-01-01. Each loan is an application of its own with a customer number
of its own, so a person with two loans is twice a borrower.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sources.sample import identifiers
from sources.sample.bank import COMPANY_BASE, Bank
from sources.sample.documents import company_documents, person_documents
from sources.sample.names import company_names, person_names
from sources.sample.particulars import mobiles, some
from sources.sample.registers import LOAN_DOCUMENTS, Register, merge
from sources.sample.shapes import Rows
from sources.sample.text import (
    Mask,
    Numbers,
    Text,
    blank,
    choose,
    constant,
    draw,
    from_bytes,
    pick,
    put,
    together,
)

DEBIT, CREDIT = 0, 1
_ISSUERS = (623_999, 628_999)
_CARD_WIDTHS = (19, 16)
_LIMITS = np.array([5, 8, 10, 20, 30, 50, 80, 100, 200]) * 100_000  # cents
CO_BORROWER, GUARANTOR = 0, 1
MORTGAGE, CONSUMER, PERSONAL_BUSINESS, BUSINESS = range(4)
LOAN_PRODUCTS = pa.array(["H01", "C01", "B02", "B01"])
BASE_RATES = np.array([3450, 4800, 4250, 3850])  # of the products, in hundred-thousandths a year


@dataclass
class Cards(Rows):
    """Cards; ``holder`` is a position in the card register, ``account`` among the accounts or -1."""

    holder: Numbers
    kind: Numbers
    account: Numbers
    limit: Numbers
    owed: Numbers
    issued: Numbers
    expiry: Numbers
    active: Mask


@dataclass
class Loans(Rows):
    """Loans, parallel to the register of borrowers."""

    product: Numbers
    principal: Numbers
    outstanding: Numbers
    overdue: Numbers
    days_past_due: Numbers
    rate: Numbers
    start: Numbers
    term_months: Numbers
    outlet: Numbers


@dataclass
class LoanPlan(Rows):
    """How many parties stand beside each borrower: described by name and id, or referred to by number."""

    entity: Numbers
    co_described: Numbers
    co_numbered: Numbers
    guarantor_described: Numbers
    guarantor_numbered: Numbers

    def described(self) -> Numbers:
        """Parties described in each loan: party records that no other file holds."""
        return self.co_described + self.guarantor_described


@dataclass
class Beside:
    """Parties beside borrowers, one row each: loan position, role, place in its list, entity, fields as text.

    ``number`` is set where the party is referred to by its customer number, the other fields where it is
    described.
    """

    loan: Numbers
    role: Numbers
    position: Numbers
    entity: Numbers
    columns: dict[str, Text]

    def extend(self, other: "Beside") -> None:
        """Add the other's rows below."""
        for name in ("loan", "role", "position", "entity"):
            setattr(self, name, np.concatenate([getattr(self, name), getattr(other, name)]))
        self.columns = {name: together(column, other.columns[name]) for name, column in self.columns.items()}


def plan_loans(rng: np.random.Generator, entity: Numbers) -> LoanPlan:
    """Decide for loans of the entities how many co-borrowers and guarantors they have."""
    count = len(entity)
    company = entity >= COMPANY_BASE
    co_borrower = ~company & (rng.random(count) < 0.3)
    known = rng.random(count) < 0.25
    guarantors = draw(rng, (74, 19, 7), count)
    numbered = guarantors * (rng.random(count) < 0.4)
    return LoanPlan(
        entity=entity,
        co_described=(co_borrower & ~known).astype(np.int64),
        co_numbered=(co_borrower & known).astype(np.int64),
        guarantor_described=guarantors - numbered,
        guarantor_numbered=numbered,
    )


def issue_cards(rng: np.random.Generator, register: Register, first: int, first_account: Numbers, today: int) -> Cards:
    """Issue cards to the holders from position ``first`` on: at least one each.

    Args:
        rng: source of chance.
        register: the card register.
        first: position of the first holder who has none yet.
        first_account: for each person the position of an account, or -1.
        today: the day, in days since 1970-01-01.
    """
    holders = np.arange(first, len(register))
    account = first_account[register.entity[holders]]
    debit = (account >= 0) & (rng.random(len(holders)) < 0.7)
    credit = np.where(debit, rng.random(len(holders)) < 0.45, True) + (rng.random(len(holders)) < 0.08)
    holder = np.concatenate([holders[debit], np.repeat(holders, credit)])
    count = len(holder)
    kind = np.where(np.arange(count) < debit.sum(), DEBIT, CREDIT)
    limit = np.where(kind == CREDIT, _LIMITS[draw(rng, (10, 10, 18, 22, 14, 14, 6, 4, 2), count)], 0)
    owed = np.where(rng.random(count) < 0.7, (limit * rng.beta(1.2, 3.0, count)).astype(np.int64), 0)
    opened = register.opened[holder]
    issued = opened + ((today - opened) * rng.random(count) * (rng.random(count) < 0.6)).astype(np.int64)
    return Cards(
        holder=holder,
        kind=kind,
        account=np.where(kind == DEBIT, account[holder - first], -1),
        limit=limit,
        owed=owed,
        issued=issued,
        expiry=issued + np.where(kind == DEBIT, 3652, 1826),
        active=rng.random(count) < 0.95,
    )


def card_numbers(cards: Cards) -> Text:
    """Write the card numbers by the cards' positions: 19 digits for debit, 16 for credit cards."""
    rows_of, parts = [], []
    for kind in (DEBIT, CREDIT):
        rows, width = np.flatnonzero(cards.kind == kind), _CARD_WIDTHS[kind]
        # a step prime to the number of serial numbers visits each once
        number = (rows * 387_420_489 + 271_828_183) % 10 ** (width - 7)
        matrix = identifiers.bank_cards(np.full(len(rows), _ISSUERS[kind]), number, width)
        rows_of.append(rows)
        parts.append(from_bytes(matrix, np.full(len(rows), width)))
    return together(*parts).take(pa.array(np.argsort(np.concatenate(rows_of))))


def grant_loans(rng: np.random.Generator, register: Register, today: int) -> Loans:
    """Grant a loan to each borrower; the application, and what it says of the borrower, is of its first day."""
    company = register.entity >= COMPANY_BASE
    count = len(company)
    product = np.where(company, BUSINESS, draw(rng, (45, 35, 20), count))
    scale = np.array([13.6, 11.0, 12.3, 14.5])[product]
    principal = np.round(np.exp(rng.normal(scale, 0.6)) / 1000).astype(np.int64) * 100_000 + 1_000_000
    term = np.select(
        [product == MORTGAGE, product == CONSUMER],
        [rng.choice([120, 180, 240, 300, 360], count), rng.choice([12, 24, 36, 60], count)],
        rng.choice([12, 24, 36], count),
    )
    start = np.maximum(register.opened, today - (term * 30 * 0.9).astype(np.int64))
    register.opened, register.updated = start, np.maximum(register.updated, start)
    paid = np.clip((today - start) / (term * 30.44), 0, 1) * rng.uniform(0.6, 1.0, count)
    outstanding = (principal * (1 - paid)).astype(np.int64)
    late = (rng.random(count) < 0.06) & (start < today - 60)
    days_past_due = np.where(late, 1 + rng.exponential(45, count).astype(np.int64), 0)
    overdue = np.where(late, outstanding // np.maximum(term, 1) * (1 + days_past_due // 30), 0)
    return Loans(
        product=product,
        principal=principal,
        outstanding=outstanding,
        overdue=np.minimum(overdue, outstanding),
        days_past_due=days_past_due,
        rate=BASE_RATES[product] + rng.integers(-30, 90, count) * 5,
        start=start,
        term_months=term,
        outlet=rng.integers(0, 1 << 30, count),
    )


def stand_beside(
    rng: np.random.Generator, bank: Bank, register: Register, first: int, plan: LoanPlan, today: int
) -> Beside:
    """Choose and describe the co-borrowers and guarantors of the borrowers from position ``first`` on.

    Args:
        rng: source of chance.
        bank: the truth.
        register: borrowers with their numbers; references go to persons among them.
        first: position of the borrower that the plan's first row is of.
        plan: how many parties of which kind each borrower has, in the order of the register.
        today: the day, in days since 1970-01-01.
    """
    loan, role, described, place = _seats(plan)
    borrower = plan.entity[loan]
    entity = _companions(rng, bank, loan, borrower, role, today)
    referred = register.persons()
    if len(referred):
        target = rng.choice(referred, len(loan))
        # nobody stands surety for himself, nor twice in one loan: such a one is described as somebody else
        described |= (register.entity[target] == borrower) | _as_before(loan, register.entity[target])
        entity = np.where(described, entity, register.entity[target])
        number = choose(described, None, pick(register.columns["cust_no"], target))
    else:
        described, number = np.ones(len(loan), dtype=bool), blank(len(loan))
    return Beside(
        loan=loan + first,
        role=role,
        position=place,
        entity=entity,
        columns={"number": number, **_describe(rng, bank, entity, described, today)},
    )


def _seats(plan: LoanPlan) -> tuple[Numbers, Numbers, Mask, Numbers]:
    """List the parties beside the borrowers: row of the plan, role, whether described, place in the list from 1."""
    groups = (
        (CO_BORROWER, False, plan.co_numbered),
        (CO_BORROWER, True, plan.co_described),
        (GUARANTOR, False, plan.guarantor_numbered),
        (GUARANTOR, True, plan.guarantor_described),
    )
    loan = np.concatenate([np.repeat(np.arange(len(plan)), counts) for _, _, counts in groups])
    role = np.repeat([role for role, _, _ in groups], [counts.sum() for _, _, counts in groups])
    described = np.repeat([told for _, told, _ in groups], [counts.sum() for _, _, counts in groups])
    order = np.lexsort((described, role, loan))
    loan, role, described = loan[order], role[order], described[order]
    start = ~_as_before(loan, role)
    first = np.flatnonzero(start)[np.cumsum(start) - 1]
    return loan, role, described, np.arange(len(loan)) - first + 1


def _as_before(loan: Numbers, value: Numbers) -> Mask:
    """Where the row has the value, and is of the loan, of the row before."""
    same = np.zeros(len(loan), dtype=bool)
    same[1:] = (loan[1:] == loan[:-1]) & (value[1:] == value[:-1])
    return same


def _companions(
    rng: np.random.Generator, bank: Bank, loan: Numbers, borrower: Numbers, roles: Numbers, today: int
) -> Numbers:
    """Choose who stands beside each borrower: relatives first, an organisation's head, or anybody grown."""
    persons, companies = bank.persons, bank.companies
    count = len(borrower)
    anybody = np.flatnonzero(persons.age(today) >= 20)
    entity = rng.choice(anybody, count)
    company = borrower >= COMPANY_BASE
    relative = np.full(count, -1)
    relative[~company] = persons.relative[borrower[~company]]
    close = (relative >= 0) & (persons.birth[np.maximum(relative, 0)] < today - 20 * 365)
    close &= rng.random(count) < np.where(roles == CO_BORROWER, 0.95, 0.3)
    entity = np.where(close, relative, entity)
    own = company & (rng.random(count) < 0.6)
    entity[own] = companies.representative[borrower[own] - COMPANY_BASE]
    if len(companies):
        corporate = company & ~own & (rng.random(count) < 0.5)
        entity[corporate] = COMPANY_BASE + rng.integers(0, len(companies), int(corporate.sum()))
    unfit = (entity == borrower) | _as_before(loan, entity)
    return np.where(unfit, rng.choice(anybody, count), entity)


def _describe(rng: np.random.Generator, bank: Bank, entity: Numbers, described: Mask, today: int) -> dict[str, Text]:
    """Write name, document and now and then the mobile of the described parties; null for the others."""
    chosen = entity[described]
    company = chosen >= COMPANY_BASE
    person_rows, company_rows = chosen[~company], chosen[company] - COMPANY_BASE
    asked = today - rng.integers(0, 1500, len(person_rows))
    documents = person_documents(rng, bank, person_rows, demanded=True)
    of_persons = {
        "type": constant("P", len(person_rows)),
        "name": person_names(rng, bank, person_rows, asked).name,
        "id_type": pick(LOAN_DOCUMENTS, documents.kind),
        "id_no": documents.number,
        "mobile": some(rng, 0.6, mobiles(rng, bank, person_rows, asked)),
    }
    documents = company_documents(rng, bank, company_rows)
    of_companies = {
        "type": constant("C", len(company_rows)),
        "name": company_names(rng, bank, company_rows)[0],
        "id_type": pick(LOAN_DOCUMENTS, documents.kind),
        "id_no": documents.number,
        "mobile": blank(len(company_rows)),
    }
    rows = np.flatnonzero(described)
    return {
        name: put(blank(len(entity)), rows, column) for name, column in merge(company, of_persons, of_companies).items()
    }
