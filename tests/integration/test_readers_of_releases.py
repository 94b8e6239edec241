"""Analysts read while nights publish: the old release or the new one, never an error, never a mixture."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

READER = """
import sys, duckdb, time
from pathlib import Path
root, stop = Path(sys.argv[1]), Path(sys.argv[2])
kept = duckdb.connect(str((root / "current" / "customer360.duckdb").resolve()), read_only=True)
first = kept.execute("select release_id from meta.release").fetchall()
seen = set()
print("reading", flush=True)
while not stop.exists():
    assert kept.execute("select release_id from meta.release").fetchall() == first
    path = (root / "current" / "customer360.duckdb").resolve()
    with duckdb.connect(str(path), read_only=True) as con:
        day, customers, records, mart = con.execute(
            "select (select release_id from meta.release), (select count(*) from customer.customer), "
            "(select count(distinct customer_id) from customer.customer_record), "
            "(select count(*) from mart.customer_360)"
        ).fetchall()[0]
        assert customers == records == mart, (day, customers, records, mart)
        assert day == path.parent.name
        seen.add(day)
    time.sleep(0.02)
print(*sorted(seen))
"""


@pytest.mark.slow
def test_old_readers_keep_their_release_and_new_ones_see_a_whole_one(
    published_home: Path, run: Callable, tmp_path: Path
) -> None:
    stop = tmp_path / "stop"
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(published_home / "warehouse"), str(stop)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert reader.stdout.readline() == "reading\n"
        done = run("--home", published_home, "run", "--date", "2026-10-31")
        assert done.code == 0, done.output
        for _ in range(2):
            assert run("--home", published_home, "rollback", "2026-10-30.1").code == 0
            assert run("--home", published_home, "rollback", "2026-10-31.1").code == 0
    finally:
        stop.touch()
        said = reader.communicate(timeout=120)[0]
    assert reader.returncode == 0, said
    assert said.split() == ["2026-10-30.1", "2026-10-31.1"]
