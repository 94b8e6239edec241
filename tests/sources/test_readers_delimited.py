"""Delimited text: encodings, quotes, delimiters, headers, compression, broken records, line numbers."""

import csv
import gzip
import io
from typing import Any

import numpy as np
import pytest
import zstandard
from conftest import Desk, Reading
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.delivery import DeliveryRefused
from sources.readers import text
from sources.readers.records import Dialect, cut_records, split_record

TWO: dict[str, dict[str, Any]] = {"id": {}, "name": {}}


def test_every_column_is_text_and_rows_know_their_lines(desk: Desk) -> None:
    read = desk.read(TWO, "id,name\n007,Ann\n1e5,\n")
    assert read.values("id", "name", "_source_line") == [("007", "Ann", 2), ("1e5", "", 3)]
    assert read.values("_extra") == [None, None]
    assert read.troubles == []


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("utf-8", "utf-8"),
        ("utf-8", "utf-8-sig"),
        ("gb18030", "gb18030"),
        ("gbk", "gbk"),
        ("big5", "big5"),
        ("utf-16", "utf-16"),
        ("utf-16", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
    ],
)
def test_chinese_encodings(desk: Desk, encoding: str, written: str) -> None:
    content = '客戶號,姓名\n1,王小明\n2,"李\n四"\n3,陳'
    fields = {"id": {"physicalName": "客戶號"}, "name": {"physicalName": "姓名"}}
    read = desk.read(fields, content.encode(written), encoding=encoding)
    assert read.values("id", "name", "_source_line") == [("1", "王小明", 2), ("2", "李\n四", 3), ("3", "陳", 5)]
    assert list(read.reader.raw([2, 3, 5])) == [
        part.encode(written.removesuffix("-sig") if written != "utf-16" else "utf-16-le")
        if written != "utf-32"
        else part.encode("utf-32-le")
        for part in ("1,王小明", '2,"李\n四"', "3,陳")
    ]


@pytest.mark.parametrize("encoding", ["cp1250", "latin-1", "cp1252", "koi8-r"])
def test_single_byte_encodings(desk: Desk, encoding: str) -> None:
    word = "naïve" if encoding in ("latin-1", "cp1252") else "příliš" if encoding == "cp1250" else "привет"
    read = desk.read(TWO, f"id;name\r\n1;{word}\r\n".encode(encoding), encoding=encoding, delimiter=";")
    assert read.values("name") == [word]


def test_gb18030_four_byte_characters_and_its_mark(desk: Desk) -> None:
    rare = "𠮷㐂"
    read = desk.read(TWO, b"\x84\x31\x95\x33" + f"id,name\n1,{rare}\n".encode("gb18030"), encoding="gb18030")
    assert read.values("name") == [rare]


def test_trail_bytes_that_look_like_the_delimiter_are_text(desk: Desk) -> None:
    # 0x7C, the bar, is the second byte of these characters in GBK.
    word = bytes([0x81, 0x7C, 0xE0, 0x7C]).decode("gbk")
    read = desk.read(TWO, f"id|name\n1|{word}\n".encode("gbk"), encoding="gbk", delimiter="|")
    assert read.values("name") == [word]


@pytest.mark.parametrize("delimiter", [";", "\t", "|", "\x01", "|@|", "||", "§"])
def test_any_delimiter(desk: Desk, delimiter: str) -> None:
    line = delimiter.join
    content = "\n".join([line(["id", "name"]), line(["1", f'"a{delimiter}b"']), line(["2", "c"])]) + "\n"
    read = desk.read(TWO, content, delimiter=delimiter)
    assert read.values("id", "name") == [("1", f"a{delimiter}b"), ("2", "c")]


def test_quotes_escapes_and_line_ends_within(desk: Desk) -> None:
    read = desk.read(TWO, 'id,name\n1,"say ""hi"""\n2,"a\r\nb,\n\nc"\n3,5" pipe\n4,x"y"\n')
    assert read.values("id", "name", "_source_line") == [
        ("1", 'say "hi"', 2),
        ("2", "a\r\nb,\n\nc", 3),
        ("3", '5" pipe', 7),
        ("4", 'x"y"', 8),
    ]
    read = desk.read(TWO, 'id,name\n1,"a\\"b\\\\"\n2,"c"\n', escape="\\")
    assert read.values("name") == ['a"b\\', "c"]
    read = desk.read(TWO, "id,name\n1,\"a\n2,'b'\n", quote=None)
    assert read.values("name") == ['"a', "'b'"]
    read = desk.read(TWO, "id,name\n1,'a,b'\n", quote="'")
    assert read.values("name") == ["a,b"]


