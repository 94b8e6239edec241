"""Rows that stewards release from quarantine: which of them land tonight, corrected or as they are.

A full object delivers the row again: it lands in its place. Of an object that delivers changes or new rows, what was
set aside on an earlier night enters the first landing after the decision, before the night's own rows, once. A released
row is judged again: it does not land (it is *held*) while it breaks a rule that nobody waived, while its key is landed
already, or, of a delta, when a later change of the same key was delivered meanwhile.
"""

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa

from sources.arrival import FILE, HASH, RELEASED, record_hash
from sources.contract import SourceObject
from sources.conversions import literal
from sources.manifest import ReleasedRow, read_manifest
from sources.parquet_files import parquet
from sources.readers import EXTRA, LINE
from sources.rules import key_values, row_rules

Changes = Mapping[str, str | None]

KEY_RULE = "primaryKey"
"""Rule that nobody can waive: without its key, or with another row's, a row is no row."""


@dataclass(frozen=True)
class Decisions:
    """What stewards decided, as far as a landing needs it.

    Attributes:
        key: the secret of the ids.
        released: by id the fields with other values (raw text, cards as tokens); None: as it is, its rule waived.
    """

    key: bytes
    released: Mapping[str, Changes | None] = field(default_factory=dict)


@dataclass(frozen=True)
class History:
    """An object's partitions of earlier business dates, ascending, landed and quarantined; and later landed ones."""

    landed: tuple[Path, ...] = ()
    quarantined: tuple[Path, ...] = ()
    later: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Released:
    """Which released rows land, how many of them earlier nights delivered, and which are held.

    ``tonight`` is what column ``_night`` says of the night's own rows; earlier nights have smaller numbers.
    """

    tonight: int = 0
    rows: tuple[ReleasedRow, ...] = ()
    earlier: int = 0
    held: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Candidate:
    """A released row: the night that delivered it (place in history), and the record as it would land."""

    row: ReleasedRow
    night: int
    record: Mapping[str, str | None]
    is_waived: bool


def release_rows(
    con: duckdb.DuckDBPyConnection,
    obj: SourceObject,
    business_date: dt.date,
    decisions: Decisions,
    quarantine: Path,
    history: History,
) -> Released:
    """Make table ``released``: the rows that land, with landing's columns and ``_night``, when they were delivered.

    Args:
        con: connection with the view ``landed`` and the table ``quarantined``, as ``find_offenders`` leaves it.
        obj: the object.
        business_date: the night's date.
        decisions: what is released.
        quarantine: tonight's quarantine.
        history: earlier and later nights.
    """
    if obj.delivery.mode == "full":
        history = History()
    nights = [*history.quarantined, quarantine]
    dates = [*map(_date, history.landed), business_date]
    tonight = len(history.landed)
    elsewhere = _landed_elsewhere(history)
    candidates = [one for one in _candidates(con, obj, decisions, nights, dates) if one.row not in elsewhere]
    _fill(con, obj, candidates)
    held = {row for row, _ in _offences(con, obj, business_date)}
    if obj.primary_key:
        held |= _without_key(con, obj, tonight, history.landed, elsewhere, held)
    con.execute("delete from released where list_contains($held, _row)", {"held": sorted(held)})
    con.execute("alter table released drop _row")
    con.execute("alter table released drop _is_waived")
    landing = [one for row, one in enumerate(candidates) if row not in held]
    return Released(
        tonight=tonight,
        rows=tuple(one.row for one in landing),
        earlier=sum(one.night < tonight for one in landing),
        held=tuple(sorted({candidates[row].row.quarantine_id for row in held})),
    )


def broken_rules(
    con: duckdb.DuckDBPyConnection, obj: SourceObject, business_date: dt.date, record: Changes
) -> list[str]:
    """What is wrong with one record that would land, ``field: reason``; no values."""
    _fill(con, obj, [_Candidate(ReleasedRow("", business_date, "", 0), 0, record, is_waived=False)])
    rules = row_rules(obj)
    return [f"{rules[place].field}: {rules[place].reason}" for _, place in _offences(con, obj, business_date)]


def _date(landed: Path) -> dt.date:
    manifest = read_manifest(landed)
    if manifest is None:
        raise FileNotFoundError(f"{landed} has no manifest beside it: land that date again")
    return manifest.business_date


def _landed_elsewhere(history: History) -> dict[ReleasedRow, int]:
    """Released rows that other nights have, by where they were delivered, with the night that has them."""
    found: dict[ReleasedRow, int] = {}
    for night, path in enumerate((*history.landed, *history.later)):
        manifest = read_manifest(path)
        found |= dict.fromkeys(manifest.released if manifest else (), night)
    return found


def _candidates(
    con: duckdb.DuckDBPyConnection,
    obj: SourceObject,
    decisions: Decisions,
    nights: Sequence[Path],
    dates: Sequence[dt.date],
) -> Iterator[_Candidate]:
    for night, (path, date) in enumerate(zip(nights, dates, strict=True)):
        found = con.execute(
            f"select quarantine_id, source_file, source_line, rule, reason, field, record from {parquet(path)} "
            "where list_contains($ids, quarantine_id) order by source_file, source_line",
            {"ids": sorted(decisions.released)},
        ).fetchall()
        for quarantine_id, file, line, *why, record in found:
            changes = decisions.released[quarantine_id]
            known = dict.fromkeys((*(f.name for f in obj.fields), EXTRA)) | (json.loads(record) if record else {})
            row = ReleasedRow(quarantine_id, date, file, line, *why)
            yield _Candidate(row, night, known | dict(changes or {}), changes is None)


