"""The sample bank: the same bytes again, files in form, the truth complete, errors as often as documented."""

import csv
import datetime as dt
import gzip
import hashlib
import json
import re
import resource
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from stdnum import luhn
from stdnum.cn import ric, uscc

from models.tables import load_tables
from sources.contract import Contract, parse_contract
from sources.delivery import inspect
from sources.landing import Decisions, LandingSettings, LandingTarget, land_system
from sources.mapping import CanonicalColumn, check_fills, compile_entity, compile_losses, delta_state_sql
from sources.sample import SampleSummary, generate
from sources.sample.files import CARD_FIELDS, HOLDER_FIELDS
from sources.sample.population import make_persons
from sources.sample.rates import LEVELS, RATES, Noise
from sources.sample.shapes import SECOND_CHILD
from sources.sample.vocabulary import HAN, load_vocabulary

ROOT = Path(__file__).parents[2]
DAYS = ("20261029", "20261030", "20261031")
PARTIES = 4000
ENTITIES = (
    "party",
    "consent",
    "party_name",
    "party_document",
    "party_contact",
    "party_address",
    "account",
    "card",
    "loan",
    "loan_performance",
    "party_role",
    "transaction",
    "branch",
    "manager",
    "product",
)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SampleSummary]:
    out = tmp_path_factory.mktemp("sample")
    return out, generate(PARTIES, "default", 11, 3, out)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="gb18030", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def core(out: Path, name: str, day: str = DAYS[0]) -> list[dict[str, str]]:
    return rows_of(out / "core" / f"{name}_{day}.csv")


def records(out: Path, name: str, day: str = DAYS[0]) -> list[dict[str, str]]:
    fields = HOLDER_FIELDS if name == "CARDHOLDER" else CARD_FIELDS
    found = []
    for line in (out / "cards" / f"{name}_{day}.dat").read_bytes().splitlines():
        start, record = 0, {}
        for field in fields:
            record[field.name] = line[start : start + field.width].decode("gb18030").strip()
            start += field.width
        assert start == len(line)
        found.append(record)
    return found


