"""Hostile JSON lines: each bad line and file refused, in quarantine, or harmless text."""

import json
from collections.abc import Iterator

import pytest
from conftest import Desk
from hostile import BROKEN_UTF8, CONTROLS, NAMES, SECRET, TEXTS, Case, Line, distinct, judge, outcomes

pytestmark = pytest.mark.hostile
FIELDS = {"id": {"primaryKey": True}, "note": {}}
DEEP = 501
NO_JSON = (
    "[]", "null", "1", "true", '"x"', "{", "}", "{}}", "{]", "[{}", "{'id':'1'}", "{id:1}", '{"id":1 "note":2}', '{"id"}', '{"id":}',
    '{"id":1}{"id":2}', '{"id":1} x', "// x", "/* x */ {}", '{"id":1,"note":tru}', '{"id":1,"note":0x1F}', '{"id":1,"note":01}',
    '{"id":1,"note":+1}', '{"id":1,"note":.}', '{"id":1,"note":"a', '{"id":1,"note":"a\\"}', '{"id":1,"note":"\\x41"}',
    '{"id":1,"note":"\\u12"}', '{"id":1,"note":"\\ud800"}', '{"id":1,"note":"\\udc00\\ud800"}', '{"id":1,"note":"\\ud800x"}',
    '{"id":1,"note":"a\tb"}', '{"id":1,"note":"a\0b"}', '{"id":1,"note":undefined}', "id,note", "<xml/>", "=1+1", "{,}", '{"a",1}',
    "\ufeff{}", '{"id":1,"note":--1}', '{"id":1,,"note":1}', '{"id":1;"note":1}', "{" * 400, "[" * 400, "[1,2,3]", '["id","1"]',
)  # fmt: skip
TAKEN = (
    ('"\\u0000"', "\0"), ('"\\u202e"', "\u202e"), ('"\\ud83d\\ude00"', "😀"), ("-0", "0"), ("0", "0"), ("1e308", "1e308"),
    ("1e400", "1e400"), ("-1e999999999", "-1e999999999"), ("1e-400", "1e-400"), ("9" * 400, "9" * 400), ("1." + "0" * 400, "1." + "0" * 400),
    ("9" * 300_000 + ".5", "9" * 300_000 + ".5"), ("NaN", "NaN"), ("Infinity", "Infinity"), ("-Infinity", "-Infinity"),
    ("true", "true"), ("false", "false"), ("null", None), ('""', ""), ("[]", "[]"), ("{}", "{}"), ('{"a":{"b":[1,2]}}', '{"a":{"b":[1,2]}}'),
    ("0.1", "0.1"), ("-0.0", "-0.0"), ("1E+5", "1E+5"), ("[" * 499 + "]" * 499, "[" * 499 + "]" * 499), ('"[[[[{{{{"', "[[[[{{{{"),
    ('"' + "[" * 2_000 + '"', "[" * 2_000), ('{"__proto__":{"x":1}}', '{"__proto__":{"x":1}}'), ("18446744073709551616", "18446744073709551616"),
)  # fmt: skip


def line(note: str) -> bytes:
    return b'{"id":"%d","note":' + note.encode() + b"}"


def nested(opening: str, closing: str, depth: int) -> bytes:
    return line(opening * (depth - 1) + "1" + closing * (depth - 1))


LINES = [
    *(Line(line(json.dumps(text, ensure_ascii=False)), text) for text in TEXTS),
    *(Line(line(json.dumps(text)), text) for text in (*CONTROLS, *(text for text in TEXTS if not text.isascii()))),
    *(Line(line(note), text) for note, text in TAKEN),
    *(Line(line('"') [:-1] + raw + b'"}', rule="encoding") for raw in BROKEN_UTF8),
    *(Line(text.encode(), rule="json") for text in NO_JSON),
    *(Line(nested(*marks, depth), rule="json") for marks in (("[", "]"), ('{"a":', "}")) for depth in (DEEP, 5_000, 300_000)),
    Line(nested('[{"a":', "}]", 251), rule="json"),
    Line(b'{"id":"%d","note":"x","note":"y"}', rule="json"),
    Line(b'{"id":"%d","id":"2","note":"y"}', rule="json"),
    Line(b'{"id":"%d","note":"y","z":1,"z":2}', rule="json"),
    Line(b'{"id":"%d","note":"y","\\u007a":1,"z":2}', rule="json"),
    Line(b'{"id":"%d","note":"x","z":{"a":1,"a":2}}', "x"),
    Line(b'{"note":"x"}', rule="primaryKey"),
    Line(b'{"id":null,"note":"x"}', rule="primaryKey"),
    Line(b'{"id":"","note":"x"}', rule="primaryKey"),
    Line(b'{"ID":"7","Note":"x"}', rule="primaryKey"),
    Line(b"{}", rule="primaryKey"),
    Line(b'{"id":"%d","":1,"note":"x"}', "x"),
    Line(b'{"id":"%d","note":"x",}', "x"),
    Line(b' \t{"id":"%d","note":"x"} \r', "x"),
    Line(line('"' + "\\\\" * 400_000 + '\\""'), "\\" * 400_000 + '"'),
]  # fmt: skip


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("jsonl"))


