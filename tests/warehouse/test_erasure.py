"""Erasing from Parquet and DuckDB by what columns mean; tables of a few rows, checked by eye."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from release_home import DAY, FACTS, NOON, PASSED, store

from models.tables import Table, load_tables
from warehouse.build import Bounds
from warehouse.candidate import build_candidate
from warehouse.erasure import Traces, count_theirs, erase_parquet, erase_quarantined, erase_release, knowing
from warehouse.erasure_search import search
from warehouse.erasure_texts import Texts
from warehouse.fingerprint import combine
from warehouse.lake import Lake

pytestmark = pytest.mark.privacy

BOUNDS = Bounds("1GB", 1)
TABLES = load_tables()
THEIRS = Traces(
    records=(("core", "1"), ("cards", "9")),
    customers=("C1", "C0"),
    products=(("account", "core", "A1"), ("loan", "core", "A2")),
    values=("13800138000", "张三丰"),
)


def put(folder: Path, table_id: str, *rows: dict[str, Any]) -> Path:
    """Write rows as a table's file; columns that a row does not name are empty."""
    table = TABLES[table_id]
    path = folder / f"{table_id}.parquet"
    with duckdb.connect() as con:
        columns = ", ".join(f'"{c.name}" {c.type}' for c in table.columns)
        con.execute(f"create table t ({columns})")
        for row in rows:
            names = ", ".join(f'"{name}"' for name in row)
            con.execute(f"insert into t ({names}) values ({', '.join('?' * len(row))})", list(row.values()))
        con.execute(f"copy t to '{path}' (format parquet)")
    return path


def erased(path: Path, table_id: str, columns: str) -> list[tuple[Any, ...]]:
    with knowing(THEIRS, BOUNDS) as con:
        erase_parquet(con, table_id, path)
    return duckdb.sql(f"select {columns} from read_parquet('{path}')").fetchall()


