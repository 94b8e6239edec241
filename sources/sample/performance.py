"""How loans were served: the rows of the loan system's month ends, of loans running and of loans that ended.

What is outstanding falls evenly from the principal to what it is today; what is overdue is the missed instalments.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sources.sample.bank import COMPANY_BASE
from sources.sample.debtors import DEFAULT, Debtors, days_past_due
from sources.sample.lending import BASE_RATES, BUSINESS, CONSUMER, LOAN_PRODUCTS, Loans
from sources.sample.months import first_day, last_day
from sources.sample.registers import Register
from sources.sample.shapes import Rows
from sources.sample.text import Numbers, Text, constant, date_text, join, money, pick, serial

RUNNING, SETTLED, WRITTEN_OFF = range(3)
_ENDS = pa.array([None, "settled", "written_off"], pa.string())
_FIRST_ENDED = 800_000_001
_EARLIER_LOANS = 0.04  # a year, per borrower
_WRITTEN_OFF_FROM = DEFAULT + 5


@dataclass
class EarlierLoans(Rows):
    """Loans that ended within the past; ``borrower`` is a position, ``start`` a day, ``end`` and ``way`` how, when."""

    borrower: Numbers
    product: Numbers
    rate: Numbers
    principal: Numbers
    start: Numbers
    term_months: Numbers
    end: Numbers
    way: Numbers


@dataclass(frozen=True)
class Service:
    """How loans stood at the end of a day: cents outstanding and overdue, days past due."""

    outstanding: Numbers
    overdue: Numbers
    days: Numbers


def served(principal: Numbers, term_months: Numbers, outstanding: Numbers, missed: Numbers, days: Numbers) -> Service:
    """State how loans stand with so many missed instalments, so many days past due."""
    instalment = np.maximum(principal // np.maximum(term_months, 1), 1)
    late = (days > 0) & (outstanding > 0)
    return Service(
        outstanding, np.where(late, np.minimum(missed * instalment, outstanding), 0), np.where(late, days, 0)
    )


def at_month_end(loans: Loans, debtors: Debtors, missed: Numbers, month: int, today: int) -> Service:
    """How the loans stood at a month end on the day ``today`` or before, given the debtors' missed instalments."""
    owed = missed[debtors.debtor]
    end = last_day(month)
    days = within_age(days_past_due(debtors.due_day[debtors.debtor], owed, month), loans.start, end)
    return served(loans.principal, loans.term_months, outstanding_on(loans, end, today), owed, days)


def within_age(days: Numbers, start: Numbers, day: int) -> Numbers:
    """Cut days past due to what a loan's age allows: the first instalment is due after a month."""
    return np.asarray(np.minimum(days, np.maximum(day - start - 31, 0)))


def outstanding_on(loans: Loans, day: int, today: int) -> Numbers:
    """What was outstanding on a day, on a straight line from the principal to what is outstanding today."""
    repaid = loans.principal - loans.outstanding
    back = np.clip(today - day, 0, None) / np.maximum(today - loans.start, 1)
    return np.asarray(np.minimum(loans.outstanding + (repaid * back).astype(np.int64), loans.principal))


def earlier_loans(
    rng: np.random.Generator, borrowers: Register, loans: Loans, debtors: Debtors, missed: dict[int, Numbers]
) -> EarlierLoans:
    """Invent loans of today's borrowers that ended within the months of ``missed``: settled, or written off.

    What they cost above their product's rate is what the borrower's loan of today does.
    """
    months = np.array(sorted(missed))
    borrower = np.flatnonzero(rng.random(len(borrowers)) < _EARLIER_LOANS * len(months) / 12)
    count = len(borrower)
    end = rng.choice(months, count)
    way = np.full(count, SETTLED)
    for month in months.tolist():
        bad = (missed[month][debtors.debtor[borrower]] >= _WRITTEN_OFF_FROM) & (end >= month) & (way == SETTLED)
        end, way = np.where(bad, month, end), np.where(bad, WRITTEN_OFF, way)
    term = rng.choice([12, 24, 36], count)
    product = np.where(borrowers.entity[borrower] >= COMPANY_BASE, BUSINESS, CONSUMER)
    return EarlierLoans(
        borrower=borrower,
        product=product,
        rate=loans.rate[borrower] + BASE_RATES[product] - BASE_RATES[loans.product[borrower]],
        principal=np.round(np.exp(rng.normal(11.0, 0.6, count)) / 1000).astype(np.int64) * 100_000 + 1_000_000,
        start=first_day(end - term + 1) + rng.integers(0, 28, count),
        term_months=term,
        end=end,
        way=way,
    )


