"""The quarantine as people work with it: list, show, release, discard, and what the next landing makes of it."""

import datetime as dt
import hashlib
import json
import shutil
import sqlite3
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipelines import erasure, steps
from pipelines.bank import BANKS
from pipelines.cli.main import _add_commands, cli
from pipelines.workspace import Workspace
from sources.landing import LandingResult

_add_commands()
DAY, NEXT = dt.date(2026, 10, 29), dt.date(2026, 10, 30)
CARD = "6222021234567894"


@dataclass(frozen=True)
class Bank:
    """A home of a bank whose core system delivers a few broken rows."""

    workspace: Workspace

    def c360(self, *words: str | Path, code: int = 0) -> str:
        """Run a command; its output."""
        with pytest.MonkeyPatch.context() as patch:  # a bank's folder takes longer to read than any of these commands
            patch.setattr(Workspace, "open", lambda *_: self.workspace)
            told = CliRunner(env={"COLUMNS": "250"}).invoke(cli, list(map(str, words)), catch_exceptions=False)
        assert told.exit_code == code, told.output
        return told.output

    def land(self, date: dt.date = DAY) -> dict[str, LandingResult]:
        """Land the customers and the transactions of a date."""
        core = next(one for one in self.workspace.bank.contracts if one.system == "core")
        chosen = [one for one in core.objects if one.name in ("customer", "transaction")]
        return steps.land(self.workspace, core, chosen, date)

    def listed(self, *words: str) -> dict[str, dict[str, Any]]:
        """Rows in quarantine by rule."""
        rows = json.loads(self.c360("quarantine", "list", *words, "--format", "json"))
        return {row["rule"]: row for row in rows}

    def id_of(self, rule: str) -> str:
        return str(self.listed("--state", "all")[rule]["quarantine_id"])

    def lines(self, name: str, date: dt.date = DAY) -> list[list[bytes]]:
        return [line.split(b",") for line in self._file(name, date).read_bytes().split(b"\n")]

    def put(self, name: str, lines: list[list[bytes]], date: dt.date = DAY) -> None:
        self._file(name, date).write_bytes(b"\n".join(b",".join(line) for line in lines))

    def _file(self, name: str, date: dt.date) -> Path:
        return self.workspace.exports / "core" / f"{name}_{date:%Y%m%d}.csv"


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Workspace]:
    """A bank that takes many broken rows, under four eyes or not, and a home with two dates, one landed."""
    root = tmp_path_factory.mktemp("delivered")
    for name, settings in (("bank", ""), ("four-eyes", "\nstewards: {four_eyes: true}\n")):
        shutil.copytree(BANKS / "sample", root / name)
        with (root / name / "bank.yaml").open("a", encoding="utf-8") as handle:
            handle.write(settings)
        contract = root / name / "contracts" / "core.odcs.yaml"
        said = contract.read_text(encoding="utf-8").replace(
            "encoding: gb18030,", "encoding: gb18030, reject_limit: 0.5,"
        )
        contract.write_text(said, encoding="utf-8")
    words = ["--home", str(root / "home"), "sample", "--parties", "100", "--days", "2", "--seed", "7"]
    assert CliRunner().invoke(cli, words, catch_exceptions=False).exit_code == 0
    opened = {name: Workspace.open(str(root / name), root / "home") for name in ("bank", "four-eyes")}
    bank = Bank(opened["bank"])
    for date in (DAY, NEXT):
        customers = bank.lines("CUST", date)
        customers[2][1] = b"7"
        customers[4] = [customers[4][0], b"torn\xff\x1b[31m"]
        bank.put("CUST", customers, date)
    transactions = bank.lines("TRAN")
    transactions[3][5] = b"-12.50"
    bank.put("TRAN", transactions)
    bank.land()
    return opened


def _bank(delivered: dict[str, Workspace], tmp_path: Path, name: str = "bank") -> Bank:
    home = tmp_path / "home"
    shutil.copytree(delivered[name].home, home)
    return Bank(replace(delivered[name], home=home, exports=home / "exports"))


@pytest.fixture
def bank(delivered: dict[str, Workspace], tmp_path: Path) -> Bank:
    """The first date is landed: a customer of an unknown type, a torn line, a transaction below nought."""
    return _bank(delivered, tmp_path)


