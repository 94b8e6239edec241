"""Forgetting a customer: erased from everything in the home where the law lets it, restricted until then where not.

The order makes a kill at any moment safe. First a journal of what is to go (personal data, for its owner alone) and the
tombstones, which keep later deliveries out; then landing, lake, logs, releases and shares, each file written aside and
renamed; then the search of every file, the proof, the line of the audit log; the journal goes last. While a journal
lies there, ``resume`` begins again from the top, and each step finds only what is left to do.

How rows are told to be the customer's is the matter of ``sources.forgetting`` (as delivered) and ``warehouse.erasure``
(all tables). Exports are the bank's own files, wherever they lie: they are not touched.
"""

import datetime as dt
import json
import secrets
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from models.consent import ConsentStatement
from models.identity.decisions import LogRow, Record
from models.quarantine_decisions import QuarantineDecision
from models.restriction import RestrictionRequest
from pipelines import forgetting, sharing
from pipelines.disk import remove_spilt
from pipelines.night_lock import night
from pipelines.stewardship import DecisionRefused, records_of
from pipelines.workspace import Workspace
from quality.erasure_report import write_erasure_report
from sources.contract import SourceObject
from sources.forgetting import Tombstones, document_key
from sources.manifest import read_manifest
from warehouse import erasure
from warehouse.audit import Detail
from warehouse.erasure import Traces
from warehouse.erasure_search import found_in, search
from warehouse.erasure_texts import Texts
from warehouse.tombstones import write_private

_REDACTED = "erased"
_STAGED = {  # what is searched for: the names, documents, contacts and addresses of the customer's records
    "staging.party": ("full_name",),
    "staging.party_name": ("full_name",),
    "staging.party_document": ("document_number",),
    "staging.party_contact": ("contact_value",),
    "staging.party_address": ("address_text",),
    "identity.party_name": ("name_standard", "name_latin"),
    "identity.party_document": ("document_number",),
    "identity.party_contact": ("contact_value",),
}
_SHORTEST = 2


class ErasureIncompleteError(RuntimeError):
    """Something of the customer is still there, or a step could not be done; says where, and what to do."""


@dataclass(frozen=True)
class Outcome:
    """How a request to be forgotten ended.

    Attributes:
        tombstone_id: of an erasure, its number; None where the customer is restricted, and of a dry run.
        erasable_from: where the customer cannot be erased yet, from when on it can; None while nobody knows.
        is_erasable: whether the law lets the bank erase the customer.
        rows: rows that went, or would go, by table.
        shared_values: texts of the customer that stay, because other parties have them too.
        report: the proof.
    """

    is_erasable: bool
    tombstone_id: str | None = None
    erasable_from: dt.date | None = None
    rows: dict[str, int] | None = None
    shared_values: int = 0
    report: Path | None = None


@dataclass(frozen=True)
class Journal:
    """What is being erased; on disk only until it is."""

    tombstone_id: str
    forgotten_on: dt.date
    made_by: str
    traces: Traces
    documents: tuple[tuple[str, str], ...]
    shared_values: int
    quarantined: tuple[str, ...] = ()

    def save(self, folder: Path) -> None:
        """Write it for its owner alone."""
        write_private(folder / f"{self.tombstone_id}.json", json.dumps(asdict(self), default=str, ensure_ascii=False))

    @classmethod
    def load(cls, path: Path) -> "Journal":
        """Read what ``save`` wrote."""
        said = json.loads(path.read_text(encoding="utf-8"))
        traces: dict[str, Any] = {
            name: tuple(tuple(one) if isinstance(one, list) else one for one in values)
            for name, values in said["traces"].items()
        }
        documents = tuple((kind, number) for kind, number in said["documents"])
        day = dt.date.fromisoformat(said["forgotten_on"])
        return cls(
            **said
            | {
                "forgotten_on": day,
                "traces": Traces(**traces),
                "documents": documents,
                "quarantined": tuple(said["quarantined"]),
            }
        )


def unfinished(workspace: Workspace) -> list[Path]:
    """Journals of erasures that were begun and not finished, oldest first."""
    return sorted(_journals(workspace).glob("F*.json"))


