"""The lake's atomic partitions and the engine's views over them."""

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from models.tables import Column, Table
from warehouse.engine import Engine, TableError, months_between
from warehouse.lake import DamagedPartitionError, Lake, MissingPartitionError

DAY1, DAY2 = dt.date(2026, 10, 29), dt.date(2026, 10, 30)


def _table(sql: str | None, *columns: tuple[str, str], inputs: tuple[str, ...] = ()) -> Table:
    return Table(
        layer="mart",
        name="thing",
        en="",
        zh="",
        key=(columns[0][0],),
        columns=tuple(Column(name, kind, False, "none", None, "x", "x") for name, kind in columns),
        sql=sql,
        inputs=inputs,
        published=False,
    )


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(Lake(tmp_path / "lake"), tmp_path / "spill", "1GB")


def _put(engine: Engine, table_id: str, day: dt.date, select: str) -> None:
    with duckdb.connect() as con:
        engine.lake.write(con, select, table_id, day)


def test_a_partition_is_replaced_whole_and_leaves_no_temporary_file(engine: Engine) -> None:
    _put(engine, "staging.a", DAY1, "select 1 as x")
    _put(engine, "staging.a", DAY1, "select 2 as x union all select 3")
    path = engine.lake.path("staging.a", DAY1)
    assert duckdb.sql(f"select list(x order by x) from '{path}'").fetchall() == [([2, 3],)]
    assert sorted(p.name for p in path.parent.iterdir()) == ["data.parquet", "data.parquet.sha256"]
    assert engine.lake.rows("staging.a", DAY1) == 2


def test_a_failed_write_leaves_the_old_partition(engine: Engine) -> None:
    _put(engine, "staging.a", DAY1, "select 1 as x")
    with pytest.raises(duckdb.Error):
        _put(engine, "staging.a", DAY1, "select error('broken') as x")
    path = engine.lake.path("staging.a", DAY1)
    assert duckdb.sql(f"select x from '{path}'").fetchall() == [(1,)]


@pytest.mark.parametrize("damage", [lambda b: b[:-40], lambda b: b[:90] + bytes([b[90] ^ 1]) + b[91:], lambda b: b""])
def test_a_damaged_partition_is_named_by_whoever_reads_it(engine: Engine, damage: Callable[[bytes], bytes]) -> None:
    for day in (DAY1, DAY2):
        _put(engine, "mart.thing", day, "select i from range(1000) t(i)")
    path = engine.lake.path("mart.thing", DAY1)
    path.write_bytes(damage(path.read_bytes()))
    named = rf"mart.thing of 2026-10-29 is damaged: the bytes of {path} are not .*'c360 run --date 2026-10-29'"
    with pytest.raises(DamagedPartitionError, match=named), engine.connection(DAY1, ["mart.thing"]):
        pass
    with pytest.raises(DamagedPartitionError), engine.connection(DAY2, ["previous.mart__thing"]):
        pass
    with engine.connection(DAY2, ["mart.thing"]) as con:
        assert con.execute("select count(*) from mart.thing").fetchall() == [(1000,)]
    _put(engine, "mart.thing", DAY1, "select 1 as i")
    assert engine.lake.rows("mart.thing", DAY1) == 1


def test_the_checksum_is_one_that_everybody_can_check(engine: Engine) -> None:
    _put(engine, "mart.thing", DAY1, "select 1 as i")
    path = engine.lake.path("mart.thing", DAY1)
    told = path.with_name("data.parquet.sha256").read_text().split()
    assert told == [hashlib.sha256(path.read_bytes()).hexdigest()]


def test_a_partition_of_an_older_version_has_no_checksum_and_is_read(engine: Engine) -> None:
    _put(engine, "mart.thing", DAY1, "select 1 as i")
    engine.lake.path("mart.thing", DAY1).with_name("data.parquet.sha256").unlink()
    assert engine.lake.rows("mart.thing", DAY1) == 1


def test_dates_and_previous(engine: Engine) -> None:
    assert engine.lake.previous("staging.a", DAY2) is None
    _put(engine, "staging.a", DAY1, "select 1 as x")
    _put(engine, "staging.a", DAY2, "select 1 as x")
    assert engine.lake.dates("staging.a") == [DAY1, DAY2]
    assert engine.lake.previous("staging.a", DAY2) == DAY1


def test_a_missing_input_says_which_table_and_what_to_do(engine: Engine) -> None:
    with (
        pytest.raises(MissingPartitionError, match=r"staging\.a has no partition for 2026-10-29; run the night"),
        engine.connection(DAY1, ["staging.a"]),
    ):
        pass


def test_history_shows_all_partitions_up_to_the_date(engine: Engine) -> None:
    _put(engine, "landing.core__t", DAY1, "select 1 as x")
    _put(engine, "landing.core__t", DAY2, "select 2 as x")
    for day, expected in ((DAY1, [(1,)]), (DAY2, [(1,), (2,)])):
        with engine.connection(day, ["landing_history.core__t"]) as con:
            assert con.execute("select x from landing_history.core__t order by x").fetchall() == expected


def test_previous_of_a_defined_table_is_empty_before_its_first_night_and_has_the_columns_of_today(
    engine: Engine,
) -> None:
    with engine.connection(DAY1, ["previous.customer__branch"]) as con:
        assert con.execute("select branch_id, branch_name from previous.customer__branch").fetchall() == []
    with engine.connection(DAY1) as con:
        engine.lake.write(con, "select 'core' as system, 'B1' as branch_id", "customer.branch", DAY1)
    with engine.connection(DAY2, ["previous.customer__branch"]) as con:
        found = con.execute("select system, branch_id, branch_name from previous.customer__branch").fetchall()
    assert found == [("core", "B1", None)]


