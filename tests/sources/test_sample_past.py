"""The sample bank's past: balances follow to the cent, arrears follow the calendar, parties stay as they are."""

import csv
import datetime as dt
import gzip
import hashlib
import json
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from sources.sample import generate
from sources.sample.attachment import DECLINING, ENGAGED, probability_of_leaving
from sources.sample.card_ledger import CARD_TRANSACTION_FIELDS
from sources.sample.debtors import days_past_due, missed_instalments, probability_of_default
from sources.sample.files import CARD_FIELDS

FIRST = "20261029"
MONTHS = 4
# of `generate(300, "default", 9, 2, out)` before the bank had a past; of the loans without their officer
BEFORE = {
    "core/CUST_20261029.csv": "1e703ea2f981f936",
    "core/CUST_20261030.csv": "e8c861c3ec0a6ea9",
    "core/ACCT_20261029.csv": "108d91e31afe560e",
    "core/ACCT_20261030.csv": "a052a072460ca562",
    "core/TRAN_20261029.csv": "a5f3bc3b384fbf28",
    "core/TRAN_20261030.csv": "3631d6c823f99d3c",
    "core/MANAGER_20261029.csv": "7dd674a5e110eef8",
    "cards/CARDHOLDER_20261029.dat": "642f84d95a0cb2aa",
    "cards/CARDHOLDER_20261030.dat": "6955eeda7e85e971",
    "cards/CARD_20261029.dat": "aabe1ae8807b9c98",
    "cards/CARD_20261030.dat": "34cff5dffc487e0d",
    "loans/LOAN_20261029.jsonl.gz": "cdba957e7c0647f7",
    "loans/LOAN_20261030.jsonl.gz": "391340eeb2dd024f",
}


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five dates over the end of October, with four months of history."""
    out = tmp_path_factory.mktemp("past")
    generate(1500, "low", 4, 5, out, months=MONTHS)
    return out


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="gb18030", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def fixed(path: Path, fields: tuple) -> list[dict[str, str]]:
    found = []
    for line in path.read_bytes().decode("ascii").splitlines():
        start, record = 0, {}
        for field in fields:
            record[field.name] = line[start : start + field.width].strip()
            start += field.width
        found.append(record)
    return found


def loans_of(path: Path) -> list[dict]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def dates(out: Path) -> list[str]:
    return sorted(path.stem.removeprefix("TRAN_") for path in (out / "core").glob("TRAN_*.csv"))


def digest(path: Path) -> str:
    content = path.read_bytes()
    if path.name.startswith("LOAN"):
        loans = loans_of(path)
        for loan in loans:
            del loan["officer_no"]
        content = json.dumps(loans, ensure_ascii=False).encode()
    return hashlib.sha256(content).hexdigest()[:16]


def test_without_more_history_the_files_of_before_are_the_same(tmp_path: Path) -> None:
    generate(300, "default", 9, 2, tmp_path)
    assert {name: digest(tmp_path / name) for name in BEFORE} == BEFORE


def test_history_leaves_the_parties_as_they_are(bank: Path, tmp_path: Path) -> None:
    generate(1500, "low", 4, 1, tmp_path)
    for name in (f"core/CUST_{FIRST}.csv", f"cards/CARDHOLDER_{FIRST}.dat", f"cards/CARD_{FIRST}.dat"):
        assert (tmp_path / name).read_bytes() == (bank / name).read_bytes()
    assert pq.read_table(tmp_path / f"truth_{FIRST}.parquet").equals(pq.read_table(bank / f"truth_{FIRST}.parquet"))


def test_a_date_does_not_depend_on_the_dates_after_it(bank: Path, tmp_path: Path) -> None:
    generate(1500, "low", 4, 4, tmp_path, months=MONTHS)
    for path in sorted(tmp_path.rglob("*_2026*")):
        assert path.read_bytes() == (bank / path.relative_to(tmp_path)).read_bytes(), path.name


def test_the_first_delivery_holds_whole_months(bank: Path) -> None:
    booked = [row["TRAN_DATE"] for row in rows_of(bank / "core" / f"TRAN_{FIRST}.csv")]
    assert {day[:6] for day in booked} == {"202606", "202607", "202608", "202609", "202610"}
    assert min(booked) == "20260601"
    assert max(booked) == FIRST
    cards = fixed(bank / "cards" / f"CARDTRAN_{FIRST}.dat", CARD_TRANSACTION_FIELDS)
    assert {row["TRAN_DATE"][:6] for row in cards} == {day[:6] for day in booked}
    rows = [row for row in rows_of(bank / "core" / f"ACCT_{FIRST}.csv") if row["PROD_CODE"] in ("D101", "D102", "D301")]
    per_month = len(booked) / len(rows) / (MONTHS + 29 / 31)
    assert 3 < per_month < 5


def test_account_balances_follow_history_to_the_cent(bank: Path) -> None:
    running: dict[str, Decimal] = {}
    numbers = set()
    for day in dates(bank):
        for row in rows_of(bank / "core" / f"TRAN_{day}.csv"):
            amount = Decimal(row["AMOUNT"]) * (1 if row["DC_FLAG"] == "C" else -1)
            after = Decimal(row["BALANCE_AFTER"])
            assert amount != 0
            assert after >= 0
            assert running.get(row["ACCT_NO"], after - amount) + amount == after
            running[row["ACCT_NO"]] = after
            numbers.add(row["TRAN_ID"])
        balances = {row["ACCT_NO"]: Decimal(row["BALANCE"]) for row in rows_of(bank / "core" / f"ACCT_{day}.csv")}
        assert {number: balances[number] for number in running} == running
    assert len(numbers) == sum(len(rows_of(bank / "core" / f"TRAN_{day}.csv")) for day in dates(bank))


def test_what_is_owed_on_cards_follows_their_transactions(bank: Path) -> None:
    owed: dict[str, int] = {}
    kinds = set()
    for day in dates(bank):
        cards = {row["CARD_NO"]: row for row in fixed(bank / "cards" / f"CARD_{day}.dat", CARD_FIELDS)}
        for row in fixed(bank / "cards" / f"CARDTRAN_{day}.dat", CARD_TRANSACTION_FIELDS):
            amount, after = int(row["AMOUNT"]), -int(row["BALANCE"])
            signed = amount if row["DC_FLAG"] == "D" else -amount
            assert (row["KIND"] == "R") == (row["DC_FLAG"] == "C")
            assert amount > 0
            assert owed.get(row["CARD_NO"], after - signed) + signed == after >= 0
            if row["KIND"] in "PW":
                assert after <= int(cards[row["CARD_NO"]]["CREDIT_LIMIT"])
            assert row["TRAN_DATE"] >= cards[row["CARD_NO"]]["ISSUED"]
            owed[row["CARD_NO"]] = after
            kinds.add(row["KIND"])
        assert {number: int(cards[number]["OWED"]) for number in owed} == owed
    assert kinds == set("PRWIF")
    assert len(owed) > 100


def test_card_control_files_total_the_amounts(bank: Path) -> None:
    for day in dates(bank):
        path = bank / "cards" / f"CARDTRAN_{day}.dat"
        said = dict(line.split("=") for line in path.with_suffix(".ctl").read_text(encoding="ascii").splitlines())
        amounts = [int(row["AMOUNT"]) for row in fixed(path, CARD_TRANSACTION_FIELDS)]
        assert said == {
            "FILE": path.name,
            "DATA_DATE": day,
            "RECORD_COUNT": str(len(amounts)),
            "TOTAL_AMOUNT": f"{Decimal(sum(amounts)) / 100:.2f}",
            "MD5": hashlib.md5(path.read_bytes()).hexdigest(),
        }


def test_loans_are_told_at_month_ends_and_agree_with_the_loan_file(bank: Path) -> None:
    told = {day: rows_of(bank / "loans" / f"PERF_{day}.csv") for day in dates(bank)}
    assert {row["as_of"] for row in told[FIRST]} == {"2026-06-30", "2026-07-31", "2026-08-31", "2026-09-30"}
    assert {row["as_of"] for row in told["20261031"]} == {"2026-10-31"}
    assert [len(told[day]) for day in ("20261030", "20261101", "20261102")] == [0, 0, 0]
    last = {row["loan_no"]: row for row in told[FIRST] if row["as_of"] == "2026-09-30"}
    loans = {loan["loan_no"]: loan for loan in loans_of(bank / "loans" / f"LOAN_{FIRST}.jsonl.gz")}
    late = 0
    for number, loan in loans.items():
        if loan["start_date"] <= "2026-09-30":
            before = int(last[number]["days_past_due"])
            assert loan["days_past_due"] == (before + 29 if before else 0)
            assert Decimal(last[number]["outstanding"]) >= Decimal(loan["outstanding"])
            assert (Decimal(loan["overdue"]) > 0) == (before > 0)
            late += before > 0
    assert late > 0
    assert {row["loan_no"] for row in told["20261031"]} >= loans.keys() - {
        loan["loan_no"]
        for day in dates(bank)[1:3]
        for loan in loans_of(bank / "loans" / f"LOAN_{day}.jsonl.gz")
        if loan["op"] == "D"
    }


def test_ended_loans_are_of_borrowers_and_told_until_they_end(bank: Path) -> None:
    borrowers = {loan["borrower"]["cust_no"] for loan in loans_of(bank / "loans" / f"LOAN_{FIRST}.jsonl.gz")}
    running = {loan["loan_no"] for loan in loans_of(bank / "loans" / f"LOAN_{FIRST}.jsonl.gz")}
    ended = defaultdict(list)
    for row in rows_of(bank / "loans" / f"PERF_{FIRST}.csv"):
        assert row["cust_no"] in borrowers
        if row["loan_no"] in running:
            assert row["ended"] == ""
        else:
            ended[row["loan_no"]].append(row)
    assert ended
    for rows in ended.values():
        rows.sort(key=lambda row: row["as_of"])
        assert [row["ended"] == "" for row in rows] == [True] * (len(rows) - 1) + [False]
        assert rows[-1]["ended"] == "written_off" or Decimal(rows[-1]["outstanding"]) == 0


def test_who_has_left_does_nothing_any_more(tmp_path: Path) -> None:
    generate(3000, "low", 4, 1, tmp_path, months=9)
    who = pq.read_table(tmp_path / f"truth_{FIRST}.parquet").to_pylist()
    entity = {row["record_id"]: row["entity_id"] for row in who if row["system"] == "core"}
    owner = {r["ACCT_NO"]: entity[r["CUST_NO"]] for r in rows_of(tmp_path / "core" / f"ACCT_{FIRST}.csv")}
    hazards = pq.read_table(tmp_path / "truth_hazard.parquet").to_pylist()
    silent = {(r["entity_id"], r["as_of_date"]) for r in hazards if r["kind"] == "silence" and r["happened"]}
    assert len(silent) > 10
    left = dict(silent)
    balance: dict[str, Decimal] = {}
    for row in rows_of(tmp_path / "core" / f"TRAN_{FIRST}.csv"):
        day = dt.datetime.strptime(row["TRAN_DATE"], "%Y%m%d").replace(tzinfo=dt.UTC).date()
        since = left.get(owner[row["ACCT_NO"]])
        if since and day > since:
            assert row["CHANNEL"] == "SYS"
        balance[row["ACCT_NO"]] = Decimal(row["BALANCE_AFTER"])
    assert {balance[number] for number, person in owner.items() if person in left and number in balance} == {Decimal(0)}


def test_hazards_are_calibrated_and_open_where_the_horizon_is(tmp_path: Path) -> None:
    generate(8000, "low", 6, 1, tmp_path, months=20)
    rows = pq.read_table(tmp_path / "truth_hazard.parquet").to_pylist()
    for kind, horizon, low, high in (
        ("default", 12, 0.02, 0.045),
        ("churn", 3, 0.01, 0.03),
        ("silence", 1, 0.002, 0.01),
    ):
        told = [row for row in rows if row["kind"] == kind]
        ends = sorted({row["as_of_date"] for row in told})
        assert ends[0] == dt.date(2025, 2, 28)
        assert ends[-1] == dt.date(2026, 9, 30)
        assert {row["as_of_date"] for row in told if row["happened"] is None} == set(ends[-horizon:])
        seen = [row for row in told if row["happened"] is not None]
        expected = sum(row["true_probability"] for row in seen)
        happened = sum(row["happened"] for row in seen)
        assert low < expected / len(seen) < high
        # the same customer is seen in each month of a horizon, so the spread is that many times a lone one's
        assert abs(happened - expected) < 4 * (expected * horizon) ** 0.5, kind


def test_the_chance_of_default_is_that_of_the_chain() -> None:
    strain = np.array([0.0, 0.0, 0.0, 1.0, 0.0])
    chance = probability_of_default(strain, np.array([0, 1, 3, 0, 4]))
    assert chance[4] == 1
    assert chance[0] < chance[3] < chance[1] < chance[2] < 1
    # one month from three missed: default with the chance of rolling on, logit 0.5
    assert chance[2] > 1 / (1 + np.exp(-0.5))


def test_the_chance_to_leave_within_a_month_is_the_months() -> None:
    chance = probability_of_leaving(np.zeros(2), np.array([ENGAGED, DECLINING]), months=1)
    assert chance.tolist() == pytest.approx([0.0004, 0.26])


@pytest.mark.parametrize(
    ("due_day", "missed", "month", "days"),
    [
        (27, 1, 2, 1),  # 28 February less 27 February
        (2, 1, 1, 29),  # 31 January less 2 January
        (27, 2, 3, 32),  # 31 March less 27 February
        (2, 2, 8, 60),  # 31 August less 2 July
        (2, 3, 8, 90),  # 31 August less 2 June
        (27, 4, 5, 93),  # 31 May less 27 February
        (15, 0, 5, 0),
    ],
)
def test_days_past_due_are_counted_from_the_oldest_missed_instalment(
    due_day: int, missed: int, month: int, days: int
) -> None:
    months_since_1970 = (2026 - 1970) * 12 + month - 1
    found = days_past_due(np.array([due_day]), np.array([missed]), months_since_1970)
    assert found.tolist() == [days]
    assert missed_instalments(found).tolist() == [missed]
