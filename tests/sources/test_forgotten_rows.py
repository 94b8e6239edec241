"""Rows of forgotten parties in landed partitions: whose a row is, what goes with it, what stays of others."""

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from mapped import DAY, GUARANTORS, JSONL, contract, land

from pipelines.workspace import canonical_entities
from sources.contract import Contract
from sources.forgetting import ForgottenRows, Key, Tombstones, count_anew, document_key, forgotten_rows, leave_out
from sources.manifest import FieldTotal, LandingResult, read_manifest, write_manifest

pytestmark = pytest.mark.privacy

KEY = bytes(range(32))
FORGOTTEN_ON = dt.date(2026, 1, 20)
_REP = {"join": ["no", "'-L'"], "with": ""}
CUSTOMERS = contract(
    [
        {"entity": "party", "columns": {"record_id": "no", "party_type": {"constant": "person"}, "full_name": "name",
                                        "opened_date": "opened"}},
        {"entity": "party_document", "when": {"from": "id", "is": "present"},
         "columns": {"record_id": "no", "document_type": {"constant": "resident_id"}, "document_number": "id"}},
        {"entity": "party", "when": {"from": "rep", "is": "present"},
         "columns": {"record_id": _REP, "party_type": {"constant": "person"}, "full_name": "rep"}},
        {"entity": "party_document", "when": {"from": "rep_id", "is": "present"},
         "columns": {"record_id": _REP, "document_type": {"constant": "passport"}, "document_number": "rep_id"}},
    ],
    ["no", "name", "id", {"name": "opened", "logicalType": "date"}, "rep", "rep_id"],
)  # fmt: skip
_ROLE = {"product_type": {"constant": "account"}, "product_id": "acct"}
ACCOUNTS = contract(
    [
        {"entity": "account", "columns": {"account_id": "acct", "currency_code": {"constant": "CNY"}}},
        {"entity": "party_role", "columns": {"record_id": "owner", "role": {"constant": "owner"}, **_ROLE}},
        {"entity": "party_role", "when": {"from": "joint", "is": "present"},
         "columns": {"record_id": "joint", "role": {"constant": "joint_owner"}, **_ROLE}},
    ],
    ["acct", "owner", "joint"],
)  # fmt: skip
BOOKINGS = contract(
    [{"entity": "transaction", "columns": {"transaction_id": "id", "product_type": {"constant": "account"},
                                           "product_id": "acct", "counterparty_name": "other"}}],
    ["id", "acct", "other"],
)  # fmt: skip
_GUARANTOR = {"join": ["no", "'-G'", "item.position"], "with": ""}
LOANS = contract(
    [
        {"entity": "party", "columns": {"record_id": "no", "party_type": {"constant": "person"}, "full_name": "name"}},
        {"entity": "party", "each": "guarantors",
         "columns": {"record_id": _GUARANTOR, "party_type": {"constant": "person"}, "full_name": "item.name"}},
    ],
    ["no", "name", GUARANTORS],
    delivery=JSONL,
)  # fmt: skip


def record(record_id: str) -> Key:
    return ("record", "core", record_id)


def tombstones(*keys: Key) -> Tombstones:
    made = Tombstones(KEY, {})
    return Tombstones(KEY, {made.digest(key): FORGOTTEN_ON for key in keys})


