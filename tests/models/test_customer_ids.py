"""Customer ids: how they are made, carried, merged, split and retired."""

import base64
import datetime as dt
import hashlib

import duckdb
import pytest
from stdnum.iso7064 import mod_37_36

from models.identity.customer_ids import assign_customers, new_customer_ids
from tests.models.customer_nights import customers, events, night

DAY_1, DAY_2, DAY_3, DAY_4 = (dt.date(2026, 1, day) for day in (28, 29, 30, 31))


def test_an_id_is_the_hash_of_its_first_record_in_base_32_with_a_check_character() -> None:
    (found,) = new_customer_ids([("core", "42")], DAY_1, ())
    digest = hashlib.sha256(b"core\x1f42\x1f2026-01-28").digest()
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
    night(con, DAY_1, [{"a", "b"}, {"c"}])
    ids = customers(con)
    assert ids["a"] == ids["b"] != ids["c"]
    assert events(con, DAY_1) == {("birth", ids["a"], None), ("birth", ids["c"], None)}


def test_unchanged_records_keep_their_ids_and_nothing_happens() -> None:
    con = duckdb.connect()
    night(con, DAY_1, [{"a", "b"}, {"c"}])
    before = customers(con)
    night(con, DAY_2, [{"c"}, {"b", "a"}])
    assert customers(con) == before
    assert events(con, DAY_2) == set()


def test_when_customers_merge_the_oldest_id_lives_and_the_other_points_to_it() -> None:
    con = duckdb.connect()
    night(con, DAY_1, [{"z"}])
    night(con, DAY_2, [{"z"}, {"a", "b", "c"}])
    before = customers(con)
    night(con, DAY_3, [{"z", "a", "b", "c"}])
    assert set(customers(con).values()) == {before["z"]}, "age decides, not size"
    assert events(con, DAY_3) == {("merge", before["a"], before["z"])}


def test_when_a_customer_splits_the_larger_part_keeps_the_id() -> None:
    con = duckdb.connect()
    night(con, DAY_1, [{"a", "b", "c"}])
    before = customers(con)
    night(con, DAY_2, [{"a"}, {"b", "c"}])
    after = customers(con)
    assert after["b"] == after["c"] == before["a"]
    assert events(con, DAY_2) == {("split", after["a"], before["a"])}


def test_equal_parts_are_decided_by_the_first_record() -> None:
    con = duckdb.connect()
    night(con, DAY_1, [{"a", "b"}])
    before = customers(con)
    night(con, DAY_2, [{"b"}, {"a"}])
    assert customers(con)["a"] == before["a"]


def test_a_customer_whose_records_vanish_is_retired_and_comes_back_with_them() -> None:
    con = duckdb.connect()
    night(con, DAY_1, [{"a"}, {"b"}])
    before = customers(con)
    night(con, DAY_2, [{"b"}])
    assert events(con, DAY_2) == {("retire", before["a"], None)}
    night(con, DAY_3, [{"a"}, {"b"}])
    assert customers(con) == before
    assert events(con, DAY_3) == {("reinstate", before["a"], None)}


def test_a_record_that_was_away_while_its_customer_lived_has_its_customer_again() -> None:
    con = duckdb.connect()
    night(con, DAY_1, [{"a", "b"}])
    before = customers(con)
    night(con, DAY_2, [{"b"}])
    night(con, DAY_3, [{"a", "b"}])
    assert customers(con) == before
    assert events(con, DAY_2) == events(con, DAY_3) == set()


def test_who_was_there_keeps_the_id_before_records_that_return() -> None:
    con = duckdb.connect()
    night(con, DAY_1, [{"a", "b", "c"}])
    before = customers(con)
    night(con, DAY_2, [{"c"}])
    night(con, DAY_3, [{"a", "b"}, {"c"}])
    after = customers(con)
    assert after["c"] == before["c"], "the larger part of the customer returns, but this record never left"
    assert events(con, DAY_3) == {("split", after["a"], before["c"])}


def test_a_retired_customer_that_returns_into_a_living_one_stays_retired_even_if_older() -> None:
    con = duckdb.connect()
    night(con, DAY_1, [{"a"}])
    night(con, DAY_2, [{"b"}])
    before = customers(con)
    night(con, DAY_3, [{"a", "b"}])
    assert set(customers(con).values()) == {before["b"]}
    assert events(con, DAY_3) == set()


def test_the_oldest_of_several_retired_customers_that_return_as_one_is_reinstated() -> None:
    con = duckdb.connect()
    night(con, DAY_1, [{"z"}, {"x"}])
    old = customers(con)["z"]
    night(con, DAY_2, [{"z"}, {"a", "b"}, {"x"}])
    night(con, DAY_3, [{"x"}])
    night(con, DAY_4, [{"a", "b", "z"}, {"x"}])
    assert customers(con)["a"] == old
    assert events(con, DAY_4) == {("reinstate", old, None)}


def test_an_id_that_was_merged_into_another_never_returns() -> None:
    con = duckdb.connect()
    night(con, DAY_1, [{"z"}, {"x"}])
    night(con, DAY_2, [{"z"}, {"a", "b"}, {"x"}])
    merged = customers(con)["a"]
    night(con, DAY_3, [{"z", "a"}, {"x"}])  # b is not delivered: the last that was seen of it is the merged customer
    night(con, DAY_4, [{"z", "a"}, {"b"}, {"x"}])
    after = customers(con)
    assert after["b"] != merged
    assert events(con, DAY_4) == {("birth", after["b"], None)}


def test_a_part_that_moves_to_another_customer_changes_no_id() -> None:
    con = duckdb.connect()
    night(con, DAY_1, [{"a", "b", "c"}, {"d", "e"}])
    before = customers(con)
    night(con, DAY_2, [{"a", "b"}, {"c", "d", "e"}])
    after = customers(con)
    assert after["a"] == before["a"]
    assert after["c"] == before["d"]
    assert events(con, DAY_2) == set()


def test_the_same_night_twice_gives_the_same_ids() -> None:
    one, other = duckdb.connect(), duckdb.connect()
    for con in (one, other):
        night(con, DAY_1, [{"a", "b"}, {"c"}])
    assert customers(one) == customers(other)


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
    con.execute("create table identity.cluster_link as from identity.node_pair limit 0")
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
