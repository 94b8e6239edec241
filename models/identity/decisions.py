"""Stewards' decisions: from the rows of the decision log to what is in force, pending, and in contradiction.

Pure functions of the log: nothing here reads a table or the clock. The log is only ever added to; a decision is
taken back by a later row that withdraws it. Where the log lies is the warehouse's matter, what a night makes of
the decisions that bind is ``decided``'s.

A decision speaks of two sides, each one or more party records: every record of one side and every record of the
other are the same party, or different parties. Where decisions contradict each other (ADR 15):

1. of two that speak of the same pair, the later binds;
2. what a decision says of a pair is never overruled by what follows from others about it: a ``same`` that would
   bring together two records that a binding ``different`` names does not bind; of several such, the earliest does
   not.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Record = tuple[str, str]  # (system, record_id)
Pair = tuple[Record, Record]  # in their order
Verdict = Literal["same", "different", "withdraw", "approve"]
State = Literal["in force", "pending", "withdrawn"]
Standing = Literal["binding", "absent", "superseded", "contradicted", "other_kind"]


@dataclass(frozen=True)
class LogRow:
    """One row of the decision log.

    Attributes:
        decision_id: Number of the row; later rows have larger ones.
        made_at: When, with time zone.
        made_by: Who decided.
        verdict: ``same`` or ``different`` of two sides; ``withdraw`` or ``approve`` of an earlier row.
        left: Records of one side; empty for ``withdraw`` and ``approve``.
        right: Records of the other side.
        reason: Why, in the steward's words.
        refers_to: The row that is withdrawn or approved.
        needs_approval: Whether the row counts only once somebody else has approved it (four eyes).
    """

    decision_id: int
    made_at: dt.datetime
    made_by: str
    verdict: Verdict
    left: tuple[Record, ...] = ()
    right: tuple[Record, ...] = ()
    reason: str = ""
    refers_to: int | None = None
    needs_approval: bool = False

    @property
    def pairs(self) -> list[Pair]:
        """Every pair of records that the row speaks of, each in order, sorted."""
        return sorted({(min(one, other), max(one, other)) for one in self.left for other in self.right})


class Reviewed(Protocol):
    """A row of any log whose rows may be withdrawn (verdict ``withdraw``) and may need approval (``approve``)."""

    @property
    def decision_id(self) -> int: ...  # noqa: D102
    @property
    def made_by(self) -> str: ...  # noqa: D102
    @property
    def verdict(self) -> str: ...  # noqa: D102
    @property
    def refers_to(self) -> int | None: ...  # noqa: D102
    @property
    def needs_approval(self) -> bool: ...  # noqa: D102


@dataclass(frozen=True)
class JudgedPair:
    """What a decision in force says of one pair, and how that stands.

    Attributes:
        decision: The decision.
        pair: Two records, in order.
        standing: ``binding``; ``absent``: binding, but a record is not there tonight; ``superseded``: a later
            decision says the opposite of the pair; ``contradicted``: would bring together records that another
            decision keeps apart; ``other_kind``: would make a person and an organisation one.
        overruled_by: Number of that other decision.
    """

    decision: LogRow
    pair: Pair
    standing: Standing
    overruled_by: int | None = None


def same_person(one: str, other: str) -> bool:
    """Whether two names of stewards are one person's."""
    return one.strip().casefold() == other.strip().casefold()


def states(rows: Iterable[Reviewed]) -> dict[int, State]:
    """State of every row but approvals, by number.

    A row that needs approval is pending until somebody else than its maker has approved it; a row is withdrawn when
    a withdrawal that is in force refers to it. A withdrawal can itself be withdrawn, which restores what it took back.
    """
    by_age = sorted(rows, key=lambda row: row.decision_id)
    approvals: dict[int, list[Reviewed]] = defaultdict(list)
    withdrawals: dict[int, list[Reviewed]] = defaultdict(list)
    for row in by_age:
        if row.refers_to is not None and row.refers_to < row.decision_id:
            (approvals if row.verdict == "approve" else withdrawals)[row.refers_to].append(row)
    found: dict[int, State] = {}
    # what withdraws a row is later than it, so it is judged before it
    for row in reversed(by_age):
        if row.verdict == "approve":
            continue
        approved = any(not same_person(a.made_by, row.made_by) for a in approvals[row.decision_id])
        if any(found[w.decision_id] == "in force" for w in withdrawals[row.decision_id]):
            found[row.decision_id] = "withdrawn"
        elif row.needs_approval and not approved:
            found[row.decision_id] = "pending"
        else:
            found[row.decision_id] = "in force"
    return dict(sorted(found.items()))