def test_previous_shows_the_latest_earlier_partition_or_no_view(engine: Engine) -> None:
    _put(engine, "customer.record", DAY1, "select 'a' as x")
    with engine.connection(DAY2, ["previous.customer__record"]) as con:
        assert con.execute("select x from previous.customer__record").fetchall() == [("a",)]
    with (
        engine.connection(DAY1, ["previous.customer__record"]) as con,
        pytest.raises(duckdb.CatalogException),
    ):
        con.execute("select x from previous.customer__record")


def test_materialise_casts_orders_and_passes_parameters(engine: Engine) -> None:
    _put(engine, "staging.a", DAY1, "select * from (values (2, '1.5'), (1, '2.25')) t(k, v)")
    table = _table(
        "select v as amount, k as id, $business_date as day from staging.a",
        ("id", "bigint"),
        ("amount", "decimal(18,2)"),
        ("day", "date"),
        inputs=("staging.a",),
    )
    assert engine.materialise(table, DAY1, {"business_date": DAY1, "unused": 3}) == 2
    got = duckdb.sql(f"select cast(amount as varchar), id, day from '{engine.lake.path('mart.thing', DAY1)}'")
    assert got.fetchall() == [("2.25", 1, DAY1), ("1.50", 2, DAY1)]


def test_a_query_whose_columns_differ_from_the_definition_is_refused(engine: Engine) -> None:
    table = _table("select 1 as id, 2 as extra", ("id", "bigint"), ("amount", "bigint"))
    with pytest.raises(ValueError, match=r"mart\.thing: the query lacks \['amount'\] and has undefined \['extra'\]"):
        engine.materialise(table, DAY1)


def test_writing_the_same_rows_twice_gives_the_same_bytes(engine: Engine) -> None:
    table = _table("select i as id, hash(i) % 7 as v from range(300000) t(i)", ("id", "bigint"), ("v", "bigint"))
    engine.materialise(table, DAY1)
    first = engine.lake.path("mart.thing", DAY1).read_bytes()
    engine.materialise(table, DAY1)
    assert engine.lake.path("mart.thing", DAY1).read_bytes() == first


def test_a_business_date_column_is_the_files_not_the_folders(engine: Engine) -> None:
    _put(engine, "customer.event", DAY2, "select date '2026-10-29' as business_date")
    with engine.connection(DAY2, ["customer.event"]) as con:
        assert con.execute("select business_date from customer.event").fetchall() == [(DAY1,)]


def test_an_error_names_the_table_and_no_value_of_the_data(engine: Engine) -> None:
    _put(engine, "staging.a", DAY1, "select '310101199001011234' as k")
    table = _table("select cast(k as date) as id from staging.a", ("id", "date"), inputs=("staging.a",))
    with pytest.raises(TableError, match=r"mart\.thing: ConversionException") as caught:
        engine.materialise(table, DAY1)
    assert "310101199001011234" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_table_made_month_by_month_is_all_months_up_to_the_date_sorted_by_its_key(engine: Engine) -> None:
    _put(
        engine,
        "staging.a",
        DAY1,
        "select unnest(['2026-10-29', '2026-08-02', '2026-09-30', '2026-08-01']::date[]) as d",
    )
    table = replace(
        _table(
            "select $month as month, d as day from staging.a where d between $month and last_day($month)",
            *(("month", "date"), ("day", "date")),
            inputs=("staging.a",),
        ),
        key=("month", "day"),
        months_from="first",
    )
    assert engine.materialise(table, DAY1, {"first": dt.date(2026, 8, 1)}) == 4
    with engine.connection(DAY1) as con:
        rows = con.execute(f"select month, day from '{engine.lake.path('mart.thing', DAY1)}'").fetchall()
    assert [(str(month), str(day)) for month, day in rows] == [
        ("2026-08-01", "2026-08-01"),
        ("2026-08-01", "2026-08-02"),
        ("2026-09-01", "2026-09-30"),
        ("2026-10-01", "2026-10-29"),
    ]
    assert list(engine.spill.iterdir()) == []


def test_two_connections_that_spill_at_once_do_not_read_each_others_rows(engine: Engine) -> None:
    small = replace(engine, memory_limit="50MB", threads=1)
    rows = "select hash(i + {})::varchar as h from range(3000000) t(i)"
    with small.connection(DAY1) as one, small.connection(DAY1) as other:
        for number, con in ((1, one), (2, other)):
            con.execute(f"create table t as {rows.format(number)}")
        assert len(list(engine.spill.iterdir())) == 2
        for number, con in ((1, one), (2, other)):
            found = con.execute("select min(h), max(h), count(*) from t").fetchall()
            expected = f"select min(h), max(h), count(*) from ({rows.format(number)})"
            assert found == duckdb.sql(expected).fetchall()
    assert list(engine.spill.iterdir()) == []


def test_months_go_over_the_end_of_the_year() -> None:
    months = months_between(dt.date(2025, 11, 30), dt.date(2026, 2, 1))
    assert list(months) == [dt.date(2025, 11, 1), dt.date(2025, 12, 1), dt.date(2026, 1, 1), dt.date(2026, 2, 1)]