def test_old_line_ends(desk: Desk) -> None:
    assert desk.read(TWO, "id,name\r1,a\r2,b\r").values("id", "_source_line") == [("1", 2), ("2", 3)]
    assert desk.read(TWO, "id,name\r\n1,a\r\n2,b").values("name") == ["a", "b"]


def test_a_lone_carriage_return_is_text(desk: Desk) -> None:
    read = desk.read(TWO, "id,name\n1,a\rb\n2,c\n3,d\re\rf,g\n")
    assert read.values("id", "name", "_source_line") == [("1", "a\rb", 2), ("2", "c", 3)]
    assert [(t.line, t.reason, t.raw) for t in read.troubles] == [
        (4, "the number of columns is 3, the header has 2", b"3,d\re\rf,g")
    ]


def test_blank_lines_are_passed_over_and_counted(desk: Desk) -> None:
    read = desk.read(TWO, "\n\nid,name\n\n1,a\n   \n2,b\n\n\x1a\n")
    assert read.values("id", "_source_line") == [("1", 5), ("2", 7)]
    assert read.reader.blank_lines == 6
    assert desk.read(TWO, "id\tname\n\t\n", delimiter="\t").values("id", "name") == [("", "")]


def test_no_header_skipped_lines_and_trailer(desk: Desk) -> None:
    read = desk.read(TWO, "EXPORT 1\n===\n1,a\n2,b\nT2\n\n", header=False, skip_lines=2, trailer_lines=1)
    assert read.values("id", "name", "_source_line") == [("1", "a", 3), ("2", "b", 4)]
    assert read.reader.trailer == "T2"


def test_columns_in_any_order_and_case(desk: Desk) -> None:
    read = desk.read({"id": {"physicalName": "CUST_NO"}, "name": {}}, "Name, cust_no\nAnn,1\n")
    assert read.values("id", "name") == [("1", "Ann")]


def test_extra_columns_are_kept_as_json_with_a_warning(desk: Desk) -> None:
    read = desk.read(TWO, 'id,x,name,y"z\n1,"a""b",n,\n2,2,n,é\n')
    assert read.values("_extra") == ['{"x":"a\\"b","y\\"z":""}', '{"x":"2","y\\"z":"é"}']
    assert read.reader.warnings[0] == "f: column 'x' is not in the contract; kept in _extra"


def test_a_delimiter_at_the_end_of_every_line_is_no_column(desk: Desk) -> None:
    read = desk.read(TWO, "id,name,\n1,a,\n2,b,\n")
    assert read.values("id", "_extra") == [("1", None), ("2", None)]
    assert desk.read(TWO, "1,a,\n2,b,\n", header=False).values("id", "name") == [("1", "a"), ("2", "b")]
    read = desk.read(TWO, "id,name,\n1,a,\n2,b,lost?\n")
    assert read.values("_extra") == ['{"column_3":""}', '{"column_3":"lost?"}']


def test_missing_column(desk: Desk) -> None:
    with pytest.raises(DeliveryRefused) as refused:
        desk.read({"id": {}, "name": {}, "mobile": {}, "city": {}}, "id,name\n1,a\n")
    assert refused.value.problems == (
        "core.customer: f: column 'mobile' is missing",
        "core.customer: f: column 'city' is missing",
    )


def test_an_optional_column_may_be_missing(desk: Desk) -> None:
    fields = {"id": {}, "name": {"optional": True}, "city": {}, "mobile": {"optional": True}}
    read = desk.read(fields, "city,id,mobile\nLinz,1,5\n")
    assert read.values("id", "name", "city", "mobile", "_extra") == [("1", None, "Linz", "5", None)]
    with pytest.raises(DeliveryRefused) as refused:
        desk.read(fields, "id,name\n1,a\n")
    assert refused.value.problems == ("core.customer: f: column 'city' is missing",)


@pytest.mark.parametrize("header", ["id,name,mobile_no", "mobile_no,name,id"])
def test_renamed_column(desk: Desk, header: str) -> None:
    with pytest.raises(DeliveryRefused, match="column 'mobile' is missing; 'mobile_no' is not in the contract: was"):
        desk.read({"id": {}, "name": {}, "mobile": {}}, f"{header}\n1,a,2\n")


def test_extra_column_refused(desk: Desk) -> None:
    with pytest.raises(DeliveryRefused, match="column 'iban' is not in the contract, which refuses unknown columns"):
        desk.read(TWO, "id,iban,name\n1,2,3\n", on_extra_field="refuse")


def test_repeated_column(desk: Desk) -> None:
    with pytest.raises(DeliveryRefused, match="column 'id' appears 2 times"):
        desk.read(TWO, "id,name,id\n1,2,3\n")


