"""Releases: what is in one, when a new one appears, and what never becomes current."""

import datetime as dt
import shutil
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from release_home import DAY, FACTS, NOON, PASSED, ROWS, TABLES, Result, land, look, publish, read, store, table

import warehouse.release_store
from models.tables import Column, Table
from warehouse.candidate import build_candidate
from warehouse.facts import quarantine_files
from warehouse.lake import Lake, MissingPartitionError
from warehouse.release import ReleaseBlockedError, ReleaseError
from warehouse.release_store import ReleaseStore

EARLIER, LATER = dt.date(2026, 1, 30), dt.date(2026, 2, 1)


def _ids(home: Path) -> list[str]:
    return [release.id for release in store(home).list()]


def _current(home: Path) -> str | None:
    current = store(home).current()
    return current.id if current else None


def _folders(home: Path) -> set[str]:
    return {path.name for path in (home / "warehouse" / "releases").iterdir()}


# what is in a release


def test_a_release_holds_the_tables_with_keys_checks_and_comments(tmp_path: Path) -> None:
    release = publish(tmp_path, 1)
    assert release.id == "2026-01-31.1"
    assert release.database == tmp_path / "warehouse/releases/2026-01-31.1/customer360.duckdb"
    with duckdb.connect(str(release.database), read_only=True) as con:
        rules = con.execute(
            "select constraint_type, constraint_text from duckdb_constraints() "
            "where schema_name = 'customer' and constraint_type <> 'NOT NULL'"
        ).fetchall()
        assert ("PRIMARY KEY", "PRIMARY KEY(customer_id)") in rules
        assert any(kind == "CHECK" and "organisation" in text for kind, text in rules)
        comments = dict(
            con.execute(
                "select column_name, comment from duckdb_columns() where table_name = 'customer_360'"
            ).fetchall()
        )
        assert comments["balance_amount"] == "Balance (CNY) | 余额"
        assert con.execute("select comment from duckdb_tables() where table_name = 'customer'").fetchall() == [
            ("English of customer | customer的中文",)
        ]
        assert (
            con.execute("select sum(balance_amount) from mart.customer_360").fetchall()[0][0]
            == sum(range(ROWS)) + ROWS * 5 / 100
        )
    with duckdb.connect() as con:
        marts = con.execute(f"select count(*) from '{release.path}/mart/customer_360.parquet'").fetchall()
    assert marts == [(ROWS,)]
    assert not list(release.path.glob("*.wal"))


def test_every_meta_table_and_column_is_commented_in_both_languages(tmp_path: Path) -> None:
    with store(tmp_path).connect() if publish(tmp_path, 1) else None as con:  # type: ignore[union-attr]
        comments = con.execute(
            "select table_name, column_name, comment from duckdb_columns() where schema_name = 'meta'"
        ).fetchall()
    assert {name for name, _, _ in comments} == {
        "release", "tables", "columns", "lineage", "check_result", "delivery", "distribution", "drift", "quarantine",
        "changes", "customer_changes", "reconciliation",
    }  # fmt: skip
    assert all(comment and " | " in comment for _, _, comment in comments)


