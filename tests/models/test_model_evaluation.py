"""A model's figures on parties with hidden documents, counted by hand."""

import dataclasses
import datetime as dt
import math

import duckdb
import pytest

from models.identity.collapse import collapse
from models.identity.comparisons import Comparison, Level
from models.identity.matching_model import ModelArtefact, PartyModel, prior_comparisons
from models.identity.model_evaluation import PartyFigures, RuleFigures, evaluate_model
from models.identity.settings import MatchingSettings
from tests.models.synthetic_parties import Parties

SETTINGS = MatchingSettings.model_validate(
    {
        "merge_threshold_bits": 5,
        "review_threshold_bits": 0,
        "person": {"blocking": [["document"], ["mobile"], ["name"]], "split_by": []},
    }
)
BORN = dt.date(1980, 5, 17)
ONE, OTHER = "11010119800517001X", "110101198005170028"


def _parties() -> duckdb.DuckDBPyConnection:
    """One person of three records, another of two, all documented; and a stranger without a document."""
    parties = Parties()
    wang = {"name": "王小明", "latin": "WANG XIAOMING", "surname": "王", "given_name": "小明", "birth_date": BORN}
    li = {"name": "李伟", "latin": "LI WEI", "surname": "李", "given_name": "伟", "birth_date": dt.date(1950, 1, 2)}
    parties.add("a1", documents=(("resident_id", ONE, True),), mobile="+8613800000001", **wang)
    parties.add("a2", documents=(("resident_id", ONE, True),), mobile="+8613800000001", **wang)
    parties.add("a3", documents=(("resident_id", ONE, True),), mobile="+8613800000002", **wang)
    parties.add("b1", documents=(("resident_id", OTHER, True),), mobile="+8613800000003", **li)
    parties.add("b2", documents=(("resident_id", OTHER, True),), mobile="+8613800000001", **li | {"name": None})
    parties.add("c1", name="赵涛", latin="ZHAO TAO", surname="赵", given_name="涛", mobile="+8613800000009")
    con = parties.connect()
    for table in ("party_document",):
        con.execute(f"create table {table} as from identity.{table}")
        con.execute(f"drop table identity.{table}")
        con.execute(f"create view identity.{table} as from main.{table}")
    collapse(con, SETTINGS)
    con.execute("create view identity.party_node as from res.party_node")
    return con


def _mobile_only() -> ModelArtefact:
    """Only the mobile counts: 10 bits if it agrees, -10 if not; even odds before."""
    equal = Level("equal", "list_has_any(mobiles_l, mobiles_r)", 0.999, 0.999 / 1024)
    different = Level("different", "else", 0.001, 0.001 * 1024)
    mobile = Comparison("mobile", "mobiles_l is null or mobiles_r is null", (equal, different))
    document = next(c for c in prior_comparisons(SETTINGS, "person") if c.name == "document")
    return ModelArtefact("test", {"person": PartyModel(0.5, (mobile, document), {}, {})})


@pytest.fixture(scope="module")
def figures() -> PartyFigures:
    return evaluate_model(_parties(), SETTINGS, _mobile_only())["person"]


def test_the_truth_is_what_documents_join(figures: PartyFigures) -> None:
    assert figures.hidden_records == 5
    assert figures.hidden_pairs == 3 + 1  # a1-a2, a1-a3, a2-a3; b1-b2


def test_each_rule_finds_its_true_pairs_without_documents(figures: PartyFigures) -> None:
    # by mobile a1-a2; by name all three of a; b2 has another mobile and no name
    assert [(r.rule, r.true_pairs, r.own_true_pairs) for r in figures.rules] == [
        ("document", 0, 0),
        ("mobile", 1, 0),
        ("name", 3, 2),
    ]
    assert figures.found_pairs == 3


def test_what_a_rule_makes_of_all_nodes_is_of_nodes_with_documents(figures: PartyFigures) -> None:
    # nodes a and b share the mobile that b2 gives; no document or name is on two nodes
    made = [dataclasses.replace(r, true_pairs=0, own_true_pairs=0) for r in figures.rules]
    assert made == [
        RuleFigures("document", 0, 0, 0, 0, 0, 0),
        RuleFigures("mobile", 1, 2, 0, 1, 0, 0),
        RuleFigures("name", 0, 0, 0, 0, 0, 0),
    ]


def test_hidden_pairs_from_a_threshold_on(figures: PartyFigures) -> None:
    # 10 bits: the match a1-a2; and a1-b2, a2-b2, known from their documents to be two persons
    at = {t.bits: (t.hidden_matches, t.hidden_others) for t in figures.thresholds}
    assert at == dict.fromkeys((0, 1, 3, 5, 7, 9), (1, 2))


def test_expectation_is_the_sum_of_probabilities(figures: PartyFigures) -> None:
    # the one candidate pair: mobile +10, two valid documents -16 bits
    assert figures.all_matches == pytest.approx(1 / (1 + math.pow(2, 6)), rel=1e-4)
    assert {(t.pairs, t.matches) for t in figures.thresholds} == {(0, 0.0)}
