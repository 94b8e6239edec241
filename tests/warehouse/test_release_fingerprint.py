"""Fingerprints: blind to the order of rows, and to nothing else."""

import datetime as dt
import random
from decimal import Decimal
from typing import Any

import duckdb
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from models.tables import Column
from warehouse.fingerprint import Fingerprint, combine, fingerprint

COLUMNS = tuple(
    Column(name, kind, False, "none", None, name, name)
    for name, kind in (("a", "varchar"), ("b", "bigint"), ("c", "decimal(18,2)"), ("d", "date"))
)
ROW = st.tuples(
    st.none() | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.decimals(-9999, 9999, places=2),
    st.none() | st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)),
)
Row = tuple[Any, ...]


def _print(rows: list[Row]) -> Fingerprint:
    with duckdb.connect() as con:
        con.execute("create table t (a varchar, b bigint, c decimal(18,2), d date)")
        if rows:
            con.executemany("insert into t values (?, ?, ?, ?)", rows)
        return fingerprint(con, "t", COLUMNS)


@settings(deadline=None, max_examples=40)
@given(st.lists(ROW, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: list[Row], shuffle: random.Random) -> None:
    other = list(rows)
    shuffle.shuffle(other)
    assert _print(rows) == _print(other)


@settings(deadline=None, max_examples=40)
@given(st.lists(ROW, min_size=1, max_size=12), st.integers(0, 11), ROW)
def test_every_changed_lost_or_added_row_matters(rows: list[Row], place: int, new: Row) -> None:
    place %= len(rows)
    assume(rows[place] != new)
    before = _print(rows)
    assert _print([*rows[:place], new, *rows[place + 1 :]]) != before
    assert _print(rows[:place] + rows[place + 1 :]) != before
    assert _print([*rows, rows[place]]) != before


def test_a_value_that_moves_to_another_column_or_row_matters() -> None:
    def of(*rows: tuple[str | None, int | None]) -> Fingerprint:
        return _print([(a, b, None, None) for a, b in rows])

    assert of(("x", 1), ("y", 2)) != of(("x", 2), ("y", 1))
    assert of((None, 1)) != of(("", 1))
    assert _print([("1", None, Decimal(1), None)]) != _print([("1", 1, None, None)])


def test_names_and_types_of_columns_matter() -> None:
    with duckdb.connect() as con:
        con.execute("create table t as select 1::bigint as b, 1::bigint as e")
        b, e = (Column(name, "bigint", False, "none", None, "x", "x") for name in ("b", "e"))
        wide = Column("b", "decimal(18,2)", False, "none", None, "x", "x")
        assert len({fingerprint(con, "t", [column]).content_hash for column in (b, e, wide)}) == 3


def test_many_tables_have_one_hash_whatever_their_order() -> None:
    one, two = Fingerprint(1, "a"), Fingerprint(2, "b")
    assert combine({"x": one, "y": two}) == combine({"y": two, "x": one})
    assert combine({"x": one, "y": two}) != combine({"x": two, "y": one})