def test_a_file_without_its_header_does_not_show_its_first_row(desk: Desk) -> None:
    with pytest.raises(DeliveryRefused) as refused:
        desk.read(TWO, "1,Ann\n2,Bob\n")
    assert "none of the 2 columns of the contract is in the header (2 columns found)" in str(refused.value)
    assert "Ann" not in str(refused.value)


def test_wrong_encoding_utf8_for_gb18030(desk: Desk) -> None:
    with pytest.raises(DeliveryRefused, match="the contract gives the encoding gb18030, but the bytes are utf-8"):
        desk.read(TWO, "id,name\n1,王小明\n2,李四\n", encoding="gb18030")


def test_wrong_encoding_gb18030_for_utf8(desk: Desk) -> None:
    with pytest.raises(DeliveryRefused, match=r"do not fit the encoding utf-8 that the contract gives.*are gb18030"):
        desk.read(TWO, "id,name\n1,王小明\n2,李四\n".encode("gb18030"))


def test_wrong_encoding_utf16_and_marks(desk: Desk) -> None:
    with pytest.raises(DeliveryRefused, match="begins with the mark of utf-16-le"):
        desk.read(TWO, "id,name\n1,a\n".encode("utf-16"))
    with pytest.raises(DeliveryRefused, match="the contract gives the encoding utf-8, but the bytes are utf-16-be"):
        desk.read(TWO, "id,name\n1,a\n".encode("utf-16-be"))
    with pytest.raises(DeliveryRefused, match="begins with the mark of utf-8"):
        desk.read(TWO, "id,name\n1,a\n".encode("utf-8-sig"), encoding="gb18030")


def test_a_header_that_is_nonsense_in_the_contracts_encoding(desk: Desk) -> None:
    fields = {"id": {"physicalName": "编号"}, "name": {}}
    with pytest.raises(DeliveryRefused, match=r"f line 1: .*gives the encoding latin-1.*when read as gb18030"):
        desk.read(fields, "编号,name\n1,a\n".encode("gb18030"), encoding="latin-1")


def test_wrong_number_of_columns(desk: Desk) -> None:
    read = desk.read(TWO, 'id,name\n1,a\n2\n3,"b\nc",d\n4,e\n')
    assert read.values("id", "_source_line") == [("1", 2), ("4", 6)]
    assert [(t.line, t.rule, t.reason, t.raw) for t in read.troubles] == [
        (3, "columns", "the number of columns is 1, the header has 2", b"2"),
        (4, "columns", "the number of columns is 3, the header has 2", b'3,"b\nc",d'),
    ]


def test_broken_bytes_are_the_trouble_of_their_record_only(desk: Desk) -> None:
    lines = [f"{n},王{n}".encode("gb18030") for n in range(20)]
    lines[7] = "7,王".encode("gb18030") + b"\xff\xff"
    lines[11] = b"11,\xcd"
    read = desk.read(TWO, b"id,name\n" + b"\n".join(lines) + b"\n", encoding="gb18030")
    assert len(read.rows) == 20
    assert [(t.line, t.field, t.rule, t.raw) for t in read.troubles] == [
        (9, "name", "encoding", None),
        (13, "name", "encoding", None),
    ]
    assert list(read.reader.raw([9, 13])) == [lines[7], lines[11]]


def test_a_quote_that_never_closes(desk: Desk) -> None:
    with pytest.raises(DeliveryRefused, match=r"core.customer: f line 3: a quoted field opens here"):
        desk.read(TWO, 'id,name\n1,a\n2,"b\n3,c\n')


def test_a_quote_that_never_closes_is_found_before_the_file_is_in_memory(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "BLOCK_BYTES", 100)
    monkeypatch.setattr("sources.readers.delimited.LONGEST_RECORD", 1000)
    content = 'id,name\n1,"open\n' + "2,abcdefgh\n" * 10_000
    with pytest.raises(DeliveryRefused, match=r"line 2: a quoted field opens here"):
        desk.read(TWO, content)


def test_a_few_damaged_lines_are_no_other_encoding(desk: Desk) -> None:
    lines = [b"%d,plain" % n for n in range(100)]
    lines[3] = lines[50] = b"3,\xff\xfe"
    lines[70] = "70,é".encode()
    read = desk.read(TWO, b"id,name\n" + b"\n".join(lines))
    assert [t.line for t in read.troubles] == [5, 52]


def test_a_line_without_end_is_refused_before_it_is_in_memory(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "BLOCK_BYTES", 1 << 10)
    monkeypatch.setattr(text, "LONGEST_RECORD", 1 << 20)
    with pytest.raises(DeliveryRefused, match=r"core.customer: f line 2: a line is longer than 1 MB"):
        desk.read(TWO, b"id,name\n" + b"x" * (3 << 20))


