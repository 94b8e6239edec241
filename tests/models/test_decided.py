"""Stewards' decisions in a night: they bind collapse, clusters and events, whatever documents and weights say."""

import datetime as dt
from collections.abc import Sequence

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.identity.cluster import cluster
from models.identity.collapse import collapse
from models.identity.customer_ids import assign_customers
from models.identity.decided import DECIDED_DIFFERENT, bonds, snapshot
from models.identity.decisions import LogRow
from models.identity.settings import MatchingSettings
from tests.models.synthetic_parties import Parties

SETTINGS = MatchingSettings()
NOON = dt.datetime(2026, 10, 29, 12, tzinfo=dt.UTC)
DAY_1, DAY_2, DAY_3, DAY_4, DAY_5 = (dt.date(2026, 10, day) for day in range(25, 30))
WANG = {"name": "王小明", "latin": "WANG XIAOMING", "surname": "王", "given_name": "小明", "sex": "male"}
LI = {"name": "李芳", "latin": "LI FANG", "surname": "李", "given_name": "芳", "sex": "female"}
ID_1, ID_2 = ((("resident_id", number, True),) for number in ("110101198005170011", "110101199001010022"))
Said = tuple[str, str, str]
Groups = set[frozenset[str]]


def _log(*said: Said) -> list[LogRow]:
    """The log of what was said, numbered from 1; a withdrawal names the number instead of records."""
    rows = []
    for number, (verdict, left, right) in enumerate(said, start=1):
        sides = [tuple(("core", name) for name in side) for side in (left, right)]
        if verdict == "withdraw":
            rows.append(LogRow(number, NOON, "ann", verdict, reason="error", refers_to=int(left)))
        else:
            rows.append(LogRow(number, NOON, "ann", verdict, *sides, reason="seen"))
    return rows


def _decide(con: duckdb.DuckDBPyConnection, *said: Said) -> None:
    snapshot(con, _log(*said))
    con.execute("create or replace table identity.decision as from res.decision")


def _nodes(parties: Parties, *said: Said) -> tuple[Groups, set[str]]:
    """Groups of records that collapse made, and records that only a decision holds."""
    con = parties.connect()
    _decide(con, *said)
    collapse(con, SETTINGS)
    groups = con.execute("select list(record_id) from res.party_node group by node_id").fetchall()
    held = con.execute("select record_id from res.party_node where is_held_by_decision").fetchall()
    return {frozenset(records) for (records,) in groups}, {record for (record,) in held}


def _set(*groups: str) -> Groups:
    return {frozenset(group) for group in groups}


def _parties(**records: dict[str, object]) -> Parties:
    parties = Parties()
    for name, evidence in records.items():
        parties.add(name, **evidence)
    return parties


ONE_ID = _parties(**{name: {**WANG, "documents": ID_1} for name in "abcd"})


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ((), _set("abcd")),
        ([("different", "a", "bcd")], _set("a", "bcd")),  # a is the first, which all others are joined to
        ([("different", "d", "abc")], _set("abc", "d")),
        ([("different", "ab", "cd")], _set("ab", "cd")),
        ([("different", "a", "b"), ("different", "a", "cd"), ("different", "b", "cd")], _set("a", "b", "cd")),
    ],
)
def test_records_of_one_document_are_kept_apart_and_the_rest_stays_together(
    said: Sequence[Said], expected: Groups
) -> None:
    assert _nodes(ONE_ID, *said)[0] == expected


def test_a_decision_between_two_of_many_leaves_every_other_record_with_one_of_them() -> None:
    groups, held = _nodes(ONE_ID, ("different", "a", "b"))
    assert len(groups) == 2
    assert not [group for group in groups if {"a", "b"} <= group]
    assert held == set()


def test_the_same_is_one_node_whatever_documents_names_and_dates_say() -> None:
    two = _parties(a={**WANG, "documents": ID_1, "birth_date": DAY_1}, b={**LI, "documents": ID_2, "birth_date": DAY_2})
    assert _nodes(two)[0] == _set("a", "b")
    assert _nodes(two, ("same", "a", "b")) == (_set("ab"), {"a", "b"})


def test_what_documents_join_is_not_called_a_decision() -> None:
    five = _parties(**{n: {**WANG, "documents": ID_1} for n in "ab"}, **{n: {**LI, "documents": ID_2} for n in "cde"})
    assert _nodes(five, ("same", "ab", "c")) == (_set("abcde"), {"a", "b"}), "the larger part needs no decision"


