"""What two releases differ in: counted by hand on tables of a few rows."""

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from release_home import AMOUNT, DAY, FACTS, ID, KIND, Result, publish, store, table

from models.tables import Column, Table
from warehouse.build import Bounds, duckdb_config
from warehouse.candidate import build_candidate
from warehouse.lake import Lake
from warehouse.release import Release, ReleaseError
from warehouse.release_diff import RowChanges, compared

SYSTEM = Column("system", "varchar", True, "none", None, "System", "系统")
RECORD = Column("record_id", "varchar", True, "C1", None, "Record", "记录")
CROSSWALK = table("customer", "customer_record", SYSTEM, RECORD, ID, key=("system", "record_id"))
HOLDING = table("mart", "holding", ID, KIND, AMOUNT, key=("customer_id", "party_type"))
CONFIG = duckdb_config(Bounds("1GB", 1))


def _published(home: Path, *tables: tuple[Table, str]) -> Release:
    """Publish tables, each with its rows as SQL values."""
    lake = Lake(home / "lake")
    with duckdb.connect() as con:
        for one, values in tables:
            names = ", ".join(column.name for column in one.columns)
            lake.write(con, f"select * from (values {values}) as t({names})", one.id, DAY)
    known = {one.id: one for one, _ in tables}
    with build_candidate(store(home), lake, known, DAY, FACTS) as candidate:
        return candidate.finish([Result(name) for name in known])


# of one customer the amount changed, of another it became known; P is new, R is gone; the second key column counts
BEFORE = "('A', 'person', 1.00), ('A', 'organisation', 2.00), ('B', 'person', null), ('R', 'person', 5.00)"
AFTER = "('A', 'person', 1.01), ('A', 'organisation', 2.00), ('B', 'person', 0.00), ('P', 'person', 5.00)"


def test_rows_are_added_changed_and_removed_by_the_whole_key(tmp_path: Path) -> None:
    before = _published(tmp_path, (HOLDING, BEFORE))
    after = _published(tmp_path, (HOLDING, AFTER))
    with compared(before, after, CONFIG) as comparison:
        [change] = comparison.tables()
        assert change.rows == RowChanges(added=1, changed=2, removed=1)
        assert comparison.columns(change) == {"balance_amount": 2}
        assert comparison.customers() == {}
    with compared(before, before, CONFIG) as comparison:
        assert comparison.tables()[0].rows == RowChanges(0, 0, 0)
    with store(tmp_path).connect() as con:
        told = "select previous_release_id, added_row_count, changed_row_count, removed_row_count from meta.changes"
        assert con.execute(f"{told} where table_name = 'mart.holding'").fetchall() == [("2026-01-31.1", 1, 2, 1)]
        assert con.execute(f"{told} where table_name = 'meta.columns'").fetchall() == [
            ("2026-01-31.1", None, None, None)
        ]


def test_columns_come_go_and_change_their_type_without_making_rows_another(tmp_path: Path) -> None:
    before = _published(tmp_path, (HOLDING, BEFORE))
    count = Column("balance_amount", "bigint", False, "none", None, "Balance", "余额")
    note = Column("note", "varchar", False, "none", None, "Note", "备注")
    other = replace(HOLDING, columns=(ID, KIND, count, note))
    rows = "('A', 'person', 7, 'x'), ('A', 'organisation', 7, 'x'), ('B', 'person', 7, 'x'), ('R', 'person', 7, 'x')"
    after = _published(tmp_path, (other, rows))
    with compared(before, after, CONFIG) as comparison:
        change = comparison.table("mart.holding")
    assert change.rows == RowChanges(0, 0, 0)
    assert (change.columns_added, change.columns_removed) == (["note"], [])
    assert change.columns_retyped == ["balance_amount: decimal(18,2) -> bigint"]


def test_a_table_of_one_release_and_a_key_of_other_columns_cannot_be_compared_by_row(tmp_path: Path) -> None:
    before = _published(tmp_path, (HOLDING, BEFORE))
    other = replace(HOLDING, key=("customer_id",))
    after = _published(tmp_path, (other, "('A', 'person', 1.00)"), (CROSSWALK, "('core', '1', 'A')"))
    with compared(before, after, CONFIG) as comparison:
        assert {change.table: change.rows for change in comparison.tables()} == {
            "mart.holding": None,
            "customer.customer_record": None,
        }
        assert comparison.table("customer.customer_record").before is None
        with pytest.raises(ReleaseError, match=r"neither release has a table 'mart\.nothing'"):
            comparison.table("mart.nothing")


def test_customers_are_born_retired_merged_and_split(tmp_path: Path) -> None:
    # A and B become A; S parts into S and T; G goes with its record; N comes with a new one
    before = _published(
        tmp_path,
        (
            CROSSWALK,
            "('core', '1', 'A'), ('core', '2', 'B'), ('core', '3', 'S'), ('card', '3', 'S'), ('core', '5', 'G')",
        ),
    )
    after = _published(
        tmp_path,
        (
            CROSSWALK,
            "('core', '1', 'A'), ('core', '2', 'A'), ('core', '3', 'S'), ('card', '3', 'T'), ('core', '6', 'N')",
        ),
    )
    with compared(before, after, CONFIG) as comparison:
        assert comparison.customers() == {"born": 2, "retired": 2, "merged": 1, "split": 1}
    with store(tmp_path).connect() as con:
        found = con.execute("select * from meta.customer_changes order by change_kind").fetchall()
    was = "2026-01-31.1"
    assert found == [("born", was, 2), ("merged", was, 1), ("retired", was, 2), ("split", was, 1)]


def test_a_damaged_current_release_does_not_keep_the_next_from_being_published(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    damaged = publish(tmp_path, 1)
    damaged.database.write_bytes(b"not a database" * 1000)
    after = publish(tmp_path, 2)
    assert store(tmp_path).current() == after
    assert "release 2026-01-31.1 cannot be read" in caplog.text
    with store(tmp_path).connect() as con:
        assert con.execute("select added_row_count from meta.changes").fetchall()[0] == (None,)
