"""Core customers between staying and leaving: how attached each is, and who goes when.

A customer is engaged, in decline, or has left. Each month an engaged one may fall into decline, or leave without a
sign; one in decline leaves, recovers or lingers. The chances of the engaged fall with the ``attachment``, which
shows in salary paid in, number of transactions, use of mobile and online banking, years with the bank and number of
products; decline shows in fewer transactions, salary that stops and money that flows off (``turnover``).
"""

from dataclasses import dataclass

import numpy as np

from sources.sample.shapes import Rows
from sources.sample.text import Mask, Numbers

ENGAGED, DECLINING, LEFT = range(3)
HORIZON = 3  # months
NEVER = 1 << 40
_LEAVES, _RECOVERS = 0.26, 0.06  # a month, of those in decline
_ONSET, _SUDDEN = 0.0066, 0.0004  # a month, of the engaged, at attachment 0
_SLOPE = 1.1
_SWEPT_WITHIN = 10  # days of the month of leaving


@dataclass
class Customers(Rows):
    """Parallel to the core register; the figures that count are those of the entity's first record, ``customer``.

    ``salaried`` has the salary paid in, ``digital`` is the share of own transactions by mobile and online,
    ``pace`` a factor on their number. Who has no account that moves (``active_from``: the day the first was opened,
    or ``NEVER``) cannot be seen to leave, and does not. ``swept_on`` is the day on which the balances of one who
    leaves go elsewhere, -1 before.
    """

    customer: Numbers
    salaried: Mask
    digital: Numbers
    pace: Numbers
    attachment: Numbers
    active_from: Numbers
    state: Numbers
    swept_on: Numbers


def meet_customers(
    rng: np.random.Generator,
    customer: Numbers,
    can_earn: Mask,
    years: Numbers,
    products: Numbers,
    dormant: Mask,
    active_from: Numbers,
) -> Customers:
    """Draw the habits of core records and the attachment that comes of them, and of what is not seen."""
    count = len(customer)
    salaried = can_earn & (rng.random(count) < 0.55)
    digital = rng.beta(3.0, 1.8, count)
    pace = np.exp(rng.normal(-0.125, 0.5, count))
    attachment = (
        1.1 * (salaried - 0.35)
        + 0.8 * np.log(pace)
        + 1.1 * (digital - 0.6)
        + 0.5 * (np.log1p(years) - 1.8)
        + 0.35 * (np.minimum(products, 4) - 1.6)
        + 0.15 * rng.normal(size=count)
    )
    return Customers(
        customer=customer,
        salaried=salaried,
        digital=digital,
        pace=np.where(dormant, 0.05, pace),
        attachment=attachment,
        active_from=np.where(dormant, NEVER, active_from),
        state=np.full(count, ENGAGED),
        swept_on=np.full(count, -1),
    )


def next_month(rng: np.random.Generator, customers: Customers, first: int) -> None:
    """Move every customer's state into the month that begins on the day ``first``."""
    onset, sudden = _chances(customers.attachment)
    count = len(customers)
    chance, day = rng.random(count), first + rng.integers(0, _SWEPT_WITHIN, count)
    before, at_risk = customers.state, customers.active_from < first
    declines = at_risk & (before == ENGAGED) & (chance >= sudden) & (chance < sudden + onset)
    leaves = at_risk & (chance < np.where(before == ENGAGED, sudden, _LEAVES)) & (before != LEFT)
    recovers = (before == DECLINING) & (chance >= _LEAVES) & (chance < _LEAVES + _RECOVERS)
    after = np.select([leaves, declines, recovers], [LEFT, DECLINING, ENGAGED], before)
    customers.swept_on = np.where(leaves, day, customers.swept_on)
    customers.state = after


def probability_of_leaving(attachment: Numbers, state: Numbers, months: int = HORIZON) -> Numbers:
    """The chance that an engaged or declining customer leaves within so many months."""
    onset, sudden = _chances(attachment)
    engaged, declining = np.zeros(len(state)), np.zeros(len(state))
    for _ in range(months):
        engaged, declining = (
            sudden + onset * declining + (1 - sudden - onset) * engaged,
            _LEAVES + _RECOVERS * engaged + (1 - _LEAVES - _RECOVERS) * declining,
        )
    return np.where(state == ENGAGED, engaged, declining)


def _chances(attachment: Numbers) -> tuple[Numbers, Numbers]:
    """The chances of an engaged customer to fall into decline and to leave without a sign, in a month."""
    factor = np.exp(-_SLOPE * np.clip(attachment, -4, 4))
    return np.minimum(_ONSET * factor, 0.25), np.minimum(_SUDDEN * factor, 0.05)
