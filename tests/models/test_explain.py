"""Why two parties are one customer or not: one case a verdict, made by hand and run through the steps of a night."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import duckdb
import pytest

from models.identity.evidence import BIRTH_DATE_AND_SEX, SHARED_DOCUMENT, TWO_DOCUMENTS
from models.identity.explain import explain
from models.identity.explain_customer import NotFoundError, construct, find
from models.identity.explain_evidence import Neighbourhood
from models.identity.explain_text import pair_blocks
from models.identity.explanation import Explanation, RecordKey, Verdict
from models.identity.matching_model import ModelArtefact
from models.identity.resolve import resolve
from models.identity.settings import MatchingSettings
from models.identity.words import load_words
from tests.models.synthetic_parties import Parties, generate

SETTINGS = MatchingSettings.model_validate({"training": {"random_pairs": 50_000}})
DAY = dt.date(2026, 1, 31)
BORN = dt.date(1980, 2, 3)
WANG: dict[str, Any] = {"name": "王伟敏", "latin": "WANG WEIMIN", "surname": "王", "given_name": "伟敏"}
LI: dict[str, Any] = {"name": "李超霞", "latin": "LI CHAOXIA", "surname": "李", "given_name": "超霞"}
MOBILE = "+8613911112222"


@pytest.fixture(scope="module")
def model() -> ModelArtefact:
    return resolve(generate(1500, seed=10).connect(), SETTINGS, DAY)


@pytest.fixture
def night(model: ModelArtefact) -> Callable[..., duckdb.DuckDBPyConnection]:
    """A night of parties as the explanation reads it."""

    def run(
        parties: Parties, settings: MatchingSettings = SETTINGS, decisions: tuple[tuple[str, str, str], ...] = ()
    ) -> duckdb.DuckDBPyConnection:
        con = parties.connect()
        con.execute(
            "create table identity.decision (decision_id bigint, system_l varchar, record_id_l varchar,"
            " system_r varchar, record_id_r varchar, verdict varchar, standing varchar, overruled_by bigint,"
            " decided_by varchar, decided_at timestamp, decision_reason varchar)"
        )
        for number, (one, other, verdict) in enumerate(decisions):
            con.execute(
                "insert into identity.decision values (?, 'core', ?, 'core', ?, ?, 'binding', null, 'steward',"
                " timestamp '2026-01-30 08:00', 'seen in the branch')",
                [number, one, other, verdict],
            )
        resolve(con, settings, DAY, model)
        con.execute("create view identity.refused_merge as from res.refused_merge")
        con.execute("create schema customer")
        con.execute("create view customer.customer_record as from res.customer_record")
        con.execute("create view customer.customer_event as from res.customer_event")
        return con

    return run


def _documents(*documents: tuple[str, str]) -> tuple[tuple[str, str, bool], ...]:
    return tuple((kind, number, True) for kind, number in documents)


def _two(one: dict[str, Any], other: dict[str, Any]) -> Parties:
    parties = Parties()
    parties.add("1", **one)
    parties.add("2", **other)
    return parties


def _tell(told: Explanation) -> str:
    """The whole explanation as text; must never fail."""
    lines = []
    for block in pair_blocks(load_words("en"), told):
        lines.append(block.title or "")
        lines += block.lines if hasattr(block, "lines") else [" | ".join(row) for row in block.rows]
    return "\n".join(lines)


def test_one_document_makes_one_customer(night: Callable, model: ModelArtefact) -> None:
    id_ = _documents(("resident_id", "11010119800203001X"))
    con = night(_two(WANG | {"documents": id_}, {"name": "王伟明", "latin": "WANG WEIMING", "documents": id_}))
    told = explain(con, SETTINGS, model, "core:1", "core:2")
    assert told.verdict == Verdict.DOCUMENT
    [link] = told.links
    assert (link.left, link.right) == (RecordKey("core", "1"), RecordKey("core", "2"))
    assert link.document is not None
    assert link.document.document_number == "11010119800203001X"
    assert link.document.is_checked
    assert link.fit[0] == "name_one_character"
    assert "the names are one character apart" in _tell(told)


def test_documents_may_join_over_a_third_record(night: Callable, model: ModelArtefact) -> None:
    parties = Parties()
    resident, passport = ("resident_id", "110101198002030011"), ("passport", "CN:E1234567")
    parties.add("1", **WANG, documents=_documents(resident))
    parties.add("2", **WANG, documents=_documents(passport))
    parties.add("3", **WANG, documents=_documents(resident, passport))
    told = explain(night(parties), SETTINGS, model, "core:1", "core:2")
    assert told.verdict == Verdict.DOCUMENT
    assert [(str(link.left), str(link.right)) for link in told.links] == [("core:1", "core:3"), ("core:3", "core:2")]
    assert "over 3 records" in _tell(told)


def test_enough_in_common(night: Callable, model: ModelArtefact) -> None:
    con = night(_two(WANG | {"birth_date": BORN, "mobile": MOBILE}, WANG | {"birth_date": BORN, "mobile": MOBILE}))
    told = explain(con, SETTINGS, model, "core:1", "core:2")
    assert told.verdict == Verdict.SCORE
    assert told.score is not None
    assert told.score.found_by == "mobile"
    assert {("mobile",), ("name", "birth_date")} <= set(told.score.rules)
    levels = {field.comparison: field.level for field in told.score.fields}
    assert levels | {"name": "equal", "birth_date": "equal", "mobile": "equal", "email": None} == levels
    assert "same mobile number: +8613911112222" in _tell(told)


def test_together_only_through_another(night: Callable, model: ModelArtefact) -> None:
    parties = Parties()
    parties.add("1", **WANG, mobile=MOBILE, email="wang@mail.example")
    parties.add("2", **WANG, mobile=MOBILE, email="wang@mail.example", birth_date=BORN, address_key="S1")
    parties.add("3", **WANG, birth_date=BORN, address_key="S1", mobile="+8613933334444", email="w@mail.example")
    told = explain(night(parties), SETTINGS, model, "core:1", "core:3")
    assert told.verdict == Verdict.CHAIN
    assert [[str(key) for side in (link.left, link.right) for key in side] for link in told.chain] == [
        ["core:1", "core:2"],
        ["core:2", "core:3"],
    ]
    assert told.score is not None
    assert told.score.match_weight < SETTINGS.merge_threshold_bits
    assert "1. core:1 with core:2" in _tell(told)


def test_two_documents_of_one_type(night: Callable, model: ModelArtefact) -> None:
    common = WANG | {"birth_date": BORN, "mobile": MOBILE, "address_key": "S1", "email": "wang@mail.example"}
    one, other = "110101198002030011", "110101198002030038"
    con = night(
        _two(
            common | {"documents": _documents(("resident_id", one))},
            common | {"documents": _documents(("resident_id", other))},
        )
    )
    told = explain(con, SETTINGS, model, "core:1", "core:2")
    assert told.verdict == Verdict.REFUSED
    assert told.reason == TWO_DOCUMENTS.format("resident_id")
    [conflict] = told.conflicts
    assert conflict.left == ((one, RecordKey("core", "1")),)
    assert conflict.right == ((other, RecordKey("core", "2")),)
    assert "two different valid numbers of one type (resident id)" in _tell(told)


def test_one_document_on_two_people(night: Callable, model: ModelArtefact) -> None:
    id_ = _documents(("resident_id", "110101198002030011"))
    men = WANG | {"birth_date": BORN, "sex": "male"}, LI | {"birth_date": dt.date(1991, 5, 6), "sex": "female"}
    told = explain(night(_two(*(man | {"documents": id_} for man in men))), SETTINGS, model, "core:1", "core:2")
    assert told.verdict == Verdict.REFUSED
    assert told.reason == SHARED_DOCUMENT
    assert {conflict.constraint for conflict in told.conflicts} == {SHARED_DOCUMENT, BIRTH_DATE_AND_SEX}
    assert "a steward must say" in _tell(told)


def test_it_fits_two_others(night: Callable, model: ModelArtefact) -> None:
    parties = Parties()
    common = WANG | {"birth_date": BORN, "address_key": "S1", "mobile": MOBILE}
    parties.add("1", **common)
    parties.add("2", **common, documents=_documents(("resident_id", "110101198002030011")))
    parties.add("3", **common, documents=_documents(("resident_id", "110101198002030038")))
    told = explain(night(parties), SETTINGS, model, "core:1", "core:2")
    assert told.verdict == Verdict.AMBIGUOUS
    [rival] = told.rivals
    assert rival.records == (RecordKey("core", "3"),)
    assert f"It also fits {rival.customer_id} (core:3)" in _tell(told)


def test_a_person_and_an_organisation(night: Callable, model: ModelArtefact) -> None:
    con = night(_two(WANG | {"mobile": MOBILE}, {"party_type": "organisation", "name": "伟敏科技", "mobile": MOBILE}))
    told = explain(con, SETTINGS, model, "core:1", "core:2")
    assert told.verdict == Verdict.OTHER_TYPE
    assert told.score is None
    assert "the one is a person, the other an organisation" in _tell(told)


def test_not_enough_in_common(night: Callable, model: ModelArtefact) -> None:
    one = WANG | {"birth_date": BORN, "mobile": MOBILE}
    other = LI | {"birth_date": dt.date(1991, 5, 6), "mobile": MOBILE}
    told = explain(night(_two(one, other)), SETTINGS, model, "core:1", "core:2")
    assert told.verdict == Verdict.BELOW_REVIEW
    assert told.score is not None
    assert told.score.rules == (("mobile",),)
    assert told.score.stored_weight is None
    assert "the evidence weighs" in _tell(told)


def test_in_review(night: Callable, model: ModelArtefact) -> None:
    high = MatchingSettings.model_validate({"merge_threshold_bits": 500, "training": {"random_pairs": 50_000}})
    same = WANG | {"birth_date": BORN, "mobile": MOBILE}
    told = explain(night(_two(same, same), high), high, model, "core:1", "core:2")
    assert told.verdict == Verdict.BELOW_MERGE
    assert told.score is not None
    lacking = 500 - told.score.match_weight
    assert f"{lacking:.1f} short of the 500.0" in _tell(told)


def test_never_compared(night: Callable, model: ModelArtefact) -> None:
    con = night(_two(WANG | {"birth_date": BORN}, LI | {"birth_date": BORN}))
    told = explain(con, SETTINGS, model, "core:1", "core:2")
    assert told.verdict == Verdict.NEVER_COMPARED
    assert told.score is not None
    nearest = {near.rule: near.missing for near in told.score.near_rules}
    assert nearest["name", "birth_date"] == ("name",)
    assert "name and birth date; not shared: name" in _tell(told)


def test_a_contact_of_many_counts_for_nothing(night: Callable, model: ModelArtefact) -> None:
    parties = _two(WANG | {"birth_date": BORN, "mobile": MOBILE}, LI | {"birth_date": BORN, "mobile": MOBILE})
    for contact in parties.party_contact:
        contact |= {"party_count": 41, "is_identifying": False}
    told = explain(night(parties), SETTINGS, model, "core:1", "core:2")
    assert told.verdict == Verdict.NEVER_COMPARED
    assert told.score is not None
    assert [contact.contact_value for contact in told.score.weightless] == [MOBILE]
    assert "shared by 41 parties: does not count" in _tell(told)


def test_a_steward_said_they_are_the_same(night: Callable, model: ModelArtefact) -> None:
    told = explain(night(_two(WANG, LI), decisions=(("1", "2", "same"),)), SETTINGS, model, "core:1", "core:2")
    assert told.verdict == Verdict.DECIDED_SAME
    [link] = told.links
    assert link.decision is not None
    assert link.decision.reason == "seen in the branch"
    assert "seen in the branch" in _tell(told)


def test_a_steward_said_they_are_different(night: Callable, model: ModelArtefact) -> None:
    same = WANG | {"birth_date": BORN, "mobile": MOBILE}
    con = night(_two(same, same), decisions=(("1", "2", "different"),))
    told = explain(con, SETTINGS, model, "core:2", "core:1")
    assert told.verdict == Verdict.DECIDED_DIFFERENT
    assert "core:1 and core:2 are different (steward, 2026-01-30 08:00: seen in the branch)" in _tell(told)


def test_a_customer_of_one_record(night: Callable, model: ModelArtefact) -> None:
    con = night(_two(WANG, LI))
    customer_id = find(con, "core:1").customer_id
    told = explain(con, SETTINGS, model, customer_id, "core:1")
    assert told.verdict == Verdict.ALONE
    assert _tell(told).startswith("\nC")


def test_customers_are_compared_by_their_nearest_records(night: Callable, model: ModelArtefact) -> None:
    parties = Parties()
    one, other = (_documents(("resident_id", f"1101011980020300{end}")) for end in ("11", "38"))
    parties.add("1", **WANG, documents=one)
    parties.add("2", **LI, documents=other)
    parties.add("3", **LI, birth_date=BORN, mobile=MOBILE)
    con = night(parties)
    told = explain(con, SETTINGS, model, find(con, "core:1").customer_id, find(con, "core:2").customer_id)
    assert told.left.record == RecordKey("core", "1")
    assert told.right.record in (RecordKey("core", "2"), RecordKey("core", "3"))
    assert told.left.customer_id != told.right.customer_id


def test_both_sides_tell_the_same(night: Callable, model: ModelArtefact) -> None:
    con = night(_two(WANG | {"birth_date": BORN, "mobile": MOBILE}, LI | {"mobile": MOBILE}))
    there, back = (explain(con, SETTINGS, model, *pair) for pair in (("core:1", "core:2"), ("core:2", "core:1")))
    assert there.verdict == back.verdict
    assert there.score is not None
    assert back.score is not None
    assert there.score.match_weight == back.score.match_weight
    assert [(f.comparison, f.left, f.right) for f in there.score.fields] == [
        (f.comparison, f.right, f.left) for f in back.score.fields
    ]


def test_the_date_from_which_they_are_one(night: Callable, model: ModelArtefact) -> None:
    con = night(_two(WANG | {"birth_date": BORN, "mobile": MOBILE}, WANG | {"birth_date": BORN, "mobile": MOBILE}))
    customer_id = find(con, "core:1").customer_id
    con.execute("create schema history")
    con.execute(
        "create table history.customer_record (business_date date, system varchar, record_id varchar,"
        " customer_id varchar)"
    )
    for day, ids in ((28, "xx"), (29, "xy"), (30, "xx"), (31, "xx")):
        for record_id, said in zip("12", ids, strict=True):
            con.execute(
                "insert into history.customer_record values (?, 'core', ?, ?)",
                [dt.date(2026, 1, day), record_id, customer_id if said == "x" else "other"],
            )
    assert explain(con, SETTINGS, model, "core:1", "core:2").since == dt.date(2026, 1, 30)


def test_what_is_not_there_is_said_with_a_remedy(night: Callable, model: ModelArtefact) -> None:
    con = night(_two(WANG, LI))
    with pytest.raises(NotFoundError, match="no party record '9'"):
        find(con, "core:9")
    with pytest.raises(NotFoundError, match="no system of this bank: core"):
        find(con, "kore:1")
    with pytest.raises(NotFoundError, match="check character does not fit; write a party record as SYSTEM:RECORD_ID"):
        find(con, "C0000000000A")
    with pytest.raises(ValueError, match="named twice"):
        explain(con, SETTINGS, model, "core:1", "core:1")


def test_the_fields_of_every_pair_sum_to_its_stored_weight(model: ModelArtefact) -> None:
    con = generate(250, seed=11, noise=0.3).connect()
    resolve(con, SETTINGS, DAY, model)
    con.execute("create schema customer")
    con.execute("create view customer.customer_record as from res.customer_record")
    pairs = con.execute("select node_id_l, node_id_r, match_weight, comparison_levels from res.node_pair").fetchall()
    assert len(pairs) > 100
    near = Neighbourhood(con, SETTINGS, model, {node for row in pairs for node in row[:2]})
    scores = near.scores([(one, other) for one, other, *_ in pairs])
    for one, other, weight, levels in pairs:
        score = scores[one, other]
        assert score.stored_weight == weight
        assert score.match_weight == pytest.approx(weight, abs=1e-9)
        assert score.prior_bits + sum(field.bits for field in score.fields) == pytest.approx(weight, abs=1e-9)
        assert "; ".join(f"{f.comparison}: {f.level}" for f in score.fields if f.level is not None) == levels


def test_how_a_customer_was_built(night: Callable, model: ModelArtefact) -> None:
    parties = Parties()
    id_ = _documents(("resident_id", "110101198002030011"))
    other_id = _documents(("resident_id", "110101198002030038"))
    common = WANG | {"birth_date": BORN, "mobile": MOBILE, "address_key": "S1"}
    parties.add("1", **common, documents=id_)
    parties.add("2", **common, documents=id_)
    parties.add("3", **common, email="wang@mail.example", documents=(("resident_id", "110101********0011", False),))
    parties.add("4", **common, documents=other_id)
    con = night(parties)
    built = construct(con, SETTINGS, model, find(con, "core:1").customer_id)
    assert built.main == (RecordKey("core", "1"), RecordKey("core", "2"))
    assert [(str(link.left), str(link.right)) for link in built.main_links] == [("core:1", "core:2")]
    [link] = built.links
    assert link.kind == Verdict.SCORE
    assert link.right == (RecordKey("core", "3"),)
    assert {pair.right for pair in built.refused} == {(RecordKey("core", "4"),)}
    assert all(pair.reason == TWO_DOCUMENTS.format("resident_id") for pair in built.refused)
