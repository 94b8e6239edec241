"""A bank outside the project, described by nothing but the annotated scaffold: three foreign systems, two nights."""

import datetime as dt
import gzip
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

DAYS = ("20260630", "20260701")
CUSTOMERS = """\
CUSTOMER_NO;KIND;NAME;COMPANY;FIRST_NAME;LAST_NAME;BORN;SEX;NATIONALITY;ID_KIND;ID_NUMBER;MOBILE;PHONE;EMAIL;STREET;CITY;POSTCODE;BRANCH;SINCE
1;P;"Huber, Anna";;Anna;Huber;03.05.1980;f;AT;PP;P1234567;0664 1234567;;anna.huber@example.org;"Ringstraße 1
Stiege 2";Wien;1010;100;01.02.2010
2;P;;;Jörg;Müller;1975-11-30;1;;ID;AB123456;;01 5336770;;Hauptplatz 3;Graz;8010;200;15.07.2012
3;C;;Alpenholz GmbH;;;;;;;;;;office@alpenholz.example;Werkstraße 9;Linz;4020;200;20.01.2001
"""
ACCOUNTS = """\
ACCOUNT_NO;CUSTOMER_NO;PRODUCT;CURRENCY;BALANCE;OPENED;BRANCH
A1;1;GIRO;EUR;1200.50;01.02.2010;100
A2;2;SPAR;EUR;300.25;15.07.2012;200
A3;3;GIRO;USD;1000.00;20.01.2001;200
"""
TRANSACTIONS = {
    "20260630": "ID;ACCOUNT_NO;BOOKED;AMOUNT;CURRENCY;CHANNEL\n"
    "T1;A1;30.06.2026;-50.00;EUR;ATM\nT2;A2;30.06.2026;10.00;EUR;WEB\n",
    "20260701": "ID;ACCOUNT_NO;BOOKED;AMOUNT;CURRENCY;CHANNEL\nT3;A1;01.07.2026;25.00;EUR;WEB\n",
}


def _card(number: str, kind: str, holder: str, name: str, born: str, mobile: str, limit: int, owed: int) -> bytes:
    text = f"{number:<16}{kind}{holder:<10}{name:<40}{born}{mobile:<15}{limit:011d}{owed:011d}20291231"
    return text.encode("cp1252") + b"\r\n"


def _loan(op: str, number: str, outstanding: str, address: object) -> dict:
    return {
        "op": op, "loan_no": number, "kind": "HOME", "principal": "200000.00", "outstanding": outstanding,
        "days_late": 0, "paid_out": "2020-03-01",
        "borrower": {"number": "B1", "name": "Müller Jörg", "born": "1975-11-30", "address": address},
        "guarantors": [{"name": "Anna Huber"}, {"number": "B1", "name": "Müller Jörg"}],
    }  # fmt: skip


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory, run: Callable) -> Path:
    folder = tmp_path_factory.mktemp("foreign")
    made = run("init", folder / "bank")
    assert made.code == 0, made.output
    exports = folder / "exports"
    for name in ("core", "cards", "loans"):
        (exports / name).mkdir(parents=True)
    for day in DAYS:
        (exports / "core" / f"customers_{day}.csv").write_text(CUSTOMERS, encoding="utf-8-sig")
        (exports / "core" / f"customers_{day}.ctl").write_text("ROWS=3\n")
        (exports / "core" / f"accounts_{day}.csv").write_text(ACCOUNTS)
        (exports / "core" / f"transactions_{day}.csv").write_text(TRANSACTIONS[day])
        cards = _card("4539578763621486", "C", "H1", "MÜLLER JÖRG", "19751130", "", 500000, 12345)
        trailer = f"T{1:09d}{500000:015d}\r\n".encode()
        (exports / "cards" / f"CARDS.{day[2:]}.TXT").write_bytes(cards + trailer)
    first = [
        _loan("I", "L1", "150000.00", {"street": "Hauptplatz 3", "city": "Graz"}),
        _loan("I", "L2", "1.00", "Graz"),
    ]
    second = [_loan("U", "L1", "149000.00", "Hauptplatz 3, Graz"), {"op": "D", "loan_no": "L2"}]
    for day, rows in zip(DAYS, (first, second), strict=True):
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (exports / "loans" / f"loans_{day}.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    done = run(
        "--bank", folder / "bank", "--home", folder / "home", "--exports", exports,
        "backfill", "--from", "2026-06-30", "--to", "2026-07-01",
    )  # fmt: skip
    assert done.code == 0, done.output
    return folder


def _all(bank: Path, sql: str) -> list[tuple]:
    path = (bank / "home" / "warehouse" / "current" / "customer360.duckdb").resolve()
    with duckdb.connect(str(path), read_only=True) as con:
        return con.execute(sql).fetchall()


