"""The crosswalk over time: intervals, retired ids, and whom a reference means on a date."""

import datetime as dt
from collections import Counter

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.identity.customer_history import NotFoundError, find_customer
from tests.models.customer_nights import customers, events, history, night, retired

DAYS = [dt.date(2026, 3, day) for day in range(1, 8)]


def test_an_interval_lasts_while_the_record_stays_with_its_customer() -> None:
    con = duckdb.connect()
    night(con, DAYS[0], [{"a"}, {"b"}])
    ids = customers(con)
    night(con, DAYS[1], [{"b"}, {"a"}])
    assert history(con) == [("a", ids["a"], DAYS[0], None), ("b", ids["b"], DAYS[0], None)]


def test_a_merge_closes_the_interval_and_opens_the_next_on_the_same_day() -> None:
    con = duckdb.connect()
    night(con, DAYS[0], [{"a"}])
    night(con, DAYS[1], [{"a"}, {"b"}])
    ids = customers(con)
    night(con, DAYS[2], [{"a", "b"}])
    assert set(history(con)) == {
        ("a", ids["a"], DAYS[0], None),
        ("b", ids["b"], DAYS[1], DAYS[2]),
        ("b", ids["a"], DAYS[2], None),
    }


def test_a_record_has_no_interval_while_it_is_not_delivered() -> None:
    con = duckdb.connect()
    night(con, DAYS[0], [{"a"}, {"b"}])
    ids = customers(con)
    night(con, DAYS[1], [{"b"}])
    night(con, DAYS[2], [{"b"}])
    night(con, DAYS[3], [{"b"}, {"a"}])
    assert history(con) == [
        ("a", ids["a"], DAYS[0], DAYS[1]),
        ("a", ids["a"], DAYS[3], None),
        ("b", ids["b"], DAYS[0], None),
    ]


def test_a_night_that_was_left_out_belongs_to_the_interval_that_was_open() -> None:
    con = duckdb.connect()
    night(con, DAYS[0], [{"a", "b"}])
    ids = customers(con)
    night(con, DAYS[4], [{"a"}, {"b"}])
    assert ("b", ids["b"], DAYS[0], DAYS[4]) in history(con)


def test_a_retired_id_leads_through_a_chain_of_merges_to_the_living_one() -> None:
    con = duckdb.connect()
    night(con, DAYS[0], [{"a"}])
    night(con, DAYS[1], [{"a"}, {"b"}])
    night(con, DAYS[2], [{"a"}, {"b"}, {"c"}])
    ids = customers(con)
    night(con, DAYS[3], [{"a"}, {"b", "c"}])
    assert retired(con) == {ids["c"]: (DAYS[3], ids["b"], "records")}
    night(con, DAYS[4], [{"a", "b", "c"}])
    assert retired(con) == {
        ids["b"]: (DAYS[4], ids["a"], "records"),
        ids["c"]: (DAYS[3], ids["a"], "records"),
    }


def test_a_retired_id_follows_its_records_when_the_customer_that_took_it_over_splits() -> None:
    con = duckdb.connect()
    night(con, DAYS[0], [{"x", "y"}])
    night(con, DAYS[1], [{"x", "y"}, {"a"}])
    merged = customers(con)["a"]
    night(con, DAYS[2], [{"x", "y", "a"}])
    night(con, DAYS[3], [{"x", "y"}, {"a"}])  # the merge was wrong
    assert retired(con) == {merged: (DAYS[2], customers(con)["a"], "records")}


def test_when_its_records_are_gone_a_retired_id_means_the_customer_that_they_went_to() -> None:
    con = duckdb.connect()
    night(con, DAYS[0], [{"x"}, {"w"}])
    night(con, DAYS[1], [{"x"}, {"w"}, {"a"}])
    ids = customers(con)
    night(con, DAYS[2], [{"x", "a"}, {"w"}])
    night(con, DAYS[3], [{"x"}, {"w"}])
    assert retired(con) == {ids["a"]: (DAYS[2], ids["x"], "successor")}
    night(con, DAYS[4], [{"w"}])
    assert retired(con) == {ids["a"]: (DAYS[2], None, "gone"), ids["x"]: (DAYS[4], None, "gone")}
    night(con, DAYS[5], [{"w"}, {"x"}])
    assert retired(con) == {ids["a"]: (DAYS[2], ids["x"], "successor")}, "reinstated, it is not retired any more"


def test_a_reference_is_resolved_today_and_on_a_date() -> None:
    con = duckdb.connect()
    night(con, DAYS[0], [{"a"}, {"w"}])
    night(con, DAYS[1], [{"a"}, {"b"}, {"w"}])
    ids = customers(con)
    night(con, DAYS[2], [{"a", "b"}])
    retired(con)

    now = find_customer(con, "core:b")
    assert (now.customer_id, now.living_customer_id, now.valid_from, now.valid_to) == (
        ids["a"],
        ids["a"],
        DAYS[2],
        None,
    )
    then = find_customer(con, "core:b", DAYS[1])
    assert (then.customer_id, then.valid_from, then.valid_to) == (ids["b"], DAYS[1], DAYS[2])
    assert (then.living_customer_id, then.retired_date, then.resolution) == (ids["a"], DAYS[2], "records")
    assert find_customer(con, ids["b"]).living_customer_id == ids["a"]
    assert find_customer(con, ids["a"], DAYS[0]).retired_date is None

    deleted = find_customer(con, "core:w")
    assert (deleted.customer_id, deleted.valid_to) == (ids["w"], DAYS[2])
    assert (deleted.living_customer_id, deleted.resolution) == (None, "gone")


