"""Great Expectations over DuckDB: fails loudly when an upgrade of either moves the ground.

If ``test_with_transactions_...`` fails, the library has learnt to read DuckDB by itself: ``_without_transactions`` may
go. If one of the others fails, read the charter of quality/gx.py, then the library's ``execute_query``.
"""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from quality import gx
from quality.suites import Check, Suite

ROOT = Path(__file__).parents[2]
_KEY = {"column_list": ["a", "b"], "ignore_row_if": "never"}
_ROWS = {"unexpected_rows_query": "select 1 from {batch} where a > 2"}
CHECKS = (
    Check("unique", "ExpectColumnValuesToBeUnique", {"column": "a"}, "block", "m"),
    Check("key", "ExpectCompoundColumnsToBeUnique", _KEY, "block", "m"),
    Check("required", "ExpectColumnValuesToNotBeNull", {"column": "b"}, "block", "m"),
    Check("codes", "ExpectColumnValuesToBeInSet", {"column": "b", "value_set": ["x", "y"]}, "block", "m"),
    Check("range", "ExpectColumnValuesToBeBetween", {"column": "a", "min_value": 1}, "block", "m"),
    Check("count", "ExpectTableRowCountToBeBetween", {"min_value": 6}, "block", "m"),
    Check("rows", "UnexpectedRowsExpectation", _ROWS, "block", "m"),
    Check("columns", "ExpectTableColumnsToMatchSet", {"column_set": ["a", "c"], "exact_match": True}, "block", "m"),
)  # fmt: skip
SUITE = Suite("s.transaction", CHECKS)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        con.execute("create schema s")
        con.execute(
            "create table s.\"transaction\" as from (values (1, 'x'), (1, 'x'), (0, 'z'), (3, null), (4, null)) v(a, b)"
        )
        yield con


def test_every_expectation_in_use_counts_right(con: duckdb.DuckDBPyConnection) -> None:
    ((_, outcomes),) = gx.validate(con, [SUITE])
    found = {
        check.name: (o.passed, o.broken, o.unexpected_count, o.observed)
        for check, o in zip(CHECKS, outcomes, strict=True)
    }
    # counted by hand: rows (1,x) (1,x) (0,z) (3,null) (4,null)
    assert found == {
        "unique": (False, False, 2, "2 of 5 rows"),
        "key": (False, False, 2, "2 of 5 rows"),
        "required": (False, False, 2, "2 of 5 rows"),
        "codes": (False, False, 1, "1 of 5 rows"),
        "range": (False, False, 1, "1 of 5 rows"),
        "count": (False, False, None, "5 rows"),
        "rows": (False, False, 2, "2 offending rows"),
        "columns": (False, False, None, "missing c; unexpected b"),
    }


def test_an_empty_table_passes_what_speaks_of_rows(con: duckdb.DuckDBPyConnection) -> None:
    con.execute('delete from s."transaction"')
    ((_, outcomes),) = gx.validate(con, [SUITE])
    failed = {check.name for check, outcome in zip(CHECKS, outcomes, strict=True) if not outcome.passed}
    assert failed == {"count", "columns"}
    assert not any(outcome.broken for outcome in outcomes)


def test_the_library_never_calls_two_empty_key_values_the_same(con: duckdb.DuckDBPyConnection) -> None:
    """Why suites check a key with nullable columns by a query of their own."""
    con.execute("create table s.event as from (values (1, null), (1, null), (2, null)) v(a, b)")
    ((_, (outcome,)),) = gx.validate(con, [Suite("s.event", CHECKS[1:2])])
    assert outcome.passed


def test_with_transactions_every_count_would_be_broken(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    from duckdb_engine import ConnectionWrapper

    monkeypatch.setattr(gx, "_without_transactions", ConnectionWrapper)
    ((_, outcomes),) = gx.validate(con, [SUITE])
    assert [outcome.broken for outcome in outcomes[:-1]] == [True] * (len(CHECKS) - 1), "_without_transactions may go"


def test_a_broken_check_does_not_break_the_others(con: duckdb.DuckDBPyConnection) -> None:
    broken = [
        Check(f"broken_{n}", "UnexpectedRowsExpectation",
              {"unexpected_rows_query": f"select 1 from {{batch}} where cast(b as integer) = {n}"}, "block", "m")
        for n in range(8)
    ]  # fmt: skip
    ((_, outcomes),) = gx.validate(con, [Suite("s.transaction", (*broken, *CHECKS))])
    assert [outcome.broken for outcome in outcomes] == [True] * len(broken) + [False] * len(CHECKS)


def test_nothing_goes_out(con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection to the outside was attempted")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    gx.validate(con, [SUITE])


def test_importing_the_room_does_not_load_great_expectations() -> None:
    program = (
        "import sys, quality.gate, quality.suites, quality.report, quality.gx; "
        "sys.exit(any(name.split('.')[0] in ('great_expectations', 'sqlalchemy') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


def test_our_connection_stays_usable_and_no_cursor_stays_open(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    file = tmp_path / "f.duckdb"
    duckdb.connect(str(file)).close()
    with duckdb.connect() as mine:
        mine.execute(f"attach '{file}' as f (read_only)")
        mine.execute("create schema s; create table s.transaction as select 1 as a, 'x' as b")
        gx.validate(mine, [SUITE])
        assert mine.execute("select count(*) from s.transaction").fetchall() == [(1,)]
    duckdb.connect(str(file)).close()  # for writing: fails while a reader has it
