"""What is in force of the decisions about rows in quarantine: the latest that is approved and not withdrawn."""

import datetime as dt
from dataclasses import replace

from models.quarantine_decisions import QuarantineDecision, released, standings

NOON = dt.datetime(2026, 10, 29, 12, tzinfo=dt.UTC)
RELEASE = QuarantineDecision(1, NOON, "ann", "release", "QA", "core.customer", {"name": "x"}, "seen")


def _then(number: int, verdict: str, **other: object) -> QuarantineDecision:
    return replace(RELEASE, decision_id=number, verdict=verdict, changes=None, **other)  # type: ignore[arg-type]


def test_what_is_released_by_object_and_id() -> None:
    other = replace(RELEASE, decision_id=2, quarantine_id="QB", source="core.account", changes=None)
    discarded = _then(3, "discard", quarantine_id="QC")
    assert released([other, RELEASE, discarded]) == {
        "core.customer": {"QA": {"name": "x"}},
        "core.account": {"QB": None},
    }


def test_a_withdrawn_release_is_none_and_the_next_decision_counts() -> None:
    withdrawn = _then(2, "withdraw", refers_to=1)
    assert released([RELEASE, withdrawn]) == {}
    assert standings([RELEASE, withdrawn]) == {}
    again = replace(RELEASE, decision_id=3, changes={"name": "y"})
    assert released([again, withdrawn, RELEASE]) == {"core.customer": {"QA": {"name": "y"}}}


def test_under_four_eyes_nothing_counts_before_somebody_else_approves() -> None:
    waiting = replace(RELEASE, needs_approval=True)
    own = _then(2, "approve", refers_to=1)
    assert released([waiting, own]) == {}
    assert standings([waiting, own])["QA"].state == "pending"
    approved = _then(3, "approve", refers_to=1, made_by="bo")
    assert released([waiting, own, approved]).keys() == {"core.customer"}
    withdrawal = _then(4, "withdraw", refers_to=1, needs_approval=True)
    standing = standings([waiting, own, approved, withdrawal])["QA"]
    assert (standing.state, standing.withdrawal) == ("in force", withdrawal)
