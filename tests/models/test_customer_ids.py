"""Customer ids: how they are made, carried, merged, split and retired."""

import base64
import datetime as dt
import hashlib

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.iso7064 import mod_37_36

from models.identity.customer_ids import assign_customers, new_customer_ids

DAY_1, DAY_2, DAY_3 = (dt.date(2026, 1, day) for day in (29, 30, 31))
Clusters = dict[str, set[str]]


def _night(con: duckdb.DuckDBPyConnection, date: dt.date, clusters: list[set[str]]) -> None:
    """Run one night over clusters of record ids, the last night's result as the previous one."""
    con.execute("create schema if not exists identity")
    con.execute("create schema if not exists previous")
    if con.execute("select 1 from information_schema.tables where table_schema = 'res'").fetchall():
        con.execute("create or replace table previous.customer_record as from res.customer_record")
        con.execute("create table if not exists previous.customer_event as from res.customer_event limit 0")
        con.execute("insert into previous.customer_event from res.customer_event")
    rows = [(record, number) for number, records in enumerate(clusters, start=1) for record in sorted(records)]
    nodes = pa.table(
        {
            "system": pa.array(["core"] * len(rows), pa.string()),
            "record_id": pa.array([r for r, _ in rows], pa.string()),
            "node_id": pa.array(range(1, len(rows) + 1), pa.int64()),
            "is_held_by_decision": pa.array([False] * len(rows), pa.bool_()),
        }
    )
    of_node = pa.table(
        {
            "node_id": pa.array(range(1, len(rows) + 1), pa.int64()),
            "cluster_no": pa.array([n for _, n in rows], pa.int64()),
        }
    )
    for name, table in (("party_node", nodes), ("cluster", of_node)):
        con.register("incoming", table)
        con.execute(f"create or replace table identity.{name} as from incoming")
        con.unregister("incoming")
    con.execute("create or replace table identity.node_pair (node_id_l bigint, node_id_r bigint, match_weight double)")
    assign_customers(con, date)


