"""The consent log beside the decision log in one file; what both share is tested with the decision log."""

import datetime as dt
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from models.consent import ConsentStatement
from models.identity.decisions import LogRow
from warehouse.append_only import LogError
from warehouse.consent_log import ConsentLog
from warehouse.decision_log import DecisionLog

NOON = dt.datetime(2026, 10, 29, 12, tzinfo=dt.UTC)
SAID = ConsentStatement(0, NOON, "Ann", (("core", "1:a"), ("核心", "二")), "marketing", False, "来信")


def test_both_logs_keep_their_own_numbers_in_one_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/stewards/decisions.db"
    consents, decisions = ConsentLog(url), DecisionLog(url)
    decisions.append(lambda _: LogRow(0, NOON, "Bo", "same", (("core", "1"),), (("core", "2"),), "seen"), NOON)
    assert consents.rows() == ()
    consents.append(lambda _: SAID, NOON)
    consents.append(lambda before: replace(before[0], is_granted=True), NOON)
    assert ConsentLog(url).rows() == (replace(SAID, consent_id=1), replace(SAID, consent_id=2, is_granted=True))
    assert [row.decision_id for row in decisions.rows()] == [1]


def test_what_is_written_with_the_clock_set_back_is_still_the_later_word(tmp_path: Path) -> None:
    log = ConsentLog(f"sqlite:///{tmp_path}/decisions.db")
    log.append(lambda _: replace(SAID, is_granted=True), NOON)
    withdrawn = log.append(lambda _: SAID, NOON - dt.timedelta(hours=1))
    granted, last = log.rows()
    assert (granted.made_at, last.is_granted) == (NOON, False)
    assert last == withdrawn and last.made_at > NOON


def test_a_statement_is_never_changed(tmp_path: Path) -> None:
    ConsentLog(f"sqlite:///{tmp_path}/decisions.db").append(lambda _: SAID, NOON)
    with sqlite3.connect(tmp_path / "decisions.db") as con:
        for statement in ("update consent_statement set is_granted = 1", "delete from consent_statement"):
            with pytest.raises(sqlite3.IntegrityError, match="the consent log is append-only"):
                con.execute(statement)


@pytest.mark.parametrize("wrong", [{"reason": " "}, {"made_by": ""}, {"purpose": ""}])
def test_a_statement_without_reason_maker_or_purpose_is_not_taken(tmp_path: Path, wrong: dict[str, str]) -> None:
    log = ConsentLog(f"sqlite:///{tmp_path}/decisions.db")
    with pytest.raises(LogError, match="consent log"):
        log.append(lambda _: replace(SAID, **wrong), NOON)
    assert log.rows() == ()
