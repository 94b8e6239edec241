"""Why two parties are one customer or not: one case a verdict, made by hand and run through the steps of a night."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import duckdb
import pytest

from models.identity.customer_history import NotFoundError
from models.identity.evidence import BIRTH_DATE_AND_SEX, SHARED_DOCUMENT, TWO_DOCUMENTS
from models.identity.explain import explain
from models.identity.explain_customer import construct, find
from models.identity.explain_evidence import Neighbourhood
from models.identity.explain_text import Grid, pair_blocks
from models.identity.explanation import Explanation, RecordKey, Verdict
from models.identity.matching_model import ModelArtefact
from models.identity.resolve import resolve
from models.identity.settings import MatchingSettings
from models.identity.words import load_words
from models.tables import load_tables
from tests.models.synthetic_parties import GIVEN, SURNAMES, Parties, generate

SETTINGS = MatchingSettings.model_validate({"training": {"random_pairs": 50_000}})
DAY = dt.date(2026, 1, 31)


def _person(number: int) -> dict[str, Any]:
    """Names of a person who shares no character of the given name with the others, and a birth date and mobile."""
    surname, given = list(SURNAMES)[number % 10], "".join(list(GIVEN)[2 * (number % 10) : 2 * (number % 10) + 2])
    latin = f"{SURNAMES[surname]} {''.join(GIVEN[c] for c in given)}"
    name = {"name": surname + given, "latin": latin, "surname": surname, "given_name": given}
    return name | {
        "birth_date": dt.date(1950 + number, 2 + number % 10, 3 + number),
        "mobile": f"+86139000000{number:02d}",
    }


def _without(said: dict[str, Any], *fields: str) -> dict[str, Any]:
    return {name: value for name, value in said.items() if name not in fields}


def _documents(*documents: tuple[str, str]) -> tuple[tuple[str, str, bool], ...]:
    return tuple((kind, number, True) for kind, number in documents)


def _cases() -> tuple[Parties, list[tuple[str, str, str]]]:
    """All cases as one bank: records ``<case>-1``, ``<case>-2`` ...; and what stewards decided."""
    parties = Parties()

    def case(name: str, *records: dict[str, Any]) -> None:
        for number, said in enumerate(records, start=1):
            parties.add(f"{name}-{number}", **said)

    id_ = _documents(("resident_id", "11010119800203001X"))
    one = _person(0) | {"documents": id_}
    case("document", one, _without(one, "given_name") | {"name": "王芳伟", "latin": "WANG FANGWEI"})
    passport = ("passport", "CN:E1234567")
    over = _without(_person(1), "birth_date", "mobile")
    resident = ("resident_id", "110101198002030011")
    case(
        "over",
        over | {"documents": _documents(resident)},
        over | {"documents": _documents(passport)},
        over | {"documents": _documents(resident, passport)},
    )
    case("score", _person(2), _person(2))
    chain, contact = _person(3), {"email": "chain@mail.example"}
    case(
        "chain",
        _without(chain, "birth_date") | contact,
        chain | contact | {"address_key": "S3"},
        chain | {"mobile": "+8613933334444", "email": "c@mail.example", "address_key": "S3"},
    )
    refused = _person(4) | {"address_key": "S4", "email": "refused@mail.example"}
    case(
        "refused",
        *(
            refused | {"documents": _documents(("resident_id", n))}
            for n in ("110101195403070018", "110101195403070034")
        ),
    )
    shared = _documents(("resident_id", "110101195504080017"))
    case(
        "shared",
        _person(5) | {"documents": shared, "sex": "male"},
        _person(6) | {"documents": shared, "sex": "female"},
    )
    rival = _person(7) | {"address_key": "S7"}
    numbers = ("110101195709100019", "110101195709100035")
    case("rival", rival, *(rival | {"documents": _documents(("resident_id", n))} for n in numbers))
    case("kind", _person(8), {"party_type": "organisation", "name": "明超科技", "mobile": _person(8)["mobile"]})
    case("few", _person(9), _person(11) | {"mobile": _person(9)["mobile"]})
    case("apart", _without(_person(12), "mobile"), _without(_person(13), "mobile") | _born(12))
    case("agent", _person(14), _person(15) | {"mobile": _person(14)["mobile"]} | _born(14))
    for number in (1, 2):
        _contact(parties, f"agent-{number}").update(party_count=41, is_identifying=False)
    case("again", _person(16), _person(16))
    _contact(parties, "again-2").update(holding_no=2)
    case("same", _person(17), _person(18))
    case("different", _person(19), _person(19))
    case("alone", _person(20))
    built = _person(21) | {"address_key": "S21"}
    number = "110101197103240010"
    case(
        "built",
        *(built | {"documents": _documents(("resident_id", n))} for n in (number, number)),
        built | {"email": "built@mail.example", "documents": (("resident_id", "110101********0010", False),)},
        built | {"documents": _documents(("resident_id", "110101197103240037"))},
    )
    return parties, [("same-1", "same-2", "same"), ("different-1", "different-2", "different")]


def _born(number: int) -> dict[str, Any]:
    return {"birth_date": _person(number)["birth_date"]}


def _contact(parties: Parties, record_id: str) -> dict[str, Any]:
    [found] = [contact for contact in parties.party_contact if contact["record_id"] == record_id]
    return found


def _night(
    parties: Parties, settings: MatchingSettings, model: ModelArtefact, decisions: Sequence[tuple[str, str, str]] = ()
) -> duckdb.DuckDBPyConnection:
    """A night of parties as an explanation reads it."""
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
    con.execute("create view customer.customer_record_history as from res.customer_record_history")
    con.execute(f"create table customer.retired_customer as {load_tables()['customer.retired_customer'].sql}")
    return con


@pytest.fixture(scope="module")
def model() -> ModelArtefact:
    return resolve(generate(1500, seed=10).connect(), SETTINGS, DAY)


@pytest.fixture(scope="module")
def con(model: ModelArtefact) -> duckdb.DuckDBPyConnection:
    parties, decisions = _cases()
    return _night(parties, SETTINGS, model, decisions)


@pytest.fixture
def why(con: duckdb.DuckDBPyConnection, model: ModelArtefact) -> Callable[[str, str], Explanation]:
    """Explain two records of core."""
    return lambda one, other: explain(con, SETTINGS, model, f"core:{one}", f"core:{other}")


def _tell(told: Explanation) -> str:
    """The whole explanation as text."""
    lines = []
    for block in pair_blocks(load_words("en"), told):
        lines.append(block.title or "")
        lines += [" | ".join(row) for row in block.rows] if isinstance(block, Grid) else block.lines
    return "\n".join(lines)


def _levels(told: Explanation) -> dict[str, str | None]:
    assert told.score is not None
    return {field.comparison: field.level for field in told.score.fields}


def test_one_document_makes_one_customer(why: Callable[[str, str], Explanation]) -> None:
    told = why("document-1", "document-2")
    assert told.verdict == Verdict.DOCUMENT
    [link] = told.links
    assert (str(link.left), str(link.right)) == ("core:document-1", "core:document-2")
    assert link.document is not None
    assert link.document.document_number == "11010119800203001X"
    assert link.document.is_checked
    assert link.fit[0] == "name_swapped"
    assert "the names are the same but for the order and the birth dates are equal" in _tell(told)


def test_documents_may_join_over_a_third_record(why: Callable[[str, str], Explanation]) -> None:
    told = why("over-1", "over-2")
    assert told.verdict == Verdict.DOCUMENT
    assert [(link.left.record_id, link.right.record_id) for link in told.links] == [
        ("over-1", "over-3"),
        ("over-3", "over-2"),
    ]
    assert "over 3 records" in _tell(told)


def test_enough_in_common(why: Callable[[str, str], Explanation]) -> None:
    told = why("score-1", "score-2")
    assert told.verdict == Verdict.SCORE
    assert told.score is not None
    assert told.score.found_by == "mobile"
    assert {("mobile",), ("name", "birth_date")} <= set(told.score.rules)
    levels = _levels(told)
    assert (levels["name"], levels["birth_date"], levels["mobile"], levels["email"]) == (
        "equal",
        "equal",
        "equal",
        None,
    )
    assert "same mobile number: +8613900000002" in _tell(told)


def test_together_only_through_another(why: Callable[[str, str], Explanation]) -> None:
    told = why("chain-1", "chain-3")
    assert told.verdict == Verdict.CHAIN
    assert [[key.record_id for key in (*link.left, *link.right)] for link in told.chain] == [
        ["chain-1", "chain-2"],
        ["chain-2", "chain-3"],
    ]
    assert told.score is not None
    assert told.score.match_weight < SETTINGS.merge_threshold_bits
    assert "1. core:chain-1 with core:chain-2" in _tell(told)


def test_two_documents_of_one_type(why: Callable[[str, str], Explanation]) -> None:
    told = why("refused-1", "refused-2")
    assert told.verdict == Verdict.REFUSED
    assert told.reason == TWO_DOCUMENTS.format("resident_id")
    [conflict] = told.conflicts
    assert conflict.left == (("110101195403070018", RecordKey("core", "refused-1")),)
    assert conflict.right == (("110101195403070034", RecordKey("core", "refused-2")),)
    assert "two different valid numbers of one type (resident id)" in _tell(told)


def test_one_document_on_two_people(why: Callable[[str, str], Explanation]) -> None:
    told = why("shared-1", "shared-2")
    assert told.verdict == Verdict.REFUSED
    assert told.reason == SHARED_DOCUMENT
    assert {conflict.constraint for conflict in told.conflicts} == {SHARED_DOCUMENT, BIRTH_DATE_AND_SEX}
    assert "a steward must say" in _tell(told)


def test_it_fits_two_others(why: Callable[[str, str], Explanation]) -> None:
    told = why("rival-1", "rival-2")
    assert told.verdict == Verdict.AMBIGUOUS
    [rival] = told.rivals
    assert rival.records == (RecordKey("core", "rival-3"),)
    assert f"It also fits {rival.customer_id} (core:rival-3)" in _tell(told)


def test_a_person_and_an_organisation(why: Callable[[str, str], Explanation]) -> None:
    told = why("kind-1", "kind-2")
    assert told.verdict == Verdict.OTHER_TYPE
    assert told.score is None
    assert "the one is a person, the other an organisation" in _tell(told)


def test_not_enough_in_common(why: Callable[[str, str], Explanation]) -> None:
    told = why("few-1", "few-2")
    assert told.verdict == Verdict.BELOW_REVIEW
    assert told.score is not None
    assert told.score.rules == (("mobile",),)
    assert told.score.stored_weight is None
    assert "the evidence weighs" in _tell(told)


def test_in_review(model: ModelArtefact) -> None:
    high = MatchingSettings.model_validate({"merge_threshold_bits": 500, "training": {"random_pairs": 50_000}})
    parties = Parties()
    for record_id in "12":
        parties.add(record_id, **_person(2))
    told = explain(_night(parties, high, model), high, model, "core:1", "core:2")
    assert told.verdict == Verdict.BELOW_MERGE
    assert told.score is not None
    assert f"{500 - told.score.match_weight:.1f} short of the 500 that" in _tell(told)


def test_never_compared(why: Callable[[str, str], Explanation]) -> None:
    told = why("apart-1", "apart-2")
    assert told.verdict == Verdict.NEVER_COMPARED
    assert told.score is not None
    nearest = {near.rule: near.missing for near in told.score.near_rules}
    assert nearest["name", "birth_date"] == ("name",)
    assert "name and birth date; not shared: name" in _tell(told)


def test_a_contact_of_many_counts_for_nothing(why: Callable[[str, str], Explanation]) -> None:
    told = why("agent-1", "agent-2")
    assert told.verdict == Verdict.NEVER_COMPARED
    assert told.score is not None
    assert [contact.contact_value for contact in told.score.weightless] == ["+8613900000014"]
    assert "which does not count: shared by 41 parties" in _tell(told)


def test_a_number_that_was_re_assigned_is_two_contacts(why: Callable[[str, str], Explanation]) -> None:
    told = why("again-1", "again-2")
    assert _levels(told)["mobile"] == "different"
    assert "+8613900000016 / +8613900000016 (re-assigned, holder no. 2)" in _tell(told)


def test_a_steward_said_they_are_the_same(why: Callable[[str, str], Explanation]) -> None:
    told = why("same-1", "same-2")
    assert told.verdict == Verdict.DECIDED_SAME
    [link] = told.links
    assert link.decision is not None
    assert link.decision.reason == "seen in the branch"
    assert "seen in the branch" in _tell(told)


def test_a_steward_said_they_are_different(why: Callable[[str, str], Explanation]) -> None:
    told = why("different-2", "different-1")
    assert told.verdict == Verdict.DECIDED_DIFFERENT
    said = "core:different-1 and core:different-2 are different (steward, 2026-01-30 08:00: seen in the branch)"
    assert said in _tell(told)


def test_a_customer_of_one_record(con: duckdb.DuckDBPyConnection, model: ModelArtefact) -> None:
    customer_id = find(con, "core:alone-1").customer_id
    told = explain(con, SETTINGS, model, customer_id, "core:alone-1")
    assert told.verdict == Verdict.ALONE
    assert f"{customer_id} is this one record alone" in _tell(told)


def test_customers_are_compared_by_their_nearest_nodes(con: duckdb.DuckDBPyConnection, model: ModelArtefact) -> None:
    one, other = (find(con, record).customer_id for record in ("core:built-1", "core:built-4"))
    told = explain(con, SETTINGS, model, one, other)
    weights = [
        explain(con, SETTINGS, model, record, "core:built-4").score.match_weight  # type: ignore[union-attr]
        for record in ("core:built-1", "core:built-3")
    ]
    assert told.score is not None
    assert told.score.match_weight == max(weights)
    assert f"Of {one} what comes nearest is compared" in _tell(told)


def test_both_sides_tell_the_same(why: Callable[[str, str], Explanation]) -> None:
    there, back = why("few-1", "few-2"), why("few-2", "few-1")
    assert there.verdict == back.verdict
    assert there.score is not None
    assert back.score is not None
    assert there.score.match_weight == back.score.match_weight
    assert [(f.comparison, f.left, f.right) for f in there.score.fields] == [
        (f.comparison, f.right, f.left) for f in back.score.fields
    ]


def test_the_date_from_which_they_are_one(
    con: duckdb.DuckDBPyConnection, why: Callable[[str, str], Explanation]
) -> None:
    customer_id = find(con, "core:score-1").customer_id
    con.execute(
        f"""
        create or replace view customer.customer_record_history as
        select 'core' as system, *
        from (
            values ('score-1', '{customer_id}', date '2026-01-28', null),
            ('score-2', '{customer_id}', date '2026-01-28', date '2026-01-29'),
            ('score-2', 'another', date '2026-01-29', date '2026-01-30'),
            ('score-2', '{customer_id}', date '2026-01-30', null)
        ) as history (record_id, customer_id, valid_from, valid_to)
        """
    )
    assert why("score-1", "score-2").since == dt.date(2026, 1, 30)
    con.execute("create or replace view customer.customer_record_history as from res.customer_record_history")


def test_what_is_not_there_is_said_with_a_remedy(
    con: duckdb.DuckDBPyConnection, why: Callable[[str, str], Explanation]
) -> None:
    with pytest.raises(NotFoundError, match="no party record '9'"):
        find(con, "core:9")
    with pytest.raises(NotFoundError, match="no system of this bank: core"):
        find(con, "kore:1")
    with pytest.raises(NotFoundError, match="check character does not fit; write a party record as SYSTEM:RECORD_ID"):
        find(con, "C0000000000A")
    with pytest.raises(ValueError, match="named twice"):
        why("alone-1", "alone-1")


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


def test_how_a_customer_was_built(con: duckdb.DuckDBPyConnection, model: ModelArtefact) -> None:
    built = construct(con, SETTINGS, model, find(con, "core:built-1").customer_id)
    assert [key.record_id for key in built.main] == ["built-1", "built-2"]
    assert [(link.left.record_id, link.right.record_id) for link in built.main_links] == [("built-1", "built-2")]
    [link] = built.links
    assert link.kind == Verdict.SCORE
    assert link.right == (RecordKey("core", "built-3"),)
    assert {pair.right for pair in built.refused} == {(RecordKey("core", "built-4"),)}
    assert all(pair.reason == TWO_DOCUMENTS.format("resident_id") for pair in built.refused)
