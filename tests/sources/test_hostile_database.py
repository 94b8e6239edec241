"""Hostile SQLite databases: broken text, damaged files, views that raise or never end; refused, or harmless text."""

import json
import sqlite3
from typing import Any

import pytest
from conftest import Desk, make_contract
from hostile import BROKEN_UTF8, CONTROLS, NAMES, SECRET, TEXTS, Case, distinct, judge

from sources.contract import Contract
from sources.delivery import DeliveryError
from sources.readers import limits

pytestmark = pytest.mark.hostile
FIELDS: dict[str, dict[str, Any]] = {"id": {"primaryKey": True}, "note": {}}
REFUSED = "the database refused the read"
ROWS = 300
TABLE = "create table customer (id, note)"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("database"))


def contract(**delivery: Any) -> Contract:
    server = {
        "server": "db",
        "type": "custom",
        "customProperties": [{"property": "url", "value": "sqlite:///{exports}/core/CUST.db"}],
    }
    settings = {"mode": "full", "format": "sql", "table": "customer", "reject_limit": 1} | delivery
    settings = {key: value for key, value in settings.items() if value is not None}
    return make_contract({"customer": (settings, FIELDS)}, server=server)


def database(*statements: str | tuple[str, tuple[Any, ...]]) -> bytes:
    with sqlite3.connect(":memory:") as con:
        for statement in statements:
            con.execute(*((statement,) if isinstance(statement, str) else statement))
    return con.serialize()


def notes(*values: Any) -> bytes:
    return database(TABLE, *(("insert into customer values (?, ?)", (n, value)) for n, value in enumerate(values)))


def view(sql: str) -> bytes:
    """A view in place of the table, over a table ``t`` that holds a secret."""
    return database(
        "create table t (id, note)", ("insert into t values (1, ?)", (SECRET,)), f"create view customer as {sql}"
    )


GOOD = notes(*(f"{SECRET}{n * 7919}" for n in range(ROWS)))


def flipped(place: int) -> bytes:
    return GOOD[:place] + bytes([GOOD[place] ^ 0x55]) + GOOD[place + 1 :]