def test_a_third_document_does_not_come_in_with_the_two_that_were_signed_for() -> None:
    three = _parties(
        a={**WANG, "documents": ID_1},
        b={**WANG, "documents": ID_2},
        c={**WANG, "documents": (*ID_1, ("resident_id", "110101197001010033", True))},
    )
    assert _nodes(three, ("same", "a", "b"))[0] == _set("ab", "c")


def test_what_is_different_from_one_is_different_from_all_that_are_the_same() -> None:
    # c and a carry one document; a is b, b is not c
    parties = _parties(a={**WANG, "documents": ID_1}, b=dict(LI), c={**WANG, "documents": ID_1})
    assert _nodes(parties, ("same", "a", "b"), ("different", "b", "c"))[0] == _set("ab", "c")


def test_what_follows_holds_also_when_the_record_between_is_gone() -> None:
    parties = _parties(a={**WANG, "documents": ID_1}, c=dict(LI), d={**WANG, "documents": ID_1})
    assert _nodes(parties, ("same", "a", "b"), ("same", "b", "c"), ("different", "b", "d"))[0] == _set("ac", "d")


def test_decisions_that_do_not_bind_do_nothing() -> None:
    parties = _parties(a=dict(WANG), b={"party_type": "organisation", "name": "X"}, c=dict(LI))
    groups, _ = _nodes(parties, ("same", "a", "b"), ("same", "a", "c"), ("different", "a", "c"))
    assert groups == _set("a", "b", "c")


def test_every_pair_in_force_is_in_the_snapshot_with_its_standing() -> None:
    con = _parties(a=dict(WANG), b=dict(LI)).connect()
    _decide(con, ("same", "a", "b"), ("different", "b", "x"), ("different", "a", "b"))
    assert con.execute(
        "select decision_id, record_id_l, record_id_r, verdict, standing, overruled_by, decided_at from res.decision"
        " order by 1"
    ).fetchall() == [
        (1, "a", "b", "same", "superseded", 3, dt.datetime(2026, 10, 29, 12)),  # noqa: DTZ001 - stored as UTC
        (2, "b", "x", "different", "absent", None, dt.datetime(2026, 10, 29, 12)),  # noqa: DTZ001
        (3, "a", "b", "different", "binding", None, dt.datetime(2026, 10, 29, 12)),  # noqa: DTZ001
    ]


def test_without_decisions_there_are_no_bonds() -> None:
    con = _parties(a=dict(WANG)).connect()
    found = bonds(con, "select 0 as thing, system, record_id from identity.party_standard")
    assert [len(found.joined[0]), len(found.apart.pairs[0]), len(found.touched)] == [0, 0, 0]


def _clusters(con: duckdb.DuckDBPyConnection, pairs: list[tuple[int, int, float]]) -> Groups:
    kinds = (pa.int64(), pa.int64(), pa.float64())
    columns = [pa.array([pair[i] for pair in pairs], kind) for i, kind in enumerate(kinds)]
    con.register("incoming", pa.table(columns, list(_PAIR)))
    con.execute("create or replace table identity.node_pair as from incoming")
    con.unregister("incoming")
    cluster(con, SETTINGS)
    rows = con.execute(
        "select list(record_id) from identity.party_node inner join res.cluster using (node_id) group by cluster_no"
    ).fetchall()
    return {frozenset(records) for (records,) in rows}


_PAIR = ("node_id_l", "node_id_r", "match_weight")


@pytest.mark.parametrize("third", [9.0, 90.0])
def test_a_chain_of_strong_pairs_never_brings_together_what_is_different(third: float) -> None:
    con = _parties(a=dict(WANG), b=dict(WANG), c=dict(WANG)).connect()
    _decide(con, ("different", "a", "c"))
    collapse(con, SETTINGS)
    con.execute("create view identity.party_node as from res.party_node")
    found = _clusters(con, [(1, 2, 50.0), (2, 3, third), (1, 3, 80.0)])
    assert found == (_set("ab", "c") if third < 50 else _set("a", "bc"))
    reasons = con.execute("select distinct reason from res.refused_merge").fetchall()
    assert reasons == [(DECIDED_DIFFERENT,)]