CASES: dict[str, tuple[str, list[dict[str, Any]], str, list[tuple[Any, ...]]]] = {
    "records, by system and number": (
        "staging.party",
        [{"system": s, "record_id": r} for s, r in (("core", "1"), ("cards", "1"), ("cards", "9"), ("core", "2"))],
        "system, record_id",
        [("cards", "1"), ("core", "2")],
    ),
    "pairs of records": (
        "identity.decision",
        [
            {"decision_id": n, "system_l": "core", "record_id_l": left, "system_r": "core", "record_id_r": right}
            for n, left, right in ((1, "1", "2"), (2, "3", "1"), (3, "3", "2"))
        ],
        "decision_id",
        [(3,)],
    ),
    "customers, retired ids too": (
        "mart.customer_360",
        [{"customer_id": one} for one in ("C1", "C0", "C2")],
        "customer_id",
        [("C2",)],
    ),
    "another's event that names the customer": (
        "customer.customer_event",
        [
            {"customer_id": "C1", "event": "birth"},
            {"customer_id": "C2", "event": "split", "related_customer_id": "C1"},
            {"customer_id": "C3", "event": "split", "related_customer_id": "C2"},
        ],
        "customer_id, event, related_customer_id",
        [("C2", "split", None), ("C3", "split", "C2")],
    ),
    "relationships of two": (
        "customer.relationship",
        [
            {"customer_id": a, "related_customer_id": b, "relationship": "household"}
            for a, b in (("C1", "C2"), ("C2", "C1"), ("C2", "C3"))
        ],
        "customer_id, related_customer_id",
        [("C2", "C3")],
    ),
    "products of nobody else go, shared ones lose the name": (
        "customer.account",
        [
            {"customer_id": "C1", "system": "core", "account_id": "A1"},
            {"customer_id": "C1", "system": "core", "account_id": "A9"},
            {"customer_id": "C2", "system": "core", "account_id": "A2"},
            {"customer_id": "C2", "system": "loans", "account_id": "A1"},
        ],
        "customer_id, system, account_id",
        [(None, "core", "A9"), ("C2", "core", "A2"), ("C2", "loans", "A1")],
    ),
    "a card is not its account": (
        "customer.card",
        [{"customer_id": "C2", "system": "core", "card_id": "K", "account_id": "A1"}],
        "card_id",
        [("K",)],
    ),
    "transactions of those products": (
        "staging.transaction",
        [
            {"system": "core", "product_type": kind, "product_id": product, "counterparty_name": "张三丰"}
            for kind, product in (("account", "A1"), ("account", "A2"), ("loan", "A2"))
        ],
        "product_type, product_id, counterparty_name",
        [("account", "A2", "张三丰")],
    ),
    "roles towards the customer": (
        "customer.party_role",
        [
            {"system": "core", "record_id": "2", "product_type": "party", "product_system": "core", "product_id": "1"},
            {"system": "core", "record_id": "2", "product_type": "account", "product_system": "core",
             "product_id": "1"},
        ],
        "product_type",
        [("account",)],
    ),
    "values without an owner": (
        "identity.contact_profile",
        [{"contact_type": "mobile", "contact_value": value} for value in ("13800138000", "138001380001")],
        "contact_value",
        [("138001380001",)],
    ),
    "nothing of theirs": ("staging.exchange_rate", [{"currency_code": "CNY"}], "currency_code", [("CNY",)]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_rows_that_are_theirs_go(tmp_path: Path, case: str) -> None:
    table_id, rows, columns, expected = CASES[case]
    path = put(tmp_path, table_id, *rows)
    with knowing(THEIRS, BOUNDS) as con:
        count = count_theirs(con, table_id, f"read_parquet('{path}')")
    assert count == len(rows) - len(expected)
    schema = pq.read_schema(path)
    assert erased(path, table_id, columns) == expected
    assert pq.read_schema(path) == schema


def test_a_file_without_their_rows_is_not_written(tmp_path: Path) -> None:
    path = put(tmp_path, "mart.customer_360", {"customer_id": "C2"})
    before = path.stat()
    with knowing(THEIRS, BOUNDS) as con:
        assert erase_parquet(con, "mart.customer_360", path) is None
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_quarantined_bytes_with_a_text_of_theirs_go_whatever_the_encoding(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    raws = ["1|张三丰|".encode("gb18030"), b"2,13800138000", "3,张三".encode(), b"4,13800138"]
    with duckdb.connect() as con:
        con.execute("create table t (rule varchar, raw blob)")
        con.executemany("insert into t values ('type', ?)", [[raw] for raw in raws])
        con.execute(f"copy t to '{path}' (format parquet)")
    with knowing(THEIRS, BOUNDS) as con:
        assert erase_quarantined(con, path, THEIRS) == 2
        assert erase_quarantined(con, path, THEIRS) is None
    assert duckdb.sql(f"select raw from read_parquet('{path}')").fetchall() == [(raws[2],), (raws[3],)]


# a release of two tables of the project's own
_OF_RELEASE = {name: TABLES[name] for name in ("customer.account", "mart.customer_holding")}


def _release(home: Path, customers: tuple[str, ...]) -> tuple[Any, dict[str, Table]]:
    lake = Lake(home / "lake")
    with duckdb.connect() as con:
        con.execute("create table owner (customer_id varchar, n integer)")
        con.executemany("insert into owner values (?, ?)", [[one, int(one[1:])] for one in customers])
        for table in _OF_RELEASE.values():
            given = {"customer_id": "customer_id", "system": "'core'", "account_id": "'A' || n",
                     "currency_code": "'CNY'", "product_family": "'other'"}  # fmt: skip
            columns = ", ".join(
                f'cast({given.get(c.name, "0" if c.required else "null")} as {c.type}) as "{c.name}"'
                for c in table.columns
            )
            lake.write(con, f"select {columns} from owner order by n", table.id, DAY)
    with build_candidate(store(home), lake, _OF_RELEASE, DAY, FACTS) as candidate:
        checks = [type(PASSED[0])(name) for name in _OF_RELEASE]
        return candidate.finish(checks), _OF_RELEASE


def test_a_release_is_written_anew_as_if_the_customer_had_never_been_in_it(tmp_path: Path) -> None:
    release, _ = _release(tmp_path / "with", ("C1", "C2", "C30138001"))
    other, _ = _release(tmp_path / "without", ("C2", "C30138001"))
    reader = duckdb.connect(str(release.database), read_only=True)
    inode, mode = release.database.stat().st_ino, release.database.stat().st_mode
    with knowing(THEIRS, BOUNDS) as con:
        removed = erase_release(con, release)
        again = erase_release(con, store(tmp_path / "with").find(release.id))
    assert removed == {"customer.account": 1, "mart.customer_holding": 1}
    assert again == {}
    assert reader.execute("select count(*) from customer.account").fetchall() == [(3,)], "who had it open keeps it"
    reader.close()
    assert release.database.stat().st_ino != inode
    assert release.database.stat().st_mode == mode
    now = store(tmp_path / "with").find(release.id)
    data = set(_OF_RELEASE)
    assert {n: p for n, p in now.tables.items() if n in data} == {n: p for n, p in other.tables.items() if n in data}
    assert now.content_hash == combine(now.tables)
    with store(tmp_path / "with").connect() as con, store(tmp_path / "without").connect() as expected:
        for query in (
            "select * from customer.account",
            "select table_name, row_count, content_hash from meta.tables order by 1",
            "select table_name, column_name, data_type, is_nullable, comment from duckdb_columns() "
            "where not internal order by all",
            "select table_name, constraint_text from duckdb_constraints() order by all",
        ):
            assert con.execute(query).fetchall() == expected.execute(query).fetchall()
        assert con.execute("select content_hash from meta.release").fetchall() == [(now.content_hash,)]
    mart = release.path / "mart" / "customer_holding.parquet"
    assert duckdb.sql(f"select customer_id from '{mart}' order by 1").fetchall() == [("C2",), ("C30138001",)]
    assert json.loads((release.path / "release.json").read_text())["tables"]["customer.account"]["rows"] == 2
    assert now.published_at == NOON


def test_a_kill_before_the_database_is_switched_leaves_something_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, _ = _release(tmp_path, ("C1", "C2"))
    from warehouse import erasure

    real = erasure.replace_durably

    def die(temporary: Path, path: Path) -> None:
        if path.suffix == ".duckdb":
            raise KeyboardInterrupt
        real(temporary, path)

    monkeypatch.setattr(erasure, "replace_durably", die)
    with knowing(THEIRS, BOUNDS) as con, pytest.raises(KeyboardInterrupt):
        erase_release(con, release)
    with store(tmp_path).connect() as con:
        assert con.execute("select count(*) from customer.account").fetchall() == [(2,)], "readable throughout"
    monkeypatch.setattr(erasure, "replace_durably", real)
    with knowing(THEIRS, BOUNDS) as con:
        assert erase_release(con, store(tmp_path).find(release.id))["customer.account"] == 1
    with store(tmp_path).connect() as con:
        assert con.execute("select customer_id from customer.account").fetchall() == [("C2",)]


TEXTS = Texts(["张三", "李四", "13800138000", "ann@mail.example"])


@pytest.mark.parametrize(
    ("cell", "is_found"),
    [
        ("张三", True),
        ("张三丰", False),
        ("王张三", False),
        ('{"name":"张三"}', True),
        ("[李四, 王五]", True),
        ("+8613800138000", True),
        ("138001380", False),
        ("<td>张三</td>", True),
        ("mail ann@mail.example", True),
        (None, False),
    ],
)
def test_a_name_counts_alone_a_number_anywhere(tmp_path: Path, cell: str | None, is_found: bool) -> None:
    path = tmp_path / "one.parquet"
    with duckdb.connect() as con:
        con.execute("create table t (n integer, note varchar, list varchar[])")
        con.execute("insert into t values (1, ?, null), (2, 'other', ?)", [cell, [cell, "x"]])
        con.execute(f"copy t to '{path}' (format parquet)")
    assert [hit.count for hit in search([path], TEXTS)] == ([2] if is_found else [])


@pytest.mark.parametrize(
    ("content", "count"),
    [
        (b"x13800138000y", 1),
        ("张三".encode(), 1),
        ("李四|李四|李四四".encode("gb18030"), 2),
        ("C00000000001李四    13800138000".encode("gb18030"), 2),
        (json.dumps("张三").encode(), 1),
        ("王五 1380013".encode(), 0),
    ],
)
def test_other_files_are_searched_as_bytes(tmp_path: Path, content: bytes, count: int) -> None:
    path = tmp_path / "some.log"
    path.write_bytes(content)
    assert sum(hit.count for hit in search([path], TEXTS)) == count


def test_a_database_is_searched_table_by_table_an_encrypted_one_with_its_key(tmp_path: Path) -> None:
    from warehouse.shares.encryption import attach_new

    for name, key in (("plain", None), ("locked", "secret")):
        with duckdb.connect() as con:
            attach_new(con, tmp_path / f"{name}.duckdb", "made", key)
            con.execute("create table made.t as select '张三' as full_name union all select '王五'")
            con.execute("detach made")
    found = list(search(sorted(tmp_path.glob("*.duckdb")), TEXTS, ["wrong", "secret"]))
    assert [(hit.file.stem, hit.table, hit.count) for hit in found] == [("locked", "main.t", 1), ("plain", "main.t", 1)]
    with pytest.raises(duckdb.Error):
        list(search([tmp_path / "locked.duckdb"], TEXTS, ["wrong"]))


def test_days_are_kept_as_they_are(tmp_path: Path) -> None:
    """Rows that stay keep their values whatever their types."""
    path = put(
        tmp_path,
        "customer.customer_event",
        {"customer_id": "C1", "event": "birth"},
        {"customer_id": "C2", "business_date": dt.date(2026, 1, 1), "event": "birth", "cause": "new"},
    )
    assert erased(path, "customer.customer_event", "*") == [("C2", dt.date(2026, 1, 1), "birth", None, "new")]
