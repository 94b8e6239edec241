"""What stewards do, as plain functions: name records, decide, take out, withdraw, approve, and see how it stands.

A customer is resolved to its party records at once and only records are written down: ids move from night to night,
records do not. Nothing here changes a customer; the next night does.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import duckdb

from models.identity.decided import kinds_of, of_records
from models.identity.decisions import JudgedPair, LogRow, Record, State, Verdict, judge, same_person, states
from pipelines.workspace import Workspace
from warehouse.audit import Detail

_WITH_PARTY_TYPE = "(from customer.customer_record inner join customer.customer using (customer_id))"


class DecisionRefused(ValueError):  # noqa: N818 - told to the steward, who can mend it
    """A decision cannot be written down; says why and what to do."""


@dataclass(frozen=True)
class Standing:
    """How a row of the log stands: its state, and of a decision in force every pair with its own standing."""

    row: LogRow
    state: State
    pairs: tuple[JudgedPair, ...]

    @property
    def troubles(self) -> tuple[JudgedPair, ...]:
        """Pairs for which the decision does not bind."""
        return tuple(pair for pair in self.pairs if pair.standing != "binding")


def records_of(con: duckdb.DuckDBPyConnection, who: str) -> tuple[Record, ...]:
    """Records that a steward names: one as ``SYSTEM:RECORD_ID``, or all of a customer by its id; sorted.

    Args:
        con: The current release.
        who: What the steward wrote.

    Raises:
        DecisionRefused: there is no such record or customer.
    """
    system, colon, record_id = who.partition(":")
    condition, values = ("system = ? and record_id = ?", [system, record_id]) if colon else ("customer_id = ?", [who])
    found = con.execute(
        f"select system, record_id from customer.customer_record where {condition} order by all", values
    ).fetchall()
    if found:
        return tuple(found)
    if colon:
        raise DecisionRefused(f"no party record {who!r} in the current release; write SYSTEM:RECORD_ID")
    merged = con.execute(
        "select max_by(related_customer_id, business_date) from customer.customer_event"
        " where customer_id = ? and event = 'merge'",
        [who],
    ).fetchall()[0][0]
    raise DecisionRefused(
        f"customer {who!r} was merged into {merged}: name that one, or the records that you mean"
        if merged
        else f"no customer {who!r} in the current release"
    )


def decide(workspace: Workspace, verdict: Verdict, one: str, other: str, by: str, reason: str) -> LogRow:
    """Write down that two sides are the ``same`` party or ``different`` parties; each a record or a customer.

    Raises:
        DecisionRefused: a side is unknown, both are the same, a person would become an organisation, or it is said
            already.
        ReleaseError: there is no release to take the records from.
    """
    with workspace.releases.connect() as con:
        left, right = records_of(con, one), records_of(con, other)
        if set(left) & set(right):
            raise DecisionRefused(
                f"{one} and {other} have a record in common; to take records out of a customer: c360 unmerge"
            )
        if (
            verdict == "same"
            and len(set(of_records(con, _WITH_PARTY_TYPE, "party_type", (*left, *right)).values())) > 1
        ):
            raise DecisionRefused("a person and an organisation are never one customer")
    return _decide(workspace, verdict, left, right, by, reason)


def unmerge(workspace: Workspace, customer_id: str, named: Sequence[str], by: str, reason: str) -> LogRow:
    """Write down that some records of a customer are different from all its others.

    Raises:
        DecisionRefused: the customer or a record is unknown, a record is not the customer's, or none would be left.
        ReleaseError: there is no release to take the records from.
    """
    with workspace.releases.connect() as con:
        members = records_of(con, customer_id)
        out = tuple(sorted({record for who in named for record in records_of(con, who)}))
    strangers = [":".join(record) for record in out if record not in members]
    if strangers:
        raise DecisionRefused(f"{', '.join(strangers)}: not a record of customer {customer_id}")
    rest = tuple(record for record in members if record not in out)
    if not rest:
        raise DecisionRefused(f"these are all records of customer {customer_id}; name those that do not belong to it")
    return _decide(workspace, "different", out, rest, by, reason)


def withdraw(workspace: Workspace, number: int, by: str, reason: str) -> LogRow:
    """Write down that a decision no longer counts; a withdrawal can itself be withdrawn.

    Under four eyes somebody else approves it, unless it withdraws what nobody has approved yet.

    Raises:
        DecisionRefused: there is no such decision, or it is withdrawn already.
    """
    four_eyes = workspace.bank.settings.stewards.four_eyes

    def draft(rows: Sequence[LogRow]) -> LogRow:
        state = _state_of(rows, number)
        if state == "withdrawn":
            raise DecisionRefused(f"decision {number} is withdrawn already")
        needs_approval = four_eyes and state == "in force"
        return _row("withdraw", by, reason, refers_to=number, needs_approval=needs_approval)

    return _append(workspace, draft)


def approve(workspace: Workspace, number: int, by: str, reason: str) -> LogRow:
    """Write down that somebody else than its maker has approved a pending decision.

    Raises:
        DecisionRefused: there is no such decision, it is not pending, or the maker would approve it.
    """

    def draft(rows: Sequence[LogRow]) -> LogRow:
        state = _state_of(rows, number)
        if state != "pending":
            raise DecisionRefused(f"decision {number} is {state}: there is nothing to approve")
        if any(row.decision_id == number and same_person(row.made_by, by) for row in rows):
            raise DecisionRefused(f"decision {number} is {by}'s own: somebody else must approve it")
        return _row("approve", by, reason, refers_to=number)

    return _append(workspace, draft)


def standings(workspace: Workspace) -> list[Standing]:
    """How every row of the log stands, by number; records are those of the current release's night."""
    rows = workspace.decision_log().rows()
    release = workspace.releases.current()
    kinds = None
    if release and workspace.lake.exists("identity.party_standard", release.business_date):
        with workspace.engine.connection(release.business_date, ["identity.party_standard"]) as con:
            kinds = kinds_of(con, rows)
    pairs: dict[int, list[JudgedPair]] = defaultdict(list)
    for one in judge(rows, kinds):
        pairs[one.decision.decision_id].append(one)
    state = states(rows)
    return [
        Standing(row, state[row.decision_id], tuple(pairs[row.decision_id])) for row in rows if row.decision_id in state
    ]


