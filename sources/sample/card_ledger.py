"""Transactions of credit cards: the past that leads to what is owed on the first date, and each later day's.

History is made month by month between amounts owed at month ends, which wander back in time from what is owed now:
a statement posts interest on what was carried over (and now and then a fee), a repayment follows, then purchases up
to what is owed next. So nothing is ever owed beyond the limit but interest and fees. A purchase is a debit, a
repayment a credit; the balance is what is owed with the sign turned.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sources.sample.exports import Field, spans
from sources.sample.lending import CREDIT, Cards, card_numbers
from sources.sample.months import first_day, last_day, month_of
from sources.sample.shapes import Rows
from sources.sample.text import Numbers, Text, choose, constant, date_text, join, pick, serial

PURCHASE, REPAYMENT, CASH, INTEREST, FEE = range(5)
CARD_TRANSACTION_FIELDS = (
    Field("TRAN_NO", 17),
    Field("CARD_NO", 19),
    Field("TRAN_DATE", 8),
    Field("KIND", 1),
    Field("DC_FLAG", 1),
    Field("AMOUNT", 14, number=True),
    Field("CCY", 3),
    Field("BALANCE", 15),
    Field("CHANNEL", 3),
)
_KINDS = pa.array(["P", "R", "W", "I", "F"])
_CHANNELS = pa.array(["MB", "EB", "ATM", "POS", "CTR", "SYS"])
_MONTHLY_RATE = 0.0005 * 30  # interest of half a thousandth a day on what is carried over
_PURCHASES = 3.0  # a month
_UNUSED = 0.6  # of the cards that owe nothing now, those that never did


@dataclass
class CardTransactions(Rows):
    """Transactions of cards in the order of booking; ``balance`` is what the holder then has: minus what is owed."""

    card: Numbers
    day: Numbers
    kind: Numbers
    cents: Numbers
    balance: Numbers
    channel: Numbers


def owed_before(rng: np.random.Generator, cards: Cards, months: int, today: int, silent_from: Numbers) -> Numbers:
    """What was owed on each credit card at the ends of the months before today's, and before them; 0 on others.

    Args:
        rng: source of chance.
        cards: cards with what is owed today.
        months: whole months before today's.
        today: the day, in days since 1970-01-01.
        silent_from: for each card the month from which its holder has left, or a later one than today's.

    Returns:
        Cents, ``months + 2`` rows: the end of the month before the first whole one, of each of these, and today.
    """
    live = (cards.kind == CREDIT) & cards.active & (cards.limit > 0)
    share = np.where(live, cards.owed / np.maximum(cards.limit, 1), 0.0)
    usual = np.where(cards.owed > 0, 0.08 + 0.7 * share, 0.05)
    unused = (cards.owed == 0) & (rng.random(len(cards)) < _UNUSED)
    current = month_of(today)
    path = np.zeros((months + 2, len(cards)), dtype=np.int64)
    path[-1] = cards.owed
    for row in range(months, -1, -1):
        month = current - 1 - (months - row)  # at the end of which this is owed
        share = np.clip(usual + 0.75 * (share - usual) + 0.06 * rng.normal(size=len(cards)), 0.0, 1.0)
        owed = np.where(live & ~unused, (share * cards.limit).astype(np.int64), 0)
        owed = np.where(live, owed, path[row + 1])
        # who has left owes what was owed then, and nothing is owed on a card before it was issued
        path[row] = np.where(cards.issued > last_day(month), 0, np.where(month + 1 >= silent_from, path[row + 1], owed))
    return path


def history(rng: np.random.Generator, cards: Cards, path: Numbers, today: int) -> Iterator[CardTransactions]:
    """Draw the transactions of each month between the amounts owed at its ends, month by month until today."""
    current = month_of(today)
    for row in range(1, len(path)):
        month = current - (len(path) - 1 - row)
        yield _between(rng, cards, path[row - 1], path[row], first_day(month), min(last_day(month), today))


def _between(
    rng: np.random.Generator, cards: Cards, before: Numbers, after: Numbers, start: int, end: int
) -> CardTransactions:
    card = np.flatnonzero((before > 0) & (before != after) | (after > before))
    before, after = before[card], after[card]
    count = len(card)
    since = np.maximum(cards.issued[card], start)
    since = np.where(since > end, start, since)
    carries = (rng.random(count) < 0.35 + 0.4 * (before / np.maximum(cards.limit[card], 1))) & (before > 0)
    carried = np.where(carries, before - (before * rng.uniform(0.1, 0.5, count)).astype(np.int64), 0)
    interest = (carried * _MONTHLY_RATE).astype(np.int64)
    fee = np.where((rng.random(count) < 0.02) & (before > 0), rng.integers(20, 200, count) * 100, 0)
    room = np.maximum(before - after, 0)  # at least so much is paid back, and all that is charged beyond what is owed
    repaid = np.clip(np.maximum(before - carried, room + interest + fee), 0, before + interest + fee)
    bought = after - (before + interest + fee - repaid)
    paid = np.minimum(since + rng.integers(1, 12, count), end)
    number = np.where(bought > 0, 1 + rng.poisson(_PURCHASES - 1, count), 0)
    owner = np.repeat(np.arange(count), number)
    cents = _shares(rng, bought, number, owner)
    day = paid[owner] + (rng.random(len(owner)) * (end + 1 - paid[owner])).astype(np.int64)
    cash = rng.random(len(owner)) < 0.04
    groups = (
        (np.arange(count), since, np.full(count, INTEREST), interest, np.zeros(count, dtype=np.int64)),
        (np.arange(count), since, np.full(count, FEE), fee, np.zeros(count, dtype=np.int64)),
        (np.arange(count), paid, np.full(count, REPAYMENT), repaid, np.ones(count, dtype=np.int64)),
        (owner, day, np.where(cash, CASH, PURCHASE), cents, np.full(len(owner), 2)),
    )
    row, day, kind, cents, step = (np.concatenate(columns) for columns in zip(*groups, strict=True))
    kept = np.flatnonzero(cents > 0)
    order = kept[np.lexsort((day[kept], step[kept], row[kept]))]
    row, day, kind, cents = row[order], day[order], kind[order], cents[order]
    return _booked(rng, card[row], day, kind, cents, before[row])


def _shares(rng: np.random.Generator, total: Numbers, number: Numbers, owner: Numbers) -> Numbers:
    """Split totals into so many whole parts each, by chance; the last part takes what is left."""
    if len(owner) == 0:
        return np.empty(0, dtype=np.int64)
    weight = rng.exponential(size=len(owner)) + 0.05
    start = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    whole = np.add.reduceat(weight, start)
    parts = (total[owner] * (weight / np.repeat(whole, number[number > 0]))).astype(np.int64)
    rest = total[number > 0] - np.add.reduceat(parts, start)
    parts[np.r_[start[1:], len(owner)] - 1] += rest
    return np.asarray(parts)


def day_of(rng: np.random.Generator, before: Numbers, cards: Cards, today: int) -> CardTransactions:
    """The transactions of a later day: one for each card whose debt has changed since the day before."""
    earlier = np.r_[before, np.zeros(len(cards) - len(before), dtype=np.int64)]
    change = cards.owed - earlier
    card = np.flatnonzero(change != 0)
    kind = np.where(change[card] > 0, PURCHASE, REPAYMENT)
    return _booked(rng, card, np.full(len(card), today), kind, np.abs(change[card]), earlier[card])


def _booked(
    rng: np.random.Generator, card: Numbers, day: Numbers, kind: Numbers, cents: Numbers, owed: Numbers
) -> CardTransactions:
    """Add balances and channels to transactions ordered by card and time, and order them by day."""
    signed = np.where(kind == REPAYMENT, -cents, cents)
    running = np.cumsum(signed)
    start = np.flatnonzero(np.r_[True, card[1:] != card[:-1]]) if len(card) else np.empty(0, dtype=np.int64)
    running -= np.repeat((running - signed)[start], np.diff(np.r_[start, len(card)]))
    online = rng.random(len(card)) < 0.5
    channel = np.select(
        [kind == REPAYMENT, kind == CASH, kind == PURCHASE],
        [np.where(online, 0, 1), 2, np.where(online, 0, 3)],
        5,
    )
    order = np.argsort(day, kind="stable")
    return CardTransactions(*(c[order] for c in (card, day, kind, cents, -(owed + running), channel)))


def card_transaction_columns(
    cards: Cards, months: Iterator[CardTransactions], day: str, totals: list[int]
) -> Iterator[dict[str, Text]]:
    """Write the fields of the card transaction file slice by slice; adds each slice's amount to ``totals``."""
    numbers, written = card_numbers(cards), 0
    for booked in months:
        for rows in spans(len(booked)):
            cents = booked.cents[rows]
            totals.append(int(cents.sum()))
            balance = booked.balance[rows]
            yield {
                "TRAN_NO": join(day, serial(written + 1 + np.arange(len(cents)), 9)),
                "CARD_NO": pick(numbers, booked.card[rows]),
                "TRAN_DATE": date_text(booked.day[rows]),
                "KIND": pick(_KINDS, booked.kind[rows]),
                "DC_FLAG": choose(booked.kind[rows] == REPAYMENT, "C", "D"),
                "AMOUNT": serial(cents),
                "CCY": constant("CNY", len(cents)),
                "BALANCE": serial(balance),
                "CHANNEL": pick(_CHANNELS, booked.channel[rows]),
            }
            written += len(cents)
