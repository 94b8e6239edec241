"""What no share may do, whatever its policy: show what was not granted, give tokens away, join with another."""

import dataclasses
import hashlib
import hmac
from pathlib import Path

import duckdb
import pytest
from share_home import BOUNDS, KEYS, ROWS, TABLES, build, column, policy, release, rows, settings

from warehouse.shares.build import build_share
from warehouse.shares.keys import ShareKeys
from warehouse.shares.policy import mistakes
from warehouse.shares.settings import SharesSettings

pytestmark = pytest.mark.privacy

GRANTED = {
    "mart.customer_360": {"columns": ["customer_id", "province"]},
    "customer.account": {"columns": ["customer_id", "system", "account_id"]},
}


def columns(path: Path) -> set[tuple[object, ...]]:
    return set(
        rows(
            path,
            "select schema_name || '.' || table_name, column_name from duckdb_columns() "
            "where not internal and schema_name <> 'meta'",
        )
    )


def test_a_column_added_to_a_mart_appears_in_no_share(tmp_path: Path) -> None:
    before = columns(build(tmp_path / "before", tables=GRANTED))
    old = TABLES["mart.customer_360"]
    wider = dataclasses.replace(old, columns=(*old.columns, column("salary_amount", "decimal(18,2)")))
    new_rows = {**ROWS, wider.id: ROWS[wider.id].replace("1234')", "1234', 9)").replace("null)", "null, 9)")}
    made = release(tmp_path / "wider", new_rows, {**TABLES, wider.id: wider})
    assert rows(made.database, "select distinct salary_amount from mart.customer_360") == [(9,)]
    path = tmp_path / "marketing.duckdb"
    granted = policy(definitions={**TABLES, wider.id: wider}, tables=GRANTED)
    build_share(path, made, granted, KEYS, made.published_at, BOUNDS)
    assert columns(path) == before == {
        ("mart.customer_360", "customer_id"), ("mart.customer_360", "province"), ("customer.account", "customer_id"),
        ("customer.account", "system"), ("customer.account", "account_id"),
    }  # fmt: skip
    assert b"salary_amount" not in path.read_bytes()


@pytest.mark.parametrize("wildcard", ["*", "all", "customer_*", "%"])
def test_there_is_no_wildcard(wildcard: str) -> None:
    share = settings(tables={"mart.customer_360": {"columns": ["customer_id", wildcard]}})
    found = list(mistakes(SharesSettings.model_validate({"shares": {"m": share}}), TABLES, [], []))
    assert [one.message for one in found] == [f"mart.customer_360 has no column {wildcard!r}"]


def test_a_token_is_pythons_hmac_of_the_id_and_the_same_in_every_table(tmp_path: Path) -> None:
    path = build(tmp_path, tables=GRANTED)
    expected = {
        f"k1_{hmac.new(KEYS.token_key, id_.encode(), hashlib.sha256).hexdigest()[:32]}"
        for id_ in ("C1", "C2", "C3", "C4")
    }
    assert {token for (token,) in rows(path, "select customer_id from mart.customer_360")} == expected
    joined = "select count(*) from customer.account join mart.customer_360 using (customer_id)"
    assert rows(path, joined) == [(3,)]


def test_tokens_of_any_text_are_pythons_hmac(tmp_path: Path) -> None:
    texts = ["", "张三丰", "a" * 500, "x\n'\"\\", "😀"]
    granted = {"mart.customer_360": {"columns": ["customer_id", {"note": "tokenise"}]}}
    many = ", ".join(
        f"('C{n}', 'person', null, null, null, null, null, null, null, null, null, 0, null, {quoted(text)}, null)"
        for n, text in enumerate(texts)
    )
    path = build(tmp_path, of=release(tmp_path / "release", {**ROWS, "mart.customer_360": many}), tables=granted)
    found = {token for (token,) in rows(path, "select note from mart.customer_360")}
    assert found == {f"k1_{hmac.new(KEYS.token_key, t.encode(), hashlib.sha256).hexdigest()[:32]}" for t in texts}


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def test_a_list_of_all_ids_does_not_tell_whose_a_token_is_without_the_key(tmp_path: Path) -> None:
    """Who has every customer id and the code, but not the key, finds no token by trying them all."""
    path = build(tmp_path, tables=GRANTED)
    tokens = {str(token).partition("_")[2] for (token,) in rows(path, "select customer_id from mart.customer_360")}
    assert len(tokens) == 4
    guesses = (b"", b"k1", bytes(32), b"marketing", b"customer-360", str(KEYS.key_id).encode())
    for id_ in ("C1", "C2", "C3", "C4"):
        plain = {hash_(id_.encode()).hexdigest()[:32] for hash_ in (hashlib.sha256, hashlib.sha1, hashlib.md5)}
        keyed = {hmac.new(key, id_.encode(), hashlib.sha256).hexdigest()[:32] for key in guesses}
        assert not tokens & (plain | keyed)
    everything = path.read_bytes()
    assert KEYS.token_key not in everything
    assert KEYS.token_key.hex().encode() not in everything


def test_shares_with_different_keys_cannot_be_joined_and_with_the_same_key_can(tmp_path: Path) -> None:
    made = release(tmp_path / "release")
    files = {}
    for name, key in (("marketing", bytes(range(32))), ("risk", bytes(range(1, 33))), ("finance", bytes(range(1, 33)))):
        (tmp_path / name).mkdir()
        files[name] = build(tmp_path / name, keys=ShareKeys("k1", key), of=made, tables=GRANTED)
    with duckdb.connect() as con:
        for name, path in files.items():
            con.execute(f"attach '{path}' as {name} (read_only)")
        common = "select count(*) from {}.mart.customer_360 join {}.mart.customer_360 as other using (customer_id)"
        assert con.execute(common.format("marketing", "risk")).fetchall() == [(0,)]
        assert con.execute(common.format("risk", "finance")).fetchall() == [(4,)]


def test_what_is_not_granted_is_nowhere_in_the_file(tmp_path: Path) -> None:
    path = build(
        tmp_path,
        customers={"consent": "marketing"},
        tables={"mart.customer_360": {"columns": ["customer_id", {"full_name": {"mask": {"first": 1}}}, "province"]}},
    )
    written = path.read_bytes()
    assert "广东省".encode() in written
    for absent in ("张三丰", "李四", "13800138000", "福田区", "某某有限公司", "1234"):
        assert absent.encode() not in written