def landed(folder: Path, made: Contract, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write the rows as a landed partition."""
    path = folder / "data.parquet"
    with duckdb.connect() as con:
        land(con, "landing.x", [field.name for field in made.objects[0].fields], rows)
        con.execute(f"copy landing.x to '{path}' (format parquet)")
    return path


def found(path: Path, made: Contract, stones: Tombstones) -> ForgottenRows:
    return forgotten_rows([made], made.objects[0], path, {}, canonical_entities(), stones, DAY)


def left(path: Path, columns: str) -> list[tuple[Any, ...]]:
    return duckdb.sql(f"select {columns} from read_parquet('{path}')").fetchall()


def test_a_tombstone_is_pythons_hmac_and_holds_no_value() -> None:
    text = '["record", "core", "6100"]'
    assert tombstones().digest(("record", "core", "6100")) == hmac.new(KEY, text.encode(), hashlib.sha256).hexdigest()


def test_rows_of_a_forgotten_record_go_and_others_stay_as_they_are(tmp_path: Path) -> None:
    rows = [{"no": "1", "name": "张三", "id": "A1"}, {"no": "2", "name": "李四"}, {"no": "3", "name": "张三"}]
    path = landed(tmp_path, CUSTOMERS, rows)
    gone = found(path, CUSTOMERS, tombstones(record("1")))
    assert gone == ForgottenRows(frozenset({0}), {})
    assert leave_out(path, gone) == 1
    assert left(path, "no, name, _source_line, _record_hash") == [("2", "李四", 3, "h"), ("3", "张三", 4, "h")]
    assert not found(path, CUSTOMERS, tombstones(record("1"))), "a second time there is nothing to do"


def test_nothing_is_looked_for_without_tombstones(tmp_path: Path) -> None:
    assert not found(tmp_path / "not there.parquet", CUSTOMERS, tombstones())


def test_the_same_number_in_another_system_is_somebody_else(tmp_path: Path) -> None:
    path = landed(tmp_path, CUSTOMERS, [{"no": "1", "name": "张三"}])
    assert not found(path, CUSTOMERS, tombstones(("record", "cards", "1")))


def test_of_a_party_described_in_anothers_row_only_its_fields_go(tmp_path: Path) -> None:
    company = {"no": "7", "name": "某某公司", "id": "U7", "opened": "2010-01-01", "rep": "张三", "rep_id": "E1"}
    path = landed(tmp_path, CUSTOMERS, [company, {**company, "no": "8", "rep": "李四", "rep_id": "E2"}])
    gone = found(path, CUSTOMERS, tombstones(record("7-L")))
    assert gone == ForgottenRows(frozenset(), {0: ("7-L", "E1", "张三")})
    assert leave_out(path, gone) == 0
    assert left(path, "no, name, id, opened, rep, rep_id, _source_line") == [
        ("7", "某某公司", "U7", "2010-01-01", None, None, 2),
        ("8", "某某公司", "U7", "2010-01-01", "李四", "E2", 3),
    ]
    assert not found(path, CUSTOMERS, tombstones(record("7-L")))


def test_the_company_goes_with_its_representative_if_both_are_forgotten(tmp_path: Path) -> None:
    path = landed(tmp_path, CUSTOMERS, [{"no": "7", "name": "某某公司", "rep": "张三"}])
    assert found(path, CUSTOMERS, tombstones(record("7"), record("7-L"))).left_out == {0}


@pytest.mark.parametrize(
    ("opened", "goes"), [("2025-05-05", True), ("2026-01-20", True), (None, True), ("2026-01-21", False)]
)
def test_a_forgotten_document_takes_records_that_were_opened_before(
    tmp_path: Path, opened: str | None, goes: bool
) -> None:
    """Under another number the same old customer; who came after being forgotten is a customer again."""
    path = landed(tmp_path, CUSTOMERS, [{"no": "9", "name": "张三", "id": "11010519491231002x", "opened": opened}])
    document = document_key("resident_id", "11010519491231002X")
    assert found(path, CUSTOMERS, tombstones(document)).left_out == ({0} if goes else set())


@pytest.mark.parametrize("written", ["E12345678", "e 1234-5678", "Ｅ１２３４５６７８"])
def test_a_document_is_known_however_it_is_written(written: str) -> None:
    assert document_key("passport", written) == ("document", "passport", "E12345678")


def test_accounts_go_with_their_owners_and_stay_with_who_is_left(tmp_path: Path) -> None:
    rows = [{"acct": "A", "owner": "1"}, {"acct": "B", "owner": "1", "joint": "2"}, {"acct": "C", "owner": "2"}]
    path = landed(tmp_path, ACCOUNTS, rows)
    stones = tombstones(record("1"), ("product", "account", "core", "A"))
    leave_out(path, found(path, ACCOUNTS, stones))
    assert left(path, "acct, owner, joint") == [("B", None, "2"), ("C", "2", None)]


def test_transactions_go_with_their_account_and_stay_with_who_paid(tmp_path: Path) -> None:
    rows = [{"id": "T1", "acct": "A", "other": "李四"}, {"id": "T2", "acct": "C", "other": "张三"}]
    path = landed(tmp_path, BOOKINGS, rows)
    leave_out(path, found(path, BOOKINGS, tombstones(record("1"), ("product", "account", "core", "A"))))
    assert left(path, "id, other") == [("T2", "张三")], "张三 paid is of the account C's history"


def _guarantors(*names: str) -> str:
    return json.dumps([{"cust_no": None, "name": name} for name in names], ensure_ascii=False)


@pytest.mark.parametrize("escaped", [False, True])
def test_a_guarantor_goes_out_of_the_loans_row(tmp_path: Path, escaped: bool) -> None:
    told = _guarantors("张三", "王五")
    told = json.dumps(json.loads(told)) if escaped else told
    path = landed(tmp_path, LOANS, [{"no": "L1", "name": "李四", "guarantors": told}])
    leave_out(path, found(path, LOANS, tombstones(record("L1-G1"))))
    [(no, name, guarantors)] = left(path, "no, name, guarantors")
    assert (no, name) == ("L1", "李四")
    assert [one["name"] for one in json.loads(guarantors)] == ["", "王五"]


def _quarantine(path: Path, rules: Iterable[str]) -> None:
    rows = ", ".join(f"('{rule}')" for rule in rules)
    query = f"select * from (values {rows}) t(rule)" if rows else "select 'x' as rule where false"
    duckdb.sql(f"copy ({query}) to '{path}' (format parquet)")


def test_the_manifest_says_what_money_was_forgotten(tmp_path: Path) -> None:
    accounts = contract(
        [
            {"entity": "account", "columns": {
                "account_id": "no", "product_family": {"constant": "other"}, "currency_code": {"constant": "CNY"},
                "balance_amount": "balance"}},
            {"entity": "party_role", "columns": {
                "record_id": "owner", "product_type": {"constant": "account"}, "product_id": "no",
                "role": {"constant": "owner"}}},
        ],
        ["no", "owner", "balance"],
    )  # fmt: skip
    path = landed(tmp_path, accounts, [{"no": "A", "owner": "1", "balance": "10.01"}, {"no": "B", "owner": "2",
                                                                                     "balance": "0.30"}])  # fmt: skip
    quarantine = tmp_path / "quarantine.parquet"
    _quarantine(quarantine, ["type"])
    total = FieldTotal(None, Decimal("14.31"), quarantined=Decimal(4))
    write_manifest(LandingResult("core", "thing", DAY, "full", 3, 2, 1, totals={"balance": total}), path)
    leave_out(path, found(path, accounts, tombstones(record("1"))))
    now = count_anew(accounts.objects[0], path, quarantine)
    assert now == read_manifest(path)
    assert now is not None
    assert (now.totals["balance"].forgotten, now.totals["balance"].landed) == (Decimal("10.01"), Decimal("0.30"))


def test_the_manifest_counts_what_is_missing_as_forgotten(tmp_path: Path) -> None:
    path = landed(tmp_path, CUSTOMERS, [{"no": "1", "name": "张三"}, {"no": "2", "name": "李四"}])
    quarantine = tmp_path / "quarantine.parquet"
    _quarantine(quarantine, ["required", "type"])
    was = LandingResult("core", "thing", DAY, "full", 4, 2, 2, quarantined_by_rule={"required": 1, "type": 1})
    write_manifest(was, path)
    assert count_anew(CUSTOMERS.objects[0], path, quarantine) == read_manifest(path) == was
    leave_out(path, found(path, CUSTOMERS, tombstones(record("1"))))
    _quarantine(quarantine, ["type"])
    now = count_anew(CUSTOMERS.objects[0], path, quarantine)
    assert now == read_manifest(path)
    assert now is not None
    assert (now.rows_delivered, now.rows_landed, now.rows_quarantined, now.rows_forgotten) == (4, 1, 1, 2)
    assert now.quarantined_by_rule == {"type": 1}
