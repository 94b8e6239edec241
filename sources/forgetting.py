"""Landed rows of parties that were forgotten: found by keyed digests, and left out of the landed partition.

A tombstone is the HMAC-SHA-256 of a key under the home's secret, never a value: (system, record_id) of a party record,
a product of the party, a strong document. Whose a row is, is what the contract's fills make of it:

* all parties that it describes are forgotten, or the product that it is of: the row is left out and counted;
* it describes living parties too (a company with its representative, a loan with its guarantor): the texts that the
  forgotten party's fills take from it are blanked, the row stays;
* a record with a forgotten document is forgotten too, unless the party was opened after the document was forgotten:
  who becomes a customer again is one.

The same is done to what landed before and to what lands later, so that forgetting can be begun again at any moment.
What is done to all other tables is ``warehouse.erasure``'s matter.
"""

import datetime as dt
import hashlib
import hmac
import json
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from sources.contract import Contract, SourceObject
from sources.conversions import identifier, literal
from sources.manifest import LandingResult, read_manifest, write_manifest
from sources.mapping import CanonicalColumn, compile_object
from sources.parquet_files import parquet, publish
from sources.totals import sums_of

Key = tuple[str, ...]
"""``("record", system, record_id)``, ``("product", type, system, product_id)`` or ``("document", type, number)``."""

_PARTY = ("party", "party_name", "party_document", "party_contact", "party_address", "party_role", "consent")
_PRODUCT = {
    "account": ("account", "account_id"),
    "card": ("card", "card_id"),
    "loan": ("loan", "loan_id"),
    "loan_performance": ("loan", "loan_id"),
    "standing_order": ("account", "account_id"),
}
_TEXTS = ("record_id", "full_name", "given_name", "family_name", "document_number", "contact_value", "address_text")


@dataclass(frozen=True)
class Tombstones:
    """What was forgotten, as digests.

    Attributes:
        key: the home's secret.
        forgotten_on: day on which each digest's party was forgotten.
    """

    key: bytes
    forgotten_on: Mapping[str, dt.date]

    def digest(self, key: Key) -> str:
        """Digest of a key, hexadecimal."""
        return hmac.new(self.key, json.dumps(key, ensure_ascii=False).encode("utf-8"), hashlib.sha256).hexdigest()

    def __contains__(self, key: Key) -> bool:
        return self.digest(key) in self.forgotten_on

    def holds_document(self, document: Key, opened: dt.date | None) -> bool:
        """Whether a document is forgotten and its holder was a party before it was."""
        day = self.forgotten_on.get(self.digest(document))
        return day is not None and (opened is None or opened <= day)


def document_key(document_type: str | None, number: str) -> Key:
    """Key of a document, whatever the width of its letters, blanks and dashes."""
    plain = "".join(c for c in unicodedata.normalize("NFKC", number).upper() if c.isalnum())
    return ("document", document_type or "", plain)


@dataclass(frozen=True)
class ForgottenRows:
    """Rows of one landed partition, by place in the file from 0: those to leave out, and texts to blank in others."""

    left_out: frozenset[int] = frozenset()
    blanked: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.left_out or self.blanked)