def earlier_at(earlier: EarlierLoans, debtors: Debtors, missed: Numbers, month: int) -> tuple[Numbers, Service]:
    """Which of the earlier loans are reported at a month end, and how they stood; the last time when they end."""
    rows = np.flatnonzero((earlier.end >= month) & (earlier.start <= last_day(month)))
    debtor = debtors.debtor[earlier.borrower[rows]]
    principal, start, term = earlier.principal[rows], earlier.start[rows], earlier.term_months[rows]
    settled = (earlier.end[rows] == month) & (earlier.way[rows] == SETTLED)
    gone = np.clip((last_day(month) - start) / (term * 30.4375), 0.0, 1.0)
    outstanding = np.where(settled, 0, np.maximum((principal * (1 - gone)).astype(np.int64), principal // (term + 1)))
    days = within_age(days_past_due(debtors.due_day[debtor], missed[debtor], month), start, last_day(month))
    return rows, served(principal, term, outstanding, missed[debtor], days)


def performance_columns(borrowers: Register, loans: Loans, service: Service, day: int) -> dict[str, Text]:
    """Write the month-end rows of the loans running on the day."""
    rows = np.flatnonzero(borrowers.held & (loans.start <= day))
    return {
        "loan_no": pick(borrowers.columns["loan_no"], rows),
        "cust_no": pick(borrowers.columns["cust_no"], rows),
        **_terms(loans, rows),
        **_state(
            day,
            Service(service.outstanding[rows], service.overdue[rows], service.days[rows]),
            np.zeros(len(rows), dtype=np.int64),
        ),
    }


def earlier_columns(
    borrowers: Register, earlier: EarlierLoans, rows: Numbers, service: Service, month: int
) -> dict[str, Text]:
    """Write the month-end rows of loans that have ended since."""
    return {
        "loan_no": serial(_FIRST_ENDED + rows, 9, "LN"),
        "cust_no": pick(borrowers.columns["cust_no"], earlier.borrower[rows]),
        **_terms(earlier, rows),
        **_state(last_day(month), service, np.where(earlier.end[rows] == month, earlier.way[rows], RUNNING)),
    }


def nothing(loans: Loans) -> dict[str, Text]:
    """The columns of a day that is no month end."""
    empty = np.empty(0, dtype=np.int64)
    none = pa.array([], pa.string())
    return {
        "loan_no": none,
        "cust_no": none,
        **_terms(loans, empty),
        **_state(0, Service(empty, empty, empty), empty),
    }


def _terms(loans: Loans | EarlierLoans, rows: Numbers) -> dict[str, Text]:
    return {
        "product": pick(LOAN_PRODUCTS, loans.product[rows]),
        "currency": constant("CNY", len(rows)),
        "principal": money(loans.principal[rows]),
        "rate": join("0.", serial(loans.rate[rows], 5)),
        "start_date": date_text(loans.start[rows], "-"),
        "term_months": serial(loans.term_months[rows]),
    }


def _state(day: int, service: Service, way: Numbers) -> dict[str, Text]:
    return {
        "as_of": constant(date_text(np.array([day]), "-")[0].as_py(), len(way)),
        "outstanding": money(service.outstanding),
        "overdue": money(service.overdue),
        "days_past_due": serial(service.days),
        "ended": pick(_ENDS, way),
    }
