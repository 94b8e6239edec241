"""Whole nights of the sample bank, from exports to release, as the operator, analyst and engineer see them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

DAY2, DAY3 = "2026-10-30", "2026-10-31"


def _database(home: Path) -> Path:
    return (home / "warehouse" / "current" / "customer360.duckdb").resolve()


def _query(home: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(_database(home)), read_only=True) as con:
        return con.execute(sql).fetchall()


def _contents(home: Path) -> dict[str, list[tuple]]:
    """Rows of every published table but meta, in full."""
    with duckdb.connect(str(_database(home)), read_only=True) as con:
        names = con.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where schema_name <> 'meta' order by 1"
        ).fetchall()
        return {name: con.execute(f"select * from {name} order by all").fetchall() for (name,) in names}


def test_every_party_record_of_the_exports_is_in_exactly_one_customer(published_home: Path) -> None:
    truth = pq.read_table(published_home / "exports" / "truth.parquet").to_pylist()
    known = {(row["system"], row["record_id"]) for row in truth}
    found = _query(published_home, "select system, record_id from customer.customer_record")
    assert len(found) == len(set(found))
    assert set(found) <= known
    assert _query(
        published_home,
        "select count(*) from customer.customer_record anti join customer.customer using (customer_id)",
    ) == [(0,)]
    assert _query(published_home, "select count(*) from customer.customer") == _query(
        published_home, "select count(*) from mart.customer_360"
    )


def test_money_of_the_exports_is_money_of_the_release(published_home: Path) -> None:
    lines = (published_home / "exports" / "core").glob("ACCT_20261030*")
    [accounts] = list(lines)
    delivered = duckdb.read_csv(str(_utf8(accounts)), all_varchar=True)
    names = {name.lower(): name for name in delivered.columns}
    balance = next(names[n] for n in names if n.startswith("bal"))
    [(rows, total)] = duckdb.sql(f'select count(*), sum(cast("{balance}" as decimal(18,2))) from delivered').fetchall()
    assert _query(
        published_home, "select count(*), sum(balance_amount) from customer.account where system = 'core'"
    ) == [(rows, total)]


def _utf8(path: Path) -> Path:
    copy = path.with_suffix(".utf8")
    copy.write_text(path.read_text(encoding="gb18030"), encoding="utf-8")
    return copy


def test_truth_is_found_well_enough_to_be_useful(published_home: Path, run: Callable) -> None:
    done = run("--home", published_home, "evaluate", "--truth", published_home / "exports" / "truth.parquet")
    assert done.code == 0, done.output
    report = json.loads(done.output)
    assert report["pairwise"]["precision"] > 0.98
    assert report["pairwise"]["recall"] > 0.95
    assert report["constraint_violations"] == 0


def test_ids_last_from_night_to_night(published_home: Path) -> None:
    before, after = (
        dict(
            duckdb.sql(
                f"select system || ':' || record_id, customer_id from '{published_home}/lake/customer/customer_record/"
                f"business_date={day}/data.parquet'"
            ).fetchall()
        )
        for day in ("2026-10-29", DAY2)
    )
    kept = [record for record in before if record in after]
    changed = [record for record in kept if before[record] != after[record]]
    explained = {
        row[0]
        for row in _query(published_home, "select customer_id from customer.customer_event where event <> 'birth'")
    }
    assert len(kept) > 1000
    assert all(before[record] in explained or after[record] in explained for record in changed)
    assert len(changed) < len(kept) * 0.01


def test_running_the_same_date_again_changes_nothing(published_home: Path, run: Callable) -> None:
    before, contents = _database(published_home), _contents(published_home)
    done = run("--home", published_home, "run", "--date", DAY2)
    assert done.code == 0, done.output
    assert "content unchanged" in done.output
    assert _database(published_home) == before
    assert _contents(published_home) == contents


def test_a_missing_file_is_named_and_nothing_is_run(published_home: Path, run: Callable) -> None:
    [loans] = (published_home / "exports" / "loans").glob("LOAN_20261031*")
    hidden = published_home / loans.name
    shutil.move(loans, hidden)
    try:
        done = run("--home", published_home, "run", "--date", DAY3)
    finally:
        shutil.move(hidden, loans)
    assert done.code == 1, done.output
    assert "loans" in done.output
    assert "LOAN_20261031" in done.output
    assert not (published_home / "lake" / "landing" / "core__customer" / f"business_date={DAY3}").exists()
    alerts = (published_home / "alerts.jsonl").read_text(encoding="utf-8")
    assert "LOAN_20261031" in alerts


def test_a_control_file_that_disagrees_blocks_the_night_with_both_numbers(published_home: Path, run: Callable) -> None:
    before = _database(published_home)
    [control] = (published_home / "exports" / "cards").glob("CARD_20261031*.ctl")
    original = control.read_bytes()
    rows = next(line for line in original.decode().splitlines() if "ROW" in line.upper() or "COUNT" in line.upper())
    wrong = rows.rstrip("0123456789") + "999999"
    control.write_bytes(original.replace(rows.encode(), wrong.encode()))
    try:
        done = run("--home", published_home, "run", "--date", DAY3)
    finally:
        control.write_bytes(original)
    assert done.code == 3, done.output
    assert "999999" in done.output or "999,999" in done.output
    assert "cards" in done.output
    assert _database(published_home) == before
    assert "not published" in run("--home", published_home, "status").output


def test_the_third_night_can_be_run_rolled_back_and_shown(published_home: Path, run: Callable) -> None:
    done = run("run", "--home", published_home)
    assert done.code == 0, done.output
    assert f"{DAY3}.1" in done.output
    listed = run("--home", published_home, "releases")
    assert f"{DAY3}.1" in listed.output
    back = run("--home", published_home, "rollback")
    assert f"current release is now {DAY2}.1" in back.output
    again = run("--home", published_home, "rollback", f"{DAY3}.1")
    assert again.code == 0, again.output
    [(system, record_id, customer_id)] = _query(
        published_home, "select system, record_id, customer_id from customer.customer_record order by all limit 1"
    )
    shown = run("--home", published_home, "show", f"{system}:{record_id}")
    assert shown.code == 0, shown.output
    assert customer_id in shown.output
    assert "where each field comes from" in shown.output
    counted = run("--home", published_home, "sql", "--format", "csv", "select count(*) as n from customer.customer")
    assert counted.output.splitlines()[0] == "n"
    audited = run("--home", published_home, "audit", "show", "--format", "json")
    said = [(one["action"], one["subject"]) for one in map(json.loads, audited.output.splitlines())]
    assert [one for one in said if one[0] in ("published", "rolled_back")] == [
        ("published", "2026-10-29.1"),
        ("published", f"{DAY2}.1"),
        ("published", f"{DAY3}.1"),
        ("rolled_back", f"{DAY2}.1"),
        ("rolled_back", f"{DAY3}.1"),
    ]
    assert said[-1] == ("queried", f"{DAY3}.1")
    assert run("--home", published_home, "audit", "verify").code == 0
    # the month is over: what looks back on whole months moves for the first time
    check = "meta.drift.drift_distribution"
    assert f"warning {check.replace('.drift_', ' drift_')}: " in done.output
    assert f"rows: c360 failing {check} --date {DAY3}" in done.output
    moved = run("--home", published_home, "failing", check, "--date", DAY3)
    assert "mart.customer_behaviour" in moved.output
    told = run("--home", published_home, "diff", f"{DAY2}.1", f"{DAY3}.1")
    assert told.code == 0, told.output
    born = _query(published_home, "select customer_count from meta.customer_changes where change_kind = 'born'")
    assert f"{born[0][0]} born" in told.output
    of_table = run("--home", published_home, "diff", f"{DAY2}.1", "--table", "mart.customer_360")
    assert "total_deposit_amount" in of_table.output
    traced = run("--home", published_home, "lineage", "customer.account.balance_amount")
    assert traced.output.splitlines()[-1].strip() == "landing.core__account.balance  copied"
    status = run("--home", published_home, "status")
    assert f"{DAY3}.1" in status.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "--date", "2999-01-01"], "in the future"),
        (["run", "--date", "2001-01-01"], "before first_business_date"),
        (["run", "--date", "31.10.2026"], "does not match the format"),
        (["--bank", "nowhere", "check"], "no bank of this name"),
        (["rollback", "1999-01-01.1"], "1999-01-01.1"),
        (["diff", "1999-01-01.1"], "1999-01-01.1"),
        (["diff", "2026-10-29.1", "--table", "mart.nothing"], "neither release has a table"),
        (["lineage", "mart.customer_360.total_debt"], "total_debt_amount"),
        (["sql", "select * from customer.nothing"], "nothing"),
        (["failing", "customer.customer.key_uniq"], "there is no check customer.customer.key_uniq"),
        (["sql", "--as-of", "2026-10-28", "select 1"], "the oldest that is kept is 2026-10-29.1"),
        (["backfill", "--from", "2026-10-31", "--to", "2026-10-29"], "--from is after --to"),
    ],
)
def test_a_wrong_call_says_what_is_wrong_with_exit_code_2(
    published_home: Path, run: Callable, words: list[str], message: str
) -> None:
    done = run("--home", published_home, *words)
    assert done.code == 2, done.output
    assert message in done.output
    assert "Traceback" not in done.output


@pytest.mark.privacy
def test_no_personal_data_in_what_a_night_writes_outside_lake_release_and_shares(published_home: Path) -> None:
    """Logs, Dagster's storage and metadata, reports, audit, models, and what describes releases and shares."""
    values = {
        str(value).removeprefix("+86").encode()
        for row in _query(
            published_home, "select full_name, document_number, mobile, email, address_text from customer.customer"
        )
        for value in row
        if value and len(value) > 2
    }
    assert len(values) > 2000
    files = [
        path
        for path in published_home.rglob("*")
        if path.is_file()
        and path.relative_to(published_home).parts[0] not in ("lake", "exports")
        and not (path.relative_to(published_home).parts[0] == "warehouse" and path.suffix in (".duckdb", ".parquet"))
    ]
    assert {path.relative_to(published_home).parts[0] for path in files} >= {"dagster", "reports", "audit", "warehouse"}
    for path in files:
        content = path.read_bytes()
        leaked = sum(value in content for value in values)
        assert not leaked, f"{leaked} personal values in {path.relative_to(published_home)}"
