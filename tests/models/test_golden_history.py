"""The golden record over time, night by night on tables of a few rows."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from sql_tables import Row, given, made

HISTORY = "customer.customer_history"
D1, D2, D3, D4 = (dt.date(2026, 1, day) for day in (5, 6, 7, 8))


class Nights:
    """Nights in a row: each knows what the last one left."""

    def __init__(self) -> None:
        self.con = duckdb.connect()
        self.con.execute("create schema previous")
        given(self.con, HISTORY)
        self.keep()

    def keep(self) -> None:
        """Make the history that was made last the one of the night before."""
        self.con.execute(f"create or replace table previous.customer__customer_history as from {HISTORY}")

    def run(self, date: dt.date, **customers: dict[str, Any]) -> list[Row]:
        """Run a night over golden records by customer id; what is known then, not yet kept."""
        counts = {"record_count": 1, "system_count": 1}
        rows = [{"customer_id": id_, "party_type": "person", **counts, **said} for id_, said in customers.items()]
        given(self.con, "customer.customer", *rows)
        return made(self.con, HISTORY, date)


@pytest.fixture
def nights() -> Iterator[Nights]:
    one = Nights()
    yield one
    one.con.close()


def _periods(rows: list[Row], column: str) -> list[tuple[Any, ...]]:
    return [(row["customer_id"], row["valid_from"], row["valid_to"], row[column]) for row in rows]


def test_a_period_lasts_as_long_as_every_attribute_stays_the_same(nights: Nights) -> None:
    nights.run(D1, A={"city": "Graz", "mobile": None}, B={"city": "Linz"})
    nights.keep()
    # B's records are counted anew, which says nothing of B
    nights.run(D2, A={"city": "Graz", "mobile": None}, B={"city": "Linz", "record_count": 2})
    nights.keep()
    found = nights.run(D3, A={"city": "Wien", "mobile": None}, B={"city": "Linz"})
    assert _periods(found, "city") == [("A", D1, D3, "Graz"), ("A", D3, None, "Wien"), ("B", D1, None, "Linz")]
    nights.keep()
    # a value that becomes known, and one that is known no more, are changes; a value that comes back is a new period
    found = nights.run(D4, A={"city": "Graz", "mobile": "+436641234567"}, B={"city": None})
    assert _periods(found, "city") == [
        ("A", D1, D3, "Graz"), ("A", D3, D4, "Wien"), ("A", D4, None, "Graz"),
        ("B", D1, D4, "Linz"), ("B", D4, None, None),
    ]  # fmt: skip


def test_a_retired_customer_ends_and_one_that_comes_back_begins_again(nights: Nights) -> None:
    nights.run(D1, A={"city": "Graz"})
    nights.keep()
    assert _periods(nights.run(D2), "city") == [("A", D1, D2, "Graz")]
    nights.keep()
    assert _periods(nights.run(D3), "city") == [("A", D1, D2, "Graz")]
    nights.keep()
    found = nights.run(D4, A={"city": "Graz"})
    assert _periods(found, "city") == [("A", D1, D2, "Graz"), ("A", D4, None, "Graz")]


def test_a_night_run_again_and_a_backfill_in_order_give_the_same(nights: Nights) -> None:
    nights.run(D1, A={"city": "Graz"})
    nights.keep()
    wrong = nights.run(D2, A={"city": "Linz"})
    first = nights.run(D2, A={"city": "Wien"})
    assert nights.run(D2, A={"city": "Wien"}) == first != wrong
    # the date was not kept when it was left out: the one after it knows only of the one before
    late = nights.run(D3, A={"city": "Wien"})
    assert _periods(late, "city") == [("A", D1, D3, "Graz"), ("A", D3, None, "Wien")]
    nights.run(D2, A={"city": "Wien"})
    nights.keep()
    assert _periods(nights.run(D3, A={"city": "Wien"}), "city") == [("A", D1, D2, "Graz"), ("A", D2, None, "Wien")]
