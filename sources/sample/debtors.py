"""Debtors of the loan system: how strained each is, and the chain of missed instalments from month to month.

A debtor is an entity with loans; all loans of one are served alike. At each month end a debtor has missed so many
instalments in a row: 0, 1 (1 to 30 days past due), 2 (31 to 60), 3 (61 to 90), 4 and more (beyond 90: default). The
chances to fall behind and to roll on rise with the ``strain``, a standard normal figure that also shows in what the
bank sees: the rate of the loan (priced by risk), how far the credit cards are drawn, salary, and balances.
"""

from dataclasses import dataclass

import numpy as np

from sources.sample.bank import COMPANY_BASE
from sources.sample.lending import BASE_RATES, CREDIT, Cards, Loans
from sources.sample.months import first_day, last_day
from sources.sample.registers import Register
from sources.sample.shapes import Rows
from sources.sample.text import Mask, Numbers

DEFAULT = 4
HORIZON = 12  # months
_LATE = (-4.55, 0.8)  # logit of falling behind: at strain 0, and its slope
_ROLL = ((-1.2, 0.45), (-0.2, 0.45), (0.5, 0.45))  # logits of missing one more, with 1, 2 and 3 missed
_STAY = 0.3  # of those who do not roll on, the share that pays one instalment and no more
_WORKED_OUT = 0.06  # a month, of those in default for half a year
_WORK_OUT_FROM = DEFAULT + 6
_MEAN_RATE, _RATE_SPREAD = 147.5, 173.2  # of what comes on top of the product's rate, in hundred-thousandths


@dataclass
class Debtors(Rows):
    """Parallel to the borrowers; strain, due day and missed instalments are those of the ``debtor``'s row.

    ``debtor`` is the position of the entity's first borrower record. Due days lie between the 2nd and the 27th, so
    that the number of missed instalments and the bracket of days past due always agree.
    """

    debtor: Numbers
    strain: Numbers
    due_day: Numbers
    missed: Numbers


def first_records(entity: Numbers) -> Numbers:
    """For each record the position of the first record of its entity."""
    _, first, inverse = np.unique(entity, return_index=True, return_inverse=True)
    return np.asarray(first[inverse])


def meet_debtors(
    rng: np.random.Generator, borrowers: Register, loans: Loans, holders: Register, cards: Cards, first: int
) -> Debtors:
    """Judge the borrowers from position ``first`` on; the strain is read from rate and card use, and blurred."""
    count = len(borrowers) - first
    price = (loans.rate[first:] - BASE_RATES[loans.product[first:]] - _MEAN_RATE) / _RATE_SPREAD
    used, has_card = drawn_share(borrowers.entity[first:], holders, cards)
    parts = 0.8 * price + 0.35 * has_card * (used - 0.2) / 0.2 + 0.4 * rng.normal(size=count)
    debtor = first_records(borrowers.entity)[first:]
    strain = parts / np.sqrt(0.8**2 + 0.35**2 * 0.3 + 0.4**2)
    return Debtors(debtor, strain, rng.integers(2, 28, count), np.zeros(count, dtype=np.int64))


def drawn_share(entity: Numbers, holders: Register, cards: Cards) -> tuple[Numbers, Mask]:
    """The share of their credit limits that entities have drawn, and who has a credit card at all."""
    chosen = (cards.kind == CREDIT) & cards.active
    owner = holders.entity[cards.holder[chosen]]
    size = int(max(owner.max(initial=0), entity[entity < COMPANY_BASE].max(initial=0))) + 1
    limit = np.bincount(owner, weights=cards.limit[chosen], minlength=size)
    owed = np.bincount(owner, weights=cards.owed[chosen], minlength=size)
    person = np.where(entity < COMPANY_BASE, entity, 0)
    has_card = (entity < COMPANY_BASE) & (limit[person] > 0)
    return np.where(has_card, owed[person] / np.maximum(limit[person], 1), 0.0), has_card


def next_month(rng: np.random.Generator, debtors: Debtors, served: Mask) -> None:
    """Move the missed instalments to the next month end; debtors not ``served`` yet have missed none."""
    late, roll = _chances(debtors.strain)
    chance, second = rng.random(len(debtors)), rng.random(len(debtors))
    missed = debtors.missed
    after = np.where((missed == 0) & (chance < late), 1, 0)
    for number, rolls in enumerate(roll, start=1):
        kept = np.where(second < _STAY, number, 0)
        after = np.where(missed == number, np.where(chance < rolls, number + 1, kept), after)
    worked_out = (missed >= _WORK_OUT_FROM) & (chance < _WORKED_OUT)
    after = np.where((missed >= DEFAULT) & ~worked_out, missed + 1, after)
    debtors.missed = np.where(served, after, 0)


def probability_of_default(strain: Numbers, missed: Numbers) -> Numbers:
    """The chance that a debtor is beyond 90 days at one of the next twelve month ends (1 if already)."""
    late, roll = _chances(strain)
    within = [np.zeros(len(strain)) for _ in range(DEFAULT)]
    for _ in range(HORIZON):
        ahead = [*within, np.ones(len(strain))]
        within = [late * ahead[1] + (1 - late) * ahead[0]] + [
            rolls * ahead[k + 1] + (1 - rolls) * (_STAY * ahead[k] + (1 - _STAY) * ahead[0])
            for k, rolls in enumerate(roll, start=1)
        ]
    return np.asarray(np.choose(np.minimum(missed, DEFAULT), [*within, np.ones(len(strain))]))


def days_past_due(due_day: Numbers, missed: Numbers, month: int) -> Numbers:
    """Days from the due day of the oldest missed instalment to the end of the month."""
    oldest = first_day(month - missed + 1) + due_day - 1
    return np.asarray(np.where(missed > 0, last_day(month) - oldest, 0))


def missed_instalments(days: Numbers) -> Numbers:
    """The bracket of days past due as missed instalments, ``DEFAULT`` beyond 90 days."""
    return np.asarray(np.minimum(-(-days // 30), DEFAULT))


def _chances(strain: Numbers) -> tuple[Numbers, list[Numbers]]:
    """The chance to fall behind, and those to miss one more with one, two and three missed."""
    late = 1 / (1 + np.exp(-(_LATE[0] + _LATE[1] * strain)))
    return late, [1 / (1 + np.exp(-(level + slope * strain))) for level, slope in _ROLL]
