"""The bank's past, and the hidden states that its later days go on from: customers who stay or leave, debtors.

With one month (the default) nothing is simulated: the past is the month of transactions that ``accounts`` draws,
the card transactions and the loans' last month end; debtors are judged only. With more months all of it is: who left
when, who missed instalments, and the transactions that come of it. Every month and day draws from a chance of its
own, so that a date does not depend on the dates after it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow.compute as pc

from sources.sample import attachment, debtors
from sources.sample.accounts import MOVES, Transactions
from sources.sample.attachment import LEFT, NEVER, Customers, meet_customers
from sources.sample.bank import COMPANY_BASE
from sources.sample.card_ledger import CardTransactions, day_of, history, owed_before
from sources.sample.debtors import Debtors, first_records, meet_debtors, missed_instalments
from sources.sample.founding import Sample
from sources.sample.months import first_day, last_day, last_month_end, month_of
from sources.sample.performance import (
    EarlierLoans,
    Service,
    at_month_end,
    earlier_at,
    earlier_columns,
    earlier_loans,
    nothing,
    outstanding_on,
    performance_columns,
)
from sources.sample.text import Mask, Numbers, Text, calendar
from sources.sample.turnover import Habits, form_habits, turn_over

_BURN_IN = 12  # months of missed instalments before those that are told
_JUDGE, _EARLIER, _OWED, _CARDS, _TURNOVER, _LEAVE, _PAY, _WELCOME = range(20, 28)


@dataclass(frozen=True)
class MonthEnd:
    """Missed instalments and whether a loan ran, by borrower; customers' states, by core record (or none)."""

    missed: Numbers
    running: Mask
    state: Numbers


@dataclass
class Past:
    """What the files do not say; ``ends`` are the month ends told so far.

    ``customers``, ``habits`` and ``earlier`` loans are there with more than one month only. ``states`` are those of
    the customers in the months of the first delivery, ``owed`` is what was owed on the cards the day before.
    """

    months: int
    debtors: Debtors
    customers: Customers | None = None
    habits: Habits | None = None
    earlier: EarlierLoans | None = None
    owed: Numbers | None = None
    states: dict[int, Numbers] = field(default_factory=dict)
    ends: dict[int, MonthEnd] = field(default_factory=dict)

    def first_month(self, sample: Sample) -> int:
        """The first month of the first delivery."""
        return month_of(sample.first_day) - self.months

    def simulated(self) -> tuple[Customers, Habits]:
        """The customers and habits of a past of more than one month.

        Raises:
            RuntimeError: the past is of one month.
        """
        if self.customers is None or self.habits is None:
            raise RuntimeError("a past of one month has no customers' habits")
        return self.customers, self.habits


def remember(sample: Sample, months: int) -> Past:
    """Make up the past of a bank just founded; with more than one month balances and arrears come of it."""
    judged = meet_debtors(sample.chance(_JUDGE), sample.borrowers, sample.loans, sample.holders, sample.cards, 0)
    past = Past(months, judged)
    if months == 1:
        _close_month(past, sample, last_month_end(sample.day))
        return past
    sample.accounts.balance = sample.drawn.copy()
    _fall_behind(past, sample)
    past.earlier = earlier_loans(
        sample.chance(_EARLIER),
        sample.borrowers,
        sample.loans,
        past.debtors,
        {month: end.missed for month, end in past.ends.items()},
    )
    fall_due(past, sample)
    past.customers, past.habits = _newcomers(past, sample, first_day(past.first_month(sample)))
    for month in range(past.first_month(sample), month_of(sample.day) + 1):
        attachment.next_month(_chance(sample, _LEAVE, month), past.customers, first_day(month))
        past.states[month] = past.customers.state
    for month, end in past.ends.items():
        past.ends[month] = MonthEnd(end.missed, end.running, past.states[month])
    return past


def begin_day(past: Past, sample: Sample) -> None:
    """Begin a later day: keep what was owed on the cards; on the first of a month customers may turn to leave."""
    past.owed = sample.cards.owed
    if past.customers is not None and _day_of_month(sample.day) == 1:
        attachment.next_month(_chance(sample, _LEAVE, month_of(sample.day)), past.customers, sample.day)


def book_day(past: Past, sample: Sample) -> Transactions:
    """Draw a later day's account transactions, of customers and accounts of that day too."""
    known, habits = past.simulated()
    met, formed = _newcomers(past, sample, sample.day)
    known.extend(met)
    habits.extend(formed)
    return _turn_over(past, sample, known.state, (sample.day, sample.day))


def close_day(past: Past, sample: Sample) -> Numbers:
    """End a later day: judge new borrowers, and let arrears grow, at month ends by what was paid.

    Returns the positions of the loans whose arrears changed (none with one month, where the loan system's own
    payments move them).
    """
    known = len(past.debtors)
    past.debtors.extend(
        meet_debtors(sample.chance(_JUDGE), sample.borrowers, sample.loans, sample.holders, sample.cards, known)
    )
    month, changed = last_month_end(sample.day), np.empty(0, dtype=np.int64)
    ends = last_day(month) == sample.day
    if past.months > 1:
        if ends:
            served = _earliest(past, sample) < first_day(month)
            debtors.next_month(_chance(sample, _PAY, month), past.debtors, served)
        changed = fall_due(past, sample)
    if ends:
        _close_month(past, sample, month)
    return changed