@pytest.mark.parametrize(("ending", "pack"), [(".gz", gzip.compress), (".zst", zstandard.compress)])
def test_compressed(desk: Desk, ending: str, pack: Any) -> None:
    packed = pack(b"id,name\n" + b"1,a\n" * 1000) + pack(b"2,b\n")
    assert desk.read(TWO, packed, name=f"f.csv{ending}").values("id")[-1] == "2"
    with pytest.raises(DeliveryRefused, match=r"cannot be decompressed; is it whole\?"):
        desk.read(TWO, packed[:-9], name=f"f.csv{ending}")
    with pytest.raises(DeliveryRefused, match="cannot be decompressed"):
        desk.read(TWO, b"id,name\n1,a\n", name=f"f.csv{ending}")


@pytest.mark.parametrize("size", [7, 16, 33, 64, 1000])
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_the_size_of_blocks_changes_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, size: int, encoding: str
) -> None:
    content = "skip\nid,name\n" + "".join(f'{n},"王{n}\n,""x"""\n\n{n},五\n1,2,3\n' for n in range(30)) + "T\n\n"
    options: dict[str, Any] = {"encoding": encoding, "skip_lines": 1, "trailer_lines": 1}
    expected = desk.read(TWO, content.encode(encoding), **options)
    monkeypatch.setattr(text, "BLOCK_BYTES", size * 4)
    found = desk.read(TWO, content.encode(encoding), **options)
    assert (found.rows, found.troubles, found.reader.trailer) == (expected.rows, expected.troubles, "T")
    lines = [row["_source_line"] for row in expected.rows]
    assert list(found.reader.raw(lines)) == list(expected.reader.raw(lines))


def test_a_file_of_many_blocks(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "BLOCK_BYTES", 1 << 12)
    read = desk.read(TWO, "id,name\n" + "".join(f"{n},v{n}\n" for n in range(20_000)))
    assert read.values("id") == [str(n) for n in range(20_000)]
    assert read.values("_source_line") == list(range(2, 20_002))


records = st.lists(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=8), min_size=2, max_size=2),
    min_size=1,
    max_size=20,
)


@given(rows=records)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100)
def test_what_pythons_csv_writes_is_what_is_read(desk: Desk, rows: list[list[str]]) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([["id", "name"], *rows])
    read = desk.read(TWO, buffer.getvalue(), encoding="utf-8")
    assert [list(pair) for pair in read.values("id", "name")] == rows


def _split_whole(content: str, dialect: Dialect) -> list[str]:
    """Records of a text, found character by character."""
    found, start, place, quoted, field_start = [], 0, 0, False, True
    while place < len(content):
        char = content[place]
        if quoted:
            if char == '"' and content[place + 1 : place + 2] == '"':
                place += 1
            elif char == '"':
                quoted = False
        elif char == '"' and field_start:
            quoted = True
        elif char == "\n":
            found.append(content[start : place + 1])
            start = place + 1
        field_start = not quoted and char in ",\n\r"
        place += 1
    return found if quoted or start == len(content) else [*found, content[start:]]


@given(content=st.text(alphabet='",\nab', max_size=60))
@settings(max_examples=500, deadline=None)
def test_records_are_cut_where_a_careful_reader_cuts_them(content: str) -> None:
    dialect = Dialect(ord(","), ord('"'), None, ord("\n"))
    cut = cut_records(content.encode(), dialect, final=True)
    ends = np.append(cut.starts[1:], cut.end)
    found = [content[a:b] for a, b in zip(cut.starts.tolist(), ends.tolist(), strict=False)]
    assert found == _split_whole(content, dialect)


@given(content=st.text(alphabet='",\nab\r', max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
def test_the_fast_parser_and_the_exact_one_agree(desk: Desk, content: str) -> None:
    """Every record is a row or a trouble, and says what splitting it character by character says."""
    dialect = Dialect(ord(","), ord('"'), None, ord("\n"))
    try:
        read: Reading = desk.read(TWO, "id,name\n" + content)
    except DeliveryRefused as error:
        assert "never closed" in str(error)
        return
    whole = [r for r in _split_whole("id,name\n" + content, dialect)[1:] if r.strip("\r\n")]
    fields = [split_record(record, dialect) for record in whole]
    assert read.values("id", "name") == [tuple(f) for f in fields if len(f) == 2]
    assert len(read.troubles) == sum(len(f) != 2 for f in fields)
    assert all(t.raw is not None for t in read.troubles)
