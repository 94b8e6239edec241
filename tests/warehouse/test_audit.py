"""The audit log: lines as written, chained; whatever is done to a line or the end of the log is found."""

import datetime as dt
import hashlib
import json
import multiprocessing
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.audit import AuditError, AuditLog, Head, select

NOON = dt.datetime(2026, 10, 29, 20, tzinfo=dt.timezone(dt.timedelta(hours=8)))


def _log(folder: Path, lines: int) -> AuditLog:
    log = AuditLog(folder, lambda: NOON)
    for number in range(1, lines + 1):
        log.append("queried", f"release {number}", {"rows": number, "无": None}, "安")
    return log


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[bytes], str]:
    """Five lines and the head, as they lie on disk."""
    folder = tmp_path_factory.mktemp("five")
    log = _log(folder, 5)
    return log.path.read_bytes().splitlines(), (folder / "head.json").read_text()


def _laid(folder: Path, lines: list[bytes], head: str | None) -> AuditLog:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "audit.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    if head is not None:
        (folder / "head.json").write_text(head)
    return AuditLog(folder, lambda: NOON)


def test_a_line_says_who_did_what_when_and_anybody_can_check_its_hash(tmp_path: Path) -> None:
    log = _log(tmp_path, 1)
    [line] = log.path.read_text(encoding="utf-8").splitlines()
    said = json.loads(line)
    digest = said.pop("hash")
    assert said == {
        "sequence": 1,
        "at": "2026-10-29T12:00:00.000000+00:00",
        "who": "安",
        "action": "queried",
        "subject": "release 1",
        "details": {"rows": 1, "无": None},
        "previous_hash": "0" * 64,
    }
    text = (
        '{"action":"queried","at":"2026-10-29T12:00:00.000000+00:00","details":{"rows":1,"无":null},'
        f'"previous_hash":"{"0" * 64}","sequence":1,"subject":"release 1","who":"安"}}'
    )
    assert digest == hashlib.sha256(text.encode()).hexdigest()


def test_an_untouched_log_holds_and_tells_its_head(tmp_path: Path) -> None:
    assert AuditLog(tmp_path).verify().faults == ()
    log = _log(tmp_path, 3)
    verdict = log.verify()
    assert verdict.faults == ()
    assert verdict.head == log.head() == Head.parse(str(verdict.head))
    assert verdict.head.sequence == 3


@given(st.data())
def test_any_changed_removed_added_or_moved_line_is_found_and_named(
    tmp_path_factory: pytest.TempPathFactory, five: tuple[list[bytes], str], data: st.DataObject
) -> None:
    lines, head = list(five[0]), five[1]
    at = data.draw(st.integers(0, 4))
    what = data.draw(st.sampled_from(["change", "remove", "repeat", "swap"]))
    if what == "change":
        where = data.draw(st.integers(0, len(lines[at]) - 1))
        byte = data.draw(st.integers(0, 255).filter(lambda b: b not in (lines[at][where], 10)))
        lines[at] = lines[at][:where] + bytes([byte]) + lines[at][where + 1 :]
    elif what == "remove":
        del lines[at]
    elif what == "repeat":
        lines.insert(at, lines[at])
    else:
        other = data.draw(st.integers(0, 4).filter(lambda n: n != at))
        lines[at], lines[other] = lines[other], lines[at]
    first = next((n for n, (a, b) in enumerate(zip(lines, five[0], strict=False)) if a != b), min(len(lines), 5))
    verdict = _laid(tmp_path_factory.mktemp("touched"), lines, head).verify()
    assert verdict.head.sequence == first
    assert verdict.faults
    assert verdict.faults[0].startswith(f"line {first + 1}:") or (what == "remove" and at == 4)


def _chained(lines: list[dict[str, object]]) -> list[bytes]:
    """The lines with numbers and hashes made anew, as somebody who knows how would."""
    made, previous = [], "0" * 64
    for number, line in enumerate(lines, start=1):
        content = {**line, "sequence": number, "previous_hash": previous}
        content.pop("hash")
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        previous = hashlib.sha256(text.encode()).hexdigest()
        content = {name: content[name] for name in line if name != "hash"} | {"hash": previous}
        made.append(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())
    return made


def test_a_chain_made_anew_is_found_by_any_head_noted_before(tmp_path: Path, five: tuple[list[bytes], str]) -> None:
    honest = [json.loads(line) for line in five[0]]
    assert _chained(honest) == five[0], "the forger knows the form"
    noted = Head(3, honest[2]["hash"])
    honest[1]["details"] = {"rows": 0}
    forged = _chained(honest)
    head = json.dumps({"sequence": 5, "hash": json.loads(forged[4])["hash"]})
    log = _laid(tmp_path, forged, head)
    assert log.verify().faults == (), "without a head noted elsewhere nobody can tell"
    assert log.verify({"release 2026-10-29.1": noted}).faults == (
        "line 3 is another than the one that release 2026-10-29.1 knows",
    )