def forget(workspace: Workspace, who: str, by: str, reason: str, dry_run: bool = False) -> Outcome:
    """Erase a customer, or restrict it where the law makes the bank keep its data.

    Args:
        workspace: bank and home.
        who: the customer's id, or one of its records as ``SYSTEM:RECORD_ID``.
        by: who writes it down.
        reason: why, in words; kept only where the customer is restricted.
        dry_run: tell what would happen, change nothing.

    Raises:
        DecisionRefused: the customer is unknown, or an erasure is unfinished.
        NightRunningError: a night is running.
        ReleaseError: there is no release.
        ErasureIncompleteError: it was begun and could not be finished; ``resume`` goes on.
    """
    with night(workspace.home):
        if left := unfinished(workspace):
            raise DecisionRefused(f"an erasure is unfinished ({left[0].stem}); finish it first: c360 forget --resume")
        customer_id, records, ended, is_open = _whom(workspace, who)
        release = workspace.releases.current()
        assert release is not None  # noqa: S101 - _whom has read it
        erasable_from = (
            None if is_open or ended is None else _years_later(ended, workspace.bank.settings.retention.years)
        )
        if erasable_from is None or erasable_from > release.business_date:
            if not dry_run:
                _restrict(workspace, records, by, reason)
            return Outcome(False, erasable_from=erasable_from)
        journal = _gather(workspace, customer_id, by)
        if dry_run:
            return Outcome(True, rows=_count(workspace, journal), shared_values=journal.shared_values)
        journal.save(_journals(workspace))
        return _erase(workspace, journal)


def resume(workspace: Workspace) -> list[Outcome]:
    """Finish every erasure that was begun.

    Raises:
        NightRunningError: a night is running.
        ErasureIncompleteError: one cannot be finished.
    """
    with night(workspace.home):
        return [_erase(workspace, Journal.load(path)) for path in unfinished(workspace)]


def _journals(workspace: Workspace) -> Path:
    return workspace.home / "forgotten" / "unfinished"


