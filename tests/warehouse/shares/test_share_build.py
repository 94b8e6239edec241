"""What a built share holds: rows, columns, values, comments, order; worked out by hand from the small release."""

import datetime as dt
import hashlib
import hmac
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from share_home import BOUNDS, CUSTOMER, DAY, KEYS, NOON, ROWS, TABLES, build, column, policy, release, rows, table

from warehouse.shares.build import ShareError, build_share
from warehouse.shares.encryption import attach_existing
from warehouse.shares.keys import ShareKeys

KEPT = {"classes": {"C1": "keep"}}
IDS = {"mart.customer_360": {"columns": ["customer_id"]}}


def ids(path: Path, table: str = "mart.customer_360", column: str = "customer_id") -> list[object]:
    return [one for (one,) in rows(path, f"select {column} from {table} order by all")]


@pytest.mark.parametrize(
    ("customers", "expected"),
    [
        ({"everyone": True}, ["C1", "C2", "C3", "C4"]),
        ({"consent": "marketing"}, ["C1", "C3"]),  # C2 withdrew, C4 was never asked
        ({"consent": "research"}, []),
        ({"active": True}, ["C1", "C2", "C4"]),
        ({"branches": ["core:01"]}, ["C1", "C2"]),  # C3 is of loans:01
        ({"branches": ["core:02", "loans:01"]}, ["C3", "C4"]),
        ({"where": "balance_amount >= 10000 -- and more"}, ["C1", "C4"]),
        ({"where": "party_type = 'person' or true", "active": True, "consent": "marketing"}, ["C1"]),
    ],
)
def test_whose_rows_a_share_has(tmp_path: Path, customers: dict[str, object], expected: list[str]) -> None:
    assert ids(build(tmp_path, customers=customers, tables=IDS, **KEPT)) == expected


def test_a_row_that_names_a_customer_who_is_left_out_is_left_out(tmp_path: Path) -> None:
    path = build(
        tmp_path,
        customers={"consent": "marketing"},
        tables={
            "customer.account": {"columns": ["system", "account_id", "balance_amount"]},  # customer_id is not granted
            "customer.relationship": {"columns": ["customer_id", "related_customer_id", "relationship"]},
            "mart.portfolio": {"columns": ["party_type", "balance_amount"]},
        },
        **KEPT,
    )
    # A2 and A4 are of others, A9 is nobody's
    assert rows(path, "from customer.account") == [("core", "A1", Decimal("10.00"))]
    assert rows(path, "from customer.relationship") == [("C1", "C3", "guarantor")]
    # figures of the bank name no customer
    assert ids(path, "mart.portfolio", "party_type") == ["organisation", "person"]


def test_a_share_of_everyone_has_rows_of_nobody_too(tmp_path: Path) -> None:
    path = build(tmp_path, tables={"customer.account": {"columns": ["system", "account_id"]}}, **KEPT)
    assert ids(path, "customer.account", "account_id") == ["A1", "A2", "A4", "A9"]


@pytest.mark.privacy
@pytest.mark.parametrize("customers", [{"everyone": True}, {"where": "true"}])
def test_who_asked_to_be_forgotten_is_seen_only_by_who_must_by_law(
    tmp_path: Path, customers: dict[str, object]
) -> None:
    restriction = table("customer", "restriction", ("customer_id",), CUSTOMER, column("erasable_from", "date"))
    tables = {**TABLES, restriction.id: restriction}
    of = release(tmp_path / "release", {**ROWS, restriction.id: "('C2', null)"}, tables)
    granted = {
        "mart.customer_360": {"columns": ["customer_id"]},
        "customer.account": {"columns": ["system", "account_id"]},
        "customer.relationship": {"columns": ["customer_id", "related_customer_id", "relationship"]},
    }
    path = build(tmp_path / "others", of=of, customers=customers, tables=granted, **KEPT)
    assert ids(path, "mart.customer_360", "customer_id") == ["C1", "C3", "C4"]
    assert [one for one in ids(path, "customer.account", "account_id") if one != "A9"] == ["A1", "A4"]
    assert rows(path, "from customer.relationship") == [("C1", "C3", "guarantor")]
    path = build(tmp_path / "law", of=of, customers={**customers, "legal_duty": True}, tables=granted, **KEPT)
    assert ids(path, "mart.customer_360", "customer_id") == ["C1", "C2", "C3", "C4"]
    assert len(rows(path, "from customer.relationship")) == 3


def test_a_tables_own_predicate_sees_the_values_of_the_release(tmp_path: Path) -> None:
    tables = {"customer.account": {"columns": ["system", "account_id"], "where": "balance_amount < 90 -- small ones"}}
    assert ids(build(tmp_path, tables=tables, **KEPT), "customer.account", "account_id") == ["A1", "A2", "A4"]


def test_columns_come_as_granted_and_treated(tmp_path: Path) -> None:
    path = build(
        tmp_path,
        customers={"where": "customer_id = 'C1'"},
        tables={
            "mart.customer_360": {
                "columns": [
                    {"balance_amount": {"bucket": [0, 10000]}},
                    "customer_id",
                    {"full_name": {"mask": {"first": 1}}},
                    {"birth_date": {"generalise": "year"}},
                    {"mobile": {"mask": {"last": 4}}},
                    {"address_text": {"generalise": "city"}},
                    {"age_years": {"generalise": 10}},
                    {"note": "drop"},
                    "party_type",
                ]
            }
        },
        **KEPT,
    )
    with duckdb.connect(str(path), read_only=True) as con:
        found = con.execute("from mart.customer_360")
        assert [name for name, *_ in found.description or []] == [
            "balance_amount", "customer_id", "full_name", "birth_date", "mobile", "address_text", "age_years",
            "party_type",
        ]  # fmt: skip
        assert found.fetchall() == [
            ("[10000, )", "C1", "张***", dt.date(1980, 1, 1), "***8000", "广东省 深圳市", 40, "person")
        ]


