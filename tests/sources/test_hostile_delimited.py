"""Hostile delimited text: each bad line and file refused, in quarantine, or harmless text."""

import json
from collections.abc import Iterator

import pytest
from conftest import Desk
from hostile import BROKEN_UTF8, CONTROLS, NAMES, SECRET, TEXTS, Case, Line, distinct, judge, outcomes

pytestmark = pytest.mark.hostile
FIELDS = {
    "id": {"primaryKey": True},
    "note": {},
    "amount": {"type": "number"},
    "day": {"type": "date", "on_invalid": "quarantine"},
}
TYPE = "logicalType"
HEADER = b"id,note,amount,day\n"


def quoted(text: str) -> bytes:
    return b'"' + text.replace('"', '""').encode() + b'"'


NO_NUMBERS = (
    "NaN", "nan", "Infinity", "-Infinity", "inf", "1e308", "-1e308", "1" + "0" * 308, "1e99999999", "0x1F", "--1", "+-1", "1e",
    "e5", ".", "1.2.3", "1e5e5", "=1+1", "1;2", "NULL", "true", "٣", "1 2x", "1,2,3", "12,50", "½", "Ⅻ", "一", "$1", "1%", "1e+",
    "0b1", "1f", "''", "-", "+", "1/2", "1e5.5", "(1)", "#REF!",
)  # fmt: skip
NUMBERS = (
    "-0",
    "0",
    "1e3",
    "1E-3",
    "1,000.50",
    "12-",
    "＋１２",
    ".5",
    "5.",
    "+1",
    "9" * 18,
    "-.5",
    "1e-9",
    "0e0",
    "00012",
)
NO_DATES = (
    "0000-00-00", "2026-02-31", "2026-02-30", "1900-02-29", "2026-13-01", "2026-00-10", "9999-99-99", "10000-01-01", "31 February",
    "-0001-01-01", "today", "now", "infinity", "-infinity", "epoch", "20260231", "2026/02/29", "99999999", "2026-01-32", "1e308",
    "NaN", "2026-1", "01/02", "1583-10-1x", "'2026-01-01'", "2026-01-01; drop table x", "0000-01-01", "二〇二六年",
)  # fmt: skip
DATES = (
    "0001-01-01",
    "9999-12-31",
    "2024-02-29",
    "20240229",
    "2026/01/31",
    "1582-10-10",
    "2026年1月31日",
    "２０２６-01-31",
)
LINES = [
    *(Line(quoted(text) + b",1,", text) for text in (*TEXTS, *CONTROLS, "a\tb", "a\0b", "\0", "", " ", 'a"b', "a,b")),
    *(Line(b"a" + raw + b",1,", rule="encoding") for raw in BROKEN_UTF8),
    *(Line(b"x," + quoted(text) + b",", rule=TYPE) for text in NO_NUMBERS),
    *(Line(b"x," + quoted(text) + b",", "x") for text in NUMBERS),
    *(Line(b"x,1," + quoted(text), rule=TYPE) for text in NO_DATES),
    *(Line(b"x,1," + quoted(text), "x") for text in DATES),
    *(Line(b"x" + b"," * count, rule="columns") for count in (0, 1, 3, 4, 9, 5_000)),
    Line(b"\xef\xbb\xbfa,1,", "\ufeffa"),
    Line(b'a"b,1,', 'a"b'),
    Line(b'"a"b,1,', "ab"),
    Line(b'"a""",1,', 'a"'),
    Line(b"a\rb,1,", "a\rb"),
    Line(b'"a\nb",1,', "a\nb"),
    Line(b'"a\r\nb",1,', "a\r\nb"),
    Line(b"a\r,1,", "a\r"),
    Line(b"a,1,\r", "a"),
    Line(b"x" * 1_000_000 + b",1,", "x" * 1_000_000),
]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("delimited"))


@pytest.fixture(scope="module")
def found(bench: Desk) -> Iterator[list[tuple[str | None, str | None, bytes | None]]]:
    """What became of each line, in one landing; well-formed lines in Chinese keep the file's encoding plain."""
    content, places = HEADER, []
    for number, line in enumerate(LINES):
        places.append(content.count(b"\n") + 1)
        content += b"%d," % number + line.raw + b"\n"
    content += "".join(f"g{number},好,1,\n" for number in range(600)).encode()
    path = bench.put("rows.csv", content)
    became = outcomes(bench, bench.contract(FIELDS, pattern="rows.csv", reject_limit=1))
    path.unlink()
    assert len(became) == len(LINES) + 600
    yield [became[place] for place in places]


@pytest.mark.parametrize(
    "number", range(len(LINES)), ids=lambda n: LINES[n].raw[:40].decode("utf-8", "backslashreplace")
)
def test_line(found: list[tuple[str | None, str | None, bytes | None]], number: int) -> None:
    line, (text, rule, raw) = LINES[number], found[number]
    assert (text, rule) == (line.lands, line.rule)
    assert raw is None or raw.rstrip(b"\r") == (b"%d," % number + line.raw).rstrip(b"\r")


