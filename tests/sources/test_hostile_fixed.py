"""Hostile fixed-width text: each bad record and file refused, in quarantine, or harmless text."""

from collections.abc import Iterator

import pytest
from conftest import Desk
from hostile import BROKEN_UTF8, CONTROLS, SECRET, TEXTS, Case, Line, distinct, judge, outcomes

pytestmark = pytest.mark.hostile
FIELDS = {"id": {"primaryKey": True, "width": 4}, "note": {"width": 60}}
WIDTH = 64


def record(content: bytes) -> bytes:
    return content.ljust(60)


LINES = [
    *(Line(record(text.encode()), text) for text in (*TEXTS, *CONTROLS, "a\tb", "a\0b", "a\rb", '"', '"a,b')),
    *(Line(record(b"a" + raw), rule="encoding") for raw in BROKEN_UTF8),
    *(Line(raw.rjust(60), rule="encoding") for raw in BROKEN_UTF8[:20]),
    *(Line(b"x" * length, rule="length") for length in (0, 1, 3, 56, 59, 61, 64, 67, 120, 124, 4_096, 1_000_000)),
    Line(record(b""), ""),
    Line(b"\0" * 60, ""),
    Line("\u3000".encode() * 20, ""),
    Line(b"\xef\xbb\xbf" + b"x" * 57, "\ufeff" + "x" * 57),
    Line(b"x" * 57 + "中".encode(), "x" * 57 + "中"),
    Line(b"x" * 58 + "中".encode()[:2], rule="encoding"),
    Line(b"x" * 59 + "中".encode(), rule="length"),
    Line(b"x" * 59 + "é".encode()[:1], rule="encoding"),
    Line(b"x" * 60 + b"\0", rule="length"),
    Line(b"x" * 59 + b"\x1a", "x" * 59 + "\x1a"),
]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("fixed"))


@pytest.fixture(scope="module")
def found(bench: Desk) -> Iterator[list[tuple[str | None, str | None, bytes | None]]]:
    """What became of each record, in one landing; well-formed ones keep the file's encoding plain."""
    content = b"".join(b"%04d" % number + line.raw + b"\n" for number, line in enumerate(LINES))
    content += b"".join(b"g%03d" % number + "好".encode().ljust(60) + b"\n" for number in range(600))
    path = bench.put("rows.txt", content)
    became = outcomes(bench, bench.contract(FIELDS, format="fixed", pattern="rows.txt", reject_limit=1))
    path.unlink()
    assert len(became) == len(LINES) + 600
    yield [became[place] for place in range(1, len(LINES) + 1)]


@pytest.mark.parametrize(
    "number", range(len(LINES)), ids=lambda n: LINES[n].raw[:30].decode("utf-8", "backslashreplace")
)
def test_record(found: list[tuple[str | None, str | None, bytes | None]], number: int) -> None:
    line, (text, rule, raw) = LINES[number], found[number]
    assert (text, rule) == (line.lands, line.rule)
    assert raw is None or raw == b"%04d" % number + line.raw


S = SECRET.encode()
GOOD = b"0001" + record(S) + b"\n" + b"0002" + record(b"b") + b"\n"
FILES = [
    Case("nothing", b"", "0 bytes"),
    Case("a line end", b"\n", "no rows"),
    Case("returns", b"\r\r", "no rows"),
    Case("end-of-file mark", b"\x1a", "no rows"),
    Case("a mark", b"\xef\xbb\xbf", "no rows"),
    Case("zeros", b"\0" * 640, "rows cannot be used"),
    Case("0xff", b"\xff" * 640, "rows cannot be used"),
    Case("one byte", b"x", "1 of 1 rows cannot be used"),
    Case("half a record", b"0001" + S, "1 of 1 rows cannot be used"),
    Case("csv", b"id,note\n1," + S + b"\n2,b\n", "rows cannot be used"),
    Case("utf-16", GOOD.decode().encode("utf-16"), "mark of utf-16-le"),
    Case("utf-16 without a mark", GOOD.decode().encode("utf-16-le"), "utf-16-le"),
    Case("gb18030", "".join(f"{n:04}".encode().decode() + "中文客户" * 6 + "\n" for n in range(50)).encode("gb18030"), "gb18030"),
    Case("one key", GOOD[:WIDTH + 1].replace(b"0001", b"    "), "1 of 1 rows cannot be used"),
    Case("no line end", GOOD.rstrip(b"\n"), landed=2),
    Case("no line ends", GOOD.replace(b"\n", b""), landed=2),
    Case("no line ends, cut off", GOOD.replace(b"\n", b"") + b"0003xx", landed=2, quarantined=1),
    Case("returns alone", GOOD.replace(b"\n", b"\r"), landed=2),
    Case("mixed line ends", GOOD.replace(b"\n", b"\r\n", 1) + b"0003" + record(b"c") + b"\r\n", landed=3),
    Case("blank lines", GOOD + b"\n\r\n   \n\0\0\n\x1a", landed=2),
    Case("a mark before a line", GOOD + b"\xef\xbb\xbf0003" + record(b"c") + b"\n", landed=2, quarantined=1),
    Case("repeated keys", GOOD * 3, landed=2, quarantined=4),
]  # fmt: skip


@pytest.mark.parametrize("case", FILES, ids=lambda case: case.name)
def test_file(bench: Desk, case: Case) -> None:
    judge(bench, bench.contract(FIELDS, format="fixed", pattern="CUST.txt", reject_limit=1), case, "CUST.txt")


def test_there_are_200() -> None:
    assert distinct([line.raw for line in LINES], [case.content for case in FILES]) >= 200