def test_the_file_tells_of_itself(tmp_path: Path) -> None:
    tables = {"mart.customer_360": {"columns": ["customer_id", {"full_name": {"mask": {"first": 1}}}, "party_type"]}}
    path = build(tmp_path, customers={"consent": "marketing"}, tables=tables)
    assert rows(path, "select comment from duckdb_tables() where table_name = 'customer_360'") == [
        (
            "English of customer_360. Only customers who consent to marketing. | "
            "customer_360的中文；仅限：已同意用途 marketing 的客户",
        )
    ]
    assert rows(
        path,
        "select column_name, comment, is_nullable from duckdb_columns() "
        "where table_name = 'customer_360' order by column_index",
    ) == [
        (
            "customer_id",
            "English of customer_id; here tokenised with the share's key | customer_id的中文；以本共享密钥生成的令牌",
            False,
        ),
        (
            "full_name",
            "English of full_name; here masked, first 1 and last 0 characters stay | "
            "full_name的中文；已遮蔽，保留前1位和后0位",
            True,
        ),
        ("party_type", "English of party_type | party_type的中文", False),
    ]
    assert rows(path, "select column_name, data_type, is_required, is_key, pii_class, treatment from meta.columns") == [
        ("customer_id", "varchar", True, True, "C1", "tokenise"),
        ("full_name", "varchar", False, False, "C2", "mask"),
        ("party_type", "varchar", True, False, "none", "keep"),
    ]
    assert rows(path, "select table_name, row_count, key_columns from meta.tables") == [
        ("mart.customer_360", 2, "customer_id")
    ]
    [said] = rows(
        path,
        "select share, owner, purpose_zh, release_id, business_date, cast(built_at as varchar), key_id, is_encrypted "
        "from meta.share",
    )
    assert said == (
        "marketing", "team:marketing", "营销活动。", "2026-01-31.1", DAY, "2026-02-01 12:00:00", "k1", False
    )  # fmt: skip


def test_rows_lie_in_the_order_of_the_tokens_not_of_the_ids(tmp_path: Path) -> None:
    lying = [token for (token,) in rows(build(tmp_path), "select customer_id from mart.customer_360")]
    by_id = [
        f"k1_{hmac.new(KEYS.token_key, i.encode(), hashlib.sha256).hexdigest()[:32]}" for i in ("C1", "C2", "C3", "C4")
    ]
    assert lying == sorted(by_id)
    assert lying != by_id  # else the key would prove nothing


def test_the_key_enforced_and_the_same_release_gives_the_same_rows(tmp_path: Path) -> None:
    path = build(tmp_path)
    keys = "select constraint_column_names from duckdb_constraints() where constraint_type = 'PRIMARY KEY'"
    assert (["customer_id"],) in rows(path, keys)
    again = build(tmp_path / "again", of=release(tmp_path / "other"))
    assert rows(again, "from mart.customer_360") == rows(path, "from mart.customer_360")


def test_an_encrypted_share_opens_with_its_key_alone(tmp_path: Path) -> None:
    keys = ShareKeys("k1", KEYS.token_key, "a key of the department")
    path = build(tmp_path, keys=keys, tables={"mart.customer_360": {"columns": ["customer_id", {"full_name": "keep"}]}})
    assert "张三丰".encode() not in path.read_bytes()
    assert b"customer_360" not in path.read_bytes()
    for key in (None, "another key altogether"):
        with duckdb.connect() as con, pytest.raises(duckdb.Error):
            attach_existing(con, path, "share", key)
    with duckdb.connect() as con:
        attach_existing(con, path, "share", "a key of the department")
        assert con.execute("select count(*) from share.mart.customer_360 where full_name = '张三丰'").fetchall() == [
            (1,)
        ]


def test_a_release_without_the_table_is_told_without_values(tmp_path: Path) -> None:
    made = release(tmp_path / "release")
    with duckdb.connect(str(made.database)) as con:
        con.execute("drop table customer.account")
    granted = policy(tables={"customer.account": {"columns": ["system", "account_id"]}})
    with pytest.raises(
        ShareError, match=r"share marketing of release 2026-01-31.1: customer.account: CatalogException"
    ):
        build_share(tmp_path / "x.duckdb", made, granted, KEYS, NOON, BOUNDS)


def test_a_value_that_breaks_the_key_is_not_in_the_error(tmp_path: Path) -> None:
    made = release(tmp_path / "release")
    with duckdb.connect(str(made.database)) as con:
        con.execute(
            "create or replace table customer.account as "
            "from (values ('C1', 'core', 'A1'), ('C1', 'core', 'A1')) as account(customer_id, system, account_id)"
        )
    granted = policy(tables={"customer.account": {"columns": ["system", "account_id"]}}, **KEPT)
    with pytest.raises(ShareError) as caught:
        build_share(tmp_path / "x.duckdb", made, granted, KEYS, NOON, BOUNDS)
    assert "customer.account: ConstraintException" in str(caught.value)
    assert "A1" not in str(caught.value)
