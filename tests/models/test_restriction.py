"""Requests to be forgotten that wait: a row per record, by the day in UTC; kept beside the other logs."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import duckdb

from models.restriction import RestrictionRequest, snapshot
from warehouse.restriction_log import RestrictionLog

AT = dt.datetime(2026, 10, 30, 2, tzinfo=dt.timezone(dt.timedelta(hours=8)))
ASKED = RestrictionRequest(0, AT, "ann", (("core", "1"), ("cards", "9")), "来信")


def test_the_log_is_a_row_per_record() -> None:
    with duckdb.connect() as con:
        snapshot(con, [replace(ASKED, restriction_id=3)])
        day = dt.date(2026, 10, 29)
        assert con.execute("from restriction_request order by all").fetchall() == [
            (3, "cards", "9", day),
            (3, "core", "1", day),
        ]
    with duckdb.connect() as con:
        snapshot(con, [])
        assert con.execute("select count(*) from restriction_request").fetchall() == [(0,)]


def test_a_request_comes_back_as_it_was_written(tmp_path: Path) -> None:
    log = RestrictionLog(f"sqlite:///{tmp_path}/decisions.db")
    log.append(lambda _: ASKED, AT)
    assert log.rows() == (replace(ASKED, restriction_id=1, made_at=AT.astimezone(dt.UTC)),)