_LETTERS = "abcdefgh"


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(("same", "different")), st.sampled_from(_LETTERS), st.sampled_from(_LETTERS)).filter(
            lambda said: said[1] != said[2]
        ),
        max_size=6,
    ),
    st.lists(st.sampled_from((ID_1, ID_2, ())), min_size=8, max_size=8),
    st.lists(
        st.tuples(st.integers(1, 8), st.integers(1, 8), st.integers(0, 90)).filter(lambda pair: pair[0] < pair[1]),
        max_size=12,
        unique_by=lambda pair: pair[:2],
    ),
)
def test_what_binds_holds_whatever_documents_and_weights_say(said, documents, pairs) -> None:
    parties = _parties(**{n: {**WANG, "documents": d} for n, d in zip(_LETTERS, documents, strict=True)})
    con = parties.connect()
    _decide(con, *said)
    collapse(con, SETTINGS)
    con.execute("create view identity.party_node as from res.party_node")
    [(nodes,)] = con.execute("select max(node_id) from res.party_node").fetchall()
    groups = _clusters(con, [(left, right, float(bits)) for left, right, bits in pairs if right <= nodes])
    for left, right, verdict in con.execute(
        "select record_id_l, record_id_r, verdict from identity.decision where standing = 'binding'"
    ).fetchall():
        assert any({left, right} <= group for group in groups) == (verdict == "same")


def _night(con: duckdb.DuckDBPyConnection, date: dt.date, *said: Said) -> dict[str, str]:
    """A night over four records, two of one document; what was decided, and no pair scored."""
    if con.execute("select 1 from information_schema.tables where table_name = 'customer_record'").fetchall():
        con.execute("create schema if not exists previous")
        con.execute("create or replace table previous.customer_record_history as from res.customer_record_history")
        con.execute("create or replace table previous.decision as from identity.decision")
        con.execute("create table if not exists previous.customer_event as from res.customer_event limit 0")
        con.execute("insert into previous.customer_event from res.customer_event")
    _decide(con, *said)
    collapse(con, SETTINGS)
    con.execute("create or replace view identity.party_node as from res.party_node")
    _clusters(con, [(1, 2, -9.0)])
    for table in ("cluster", "cluster_link"):
        con.execute(f"create or replace view identity.{table} as from res.{table}")
    assign_customers(con, date)
    return dict(con.execute("select record_id, customer_id from res.customer_record").fetchall())


def test_events_name_the_decision_that_caused_them() -> None:
    con = _parties(
        a={**WANG, "documents": ID_1}, b={**WANG, "documents": ID_1}, c={**WANG, "documents": ID_1}, d=dict(LI)
    ).connect()
    log: list[Said] = []
    first = _night(con, DAY_1)
    log += [("different", "a", "bc"), ("same", "a", "d")]
    second = _night(con, DAY_2, *log)
    assert second["b"] == second["c"] == first["a"], "the larger part keeps the id"
    assert second["a"] == second["d"] == first["d"], "and the part that left joins the other"
    reasons = dict(con.execute("select record_id, link_reason from res.customer_record").fetchall())
    assert reasons == {"a": "steward", "b": "document", "c": "document", "d": "steward"}
    assert _events(con) == []
    log.append(("different", "a", "d"))
    third = _night(con, DAY_3, *log)
    assert third["a"] == first["d"], "of two equal parts the first record's keeps the id"
    assert _events(con) == [("split", third["d"], first["d"], "decision 3 of a steward: they are different")]
    log.append(("withdraw", "1", ""))
    fourth = _night(con, DAY_4, *log)
    assert fourth["a"] == fourth["b"] == fourth["c"] != fourth["d"] == third["d"]
    [(event, gone, lives, cause)] = _events(con)
    assert (event, {gone, lives}) == ("merge", {first["a"], first["d"]})
    assert cause == "decision 1 of a steward no longer binds"
    log.append(("same", "d", "c"))
    fifth = _night(con, DAY_5, *log)
    assert fifth == {**fourth, "c": fourth["d"]}, "c can no longer be with a, which d is different from"
    log.append(("withdraw", "3", ""))
    assert len(set(_night(con, DAY_5 + dt.timedelta(days=1), *log).values())) == 1
    [(event, gone, _, cause)] = _events(con)
    assert (event, gone, cause) == ("merge", third["d"], "decision 3 of a steward no longer binds")


def _events(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str | None, str]]:
    return con.execute("select event, customer_id, related_customer_id, cause from res.customer_event").fetchall()