def judge(rows: Sequence[LogRow], kinds: Mapping[Record, str] | None = None) -> list[JudgedPair]:
    """Every pair that a decision in force speaks of, and how it stands; sorted by decision and pair.

    Args:
        rows: The whole log, in any order.
        kinds: Party type of every record there is tonight; without it no pair is absent or of another kind.
    """
    state = states(rows)
    in_force = sorted(
        (row for row in rows if row.verdict in ("same", "different") and state[row.decision_id] == "in force"),
        key=lambda row: row.decision_id,
    )
    spoken = [(row, pair) for row in in_force for pair in row.pairs]
    possible = [(row, pair) for row, pair in spoken if row.verdict == "different" or not _kinds_differ(pair, kinds)]
    latest = {pair: row for row, pair in possible}
    groups = _Groups(kinds or {}, {pair: row.decision_id for pair, row in latest.items() if row.verdict == "different"})
    refused: dict[Pair, int | None] = {}
    by_age = sorted(latest.items(), key=lambda item: (-item[1].decision_id, item[0]))
    for pair, row in by_age:
        if row.verdict == "same" and not groups.join(*pair):
            refused[pair] = groups.obstacle(*pair)
    return [_judged(row, pair, latest.get(pair), refused, kinds) for row, pair in spoken]


def _judged(
    row: LogRow,
    pair: Pair,
    latest: LogRow | None,
    refused: Mapping[Pair, int | None],
    kinds: Mapping[Record, str] | None,
) -> JudgedPair:
    if row.verdict == "same" and _kinds_differ(pair, kinds):
        return JudgedPair(row, pair, "other_kind")
    if latest is not None and latest.verdict != row.verdict:
        return JudgedPair(row, pair, "superseded", latest.decision_id)
    if row.verdict == "same" and pair in refused:
        obstacle = refused[pair]
        return JudgedPair(row, pair, "other_kind" if obstacle is None else "contradicted", obstacle)
    absent = kinds is not None and any(record not in kinds for record in pair)
    return JudgedPair(row, pair, "absent" if absent else "binding")


def _kinds_differ(pair: Pair, kinds: Mapping[Record, str] | None) -> bool:
    found = {kinds[record] for record in pair if record in kinds} if kinds else set()
    return len(found) > 1


class _Groups:
    """Records joined one by one, as long as nothing that is kept apart comes together."""

    def __init__(self, kinds: Mapping[Record, str], apart: Mapping[Pair, int]) -> None:
        self._kinds = kinds
        self._apart: dict[Record, dict[Record, int]] = defaultdict(dict)
        for (one, other), decision_id in apart.items():
            self._apart[one][other] = self._apart[other][one] = decision_id
        self._group: dict[Record, set[Record]] = {}

    def join(self, one: Record, other: Record) -> bool:
        """Join the groups of two records; False if that is forbidden."""
        a, b = self._members(one), self._members(other)
        if a is b:
            return True
        if self._between(a, b) or len({self._kinds[r] for r in a | b if r in self._kinds}) > 1:
            return False
        a |= b
        for record in b:
            self._group[record] = a
        return True

    def obstacle(self, one: Record, other: Record) -> int | None:
        """The latest decision that keeps the groups of two records apart; None where their kinds do."""
        return max(self._between(self._members(one), self._members(other)), default=None)

    def _members(self, record: Record) -> set[Record]:
        return self._group.setdefault(record, {record})

    def _between(self, a: set[Record], b: set[Record]) -> list[int]:
        return [number for r in a for partner, number in self._apart.get(r, {}).items() if partner in b]
