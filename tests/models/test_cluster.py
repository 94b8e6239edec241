"""Clusters: which pairs are joined, which are refused, and what is said of them."""

import datetime as dt
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from models.identity.average_link import AMBIGUOUS, NOT_COHESIVE
from models.identity.cluster import cluster
from models.identity.evidence import BIRTH_DATE_AND_SEX, SHARED_DOCUMENT, TWO_DOCUMENTS
from models.identity.settings import MatchingSettings
from tests.models.synthetic_parties import Parties

SETTINGS = MatchingSettings.model_validate({"merge_threshold_bits": 5, "ambiguity_bits": 3})
TWO_IDS = TWO_DOCUMENTS.format("resident_id")


def _resident(number: str) -> tuple[tuple[str, str, bool], ...]:
    return (("resident_id", number, True),)


def _cluster(
    nodes: dict[str, dict[str, Any]], pairs: list[tuple[str, str, float]], settings: MatchingSettings = SETTINGS
) -> tuple[set[frozenset[str]], dict[frozenset[str], str]]:
    """Groups of nodes and reasons of refused pairs; each node is one record, numbered in the order given."""
    parties = Parties()
    for name, evidence in nodes.items():
        parties.add(name, **evidence)
    number = {name: n for n, name in enumerate(nodes, start=1)}
    con = parties.connect()
    con.register(
        "incoming",
        pa.table({"system": ["core"] * len(nodes), "record_id": list(nodes), "node_id": list(number.values())}),
    )
    con.execute("create table identity.party_node as from incoming")
    con.unregister("incoming")
    con.execute("create table identity.node_pair (node_id_l bigint, node_id_r bigint, match_weight double)")
    for one, other, weight in pairs:
        low, high = sorted((number[one], number[other]))
        con.execute("insert into identity.node_pair values (?, ?, ?)", [low, high, weight])
    cluster(con, settings)
    return _groups(con, number), _reasons(con, number)


def _groups(con: duckdb.DuckDBPyConnection, number: dict[str, int]) -> set[frozenset[str]]:
    name = {n: key for key, n in number.items()}
    rows = con.execute("select list(node_id) from res.cluster group by cluster_no").fetchall()
    return {frozenset(name[n] for n in members) for (members,) in rows}


def _reasons(con: duckdb.DuckDBPyConnection, number: dict[str, int]) -> dict[frozenset[str], str]:
    name = {n: key for key, n in number.items()}
    rows = con.execute("select node_id_l, node_id_r, reason, match_weight from res.refused_merge").fetchall()
    assert all(low < high and weight is not None for low, high, _, weight in rows)
    return {frozenset((name[low], name[high])): reason for low, high, reason, _ in rows}


def _set(*groups: str) -> set[frozenset[str]]:
    return {frozenset(group) for group in groups}


def test_pairs_from_the_threshold_on_are_joined() -> None:
    groups, refused = _cluster({n: {} for n in "abcd"}, [("a", "b", 5.0), ("b", "c", 4.99), ("c", "d", 30)])
    assert groups == _set("ab", "cd")
    assert refused == {}


def test_two_different_documents_stay_apart_and_the_weaker_merge_is_recorded() -> None:
    groups, refused = _cluster(
        {"a": {"documents": _resident("1")}, "b": {}, "c": {"documents": _resident("2")}},
        [("a", "b", 9.0), ("b", "c", 20.0)],
    )
    assert groups == _set("a", "bc")
    assert refused == {frozenset("ab"): TWO_IDS}


def test_documents_of_two_types_are_no_contradiction() -> None:
    groups, _ = _cluster(
        {"a": {"documents": _resident("1")}, "b": {"documents": (("passport", "CN:E1", True),)}}, [("a", "b", 9.0)]
    )
    assert groups == _set("ab")


def test_a_document_that_is_not_strong_forbids_nothing() -> None:
    groups, _ = _cluster(
        {"a": {"documents": _resident("1")}, "b": {"documents": (("resident_id", "2", False),)}}, [("a", "b", 9.0)]
    )
    assert groups == _set("ab")


BIRTHS = {"a": {"birth_date": "1980-01-01", "sex": "male"}, "b": {"birth_date": "1990-01-01", "sex": "female"}}


def _born(evidence: dict[str, str]) -> dict[str, Any]:
    return {**evidence, "birth_date": dt.date.fromisoformat(evidence["birth_date"])}


