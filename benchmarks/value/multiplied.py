"""A night many times over: each row that the tables of value read, copied under other ids.

Amounts, dates and how rows hang together stay those of the real night, so the distributions are real too; copies know
nothing of each other. A copy's rows stand beside the row that they copy, as those of a larger bank would.
"""

import datetime as dt
import re
import shutil
from collections.abc import Iterable

from pipelines.workspace import Workspace

_ID = re.compile(r"_id(_l|_r)?$")
_CUSTOMER = re.compile(r"(customer|household)_id$")


def multiply(source: Workspace, target: Workspace, inputs: Iterable[str], date: dt.date, copies: int) -> None:
    """Write each input's partition ``copies`` times over into the target's lake, and take the fitted models over.

    Args:
        source: a home with a whole night of the date.
        target: an empty home.
        inputs: tables ``layer.name``; of one without ids there is one copy.
        date: the business date.
        copies: how many, up to 100.

    Raises:
        MissingPartitionError: the source has no such night.
    """
    for table_id in inputs:
        columns = [column.name for column in source.tables[table_id].columns]
        times = copies if any(_ID.search(name) for name in columns) else 1
        with source.engine.connection(date, [table_id]) as con:
            told = ", ".join(f'{_renamed(name)} as "{name}"' for name in columns)
            rows = f"select *, unnest(range({times})) as copy_no from {table_id}"
            numbered = f"select *, lpad(cast(copy_no as varchar), 2, '0') as copy from ({rows})"
            target.lake.write(con, f"select {told} from ({numbered})", table_id, date)
    shutil.copytree(source.home / "models", target.home / "models")


def _renamed(name: str) -> str:
    if _CUSTOMER.search(name):  # as long as it was: what follows the letter is a hash, two characters less do no harm
        return f'left("{name}", 1) || copy || substr("{name}", 4)'
    return f'"{name}" || copy' if _ID.search(name) else f'"{name}"'