def test_the_list_tells_where_and_why_and_no_value(bank: Bank) -> None:
    told = bank.c360("quarantine", "list")
    assert told.startswith("3 open")
    for text in ("core.customer  enum", "CUST_20261029.csv:3", "not one of the contract's codes"):
        assert text in told
    name = bank.lines("CUST")[2][2].decode("gb18030")
    assert name not in told
    assert "quarantine  3 rows are open" in bank.c360("status")
    for words, rules in (
        (("--rule", "enum"), {"enum"}),
        (("--object", "transaction"), {"minimum"}),
        (("--system", "cards"), set()),
        (("--date", "2026-10-29"), {"columns", "enum", "minimum"}),
        (("--date", "2026-10-30"), set()),
        (("--state", "released"), set()),
    ):
        assert set(bank.listed(*words)) == rules


def test_a_row_is_shown_with_its_bytes_and_who_looked_is_recorded(bank: Bank) -> None:
    one = bank.id_of("enum")
    told = bank.c360("quarantine", "show", one.lower())
    assert f"cust_name = '{bank.lines('CUST')[2][2].decode('gb18030')}'" in told
    assert f"c360 quarantine release {one} --set cust_type=VALUE" in told
    torn = bank.c360("quarantine", "show", bank.id_of("columns"))
    assert r"torn\xff\x1b[31m" in torn, "what is no text is in hexadecimal, and moves no cursor"
    assert "let it pass" not in torn
    read = [entry.subject for entry in bank.workspace.audit.entries() if entry.action == "read_quarantine"]
    assert read == [f"quarantine {one}", f"quarantine {bank.id_of('columns')}"]


def test_a_full_object_lands_what_was_released_with_the_next_night(bank: Bank, tmp_path: Path) -> None:
    customers = bank.lines("CUST")
    row = tmp_path / "row.csv"
    torn = [customers[4][0], *customers[5][1:]]
    row.write_bytes(b"\n".join([b",".join(customers[0]), b",".join(torn)]))
    bank.c360("quarantine", "release", bank.id_of("enum"), "--set", "cust_type=1", "--by", "ann", "--reason", "called")
    told = bank.c360("quarantine", "release", bank.id_of("columns"), "--file", row, "--reason", "from the branch")
    assert "corrected" in told
    assert {one["state"] for one in bank.listed("--object", "customer", "--state", "all").values()} == {"released"}

    result = bank.land(NEXT)["customer"]
    assert (result.rows_landed, result.rows_quarantined) == (result.rows_delivered, 0)
    assert {one["state"] for one in bank.listed("--object", "customer", "--state", "all").values()} == {"landed"}
    shown = bank.c360("quarantine", "show", bank.id_of("enum"))
    assert "by ann: called" in shown
    assert "cust_type := '1'" in shown
    files = [bank.workspace.lake.path(f"landing.{name}core__customer", NEXT) for name in ("", "quarantine__")]
    before = [file.read_bytes() for file in files]
    bank.land(NEXT)
    assert [file.read_bytes() for file in files] == before


@pytest.mark.parametrize("rule", ["enum", "minimum"])
def test_a_date_that_is_run_again_lands_it_and_still_tells_by_whom(bank: Bank, rule: str) -> None:
    one = bank.id_of(rule)
    where = bank.listed()[rule]
    bank.c360("quarantine", "release", one, "--by", "ann", "--reason", "called")
    bank.land()
    again = bank.listed("--state", "landed")[rule]
    assert [again[name] for name in ("source_line", "field", "reason")] == [
        where[name] for name in ("source_line", "field", "reason")
    ]
    shown = bank.c360("quarantine", "show", one)
    assert "by ann: called" in shown
    assert "in quarantine no more" in shown
    bank.c360("quarantine", "withdraw", one, "--reason", "mistaken")
    assert "has landed" in bank.c360("quarantine", "discard", one, "--reason", "x", code=2)
    bank.land()
    assert bank.listed()[rule] == where


def test_an_append_object_lands_it_with_the_next_delivery(bank: Bank) -> None:
    told = bank.c360("quarantine", "release", bank.id_of("minimum"), "--reason", "a reversal")
    assert "its rule waived" in told
    result = bank.land(NEXT)["transaction"]
    assert (result.rows_released, result.rows_landed) == (1, result.rows_delivered + 1)
    assert bank.listed("--state", "landed")["minimum"]["nights"] == 1


