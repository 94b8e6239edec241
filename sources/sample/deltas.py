"""What changes from one business date to the next: new and closed customers, moves, corrections, payments.

A day depends on the day before and on its own chance only, so day k is the same however many follow.
"""

import numpy as np
import pyarrow.compute as pc

from sources.sample.accounts import Transactions, book, open_accounts
from sources.sample.bank import COMPANY_BASE
from sources.sample.companies import appoint, make_companies
from sources.sample.documents import right_documents
from sources.sample.founding import (
    OFFICERS,
    Sample,
    assign_officers,
    entities,
    first_accounts,
    limit_holders,
    number_borrowers,
    number_customers,
    represent,
)
from sources.sample.identifiers import mobiles as new_mobiles
from sources.sample.identities import id_key
from sources.sample.lending import CREDIT, grant_loans, issue_cards, plan_loans, stand_beside
from sources.sample.months import month_of
from sources.sample.particulars import mobiles, person_addresses
from sources.sample.past import Past, begin_day, book_day, close_day, leave, silent_from
from sources.sample.population import make_addresses, make_persons
from sources.sample.registers import (
    CORE_DOCUMENTS,
    Register,
    borrower_columns,
    card_columns,
    core_columns,
    loan_address,
    open_register,
    stamps,
)
from sources.sample.shapes import RESIDENT_ID
from sources.sample.text import Mask, Numbers, constant, is_blank, pick, serial, together

NEW_HOUSEHOLDS, NEW_COMPANIES = 0.0012, 0.0002  # per party record of the first day
MOVED, NEW_MOBILE, LOOKED_AT, CLOSED = 0.0025, 0.0020, 0.0300, 0.0008  # of core's persons
NEW_HOLDERS, HOLDERS_CHANGED, NEW_BORROWERS = 0.0010, 0.0040, 0.0004  # of card holders, of persons
LOANS_PAID, LOANS_ENDED, BORROWERS_CHANGED = 0.0400, 0.0015, 0.0030  # of loans
_CASH_OUT = 4  # kind of transaction with which a closed account is emptied


def advance(sample: Sample, past: Past) -> None:
    """Move the bank to the next day."""
    sample.day += 1
    begin_day(past, sample)
    first_person, first_company = len(sample.bank.persons), len(sample.bank.companies)
    _settle(sample)
    closed = _change_customers(sample)
    first_core = len(sample.core)
    _new_customers(sample, first_person, first_company)
    rng = sample.chance(3)
    sample.accounts.extend(open_accounts(rng, sample.bank, sample.core, first_core, sample.day))
    if past.months == 1:
        sample.booked = book(rng, sample.core, sample.accounts, sample.day, with_history=False)
    else:
        sample.booked = book_day(past, sample)
    _close(sample, closed)
    leave(past, sample, closed)
    _cards(sample, past, first_person)
    _loans(sample, past, first_person, first_company)


def _settle(sample: Sample) -> None:
    """Add new households and companies to the population."""
    rng, bank = sample.chance(0), sample.bank
    persons, companies, addresses = bank.persons, bank.companies, bank.addresses
    taken = id_key(persons.document[persons.document_type == RESIDENT_ID])
    more, dwellings = make_persons(
        rng,
        bank.vocabulary,
        max(1, round(NEW_HOUSEHOLDS * sample.parties)),
        bank.noise,
        sample.day,
        taken,
        (len(persons), int(persons.household.max()) + 1, len(addresses)),
    )
    persons.extend(more)
    addresses.extend(dwellings)
    founded, premises = make_companies(
        rng,
        bank.vocabulary,
        max(1, round(NEW_COMPANIES * sample.parties)),
        bank.noise,
        sample.day,
        (len(companies), len(addresses)),
    )
    first = len(companies)
    companies.extend(founded)
    addresses.extend(premises)
    appoint(rng, companies, persons, sample.day, first)