def _years_later(day: dt.date, years: int) -> dt.date:
    """The same day so many years later; 28 February where there is no 29th, as ``customer.restriction`` has it."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def _whom(workspace: Workspace, who: str) -> tuple[str, tuple[Record, ...], dt.date | None, bool]:
    """Customer id, records, end of the relationship, and whether it goes on."""
    with workspace.releases.connect() as con:
        records = records_of(con, who)
        [(customer_id,)] = con.execute(
            "select customer_id from customer.customer_record where system = ? and record_id = ?", list(records[0])
        ).fetchall()
        try:
            found = con.execute(
                "select relationship_ended_date, is_relationship_open from customer.relationship_end"
                " where customer_id = ?",
                [customer_id],
            ).fetchall()
        except duckdb.CatalogException:
            said = "the current release does not say when relationships end; run a night first"
            raise DecisionRefused(said) from None
        return customer_id, records_of(con, customer_id), *found[0]


def _restrict(workspace: Workspace, records: tuple[Record, ...], by: str, reason: str) -> None:
    said, maker = " ".join(reason.split()), " ".join(by.split())
    if not said or not maker:
        raise DecisionRefused("a request to be forgotten that waits needs a reason and a name")
    now = dt.datetime.now(dt.UTC)
    row = workspace.restriction_log().append(lambda _: RestrictionRequest(0, now, maker, records, said), now)
    workspace.audit.append("restricted", f"request {row.restriction_id}", {"records": len(records)})


def _gather(workspace: Workspace, customer_id: str, by: str) -> Journal:
    """Everything that the customer's rows are known by, of all dates in the lake."""
    lake = workspace.lake
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")

        def rows(table_id: str, query: str, values: list[object] | None = None) -> list[tuple]:  # type: ignore[type-arg]
            dates = lake.dates(table_id)
            if not dates:
                return []
            files = [str(lake.path(table_id, day)) for day in dates]
            source = f"read_parquet({files!r}, hive_partitioning = true, union_by_name = true)"
            return con.execute(query.format(source=source), values).fetchall()

        living = "business_date = (select max(business_date) from {source})"
        customers = {customer_id} | {
            one
            for (one,) in rows(
                "customer.retired_customer",
                f"select customer_id from {{source}} where living_customer_id = ? and {living}",
                [customer_id],
            )
        }
        con.execute("create table c as select unnest(?::varchar[]) as customer_id", [sorted(customers)])
        records = {
            (system, record_id)
            for system, record_id in rows(
                "customer.customer_record_history",
                # whose each record is, or was when it was last delivered
                "select system, record_id from {source} where "
                + living
                + " group by all having arg_max(customer_id, valid_from) in (from c)",
            )
        }
        con.execute("create table r (system varchar, record_id varchar)")
        con.executemany("insert into r values (?, ?)", [list(one) for one in sorted(records)])
        mine = "(system, record_id) in (select (system, record_id) from r)"
        products = rows(
            "staging.party_role",
            "select product_type, product_system, product_id from {source} where product_type <> 'party' "
            "group by all having bool_and({mine})".replace("{mine}", mine),
        )
        values: set[str] = set()
        for table_id, names in _STAGED.items():
            for name in names:
                query = f"select distinct {name} from {{source}} where {mine}"
                values |= {one for (one,) in rows(table_id, query) if one and len(one) >= _SHORTEST}
        documents = {
            (kind, number)
            for table_id in ("staging.party_document", "identity.party_document")
            for kind, number in rows(
                table_id,
                f"select distinct document_type, document_number from {{source}} where {mine}",
            )
        }
        strong = {
            document_key(kind, number)
            for kind, number in rows(
                "identity.party_document",
                f"select distinct document_type, document_number from {{source}} "
                f"where is_strong and is_valid and {mine}",
            )
        }
        others = {
            document_key(kind, number)
            for kind, number in rows(
                "identity.party_document",
                f"select distinct document_type, document_number from {{source}} where not {mine}",
            )
        }
    theirs = {document_key(kind, number) for kind, number in documents} & strong - others
    traces = Traces(tuple(sorted(records)), tuple(sorted(customers)), tuple(sorted(products)), tuple(sorted(values)))
    today = workspace.today()
    journal = Journal(
        tombstone_id=f"F{today:%Y%m%d}-{secrets.token_hex(4)}",
        forgotten_on=today,
        made_by=by,
        traces=traces,
        documents=tuple(sorted((kind, number) for _, kind, number in theirs)),
        shared_values=0,
    )
    shared = _shared(workspace, journal)
    kept = tuple(value for value in traces.values if value not in shared)
    journal = replace(journal, traces=replace(traces, values=kept), shared_values=len(shared))
    return replace(journal, quarantined=tuple(sorted(_quarantined(workspace, journal))))


def _quarantined(workspace: Workspace, journal: Journal) -> set[str]:
    """Ids of the customer's rows that are in quarantine, or were until somebody released them."""
    tombstones, ids = _tombstones(workspace, journal), set[str]()
    with erasure.knowing(journal.traces, workspace.bounds) as con:
        for table_id, path in erasure.lake_files(workspace.lake.root):
            if ".quarantine__" in table_id:
                ids |= {one for one in erasure.quarantined(con, path, journal.traces).values() if one}
            elif (manifest := read_manifest(path)) and manifest.released and (source := _object(workspace, table_id)):
                rows = forgetting.rows_of_forgotten(workspace, source, _date(path), path, tombstones)
                found = con.execute(
                    "select _quarantine_id from read_parquet($path, file_row_number = true) "
                    "where _quarantine_id is not null and list_contains($rows, file_row_number)",
                    {"path": str(path), "rows": sorted(rows.left_out)},
                )
                ids |= {one for (one,) in found.fetchall()}
    return ids


def _shared(workspace: Workspace, journal: Journal) -> set[str]:
    """Texts of the customer that stand in rows of other parties too: there they stay, and are not the customer's."""
    tombstones = _tombstones(workspace, journal)
    shared: set[str] = set()
    with erasure.knowing(journal.traces, workspace.bounds) as con:
        for table_id, path in erasure.lake_files(workspace.lake.root):
            if ".quarantine__" in table_id:
                continue
            source, relation = _object(workspace, table_id), erasure.parquet_relation(path)
            if source:
                rows = forgetting.rows_of_forgotten(workspace, source, _date(path), path, tombstones)
                listed = ", ".join(map(str, sorted({*rows.left_out, *rows.blanked}))) or "-1"
                relation = f"(select * from read_parquet('{path}', hive_partitioning = false, file_row_number = true))"
                others = f"file_row_number not in ({listed})"
            else:
                others = f"not ({erasure.ownership(table_id, erasure.columns_of(con, relation)).theirs})"
            while found := found_in(con, relation, others, Texts(set(journal.traces.values) - shared)):
                shared |= found
    return shared


