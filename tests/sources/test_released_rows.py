"""Rows that a steward releases from quarantine land: once, in their place, never over a newer change."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from conftest import DATE, DAY_BEFORE, Desk, refused

from sources.contract import Contract
from sources.landing import read_manifest

NEXT = dt.date(2026, 2, 1)
FIELDS: dict[str, dict[str, Any]] = {
    "id": {"primaryKey": True},
    "name": {},
    "balance": {"type": "number", "minimum": 0},
}
DELTA = {"pattern": "c_{date:%Y%m%d}.csv", "mode": "delta", "reject_limit": 0.9, "on_repeat": "ignore"}
APPEND = {**DELTA, "mode": "append"}
DELTA = {**DELTA, "operation": {"field": "name", "delete": ["gone"]}}


def _put(desk: Desk, date: dt.date, *lines: str) -> None:
    desk.put(f"c_{date:%Y%m%d}.csv", "\n".join(("id,name,balance", *lines)) + "\n")


def _landed(desk: Desk, date: dt.date = DATE) -> list[tuple[Any, ...]]:
    names = ("id", "balance", "_source_line", "_quarantine_id")
    return [tuple(row[name] for name in names) for row in desk.rows(date=date)]


def _ids(desk: Desk, date: dt.date = DATE) -> list[str]:
    return [row["quarantine_id"] for row in desk.quarantine(date=date)]


def _account(desk: Desk, date: dt.date) -> tuple[int, int, int, int]:
    found = read_manifest(desk.partition("core__customer", date))
    assert found is not None
    return found.rows_delivered, found.rows_released, found.rows_landed, found.rows_quarantined


# The id


def test_the_same_bytes_under_the_same_rule_have_the_same_id_every_night(desk: Desk) -> None:
    contract = desk.contract(FIELDS, reject_limit=0.9)
    desk.put("c.csv", "id,name,balance\n1,a,1\n2,b,-2\n3,c,x\n")
    desk.land(contract, DAY_BEFORE)
    first = _ids(desk, DAY_BEFORE)
    desk.put("c.csv", "id,name,balance\n9,z,9\n1,a,1\n3,c,x\n2,b,-2\n2,b,-3\n")
    desk.land(contract)
    again = _ids(desk)
    assert [again[1], again[0]] == first
    assert len(set(again)) == 3
    assert all(len(one) == 13 and one.startswith("Q") for one in again)


def test_the_record_is_kept_with_tokens_and_an_unreadable_row_has_none(desk: Desk) -> None:
    fields = {"no": {"primaryKey": True}, "card": {"tokenise": "card"}, "sum": {"type": "number"}}
    card = "4111111111111111"
    desk.put("c.csv", f"no,card,sum,x\n1,{card},x,7\n2,{card}\n3,,3,\n")
    desk.land(desk.contract(fields, reject_limit=0.9), key=b"k" * 32)
    readable, unreadable = (row["record"] for row in desk.quarantine())
    assert unreadable is None
    assert '"no":"1"' in readable
    assert '"_extra":"{\\"x\\":\\"7\\"}"' in readable
    assert card not in readable
    assert "411111-" in readable


# A full object delivers the row again


def test_a_corrected_and_a_waived_row_land_where_they_were_delivered(desk: Desk) -> None:
    contract = desk.contract(FIELDS, reject_limit=0.5)
    desk.put("c.csv", "id,name,balance\n1,a,1\n2,b,-2\n3,c,x\n4,d,4\n")
    before = desk.land(contract)
    assert (before.rows_landed, before.rows_quarantined) == (2, 2)
    low, wrong = _ids(desk)
    hashes = {row["id"]: row["_record_hash"] for row in desk.rows()}

    result = desk.land(contract, released={low: None, wrong: {"balance": "30"}})
    assert _landed(desk) == [("1", "1", 2, None), ("2", "-2", 3, low), ("3", "30", 4, wrong), ("4", "4", 5, None)]
    assert (result.rows_delivered, result.rows_released, result.rows_landed, result.rows_quarantined) == (4, 0, 4, 0)
    assert (result.quarantined_by_rule, desk.quarantine()) == ({}, [])
    assert [row.quarantine_id for row in result.released] == [low, wrong]
    after = {row["id"]: row["_record_hash"] for row in desk.rows()}
    assert hashes.items() <= after.items()

    desk.put("c.csv", "id,name,balance\n1,a,1\n2,b,-2\n3,c,30\n4,d,4\n")
    desk.land(contract)
    delivered = {row["id"]: row["_record_hash"] for row in desk.rows()}
    assert after["3"] == delivered["3"], "a corrected row is hashed as if it had been delivered so"


def test_released_rows_do_not_count_towards_the_limit(desk: Desk) -> None:
    contract = desk.contract(FIELDS, reject_limit=0.5)
    desk.put("c.csv", "id,name,balance\n1,a,1\n2,b,-2\n3,c,3\n")
    desk.land(contract)
    [low] = _ids(desk)
    desk.put("c.csv", "id,name,balance\n1,a,1\n2,b,-2\n3,c,-3\n")
    assert "2 of 3 rows cannot be used" in refused(desk, contract)[0]
    assert desk.land(contract, released={low: None}).rows_landed == 2


def test_an_unreadable_row_lands_with_all_fields_given_anew(desk: Desk) -> None:
    contract = desk.contract(FIELDS, reject_limit=0.5)
    desk.put("c.csv", "id,name,balance\n1,a,1\ntorn\n3,c,3\n")
    desk.land(contract)
    [torn] = _ids(desk)
    desk.land(contract, released={torn: {"id": "2", "name": "b", "balance": "2"}})
    assert [row["id"] for row in desk.rows()] == ["1", "2", "3"]
    assert desk.rows()[1]["_extra"] is None


def test_rows_of_a_workbook_are_released_too(desk: Desk) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    for cells in (("id", "name", "balance"), (1, "a", 1), (2, "b", -2)):
        book.active.append(cells)
    book.save(desk.exports / "core" / "c.xlsx")
    contract = desk.contract(FIELDS, format="excel", reject_limit=0.5)
    desk.land(contract)
    [low] = _ids(desk)
    desk.land(contract, released={low: {"balance": "2"}})
    assert _landed(desk) == [("1", "1", 2, None), ("2", "2", 3, low)]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"balance": "y"}, "breaks a rule still"),
        ({"id": "1", "balance": "2"}, "another row has the key"),
        ({"id": " ", "balance": "2"}, "has no key"),
        (None, "is waived, but another row has its key"),
    ],
)
def test_a_released_row_that_still_cannot_land_stays_in_quarantine(
    desk: Desk, changes: dict[str, str | None] | None, why: str
) -> None:
    contract = desk.contract(FIELDS, reject_limit=0.5)
    desk.put("c.csv", f"id,name,balance\n{2 if changes else 1},b,-2\n1,a,1\n")
    desk.land(contract)
    [low] = _ids(desk)
    result = desk.land(contract, released={low: changes})
    assert result.held == (low,), why
    assert result.released == ()
    assert (_ids(desk), [row["id"] for row in desk.rows()]) == ([low], ["1"])


# An object that delivers changes or new rows does not deliver the row again


def _two_nights(desk: Desk, delivery: dict[str, Any], second: tuple[str, ...]) -> tuple[Contract, str]:
    contract = desk.contract(FIELDS, **delivery)
    _put(desk, DAY_BEFORE, "1,a,1", "2,b,-2", "3,c,3")
    desk.land(contract, DAY_BEFORE)
    [low] = _ids(desk, DAY_BEFORE)
    _put(desk, DATE, *second)
    return contract, low


@pytest.mark.parametrize("delivery", [APPEND, DELTA])
def test_it_enters_the_next_landing_once(desk: Desk, delivery: dict[str, Any]) -> None:
    contract, low = _two_nights(desk, delivery, ("4,d,4", "5,e,-5"))
    released: dict[str, dict[str, str | None] | None] = {low: {"balance": "2"}}
    desk.land(contract, history=[DAY_BEFORE], released=released)
    assert _landed(desk) == [("2", "2", 3, low), ("4", "4", 2, None)]
    assert _account(desk, DATE) == (2, 1, 2, 1)
    assert desk.rows()[0]["_source_file"] == "c_20260130.csv"

    first = [desk.partition(name, DATE).read_bytes() for name in ("core__customer", "quarantine__core__customer")]
    _put(desk, NEXT, "6,f,6")
    desk.land(contract, NEXT, history=[DAY_BEFORE, DATE], released=released)
    assert [row["id"] for row in desk.rows(date=NEXT)] == ["6"], "it is there already"
    for date, others in ((DATE, [DAY_BEFORE, NEXT]), (DAY_BEFORE, [DATE, NEXT])):
        desk.land(contract, date, history=others, released=released)
    assert first == [desk.partition(n, DATE).read_bytes() for n in ("core__customer", "quarantine__core__customer")]
    assert _account(desk, DAY_BEFORE) == (3, 0, 2, 1), "it has entered the night after"


def test_nights_run_anew_from_the_start_land_it_where_it_was_delivered(desk: Desk) -> None:
    contract, low = _two_nights(desk, APPEND, ("4,d,4",))
    desk.land(contract, DAY_BEFORE, released={low: None})
    desk.land(contract, history=[DAY_BEFORE], released={low: None})
    assert _landed(desk, DAY_BEFORE) == [("1", "1", 2, None), ("2", "-2", 3, low), ("3", "3", 4, None)]
    assert _landed(desk) == [("4", "4", 2, None)]


def test_rows_without_a_key_that_read_alike_are_each_released(desk: Desk) -> None:
    fields = {name: {k: v for k, v in spec.items() if k != "primaryKey"} for name, spec in FIELDS.items()}
    contract = desk.contract(fields, **APPEND)
    for date in (DAY_BEFORE, DATE):
        _put(desk, date, "1,a,1", "2,b,-2", "2,b,-2")
    desk.land(contract, DAY_BEFORE)
    low, same = _ids(desk, DAY_BEFORE)
    assert low == same
    desk.land(contract, history=[DAY_BEFORE], released={low: None})
    assert [row["id"] for row in desk.rows()] == ["2", "2", "1", "2", "2"]
    assert _account(desk, DATE) == (3, 2, 5, 0)


def test_a_row_of_an_append_object_does_not_enter_if_its_key_has_come_since(desk: Desk) -> None:
    contract, low = _two_nights(desk, APPEND, ("2,b,2",))
    desk.land(contract, history=[DAY_BEFORE], released={low: None})
    assert _landed(desk) == [("2", "2", 2, None)]
    _put(desk, NEXT, "6,f,6")
    result = desk.land(contract, NEXT, history=[DAY_BEFORE, DATE], released={low: None})
    assert (result.held, [row["id"] for row in desk.rows(date=NEXT)]) == ((low,), ["6"])


@pytest.mark.parametrize("change", ["2,b,2", "2,gone,0"])
def test_a_row_of_a_delta_does_not_enter_over_a_newer_change(desk: Desk, change: str) -> None:
    """Whether the newer change, or deletion, came tonight or on a night since."""
    contract, low = _two_nights(desk, DELTA, (change,))
    result = desk.land(contract, history=[DAY_BEFORE], released={low: None})
    assert (result.held, len(desk.rows())) == ((low,), 1)
    _put(desk, NEXT, "6,f,6")
    result = desk.land(contract, NEXT, history=[DAY_BEFORE, DATE], released={low: None})
    assert (result.held, [row["id"] for row in desk.rows(date=NEXT)]) == ((low,), ["6"])


def test_a_row_of_a_delta_enters_over_an_older_one(desk: Desk) -> None:
    contract, _ = _two_nights(desk, DELTA, ("1,a,-1", "9,i,9"))
    desk.land(contract, history=[DAY_BEFORE])
    [low] = _ids(desk)
    _put(desk, NEXT, "6,f,6")
    desk.land(contract, NEXT, history=[DAY_BEFORE, DATE], released={low: {"balance": "10"}})
    assert _landed(desk, NEXT) == [("1", "10", 2, low), ("6", "6", 2, None)]


def test_of_two_changes_of_a_delta_the_later_delivered_holds_whenever_they_are_released(desk: Desk) -> None:
    contract, first = _two_nights(desk, DELTA, ("2,b,-22", "9,i,9"))
    desk.land(contract, history=[DAY_BEFORE])
    [second] = _ids(desk)
    _put(desk, NEXT, "6,f,6")
    both = {first: None, second: None}
    result = desk.land(contract, NEXT, history=[DAY_BEFORE, DATE], released=both)
    assert (_landed(desk, NEXT)[0], result.held) == (("2", "-22", 2, second), (first,))

    desk.land(contract, NEXT, history=[DAY_BEFORE, DATE], released={first: None})
    assert _landed(desk, NEXT)[0] == ("2", "-2", 3, first)
    later = NEXT + dt.timedelta(days=1)
    _put(desk, later, "7,g,7")
    desk.land(contract, later, history=[DAY_BEFORE, DATE, NEXT], released=both)
    assert _landed(desk, later)[0] == ("2", "-22", 2, second), "what entered before it was delivered before it"


def test_partitions_of_before_there_was_the_column_do_not_stop_a_release(desk: Desk, tmp_path: Path) -> None:
    import duckdb

    contract, low = _two_nights(desk, DELTA, ("4,d,4",))
    path = desk.partition("core__customer", DAY_BEFORE)
    old = tmp_path / "old.parquet"
    with duckdb.connect() as con:
        con.execute(f"copy (select * exclude (_quarantine_id) from '{path}') to '{old}' (format parquet)")
    old.replace(path)
    desk.land(contract, history=[DAY_BEFORE], released={low: None})
    assert [row["id"] for row in desk.rows()] == ["2", "4"]