def leave(past: Past, sample: Sample, rows: Numbers) -> None:
    """Have the core records' customers left, as they closed; what else they hold is swept the day after."""
    if past.customers is not None:
        customer = past.customers.customer[rows]
        past.customers.state = past.customers.state.copy()
        past.customers.state[customer] = LEFT
        past.customers.swept_on[customer] = sample.day + 1


def transactions(past: Past, sample: Sample) -> Iterator[Transactions]:
    """Draw the first delivery's account transactions month by month, and move the balances by them."""
    for month in range(past.first_month(sample), month_of(sample.day) + 1):
        yield _turn_over(past, sample, past.states[month], (first_day(month), min(last_day(month), sample.day)))


def card_transactions(past: Past, sample: Sample) -> Iterator[CardTransactions]:
    """Draw the day's card transactions; on the first date those of the past too, month by month."""
    rng = sample.chance(_CARDS)
    if past.owed is not None:
        return iter([day_of(rng, past.owed, sample.cards, sample.day)])
    silent = silent_from(past, sample)
    path = owed_before(sample.chance(_OWED), sample.cards, past.months, sample.day, silent)
    return history(rng, sample.cards, path, sample.day)


def performance(past: Past, sample: Sample) -> Iterator[dict[str, Text]]:
    """Write how loans were served: at the month ends before and on the first date, later at month ends only."""
    borrowers, loans, last = sample.borrowers, sample.loans, last_month_end(sample.day)
    if sample.day == last_day(last):
        today = Service(loans.outstanding, loans.overdue, loans.days_past_due)
    elif sample.day > sample.first_day:
        yield nothing(loans)
        return
    elif past.months == 1:
        days = np.maximum(loans.days_past_due - (sample.day - last_day(last)), 0)
        outstanding = outstanding_on(loans, last_day(last), sample.day)
        today = Service(outstanding, np.where(days > 0, loans.overdue, 0), days)
    else:
        today = at_month_end(loans, past.debtors, past.ends[last].missed, last, sample.day)
    if sample.day == sample.first_day:
        for month in range(past.first_month(sample), last):
            if month in past.ends:
                service = at_month_end(loans, past.debtors, past.ends[month].missed, month, sample.day)
                yield performance_columns(borrowers, loans, service, last_day(month))
        if past.earlier is not None:
            for month, end in past.ends.items():
                rows, service = earlier_at(past.earlier, past.debtors, end.missed, month)
                yield earlier_columns(borrowers, past.earlier, rows, service, month)
    yield performance_columns(borrowers, loans, today, last_day(last))


def silent_from(past: Past, sample: Sample) -> Numbers:
    """For each card the month from which its holder has left the bank; a far one for those who stay."""
    months = np.full(len(sample.cards), NEVER)
    if past.customers is None:
        return months
    left = np.flatnonzero((past.customers.state == LEFT) & (past.customers.swept_on >= 0))
    order = np.argsort(sample.core.entity[left], kind="stable")
    when = past.customers.swept_on[left].astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    found = _look_up(sample.core.entity[left][order], sample.holders.entity[sample.cards.holder])
    return np.where(found >= 0, when[order][found], months) if len(left) else months


def fall_due(past: Past, sample: Sample) -> Numbers:
    """Bring days past due and amounts overdue of the loans to the day; returns the loans that changed."""
    loans, month = sample.loans, last_month_end(sample.day)
    service = at_month_end(loans, past.debtors, past.debtors.missed, month, sample.day)
    overdue = np.minimum(service.overdue, loans.outstanding)
    days = np.where(overdue > 0, service.days + sample.day - last_day(month), 0)
    changed = sample.borrowers.held & ((loans.days_past_due != days) | (loans.overdue != overdue))
    loans.days_past_due, loans.overdue = days, overdue
    return np.flatnonzero(changed)


def _chance(sample: Sample, stage: int, month: int) -> np.random.Generator:
    """The source of chance of one stage of a month, whichever day the month is drawn on."""
    return np.random.default_rng([sample.seed, stage, month])


def _day_of_month(day: int) -> int:
    return int(calendar(np.array([day]))[2][0])


def _earliest(past: Past, sample: Sample) -> Numbers:
    """The day of each debtor's first loan."""
    earliest = np.full(len(past.debtors), NEVER)
    np.minimum.at(earliest, past.debtors.debtor, sample.loans.start)
    return earliest


def _fall_behind(past: Past, sample: Sample) -> None:
    """Let the debtors miss instalments from month to month."""
    earliest, nobody = _earliest(past, sample), np.empty(0, dtype=np.int64)
    start = past.first_month(sample)
    for month in range(start - _BURN_IN, last_month_end(sample.day) + 1):
        debtors.next_month(_chance(sample, _PAY, month), past.debtors, earliest < first_day(month))
        if month >= start:
            past.ends[month] = MonthEnd(past.debtors.missed, earliest <= last_day(month), nobody)


