"""Account transactions of a bank with a past: drawn forward in time by the habits of customers and accounts.

A span (a month, or a day of one) is drawn from rates a month, so months of history and later days follow the same
law. Debits are cut to what the account holds, and grow and shrink with the balance, which so keeps near its target.
"""

from dataclasses import dataclass

import numpy as np

from sources.sample.accounts import IS_CREDIT, MOVES, Accounts, Transactions
from sources.sample.attachment import DECLINING, LEFT, Customers
from sources.sample.bank import COMPANY_BASE
from sources.sample.registers import Register
from sources.sample.shapes import Rows
from sources.sample.text import Mask, Numbers, calendar, draw

SALARY, TRANSFER_IN, TRANSFER_OUT, PURCHASE, CASH_OUT, CASH_IN, FEE, INTEREST = range(8)
MOBILE, ONLINE, ATM, POINT_OF_SALE, COUNTER, BATCH = range(6)
_OWN = np.array([TRANSFER_IN, TRANSFER_OUT, PURCHASE, CASH_OUT, CASH_IN])
_WEIGHTS = ((18, 20, 38, 6, 5), (38, 40, 8, 4, 6))  # of persons, of companies
_SIZE = np.array([1.0, 1.2, 2.0, 0.6, 1.2, 0.9, 1.0, 1.0])  # against the mean of the account's credits or debits
_AT_DESK = np.array([BATCH, COUNTER, COUNTER, POINT_OF_SALE, ATM, COUNTER, BATCH, BATCH])
_OWN_PACE, _FEES = 3.9, 0.08  # a month
_YIELDS = np.array([10, 5, 0, 0, 10, 0, 0, 80])  # interest, in hundredths of a percent a year
_MONTH = 30.44
_DECLINE_PACE, _DRAINS_EVERY, _DRAINED = 0.25, 10, 0.5  # factor, days, of the balance
_CLOSES = 0.08  # a month, of accounts left behind


@dataclass
class Habits(Rows):
    """Parallel to the accounts: own transactions a month, mean credit and debit, usual balance, salary (all cents).

    ``salary_day`` is a day of the month, ``regular`` the chance that a month's salary comes.
    """

    pace: Numbers
    credit: Numbers
    debit: Numbers
    target: Numbers
    salary: Numbers
    salary_day: Numbers
    regular: Numbers


def form_habits(
    rng: np.random.Generator,
    core: Register,
    accounts: Accounts,
    first: int,
    customers: Customers,
    strain: Numbers,
    instalment: Numbers,
) -> Habits:
    """Form the habits of the accounts from position ``first`` on; their balances are the usual ones.

    Args:
        rng: source of chance.
        core: the core register.
        accounts: all accounts.
        first: position of the first account without habits.
        customers: parallel to ``core``.
        strain: of each core record as a debtor, 0 for others.
        instalment: what each core record has to pay a month on loans, in cents, 0 for others.
    """
    owner, product = accounts.owner[first:], accounts.product[first:]
    count = len(owner)
    customer = customers.customer[owner]
    payment = np.flatnonzero((product <= 1) & (accounts.closed[first:] < 0) & customers.salaried[customer])
    _, one = np.unique(customer[payment], return_index=True)
    salary = np.zeros(count, dtype=np.int64)
    earner = payment[one]
    usual = np.exp(rng.normal(9.0, 0.5, len(earner))) * 100
    burden = np.exp(-1.1 + 0.4 * strain[owner[earner]] + 0.15 * rng.normal(size=len(earner)))
    bears = instalment[owner[earner]] > 0
    salary[earner] = np.clip(np.where(bears, instalment[owner[earner]] / burden, usual), 200_000, 8_000_000)
    target = accounts.balance[first:] * np.exp(-0.5 * strain[owner])
    pace = _OWN_PACE * customers.pace[customer] * np.exp(rng.normal(-0.02, 0.2, count))
    turnover = np.maximum(np.clip(target * np.exp(rng.normal(-1.0, 0.5, count)), 30_000, None), salary * 1.1)
    weights = np.array(_WEIGHTS, dtype=np.float64)[(core.entity[owner] >= COMPANY_BASE).astype(int)]
    into = weights[:, [0, 4]].sum(axis=1) / weights.sum(axis=1)
    busy = np.maximum(pace, 0.5)
    return Habits(
        pace=pace,
        credit=np.maximum(turnover - salary, 10_000) / (busy * into),
        debit=turnover / (busy * (1 - into)),
        target=np.maximum(target, 10_000),
        salary=salary,
        salary_day=rng.choice([5, 8, 10, 15, 20, 25], count),
        regular=np.clip(0.98 - 0.06 * np.maximum(strain[owner], 0), 0.5, 1.0),
    )


