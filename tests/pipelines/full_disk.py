"""A program for ``test_disk.py``: on a disk of a few megabytes, does what a night does until the disk is full.

    python full_disk.py FOLDER      prints, for each kind of work, what a step tells and what the next run finds

The disk is filled up before each kind of work and emptied after it.
"""

import contextlib
import datetime as dt
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

for room in ("warehouse", "sources"):
    sys.path.insert(0, str(Path(__file__).parents[1] / room))

from conftest import Desk  # noqa: E402
from release_home import look, publish  # noqa: E402

from pipelines.disk import full_disk  # noqa: E402
from warehouse.audit import AuditLog  # noqa: E402
from warehouse.engine import Engine  # noqa: E402
from warehouse.lake import Lake  # noqa: E402

DAY = dt.date(2026, 10, 29)
ROWS = 300_000


def _fill(folder: Path, left: int) -> None:
    """Take all room but ``left`` bytes."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as handle, contextlib.suppress(OSError):
        while handle.write(bytes(4096)) == 4096:
            pass
    os.truncate(filler, max(filler.stat().st_size - left, 0))


def _tried(home: Path, left: int, work: Callable[[], object], look_at: Callable[[], object] = str) -> dict[str, object]:
    """Do the work on a full disk, then with room again."""
    before = _files(home)
    _fill(home, left)
    try:
        work()
        told = None
    except Exception as error:
        told = full_disk(error, home) or repr(error)
    meanwhile = look_at()
    (home / "filler").unlink()
    left_over = sorted(_files(home) - before)
    try:
        work()
        again = "done"
    except Exception as error:
        again = repr(error)
    return {"told": told, "left": left_over, "again": again, "meanwhile": meanwhile}


def _files(home: Path) -> set[str]:
    return {str(p.relative_to(home)) for p in home.rglob("*") if p.is_file() and p.name not in ("filler", ".lock")}


def main(home: Path) -> None:
    engine = Engine(Lake(home / "lake"), home / "spill", "60MB", 1)
    desk = Desk(home / "desk")
    fields: dict[str, dict[str, object]] = {"id": {"primaryKey": True}, "name": {}}
    desk.put("f.csv", "id,name\n" + "".join(f"{n},{hash(n * n)}\n" for n in range(20_000)))
    contract = desk.contract(fields)
    publish(home, 1)
    current = home / "warehouse/current/customer360.duckdb"

    def write() -> None:
        with engine.connection(DAY) as con:
            engine.lake.write(con, f"select hash(i) as h from range({ROWS}) t(i)", "mart.thing", DAY)

    def spill() -> None:
        with engine.connection(DAY) as con:
            con.execute(f"create table t as select hash(i)::varchar as h from range({ROWS * 5}) t(i)")
            con.execute("select sum(n) from (select h, row_number() over (order by h) as n from t)").fetchall()

    audit = AuditLog(home / "audit")
    told: dict[str, object] = {
        "landing": _tried(home, 20_000, lambda: desk.land(contract)),
        "lake": _tried(home, 20_000, write),
        "spill": _tried(home, 100_000, spill),
        # room for part of a line, which the system writes without an error
        "audit": _tried(home, 8_192, lambda: audit.append("published", "x" * 20_000)),
        "candidate": _tried(home, 200_000, lambda: publish(home, 2), lambda: look(current)["contents"]),
        "audit faults": audit.verify().faults,
        "current": look(current)["contents"],
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