def test_lines_cut_off_the_end_are_found_and_nothing_is_written_over_them(
    tmp_path: Path, five: tuple[list[bytes], str]
) -> None:
    log = _laid(tmp_path, five[0][:3], five[1])
    assert log.verify().faults == ("head.json knows 5 lines, 3 hold",)
    with pytest.raises(AuditError, match=r"ends at line 3, head.json knows 5: lines are missing"):
        log.append("queried", "release 4")
    assert len(log.path.read_bytes().splitlines()) == 3


def test_without_its_head_the_log_does_not_hold(tmp_path: Path, five: tuple[list[bytes], str]) -> None:
    [fault] = _laid(tmp_path / "none", five[0], None).verify().faults
    assert "head.json is missing" in fault
    [fault] = _laid(tmp_path / "broken", five[0], "{").verify().faults
    assert "head.json cannot be read" in fault


def test_a_log_that_was_removed_is_found(tmp_path: Path, five: tuple[list[bytes], str]) -> None:
    assert _laid(tmp_path, [], five[1]).verify().faults == ("head.json knows 5 lines, 0 hold",)


@pytest.mark.parametrize("left", [b"", b'{"sequence":6,"at":"20', b"\xe5"])
def test_a_writer_that_died_leaves_a_log_that_holds_and_goes_on(
    tmp_path: Path, five: tuple[list[bytes], str], left: bytes
) -> None:
    """Killed while writing line 6, or after line 5 and before its head was noted."""
    fourth = json.loads(five[0][3])
    head = five[1] if left else json.dumps({"sequence": 4, "hash": fourth["hash"]})
    log = _laid(tmp_path, five[0], head)
    with log.path.open("ab") as handle:
        handle.write(left)
    assert log.verify().faults == ()
    assert len(list(log.entries())) == 5
    assert log.append("queried", "release 6").sequence == 6
    verdict = log.verify()
    assert (verdict.faults, verdict.head.sequence) == ((), 6)


def _append_many(folder: Path, name: str) -> None:
    log = AuditLog(folder)
    for number in range(20):
        log.append("queried", f"{number}", {"query": "x" * 5000}, name)


def test_processes_that_write_at_once_keep_the_chain(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_append_many, args=(tmp_path, name)) for name in ("Ann", "Bo")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    log = AuditLog(tmp_path)
    assert log.verify().faults == ()
    entries = list(log.entries())
    assert [entry.sequence for entry in entries] == list(range(1, 41))
    for name in ("Ann", "Bo"):
        assert [int(entry.subject) for entry in entries if entry.who == name] == list(range(20))


def test_a_line_that_the_system_takes_in_parts_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr("warehouse.audit.os.write", lambda descriptor, data: write(descriptor, data[:10]))
    assert _log(tmp_path, 2).verify().faults == ()


def test_a_clock_that_goes_back_changes_no_order_and_breaks_no_chain(tmp_path: Path) -> None:
    times = iter([NOON, NOON - dt.timedelta(hours=1), NOON])
    log = AuditLog(tmp_path, lambda: next(times))
    for subject in "abc":
        log.append("published", subject)
    assert [(entry.sequence, entry.subject) for entry in log.entries()] == [(1, "a"), (2, "b"), (3, "c")]
    assert log.verify().faults == ()


def test_who_is_the_variable_or_the_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("C360_USER", "ann.lee")
    assert AuditLog(tmp_path).append("queried", "r").who == "ann.lee"
    monkeypatch.setenv("C360_USER", " ")
    monkeypatch.setenv("LOGNAME", "night")
    assert AuditLog(tmp_path).append("queried", "r").who == "night"


def test_the_files_are_their_owners_alone(tmp_path: Path) -> None:
    log = _log(tmp_path / "audit", 1)
    assert stat.S_IMODE(log.path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(p.stat().st_mode) for p in tmp_path.rglob("*.json*")} == {0o600}


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(AuditError, match=r"cannot be written .*nothing is done that cannot be recorded"):
        AuditLog(tmp_path / "file" / "audit").append("queried", "r")


def test_select_finds_by_time_action_and_person(tmp_path: Path) -> None:
    times = iter(NOON + dt.timedelta(hours=n) for n in range(4))
    log = AuditLog(tmp_path, lambda: next(times))
    for action, who in (("queried", "Ann"), ("decided", "Ann"), ("queried", "Bo"), ("queried", "Ann")):
        log.append(action, "r", who=who)
    one_later = NOON + dt.timedelta(hours=1)
    assert [e.sequence for e in select(log.entries(), one_later, "queried", None)] == [3, 4]
    assert [e.sequence for e in select(log.entries(), None, None, "Ann")] == [1, 2, 4]


@pytest.mark.parametrize("text", ["", "5", "5:abc", "x:" + "0" * 64, "5:" + "g" * 64])
def test_a_head_in_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="SEQUENCE:HASH"):
        Head.parse(text)


def test_reading_makes_nothing(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit")
    assert (log.head(), list(log.entries())) == (None, [])
    assert not list(tmp_path.iterdir())