def review(workspace: Workspace, limit: int) -> list[dict[str, Any]]:
    """Pairs of customers worth judging, most money at stake first: the current release's queue with names.

    Left out are pairs of which a decision in force or pending speaks that the release does not know yet.

    Args:
        workspace: Bank and home.
        limit: How many at most.

    Raises:
        DecisionRefused: the release is older than the queue.
        ReleaseError: there is no release.
    """
    rows = workspace.decision_log().rows()
    state = states(rows)
    pairs = [pair for row in rows if state.get(row.decision_id) in ("in force", "pending") for pair in row.pairs]
    with workspace.releases.connect() as con:
        records = {record for pair in pairs for record in pair}
        customer = of_records(con, "customer.customer_record", "customer_id", records)
        decided = {frozenset(customer.get(record) for record in pair) for pair in pairs}
        if not con.execute("select 1 from duckdb_tables() where table_name = 'review_queue'").fetchall():
            raise DecisionRefused("the current release was published before there was a queue; run a night")
        found = con.execute(
            """
            select l.full_name as full_name_l, r.full_name as full_name_r, queue.*
            from mart.review_queue as queue
            left join customer.customer as l on l.customer_id = queue.customer_id_l
            left join customer.customer as r on r.customer_id = queue.customer_id_r
            order by review_rank
            """
        )
        names = [column[0] for column in found.description or []]
        queue = (dict(zip(names, row, strict=True)) for row in found.fetchall())
        undecided = (one for one in queue if frozenset((one["customer_id_l"], one["customer_id_r"])) not in decided)
        return list(islice(undecided, limit))


def _decide(
    workspace: Workspace, verdict: Verdict, left: tuple[Record, ...], right: tuple[Record, ...], by: str, reason: str
) -> LogRow:
    row = _row(verdict, by, reason, left, right, needs_approval=workspace.bank.settings.stewards.four_eyes)

    def draft(rows: Sequence[LogRow]) -> LogRow:
        state = states(rows)
        overruled = {one.decision.decision_id for one in judge(rows) if one.standing != "binding"}
        for earlier in rows:
            number, says_so = earlier.decision_id, (earlier.verdict, earlier.pairs) == (verdict, row.pairs)
            if says_so and state[number] != "withdrawn" and number not in overruled:
                raise DecisionRefused(f"decision {number} says so already ({state[number]})")
        return row

    return _append(workspace, draft)


def _append(workspace: Workspace, draft: Callable[[Sequence[LogRow]], LogRow]) -> LogRow:
    row = workspace.decision_log().append(draft, dt.datetime.now(dt.UTC))
    # the reason may speak of persons: it stays in the decision log
    said: dict[str, Detail] = {"verdict": row.verdict, "made_by": row.made_by, "refers_to": row.refers_to}
    workspace.audit.append("decided", f"decision {row.decision_id}", said)
    return row


def _row(
    verdict: Verdict,
    by: str,
    reason: str,
    left: tuple[Record, ...] = (),
    right: tuple[Record, ...] = (),
    refers_to: int | None = None,
    needs_approval: bool = False,
) -> LogRow:
    said, who = " ".join(reason.split()), " ".join(by.split())
    if not said or not who:
        raise DecisionRefused("a decision needs a reason and a name")
    return LogRow(0, dt.datetime.now(dt.UTC), who, verdict, left, right, said, refers_to, needs_approval)


def _state_of(rows: Sequence[LogRow], number: int) -> State:
    state = states(rows).get(number)
    if state is None:
        raise DecisionRefused(f"no decision {number}; 'c360 decisions' lists them")
    return state
