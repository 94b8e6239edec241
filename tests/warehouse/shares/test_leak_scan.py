"""What the scan finds in a share, and what it lets pass; the numbers are published examples or invented."""

from pathlib import Path

import duckdb
import pytest
from share_home import BOUNDS, KEYS, ROWS, build, policy, release

from warehouse.shares.keys import ShareKeys
from warehouse.shares.leak_scan import scan

pytestmark = pytest.mark.privacy

# GB 11643's own example; its check digit is X
RESIDENT_ID = "11010519491231002X"
# the test numbers that card schemes publish
UNIONPAY, VISA = "6200000000000005", "4111111111111111"


def found(folder: Path, notes: list[str], treatment: object = None, column: str = "note") -> list[str]:
    """What the scan finds in one column of a table of customers who have those values in it."""
    place = {"full_name": 2, "mobile": 5, "note": 13, "province": 6}[column]
    values = []
    for number, note in enumerate(notes):
        row = [f"'X{number}'", "'person'", *["null"] * 9, "1", "null", "null", "null"]
        row[place] = "'" + note.replace("'", "''") + "'"
        values.append(f"({', '.join(row)})")
    made = release(
        folder / "release", {**ROWS, "mart.customer_360": f"{ROWS['mart.customer_360']}, {', '.join(values)}"}
    )
    grant = {column: treatment} if treatment else column
    share = {"tables": {"mart.customer_360": {"columns": ["customer_id", grant], "where": "customer_id like 'X%'"}}}
    path = build(folder, of=made, **share)
    return [
        f"{one.column}: {one.count} x {one.kind}" for one in scan(path, made.database, policy(**share), None, BOUNDS)
    ]


@pytest.mark.parametrize(
    ("note", "kind"),
    [
        (RESIDENT_ID, "id number"),
        ("证件11010519491231002x。", "id number"),
        (UNIONPAY, "card number"),
        ("paid with 4111 1111 1111 1111 today", "card number"),
        ("4111-1111-1111-1111", "card number"),
        (f"卡号{VISA}", "card number"),
        ("13800138000", "mobile number"),
        ("请回电13800138000谢谢", "mobile number"),
        ("+85291234567", "mobile number"),
        ("write to li.si@example.com", "e-mail address"),
        ("张三丰", "customer's name"),
        ("李四", "customer's name"),
        ("李四, 王五", "customer's name"),
        ("由客户张三丰介绍", "customer's name"),
    ],
)
def test_what_nobody_granted_is_found_by_column_and_count_without_the_value(
    tmp_path: Path, note: str, kind: str
) -> None:
    assert found(tmp_path, [note, "nothing here"]) == [f"note: 1 x {kind}"]


@pytest.mark.parametrize(
    "note",
    [
        "110105194912310021",  # wrong check digit
        "4111111111111112",  # fails Luhn
        "1411111111111111",  # of no card scheme, though sixteen digits
        "12345678901",  # no mobile begins so
        "2026-10-30 12:00",
        "k1_13800138000abcdef",
        "某某有限公司",  # an organisation is no person
        "福田区",
        "a@b",
        "李四光",  # another name, of two characters the first two of which are a customer's
    ],
)
def test_what_only_resembles_it_passes(tmp_path: Path, note: str) -> None:
    assert found(tmp_path, [note]) == []


def test_what_a_column_is_there_for_passes_where_it_is_kept_and_only_that(tmp_path: Path) -> None:
    assert found(tmp_path / "a", ["+8613800138000"], "keep", "mobile") == []
    assert found(tmp_path / "b", ["张三丰"], "keep", "full_name") == []
    assert found(tmp_path / "c", [RESIDENT_ID], "keep", "full_name") == ["full_name: 1 x id number"]
    assert found(tmp_path / "d", [VISA], "keep", "mobile") == ["mobile: 1 x card number"]


def test_tokens_and_masks_pass(tmp_path: Path) -> None:
    assert found(tmp_path / "a", ["+8613800138000", "+8613900139000"], "tokenise", "mobile") == []
    assert found(tmp_path / "b", ["+8613800138000"], {"mask": {"last": 4}}, "mobile") == []
    assert found(tmp_path / "c", ["张三丰"], {"mask": {"first": 1}}, "full_name") == []


def test_a_name_that_a_place_has_too_passes(tmp_path: Path) -> None:
    # a customer called as the province that other customers live in
    rows = ROWS["mart.customer_360"].replace("'王五'", "'广东省'")
    made = release(tmp_path / "release", {**ROWS, "mart.customer_360": rows})
    share = {"tables": {"mart.customer_360": {"columns": ["customer_id", "province"]}}}
    path = build(tmp_path, of=made, **share)
    assert scan(path, made.database, policy(**share), None, BOUNDS) == ()


def test_of_account_numbers_some_look_like_cards_by_chance_but_not_most(tmp_path: Path) -> None:
    """Of a hundred consecutive numbers of sixteen digits ten pass Luhn; of a column of cards all do."""
    granted = {
        "classes": {"C1": "keep"},
        "tables": {"customer.account": {"columns": ["system", "account_id"]}},
    }

    def lines(folder: Path, numbers: list[str]) -> list[str]:
        accounts = ", ".join(f"('C1', 'core', '{number}', null)" for number in numbers)
        made = release(folder / "release", {**ROWS, "customer.account": accounts})
        return [
            one.line for one in scan(build(folder, of=made, **granted), made.database, policy(**granted), None, BOUNDS)
        ]

    consecutive = [str(6200000000000000 + n) for n in range(100)]
    cards = [number for number in (str(6200000000000000 + n) for n in range(1000)) if _passes_luhn(number)]
    assert len(cards) == 100
    assert lines(tmp_path / "a", consecutive) == []
    assert lines(tmp_path / "b", cards) == ["customer.account.account_id: 100 x card number"]


def _passes_luhn(number: str) -> bool:
    from stdnum import luhn

    return bool(luhn.is_valid(number))


def test_a_column_that_the_policy_does_not_know_is_found(tmp_path: Path) -> None:
    made = release(tmp_path / "release")
    path = build(tmp_path, of=made)
    with duckdb.connect(str(path)) as con:
        con.execute("alter table mart.customer_360 add column extra integer")
    [one] = scan(path, made.database, policy(), None, BOUNDS)
    assert one.line == "mart.customer_360.extra: 1 x column that is not granted"


def test_a_value_that_is_no_token_where_one_should_be_is_found(tmp_path: Path) -> None:
    made = release(tmp_path / "release")
    path = build(tmp_path, of=made)
    with duckdb.connect(str(path)) as con:
        con.execute("insert into mart.customer_360 values ('C0000000001')")
    [one] = scan(path, made.database, policy(), None, BOUNDS)
    assert one.line == "mart.customer_360.customer_id: 1 x value that is no token"


def test_an_encrypted_share_is_scanned_with_its_key(tmp_path: Path) -> None:
    keys = ShareKeys("k1", KEYS.token_key, "a key of the department")
    made = release(
        tmp_path / "release", {**ROWS, "mart.customer_360": ROWS["mart.customer_360"].replace("plain", VISA)}
    )
    share = {"tables": {"mart.customer_360": {"columns": ["customer_id", "note"]}}}
    path = build(tmp_path, keys=keys, of=made, **share)
    [one] = scan(path, made.database, policy(**share), keys.encryption_key, BOUNDS)
    assert one.line == "mart.customer_360.note: 1 x card number"
