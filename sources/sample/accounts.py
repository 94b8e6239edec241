"""Accounts of core banking and their transactions; balances follow the transactions to the cent.

Amounts are whole cents, dates days since 1970-01-01. An account belongs to a core customer record, a joint one to
two.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sources.sample.bank import COMPANY_BASE, Bank
from sources.sample.names import company_names, true_names
from sources.sample.registers import Register
from sources.sample.shapes import Rows
from sources.sample.text import (
    Mask,
    Numbers,
    Text,
    choose,
    clock_text,
    date_text,
    draw,
    join,
    money,
    pick,
    put,
    serial,
)

PRODUCTS = (
    ("D101", "个人活期储蓄", "savings_deposit"),
    ("D102", "个人结算账户", "current_deposit"),
    ("D201", "个人定期存款一年", "term_deposit"),
    ("D203", "个人大额存单三年", "term_deposit"),
    ("D301", "单位活期存款", "current_deposit"),
    ("D302", "单位定期存款", "term_deposit"),
    ("W101", "稳健理财", "investment"),
    ("F101", "个人外币储蓄", "savings_deposit"),
)
_CODES = pa.array([code for code, _, _ in PRODUCTS])
_RATES = pa.array(["0.1000", "0.0500", "1.1000", "1.5500", "0.1000", "1.0500", "2.4000", "0.8000"])  # percent
_PERSONAL = (0.52, 0.2, 0.13, 0.03, 0.0, 0.0, 0.08, 0.04)
_CORPORATE = (0.0, 0.0, 0.0, 0.0, 0.85, 0.15, 0.0, 0.0)
MOVES = np.array([True, True, False, False, True, False, False, True])
_SCALE = np.array([8.6, 8.4, 10.8, 12.6, 11.5, 13.0, 10.9, 7.0])  # mean of the logarithm of the balance
_CURRENCIES = pa.array(["CNY", "USD", "HKD"])
_FIRST_ACCOUNT = 3_100_000_000_000_000

# code, is credit, weight for persons, weight for companies, mean and spread of the logarithm of the amount
_KINDS = (
    ("T01", True, 10, 0, 9.0, 0.5),
    ("T02", True, 18, 38, 6.8, 1.5),
    ("T03", False, 20, 40, 6.7, 1.5),
    ("T04", False, 38, 8, 4.3, 1.1),
    ("T05", False, 6, 4, 6.6, 0.7),
    ("T06", True, 5, 6, 7.6, 0.9),
    ("T07", False, 1, 2, 2.3, 0.5),
    ("T08", True, 2, 2, 2.5, 1.2),
)
_KIND_CODES = pa.array([kind[0] for kind in _KINDS])
_PURPOSES = pa.array(["工资", "转账", "转账", "消费", "取现", "存现", "手续费", "结息"])
_CHANNELS = pa.array(["MB", "EB", "ATM", "POS", "CTR", "SYS"])
_CHANNEL_OF_KIND = np.array([5, 0, 0, 3, 2, 4, 5, 5])
IS_CREDIT = np.array([kind[1] for kind in _KINDS])
_TRANSFERS = 3  # the first three kinds name a counterparty
HISTORY_DAYS = 30
_PER_DAY, _IN_HISTORY = 0.4, 1.6  # transactions an account: on a day, over all days before the first


@dataclass
class Accounts(Rows):
    """Accounts; ``owner`` and ``joint`` are positions in the core register, -1 means none."""

    owner: Numbers
    joint: Numbers
    product: Numbers
    currency: Numbers
    balance: Numbers
    opened: Numbers
    closed: Numbers
    outlet: Numbers


@dataclass
class Transactions(Rows):
    """Transactions in the order of booking; ``account`` is a position among the accounts.

    ``channel`` is an index into the channels, -1 leaves it to chance when the file is written.
    """

    account: Numbers
    day: Numbers
    second: Numbers
    kind: Numbers
    cents: Numbers
    balance: Numbers
    channel: Numbers


def open_accounts(rng: np.random.Generator, bank: Bank, core: Register, first: int, today: int) -> Accounts:
    """Open accounts for the core records from position ``first`` on: at least one each."""
    company = core.entity[first:] >= COMPANY_BASE
    held = 1 + (rng.random(len(company)) < np.where(company, 0.5, 0.2))
    owner = np.repeat(np.arange(first, len(core)), held)
    corporate = np.repeat(company, held)
    count = len(owner)
    product = np.where(corporate, draw(rng, _CORPORATE, count), draw(rng, _PERSONAL, count))
    currency = np.where(product == 7, rng.integers(1, 3, count), 0)
    balance = np.exp(rng.normal(_SCALE[product], 1.6)) * 100
    opened = core.opened[owner]
    opened = opened + ((today - opened) * rng.random(count) * (rng.random(count) < 0.5)).astype(np.int64)
    closed = np.where(
        (rng.random(count) < 0.03) & (opened < today - 60),
        opened + ((today - opened) * rng.uniform(0.3, 1.0, count)).astype(np.int64),
        -1,
    )
    return Accounts(
        owner=owner,
        joint=_joint_owners(rng, bank, core, owner, corporate),
        product=product,
        currency=currency,
        balance=np.where(closed >= 0, 0, balance.astype(np.int64)),
        opened=opened,
        closed=closed,
        outlet=rng.integers(0, 1 << 30, count),
    )


def _joint_owners(rng: np.random.Generator, bank: Bank, core: Register, owner: Numbers, corporate: Mask) -> Numbers:
    """Let some persons share an account with the next person of the household who is a core customer."""
    record_of = np.full(len(bank.persons), -1)
    persons = core.persons()
    record_of[core.entity[persons]] = persons
    relative = np.full(len(owner), -1)
    relative[~corporate] = bank.persons.relative[core.entity[owner[~corporate]]]
    partner = np.where(relative >= 0, record_of[np.maximum(relative, 0)], -1)
    return np.where(rng.random(len(owner)) < 0.04, partner, -1)


def account_numbers(position: Numbers) -> Text:
    """Write account numbers of accounts by position."""
    return serial(_FIRST_ACCOUNT + np.asarray(position) * 7)


def account_columns(accounts: Accounts, core: Register, outlet_no: Text, rows: slice) -> dict[str, Text]:
    """Write the fields of the account file for a slice of accounts."""
    numbers = core.columns["CUST_NO"]
    closed = accounts.closed[rows]
    return {
        "ACCT_NO": account_numbers(np.arange(len(accounts))[rows]),
        "CUST_NO": pick(numbers, accounts.owner[rows]),
        "JOINT_CUST_NO": pick(numbers, accounts.joint[rows]),
        "PROD_CODE": pick(_CODES, accounts.product[rows]),
        "CCY": pick(_CURRENCIES, accounts.currency[rows]),
        "BALANCE": money(accounts.balance[rows]),
        "RATE": pick(_RATES, accounts.product[rows]),
        "OPEN_DATE": date_text(accounts.opened[rows]),
        "CLOSE_DATE": choose(closed < 0, None, date_text(closed)),
        "STATUS": choose(closed < 0, "0", "9"),
        "BRANCH_NO": pick(outlet_no, accounts.outlet[rows] % len(outlet_no)),
    }


def product_columns() -> dict[str, Text]:
    """Write the product file."""
    return {
        name: pa.array([product[column] for product in PRODUCTS])
        for column, name in enumerate(("PROD_CODE", "PROD_NAME", "FAMILY"))
    }


def book(rng: np.random.Generator, core: Register, accounts: Accounts, today: int, with_history: bool) -> Transactions:
    """Draw the day's transactions (and before it, if asked, a month's), and move the balances by them.

    No balance falls below zero: within the history the opening balance is raised, on a day a debit is cut to
    what the account holds, or turned into a credit where it holds nothing.
    """
    moving = np.flatnonzero(MOVES[accounts.product] & (accounts.closed < 0))
    count = rng.poisson(_PER_DAY + (_IN_HISTORY if with_history else 0.0), len(moving))
    account = np.repeat(moving, count)
    total = len(account)
    corporate = core.entity[accounts.owner[account]] >= COMPANY_BASE
    weights = np.array([kind[2:4] for kind in _KINDS], dtype=np.float64).T
    kind = np.where(corporate, draw(rng, weights[1], total), draw(rng, weights[0], total))
    center, spread = np.array([item[4:6] for item in _KINDS]).T
    cents = 1 + (np.exp(rng.normal(center[kind] + corporate * 1.5, spread[kind])) * 100).astype(np.int64)
    day = np.full(total, today)
    if with_history:
        earlier = rng.random(total) < _IN_HISTORY / (_PER_DAY + _IN_HISTORY)
        back = rng.integers(1, HISTORY_DAYS + 1, total)
        day = np.where(earlier, np.maximum(today - back, accounts.opened[account]), today)
    second = rng.integers(0, 86_400, total)

    order = np.lexsort((second, day, account))
    account, kind, cents, day, second = account[order], kind[order], cents[order], day[order], second[order]
    if total == 0:
        return Transactions(account, day, second, kind, cents, cents.copy(), np.full(total, -1))
    start = np.flatnonzero(np.r_[True, account[1:] != account[:-1]])
    group = np.repeat(np.arange(len(start)), np.diff(np.r_[start, total]))
    if not with_history:
        debits = np.bincount(group, weights=~IS_CREDIT[kind], minlength=len(start)).astype(np.int64)
        affordable = accounts.balance[account] // np.maximum(debits[group], 1)
        kind = np.where(~IS_CREDIT[kind] & (affordable <= 0), 1, kind)
        cents = np.where(IS_CREDIT[kind], cents, np.minimum(cents, affordable))
    signed = np.where(IS_CREDIT[kind], cents, -cents)
    running = np.cumsum(signed)
    running -= np.repeat((running - signed)[start], np.diff(np.r_[start, total]))
    opening = accounts.balance[account[start]]
    if with_history:
        opening = opening + np.maximum(-np.minimum.reduceat(running, start), 0)
    after = opening[group] + running
    last = np.r_[start[1:], total] - 1
    accounts.balance[account[last]] = after[last]
    by_time = np.lexsort((account, second, day))
    return Transactions(*(column[by_time] for column in (account, day, second, kind, cents, after, np.full(total, -1))))


def transaction_columns(
    rng: np.random.Generator,
    bank: Bank,
    accounts: Accounts,
    booked: Transactions,
    today: int,
    rows: slice,
    first: int = 0,
) -> dict[str, Text]:
    """Write the fields of the transaction file for a slice of transactions, numbered from ``first`` on."""
    account, kind = booked.account[rows], booked.kind[rows]
    count = len(account)
    number = first + np.arange(len(booked))[rows]
    transfer = kind < _TRANSFERS
    company = (kind == 0) | (rng.random(count) < 0.3)
    name = true_names(bank, rng.integers(0, len(bank.persons), count))
    payers = np.flatnonzero(company) if len(bank.companies) else np.array([], dtype=np.int64)
    name = put(name, payers, company_names(rng, bank, rng.integers(0, len(bank.companies), len(payers)))[0])
    own = account_numbers(rng.integers(0, len(accounts), count))
    elsewhere = serial(rng.integers(10**15, 9 * 10**15, count))
    usual = rng.random(count) < 0.8
    channel = np.where(usual, _CHANNEL_OF_KIND[kind], rng.integers(0, 6, count))
    channel = np.where(booked.channel[rows] >= 0, booked.channel[rows], channel)
    return {
        "TRAN_ID": join(date_text(np.array([today]))[0].as_py(), serial(number + 1, 9)),
        "ACCT_NO": account_numbers(account),
        "TRAN_DATE": date_text(booked.day[rows]),
        "TRAN_TIME": clock_text(booked.second[rows], ""),
        "DC_FLAG": choose(IS_CREDIT[kind], "C", "D"),
        "AMOUNT": money(booked.cents[rows]),
        "CCY": pick(_CURRENCIES, accounts.currency[account]),
        "BALANCE_AFTER": money(booked.balance[rows]),
        "TRAN_TYPE": pick(_KIND_CODES, kind),
        "CHANNEL": pick(_CHANNELS, channel),
        "OPP_ACCT": choose(transfer, choose(rng.random(count) < 0.4, own, elsewhere), None),
        "OPP_NAME": choose(transfer, name, None),
        "PURPOSE": pick(_PURPOSES, kind),
    }