def loans(out: Path, day: str) -> list[dict]:
    with gzip.open(out / "loans" / f"LOAN_{day}.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def truth(path: Path) -> dict[tuple[str, str], str]:
    table = pq.read_table(path).to_pydict()
    keys = list(zip(table["system"], table["record_id"], strict=True))
    assert len(set(keys)) == len(keys)
    return dict(zip(keys, table["entity_id"], strict=True))


def contract(system: str) -> Contract:
    path = ROOT / "banks" / "sample" / "contracts" / f"{system}.odcs.yaml"
    read, problems = parse_contract(path.read_text(encoding="utf-8"), path)
    assert problems == []
    assert read is not None
    return read


def files(out: Path) -> dict[str, bytes]:
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


def test_same_arguments_give_the_same_bytes_and_a_day_does_not_depend_on_the_days_after(
    sample: tuple[Path, SampleSummary], tmp_path: Path
) -> None:
    generate(PARTIES, "default", 11, 2, tmp_path)
    again, three_days = files(tmp_path), files(sample[0])
    of_all_days = {"truth.parquet", "truth_hazard.parquet"}
    for name in of_all_days:
        del again[name]
    assert again == {name: three_days[name] for name in again}
    assert {name for name in three_days if DAYS[2] not in name} == {*again, *of_all_days}


def test_another_seed_gives_other_people(tmp_path: Path) -> None:
    for seed in (1, 2):
        generate(200, "default", seed, 1, tmp_path / str(seed))
    assert core(tmp_path / "1", "CUST")[5] != core(tmp_path / "2", "CUST")[5]


@pytest.mark.parametrize(("parties", "noise"), [(1000, "low"), (2500, "default"), (6000, "high")])
def test_the_first_day_has_as_many_party_records_as_asked_for(parties: int, noise: str, tmp_path: Path) -> None:
    summary = generate(parties, noise, 3, 1, tmp_path)
    found = len(truth(tmp_path / f"truth_{DAYS[0]}.parquet"))
    assert found == summary.parties[dt.date(2026, 10, 29)]
    assert abs(found - parties) <= 0.02 * parties


@pytest.mark.parametrize(("parties", "noise", "days"), [(20, "default", 1), (100, "default", 0), (100, "loud", 1)])
def test_wrong_arguments_are_refused(parties: int, noise: str, days: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must be|is not one of"):
        generate(parties, noise, 1, days, tmp_path)


def test_a_tiny_bank_has_all_its_files(tmp_path: Path) -> None:
    summary = generate(50, "high", 5, 2, tmp_path, first_date=dt.date(2025, 2, 28))
    assert summary.dates == (dt.date(2025, 2, 28), dt.date(2025, 3, 1))
    assert len([name for name in files(tmp_path) if "20250301" in name]) == 17


def test_numbers_carry_their_check_characters(sample: tuple[Path, SampleSummary]) -> None:
    customers = core(sample[0], "CUST")
    ids = [c["CERT_NO"] for c in customers if c["CERT_TYPE"] == "01"]
    long = [number for number in ids if re.fullmatch(r"[0-9]{17}[0-9X]", number) and len(set(number)) > 2]
    right = [ric.calc_check_digit(number) == number[-1] for number in long]
    assert len(long) > 1500
    assert 0.985 < np.mean(right) < 0.997  # 0.4 % transposed, 0.4 % with a wrong digit
    codes = [c["CERT_NO"] for c in customers if c["CERT_TYPE"] == "11" and len(set(c["CERT_NO"])) > 2]
    assert np.mean([uscc.is_valid(code) for code in codes]) > 0.98
    cards = [card["CARD_NO"] for card in records(sample[0], "CARD")]
    assert len(set(cards)) == len(cards)
    assert all(luhn.is_valid(number) and number.startswith("62") for number in cards)


def test_ids_agree_with_birth_date_and_sex_and_district_codes_with_their_time() -> None:
    vocabulary = load_vocabulary()
    rng = np.random.default_rng(4)
    persons, _ = make_persons(rng, vocabulary, 4000, Noise("low"), 20_755, np.empty(0, dtype=np.int64))
    citizens = np.flatnonzero(persons.document_type == 0)
    places = vocabulary.places
    periods: dict[int, list[tuple[int, int]]] = {}
    for code, first, last in zip(places.district_code, places.valid_from, places.valid_to, strict=True):
        periods.setdefault(int(code), []).append((int(first), int(last)))
    seen = set()
    for row in citizens.tolist():
        number = persons.document[row].tobytes().decode()
        birth = dt.date(1970, 1, 1) + dt.timedelta(days=int(persons.birth[row]))
        assert number[6:14] == f"{birth:%Y%m%d}"
        assert int(number[16]) % 2 == persons.sex[row]
        assert any(a <= max(birth.year, 1985) <= b for a, b in periods[int(number[:6])])
        seen.add(number)
    assert len(seen) == len(citizens)


def test_twins_have_neighbouring_numbers_and_different_names() -> None:
    rng = np.random.default_rng(8)
    persons, _ = make_persons(rng, load_vocabulary(), 20_000, Noise("low"), 20_755, np.empty(0, dtype=np.int64))
    same_day = (persons.birth[1:] == persons.birth[:-1]) & (persons.household[1:] == persons.household[:-1])
    twins = np.flatnonzero(same_day & (persons.role[1:] == SECOND_CHILD) & (persons.kind[1:] == HAN)) + 1
    assert len(twins) > 100
    numbers = [[int(persons.document[row].tobytes()[:17]) for row in (one - 1, one)] for one in twins.tolist()]
    assert {b - a for a, b in numbers} <= {1, 2, 3}
    names = np.stack([persons.given1, persons.given2], axis=1)
    assert (names[twins] != names[twins - 1]).any(axis=1).all()


def test_names_are_shared_as_in_the_country(sample: tuple[Path, SampleSummary]) -> None:
    names = [c["CUST_NAME"] for c in core(sample[0], "CUST") if c["CUST_TYPE"] == "1"]
    common = Counter(name[0] for name in names).most_common(100)
    assert 0.80 < sum(count for _, count in common) / len(names) < 0.92
    assert {"王", "李", "张"} <= {surname for surname, _ in common[:5]}
    assert any("·" in name for name in names)
    assert any(re.fullmatch(r"[A-Za-z ,-]+", name) for name in names)


def test_files_are_in_form(sample: tuple[Path, SampleSummary]) -> None:
    out, summary = sample
    for day in DAYS:
        for name in ("CUST", "ACCT", "TRAN", "BRANCH", "MANAGER", "PRODUCT"):
            rows = core(out, name, day)
            assert len(rows) == summary.rows[f"core/{name}_{day}.csv"]
            assert all(None not in row and None not in row.values() for row in rows)
    assert any("\n" in row["ADDRESS"] for row in core(out, "CUST"))
    assert '"' in (out / "core" / f"CUST_{DAYS[0]}.csv").read_text(encoding="gb18030")


def test_consents_are_of_persons_each_purpose_once_and_some_are_withdrawn_later(
    sample: tuple[Path, SampleSummary],
) -> None:
    out, _ = sample
    kinds = {row["CUST_NO"]: row["CUST_TYPE"] for day in DAYS for row in core(out, "CUST", day)}
    said = []
    for day in DAYS:
        rows = {(row["CUST_NO"], row["PURPOSE"]): row for row in core(out, "CONSENT", day)}
        assert len(rows) == len(core(out, "CONSENT", day))
        assert {kinds[number] for number, _ in rows} == {"1"}
        assert {purpose for _, purpose in rows} == {"MKT", "ANA", "PTN"}
        assert all(row["DECIDED_AT"][:10].replace("-", "") <= day for row in rows.values())
        said.append(rows)
    first, last = said[0], said[-1]
    assert set(first) <= set(last)
    changed = [key for key in first if first[key] != last[key]]
    assert changed
    assert all((first[key]["GRANTED"], last[key]["GRANTED"]) == ("Y", "N") for key in changed)
    assert all(last[key]["DECIDED_AT"][:10].replace("-", "") > DAYS[0] for key in changed)
    granted = sum(row["GRANTED"] == "Y" for (_, purpose), row in first.items() if purpose == "MKT")
    asked = sum(purpose == "MKT" for _, purpose in first)
    assert 0.5 < granted / asked < 0.6


def test_control_files_agree_with_their_data(sample: tuple[Path, SampleSummary]) -> None:
    out = sample[0]
    for day in DAYS:
        for name, amount in (("CARDHOLDER", "TOTAL_LIMIT"), ("CARD", "CREDIT_LIMIT")):
            data = out / "cards" / f"{name}_{day}.dat"
            said = dict(line.split("=") for line in data.with_suffix(".ctl").read_text(encoding="ascii").splitlines())
            held = records(out, name, day)
            assert said == {
                "FILE": data.name,
                "DATA_DATE": day,
                "RECORD_COUNT": str(len(held)),
                "TOTAL_LIMIT": f"{sum(Decimal(record[amount]) for record in held) / 100:.2f}",
                "MD5": hashlib.md5(data.read_bytes()).hexdigest(),
            }


def delivered_parties(out: Path, last: int) -> set[tuple[str, str]]:
    """The party records that the files up to a day leave in place, read without the generator or a contract."""
    customers = core(out, "CUST", DAYS[last])
    found = {("core", c["CUST_NO"]) for c in customers}
    found |= {("core", c["CUST_NO"] + "-L") for c in customers if c["LEGAL_REP_NAME"]}
    found |= {("cards", record["CH_NO"]) for record in records(out, "CARDHOLDER", DAYS[last])}
    held: dict[str, dict] = {}
    for day in DAYS[: last + 1]:
        for loan in loans(out, day):
            assert (loan["loan_no"] in held) == (loan["op"] != "I")
            if loan["op"] == "D":
                del held[loan["loan_no"]]
            else:
                held[loan["loan_no"]] = loan
    for number, loan in held.items():
        found.add(("loans", loan["borrower"]["cust_no"]))
        for letter, key in (("C", "co_borrowers"), ("G", "guarantors")):
            for place, party in enumerate(loan[key], start=1):
                if "cust_no" in party:
                    assert any(other["borrower"]["cust_no"] == party["cust_no"] for other in held.values())
                else:
                    found.add(("loans", f"{number}-{letter}{place}"))
    return found


def test_truth_covers_every_party_record_of_every_day(sample: tuple[Path, SampleSummary]) -> None:
    out = sample[0]
    everything = truth(out / "truth.parquet")
    for last, day in enumerate(DAYS):
        held = truth(out / f"truth_{day}.parquet")
        assert set(held) == delivered_parties(out, last)
        assert held.items() <= everything.items()
    assert sample[1].entities == len(set(everything.values()))
    assert f"{sample[1].entities:,} parties in truth" in str(sample[1])
    of_persons = Counter(entity for entity in everything.values() if entity.startswith("P"))
    assert np.mean([count <= 3 for count in of_persons.values()]) > 0.95
    assert 0.08 < np.mean([entity.startswith("C") for entity in set(everything.values())]) < 0.12


def test_products_belong_to_the_parties_they_should(sample: tuple[Path, SampleSummary]) -> None:
    out = sample[0]
    who = truth(out / "truth.parquet")
    accounts = {row["ACCT_NO"]: row for row in core(out, "ACCT", DAYS[2])}
    assert all(("core", row["CUST_NO"]) in who for row in accounts.values())
    joint = [row for row in accounts.values() if row["JOINT_CUST_NO"]]
    assert joint
    assert all(who["core", row["CUST_NO"]] != who["core", row["JOINT_CUST_NO"]] for row in joint)
    debit = [card for card in records(out, "CARD", DAYS[2]) if card["KIND"] == "D"]
    assert debit
    for card in debit:
        assert who["cards", card["CH_NO"]] == who["core", accounts[card["ACCT_NO"]]["CUST_NO"]]


def test_balances_follow_the_transactions_to_the_cent(sample: tuple[Path, SampleSummary]) -> None:
    out = sample[0]
    balance = {row["ACCT_NO"]: Decimal(row["BALANCE"]) for row in core(out, "ACCT", DAYS[0])}
    assert len(core(out, "TRAN", DAYS[0])) <= 3 * PARTIES
    assert min(balance.values()) >= 0
    for day in DAYS[1:]:
        running = dict(balance)
        for row in core(out, "TRAN", day):
            sign = 1 if row["DC_FLAG"] == "C" else -1
            amount = Decimal(row["AMOUNT"])
            assert amount > 0
            if row["ACCT_NO"] in running:
                running[row["ACCT_NO"]] += sign * amount
                assert running[row["ACCT_NO"]] == Decimal(row["BALANCE_AFTER"]) >= 0
        rows = core(out, "ACCT", day)
        assert {row["ACCT_NO"]: Decimal(row["BALANCE"]) for row in rows if row["ACCT_NO"] in balance} == running
        balance = {row["ACCT_NO"]: Decimal(row["BALANCE"]) for row in rows}


def test_a_day_changes_about_one_customer_in_a_hundred(sample: tuple[Path, SampleSummary]) -> None:
    before, after = ({c["CUST_NO"]: c for c in core(sample[0], "CUST", day)} for day in DAYS[:2])
    assert before.keys() <= after.keys()
    new = len(after) - len(before)
    changed = [number for number, row in before.items() if row != after[number]]
    assert 0.004 < (new + len(changed)) / len(before) < 0.02
    assert {"closed": any(after[n]["STATUS"] == "9" for n in changed), "new": new > 0} == {"closed": True, "new": True}
    assert {"I", "U"} <= {loan["op"] for loan in loans(sample[0], DAYS[1])}


def test_the_default_level_leaves_nine_ids_in_ten_usable(sample: tuple[Path, SampleSummary]) -> None:
    right, of = sample[1].injected["strong_id_right"]
    assert 0.88 < right / of < 0.92


@pytest.mark.parametrize("noise", LEVELS)
def test_errors_are_as_frequent_as_documented(noise: str, tmp_path: Path) -> None:
    injected = generate(12_000, noise, 21, 1, tmp_path).injected
    for name, rate in RATES.items():
        hits, eligible = injected[name]
        expected, spread = rate.at(noise) * eligible, (rate.at(noise) * eligible) ** 0.5
        assert eligible > 0, name
        assert abs(hits - expected) <= 4.5 * spread + 1, name


def test_the_documented_rates_are_the_rates() -> None:
    page = (ROOT / "docs" / "sample-bank.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^\| `(\w+)` \| ([^|]+\|[^|]+\|[^|]+?) \|", page, flags=re.MULTILINE))
    assert documented == {
        name: " | ".join(f"{rate.at(level) * 100:g} %" for level in LEVELS) for name, rate in RATES.items()
    }


def landed(out: Path, lake: Path, day: int) -> duckdb.DuckDBPyConnection:
    """Land a day's files, quarantine must stay empty; return a database with the relations that mappings read."""
    con = duckdb.connect()
    con.execute("create schema landing; create schema landing_history; create schema staging; create schema previous")
    lake.mkdir(exist_ok=True)
    for number in range(day + 1):
        date = dt.date(2026, 10, 29) + dt.timedelta(days=number)
        for system in ("core", "cards", "loans"):
            delivery = inspect(contract(system), out, date)
            results = land_system(
                delivery,
                lambda obj, date=date: LandingTarget(lake / f"{obj.table}_{date}.parquet", lake / "bad.parquet"),
                LandingSettings(lake / "spill"),
                lambda obj: Decisions(b"key"),
                token_key=b"for the tests only, of no worth.",
            )
            assert {name: result.rows_quarantined for name, result in results.items()} == dict.fromkeys(results, 0)
            for obj in contract(system).objects:
                path = lake / f"{obj.table}_{date}.parquet"
                con.execute(f"create or replace table landing.{obj.table} as from '{path}'")
                if obj.delivery.mode == "append":
                    con.execute(f"create or replace table {obj.relation} as from '{lake}/{obj.table}_*.parquet'")
                elif obj.delivery.mode == "delta":
                    con.execute(f"create or replace table {obj.relation} as {delta_state_sql(obj, number > 0)}")
                    con.execute(f"create or replace table previous.staging__{obj.table} as from {obj.relation}")
    return con


def test_the_contracts_fill_every_entity_from_the_files(sample: tuple[Path, SampleSummary], tmp_path: Path) -> None:
    contracts = [contract(system) for system in ("core", "cards", "loans")]
    tables = load_tables()
    columns = {
        entity: [CanonicalColumn(c.name, c.type, c.required, c.values) for c in tables[f"staging.{entity}"].columns]
        for entity in ENTITIES
    }
    assert check_fills(contracts, columns) == []
    con = landed(sample[0], tmp_path / "lake", 1)
    date = dt.date(2026, 10, 30)
    for entity in ENTITIES:
        sql = compile_entity(contracts, entity, columns[entity])
        con.execute(f"create table {entity} as {sql}", {"business_date": date} if "$business_date" in sql else None)
        assert con.execute(f"select count(*) > 0 from {entity}").fetchall() == [(True,)], entity
        key = ", ".join(tables[f"staging.{entity}"].key)
        assert con.execute(f"select {key} from {entity} group by all having count(*) > 1").fetchall() == []
    sql = compile_losses(contracts, columns)
    assert con.execute(sql, {"business_date": date} if "$business_date" in sql else None).fetchall() == []
    parties = set(con.execute("select system, record_id from party").fetchall())
    assert parties == set(truth(sample[0] / f"truth_{DAYS[1]}.parquet"))
    roles = con.execute("select distinct role from party_role order by 1").fetchall()
    assert [role for (role,) in roles] == [
        "borrower", "cardholder", "co_borrower", "guarantor", "joint_owner", "legal_representative", "owner",
    ]  # fmt: skip
    unknown = "select count(*) from party_role anti join party using (system, record_id)"
    assert con.execute(unknown).fetchall() == [(0,)]
    assert con.execute("select count(*) from party_name where name_type = 'embossed'").fetchall() > [(0,)]
    phones = "select max(n) from (select count(*) as n from party_contact group by system, record_id)"
    assert con.execute(phones).fetchall() >= [(2,)]


def test_broken_rows_end_in_quarantine_and_nothing_else_does(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    generate(6000, "default", 2, 1, whole)
    summary = generate(6000, "default", 2, 1, broken, broken_rows=4)
    assert truth(whole / "truth.parquet") == truth(broken / "truth.parquet")
    found: dict[str, dict[str, int]] = {}
    for system in ("core", "cards", "loans"):
        results = land_system(
            inspect(contract(system), broken, dt.date(2026, 10, 29)),
            lambda obj: LandingTarget(tmp_path / f"{obj.table}.parquet", tmp_path / f"bad_{obj.table}.parquet"),
            LandingSettings(tmp_path / "spill"),
            lambda obj: Decisions(b"key"),
            token_key=b"for the tests only, of no worth.",
        )
        found |= {name: dict(result.quarantined_by_rule) for name, result in results.items()}
    expected = {
        "customer": {"columns": 1, "encoding": 1, "primaryKey": 2},
        "account": {"columns": 2, "logicalType": 1, "primaryKey": 1},
        "transaction": {"columns": 1, "encoding": 1, "logicalType": 1, "primaryKey": 1},
        "cardholder": {"encoding": 1, "length": 1, "logicalType": 1, "primaryKey": 1},
        "card": {"length": 2, "logicalType": 1, "primaryKey": 1},
        "card_transaction": {"length": 2, "logicalType": 1, "primaryKey": 1},
        "loan": {"encoding": 1, "json": 1, "logicalType": 1, "primaryKey": 1},
        "loan_performance": {"columns": 2, "logicalType": 1, "primaryKey": 1},
    }
    assert {name: rules for name, rules in found.items() if rules} == expected
    assert summary.rows["core/CUST_20261029.csv"] == len(core(whole, "CUST")) + 4


def test_bad_bytes_are_not_text(tmp_path: Path) -> None:
    generate(400, "default", 2, 1, tmp_path, broken_rows=4)
    for path in (tmp_path / "core" / "CUST_20261029.csv", tmp_path / "cards" / "CARDHOLDER_20261029.dat"):
        lines = path.read_bytes().splitlines()
        assert lines[-1].count(b"\xff\xff") == 1
        with pytest.raises(UnicodeDecodeError):
            lines[-1].decode("gb18030")


@pytest.mark.slow
def test_a_million_party_records_take_less_than_three_minutes_and_six_gigabytes(tmp_path: Path) -> None:
    start = time.monotonic()
    summary = generate(1_000_000, "default", 1, 1, tmp_path)
    assert time.monotonic() - start < 180
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 6_000_000  # kB
    assert abs(summary.parties[summary.dates[0]] - 1_000_000) < 20_000
