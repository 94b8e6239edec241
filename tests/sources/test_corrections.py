"""Whether a row in quarantine may be released as somebody wants: what the command line's tests do not reach."""

from pathlib import Path

import pytest
from conftest import DATE, KEYED, Desk, make_contract

from sources.corrections import Correction, CorrectionError, check_correction

FIELDS = KEYED | {"day": {"type": "date", "not_future": True}}


def _wrong(desk: Desk, rule: str, record: dict[str, str | None] | None, file: Path | None = None, **values: str) -> str:
    with pytest.raises(CorrectionError) as error:
        check_correction(desk.object(FIELDS), DATE, rule, record, Correction(values, file), None)
    return str(error.value)


def test_everything_that_is_wrong_is_told_at_once(desk: Desk) -> None:
    record: dict[str, str | None] = {"id": "1", "name": "a", "balance": "x", "day": "2026-01-30"}
    said = _wrong(desk, "logicalType", record, id=" ", day="2026-02-01")
    assert said == "id: the primary key is empty; balance: not a number; day: after the business date"


def test_a_row_without_a_key_of_its_own_is_never_let_pass(desk: Desk) -> None:
    assert "--set id=..." in _wrong(desk, "primaryKey", {"id": "1"})


def test_broken_bytes_of_text_need_the_whole_row_anew(desk: Desk) -> None:
    assert "--file" in _wrong(desk, "encoding", {"id": "1", "name": "\ufffd"}, name="a")
    row = desk.root / "row.csv"
    row.write_bytes(b"id,name,balance,day\n1,\xff,2,\n")
    assert "row.csv line 2: name: bytes that are not utf-8" in _wrong(desk, "encoding", {"id": "1"}, row)
    row.write_bytes("id,name,balance,day\n1,é,2,\n".encode())
    changes = check_correction(desk.object(FIELDS), DATE, "encoding", {"id": "1"}, Correction({}, row), None)
    assert changes == {"id": "1", "name": "é", "balance": "2", "day": "", "_extra": None}


def test_broken_bytes_of_a_database_need_their_field_alone() -> None:
    server = {"server": "db", "type": "custom", "customProperties": [{"property": "url", "value": "sqlite:///x.db"}]}
    delivery = {"mode": "full", "format": "sql", "table": "t"}
    source = make_contract({"customer": (delivery, FIELDS)}, server=server).objects[0]
    record: dict[str, str | None] = {"id": "1", "name": "\ufffd", "balance": "2"}
    for values in ({}, {"balance": "3"}):
        with pytest.raises(CorrectionError, match="name: its bytes are no text"):
            check_correction(source, DATE, "encoding", record, Correction(values), None)
    assert check_correction(source, DATE, "encoding", record, Correction({"name": "a"}), None) == {"name": "a"}


def test_a_trailer_and_lines_to_skip_are_of_the_delivery_not_of_the_row(desk: Desk) -> None:
    source = desk.object(FIELDS, skip_lines=3, trailer_lines=1)
    row = desk.root / "row.csv"
    row.write_text("id,name,balance,day\n1,a,2,\n", encoding="utf-8")
    changes = check_correction(source, DATE, "columns", None, Correction({"name": "b"}, row), None)
    assert (changes or {})["name"] == "b"