def test_a_row_that_is_given_up_is_not_open_and_not_landed_however_often_it_comes(bank: Bank) -> None:
    bank.c360("quarantine", "discard", bank.id_of("columns"), bank.id_of("enum"), "--reason", "known to the branch")
    assert bank.land(NEXT)["customer"].rows_quarantined == 2
    assert bank.c360("quarantine", "list").startswith("1 open, 2 discarded")
    found = bank.listed("--state", "discarded")
    assert [found[rule]["nights"] for rule in ("columns", "enum")] == [2, 2]


def test_a_decision_that_is_taken_back_counts_no_more(bank: Bank) -> None:
    one = bank.id_of("enum")
    bank.c360("quarantine", "release", one, "--reason", "let it be")
    assert f"c360 quarantine withdraw {one}" in bank.c360("quarantine", "discard", one, "--reason", "no", code=2)
    bank.c360("quarantine", "withdraw", one, "--reason", "mistaken")
    assert bank.land(NEXT)["customer"].rows_quarantined == 2
    assert bank.listed()["enum"]["nights"] == 2
    bank.c360("quarantine", "discard", one, "--reason", "no")
    assert bank.listed("--state", "discarded")["enum"]["verdict"] == "discard"
    assert [row.verdict for row in bank.workspace.quarantine_log().rows()] == ["release", "withdraw", "discard"]


def test_a_row_that_the_source_has_mended_is_gone(bank: Bank) -> None:
    customers = bank.lines("CUST", NEXT)
    customers[2][1] = b"1"
    bank.put("CUST", customers, NEXT)
    bank.land(NEXT)
    assert bank.listed("--state", "gone").keys() == {"enum"}
    assert "has it no more" in bank.c360("quarantine", "discard", bank.id_of("enum"), "--reason", "x", code=2)


def test_under_four_eyes_somebody_else_approves(delivered: dict[str, Workspace], tmp_path: Path) -> None:
    bank = _bank(delivered, tmp_path, "four-eyes")
    one = bank.id_of("enum")

    def signed(verb: str, by: str, code: int = 0) -> str:
        return bank.c360("quarantine", verb, one, "--by", by, "--reason", "seen", code=code)

    assert "waits for approval" in signed("release", "ann")
    assert bank.listed("--state", "pending").keys() == {"enum"}
    assert bank.land(NEXT)["customer"].rows_quarantined == 2
    assert "own" in signed("approve", "Ann ", code=2)
    signed("approve", "bo")
    assert "nothing waits" in signed("approve", "bo", code=2)
    assert bank.land(NEXT)["customer"].rows_quarantined == 1
    assert "waits for approval" in signed("withdraw", "ann")
    assert "waits already" in signed("withdraw", "ann", code=2)
    assert bank.land(NEXT)["customer"].rows_quarantined == 1, "until it is approved"
    signed("approve", "bo")
    assert bank.land(NEXT)["customer"].rows_quarantined == 2


@pytest.mark.parametrize(
    ("words", "rule", "said"),
    [
        (["--set", "cust_type=9"], "enum", ["cust_type: not one of the contract's codes"]),
        (["--set", "cust_type=9", "--set", "cust_name= ", "--set", "open_date=x"], "enum", ["cust_type", "cust_name"]),
        (["--set", "cust_typ=1"], "enum", ["did you mean 'cust_type'"]),
        (["--set", "cust_type"], "enum", ["FIELD=VALUE"]),
        (["--set", "cust_type=1", "--set", "cust_type=2"], "enum", ["twice"]),
        (["--set", "cust_no="], "enum", ["the primary key is empty"]),
        ([], "columns", ["--file"]),
        (["--set", "cust_type=1"], "columns", ["--file"]),
        (["--file", "two.csv"], "columns", ["two.csv holds 2 rows", "below the header"]),
        (["--file", "torn.csv"], "columns", ["torn.csv line 2: the number of columns is 2"]),
        (["--file", "headless.csv"], "columns", ["headless.csv"]),
    ],
)
def test_a_release_that_would_not_land_is_refused(
    bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], rule: str, said: list[str]
) -> None:
    customers = bank.lines("CUST")
    for name, chosen in (("two", [0, 5, 6]), ("torn", [0, 4]), ("headless", [5])):
        (tmp_path / f"{name}.csv").write_bytes(b"\n".join(b",".join(customers[n]) for n in chosen))
    monkeypatch.chdir(tmp_path)
    told = bank.c360("quarantine", "release", bank.id_of(rule), *words, "--reason", "x", code=2)
    assert all(text in told for text in said)
    assert customers[5][6].decode() not in told, "no value is told"
    assert bank.workspace.quarantine_log().rows() == ()


