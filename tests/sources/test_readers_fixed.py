"""Fixed width in bytes: padding, encodings, line ends or none, wrong lengths, half characters."""

from typing import Any

import pytest
from conftest import Desk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.delivery import DeliveryRefused
from sources.readers import text

FIELDS: dict[str, dict[str, Any]] = {"id": {"width": 4}, "name": {"width": 10}, "amount": {"width": 6}}
GB: dict[str, Any] = {"format": "fixed", "encoding": "gb18030"}


def record(*values: str, encoding: str = "gb18030", widths: tuple[int, ...] = (4, 10, 6)) -> bytes:
    encoded = [value.encode(encoding) for value in values]
    return b"".join(e + " ".encode(encoding) * (w - len(e)) for e, w in zip(encoded, widths, strict=True))


ROWS = [record("1", "王小明　", "000100"), record(" 22", "O'Hara", "-5"), record("333", "", "0")]
VALUES = [("1", "王小明", "000100"), ("22", "O'Hara", "-5"), ("333", "", "0")]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
@pytest.mark.parametrize("last", [True, False])
def test_widths_are_bytes_and_padding_goes(desk: Desk, end: bytes, last: bool) -> None:
    content = end.join(ROWS) + (end if last else b"")
    read = desk.read(FIELDS, content, **GB)
    assert read.values("id", "name", "amount") == VALUES
    assert read.values("_source_line") == [1, 2, 3]
    assert read.troubles == []
    assert list(read.reader.raw([1, 3])) == [ROWS[0], ROWS[2]]


def test_starts_may_leave_gaps(desk: Desk) -> None:
    fields = {"id": {"width": 2, "start": 3}, "name": {"width": 3, "start": 8}}
    assert desk.read(fields, b"..12...abc\n", format="fixed").values("id", "name") == [("12", "abc")]


def test_header_trailer_and_blank_lines(desk: Desk) -> None:
    content = b"HEADER\n" + ROWS[0] + b"\n\n" + ROWS[1] + b"\nT0000002\n\x1a"
    read = desk.read(FIELDS, content, skip_lines=1, trailer_lines=1, **GB)
    assert read.values("id", "_source_line") == [("1", 2), ("22", 4)]
    assert (read.reader.trailer, read.reader.blank_lines) == ("T0000002", 1)


def test_header_and_trailer_without_line_ends(desk: Desk) -> None:
    content = record("HEAD", "", "") + ROWS[0] + ROWS[1] + record("T002", "", "")
    read = desk.read(FIELDS, content, skip_lines=1, trailer_lines=1, **GB)
    assert read.values("id", "_source_line") == [("1", 2), ("22", 3)]
    assert read.reader.trailer == "T002"


def test_a_record_of_another_length(desk: Desk) -> None:
    content = b"\n".join([ROWS[0], ROWS[1][:-3], ROWS[2], ROWS[2] + b"x"]) + b"\n"
    read = desk.read(FIELDS, content, **GB)
    assert read.values("id", "_source_line") == [("1", 1), ("333", 3)]
    assert [(t.line, t.rule, t.reason, t.raw) for t in read.troubles] == [
        (2, "length", "a record of 17 bytes; the contract's widths add up to 20", ROWS[1][:-3]),
        (4, "length", "a record of 21 bytes; the contract's widths add up to 20", ROWS[2] + b"x"),
    ]


def test_a_last_record_that_is_cut_off(desk: Desk) -> None:
    read = desk.read(FIELDS, ROWS[0] + ROWS[1] + ROWS[2][:5], **GB)
    assert len(read.rows) == 2
    assert [(t.line, t.raw) for t in read.troubles] == [(3, ROWS[2][:5])]


@pytest.mark.parametrize("end", [b"\n", b""])
def test_half_a_character_is_the_trouble_of_its_record_and_field(desk: Desk, end: bytes) -> None:
    broken = b"44  " + "王小明小".encode("gb18030") + b"a\xcd" + b"000000"
    read = desk.read(FIELDS, end.join([ROWS[0], broken, ROWS[1]]), **GB)
    assert read.values("id") == ["1", "44", "22"]
    assert [(t.line, t.field, t.rule, t.raw) for t in read.troubles] == [(2, "name", "encoding", None)]
    assert list(read.reader.raw([2])) == [broken]


def test_wrong_encoding(desk: Desk) -> None:
    rows = b"\n".join(record("1", "王小明", "0", encoding="utf-8") for _ in range(3))
    with pytest.raises(DeliveryRefused, match="the contract gives the encoding gb18030, but the bytes are utf-8"):
        desk.read(FIELDS, rows, **GB)
    with pytest.raises(DeliveryRefused, match="fixed width is not possible in utf-16-le"):
        desk.read(FIELDS, rows, format="fixed", encoding="utf-16")


def test_mainframe_text(desk: Desk) -> None:
    rows = b"".join(record(str(n), "MUELLER", "42", encoding="cp037") for n in range(3))
    read = desk.read(FIELDS, rows, format="fixed", encoding="cp037")
    assert read.values("id", "name", "amount") == [(str(n), "MUELLER", "42") for n in range(3)]


def test_zero_bytes_are_padding(desk: Desk) -> None:
    rows = [b"1\0\0\0" + b"ab" + b"\0" * 8 + b"7" + b"\0" * 5] * 2
    assert desk.read(FIELDS, b"\n".join(rows), format="fixed").values("id", "name") == [("1", "ab")] * 2


@pytest.mark.parametrize("end", [b"\n", b""])
def test_the_size_of_blocks_changes_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch, end: bytes) -> None:
    content = end.join([record(str(n), "王" * (n % 6), str(n * 7)) for n in range(200)])
    expected = desk.read(FIELDS, content, **GB)
    assert len(expected.rows) == 200
    for module in (text, __import__("sources.readers.fixed", fromlist=["fixed"])):
        monkeypatch.setattr(module, "BLOCK_BYTES", 100)
    assert desk.read(FIELDS, content, **GB).rows == expected.rows


words = st.text(st.sampled_from("aZ0 王𠮷é㐂-"), max_size=5).filter(lambda w: len(w.encode("gb18030")) <= 10)


@given(names=st.lists(words, min_size=1, max_size=30), end=st.sampled_from([b"\n", b"\r\n", b""]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100)
def test_what_is_padded_is_what_is_read(desk: Desk, names: list[str], end: bytes) -> None:
    content = end.join(record(str(n), name, "0") for n, name in enumerate(names))
    read = desk.read(FIELDS, content, **GB)
    assert read.values("id", "name") == [(str(n), name.strip()) for n, name in enumerate(names)]
    assert read.troubles == []