def _close_month(past: Past, sample: Sample, month: int) -> None:
    """Note the states at the end of a month; with one month the arrears are what the loan system shows."""
    loans, debtor = sample.loans, past.debtors.debtor
    running = np.zeros(len(debtor), dtype=bool)
    running[debtor[sample.borrowers.held & (loans.start <= last_day(month))]] = True
    missed = past.debtors.missed
    if past.months == 1:
        missed = np.zeros(len(debtor), dtype=np.int64)
        days = np.maximum(loans.days_past_due - (sample.day - last_day(month)), 0)
        np.maximum.at(missed, debtor, missed_instalments(days))
    state = np.empty(0, dtype=np.int64) if past.customers is None else past.customers.state
    past.ends[month] = MonthEnd(missed, running, state)


def _turn_over(past: Past, sample: Sample, state: Numbers, span: tuple[int, int]) -> Transactions:
    """Draw the transactions of a span of days of one month."""
    customers, habits = past.simulated()
    month = month_of(span[0])
    rng = np.random.default_rng([sample.seed, _TURNOVER, month, _day_of_month(span[1])])
    debtor = _debtor_of(sample)
    late = np.zeros(len(debtor), dtype=bool)
    if month - 1 in past.ends:
        missed = past.ends[month - 1].missed
        known = (debtor >= 0) & (debtor < len(missed))
        late[known] = missed[debtor[known]] > 0
    return turn_over(rng, sample.core, sample.accounts, habits, customers, state, late, span)


def _newcomers(past: Past, sample: Sample, begin: int) -> tuple[Customers, Habits]:
    """Form habits of the core records and accounts that have none; their accounts move from the day ``begin`` on."""
    core, accounts, rng = sample.core, sample.accounts, sample.chance(_WELCOME)
    known = 0 if past.customers is None else len(past.customers)
    first = 0 if past.habits is None else len(past.habits)
    customer, debtor = first_records(core.entity), _debtor_of(sample)
    person = core.entity < COMPANY_BASE
    who = np.where(person, core.entity, 0)
    age = np.where(person, sample.bank.persons.age(sample.day)[who], 0)
    cards = np.where(person, sample.bank.persons.cards[who], 0)
    held = np.bincount(customer[accounts.owner[accounts.closed < 0]], minlength=len(core))
    met = meet_customers(
        rng,
        customer[known:],
        ((age >= 20) & (age < 62))[known:],
        ((sample.day - core.opened) / 365.25)[known:],
        (held + (cards > 0) + (debtor >= 0))[known:],
        np.asarray(pc.equal(core.columns["STATUS"], "2"))[known:],
        _settled_since(sample, customer)[known:],
    )
    customers = met
    if past.customers is not None:
        customers = Customers(**vars(past.customers))
        customers.extend(met)
    loans = sample.loans
    monthly = loans.principal / np.maximum(loans.term_months, 1)
    due = np.bincount(past.debtors.debtor, monthly, minlength=len(loans))
    strain = np.where(debtor >= 0, past.debtors.strain[debtor], 0.0)
    instalment = np.where(debtor >= 0, due[debtor], 0.0)
    formed = form_habits(rng, core, accounts, first, customers, strain, instalment)
    moving = MOVES[accounts.product[first:]] & (accounts.closed[first:] < 0)
    usual = np.where(accounts.opened[first:] >= begin, 0, formed.target.astype(np.int64))
    accounts.balance[first:] = np.where(moving, usual, accounts.balance[first:])
    return met, formed


def _debtor_of(sample: Sample) -> Numbers:
    """For each core record the position of its entity's first borrower record, -1 for none."""
    entity, first = np.unique(sample.borrowers.entity, return_index=True)
    found = _look_up(entity, sample.core.entity)
    return np.where(found >= 0, first[np.maximum(found, 0)], -1)


def _settled_since(sample: Sample, customer: Numbers) -> Numbers:
    """For each core record the day its entity's latest account or card was opened, NEVER where no account moves."""
    accounts, cards = sample.accounts, sample.cards
    live = accounts.closed < 0
    owner = customer[accounts.owner]
    since = np.full(len(customer), -1)
    np.maximum.at(since, owner[live], accounts.opened[live])
    holder, latest = np.unique(sample.holders.entity, return_inverse=True)
    issued = np.full(len(holder), -1)
    np.maximum.at(issued, latest[cards.holder], cards.issued)
    found = _look_up(holder, sample.core.entity)
    since = np.maximum(since, np.where(found >= 0, issued[np.maximum(found, 0)], -1))
    moves = np.zeros(len(customer), dtype=bool)
    moves[owner[live & MOVES[accounts.product]]] = True
    return np.where(moves, since, NEVER)


def _look_up(sorted_keys: Numbers, keys: Numbers) -> Numbers:
    """The position of each key among the sorted ones, -1 where it is not among them."""
    if len(sorted_keys) == 0:
        return np.full(len(keys), -1)
    at = np.minimum(np.searchsorted(sorted_keys, keys), len(sorted_keys) - 1)
    return np.where(sorted_keys[at] == keys, at, -1)