def _customers(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    return dict(con.execute("select record_id, customer_id from res.customer_record").fetchall())


def _events(con: duckdb.DuckDBPyConnection, date: dt.date) -> set[tuple[str, str, str | None]]:
    return set(
        con.execute(
            "select event, customer_id, related_customer_id from res.customer_event where business_date = $1", [date]
        ).fetchall()
    )


def test_an_id_is_the_hash_of_its_first_record_in_base_32_with_a_check_character() -> None:
    (found,) = new_customer_ids([("core", "42")], DAY_1, ())
    digest = hashlib.sha256(b"core\x1f42\x1f2026-01-29").digest()
    rfc, crockford = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    expected = base64.b32encode(digest).decode()[:10].translate(str.maketrans(rfc, crockford))
    assert found[:-1] == f"C{expected}"
    assert mod_37_36.is_valid(found)


def test_an_id_that_was_ever_issued_is_not_issued_again() -> None:
    (first,) = new_customer_ids([("core", "42")], DAY_1, ())
    (second,) = new_customer_ids([("core", "42")], DAY_1, {first})
    (third,) = new_customer_ids([("core", "42")], DAY_1, {first, second})
    assert len({first, second, third}) == 3
    assert mod_37_36.is_valid(second)


def test_the_first_night_gives_birth_to_every_customer() -> None:
    con = duckdb.connect()
    _night(con, DAY_1, [{"a", "b"}, {"c"}])
    ids = _customers(con)
    assert ids["a"] == ids["b"] != ids["c"]
    assert _events(con, DAY_1) == {("birth", ids["a"], None), ("birth", ids["c"], None)}


def test_unchanged_records_keep_their_ids_and_nothing_happens() -> None:
    con = duckdb.connect()
    _night(con, DAY_1, [{"a", "b"}, {"c"}])
    before = _customers(con)
    _night(con, DAY_2, [{"c"}, {"b", "a"}])
    assert _customers(con) == before
    assert _events(con, DAY_2) == set()


def test_when_customers_merge_the_oldest_id_lives_and_the_other_points_to_it() -> None:
    con = duckdb.connect()
    _night(con, DAY_1, [{"z"}])
    _night(con, DAY_2, [{"z"}, {"a", "b", "c"}])
    before = _customers(con)
    _night(con, DAY_3, [{"z", "a", "b", "c"}])
    assert set(_customers(con).values()) == {before["z"]}, "age decides, not size"
    assert _events(con, DAY_3) == {("merge", before["a"], before["z"])}


def test_when_a_customer_splits_the_larger_part_keeps_the_id() -> None:
    con = duckdb.connect()
    _night(con, DAY_1, [{"a", "b", "c"}])
    before = _customers(con)
    _night(con, DAY_2, [{"a"}, {"b", "c"}])
    after = _customers(con)
    assert after["b"] == after["c"] == before["a"]
    assert _events(con, DAY_2) == {("split", after["a"], before["a"])}


def test_equal_parts_are_decided_by_the_first_record() -> None:
    con = duckdb.connect()
    _night(con, DAY_1, [{"a", "b"}])
    before = _customers(con)
    _night(con, DAY_2, [{"b"}, {"a"}])
    assert _customers(con)["a"] == before["a"]


def test_a_customer_without_records_is_retired_and_its_id_never_returns() -> None:
    con = duckdb.connect()
    _night(con, DAY_1, [{"a"}, {"b"}])
    before = _customers(con)
    _night(con, DAY_2, [{"b"}])
    assert _events(con, DAY_2) == {("retire", before["a"], None)}
    _night(con, DAY_3, [{"a"}, {"b"}])
    assert _customers(con)["a"] != before["a"]


def test_a_part_that_moves_to_another_customer_changes_no_id() -> None:
    con = duckdb.connect()
    _night(con, DAY_1, [{"a", "b", "c"}, {"d", "e"}])
    before = _customers(con)
    _night(con, DAY_2, [{"a", "b"}, {"c", "d", "e"}])
    after = _customers(con)
    assert after["a"] == before["a"]
    assert after["c"] == before["d"]
    assert _events(con, DAY_2) == set()


def test_the_same_night_twice_gives_the_same_ids() -> None:
    one, other = duckdb.connect(), duckdb.connect()
    for con in (one, other):
        _night(con, DAY_1, [{"a", "b"}, {"c"}])
    assert _customers(one) == _customers(other)


RECORDS = "abcdefgh"


@st.composite
def _partitions(draw: st.DrawFn) -> list[set[str]]:
    present = draw(st.sets(st.sampled_from(RECORDS), min_size=1))
    groups: Clusters = {}
    for record in sorted(present):
        groups.setdefault(str(draw(st.integers(0, 3))), set()).add(record)
    return list(groups.values())


@settings(max_examples=25, deadline=None)
@given(nights=st.lists(_partitions(), min_size=2, max_size=4))
def test_whatever_happens_ids_are_unique_accounted_for_and_never_come_back(nights: list[list[set[str]]]) -> None:
    con = duckdb.connect()
    gone: set[str] = set()
    alive: set[str] = set()
    for offset, clusters in enumerate(nights):
        date = DAY_1 + dt.timedelta(days=offset)
        _night(con, date, clusters)
        ids = _customers(con)
        assert len(ids) == sum(len(c) for c in clusters), "every record has exactly one customer"
        assert len(set(ids.values())) == len(clusters)
        for cluster in clusters:
            assert len({ids[record] for record in cluster}) == 1
        now = set(ids.values())
        assert not now & gone, "a retired id never returns"
        events = _events(con, date)
        assert {c for e, c, _ in events if e in ("birth", "split")} == now - alive
        assert {c for e, c, _ in events if e in ("merge", "retire")} == alive - now
        assert {r for e, _, r in events if e == "merge"} <= now
        gone |= alive - now
        alive = now
    con.close()


def test_a_crosswalk_row_says_what_joined_the_record() -> None:
    con = duckdb.connect()
    con.execute("create schema identity")
    con.execute(
        """
        create table identity.party_node as
        select * from (values
            ('core', 'a', 1, false), ('card', 'b', 1, false), ('loan', 'c', 2, false), ('core', 'd', 3, false),
            ('core', 'e', 4, false), ('card', 'f', 4, false), ('loan', 'g', 4, true)
        ) as t(system, record_id, node_id, is_held_by_decision)
        """
    )
    con.execute(
        "create table identity.cluster as"
        " select * from (values (1, 1), (2, 1), (3, 2), (4, 3)) as t(node_id, cluster_no)"
    )
    con.execute(
        "create table identity.node_pair as"
        " select * from (values (1, 2, 17.5), (1, 3, 4.0)) as t(node_id_l, node_id_r, match_weight)"
    )
    assign_customers(con, DAY_1)
    rows = con.execute("select record_id, link_reason, match_weight from res.customer_record").fetchall()
    assert {record: (reason, weight) for record, reason, weight in rows} == {
        "a": ("document", None),
        "b": ("document", None),
        "c": ("score", pytest.approx(17.5)),
        "d": ("single", None),
        "e": ("document", None),
        "f": ("document", None),
        "g": ("steward", None),
    }
