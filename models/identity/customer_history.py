"""The crosswalk over time, and whom an id or a record means: today, or on a day of the past.

Here live how a night continues ``customer.customer_record_history`` and how people's references are resolved with it.
Which id a cluster gets is decided in ``customer_ids``; where retired ids lead, in ``customer/retired_customer.sql``.

An interval is half-open, [valid_from, valid_to): the record belonged to the customer on every business date from the
first up to, not including, the second; an empty valid_to is still. Between two nights nothing is known, so a night that
was left out belongs to the interval that was open. While its source does not deliver a record, it has no interval.
"""

import datetime as dt
from dataclasses import dataclass

import duckdb
from stdnum.iso7064 import mod_37_36


def extend_history(con: duckdb.DuckDBPyConnection, business_date: dt.date) -> None:
    """Create ``res.customer_record_history``: the history before the night, continued by the night's crosswalk.

    A function of these two alone, so that a date that is run again gives the same rows. Grain: (system, record_id,
    valid_from), with customer_id and valid_to.

    Args:
        con: Connection with ``work.history`` (the latest one before the date; may be empty) and
            ``res.customer_record`` (the night's crosswalk).
        business_date: The night's date.
    """
    con.execute(
        """
        create or replace table res.customer_record_history as
        select
            before.system,
            before.record_id,
            before.valid_from,
            if(before.valid_to is null and tonight.customer_id is null, $date::date, before.valid_to) as valid_to,
            before.customer_id
        from work.history as before
        left join res.customer_record as tonight using (system, record_id, customer_id)
        union all by name
        select tonight.system, tonight.record_id, $date::date as valid_from, null as valid_to, tonight.customer_id
        from res.customer_record as tonight
        anti join (from work.history where valid_to is null) using (system, record_id, customer_id)
        """,
        {"date": business_date},
    )


class NotFoundError(LookupError):
    """Nobody is meant; the message says why and what to write instead."""


@dataclass(frozen=True)
class Meant:
    """Whom a reference means.

    Attributes:
        asked: The reference as it was written.
        customer_id: The customer that it names, on the day that was asked for; for a record that is no longer
            delivered, the one that it belonged to last.
        valid_from: First date of the record's time with that customer; None for an id.
        valid_to: First date after it; None if it lasts, and for an id.
        living_customer_id: The customer that the id means now; None if nobody is left.
        retired_date: Since when the id lives no more; None if it lives.
        resolution: How the living customer was found (``customer.retired_customer``); None if the id lives.
    """

    asked: str
    customer_id: str
    valid_from: dt.date | None
    valid_to: dt.date | None
    living_customer_id: str | None
    retired_date: dt.date | None
    resolution: str | None


def find_customer(con: duckdb.DuckDBPyConnection, who: str, on: dt.date | None = None) -> Meant:
    """Whom a party record (``SYSTEM:RECORD_ID``) or a customer id, living or retired, means.

    Args:
        con: A release: ``customer.customer_record_history`` and ``customer.retired_customer`` are read.
        who: The reference.
        on: Business date on which the reference is read; None for the release's own.

    Raises:
        NotFoundError: no such record or customer, or none on that date.
    """
    system, colon, record_id = who.partition(":")
    of_it, key = ("system = ? and record_id = ?", [system, record_id]) if colon else ("customer_id = ?", [who])
    intervals = con.execute(
        "select customer_id, valid_from, valid_to from customer.customer_record_history "
        f"where {of_it} order by valid_from, valid_to",
        key,
    ).fetchall()
    if not intervals:
        raise NotFoundError(_unknown(con, who))
    asked = [row for row in intervals if on is None or (row[1] <= on and (row[2] is None or on < row[2]))]
    if not asked and not colon:
        raise NotFoundError(f"customer {who} had no party record on {on}")
    if not asked:
        spans = (f"{row[0]} from {row[1]}" + (f" until {row[2]} (not included)" if row[2] else "") for row in intervals)
        raise NotFoundError(f"{who} was not delivered on {on}; it was of customer {', '.join(spans)}")
    customer_id, valid_from, valid_to = asked[-1]
    retired = con.execute(
        "select living_customer_id, retired_date, resolution from customer.retired_customer where customer_id = ?",
        [customer_id],
    ).fetchall()
    living, retired_date, resolution = retired[0] if retired else (customer_id, None, None)
    if not colon:
        valid_from = valid_to = None
    return Meant(who, customer_id, valid_from, valid_to, living, retired_date, resolution)


def _unknown(con: duckdb.DuckDBPyConnection, who: str) -> str:
    system, colon, record_id = who.partition(":")
    if not colon:
        wrong = "" if mod_37_36.is_valid(who.upper()) else ": its check character does not fit"
        return f"{who!r} is not the id of a customer{wrong}; write a party record as SYSTEM:RECORD_ID"
    found = con.execute("select distinct system from customer.customer_record_history order by 1").fetchall()
    systems = [name for (name,) in found]
    if system not in systems:
        return f"{system!r} is no system of this bank: {', '.join(systems)}"
    return f"{system} delivered no party record {record_id!r}, neither in this release nor before"