def _fill(con: duckdb.DuckDBPyConnection, obj: SourceObject, candidates: Sequence[_Candidate]) -> None:
    """Make table ``released`` of all candidates; ``_row`` is their place."""
    names = [field.name for field in obj.fields]
    values = {name: [one.record.get(name) for one in candidates] for name in (*names, EXTRA)}
    arrays = {name: pa.array(texts, pa.string()) for name, texts in values.items()}
    arrays |= {
        FILE: pa.array([one.row.source_file for one in candidates], pa.string()),
        LINE: pa.array([one.row.source_line for one in candidates], pa.int64()),
        RELEASED: pa.array([one.row.quarantine_id for one in candidates], pa.string()),
        "_night": pa.array([one.night for one in candidates], pa.int64()),
        "_is_waived": pa.array([one.is_waived for one in candidates], pa.bool_()),
        "_row": pa.array(range(len(candidates)), pa.int64()),
    }
    con.register("candidate", pa.table(arrays))
    con.execute(f"create or replace temp table released as select *, {record_hash(names)} as {HASH} from candidate")
    con.unregister("candidate")


def _offences(con: duckdb.DuckDBPyConnection, obj: SourceObject, business_date: dt.date) -> list[tuple[int, int]]:
    """Rows of ``released`` and the place of each rule that they break; a waiver is for all rules but the key's."""
    rules = row_rules(obj)
    if not rules:
        return []
    broken = ", ".join(
        f"case when {'' if rule.name == KEY_RULE else 'not _is_waived and '}({rule.predicate}) then {place} end"
        for place, rule in enumerate(rules)
    )
    query = f"""
        select _row, place from (select _row, unnest([{broken}]) as place from released)
        where place is not null order by _row, place
    """
    return con.execute(query, {"business_date": business_date} if "$business_date" in query else None).fetchall()


def _without_key(
    con: duckdb.DuckDBPyConnection,
    obj: SourceObject,
    tonight: int,
    earlier: Sequence[Path],
    entered: Mapping[ReleasedRow, int],
    held: set[int],
) -> set[int]:
    """Rows of ``released`` whose key is another row's: of tonight, of an earlier night, or of a released one.

    Of a delta, an earlier night's row counts if it is the later change; one that was itself released is as late as it
    was delivered, not as it entered.
    """
    is_delta = obj.delivery.mode == "delta"
    names = [f"k{number}" for number in range(len(obj.primary_key))]
    keys = ", ".join(f"{key} as {name}" for key, name in zip(key_values(obj), names, strict=True))
    using = ", ".join(names)
    con.execute(
        f"create or replace temp table mine as select _row, _night, {FILE}, {LINE}, {keys} from released "
        "where not list_contains($held, _row)",
        {"held": sorted(held)},
    )
    order = "desc" if is_delta else "asc"
    queries = [
        f"select _row from mine semi join "
        f"(select {keys} from landed where _row not in (select _row from quarantined)) using ({using})",
        f"select _row from mine qualify row_number() over "
        f"(partition by {using} order by _night {order}, {FILE} {order}, {LINE} {order}) > 1",
    ]
    if earlier and is_delta:
        _show_entered(con, entered, [_date(path) for path in earlier])
        listed = ", ".join(literal(str(path)) for path in earlier)
        queries.append(
            f"""
            select mine._row from mine join (
                select {keys}, coalesce(origin, landed_night) as _night, {FILE}, {LINE}
                from (
                    select *, list_position([{listed}], filename) - 1 as landed_night from read_parquet(
                        [{listed}], hive_partitioning = false, union_by_name = true, filename = true
                    )
                    -- partitions landed before there was the column
                    union all by name select null::varchar as {RELEASED} where false
                ) left join entered using (landed_night, {RELEASED}, {FILE}, {LINE})
            ) as change using ({using})
            where mine._night < {tonight}
                and (change._night, change.{FILE}, change.{LINE}) > (mine._night, mine.{FILE}, mine.{LINE})
            """
        )
    elif earlier:
        queries.append(f"select _row from mine semi join (select {keys} from {parquet(*earlier)}) using ({using})")
    return {row for query in queries for (row,) in con.execute(query).fetchall()}


def _show_entered(con: duckdb.DuckDBPyConnection, entered: Mapping[ReleasedRow, int], dates: Sequence[dt.date]) -> None:
    """Make table ``entered``: released rows that an earlier night has, and the night that delivered each."""
    rows = [(night, one.quarantine_id, one.source_file, one.source_line, dates.index(one.business_date))
            for one, night in entered.items() if night < len(dates) and one.business_date in dates]  # fmt: skip
    columns = list(zip(*rows, strict=True)) or [()] * 5
    kinds = (pa.int64(), pa.string(), pa.string(), pa.int64(), pa.int64())
    names = ("landed_night", RELEASED, FILE, LINE, "origin")
    arrays = [pa.array(values, kind) for values, kind in zip(columns, kinds, strict=True)]
    con.register("entering", pa.table(arrays, list(names)))
    con.execute("create or replace temp table entered as from entering")
    con.unregister("entering")