@pytest.mark.parametrize(
    ("who", "on", "message"),
    [
        ("core:b", DAYS[0], "core:b was not delivered on 2026-03-01; it was of customer"),
        ("core:zz", None, "core delivered no party record 'zz'"),
        ("cord:b", None, "'cord' is no system of this bank: core"),
        ("C0000000000", None, "its check character does not fit"),
        ("b", None, "write a party record as SYSTEM:RECORD_ID"),
    ],
)
def test_a_reference_to_nobody_says_what_is_wrong(who: str, on: dt.date | None, message: str) -> None:
    con = duckdb.connect()
    night(con, DAYS[0], [{"a"}])
    night(con, DAYS[1], [{"a"}, {"b"}])
    retired(con)
    with pytest.raises(NotFoundError) as caught:
        find_customer(con, who, on)
    assert message in str(caught.value)


RECORDS = "abcdefg"


@st.composite
def _night(draw: st.DrawFn) -> list[set[str]]:
    groups: dict[int, set[str]] = {}
    for record in sorted(draw(st.sets(st.sampled_from(RECORDS)))):
        groups.setdefault(draw(st.integers(0, 3)), set()).add(record)
    return list(groups.values())


@settings(max_examples=25, deadline=None)
@given(nights=st.lists(st.tuples(st.integers(1, 3), _night()), min_size=2, max_size=6))
def test_whatever_happens_ids_last_and_the_past_can_be_asked(nights: list[tuple[int, list[set[str]]]]) -> None:
    con = duckdb.connect()
    date = DAYS[0]
    crosswalks: dict[dt.date, dict[str, str]] = {}
    born: dict[str, dt.date] = {}
    merged: set[str] = set()
    for gap, clusters in nights:
        date += dt.timedelta(days=gap)
        alive = set(crosswalks[max(crosswalks)].values()) if crosswalks else set()
        night(con, date, clusters)
        ids = crosswalks[date] = customers(con)
        now = set(ids.values())
        assert set(ids) == {record for cluster in clusters for record in cluster}, "every record has one customer"
        assert len(now) == len(clusters)
        assert all(len({ids[record] for record in cluster}) == 1 for cluster in clusters)
        happened = events(con, date)
        assert len(happened) == len({customer_id for _, customer_id, _ in happened})
        assert not now & merged, "an id that was merged never returns"
        new = {c for e, c, _ in happened if e in ("birth", "split")}
        assert not new & set(born), "an id is given out once"
        born |= dict.fromkeys(new, date)
        assert new | {c for e, c, _ in happened if e == "reinstate"} == now - alive
        assert {c for e, c, _ in happened if e in ("merge", "retire")} == alive - now
        for event, customer_id, survivor in happened:
            if event == "merge":
                assert survivor in now
                assert born[survivor] <= born[customer_id], "the oldest id lives"
                merged.add(customer_id)

    intervals = history(con)
    for day, ids in crosswalks.items():
        known = [(record, c) for record, c, first, end in intervals if first <= day and (end is None or day < end)]
        assert sorted(known) == sorted(ids.items())
    assert all(end is None or first < end for _, _, first, end in intervals)
    assert {day for _, _, *days in intervals for day in days if day} <= set(crosswalks)
    assert retired(con) == _expected_retired(crosswalks)
    con.close()


def _expected_retired(crosswalks: dict[dt.date, dict[str, str]]) -> dict[str, tuple[dt.date, str | None, str]]:
    """Where retired ids lead, worked out from the crosswalks of all nights, without intervals."""
    days = sorted(crosswalks)
    tonight = crosswalks[days[-1]]
    last_seen = {record: customer_id for day in days for record, customer_id in crosswalks[day].items()}
    living = set(tonight.values())

    def successor(customer_id: str) -> tuple[str | None, bool]:
        last_day = max(day for day in days if customer_id in crosswalks[day].values())
        records = sorted(r for r, c in crosswalks[last_day].items() if c == customer_id and last_seen[r] != customer_id)
        votes = Counter(last_seen[r] for r in records)
        here = Counter(last_seen[r] for r in records if r in tonight)
        ranked = sorted(votes, key=lambda c: (-here[c], -votes[c], min(r for r in records if last_seen[r] == c)))
        return (ranked[0], here[ranked[0]] > 0) if ranked else (None, False)

    expected: dict[str, tuple[dt.date, str | None, str]] = {}
    for customer_id in {c for ids in crosswalks.values() for c in ids.values()} - living:
        last_day = max(day for day in days if customer_id in crosswalks[day].values())
        retired_date = min(day for day in days if day > last_day)
        reached, delivered = successor(customer_id)
        while reached is not None and reached not in living:
            reached, delivered = successor(reached)[0], False
        resolution = "gone" if reached is None else "records" if delivered else "successor"
        expected[customer_id] = (retired_date, reached, resolution)
    return expected