def _change_customers(sample: Sample) -> Numbers:
    """Move people, change their mobiles, correct their ids, close customers; returns the rows of those closed."""
    rng, bank, core, today = sample.chance(1), sample.bank, sample.core, sample.day
    persons = bank.persons
    open_rows = core.persons()
    open_rows = open_rows[np.asarray(pc.not_equal(core.columns["STATUS"], "9"))[open_rows]]
    _, one_each = np.unique(core.entity[open_rows], return_index=True)
    shuffled = rng.permutation(open_rows[one_each])
    bounds = np.cumsum([max(1, round(share * len(shuffled))) for share in (MOVED, NEW_MOBILE, LOOKED_AT, CLOSED)])
    moved, called, looked_at, closed = (np.sort(rows) for rows in np.split(shuffled, bounds)[:4])

    who = core.entity[moved]
    persons.old_address[who] = persons.address[who]
    persons.address[who] = len(bank.addresses) + np.arange(len(who))
    persons.moved_on[who] = today
    district = bank.vocabulary.places.residence.draw(rng, len(who))
    bank.addresses.extend(make_addresses(rng, bank.vocabulary, district))
    where = person_addresses(rng, bank, who, np.full(len(who), today))
    core.put(moved, {"ADDRESS": where.text, "POSTCODE": where.postcode})

    who = core.entity[called]
    persons.old_mobile[who] = persons.mobile[who]
    persons.mobile[who] = new_mobiles(rng, len(who))
    persons.mobile_on[who] = today
    core.put(called, {"MOBILE": mobiles(rng, bank, who, np.full(len(who), today))})

    right = right_documents(bank, core.entity[looked_at])
    held = core.columns["CERT_NO"].take(looked_at)
    wrong = is_blank(held) | np.asarray(pc.fill_null(pc.not_equal(held, right.number), True))
    corrected = looked_at[wrong]
    right = right_documents(bank, core.entity[corrected])
    core.put(corrected, {"CERT_TYPE": pick(CORE_DOCUMENTS, right.kind), "CERT_NO": right.number})

    core.put(closed, {"STATUS": constant("9", len(closed))})
    touched = np.sort(np.concatenate([moved, called, corrected, closed]))
    core.updated[touched] = today
    core.put(touched, {"UPDATED_AT": stamps(rng, core.updated[touched])})
    return closed


def _new_customers(sample: Sample, first_person: int, first_company: int) -> None:
    """Open core records of the new people and companies."""
    rng, bank = sample.chance(2), sample.bank
    entity = entities(
        bank.persons.core[first_person:], bank.companies.core[first_company:], first_person, first_company
    )
    new, _ = open_register(rng, bank, entity, sample.day, new=True)
    new.columns = core_columns(rng, bank, sample.outlets, new)
    number_customers(new, len(sample.core))
    described = represent(rng, bank, new, new.entity, new.updated, _with_new(sample.core, new))
    sample.core.extend(new)
    sample.representative = np.concatenate([sample.representative, described])


def _with_new(core: Register, new: Register) -> Register:
    """The customers with the new ones below: entities and numbers only."""
    return Register(
        np.concatenate([core.entity, new.entity]),
        np.concatenate([core.opened, new.opened]),
        np.concatenate([core.updated, new.updated]),
        {"CUST_NO": together(core.columns["CUST_NO"], new.columns["CUST_NO"])},
        np.concatenate([core.held, new.held]),
    )


def _close(sample: Sample, closed: Numbers) -> None:
    """Close the accounts of closed customers; what they hold is paid out as the day's last transaction."""
    accounts, booked = sample.accounts, sample.booked
    rows = np.flatnonzero(np.isin(accounts.owner, closed) & (accounts.closed < 0))
    accounts.closed[rows] = sample.day
    paid = rows[accounts.balance[rows] > 0]
    count = len(paid)
    booked.extend(
        Transactions(
            account=paid,
            day=np.full(count, sample.day),
            second=np.full(count, 86_399),
            kind=np.full(count, _CASH_OUT),
            cents=accounts.balance[paid],
            balance=np.zeros(count, dtype=np.int64),
            channel=np.full(count, -1),
        )
    )
    accounts.balance[paid] = 0


