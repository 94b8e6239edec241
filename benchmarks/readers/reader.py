"""``python -m benchmarks.readers.reader WAREHOUSE STOP``: one reader, until the file STOP is there; prints JSON.

Opens ``current`` anew for every round, as ``docs/access.md`` tells analysts to, asks several questions over one
connection, and judges the answers against what that one release says of itself.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb

RELEASE = "select release_id from meta.release"
ROWS = "select table_name, row_count from meta.tables order by all"
QUESTIONS = {
    "customer.customer": "select count(*) from customer.customer",
    "mart.customer_360": "select count(distinct customer_id) from mart.customer_360",
    "customer.customer_record": "select count(*) from customer.customer_record "
    "inner join customer.customer using (customer_id)",
    "customer.customer_event": "select count(*) from customer.customer_event",
}


def round_of_questions(database: Path, seen: Counter[str]) -> None:
    """Ask every question of one connection; counts ``queries``, ``mixed`` and releases into ``seen``."""
    with duckdb.connect(str(database), read_only=True) as con:

        def ask(sql: str) -> list[tuple[Any, ...]]:
            seen["queries"] += 1
            return con.execute(sql).fetchall()

        ((release,),) = ask(RELEASE)
        said = dict(ask(ROWS))
        for table, question in QUESTIONS.items():
            if ask(question) != [(said[table],)]:
                seen["mixed"] += 1
        if ask(RELEASE) != [(release,)]:
            seen["mixed"] += 1
        seen[f"release {release}"] += 1


def main(warehouse: Path, stop: Path) -> None:
    """Read until told to stop; a query that fails is counted with the kind of its error, and reading goes on."""
    seen: Counter[str] = Counter()
    while not stop.exists():
        try:
            round_of_questions(warehouse / "current" / "customer360.duckdb", seen)
        except duckdb.Error as error:
            seen["failed"] += 1
            seen[f"error {type(error).__name__}"] += 1
    print(json.dumps(seen))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
