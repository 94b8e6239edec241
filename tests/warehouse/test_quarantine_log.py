"""The quarantine log beside the decision log; what all logs share is tested with the decision log."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from models.quarantine_decisions import QuarantineDecision
from warehouse.append_only import LogError
from warehouse.quarantine_log import QuarantineLog

NOON = dt.datetime(2026, 10, 29, 12, tzinfo=dt.UTC)
RIGHTED = QuarantineDecision(
    0, NOON, "Ann", "release", "QA", "core.customer", {"name": "王小明", "phone": None}, "来信"
)


def test_a_decision_is_read_as_it_was_written(tmp_path: Path) -> None:
    log = QuarantineLog(f"sqlite:///{tmp_path}/stewards/decisions.db")
    waived = replace(RIGHTED, quarantine_id="QB", changes=None, needs_approval=True)
    withdrawal = replace(RIGHTED, verdict="withdraw", changes=None, refers_to=1)
    for draft in (RIGHTED, waived, withdrawal):
        log.append(lambda _, draft=draft: draft, NOON)  # type: ignore[misc]
    expected = [replace(row, decision_id=number) for number, row in enumerate((RIGHTED, waived, withdrawal), 1)]
    assert list(QuarantineLog(f"sqlite:///{tmp_path}/stewards/decisions.db").rows()) == expected


@pytest.mark.parametrize("wrong", [{"reason": " "}, {"made_by": ""}, {"verdict": "keep"}, {"verdict": "withdraw"}])
def test_a_decision_without_reason_maker_or_what_it_is_about_is_not_taken(
    tmp_path: Path, wrong: dict[str, str]
) -> None:
    log = QuarantineLog(f"sqlite:///{tmp_path}/decisions.db")
    with pytest.raises(LogError, match="quarantine log"):
        log.append(lambda _: replace(RIGHTED, **wrong), NOON)  # type: ignore[arg-type]
    assert log.rows() == ()
