"""The quarantine as a workplace: what is open, a row with its bytes, and what somebody decides about it.

A row is known by its lasting id. Nothing here changes a landing: the next night lands what is released. Bytes and
corrected values are personal data: only ``read`` gives them out, and the audit log tells who read them.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import duckdb

from models.identity.decisions import same_person
from models.quarantine_decisions import QuarantineDecision, QuarantineVerdict, Standing, standings
from pipelines.stewardship import DecisionRefused
from pipelines.workspace import Workspace
from sources.contract import SourceObject
from sources.corrections import Correction, CorrectionError, check_correction
from sources.manifest import LandingResult, ReleasedRow, read_manifest
from warehouse.audit import Detail

ItemState = Literal["open", "pending", "released", "landed", "held", "discarded", "gone"]
STATES: dict[ItemState, str] = {
    "open": "nobody has decided",
    "pending": "a decision waits for somebody else's approval",
    "released": "lands with the next night",
    "landed": "has landed",
    "held": "is released and cannot land: its key has landed since, or it breaks a rule still",
    "discarded": "accepted as lost",
    "gone": "the latest delivery has it no more",
}


@dataclass(frozen=True)
class Item:
    """A row in quarantine, whatever the nights in which it came.

    Attributes:
        quarantine_id: its lasting id.
        source: its object.
        rule: the rule that it breaks first.
        field: the field that breaks it.
        reason: all reasons, in words.
        nights: dates on which it was set aside, ascending.
        places: date, file and line of each time.
        state: how it stands.
        standing: what is decided about it.
    """

    quarantine_id: str
    source: SourceObject
    rule: str
    field: str | None
    reason: str
    nights: tuple[dt.date, ...]
    places: tuple[tuple[dt.date, str, int], ...]
    state: ItemState
    standing: Standing | None


@dataclass(frozen=True)
class Content:
    """What a row in quarantine says: its bytes as text, and its fields unless nobody could read them.

    Neither where the row has landed since, with the date that delivered it run again.
    """

    text: str | None
    record: Mapping[str, str | None] | None


def items(workspace: Workspace) -> list[Item]:
    """Every row that is or was in quarantine, by object, date and place of its first time.

    Raises:
        LogError: the log cannot be read.
    """
    decided = standings(workspace.quarantine_log().rows())
    found = list[Item]()
    with duckdb.connect() as con:
        for contract in workspace.bank.contracts:
            for source in contract.objects:
                found += _items_of(workspace, con, source, decided)
    return found


def find(workspace: Workspace, ids: Sequence[str]) -> list[Item]:
    """The rows of these ids, each once, in their order.

    Raises:
        DecisionRefused: one is not known; all such are named.
    """
    known = {item.quarantine_id: item for item in items(workspace)}
    wanted = list(dict.fromkeys(one.strip().upper() for one in ids))
    if unknown := [one for one in wanted if one not in known]:
        raise DecisionRefused(
            f"no row {', '.join(unknown)} in quarantine; 'c360 quarantine list --state all' lists all"
        )
    return [known[one] for one in wanted]


def read(workspace: Workspace, item: Item) -> Content:
    """What a row says, as it was set aside last; that it was read is in the audit log before it is given out.

    Raises:
        AuditError: it cannot be recorded.
    """
    workspace.audit.append("read_quarantine", f"quarantine {item.quarantine_id}", {"object": item.source.table})
    raw, record = _stored(workspace, item)
    return Content(None if raw is None else _as_text(raw, item.source), record)


def release(
    workspace: Workspace, ids: Sequence[str], correction: Correction, by: str, reason: str
) -> list[QuarantineDecision]:
    """Write down that rows land: with other values, or as they are.

    Raises:
        DecisionRefused: a row is unknown, is decided about, or would not land so; everything that is wrong is listed.
        LogError: the log cannot be written.
        AuditError: it was written down, but not recorded.
    """
    found = _undecided(workspace, ids)
    if correction.file and len(found) > 1:
        raise DecisionRefused("--file holds one row; release the others on their own")
    problems, drafts = list[str](), list[QuarantineDecision]()
    for item in found:
        cards = any(field.tokenise for field in item.source.fields)
        try:
            changes = check_correction(
                item.source,
                item.nights[-1],
                item.rule,
                _stored(workspace, item)[1],
                correction,
                workspace.secret_key("card-token") if cards else None,
            )
        except CorrectionError as error:
            problems += [f"{item.quarantine_id}: {problem}" for problem in error.problems]
        else:
            drafts.append(_draft(workspace, item, "release", by, reason, changes))
    if problems:
        raise DecisionRefused("\n".join(problems))
    return [_decide(workspace, draft) for draft in drafts]


def discard(workspace: Workspace, ids: Sequence[str], by: str, reason: str) -> list[QuarantineDecision]:
    """Write down that rows are accepted as lost.

    Raises:
        DecisionRefused: a row is unknown or decided about.
        LogError: the log cannot be written.
        AuditError: it was written down, but not recorded.
    """
    drafts = [_draft(workspace, item, "discard", by, reason) for item in _undecided(workspace, ids)]
    return [_decide(workspace, draft) for draft in drafts]


def withdraw(workspace: Workspace, quarantine_id: str, by: str, reason: str) -> QuarantineDecision:
    """Write down that the decision about a row no longer counts; under four eyes, if it counts, somebody else approves.

    Raises:
        DecisionRefused: nothing is decided about it, or it is withdrawn already.
        LogError: the log cannot be written.
        AuditError: it was written down, but not recorded.
    """
    [item] = find(workspace, [quarantine_id])
    draft = _draft(workspace, item, "withdraw", by, reason)

    def about(standing: Standing) -> QuarantineDecision:
        if standing.withdrawal:
            raise DecisionRefused(f"{item.quarantine_id}: withdrawal {standing.withdrawal.decision_id} waits already")
        needs_approval = draft.needs_approval and standing.state == "in force"
        return replace(draft, refers_to=standing.decision.decision_id, needs_approval=needs_approval)

    return _refer(workspace, item, about)


def approve(workspace: Workspace, quarantine_id: str, by: str, reason: str) -> QuarantineDecision:
    """Write down that somebody else than its maker approves the decision, or the withdrawal, that waits for it.

    Raises:
        DecisionRefused: nothing waits, or the maker would approve it.
        LogError: the log cannot be written.
        AuditError: it was written down, but not recorded.
    """
    [item] = find(workspace, [quarantine_id])

    def about(standing: Standing) -> QuarantineDecision:
        waiting = standing.withdrawal or (standing.decision if standing.state == "pending" else None)
        if waiting is None:
            raise DecisionRefused(f"{item.quarantine_id}: nothing waits for approval")
        if same_person(waiting.made_by, by):
            raise DecisionRefused(f"{item.quarantine_id}: decision {waiting.decision_id} is {by}'s own")
        draft = _draft(workspace, item, "approve", by, reason)
        return replace(draft, refers_to=waiting.decision_id, needs_approval=False)

    return _refer(workspace, item, about)


def _items_of(
    workspace: Workspace, con: duckdb.DuckDBPyConnection, source: SourceObject, decided: Mapping[str, Standing]
) -> Iterator[Item]:
    lake, quarantine = workspace.lake, f"landing.quarantine__{source.table}"
    if not (dates := lake.dates(quarantine)):
        return
    # rows that were set aside before there were ids cannot be decided about
    rows = con.execute(
        """
        select
            quarantine_id, first(rule), first(field), first(reason),
            list_sort(list({'d': business_date, 'f': source_file, 'l': source_line})) as places
        from (
            from read_parquet(
                $files, hive_partitioning = true, hive_types = {business_date: date}, union_by_name = true
            )
            union all by name select null::varchar as quarantine_id where false
        )
        where quarantine_id is not null
        group by quarantine_id
        order by places, quarantine_id
        """,
        {"files": [str(lake.path(quarantine, date)) for date in dates]},
    ).fetchall()
    landings = {date: _landing(workspace, source, date) for date in lake.dates(f"landing.{source.table}")}
    found = {
        one: (rule, field, reason, [(place["d"], place["f"], place["l"]) for place in listed])
        for one, rule, field, reason, listed in rows
    }
    # a date that was run again has its released rows in quarantine no more
    set_aside = set(found)
    for row in (row for landing in landings.values() if landing for row in landing.released):
        if row.quarantine_id not in set_aside:
            *_, listed = found.setdefault(row.quarantine_id, (row.rule, row.field, row.reason, []))
            listed.append((row.business_date, row.source_file, row.source_line))
    for quarantine_id, (rule, field, reason, listed) in found.items():
        places = tuple(listed)
        standing = decided.get(quarantine_id)
        state = _state(source, quarantine_id, places, landings, standing)
        nights = tuple(sorted({date for date, _, _ in places}))
        yield Item(quarantine_id, source, rule, field, reason, nights, places, state, standing)


def _landing(workspace: Workspace, source: SourceObject, date: dt.date) -> LandingResult | None:
    return read_manifest(workspace.lake.path(f"landing.{source.table}", date))


def _state(
    source: SourceObject,
    quarantine_id: str,
    places: Sequence[tuple[dt.date, str, int]],
    landings: Mapping[dt.date, LandingResult | None],
    standing: Standing | None,
) -> ItemState:
    latest = max(landings, default=dt.date.min)
    last = landings.get(latest)
    if source.delivery.mode == "full":
        has_landed = any(row.quarantine_id == quarantine_id for row in (last.released if last else ()))
        if not has_landed and not any(date == latest for date, _, _ in places):
            return "gone"
    else:
        landed = {row for one in landings.values() if one for row in one.released}
        has_landed = all(ReleasedRow(quarantine_id, *place) in landed for place in places)
    if standing and (standing.state == "pending" or standing.withdrawal):
        return "pending"
    if has_landed:
        return "landed"
    if standing is None:
        return "open"
    if standing.decision.verdict == "discard":
        return "discarded"
    return "held" if last and quarantine_id in last.held else "released"


def _stored(workspace: Workspace, item: Item) -> tuple[bytes | None, Mapping[str, str | None] | None]:
    """Bytes and fields of a row as it was set aside last; None where it is in quarantine no more."""
    path = workspace.lake.path(f"landing.quarantine__{item.source.table}", item.nights[-1])
    with duckdb.connect() as con:
        found = con.execute(
            "select raw, record from read_parquet($path, hive_partitioning = false) where quarantine_id = $id",
            {"path": str(path), "id": item.quarantine_id},
        ).fetchall()
    raw, record = found[0] if found else (None, None)
    return raw, json.loads(record) if record else None


def _as_text(raw: bytes, source: SourceObject) -> str:
    """Bytes in the contract's encoding; what is none of it, or cannot be printed, escaped in hexadecimal."""
    is_text = source.delivery.format in ("csv", "fixed", "jsonl", "auto")
    text = raw.decode(source.delivery.encoding if is_text else "utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _undecided(workspace: Workspace, ids: Sequence[str]) -> list[Item]:
    """The rows of these ids, if somebody may decide about each."""
    found = find(workspace, ids)
    problems = [_decided_already(item.quarantine_id, item.standing) for item in found if item.standing]
    problems += [f"{item.quarantine_id}: {STATES[item.state]}" for item in found if item.state in ("gone", "landed")]
    if problems:
        raise DecisionRefused("\n".join(problems))
    return found


def _decided_already(quarantine_id: str, standing: Standing) -> str:
    decision = standing.decision
    return (
        f"{quarantine_id}: decision {decision.decision_id} of {decision.made_by} says {decision.verdict} "
        f"({standing.state}); take it back first: c360 quarantine withdraw {quarantine_id}"
    )


def _draft(
    workspace: Workspace,
    item: Item,
    verdict: QuarantineVerdict,
    by: str,
    reason: str,
    changes: Mapping[str, str | None] | None = None,
) -> QuarantineDecision:
    said, who = " ".join(reason.split()), " ".join(by.split())
    if not said or not who:
        raise DecisionRefused("a decision needs a reason and a name")
    source = f"{item.source.system}.{item.source.name}"
    four_eyes = workspace.bank.settings.stewards.four_eyes
    now = dt.datetime.now(dt.UTC)
    return QuarantineDecision(0, now, who, verdict, item.quarantine_id, source, changes, said, needs_approval=four_eyes)


def _decide(workspace: Workspace, decision: QuarantineDecision) -> QuarantineDecision:
    def draft(rows: Sequence[QuarantineDecision]) -> QuarantineDecision:
        if standing := standings(rows).get(decision.quarantine_id):
            raise DecisionRefused(_decided_already(decision.quarantine_id, standing))
        return decision

    row = workspace.quarantine_log().append(draft, decision.made_at)
    return _record(workspace, row)


def _refer(workspace: Workspace, item: Item, about: Callable[[Standing], QuarantineDecision]) -> QuarantineDecision:
    def draft(rows: Sequence[QuarantineDecision]) -> QuarantineDecision:
        standing = standings(rows).get(item.quarantine_id)
        if standing is None:
            raise DecisionRefused(f"{item.quarantine_id}: nothing is decided about it")
        return about(standing)

    return _record(workspace, workspace.quarantine_log().append(draft, dt.datetime.now(dt.UTC)))


def _record(workspace: Workspace, row: QuarantineDecision) -> QuarantineDecision:
    # reason and values may speak of persons: they stay in the log
    said: dict[str, Detail] = {
        "decision": row.decision_id,
        "verdict": row.verdict,
        "made_by": row.made_by,
        "fields": ", ".join(row.changes or ()) or None,
        "refers_to": row.refers_to,
    }
    workspace.audit.append("decided", f"quarantine {row.quarantine_id}", said)
    return row
