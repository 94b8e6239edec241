"""Which statement of consent counts, over a customer of several records; expected rows are written by hand."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import duckdb
import pytest
from sql_tables import given, made

from models.consent import ConsentStatement, snapshot

DAY = dt.date(2026, 10, 29)
JAN, FEB = dt.datetime(2026, 1, 1), dt.datetime(2026, 2, 1)  # noqa: DTZ001 - UTC, as tables hold it


def _said(record_id: str, is_granted: bool, decided_at: dt.datetime | None, system: str = "core") -> dict[str, Any]:
    return {
        "system": system,
        "record_id": record_id,
        "purpose": "marketing",
        "is_granted": is_granted,
        "decided_at": decided_at,
        "source_object": "consent",
        "source_line": 1,
    }


def _consent(delivered: Sequence[dict[str, Any]], written: Sequence[dict[str, Any]] = ()) -> list[tuple[Any, ...]]:
    """Consents where core 1, core 2 and cards 1 are records of C1, core 3 of C2."""
    with duckdb.connect() as con:
        records = (("core", "1", "C1"), ("core", "2", "C1"), ("cards", "1", "C1"), ("core", "3", "C2"))
        rows = [{"system": s, "record_id": r, "customer_id": c} for s, r, c in records]
        given(con, "customer.customer_record", *rows)
        given(con, "staging.consent", *delivered)
        given(con, "staging.consent_decision", *written)
        return [tuple(row.values()) for row in made(con, "customer.consent", DAY)]


@pytest.mark.parametrize(
    ("delivered", "counts"),
    [
        ([], []),
        ([_said("1", True, JAN)], [("C1", "marketing", True, JAN, "core")]),
        ([_said("1", True, JAN), _said("2", False, FEB)], [("C1", "marketing", False, FEB, "core")]),
        ([_said("1", False, JAN), _said("1", True, FEB, "cards")], [("C1", "marketing", True, FEB, "cards")]),
        ([_said("1", True, FEB), _said("2", False, FEB)], [("C1", "marketing", False, FEB, "core")]),
        ([_said("1", True, FEB), _said("2", False, None)], [("C1", "marketing", False, None, "core")]),
        ([_said("1", True, None), _said("2", False, JAN)], [("C1", "marketing", False, JAN, "core")]),
        ([_said("1", True, None)], [("C1", "marketing", True, None, "core")]),
        (
            [_said("3", True, JAN), _said("1", False, JAN)],
            [("C1", "marketing", False, JAN, "core"), ("C2", "marketing", True, JAN, "core")],
        ),
        ([_said("9", True, JAN)], []),
    ],
    ids=[
        "nothing said", "granted", "later withdrawn", "later granted", "at once", "withdrawn undated",
        "granted undated before", "granted undated", "each its own", "of no record",
    ],
)  # fmt: skip
def test_the_latest_statement_counts_and_a_tie_is_a_withdrawal(
    delivered: list[dict[str, Any]], counts: list[tuple[Any, ...]]
) -> None:
    assert _consent(delivered) == counts
    assert _consent(delivered[::-1]) == counts


def test_what_was_written_down_counts_beside_what_was_delivered() -> None:
    told = {"consent_id": 7, "system": "core", "record_id": "2", "purpose": "marketing"}
    withdrawn = {**told, "is_granted": False, "decided_at": FEB}
    assert _consent([_said("1", True, JAN)], [withdrawn]) == [("C1", "marketing", False, FEB, "c360")]
    assert _consent([_said("1", True, FEB + dt.timedelta(1))], [withdrawn])[0][2] is True


def test_the_log_is_a_row_per_record_in_utc() -> None:
    at = dt.datetime(2026, 10, 29, 20, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    both = ConsentStatement(3, at, "ann", (("core", "1"), ("cards", "9")), "marketing", False, "letter")
    with duckdb.connect() as con:
        snapshot(con, [both])
        utc = at.astimezone(dt.UTC).replace(tzinfo=None)
        assert con.execute("from consent_decision order by all").fetchall() == [
            (3, "cards", "9", "marketing", False, utc),
            (3, "core", "1", "marketing", False, utc),
        ]
        assert utc.hour == 12
    with duckdb.connect() as con:
        snapshot(con, [])
        assert con.execute("select count(*) from consent_decision").fetchall() == [(0,)]