def test_an_unknown_row_is_told(bank: Bank) -> None:
    for verb in ("show", "release", "discard", "withdraw", "approve"):
        words = () if verb == "show" else ("--reason", "x")
        assert "no row QNONE in quarantine" in bank.c360("quarantine", verb, "QNONE", *words, code=2)
    for verb in ("withdraw", "approve"):
        told = bank.c360("quarantine", verb, bank.id_of("enum"), "--reason", "x", code=2)
        assert "nothing is decided" in told


def test_a_corrected_card_number_is_kept_as_its_token_alone(bank: Bank) -> None:
    cards = next(one for one in bank.workspace.bank.contracts if one.system == "cards")
    card = next(one for one in cards.objects if one.name == "card")
    [file] = (bank.workspace.exports / "cards").glob("CARD_20261029.dat")
    before = file.read_bytes()
    after = b" " * 19 + before[19:]  # the first field of the first record is its card number
    file.write_bytes(after)
    control = file.with_suffix(".ctl")
    sums = [hashlib.md5(one, usedforsecurity=False).hexdigest() for one in (before, after)]
    control.write_text(control.read_text(encoding="ascii").replace(*sums), encoding="ascii")
    steps.land(bank.workspace, cards, [card], DAY)
    one = bank.id_of("primaryKey")
    assert "--set card_no=..." in bank.c360("quarantine", "release", one, "--reason", "x", code=2)
    bank.c360("quarantine", "release", one, "--set", f"card_no={CARD}", "--reason", "read from the card")
    [row] = bank.workspace.quarantine_log().rows()
    assert str((row.changes or {})["card_no"]).startswith("622202-")
    for path in (p for p in bank.workspace.home.rglob("*") if p.is_file() and "exports" not in p.parts):
        assert CARD.encode() not in path.read_bytes(), path


def test_the_audit_log_names_fields_and_no_value(bank: Bank) -> None:
    bank.c360(
        "quarantine",
        "release",
        bank.id_of("enum"),
        "--set",
        "cust_type=1",
        "--set",
        "cust_name=王小明",
        "--reason",
        "王小明 called",
    )
    [entry] = [one for one in bank.workspace.audit.entries() if one.action == "decided"]
    assert entry.details["fields"] == "cust_type, cust_name"
    assert "王小明" not in bank.workspace.audit.path.read_text(encoding="utf-8")


def test_the_log_is_only_added_to(bank: Bank) -> None:
    bank.c360("quarantine", "discard", bank.id_of("enum"), "--reason", "x")
    with sqlite3.connect(bank.workspace.home / "stewards" / "decisions.db") as con:
        for statement in ("update quarantine_decision set verdict = 'release'", "delete from quarantine_decision"):
            with pytest.raises(sqlite3.IntegrityError, match="the quarantine log is append-only"):
                con.execute(statement)


def test_forgetting_takes_the_customer_out_of_decisions_and_of_quarantine(
    bank: Bank,
) -> None:
    """What was written about the customer's row goes, the decision about somebody else's stays and binds."""
    customer = [cell.decode("gb18030") for cell in bank.lines("CUST")[2]]
    number, name = customer[0], customer[2]
    mine, other = bank.id_of("enum"), bank.id_of("minimum")
    bank.c360(
        "quarantine",
        "release",
        mine,
        "--set",
        "cust_type=1",
        "--set",
        f"cust_name={name}",
        "--reason",
        f"{name} called",
    )
    bank.c360("quarantine", "release", other, "--reason", "a reversal")
    traces = erasure.Traces((("core", number),), (), (), (name, customer[6]))
    journal = erasure.Journal("F1", DAY, "ann", traces, (), 0)
    journal = replace(journal, quarantined=tuple(erasure._quarantined(bank.workspace, journal)))
    assert journal.quarantined == (mine,)
    erasure._erase(bank.workspace, journal)
    redacted, kept = bank.workspace.quarantine_log().rows()
    assert (redacted.verdict, redacted.quarantine_id, redacted.changes) == ("release", "erased", None)
    assert (redacted.reason, kept.quarantine_id, kept.reason) == ("erased", other, "a reversal")
    for path in (p for p in bank.workspace.home.rglob("*") if p.is_file() and "exports" not in p.parts):
        assert name.encode() not in path.read_bytes(), path
    assert mine not in {item["quarantine_id"] for item in bank.listed("--state", "all").values()}
    assert bank.land(NEXT)["transaction"].rows_released == 1
