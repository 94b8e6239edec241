"""Columns of text, built whole: the few operations the generator composes every file from.

A text column is a ``pyarrow.StringArray``; indices, days and amounts are numpy arrays. Nothing here knows a
customer or a file format.
"""

from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike, NDArray

Text: TypeAlias = pa.StringArray
Numbers: TypeAlias = NDArray[Any]
Mask: TypeAlias = NDArray[np.bool_]

EPOCH = np.datetime64("1970-01-01", "D")
FULL_WIDTH_DIGITS = "０１２３４５６７８９"
_YEARS = pa.array([str(year) for year in range(1800, 2300)])
_PADDED = pa.array([f"{number:02d}" for number in range(100)])
_PLAIN = pa.array([str(number) for number in range(100)])


def pick(pool: Text, index: Numbers) -> Text:
    """Take a pool's entry for each index; an index below zero gives null."""
    index = np.asarray(index)
    return pool.take(pa.array(index, mask=index < 0))


def join(*parts: Text | str, sep: str = "") -> Text:
    """Join columns and constants row by row; a null part counts as empty text."""
    return pc.binary_join_element_wise(*parts, sep, null_handling="replace", null_replacement="")


def choose(mask: Mask, yes: Text | str | None, no: Text | str | None) -> Text:
    """Take ``yes`` where the mask holds, else ``no``; None is null."""
    return pc.if_else(
        pa.array(mask),
        pa.scalar(yes, pa.string()) if yes is None or isinstance(yes, str) else yes,
        pa.scalar(no, pa.string()) if no is None or isinstance(no, str) else no,
    )


def put(column: Text, rows: Numbers, values: Text) -> Text:
    """Return the column with the rows (ascending positions) replaced by ``values`` (one a row)."""
    if len(rows) == 0:
        return column
    mask = np.zeros(len(column), dtype=bool)
    mask[rows] = True
    return pc.replace_with_mask(column, pa.array(mask), values)


def blank(count: int) -> Text:
    """Return a column of nulls."""
    return pa.nulls(count, pa.string())


def constant(value: str, count: int) -> Text:
    """Return a column of one value."""
    return pa.repeat(pa.scalar(value, pa.string()), count)


def is_blank(column: Text) -> Mask:
    """Where the column is null."""
    return np.asarray(pc.is_null(column))


def together(*columns: Text) -> Text:
    """Put columns under one another."""
    return pa.concat_arrays(columns)


def serial(numbers: Numbers, width: int = 0, prefix: str = "") -> Text:
    """Write whole numbers, filled with zeros to the width, after a prefix."""
    column = pc.cast(pa.array(np.asarray(numbers, dtype=np.int64)), pa.string())
    if width:
        column = pc.utf8_lpad(column, width, "0")
    return join(prefix, column) if prefix else column


def money(cents: Numbers) -> Text:
    """Write amounts given in cents with two decimals, ``-1234.05``."""
    cents = np.asarray(cents, dtype=np.int64)
    whole, rest = np.divmod(np.abs(cents), 100)
    return join(choose(cents < 0, "-", ""), serial(whole), ".", pick(_PADDED, rest))


def from_bytes(matrix: NDArray[np.uint8], lengths: Numbers) -> Text:
    """Make text of an ASCII byte matrix (rows x width), each row cut to its length."""
    lengths = np.asarray(lengths, dtype=np.int32)
    offsets = np.zeros(len(lengths) + 1, dtype=np.int32)
    np.cumsum(lengths, out=offsets[1:])
    kept = matrix[np.arange(matrix.shape[1]) < lengths[:, None]]
    return pa.StringArray.from_buffers(len(lengths), pa.py_buffer(offsets), pa.py_buffer(kept))


def calendar(days: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Split days since 1970-01-01 into years, months (1-12) and days of the month (1-31)."""
    dates = EPOCH + np.asarray(days, dtype="timedelta64[D]")
    months = dates.astype("datetime64[M]")
    years = dates.astype("datetime64[Y]")
    return (
        years.astype(np.int64) + 1970,
        (months - years).astype(np.int64) + 1,
        (dates - months).astype(np.int64) + 1,
    )


def day_number(years: ArrayLike, months: ArrayLike, days: ArrayLike) -> Numbers:
    """Days since 1970-01-01 of calendar dates; a day past the month's end runs into the next month."""
    first = (np.asarray(years, dtype=np.int64) - 1970) * 12 + np.asarray(months, dtype=np.int64) - 1
    starts = first.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return np.asarray(starts + np.asarray(days, dtype=np.int64) - 1)


def date_text(days: Numbers, sep: str = "", padded: bool = True) -> Text:
    """Write dates as year, month and day with a separator; ``padded`` fills months and days with a zero."""
    years, months, month_days = calendar(days)
    numbers = _PADDED if padded else _PLAIN
    return join(pick(_YEARS, years - 1800), pick(numbers, months), pick(numbers, month_days), sep=sep)


def clock_text(seconds: Numbers, sep: str = ":") -> Text:
    """Write seconds of the day as hours, minutes and seconds."""
    seconds = np.asarray(seconds, dtype=np.int64)
    return join(
        pick(_PADDED, seconds // 3600),
        pick(_PADDED, seconds // 60 % 60),
        pick(_PADDED, seconds % 60),
        sep=sep,
    )


def full_width(column: Text) -> Text:
    """Write the digits of a column in full width."""
    for digit, wide in enumerate(FULL_WIDTH_DIGITS):
        column = pc.replace_substring(column, str(digit), wide)
    return column


def draw(rng: np.random.Generator, weights: ArrayLike, count: int) -> Numbers:
    """Draw ``count`` indices with probabilities proportional to the weights."""
    bounds = np.cumsum(np.asarray(weights, dtype=np.float64))
    index = np.searchsorted(bounds, rng.random(count) * bounds[-1], side="right")
    return np.asarray(np.minimum(index, len(bounds) - 1))
