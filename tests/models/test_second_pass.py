"""The second pass: a record that fits a customer and no single record of it."""

import dataclasses
import datetime as dt
from typing import Any

import pytest

from models.identity.cluster import cluster
from models.identity.collapse import collapse
from models.identity.matching_model import ModelArtefact, PartyModel, prior_comparisons
from models.identity.score import score
from models.identity.settings import MatchingSettings
from tests.models.synthetic_parties import Parties

SETTINGS = MatchingSettings()
MOBILE, EMAIL = "+8613700000001", "w@mail.example.org"
WANG = {"name": "王小明", "latin": "WANG XIAOMING", "surname": "王", "birth_date": dt.date(1980, 5, 17)}
# With the expected shares and even the prior of 1e-4 (-13.3 bits), a mobile alone is worth 13.7 - 13.3 = 0.4 bits and
# an e-mail 13.8 - 13.3 = 0.5; both together 14.2. The merge threshold is 5.
HALVES: dict[str, dict[str, Any]] = {"a": {**WANG, "mobile": MOBILE}, "b": {**WANG, "email": EMAIL}}
STRAY: dict[str, Any] = {"mobile": MOBILE, "email": EMAIL}
OTHER = {"name": "赵建国", "latin": "ZHAO JIANGUO", "surname": "赵", "birth_date": dt.date(1961, 2, 3)}


def _plain(party_type: str) -> PartyModel:
    comparisons = tuple(
        dataclasses.replace(c, levels=tuple(dataclasses.replace(level, frequency=None) for level in c.levels))
        for c in prior_comparisons(SETTINGS, party_type)
    )
    return PartyModel(1e-4, comparisons, {}, {})


MODEL = ModelArtefact("test", {name: _plain(name) for name in ("person", "organisation")})


def _customers(
    records: dict[str, dict[str, Any]], second_pass: dict[str, Any] | None = None
) -> tuple[set[str], list[tuple[Any, ...]]]:
    """Clusters as sorted record ids, and what the second pass joined."""
    parties = Parties()
    for record_id, evidence in records.items():
        parties.add(record_id, **evidence)
    settings = MatchingSettings.model_validate({"second_pass": second_pass or {}})
    con = parties.connect()
    collapse(con, settings)
    con.execute("create view identity.party_node as from res.party_node")
    score(con, settings, MODEL)
    con.execute("create view identity.node_pair as from res.node_pair")
    cluster(con, settings, MODEL)
    rows = con.execute(
        "select string_agg(record_id, '' order by record_id) from res.cluster inner join res.party_node"
        " using (node_id) group by cluster_no"
    ).fetchall()
    links = con.execute("select node_id_l, node_id_r, match_weight, comparison_levels from res.cluster_link").fetchall()
    return {members for (members,) in rows}, links


def test_a_record_that_fits_a_customer_and_no_single_record_of_it_joins() -> None:
    records = {**HALVES, "c": STRAY}
    assert _customers(records, {"use": False})[0] == {"ab", "c"}
    customers, links = _customers(records)
    assert customers == {"abc"}
    # nodes are numbered by record id: a and b are group 1, c is node 3
    assert [(low, high) for low, high, _, _ in links] == [(1, 3)]
    assert links[0][2] == pytest.approx(14.2, abs=0.1)
    assert "mobile: equal" in links[0][3]
    assert "email: equal" in links[0][3]


def test_a_record_that_fits_two_customers_joins_neither() -> None:
    rivals = {"d": {**OTHER, "mobile": MOBILE}, "e": {**OTHER, "email": EMAIL}}
    assert _customers({**HALVES, **rivals, "c": STRAY}) == ({"ab", "de", "c"}, [])


def test_facts_forbid_it_there_too() -> None:
    one, other = ((("resident_id", number, True),) for number in ("1", "2"))
    records = {"a": {**HALVES["a"], "documents": one}, "b": HALVES["b"], "c": {**STRAY, "documents": other}}
    assert _customers(records)[0] == {"ab", "c"}


@pytest.mark.parametrize(("small_records", "customers"), [(1, {"ab", "cd"}), (2, {"abcd"})])
def test_only_a_small_group_joins_another(small_records: int, customers: set[str]) -> None:
    strays = {record_id: {**STRAY, "documents": (("resident_id", "1", True),)} for record_id in "cd"}
    assert _customers({**HALVES, **strays}, {"small_records": small_records})[0] == customers


def test_it_never_goes_below_a_merge_threshold_that_a_bank_raised() -> None:
    assert MatchingSettings.model_validate({"merge_threshold_bits": 20}).second_pass.threshold_bits is None
    parties = {**HALVES, "c": STRAY}
    assert _customers(parties, {"threshold_bits": 20})[0] == {"ab", "c"}