def test_birth_date_and_sex_both_in_conflict_forbid() -> None:
    nodes = {name: _born(evidence) for name, evidence in BIRTHS.items()}
    groups, refused = _cluster(nodes, [("a", "b", 50.0)])
    assert groups == _set("a", "b")
    assert refused == {frozenset("ab"): BIRTH_DATE_AND_SEX}
    nodes["b"]["sex"] = "male"
    assert _cluster(nodes, [("a", "b", 50.0)])[0] == _set("ab")


def test_one_document_on_parties_that_do_not_fit_is_for_review() -> None:
    nodes = {"a": {"documents": _resident("1")}, "b": {"documents": _resident("1")}, "c": {}}
    groups, refused = _cluster(nodes, [("a", "b", 30.0), ("a", "c", 20.0), ("b", "c", 9.0)])
    assert groups == _set("ac", "b"), "nor through a third party"
    assert refused[frozenset("ab")] == SHARED_DOCUMENT
    assert _cluster(nodes, [("a", "b", -3.0)])[1] == {frozenset("ab"): SHARED_DOCUMENT}, "below the threshold too"


def test_a_node_that_fits_two_who_exclude_each_other_joins_neither() -> None:
    nodes = {"a": {"documents": _resident("1")}, "b": {}, "c": {"documents": _resident("2")}}
    groups, refused = _cluster(nodes, [("a", "b", 18.0), ("b", "c", 20.0)])
    assert groups == _set("a", "b", "c")
    assert refused == {frozenset("ab"): AMBIGUOUS, frozenset("bc"): AMBIGUOUS}
    assert _cluster(nodes, [("a", "b", 16.0), ("b", "c", 20.0)])[0] == _set("a", "bc"), "clearly the better one"


def test_a_group_that_fits_two_who_exclude_each_other_joins_neither() -> None:
    # father and son of one name: "son's card" is the son's by its birth date, "card" could be either's
    nodes = {"f": {"documents": _resident("1")}, "s": {"documents": _resident("2")}, "k": {}, "c": {}}
    pairs = [("s", "k", 40.0), ("f", "c", 30.0), ("s", "c", 30.0), ("k", "c", 30.0)]
    groups, refused = _cluster(nodes, pairs)
    assert groups == _set("f", "sk", "c")
    assert set(refused) == {frozenset("fc"), frozenset("sc"), frozenset("kc")}
    assert set(refused.values()) == {AMBIGUOUS}


def test_one_strong_pair_does_not_bring_two_families_together() -> None:
    families = [("a", "b", 20.0), ("c", "d", 20.0)]
    between = [("a", "c", 9.0), ("a", "d", -12.0), ("b", "c", -12.0), ("b", "d", -12.0)]
    groups, refused = _cluster({"a": {}, "b": {}, "c": {}, "d": {}}, families + between)
    assert groups == _set("ab", "cd")
    assert refused == {frozenset("ac"): NOT_COHESIVE}


def test_a_bank_may_lift_a_constraint() -> None:
    settings = MatchingSettings.model_validate({"constraints": [], "ambiguity_bits": 0})
    nodes = {"a": {"documents": _resident("1")}, "b": {"documents": _resident("2")}}
    assert _cluster(nodes, [("a", "b", 9.0)], settings)[0] == _set("ab")


def test_clusters_are_numbered_by_their_first_node() -> None:
    con = duckdb.connect()
    con.execute("create schema identity")
    con.execute(
        "create table identity.party_node as select 'core' as system, n::varchar as record_id, n as node_id"
        " from range(1, 6) as t(n)"
    )
    con.execute(
        "create table identity.node_pair as"
        " select * from (values (2, 5, 9.0), (1, 4, 9.0)) as t(node_id_l, node_id_r, match_weight)"
    )
    con.execute(
        "create table identity.party_standard as select system, record_id, 'person' as party_type,"
        " null::date as birth_date, null::varchar as sex from identity.party_node"
    )
    con.execute(
        "create table identity.party_document (system varchar, record_id varchar, document_type varchar,"
        " document_number varchar, is_strong boolean)"
    )
    cluster(con, SETTINGS)
    assert con.execute("select * from res.cluster order by 1").fetchall() == [(1, 1), (2, 2), (3, 3), (4, 1), (5, 2)]


def test_nothing_at_all() -> None:
    assert _cluster({}, []) == (set(), {})


@pytest.mark.parametrize("order", [1, -1])
def test_the_order_of_pairs_never_matters(order: int) -> None:
    nodes = {"a": {"documents": _resident("1")}, "b": {}, "c": {}, "d": {"documents": _resident("2")}}
    pairs = [("a", "b", 9.0), ("b", "c", 9.0), ("c", "d", 9.0)]
    assert _cluster(nodes, pairs[::order])[0] == _set("ab", "cd"), "each to its own, the middle is not torn apart"