def test_the_three_systems_are_one_picture(bank: Path) -> None:
    assert _all(bank, "select system, count(*) from customer.customer_record group by 1 order by 1") == [
        ("cards", 1),
        ("core", 3),
        ("loans", 2),
    ]
    assert [
        (str(b), str(base))
        for b, base in _all(
            bank, "select balance_amount, base_balance_amount from mart.customer_holding where currency_code = 'USD'"
        )
    ] == [("1000.00", "920.00")]


def test_the_delta_was_applied_and_history_kept(bank: Path) -> None:
    assert [
        (loan, str(money)) for loan, money in _all(bank, "select loan_id, outstanding_amount from customer.loan")
    ] == [("L1", "149000.00")]
    assert _all(
        bank, "select transaction_id, direction, cast(amount as varchar) from customer.transaction order by 1"
    ) == [
        ("T1", "debit", "50.00"),
        ("T2", "credit", "10.00"),
        ("T3", "credit", "25.00"),
    ]


def test_no_card_number_is_kept_anywhere(bank: Path) -> None:
    assert _all(bank, "select card_id[:6], card_id[-4:], length(card_id) from customer.card") == [
        ("453957", "1486", 28)
    ]
    for path in (bank / "home").rglob("*"):
        if path.is_file():
            assert b"4539578763621486" not in path.read_bytes(), path


def test_roles_reach_guarantors_with_and_without_a_number_of_their_own(bank: Path) -> None:
    assert _all(bank, "select record_id, role from customer.party_role where product_type = 'loan' order by all") == [
        ("B1", "borrower"),
        ("B1", "guarantor"),
        ("L1-G1", "guarantor"),
    ]


@pytest.mark.slow
def test_a_database_is_a_source_like_any_other(tmp_path: Path, run: Callable) -> None:
    made = run("init", tmp_path / "bank")
    assert made.code == 0, made.output
    contracts = tmp_path / "bank" / "contracts"
    for name in ("cards", "loans"):
        (contracts / f"{name}.odcs.yaml").unlink()
    matching = tmp_path / "bank" / "matching.yaml"
    told = matching.read_text(encoding="utf-8")
    assert "trust: [core, loans, cards]" in told
    matching.write_text(told.replace("trust: [core, loans, cards]", "trust: [core]"), encoding="utf-8")
    text = (contracts / "core.odcs.yaml").read_text(encoding="utf-8")
    server = 'type: sqlite\n    customProperties: [{property: url, value: "sqlite:///{exports}/core.db"}]'
    head, _, rest = text.partition("    type: local")
    text = head + "    " + server + rest[rest.index("\n\nschema:") :]
    lines = []
    inside = False
    for line in text.splitlines():
        if "mode: full" in line and "pattern" not in line:
            lines.append(line[: line.index("mode")] + "mode: full")
            lines.append(line[: line.index("mode")] + "format: sql")
            lines.append(line[: line.index("mode")] + "table: customers")
            inside = True
        elif "value: {mode: full" in line:
            lines.append("        value: {mode: full, format: sql, table: accounts}")
        elif "value: {mode: append" in line:
            lines.append('        value: {mode: append, format: sql, query: "select * from transactions"}')
        elif inside and "property: fills" in line:
            inside = False
            lines.append(line)
        elif not inside:
            lines.append(line)
    (contracts / "core.odcs.yaml").write_text("\n".join(lines), encoding="utf-8")
    checked = run("--bank", tmp_path / "bank", "check")
    assert checked.code == 0, checked.output
    exports = tmp_path / "exports"
    exports.mkdir()
    with sqlite3.connect(exports / "core.db") as db:
        for name, content in (
            ("customers", CUSTOMERS.replace("\nStiege 2", "")),
            ("accounts", ACCOUNTS),
            ("transactions", TRANSACTIONS["20260630"]),
        ):
            header, *rows = [line.split(";") for line in content.splitlines()]
            db.execute(f"create table {name} ({', '.join(header)})")
            db.executemany(f"insert into {name} values ({', '.join('?' * len(header))})", rows)
    day = dt.date(2026, 6, 30).isoformat()
    done = run("--bank", tmp_path / "bank", "--home", tmp_path / "home", "--exports", exports, "run", "--date", day)
    assert done.code == 0, done.output
    path = (tmp_path / "home" / "warehouse" / "current" / "customer360.duckdb").resolve()
    with duckdb.connect(str(path), read_only=True) as con:
        assert con.execute("select count(*) from customer.customer_record").fetchall() == [(3,)]
        assert con.execute("select cast(sum(balance_amount) as varchar) from customer.account").fetchall() == [
            ("2500.75",)
        ]