def _tombstones(workspace: Workspace, journal: Journal) -> Tombstones:
    """Only the journal's own digests."""
    made = Tombstones(workspace.secret_key("tombstone"), {})
    traces = journal.traces
    keys = [
        *(("record", *record) for record in traces.records),
        *(("product", *product) for product in traces.products),
        *(("document", *document) for document in journal.documents),
    ]
    return replace(made, forgotten_on={made.digest(key): journal.forgotten_on for key in keys})


def _count(workspace: Workspace, journal: Journal) -> dict[str, int]:
    """Rows that an erasure would remove from the lake, by table."""
    counts: Counter[str] = Counter()
    tombstones = _tombstones(workspace, journal)
    with erasure.knowing(journal.traces, workspace.bounds) as con:
        for table_id, path in erasure.lake_files(workspace.lake.root):
            source = _object(workspace, table_id)
            if source:
                found = forgetting.rows_of_forgotten(workspace, source, _date(path), path, tombstones)
                counts[table_id] += len(found.left_out)
            elif ".quarantine__" not in table_id:
                counts[table_id] += erasure.count_theirs(con, table_id, erasure.parquet_relation(path))
    return {table_id: count for table_id, count in sorted(counts.items()) if count}


def _erase(workspace: Workspace, journal: Journal) -> Outcome:
    tombstones = _tombstones(workspace, journal)
    workspace.tombstone_file.add(journal.tombstone_id, journal.forgotten_on, tombstones.forgotten_on)
    counts: Counter[str] = Counter()
    files = 0
    with erasure.knowing(journal.traces, workspace.bounds) as con:
        for table_id, path in erasure.lake_files(workspace.lake.root):
            workspace.lake.require(table_id, _date(path))  # written anew, a damaged file would pass for a whole one
            source = _object(workspace, table_id)
            if source:
                count: int | None = forgetting.forget_in(workspace, source, _date(path), path, tombstones)
            elif ".quarantine__" in table_id:
                count = erasure.erase_quarantined(con, path, journal.traces)
            else:
                count = erasure.erase_parquet(con, table_id, path)
            files += count is not None
            counts[table_id] += count or 0
        for source in _objects(workspace):
            for date in workspace.lake.dates(f"landing.{source.table}"):
                forgetting.recount(workspace, source, date)
        shutil.rmtree(workspace.value_cache.folder, ignore_errors=True)
        _redact_logs(workspace, journal, counts)
        workspace.releases.acquire()
        try:
            for release in workspace.releases.list():
                removed = erasure.erase_release(con, release)
                files += bool(removed)
                counts.update({f"release {release.id} {table_id}": count for table_id, count in removed.items()})
        finally:
            workspace.releases.let_go()
    blocked = _renew_shares(workspace)
    remove_spilt(workspace.home)
    found = list(search(_files(workspace), Texts(journal.traces.values), _keys(workspace)))
    removed = {name: count for name, count in sorted(counts.items()) if count}
    report = write_erasure_report(
        workspace.home / "reports",
        bank=workspace.bank.settings.title,
        tombstone_id=journal.tombstone_id,
        forgotten_on=journal.forgotten_on,
        files_rewritten=files,
        rows_removed=removed,
        files_searched=sum(1 for _ in _files(workspace)),
        texts_searched=len(journal.traces.values),
        texts_shared=journal.shared_values,
        found=[(str(hit.file.relative_to(workspace.home)), hit.table, hit.count) for hit in found],
        written_at=dt.datetime.now(dt.UTC),
    )
    if found:
        where = "; ".join(f"{h.file.relative_to(workspace.home)} {h.table} ({h.count})".strip() for h in found[:5])
        raise ErasureIncompleteError(
            f"{journal.tombstone_id}: texts of the customer are still in {len(found)} places: {where}. "
            f"{report} lists all; mend or remove those files, then: c360 forget --resume"
        )
    details: dict[str, Detail] = {
        "files_rewritten": files,
        "rows_removed": sum(removed.values()),
        "made_by": journal.made_by,
    }
    workspace.audit.append("forgot", journal.tombstone_id, details)
    (_journals(workspace) / f"{journal.tombstone_id}.json").unlink(missing_ok=True)
    if blocked:
        raise ErasureIncompleteError(
            f"{journal.tombstone_id} is erased, but the leak scan blocks {', '.join(blocked)}, which have no version "
            "now; c360 shares tells why"
        )
    return Outcome(True, journal.tombstone_id, rows=removed, shared_values=journal.shared_values, report=report)