def turn_over(
    rng: np.random.Generator,
    core: Register,
    accounts: Accounts,
    habits: Habits,
    customers: Customers,
    state: Numbers,
    late: Mask,
    span: tuple[int, int],
) -> Transactions:
    """Draw the transactions of a span of days within one month, and move the balances by them.

    Args:
        rng: source of chance.
        core: the core register.
        accounts: accounts; their balances are moved, and of those left behind some are closed.
        habits: parallel to the accounts.
        customers: parallel to ``core``.
        state: the customers' states in this month.
        late: core records whose loans are in arrears.
        span: first and last day.
    """
    start, end = span
    customer = customers.customer[accounts.owner]
    gone, declining = state[customer] == LEFT, state[customer] == DECLINING
    moving = MOVES[accounts.product] & (accounts.closed < 0) & (accounts.opened <= end)
    strained = late[customer]
    parts = [
        _own(rng, core, accounts, habits, moving & ~gone, declining, strained, span),
        _salaries(rng, habits, moving & ~gone & ~declining, strained, span),
        _drains(accounts, moving & declining, span),
        _by_the_bank(rng, accounts, moving & ~gone, span),
        _openings(accounts, habits, moving, span),
        _sweeps(accounts, customers.swept_on[customer], span),
    ]
    if calendar(np.array([start]))[2][0] == 1:
        behind = gone & (accounts.closed < 0) & (accounts.balance == 0)
        accounts.closed = np.where(behind & (rng.random(len(behind)) < _CLOSES), start, accounts.closed)
    account, day, kind, cents, share = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    second = _times(rng, kind)
    # what opens an account comes first, what empties it last
    second = np.where(share >= 1, 86_399, np.where(day == accounts.opened[account], second // 24 + 60_000, second))
    second[(kind == CASH_IN) & (share < 0)] = 0
    order = np.lexsort((second, day, account))
    account, day, kind, cents, share, second = (c[order] for c in (account, day, kind, cents, share, second))
    cents, after = _post(accounts, habits, account, kind, cents, share)
    desk = rng.random(len(kind)) < customers.digital[customers.customer[accounts.owner[account]]]
    mobile = np.where(rng.random(len(kind)) < 0.8, MOBILE, ONLINE)
    by_hand = np.isin(kind, (TRANSFER_IN, TRANSFER_OUT, PURCHASE))
    channel = np.where(desk & by_hand, mobile, _AT_DESK[kind])
    channel = np.where(share >= 1, BATCH, channel)
    posted = np.flatnonzero(cents > 0)
    by_time = posted[np.lexsort((account[posted], second[posted], day[posted]))]
    return Transactions(*(column[by_time] for column in (account, day, second, kind, cents, after, channel)))


Part = tuple[Numbers, Numbers, Numbers, Numbers, Numbers]  # account, day, kind, cents, share of the balance


def _part(account: Numbers, day: Numbers, kind: Numbers | int, cents: Numbers | int, share: Numbers | float) -> Part:
    count = len(account)
    return (
        account,
        np.asarray(day) + np.zeros(count, dtype=np.int64),
        np.full(count, kind) if np.isscalar(kind) else np.asarray(kind),
        np.asarray(cents) + np.zeros(count, dtype=np.int64),
        np.asarray(share) + np.zeros(count),
    )


def _own(
    rng: np.random.Generator,
    core: Register,
    accounts: Accounts,
    habits: Habits,
    who: Mask,
    declining: Mask,
    strained: Mask,
    span: tuple[int, int],
) -> Part:
    """What customers do themselves: transfers, purchases, cash."""
    start, end = span
    since = np.maximum(accounts.opened, start)
    pace = habits.pace * np.where(declining, _DECLINE_PACE, 1.0)
    expected = np.where(who, pace * (end + 1 - since) / _MONTH, 0.0)
    account = np.repeat(np.arange(len(who)), rng.poisson(np.maximum(expected, 0.0)))
    count = len(account)
    company = core.entity[accounts.owner[account]] >= COMPANY_BASE
    kind = _OWN[np.where(company, draw(rng, _WEIGHTS[1], count), draw(rng, _WEIGHTS[0], count))]
    day = since[account] + (rng.random(count) * (end + 1 - since[account])).astype(np.int64)
    mean = np.where(
        IS_CREDIT[kind], habits.credit[account] * np.where(strained[account], 0.7, 1.0), habits.debit[account]
    )
    cents = 1 + (mean * _SIZE[kind] * np.exp(rng.normal(-0.245, 0.7, count))).astype(np.int64)
    return _part(account, day, kind, cents, 0.0)


def _salaries(rng: np.random.Generator, habits: Habits, who: Mask, strained: Mask, span: tuple[int, int]) -> Part:
    """Salaries whose day is within the span, unless they fail to come."""
    start, end = span
    day = start - calendar(np.array([start]))[2][0] + habits.salary_day
    comes = who & (habits.salary > 0) & (day >= start) & (day <= end)
    account = np.flatnonzero(comes & (rng.random(len(who)) < habits.regular * np.where(strained, 0.75, 1.0)))
    cents = habits.salary[account] * np.exp(rng.normal(0, 0.04, len(account)))
    return _part(account, day[account], SALARY, cents.astype(np.int64), 0.0)


def _drains(accounts: Accounts, who: Mask, span: tuple[int, int]) -> Part:
    """Transfers by which customers in decline move their money elsewhere, three times a month."""
    day = np.arange(span[0], span[1] + 1)
    turn = calendar(day)[2] % _DRAINS_EVERY
    chosen = np.flatnonzero(who)
    account, position = np.nonzero(turn == (chosen % _DRAINS_EVERY)[:, None])
    account, day = chosen[account], day[position]
    running = accounts.opened[account] <= day
    return _part(account[running], day[running], TRANSFER_OUT, 0, _DRAINED)


def _by_the_bank(rng: np.random.Generator, accounts: Accounts, who: Mask, span: tuple[int, int]) -> Part:
    """Interest on the 21st of a quarter's last month, and a fee now and then."""
    start, end = span
    charged = np.flatnonzero(who & (rng.random(len(who)) < _FEES * (end + 1 - start) / _MONTH))
    day = np.maximum(rng.integers(start, end + 1, len(charged)), accounts.opened[charged])
    fees = _part(charged, day, FEE, rng.integers(2, 30, len(charged)) * 100, 0.0)
    _, month, first = (int(part[0]) for part in calendar(np.array([start])))
    settled = start - first + 21
    if month % 3 or not start <= settled <= end:
        return fees
    earning = np.flatnonzero(who & (accounts.opened < settled))
    interest = _part(earning, np.full(len(earning), settled), INTEREST, 0, _YIELDS[accounts.product[earning]] / 40_000)
    return tuple(np.concatenate(both) for both in zip(fees, interest, strict=True))  # type: ignore[return-value]


def _openings(accounts: Accounts, habits: Habits, who: Mask, span: tuple[int, int]) -> Part:
    """The first deposit into accounts opened within the span."""
    account = np.flatnonzero(who & (accounts.opened >= span[0]))
    return _part(account, accounts.opened[account], CASH_IN, habits.target[account].astype(np.int64), -1.0)


def _sweeps(accounts: Accounts, swept_on: Numbers, span: tuple[int, int]) -> Part:
    """The transfers with which those who leave empty all their accounts."""
    swept = (swept_on >= span[0]) & (swept_on <= span[1]) & (accounts.closed < 0) & (accounts.opened <= swept_on)
    account = np.flatnonzero(swept)
    return _part(account, swept_on[account], TRANSFER_OUT, 0, 1.0)


def _times(rng: np.random.Generator, kind: Numbers) -> Numbers:
    """Seconds of the day: the bank's own bookings at night, others in the hours people are up."""
    awake = 6 * 3600 + rng.integers(0, 17 * 3600, len(kind))
    return np.where(np.isin(kind, (FEE, INTEREST)), rng.integers(0, 3600, len(kind)), awake)


def _post(
    accounts: Accounts, habits: Habits, account: Numbers, kind: Numbers, cents: Numbers, share: Numbers
) -> tuple[Numbers, Numbers]:
    """Post transactions ordered by account and time: the first of every account, then the second, and so on.

    Returns the amounts, debits cut to what is there (0: nothing was there), and the balances after.
    """
    if len(account) == 0:
        return cents, cents.copy()
    start = np.flatnonzero(np.r_[True, account[1:] != account[:-1]])
    place = np.arange(len(account)) - np.repeat(start, np.diff(np.r_[start, len(account)]))
    amount, after = np.zeros_like(cents), np.zeros_like(cents)
    by_place = np.argsort(place, kind="stable")
    for rows in np.split(by_place, np.cumsum(np.bincount(place))[:-1]):
        held = accounts.balance[account[rows]]
        wanted = cents[rows]
        credit = IS_CREDIT[kind[rows]]
        ease = np.clip(np.sqrt(held / habits.target[account[rows]]), 0.2, 3.0)
        wanted = np.where(credit | (kind[rows] == FEE), wanted, (wanted * ease).astype(np.int64))
        wanted = np.where(share[rows] > 0, (held * share[rows]).astype(np.int64), wanted)
        wanted = np.where(credit, wanted, np.minimum(wanted, held))
        amount[rows] = wanted
        after[rows] = accounts.balance[account[rows]] = held + np.where(credit, wanted, -wanted)
    return amount, after
