"""Months as whole numbers since January 1970, and their first and last days as days since 1970-01-01."""

from typing import overload

import numpy as np

from sources.sample.text import Numbers


def month_of(day: int) -> int:
    """The month that a day belongs to."""
    return int(np.datetime64(day, "D").astype("datetime64[M]").astype(np.int64))


@overload
def first_day(month: int) -> int: ...
@overload
def first_day(month: Numbers) -> Numbers: ...
def first_day(month: int | Numbers) -> int | Numbers:
    """The first day of a month."""
    days = np.asarray(month).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return int(days) if days.ndim == 0 else days


def last_day(month: int) -> int:
    """The last day of a month."""
    return first_day(month + 1) - 1


def last_month_end(day: int) -> int:
    """The latest month whose last day is the day or before it."""
    return month_of(day + 1) - 1