VIEWS = [
    Case("raises", view("select id, json(note) as note from t"), REFUSED),
    Case("overflows", view("select id, abs(-9223372036854775807 - 1) as note from t"), REFUSED),
    Case("of nothing", view("select * from t where 1 = 0")),
    Case("without the table", database("create table t (x)", "create view customer as select x as id, x as note from t", "pragma writable_schema = on", "delete from sqlite_master where name = 't'"), REFUSED),
    Case("of itself", database("create table t (id, note)", "create view a as select * from t", "create view customer as select * from a", "pragma writable_schema = on", "update sqlite_master set sql = 'create view a as select * from customer' where name = 'a'"), REFUSED),
    Case("of an unknown function", view("select id, load_extension('x.so') as note from t"), REFUSED),
    Case("that reads a file", view("select id, readfile('/etc/passwd') as note from t"), REFUSED),
    Case("that writes a file", view("select id, writefile('x', 'y') as note from t"), REFUSED),
    Case("of another database", database("create table t (id, note)", "create view customer as select * from t", "pragma writable_schema = on", "update sqlite_master set sql = 'create view customer as select * from other.t' where name = 'customer'"), REFUSED),
    Case("of too long a text", view("select id, hex(zeroblob(9 << 20)) as note from t"), REFUSED),
    Case("of a long blob", view("select id, zeroblob(2000000000) as note from t"), REFUSED),
    Case("of long rows", view("select id, hex(zeroblob(4 << 20)) as note, hex(zeroblob(5 << 20)) as x from t"), REFUSED),
    Case("without the columns", view("select id as x, note as y from t"), "none of the 2 columns"),
    Case("with a column missing", view("select id from t"), "'note' is missing"),
    Case("of a very long name", view(f"select id, note, 1 as {'x' * 1_001} from t"), "longer than 1000 characters"),
    Case("of repeated keys", view("select 1 as id, note from t union all select 1, 'a' union all select 1, 'b'"), landed=1, quarantined=2),
    Case("without keys", view("select null as id, note from t"), "1 of 1 rows cannot be used"),
    Case("of sums and sorts", view("select id, count(*) over (order by note) as note from t"), landed=1),
]  # fmt: skip
FILES = [
    *(Case(f"cut off at {place}", GOOD[:place], "core.customer: ") for place in (1, 16, 50, 99, *range(100, len(GOOD), len(GOOD) // 30))),
    Case("nothing", b"", "no such table: customer"),
    Case("csv", b"id,note\n1," + SECRET.encode(), "file is not a database"),
    Case("zeros", b"\0" * 5_000, "file is not a database"),
    Case("0xff", b"\xff" * 5_000, "file is not a database"),
    Case("no table", database("create table t (x)"), "no such table: customer"),
    Case("an index in place of the table", database("create table t (id, note)", "create index customer on t (id)"), "no such table: customer"),
    Case("text in UTF-16", database("pragma encoding = 'UTF-16'", TABLE, f"insert into customer values (1, '{SECRET}')"), landed=1),
    Case("no rows", database(TABLE)),
]  # fmt: skip
DAMAGED = [
    Case(f"damaged at {place}", flipped(place))
    for place in (*range(0, 100, 4), *range(100, len(GOOD), len(GOOD) // 30))
]
VALUES: list[tuple[Any, str | None]] = [
    *((text, text) for text in (*TEXTS, *CONTROLS, "", " ", "\t", "a\0b", "\0", "a\r\nb", "x" * (1 << 20))),
    (None, None), (b"", ""), (b"\xff\0", "ff00"), (b"' or 1=1", "27206f7220313d31"), (2**63 - 1, "9223372036854775807"), (-(2**63), "-9223372036854775808"),
    (float("inf"), "inf"), (float("-inf"), "-inf"), (float("nan"), None), (-0.0, "-0.0"), (1e308, "1e+308"), (5e-324, "5e-324"), (0.1, "0.1"), (True, "1"),
]  # fmt: skip


@pytest.mark.parametrize("case", (*VIEWS, *FILES), ids=lambda case: case.name)
def test_file(bench: Desk, case: Case) -> None:
    judge(bench, contract(), case, "CUST.db", called=("customer", "CUST.db"))


@pytest.mark.parametrize("case", DAMAGED, ids=lambda case: case.name)
def test_damaged_is_refused_or_whole(bench: Desk, case: Case) -> None:
    """SQLite has no checksums: a byte of a value may be another one, but no row is lost."""
    path = bench.put("CUST.db", case.content)
    try:
        result = bench.land_system(contract())["customer"]
        assert result.rows_delivered == ROWS == len(bench.rows()) + len(bench.quarantine())
    except DeliveryError as error:
        assert SECRET not in str(error)
    finally:
        path.unlink()


@pytest.fixture(scope="module")
def landed(bench: Desk) -> list[str | None]:
    content = notes(*(value for value, _ in VALUES))
    return [row["note"] for row in judge(bench, contract(), Case("values", content, landed=len(VALUES)), "CUST.db")]


@pytest.mark.parametrize("number", range(len(VALUES)), ids=lambda n: repr(VALUES[n][0])[:40])
def test_value(landed: list[str | None], number: int) -> None:
    assert landed[number] == VALUES[number][1]


def test_broken_text(bench: Desk) -> None:
    broken = [
        (f"insert into customer values ({n}, cast(x'{raw.hex()}' as text))", ()) for n, raw in enumerate(BROKEN_UTF8)
    ]
    content = database(TABLE, "insert into customer values (-1, 'good')", *broken)
    (row,) = judge(bench, contract(), Case("broken", content, landed=1, quarantined=len(BROKEN_UTF8)), "CUST.db")
    assert row["note"] == "good"
    found = {(each["source_line"], each["field"], each["rule"]) for each in bench.quarantine()}
    assert found == {(line, "note", "encoding") for line in range(2, len(BROKEN_UTF8) + 2)}


def test_names_of_columns(bench: Desk) -> None:
    names = [name for name in NAMES if name != "a b"]
    columns = ", ".join('"' + name.replace('"', '""') + '"' for name in names)
    values = ", ".join(f"'v{number}'" for number in range(len(names)))
    content = database(
        f"create table customer (id, note, {columns})", f"insert into customer values (1, 'a', {values})"
    )
    (row,) = judge(bench, contract(), Case("names", content, landed=1), "CUST.db")
    assert json.loads(row["_extra"]) == {name: f"v{number}" for number, name in enumerate(names)}


@pytest.mark.parametrize(
    "table", ["'; drop table customer; --", 'a"b', "select", "中文", "a b", "%s", ":x", "sqlite", "$1", "?"]
)
def test_names_of_tables(bench: Desk, table: str) -> None:
    quoted = '"' + table.replace('"', '""') + '"'
    content = database(f"create table {quoted} (id, note)", f"insert into {quoted} values (1, 'a')")
    judge(bench, contract(table=table), Case(table, content, landed=1), "CUST.db")


@pytest.mark.parametrize(
    "sql",
    [
        "with recursive c(x) as (select 1 union all select x + 1 from c) select x as id, x as note from c",
        "with recursive c(x) as (select 1 union all select x + 1 from c) select max(x) as id, 1 as note from c",
    ],
    ids=["rows without end", "no row ever"],
)
def test_views_without_end(bench: Desk, monkeypatch: pytest.MonkeyPatch, sql: str) -> None:
    monkeypatch.setattr(limits, "LONGEST_SELECT_SECONDS", 0.2)
    case = Case("no end", database(f"create view customer as {sql}"), "customer")
    judge(bench, contract(), case, "CUST.db", called=("no end", "interrupted"))


def test_a_row_may_be_too_long(bench: Desk) -> None:
    query = "select id, hex(zeroblob(4 << 20)) as note, hex(zeroblob(5 << 20)) as x from customer"
    case = Case("long row", notes("a"), "query: row 1 is longer than 16 MB")
    judge(bench, contract(table=None, query=query), case, "CUST.db", called=("query",))


def test_nothing_is_written(bench: Desk) -> None:
    content = notes("a", "b")
    bench.put("CUST.db", content)
    statement = "insert into customer values (9, 'x') returning id, note"
    with pytest.raises(DeliveryError, match="readonly"):
        bench.land_system(contract(table=None, query=statement))
    assert (bench.exports / "core" / "CUST.db").read_bytes() == content
    assert [path.name for path in (bench.exports / "core").iterdir()] == ["CUST.db"]


def test_there_are_200() -> None:
    values = [repr(value).encode() for value, _ in VALUES]
    assert distinct([case.content for case in (*VIEWS, *FILES, *DAMAGED)], values, BROKEN_UTF8) >= 200