def _objects(workspace: Workspace) -> Iterator[SourceObject]:
    for contract in workspace.bank.contracts:
        yield from contract.objects


def _object(workspace: Workspace, table_id: str) -> SourceObject | None:
    """The object whose rows as delivered a table holds: its landing, or the state of a delta object."""
    layer, _, name = table_id.partition(".")
    if layer not in ("landing", "staging") or table_id in workspace.tables:
        return None
    return next((source for source in _objects(workspace) if source.table == name), None)


def _date(path: Path) -> dt.date:
    return dt.date.fromisoformat(path.parent.name.partition("=")[2])


def _redact_logs(workspace: Workspace, journal: Journal, counts: Counter[str]) -> None:
    """Take the customer's records, and the words that were written about them, out of the logs of people."""
    gone = set(journal.traces.records)

    def without(records: Iterable[Record]) -> tuple[Record, ...]:
        return tuple(record for record in records if record not in gone)

    named = set()  # decisions about the customer, and what was said of those decisions

    def decision(row: LogRow) -> LogRow:
        if gone & {*row.left, *row.right} or row.refers_to in named:
            named.add(row.decision_id)
            return replace(row, left=without(row.left), right=without(row.right), reason=_REDACTED)
        return row

    def consent(row: ConsentStatement) -> ConsentStatement:
        return replace(row, records=without(row.records), reason=_REDACTED) if gone & set(row.records) else row

    def restriction(row: RestrictionRequest) -> RestrictionRequest:
        return replace(row, records=without(row.records), reason=_REDACTED) if gone & set(row.records) else row

    texts, quarantined_rows = erasure.texts_of(journal.traces), set(journal.quarantined)

    def quarantine(row: QuarantineDecision) -> QuarantineDecision:
        said = "\n".join([row.reason, *(value for value in (row.changes or {}).values() if value)])
        if row.quarantine_id in quarantined_rows or texts.count_in(said.encode()):
            return replace(row, quarantine_id=_REDACTED, changes=None, reason=_REDACTED)
        return row

    changes: list[tuple[str, Callable[[], int]]] = [
        ("decision log", lambda: workspace.decision_log().redact(decision)),
        ("consent log", lambda: workspace.consent_log().redact(consent)),
        ("quarantine log", lambda: workspace.quarantine_log().redact(quarantine)),
        ("log of restrictions", lambda: workspace.restriction_log().redact(restriction)),
    ]
    for name, change in changes:
        counts[name] += change()


def _renew_shares(workspace: Workspace) -> list[str]:
    """Make every share anew from the current release and remove all other versions; returns those that are blocked."""
    release = workspace.releases.current()
    blocked = []
    for share in workspace.shares.names():
        if share in workspace.bank.shares.shares and release:
            if sharing.share_release(workspace, share, release, anew=True).version is None:
                blocked.append(share)
        else:
            workspace.shares.remove(share)
    return blocked


def _keys(workspace: Workspace) -> list[str]:
    encrypted = [name for name, share in workspace.bank.shares.shares.items() if share.encrypted]
    return [workspace.share_keys.encryption_key(name) for name in encrypted if workspace.shares.current(name)]


def _files(workspace: Workspace) -> Iterator[Path]:
    """Every file of the home but the bank's exports, the secrets and the journal."""
    left = (workspace.exports, workspace.home / "secrets", _journals(workspace))
    for path in sorted(workspace.home.rglob("*")):
        if path.is_file() and not path.is_symlink() and not any(path.is_relative_to(folder) for folder in left):
            yield path
