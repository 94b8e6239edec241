"""What people decide about rows in quarantine: a row of the log, and what is in force.

A row is released (as it is, or with other values) or discarded: accepted as lost. Pure functions of the log; how a
released row lands is ``sources.released_rows``'s matter.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from models.identity.decisions import State, states

QuarantineVerdict = Literal["release", "discard", "withdraw", "approve"]


@dataclass(frozen=True)
class QuarantineDecision:
    """One row of the log.

    Attributes:
        decision_id: Its number; 0 until it is written.
        made_at: When it was made, with time zone.
        made_by: Who decided.
        verdict: ``release`` or ``discard`` the row; ``withdraw`` or ``approve`` an earlier decision about it.
        quarantine_id: The row in quarantine.
        source: Its object, ``system.object``.
        changes: Of a release, the fields that get other raw values; None: as it is, the rule is waived.
        reason: Why, in words.
        refers_to: The decision that is withdrawn or approved.
        needs_approval: Whether it counts only once somebody else has approved it (four eyes).
    """

    decision_id: int
    made_at: dt.datetime
    made_by: str
    verdict: QuarantineVerdict
    quarantine_id: str
    source: str
    changes: Mapping[str, str | None] | None = None
    reason: str = ""
    refers_to: int | None = None
    needs_approval: bool = False


@dataclass(frozen=True)
class Standing:
    """The latest decision about a row that is not withdrawn, its state, and a withdrawal that waits for approval."""

    decision: QuarantineDecision
    state: State
    withdrawal: QuarantineDecision | None = None


def standings(rows: Iterable[QuarantineDecision]) -> dict[str, Standing]:
    """How each row in quarantine stands that something is decided about; the latest of several decisions counts."""
    log = sorted(rows, key=lambda row: row.decision_id)
    state = states(log)
    waiting = {row.refers_to: row for row in log if row.verdict == "withdraw" and state[row.decision_id] == "pending"}
    return {
        row.quarantine_id: Standing(row, state[row.decision_id], waiting.get(row.decision_id))
        for row in log
        if row.verdict in ("release", "discard") and state[row.decision_id] != "withdrawn"
    }


def released(rows: Iterable[QuarantineDecision]) -> dict[str, dict[str, Mapping[str, str | None] | None]]:
    """What is released: by object (``system.object``) and id the fields with other values, None where it is waived."""
    found: dict[str, dict[str, Mapping[str, str | None] | None]] = {}
    for quarantine_id, one in standings(rows).items():
        if one.state == "in force" and one.decision.verdict == "release":
            found.setdefault(one.decision.source, {})[quarantine_id] = one.decision.changes
    return found
