"""A small warehouse for the release tests: two invented tables whose every row says which release it belongs to.

Also a program, for tests that need real processes:
    python release_home.py publish HOME FIRST LAST     publish contents FIRST..LAST, one after another
    python release_home.py die HOME CONTENT N          publish, but kill -9 itself at the N-th touch of a file
    python release_home.py die-landing HOME            kill -9 two writers of the lake at each touch of a file
    python release_home.py hold HOME                   open the current release, answer one query per input line
    python release_home.py look HOME PATH              open PATH once and print what it holds
"""

import datetime as dt
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from models.tables import Column, Table
from warehouse.candidate import build_candidate
from warehouse.facts import DeliveredObject, Facts
from warehouse.lake import Lake
from warehouse.release import Release
from warehouse.release_store import ReleaseStore

DAY = dt.date(2026, 1, 31)
ROWS = 500
NOON = dt.datetime(2026, 2, 1, 12, 0, tzinfo=dt.UTC)

ID = Column("customer_id", "varchar", True, "C1", None, "Customer", "客户")
CONTENT = Column("content", "bigint", True, "none", "contents", "Which content the row is of", "内容")
AMOUNT = Column("balance_amount", "decimal(18,2)", False, "none", "CNY", "Balance", "余额")
KIND = Column("party_type", "varchar", True, "none", None, "Kind", "类型", ("person", "organisation"))


def table(layer: str, name: str, *columns: Column, key: tuple[str, ...] = ("customer_id",)) -> Table:
    return Table(layer, name, f"English of {name}", f"{name}的中文", key, columns, None, (), True)


TABLES = {
    one.id: one
    for one in (
        table("customer", "customer", ID, KIND, CONTENT),
        table("mart", "customer_360", ID, AMOUNT, CONTENT),
    )
}


@dataclass(frozen=True)
class Result:
    """A check's result as the release records it."""

    table: str
    check_name: str = "rows"
    severity: str = "block"
    passed: bool = True
    broken: bool = False
    unexpected_count: int | None = 0
    observed: str = "500 rows"
    message: str = "there are rows"


PASSED = tuple(Result(name) for name in TABLES)
FACTS = Facts(
    bank="sample",
    code_version="0.1.0",
    model_version="none",
    deliveries=(DeliveredObject("core", "customer", DAY, "full", ("CUST.csv",), ROWS + 1, ROWS, 1),),
)


def land(home: Path, content: int, day: dt.date = DAY, reverse: bool = False) -> Lake:
    """Write the partitions of both tables for one content; the order of rows is another if reversed."""
    lake = Lake(home / "lake")
    direction = "desc" if reverse else "asc"
    rows = f"from range({ROWS}) t(i) order by i {direction}"
    with duckdb.connect() as con:
        lake.write(
            con,
            f"select 'C' || i as customer_id, 'person' as party_type, {content} as content {rows}",
            "customer.customer",
            day,
        )
        lake.write(
            con,
            f"select 'C' || i as customer_id, i + 0.05 as balance_amount, {content} as content {rows}",
            "mart.customer_360",
            day,
        )
    return lake


def store(home: Path, keep: int = 7) -> ReleaseStore:
    return ReleaseStore(home / "warehouse", keep, keep_month_ends=0, clock=lambda: NOON)


def publish(home: Path, content: int, day: dt.date = DAY, keep: int = 7, reverse: bool = False) -> Release:
    """Land one content and publish it."""
    lake = land(home, content, day, reverse)
    with build_candidate(store(home, keep), lake, TABLES, day, FACTS) as candidate:
        return candidate.finish(PASSED)


def read(con: duckdb.DuckDBPyConnection) -> dict[str, object]:
    """What a reader sees: release ids, and every content that any row of any table is of."""
    ids = con.execute("select release_id from meta.release").fetchall()
    contents = con.execute(
        "select content, count(*) from "
        "(select content from customer.customer union all select content from mart.customer_360) group by content"
    ).fetchall()
    return {"releases": [row[0] for row in ids], "contents": [list(row) for row in contents]}


def look(path: Path) -> dict[str, object]:
    with duckdb.connect(str(path), read_only=True) as con:
        return read(con)


def _die_at(touch: int, root: str) -> None:
    """Kill this process at its N-th touch of a file or folder below the root: opening, renaming, linking, removing."""
    seen = 0

    def hook(event: str, args: tuple[object, ...]) -> None:
        nonlocal seen
        if event.startswith(("os.", "open", "shutil.")) and any(str(a).startswith(root) for a in args):
            seen += 1
            if seen == touch:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def _die_landing(home: Path) -> None:
    """Fork writers that die twice at the same touch, and after each pair a reader that verifies what is there."""
    for touch in range(1, 200):
        _forked(land, home, 1)
        died = [_forked(_land_and_die, home, touch)[0] == -signal.SIGKILL for _ in range(2)]
        print(json.dumps({"died": died, "contents": json.loads(_forked(_verified, home)[1])}), flush=True)
        if not any(died):
            return


def _land_and_die(home: Path, touch: int) -> None:
    _die_at(touch, str(home / "lake" / "customer"))
    land(home, 2)


def _verified(home: Path) -> str:
    lake = Lake(home / "lake")
    with duckdb.connect() as con:
        read = "select distinct content from read_parquet(?, hive_partitioning = false)"
        return json.dumps([con.execute(read, [str(lake.require(one, DAY))]).fetchall()[0][0] for one in TABLES])


def _forked(work: Callable[..., object], *arguments: object) -> tuple[int, str]:
    """Run in a fork, which is faster than a process; returns how it ended and what it gave."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, str(work(*arguments)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        text = told.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), text


def main(command: str, home: Path, *rest: str) -> None:
    if command == "publish":
        for content in range(int(rest[0]), int(rest[1]) + 1):
            print(publish(home, content, keep=2).id, flush=True)
    elif command == "die":
        lake = land(home, int(rest[0]))
        _die_at(int(rest[1]), str(home / "warehouse"))
        with build_candidate(store(home, keep=1), lake, TABLES, DAY, FACTS) as candidate:
            candidate.finish(PASSED)
        print("alive", flush=True)
    elif command == "die-landing":
        _die_landing(home)
    elif command == "hold":
        with store(home).connect() as con:
            print(json.dumps(read(con)), flush=True)
            for _line in sys.stdin:
                print(json.dumps(read(con)), flush=True)
    elif command == "look":
        print(json.dumps(look(Path(rest[0]))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
