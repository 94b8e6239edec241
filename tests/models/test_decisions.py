"""Stewards' decisions as a pure function of the log: what is in force, what binds, what contradicts."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.identity.decisions import JudgedPair, LogRow, judge, states

NOON = dt.datetime(2026, 10, 29, 12, tzinfo=dt.UTC)


def _row(
    number: int, verdict: str, left: str = "", right: str = "", *, of: int | None = None, by: str = "an", eyes: int = 2
) -> LogRow:
    """A row about records of system ``core`` that are named by one letter each."""
    sides = (tuple(("core", name) for name in side) for side in (left, right))
    return LogRow(number, NOON, by, verdict, *sides, "seen", of, eyes == 4)


def _standings(judged: list[JudgedPair]) -> dict[tuple[int, str], str | tuple[str, int]]:
    """Standing by number and pair, with the overruling decision where there is one."""
    return {
        (one.decision.decision_id, one.pair[0][1] + one.pair[1][1]): (one.standing, one.overruled_by)
        if one.overruled_by
        else one.standing
        for one in judged
    }


def test_a_decision_speaks_of_every_record_of_one_side_with_every_record_of_the_other() -> None:
    assert _standings(judge([_row(1, "same", "ab", "dc")])) == {
        (1, "ac"): "binding",
        (1, "ad"): "binding",
        (1, "bc"): "binding",
        (1, "bd"): "binding",
    }


def test_a_withdrawn_decision_does_not_speak_and_withdrawing_the_withdrawal_restores_it() -> None:
    log = [_row(1, "different", "a", "b"), _row(2, "withdraw", of=1)]
    assert judge(log) == []
    assert states(log) == {1: "withdrawn", 2: "in force"}
    log.append(_row(3, "withdraw", of=2))
    assert states(log) == {1: "in force", 2: "withdrawn", 3: "in force"}
    assert _standings(judge(log)) == {(1, "ab"): "binding"}


def test_under_four_eyes_a_decision_counts_once_somebody_else_has_approved_it() -> None:
    log = [_row(1, "same", "a", "b", by="an", eyes=4)]
    assert states(log) == {1: "pending"}
    log.append(_row(2, "approve", of=1, by=" An"))
    assert states(log) == {1: "pending"}, "the same person under another spelling"
    log.append(_row(3, "approve", of=1, by="bo"))
    assert states(log) == {1: "in force"}
    log.append(_row(4, "withdraw", of=1, by="an", eyes=4))
    assert states(log) == {1: "in force", 4: "pending"}
    log.append(_row(5, "approve", of=4, by="bo"))
    assert states(log) == {1: "withdrawn", 4: "in force"}


def test_of_two_decisions_on_one_pair_the_later_binds() -> None:
    log = [_row(1, "same", "a", "b"), _row(2, "different", "b", "a")]
    assert _standings(judge(log)) == {(1, "ab"): ("superseded", 2), (2, "ab"): "binding"}
    log.append(_row(3, "same", "a", "b"))
    assert _standings(judge(log)) == {(1, "ab"): "binding", (2, "ab"): ("superseded", 3), (3, "ab"): "binding"}


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ((("same", "ab"), ("same", "bc"), ("different", "ac")), {(1, "ab"): ("contradicted", 3)}),
        ((("different", "ac"), ("same", "ab"), ("same", "bc")), {(2, "ab"): ("contradicted", 1)}),
        ((("same", "ab"), ("different", "ac"), ("same", "bc")), {(1, "ab"): ("contradicted", 2)}),
    ],
    ids=["different last", "different first", "different between"],
)
def test_what_follows_from_others_never_overrules_what_was_said_of_a_pair(verdicts, expected) -> None:
    log = [_row(n, verdict, *pair) for n, (verdict, pair) in enumerate(verdicts, start=1)]
    found = _standings(judge(log))
    assert {key: said for key, said in found.items() if said != "binding"} == expected


def test_a_decision_on_a_record_that_is_not_there_waits_for_it() -> None:
    there = {("core", "a"): "person", ("core", "c"): "person"}
    log = [_row(1, "same", "a", "b"), _row(2, "different", "a", "c")]
    assert _standings(judge(log, there)) == {(1, "ab"): "absent", (2, "ac"): "binding"}


def test_a_person_and_an_organisation_never_become_one() -> None:
    kinds = {("core", "a"): "person", ("core", "c"): "organisation"}
    assert _standings(judge([_row(1, "same", "a", "c")], kinds)) == {(1, "ac"): "other_kind"}
    by_way_of_a_record_that_is_gone = [_row(1, "same", "a", "b"), _row(2, "same", "b", "c")]
    assert _standings(judge(by_way_of_a_record_that_is_gone, kinds)) == {(1, "ab"): "other_kind", (2, "bc"): "absent"}
    assert _standings(judge([_row(1, "different", "a", "c"), _row(2, "same", "a", "c")], kinds)) == {
        (1, "ac"): "binding",
        (2, "ac"): "other_kind",
    }, "what is impossible supersedes nothing"


def test_taking_a_record_out_of_a_customer_overrules_the_decision_that_brought_it_there_for_that_record_only() -> None:
    log = [_row(1, "same", "ab", "c"), _row(2, "different", "a", "bc")]
    assert _standings(judge(log)) == {
        (1, "ac"): ("superseded", 2),
        (1, "bc"): "binding",
        (2, "ab"): "binding",
        (2, "ac"): "binding",
    }


_SPOKEN = st.lists(
    st.tuples(st.sampled_from(("same", "different")), st.permutations("abcdef")).map(
        lambda t: (t[0], t[1][0], t[1][1])
    ),
    max_size=8,
)


def _bonds(judged: list[JudgedPair]) -> tuple[set[frozenset[str]], set[tuple[str, str]]]:
    """Groups of letters that binding decisions make one, and pairs that they keep apart; computed the slow way."""
    groups = {letter: {letter} for letter in "abcdef"}
    apart = set()
    for one in judged:
        left, right = (record[1] for record in one.pair)
        if one.standing == "binding" and one.decision.verdict == "same":
            joined = groups[left] | groups[right]
            groups.update(dict.fromkeys(joined, joined))
        elif one.standing == "binding":
            apart.add((left, right))
    return {frozenset(group) for group in groups.values()}, apart


@given(_SPOKEN)
def test_what_binds_never_contradicts_itself_and_what_does_not_bind_names_why(spoken) -> None:
    judged = judge([_row(n, *said) for n, said in enumerate(spoken, start=1)])
    groups, apart = _bonds(judged)
    assert not [pair for pair in apart for group in groups if set(pair) <= group]
    assert len(judged) == len(spoken), "nothing is dropped"
    assert all((one.overruled_by is None) == (one.standing == "binding") for one in judged)


@given(_SPOKEN, st.randoms(use_true_random=False))
def test_the_order_in_which_rows_are_read_never_matters(spoken, random) -> None:
    log = [_row(n, *said) for n, said in enumerate(spoken, start=1)]
    shuffled = random.sample(log, len(log))
    assert judge(shuffled) == judge(log)
    assert states(shuffled) == states(log)


@given(st.permutations([("same", "a", "b"), ("different", "c", "d"), ("same", "e", "f"), ("different", "b", "e")]))
def test_the_order_in_which_independent_decisions_were_made_never_matters(spoken) -> None:
    found = _bonds(judge([_row(n, *said) for n, said in enumerate(spoken, start=1)]))
    assert found == ({frozenset("ab"), frozenset("ef"), frozenset("c"), frozenset("d")}, {("c", "d"), ("b", "e")})


@given(_SPOKEN, st.sampled_from(("same", "different")), st.permutations("abcdef"))
def test_withdrawing_a_decision_leaves_what_was_before_it(spoken, verdict, letters) -> None:
    before = [_row(n, *said) for n, said in enumerate(spoken, start=1)]
    number = len(before) + 1
    after = [*before, _row(number, verdict, letters[0], letters[1]), _row(number + 1, "withdraw", of=number)]
    assert judge(after) == judge(before)