GOOD = f"id,note,amount,day\n1,{SECRET},1,\n2,b,2,\n".encode()
S = SECRET.encode()
NOT_WHOLE_QUOTE = "is never closed"
FILES = [
    Case("open quote", GOOD + b'3,"' + S + b",1,\n4,b,1,\n", NOT_WHOLE_QUOTE),
    Case("open quote at the end", GOOD + b'3,x,1,"', NOT_WHOLE_QUOTE),
    Case("open quote in the header", b'id,"note,amount,day\n1,' + S + b",1,\n", NOT_WHOLE_QUOTE),
    Case("three quotes", GOOD + b'3,""",1,\n', NOT_WHOLE_QUOTE),
    Case("nothing", b"", "0 bytes"),
    Case("a line end", b"\n", "no rows"),
    Case("returns", b"\r\r\r", "no rows"),
    Case("byte order mark", b"\xef\xbb\xbf", "no rows"),
    Case("header alone", HEADER, "no rows"),
    Case("end-of-file mark", b"\x1a", "no rows"),
    Case("zeros", b"\0" * 5_000, "longer than 1000 characters"),
    Case("no header", b"1," + S + b",1,\n2,b,2,\n", "none of the 4 columns"),
    Case("random", bytes(range(256)) * 20, "do not fit the encoding"),
    Case("0xff", b"\xff" * 5_000, "longer than 1000 characters"),
    Case("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\3" + bytes(range(200)), "none of the 4 columns"),
    Case("utf-16", GOOD.decode().encode("utf-16"), "mark of utf-16-le"),
    Case("utf-16 without a mark", GOOD.decode().encode("utf-16-le"), "utf-16-le"),
    Case("utf-32", GOOD.decode().encode("utf-32"), "mark of utf-32-le"),
    Case("gb18030", ("id,note,amount,day\n" + "1,中文,1,\n" * 50).encode("gb18030"), "gb18030"),
    Case("another delimiter", GOOD.replace(b",", b";"), "none of the 4 columns"),
    Case("100,000 columns", HEADER.strip() + b",x" * 100_000 + b"\n1," + S, "100004 columns"),
    Case("a very long name", HEADER.strip() + b"," + b"x" * 1_001 + b"\n1," + S, "longer than 1000 characters"),
    Case("a 1 MB name", HEADER.strip() + b"," + b"x" * (1 << 20) + b"\n1," + S, "longer than 1000 characters"),
    Case("a column twice", b"id,note,note,amount,day\n1," + S + b",2,3,\n", "appears 2 times"),
    Case("a column missing", b"id,note,amount\n1," + S + b",2\n", "'day' is missing"),
    Case("every row bad", HEADER + b"1," + S + b"\n2\n", "2 of 2 rows cannot be used"),
    Case("one key", HEADER + b"," + S + b",1,\n", "1 of 1 rows cannot be used"),
    Case("no line end", GOOD.rstrip(b"\n"), landed=2),
    Case("returns only", GOOD.replace(b"\n", b"\r"), landed=2),
    Case("mixed line ends", GOOD.replace(b"\n", b"\r\n", 2) + b"3,c,1,\r\n4,d,1,\n5,e,1,\r", landed=5),
    Case("repeated keys", GOOD + b"1,a,1,\n1,b,1,\n 1 ,c,1,\n", landed=2, quarantined=3),
    Case("blank lines", GOOD + b"\n\r\n \n\t\n\x1a\n" * 9, landed=2),
    Case("zeros between lines", GOOD + b"\0\0\0\n3,c,1,\n", landed=3, quarantined=1),
    Case("the header again", GOOD + HEADER, landed=2, quarantined=1),
    Case("a delimiter behind each line", GOOD.replace(b"\n", b",\n"), landed=2),
    Case("wide letters in the header", GOOD.replace(b"id", "ｉｄ".encode(), 1), "'id' is missing"),
    Case("a mark before each line", GOOD.replace(b"\n", b"\n\xef\xbb\xbf"), landed=2, quarantined=1),
    Case("three marks", b"\xef\xbb\xbf" * 3 + GOOD, landed=2),
    Case("blanks around names", b" id ,\xe3\x80\x80note,amount\t,day \n1,a,1,\n", landed=1),
    Case("names in capitals", b"ID,NOTE,Amount,dAY\n1,a,1,\n", landed=1),
]  # fmt: skip


@pytest.mark.parametrize("case", FILES, ids=lambda case: case.name)
def test_file(bench: Desk, case: Case) -> None:
    judge(bench, bench.contract(FIELDS, pattern="CUST.csv", reject_limit=1), case, "CUST.csv")


def test_names_of_columns(bench: Desk) -> None:
    header = HEADER.strip() + b"," + b",".join(map(quoted, NAMES))
    content = header + b"\n1,a,1,," + b",".join(b"v%d" % n for n in range(len(NAMES))) + b"\n"
    contract = bench.contract(FIELDS, pattern="CUST.csv")
    (row,) = judge(bench, contract, Case("names", content, landed=1), "CUST.csv")
    assert json.loads(row["_extra"]) == {name: f"v{n}" for n, name in enumerate(NAMES)}


def test_there_are_200() -> None:
    assert distinct([line.raw for line in LINES], [case.content for case in FILES]) >= 200