def written(number: int) -> bytes:
    return LINES[number].raw.replace(b"%d", b"%d" % number)


@pytest.fixture(scope="module")
def found(bench: Desk) -> Iterator[list[tuple[str | None, str | None, bytes | None]]]:
    """What became of each line, in one landing; well-formed ones keep the file's encoding plain."""
    content = "".join(f'{{"id":"g{number}","note":"好"}}\n' for number in range(1, 601)).encode()
    content += b"".join(written(number) + b"\n" for number in range(len(LINES)))
    path = bench.put("rows.jsonl", content)
    became = outcomes(bench, bench.contract(FIELDS, format="jsonl", pattern="rows.jsonl", reject_limit=1))
    path.unlink()
    assert len(became) == len(LINES) + 600
    yield [became[place] for place in range(601, 601 + len(LINES))]


@pytest.mark.parametrize(
    "number", range(len(LINES)), ids=lambda n: LINES[n].raw[:60].decode("utf-8", "backslashreplace")
)
def test_line(found: list[tuple[str | None, str | None, bytes | None]], number: int) -> None:
    expected, (text, rule, raw) = LINES[number], found[number]
    assert (text, rule) == (expected.lands, expected.rule)
    assert raw is None or raw == written(number).removesuffix(b"\r")


GOOD = f'{{"id":"1","note":"{SECRET}"}}\n{{"id":"2","note":"b"}}\n'.encode()
FILES = [
    Case("nothing", b"", "0 bytes"),
    Case("a line end", b"\n", "no rows"),
    Case("a mark", b"\xef\xbb\xbf", "no rows"),
    Case("zeros", b"\0" * 500, "1 of 1 rows cannot be used"),
    Case("an array", b"[" + GOOD.replace(b"\n", b",")[:-1] + b"]", "1 of 1 rows cannot be used"),
    Case("printed over lines", json.dumps(json.loads(GOOD.split(b"\n")[0]), indent=1).encode(), "rows cannot be used"),
    Case("csv", b"id,note\n1," + SECRET.encode(), "rows cannot be used"),
    Case("utf-16", GOOD.decode().encode("utf-16"), "mark of utf-16-le"),
    Case("utf-32", GOOD.decode().encode("utf-32"), "mark of utf-32-le"),
    Case("gb18030", ('{"id":"1","note":"中文"}\n' * 50).encode("gb18030"), "gb18030"),
    Case("random", bytes(range(256)) * 20, "do not fit the encoding"),
    Case("keys without end", b"".join(b'{"id":"%d","k%d":1}\n' % (n, n) for n in range(10_002)), "more than 10000 different keys"),
    Case("no line end", GOOD.rstrip(b"\n"), landed=2),
    Case("returns", GOOD.replace(b"\n", b"\r"), landed=2),
    Case("cut off", GOOD[:-5], landed=1, quarantined=1),
    Case("a mark in the middle", GOOD.replace(b"\n", b"\n\xef\xbb\xbf", 1), landed=1, quarantined=1),
    Case("blank lines", GOOD + b"\n \n\r\n\0\n\x1a\n", landed=2),
]  # fmt: skip


@pytest.mark.parametrize("case", FILES, ids=lambda case: case.name)
def test_file(bench: Desk, case: Case) -> None:
    judge(bench, bench.contract(FIELDS, format="jsonl", pattern="CUST.jsonl", reject_limit=1), case, "CUST.jsonl")


def test_names_of_keys(bench: Desk) -> None:
    extra = {name: f"v{number}" for number, name in enumerate(NAMES)}
    content = json.dumps({"id": "1", "note": "a"} | extra).encode()
    (row,) = judge(
        bench, bench.contract(FIELDS, format="jsonl", pattern="C.jsonl"), Case("names", content, landed=1), "C.jsonl"
    )
    assert json.loads(row["_extra"]) == extra


def test_there_are_200() -> None:
    assert distinct([each.raw for each in LINES], [case.content for case in FILES]) >= 200