def _cards(sample: Sample, past: Past, first_person: int) -> None:
    """New holders and cards, changed contacts, what is owed, cancelled cards."""
    rng, bank, holders, cards, today = sample.chance(4), sample.bank, sample.holders, sample.cards, sample.day
    persons = bank.persons
    known = np.flatnonzero(rng.random(len(holders)) < HOLDERS_CHANGED)
    who, now = holders.entity[known], np.full(len(known), today)
    where = person_addresses(rng, bank, who, now)
    holders.updated[known] = today
    holders.put(
        known,
        {
            "MOBILE": mobiles(rng, bank, who, now),
            "ADDRESS": where.text,
            "POSTCODE": where.postcode,
            "UPDATED": stamps(rng, now, "", "", ""),
        },
    )
    without = np.flatnonzero((persons.cards[:first_person] == 0) & (persons.age(today)[:first_person] >= 20))
    joining = rng.choice(without, min(len(without), max(1, round(NEW_HOLDERS * len(holders)))), replace=False)
    persons.cards[joining] = 1
    arrivals = first_person + np.repeat(np.arange(len(persons) - first_person), persons.cards[first_person:])
    new, _ = open_register(rng, bank, np.concatenate([joining, arrivals]), today, new=True)
    first = len(holders)
    new.columns = {"CH_NO": serial(first + np.arange(len(new)), 11, "C"), **card_columns(rng, bank, new)}
    new.columns["TOTAL_LIMIT"] = constant("0", len(new))
    holders.extend(new)

    spends: Mask = (cards.kind == CREDIT) & cards.active & (rng.random(len(cards)) < 0.3)
    spends &= silent_from(past, sample) > month_of(today)
    spent = (cards.limit * rng.normal(0.0, 0.05, len(cards))).astype(np.int64)
    cards.owed = np.where(spends, np.clip(cards.owed + spent, 0, cards.limit), cards.owed)
    cards.active &= rng.random(len(cards)) >= 0.0002
    cards.extend(issue_cards(rng, holders, first, first_accounts(bank, sample.core, sample.accounts), today))
    limit_holders(holders, cards)


def _loans(sample: Sample, past: Past, first_person: int, first_company: int) -> None:
    """New loans, payments and arrears, changed borrowers, ended loans; note the operations to deliver."""
    rng, bank, borrowers, loans, today = (
        sample.chance(5),
        sample.bank,
        sample.borrowers,
        sample.loans,
        sample.day,
    )
    persons, companies = bank.persons, bank.companies
    first = len(borrowers)
    # a borrower who stands surety by number stays in the system
    needed = sample.beside.columns["number"].unique().drop_null()
    free = borrowers.held & ~np.asarray(pc.is_in(borrowers.columns["cust_no"], needed))
    chance = rng.random(first)
    ended = np.flatnonzero(free & (chance < LOANS_ENDED))
    paid = np.flatnonzero(borrowers.held & (chance >= LOANS_ENDED) & (chance < LOANS_ENDED + LOANS_PAID))
    borrowers.held[ended] = False
    if past.months > 1:
        paid = paid[loans.days_past_due[paid] == 0]
    part = loans.principal[paid] // np.maximum(loans.term_months[paid], 1)
    loans.outstanding[paid] = np.maximum(loans.outstanding[paid] - part, 0)
    late = rng.random(len(paid)) < 0.06
    loans.days_past_due[paid] = np.where(late, loans.days_past_due[paid] + 1, 0)
    loans.overdue[paid] = np.where(late, np.minimum(part, loans.outstanding[paid]), 0)
    borrowers.updated[paid] = today

    person = paid[borrowers.entity[paid] < COMPANY_BASE]
    known = person[rng.random(len(person)) < BORROWERS_CHANGED / LOANS_PAID]
    who = borrowers.entity[known]
    contact = {"mobile": mobiles(rng, bank, who, np.full(len(who), today))}
    borrowers.put(known, contact | loan_address(rng, bank, persons.address[who]))

    grown = np.flatnonzero((persons.age(today) >= 22) & (persons.age(today) < 65))
    asking = rng.choice(grown, max(1, round(NEW_BORROWERS * len(persons))), replace=False)
    arrivals = entities(persons.loans[first_person:], companies.loans[first_company:], first_person, first_company)
    plan = plan_loans(rng, np.unique(np.concatenate([asking, arrivals])))
    new, order = open_register(rng, bank, plan.entity, today, new=True)
    plan.keep(order)
    granted = grant_loans(rng, new, today)
    loans.extend(granted)
    new.columns = borrower_columns(rng, bank, new)
    number_borrowers(new, first)
    assign_officers(sample.chance(OFFICERS), sample.outlets, new, granted)
    borrowers.extend(new)
    sample.beside.extend(stand_beside(rng, bank, borrowers, first, plan, today))
    late = close_day(past, sample)
    borrowers.updated[late] = today
    sample.operation = {"U": np.union1d(paid, late), "D": ended, "I": first + np.arange(len(new))}