def test_a_release_says_what_it_is_and_what_it_was_made_from(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    with store(tmp_path).connect() as con:
        row = con.execute(
            "select release_id, business_date, published_at, bank, code_version, model_version, "
            "engine_version, source_dates from meta.release"
        ).fetchall()
        assert row == [
            (
                "2026-01-31.1", DAY, NOON.replace(tzinfo=None), "sample", "0.1.0", "none",
                duckdb.__version__, {"core": DAY},
            )
        ]  # fmt: skip
        assert con.execute("select table_name, row_count from meta.tables order by 1").fetchall() == [
            ("customer.customer", ROWS),
            ("mart.customer_360", ROWS),
        ]
        assert con.execute("select * exclude (observed, message) from meta.check_result order by 1").fetchall() == [
            ("customer.customer", "rows", "block", True, False, 0),
            ("mart.customer_360", "rows", "block", True, False, 0),
        ]
        assert con.execute("select delivered_rows, landed_rows, quarantined_rows from meta.delivery").fetchall() == [
            (ROWS + 1, ROWS, 1)
        ]
        assert con.execute(
            "select data_type, unit, is_key, pii_class, allowed_values from meta.columns "
            "where column_name in ('balance_amount', 'party_type') order by column_name"
        ).fetchall() == [
            ("decimal(18,2)", "CNY", False, "none", None),
            ("varchar", None, False, "none", "person, organisation"),
        ]


def test_changes_compare_with_the_release_that_was_current(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    publish(tmp_path, 2, LATER)
    with store(tmp_path).connect("2026-01-31.1") as con:
        first = con.execute("select * from meta.changes where table_name = 'customer.customer'").fetchall()
    with store(tmp_path).connect() as con:
        second = con.execute("select * from meta.changes where table_name = 'customer.customer'").fetchall()
    assert first == [("customer.customer", None, ROWS, None, None, None, None, None, True)]
    # the content of every row is another, the key none
    assert second == [("customer.customer", "2026-01-31.1", ROWS, ROWS, 0, 0, ROWS, 0, True)]


def test_quarantine_is_listed_without_the_bytes(tmp_path: Path) -> None:
    lake = land(tmp_path, 1)
    for day in (EARLIER, DAY, LATER):
        # before there were ids their partitions had none
        quarantine_id = "'QA' as quarantine_id, " if day == DAY else ""
        for name in ("core__customer", "core__transaction"):
            with duckdb.connect() as con:
                lake.write(
                    con,
                    f"select {quarantine_id}'core' as system, 'x' as object, 'X.csv' as source_file, 7 as source_line, "
                    "'birth' as field, 'required' as rule, 'is empty' as reason, 'SECRET'::blob as raw",
                    f"landing.quarantine__{name}",
                    day,
                )
    files = quarantine_files(lake, DAY, full=["core__customer"], accumulating=["core__transaction"])
    with build_candidate(store(tmp_path), lake, TABLES, DAY, replace(FACTS, quarantine=files)) as candidate:
        release = candidate.finish(PASSED)
    with store(tmp_path).connect() as con:
        rows = con.execute("select * from meta.quarantine").fetchall()
    # of a full delivery only the date's own rows are missing, of an accumulating one the earlier ones too
    place, why = ("X.csv", 7), ("birth", "required", "is empty")
    today = ("core", "x", DAY, *place, "QA", *why)
    assert rows == [("core", "x", EARLIER, *place, None, *why), today, today]
    assert b"SECRET" not in release.database.read_bytes()


# when a new one appears


def test_the_same_content_again_changes_nothing_whatever_the_order_of_rows(tmp_path: Path) -> None:
    first = publish(tmp_path, 1)
    before = first.database.stat()
    again = publish(tmp_path, 1, reverse=True)
    assert (again.id, again.unchanged, first.unchanged) == ("2026-01-31.1", True, False)
    assert (first.database.stat().st_ino, first.database.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert _folders(tmp_path) == {"2026-01-31.1"}


def test_other_content_of_the_same_date_is_number_two(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    second = publish(tmp_path, 2)
    assert (second.id, second.unchanged) == ("2026-01-31.2", False)
    assert _ids(tmp_path) == ["2026-01-31.1", "2026-01-31.2"]
    assert look(tmp_path / "warehouse/current/customer360.duckdb") == {
        "releases": ["2026-01-31.2"],
        "contents": [[2, 2 * ROWS]],
    }


def test_a_changed_definition_is_changed_content(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    one = TABLES["mart.customer_360"]
    better = replace(
        one, columns=(*one.columns[:1], replace(one.columns[1], en="Balance, better said"), one.columns[2])
    )
    with build_candidate(store(tmp_path), Lake(tmp_path / "lake"), {**TABLES, one.id: better}, DAY, FACTS) as candidate:
        assert candidate.finish(PASSED).id == "2026-01-31.2"


def test_an_older_date_is_published_without_becoming_current(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    assert publish(tmp_path, 2, EARLIER).id == "2026-01-30.1"
    assert _ids(tmp_path) == ["2026-01-30.1", "2026-01-31.1"]
    assert _current(tmp_path) == "2026-01-31.1"


def test_a_clock_that_was_set_back_changes_neither_order_nor_number(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    with build_candidate(
        ReleaseStore(tmp_path / "warehouse", clock=lambda: NOON - dt.timedelta(days=2)),
        land(tmp_path, 2),
        TABLES,
        DAY,
        FACTS,
    ) as candidate:
        again = candidate.finish(PASSED)
    assert (again.id, again.published_at) == (f"{DAY}.2", NOON - dt.timedelta(days=2))
    assert store(tmp_path).current() == again == store(tmp_path).list()[-1]


def test_tables_that_are_not_published_stay_out(tmp_path: Path) -> None:
    hidden = replace(table("customer", "secret", TABLES["customer.customer"].columns[0]), published=False)
    lake = land(tmp_path, 1)
    with build_candidate(store(tmp_path), lake, {**TABLES, hidden.id: hidden}, DAY, FACTS) as candidate:
        release = candidate.finish(PASSED)
    assert set(release.rows) == set(TABLES)


def test_a_release_that_was_removed_is_made_again_from_the_lake(tmp_path: Path) -> None:
    first = publish(tmp_path, 1)
    publish(tmp_path, 2, LATER)
    shutil.rmtree(first.path)
    with build_candidate(store(tmp_path), Lake(tmp_path / "lake"), TABLES, DAY, FACTS) as candidate:
        again = candidate.finish(PASSED)
    assert (again.id, again.content_hash, again.tables) == (first.id, first.content_hash, first.tables)
    assert _current(tmp_path) == "2026-02-01.1"


def test_rows_of_a_customer_lie_together_whatever_the_key(tmp_path: Path) -> None:
    record = Column("record_id", "varchar", True, "C1", None, "Record", "记录")
    records = table("customer", "customer_record", record, TABLES["customer.customer"].columns[0], key=("record_id",))
    lake = land(tmp_path, 1)
    with duckdb.connect() as con:
        values = "('1', 'B'), ('2', 'A'), ('3', 'B'), ('4', 'A')"
        lake.write(con, f"select * from (values {values}) as t(record_id, customer_id)", records.id, DAY)
    with build_candidate(store(tmp_path), lake, {**TABLES, records.id: records}, DAY, FACTS) as candidate:
        candidate.finish([*PASSED, Result(records.id)])
    with store(tmp_path).connect() as con:
        assert con.execute("select record_id from customer.customer_record").fetchall() == [
            ("2",),
            ("4",),
            ("1",),
            ("3",),
        ]


# what is refused


def test_a_failing_blocking_check_keeps_the_last_release(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    lake = land(tmp_path, 2)
    failed = Result("customer.customer", "key_unique", passed=False, unexpected_count=3)
    with (
        pytest.raises(ReleaseBlockedError, match=r"customer\.customer: key_unique failed"),
        build_candidate(store(tmp_path), lake, TABLES, DAY, FACTS) as candidate,
    ):
        candidate.finish([*PASSED, failed])
    assert _folders(tmp_path) == {"2026-01-31.1"}
    assert _current(tmp_path) == "2026-01-31.1"
    warned = replace(failed, severity="warn")
    with build_candidate(store(tmp_path), lake, TABLES, DAY, FACTS) as candidate:
        assert candidate.finish([*PASSED, warned]).id == "2026-01-31.2"


def test_a_table_that_nobody_checked_is_not_published(tmp_path: Path) -> None:
    with (
        pytest.raises(ReleaseBlockedError, match=r"mart\.customer_360 has not been checked"),
        build_candidate(store(tmp_path), land(tmp_path, 1), TABLES, DAY, FACTS) as candidate,
    ):
        candidate.finish(PASSED[:1])
    assert _current(tmp_path) is None


@pytest.mark.parametrize(
    "select",
    [
        "select 'P-17' as customer_id, 'person' as party_type, 1 as content from range(2)",
        "select null as customer_id, 'person' as party_type, 1 as content",
        "select 'P-17' as customer_id, 'robot' as party_type, 1 as content",
    ],
    ids=["key", "required", "codes"],
)
def test_rows_that_break_constraints_reach_the_gate_but_never_a_release(tmp_path: Path, select: str) -> None:
    lake = land(tmp_path, 1)
    with duckdb.connect() as con:
        rows = lake.write(con, select, "customer.customer", DAY)
    with build_candidate(store(tmp_path), lake, TABLES, DAY, FACTS) as candidate:
        with duckdb.connect(str(candidate.database), read_only=True) as con:
            assert con.execute("select count(*) from customer.customer").fetchall() == [(rows,)]
        with pytest.raises(ReleaseBlockedError, match=r"customer\.customer breaks its constraints") as refused:
            candidate.finish(PASSED)
    assert "P-17" not in str(refused.value)
    assert "robot" not in str(refused.value)


def test_a_file_that_differs_from_the_lake_is_not_published(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    with build_candidate(store(tmp_path), land(tmp_path, 2), TABLES, DAY, FACTS) as candidate:
        with duckdb.connect(str(candidate.database)) as con:
            con.execute("delete from customer.customer where customer_id = 'C7'")
        with pytest.raises(ReleaseError, match=f"customer.customer: {ROWS - 1} rows written, {ROWS} expected"):
            candidate.finish(PASSED)
    assert _current(tmp_path) == "2026-01-31.1"


def test_a_missing_partition_says_which_and_leaves_nothing(tmp_path: Path) -> None:
    lake = land(tmp_path, 1)
    with pytest.raises(MissingPartitionError, match=r"customer\.customer has no partition for 2026-02-01"):
        build_candidate(store(tmp_path), lake, TABLES, LATER, FACTS)
    assert _folders(tmp_path) == set()
    assert publish(tmp_path, 1).id == "2026-01-31.1"


def test_two_processes_do_not_publish_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warehouse.release_store, "LOCK_SECONDS", 0.05)
    lake = land(tmp_path, 1)
    with build_candidate(store(tmp_path), lake, TABLES, DAY, FACTS):
        with pytest.raises(ReleaseError, match="another process is publishing"):
            build_candidate(store(tmp_path), lake, TABLES, DAY, FACTS)
        with pytest.raises(ReleaseError, match="another process is publishing"):
            store(tmp_path).rollback()
    assert _folders(tmp_path) == set()


# reading


def test_in_one_process_an_open_release_stays_and_a_new_connection_sees_the_new_one(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    with store(tmp_path).connect() as old:
        publish(tmp_path, 2)
        with store(tmp_path).connect() as new:
            assert read(new)["contents"] == [[2, 2 * ROWS]]
        assert read(old)["contents"] == [[1, 2 * ROWS]]


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    with store(tmp_path).connect() as con, pytest.raises(duckdb.InvalidInputException, match="read-only"):
        con.execute("delete from customer.customer")


def test_a_nullable_key_gets_no_primary_key(tmp_path: Path) -> None:
    event = Column("related_customer_id", "varchar", False, "C1", None, "Other", "另一")
    first = TABLES["customer.customer"].columns[0]
    events: Table = table("customer", "customer_event", first, event, key=("customer_id", "related_customer_id"))
    lake = land(tmp_path, 1)
    with duckdb.connect() as con:
        lake.write(con, "select 'C1' as customer_id, null::varchar as related_customer_id", events.id, DAY)
    with build_candidate(store(tmp_path), lake, {**TABLES, events.id: events}, DAY, FACTS) as candidate:
        assert candidate.finish([*PASSED, Result(events.id)]).rows[events.id] == 1
