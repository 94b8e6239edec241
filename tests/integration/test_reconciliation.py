"""Nights of the sample bank reconciled: from the control files to the marts; a change on the way is told."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import Outcome

from pipelines.reconciling import reconcile, unexplained
from pipelines.workspace import Workspace

SECOND = "2026-10-30"


@pytest.fixture(scope="module")
def workspace(published_home: Path) -> Workspace:
    return Workspace.open("sample", published_home)


@pytest.fixture
def spoil(workspace: Workspace) -> Iterator[Callable[[str, str], list[str]]]:
    """Change a table of the lake by a select over ``t`` and reconcile; all is as before afterwards."""
    lake, kept = workspace.lake, dict[str, pa.Table]()
    date = lake.dates("mart.customer_360")[-1]
    with duckdb.connect() as con:

        def change(table_id: str, select: str) -> list[str]:
            before = kept[table_id] = pq.read_table(lake.path(table_id, date), partitioning=None)
            con.register("before", before)
            con.execute("create or replace table t as from before")
            lake.write(con, select, table_id, date)
            reconcile(workspace, date)
            return [line.partition(" ")[2] for line in unexplained(workspace)]

        yield change
        for table_id, before in kept.items():
            con.register("before", before)
            lake.write(con, "from before", table_id, date)
    reconcile(workspace, date)


def _stated(workspace: Workspace, file: str) -> dict[str, str]:
    lines = (workspace.exports / "cards" / f"{file}_{SECOND.replace('-', '')}.ctl").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def test_what_the_control_file_states_is_in_the_marts(workspace: Workspace) -> None:
    release = workspace.releases.current()
    assert release is not None
    with duckdb.connect(str(release.database), read_only=True) as con:
        assert con.execute("select count(*) from meta.reconciliation where not is_explained").fetchall() == [(0,)]
        walk = dict(
            con.execute(
                "select step, step_amount from meta.reconciliation where object = 'card' and figure = 'rows'"
            ).fetchall()
        )
        limits = con.execute(
            "select step, sum(step_amount) from meta.reconciliation where subject = 'card' "
            "and figure = 'credit_limit_amount' and step in ('stated', 'customer') group by step order by step desc"
        ).fetchall()
        cards = con.execute("select count(*), sum(credit_limit_amount) from customer.card").fetchall()[0]
    said = _stated(workspace, "CARD")
    assert walk["stated"] == walk["staged"] == int(said["RECORD_COUNT"]) == cards[0]
    stated = Decimal(said["TOTAL_LIMIT"])
    assert stated / 100 == cards[1] or stated == cards[1]
    assert limits == [("stated", cards[1]), ("customer", cards[1])]


@pytest.mark.parametrize(
    ("table_id", "select", "expected"),
    [
        (
            "landing.core__account",
            "from t limit (select count(*) - 1 from t)",
            {"core account account rows: -1.0000 at landed"},
        ),
        (
            "staging.transaction",
            "select * replace (if(rowid = 0, amount - 0.01, amount) as amount) from t",
            {"at staged"},
        ),
        (
            "mart.customer_360",
            "select * replace (if(rowid = 0, mortgage_amount + 0.01, mortgage_amount) as mortgage_amount) from t",
            {"product mortgage base_balance_amount: +0.0100 at customer_360"},
        ),
    ],
)
def test_a_change_on_the_way_is_told_where_it_is(
    spoil: Callable[[str, str], list[str]], table_id: str, select: str, expected: set[str]
) -> None:
    found = spoil(table_id, select)
    assert found
    for told in expected:
        assert any(line.endswith(told) for line in found), found


def test_status_tells_what_is_missing(
    run: Callable[..., Outcome], workspace: Workspace, spoil: Callable[[str, str], list[str]]
) -> None:
    assert "missing" not in run("--home", workspace.home, "status").output
    spoil("customer.standing_order", "from t limit 0")
    spoil("customer.customer_record", "from t limit (select count(*) - 2 from t)")
    assert "party rows: +2.0000 at customer_360" in run("--home", workspace.home, "status").output
