"""Text of values that arrive typed (databases, Excel): exact, ISO for dates, and the same everywhere."""

import datetime as dt
import json
from decimal import Decimal
from typing import Any


def as_text(value: Any) -> str | None:
    """Spell one value: decimals with all their digits, dates and times in ISO 8601, bytes in hexadecimal."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dt.date | dt.time):  # datetime is a date
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=as_text)
    return str(value)


def as_spreadsheet_text(value: Any) -> str | None:
    """Spell a cell: numbers with the 15 digits that a spreadsheet keeps, a midnight as a date."""
    if isinstance(value, float):
        return format(Decimal(f"{value:.15g}"), "f")
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    return as_text(value)