def forgotten_rows(
    contracts: Sequence[Contract],
    source: SourceObject,
    path: Path,
    others: Mapping[str, Sequence[Path]],
    entities: Mapping[str, Sequence[CanonicalColumn]],
    tombstones: Tombstones,
    business_date: dt.date,
) -> ForgottenRows:
    """Find the rows of forgotten parties in one file of an object's rows as they were landed.

    Args:
        contracts: the bank's contracts.
        source: the object.
        path: its landed partition, or its state if it is delivered as a delta.
        others: files of the other relations that its fills look values up in; a fill that needs one without files
            cannot tell and is left out.
        entities: canonical entities and their columns.
        tombstones: what was forgotten.
        business_date: date of the partition.
    """
    if not tombstones.forgotten_on:
        return ForgottenRows()
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        rows = f"from {parquet(path, row_number=True)}"
        own = f"select * exclude (file_row_number) replace (file_row_number as _source_line) {rows}"
        _view(con, source.relation, own)
        known = {source.relation}
        for relation, files in others.items():
            if files and relation not in known:
                _view(con, relation, f"from {parquet(*files)}")
                known.add(relation)
        reader = _Reader(con, contracts, source, entities, business_date, known)
        reader.read_keys()
        gone = {
            tuple(key)
            for (key,) in con.execute("select distinct key from whose").fetchall()
            if tuple(key) in tombstones
        }
        gone |= {record for record, held, opened in reader.documents() if tombstones.holds_document(held, opened)}
        if not gone:
            return ForgottenRows()
        con.execute("create table gone (key varchar[])")
        con.executemany("insert into gone values (?)", [[list(key)] for key in sorted(gone)])
        found = con.execute(
            "select row, key, texts from whose where row in (select row from whose where key in (from gone))"
        ).fetchall()
    touched: dict[int, dict[Key, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row, key, texts in found:
        touched[row][tuple(key)] |= {text for text in texts if text}
    left_out, blanked = set(), {}
    for row, whose in touched.items():
        parties = {key for key in whose if key[0] == "record"}
        if (parties or set(whose)) <= gone:
            left_out.add(row)
        elif parties & gone:
            living = {text for key in parties - gone for text in whose[key]}
            theirs = {text for key in parties & gone for text in whose[key]}
            blanked[row] = tuple(sorted(theirs - living))
    return ForgottenRows(frozenset(left_out), blanked)


@dataclass(frozen=True)
class _Reader:
    """Reads by the fills of one object whose its rows are."""

    con: duckdb.DuckDBPyConnection
    contracts: Sequence[Contract]
    source: SourceObject
    entities: Mapping[str, Sequence[CanonicalColumn]]
    business_date: dt.date
    known: set[str]

    def read_keys(self) -> None:
        """Fill table ``whose``: place of each row, key of a party or product that it is of, the party's texts."""
        self.con.execute("create table whose (row bigint, key varchar[], texts varchar[])")
        for entity in _PARTY:
            texts = [column.name for column in self.entities[entity] if column.name in _TEXTS]
            listed = ", ".join(identifier(name) for name in texts)
            self._add(entity, "['record', system, record_id]", f"[{listed}]", "record_id")
        for entity, (kind, name) in _PRODUCT.items():
            key = f"['product', {literal(kind)}, system, {identifier(name)}]"
            self._add(entity, key, "[]", name)
        self._add("transaction", "['product', product_type, system, product_id]", "[]", "product_id")

    def documents(self) -> Iterator[tuple[Key, Key, dt.date | None]]:
        """Record, document and the day on which the party was opened, as far as the same object says it."""
        opened = {}
        for select, params in self._selects("party"):
            found = self.con.execute(f"select distinct system, record_id, opened_date from ({select}\n)", params)
            opened.update({(system, record): day for system, record, day in found.fetchall()})
        listed = "system, record_id, document_type, document_number"
        for select, params in self._selects("party_document"):
            query = f"select distinct {listed} from ({select}\n) where record_id is not null"
            for system, record, kind, number in self.con.execute(query, params).fetchall():
                if number is not None:
                    yield ("record", system, record), document_key(kind, number), opened.get((system, record))

    def _add(self, entity: str, key: str, texts: str, needed: str) -> None:
        for select, params in self._selects(entity):
            query = f"select source_line, {key}, {texts} from ({select}\n) where {identifier(needed)} is not null"
            self.con.execute(f"insert into whose {query}", params)

    def _selects(self, entity: str) -> Iterator[tuple[str, dict[str, dt.date] | None]]:
        columns = [replace(column, required=False) for column in self.entities[entity]]
        for select, relations in compile_object(self.contracts, self.source, entity, columns):
            if set(relations) <= self.known:
                yield select, {"business_date": self.business_date} if "$business_date" in select else None


def leave_out(path: Path, rows: ForgottenRows, put: Callable[[Path, Path], None] = publish) -> int:
    """Write a landed partition, or a delta's state, anew without the rows; returns how many were left out.

    ``put`` brings the written file from its temporary name to its place.
    """
    if not rows:
        return 0
    temporary = path.with_name(f".{path.name}.forgetting.tmp")
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        source = f"(select * from {parquet(path, row_number=True)})"
        gone = ", ".join(map(str, sorted(rows.left_out))) or "-1"
        query = f"select * from {source} where file_row_number not in ({gone})"
        if rows.blanked:
            listed = ", ".join(map(str, sorted(rows.blanked)))
            held = con.execute(f"select * from {source} where file_row_number in ({listed})").to_arrow_table()
            con.register("blanked", _blanked(held, rows.blanked))
            query = f"{query} and file_row_number not in ({listed}) union all by name from blanked"
        con.execute(
            f"copy (select * exclude (file_row_number) from ({query}) order by file_row_number) "
            f"to {literal(str(temporary))} (format parquet, compression zstd)"
        ).fetchall()
    put(temporary, path)
    return len(rows.left_out)


def count_anew(source: SourceObject, partition: Path, quarantine: Path) -> LandingResult | None:
    """Set a landing's manifest right by what its partition and its quarantine hold: what is missing was forgotten."""
    manifest = read_manifest(partition)
    if manifest is None:
        return None
    landed = int(pq.read_metadata(partition).num_rows)
    with duckdb.connect() as con:
        rules = con.execute(f"select rule, count(*) from {parquet(quarantine)} group by rule order by rule").fetchall()
        left = sums_of(con, source, f"from {parquet(partition)}")
    quarantined = sum(count for _, count in rules)
    forgotten = manifest.rows_delivered + manifest.rows_released - landed - quarantined
    counted = replace(
        manifest,
        rows_landed=landed,
        rows_quarantined=quarantined,
        rows_forgotten=forgotten,
        quarantined_by_rule=dict(rules) if forgotten else manifest.quarantined_by_rule,
        totals={
            name: replace(total, forgotten=total.landed + total.forgotten - left[name])
            for name, total in manifest.totals.items()
        }
        if forgotten
        else manifest.totals,
    )
    if counted != manifest:
        write_manifest(counted, partition)
    return counted


def _blanked(table: pa.Table, blanked: Mapping[int, tuple[str, ...]]) -> pa.Table:
    """Rows with texts taken out: a field that is the text becomes empty, so does a string in JSON."""
    rows = table.to_pylist()
    for row in rows:
        texts = blanked[row["file_row_number"]]
        for name, value in row.items():
            if isinstance(value, str) and not name.startswith("_source"):
                row[name] = _without(value, texts)
        row["_record_hash"] = "forgotten"
    return pa.Table.from_pylist(rows, table.schema)


def _without(value: str, texts: Iterable[str]) -> str | None:
    for text in texts:
        if value.strip() == text:
            return None
        if value.lstrip()[:1] in ("{", "["):
            for spelt in {json.dumps(text), json.dumps(text, ensure_ascii=False)}:
                value = value.replace(spelt, '""')
    return value


def _view(con: duckdb.DuckDBPyConnection, relation: str, query: str) -> None:
    schema, _, name = relation.partition(".")
    con.execute(f"create schema if not exists {identifier(schema)}")
    con.execute(f"create view {identifier(schema)}.{identifier(name)} as {query}")
