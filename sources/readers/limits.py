"""How much of anything a delivery may hold: beyond it the file is refused, with what to do.

Generous for any honest export, small enough that no file takes the machine's memory or the night's time. What
the limits are about is each reader's knowledge; docs/contracts.md lists them.
"""

LONGEST_RECORD = 16 << 20
"""Bytes of one line, one record, one value of a database or a Parquet file."""

MOST_COLUMNS = 10_000
"""Columns of a header, a table or a Parquet file; distinct unknown keys of JSON lines."""

LONGEST_NAME = 1_000
"""Characters of a column's name."""

DEEPEST_JSON = 500
"""Objects and arrays within one another."""

FREE_EXPANSION = 64 << 20
LARGEST_EXPANSION = 250
"""A packed file's text may be this many times its bytes, once it is larger than ``FREE_EXPANSION`` bytes."""

LARGEST_CONTROL = 16 << 20
"""Bytes of a control file or manifest."""

MOST_DIGITS = 60
"""Digits, on either side of the point, of a figure in a control file."""

LONGEST_SELECT_SECONDS = 6 * 3600.0
"""Time that a database may take for one table or query."""

SHEET_BYTES, STRINGS_BYTES, PART_BYTES = 1 << 30, 64 << 20, 16 << 20
"""Bytes, unpacked, of a workbook's sheet, of its table of texts, and of each other part."""

SHEET_ROWS, SHEET_COLUMNS = 1_048_576, 16_384
"""What Excel itself can hold."""

CELL_BYTES = 1 << 20
"""Bytes of a cell or a tag; Excel itself holds 32,767 characters."""

PART_ELEMENTS = 20 * SHEET_COLUMNS
"""XML elements of a row, and of each part without rows."""

_SHOWN = 60


def largest_expansion(packed: int) -> int:
    """Bytes that a packed file of this many bytes may come to."""
    return max(FREE_EXPANSION, packed * LARGEST_EXPANSION)


def shown(name: str) -> str:
    """A name that came with a delivery, as messages show it: quoted, printable, and short."""
    return repr(name) if len(name) <= _SHOWN else f"{name[:_SHOWN]!r}..."
