"""Hostile Parquet: damaged, lying, swelling files and strange types; refused, in quarantine, or harmless text."""

import datetime as dt
import io
import json
import math
import struct
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import Desk
from hostile import BROKEN_UTF8, CONTROLS, NAMES, SECRET, TEXTS, Case, distinct, judge

from sources.readers import limits

pytestmark = pytest.mark.hostile
FIELDS = {"id": {"primaryKey": True}, "note": {}}
NOT_WHOLE = "not a whole Parquet file; deliver it again"
ROWS = 400


def written(table: pa.Table, **options: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, write_page_checksum=True, **options)
    return file.getvalue()


def column(*values: Any, kind: pa.DataType | None = None) -> pa.Table:
    notes = values[0] if len(values) == 1 and isinstance(values[0], pa.Array) else pa.array(values, kind)
    return pa.table({"id": [str(number) for number in range(len(notes))], "note": notes})


def text_of(*raw: bytes) -> pa.Array:
    """A column of text with these bytes, whether they are UTF-8 or not."""
    offsets = [0]
    for each in raw:
        offsets.append(offsets[-1] + len(each))
    return pa.StringArray.from_buffers(
        len(raw), pa.py_buffer(struct.pack(f"<{len(offsets)}i", *offsets)), pa.py_buffer(b"".join(raw))
    )


def nested(depth: int) -> pa.Array:
    array = pa.array([1])
    for _ in range(depth):
        array = pa.StructArray.from_arrays([array], ["a"])
    return array


GOOD = written(pa.table({"id": [str(n) for n in range(ROWS)], "note": [f"{SECRET}{n * 7919}" for n in range(ROWS)]}))
FOOTER = struct.unpack("<I", GOOD[-8:-4])[0]
BODY = len(GOOD) - FOOTER - 8


def with_footer(length: int) -> bytes:
    return GOOD[:-8] + struct.pack("<i", length) + b"PAR1"


def flipped(place: int) -> bytes:
    return GOOD[:place] + bytes([GOOD[place] ^ 0x55]) + GOOD[place + 1 :]


FILES = [
    *(Case(f"cut off at {place}", GOOD[:place], NOT_WHOLE) for place in range(1, len(GOOD), len(GOOD) // 30)),
    *(Case(f"without its first {place}", GOOD[place:], NOT_WHOLE) for place in range(200, len(GOOD) - FOOTER, BODY // 8)),
    # Past the first page's header, which no checksum covers.
    *(Case(f"damaged at {place}", flipped(place), NOT_WHOLE) for place in range(100, BODY // 2 - 100, BODY // 40)),
    *(Case(f"footer of {length}", with_footer(length), NOT_WHOLE) for length in (0, 1, -1, 2**31 - 1, FOOTER - 1, FOOTER + 1, len(GOOD))),
    Case("nothing", b"", "0 bytes"),
    Case("magic", b"PAR1", NOT_WHOLE),
    Case("magic twice", b"PAR1PAR1", NOT_WHOLE),
    Case("encrypted", b"PARE" + GOOD[4:-4] + b"PARE", NOT_WHOLE),
    Case("zeros", b"\0" * 5_000, NOT_WHOLE),
    Case("csv", b"id,note\n1," + SECRET.encode(), NOT_WHOLE),
    Case("zeros between", GOOD[:BODY] + b"\0" * 5_000 + GOOD[BODY:], landed=ROWS),
    Case("no columns", written(pa.table({})), "none of the 2 columns"),
    Case("no rows", written(column(kind=pa.string())), "no rows"),
    Case("other columns", written(pa.table({"x": [SECRET]})), "none of the 2 columns"),
    Case("a column missing", written(pa.table({"id": [SECRET]})), "'note' is missing"),
    Case("a column twice", written(pa.table([["1"], [SECRET], ["b"]], names=["id", "note", "note"])), "appears 2 times"),
    Case("10,001 columns", written(pa.table({f"c{n}": pa.array([1]) for n in range(10_001)})), "10001 columns"),
    Case("a very long name", written(column("a").append_column("x" * 1_001, pa.array(["b"]))), "longer than 1000 characters"),
    Case("nested too deep", written(column(nested(500))), NOT_WHOLE),
    Case("nested text not UTF-8", written(column(pa.ListArray.from_arrays(pa.array([0, 1], pa.int32()), text_of(b"\xff")))), "nested text that is not utf-8"),
    Case("nested half floats", written(column([1.0], kind=pa.list_(pa.float16()))), "which is not read; deliver it as text"),
    Case("nested wide decimals", written(column([Decimal(1)], kind=pa.list_(pa.decimal256(50, 0)))), "which is not read; deliver it as text"),
    Case("one key", written(pa.table({"id": ["1"] * 9, "note": [SECRET] * 9})), landed=1, quarantined=8),
    Case("no keys", written(pa.table({"id": pa.nulls(3, pa.string()), "note": [SECRET] * 3})), "3 of 3 rows cannot be used"),
    Case("broken text in keys", written(pa.table({"id": text_of(b"1", b"\xff", b"\xed\xa0\x80"), "note": ["a", "b", "c"]})), landed=1, quarantined=2),
]  # fmt: skip
FOOTERS = [
    Case(f"footer damaged at {place}", flipped(place)) for place in range(BODY, len(GOOD) - 8, max(FOOTER // 45, 1))
]
UTC = dt.UTC
VALUES: list[tuple[str, pa.Array, list[str | None]]] = [
    ("float64", pa.array([math.nan, math.inf, -math.inf, -0.0, 1e308, 5e-324]), ["nan", "inf", "-inf", "-0.0", "1e+308", "5e-324"]),
    ("float16", pa.array([1.5, -0.0, 65_504.0]).cast(pa.float16()), ["1.5", "-0.0", "65504.0"]),
    ("decimal128", pa.array([Decimal("9" * 38), Decimal(0)], pa.decimal128(38, 0)), ["9" * 38, "0"]),
    ("decimal256", pa.array([Decimal("9" * 60), Decimal(-1), None], pa.decimal256(76, 2)), ["9" * 60 + ".00", "-1.00", None]),
    ("int64", pa.array([-(2**63), 2**63 - 1]), [str(-(2**63)), str(2**63 - 1)]),
    ("uint64", pa.array([2**64 - 1], pa.uint64()), [str(2**64 - 1)]),
    ("date32", pa.array([-719_162, 2_932_896], pa.int32()).cast(pa.date32()), ["0001-01-01", "9999-12-31"]),
    ("date before year 1", pa.array([-719_163], pa.int32()).cast(pa.date32()), ["0001-12-31 (BC)"]),
    ("last date", pa.array([2**31 - 2], pa.int32()).cast(pa.date32()), ["5881580-07-10"]),
    ("timestamp", pa.array([dt.datetime(9999, 12, 31, tzinfo=UTC)], pa.timestamp("us", "UTC")), ["9999-12-31 00:00:00+00"]),
    ("unknown zone", pa.array([0], pa.timestamp("us", "Nowhere/City")), ["1970-01-01 00:00:00+00"]),
    ("time", pa.array([86_399_999_999], pa.time64("us")), ["23:59:59.999999"]),
    ("duration", pa.array([1], pa.duration("s")), ["00:00:01"]),
    ("nulls", pa.nulls(2), [None, None]),
    ("boolean", pa.array([True, False, None]), ["true", "false", None]),
    ("bytes", pa.array([b"\xff\0", b""]), ["ff00", ""]),
    ("fixed bytes", pa.array([b"abc"], pa.binary(3)), ["616263"]),
    ("dictionary", pa.array(["=1+1", "=1+1"]).dictionary_encode(), ["=1+1", "=1+1"]),
    ("large text", pa.array(["=1+1"], pa.large_string()), ["=1+1"]),
    ("text view", pa.array(["=1+1"], pa.string_view()), ["=1+1"]),
    ("list", pa.array([[1, None]]), ["[1,null]"]),
    ("map", pa.array([[("'; drop table x", 1)]], pa.map_(pa.string(), pa.int64())), ['{"\'; drop table x":1}']),
    ("struct", pa.array([{'a"b': "=1+1"}]), ['{"a\\"b":"=1+1"}']),
    ("deep struct", nested(50), ['{"a":' * 50 + "1" + "}" * 50]),
    ("1 MB", pa.array(["x" * (1 << 20)]), ["x" * (1 << 20)]),
]  # fmt: skip


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("parquet"))


def judged(desk: Desk, case: Case) -> list[dict[str, Any]]:
    return judge(desk, desk.contract(FIELDS, format="parquet", pattern="C.parquet", reject_limit=1), case, "C.parquet")


@pytest.mark.parametrize("case", FILES, ids=lambda case: case.name)
def test_file(bench: Desk, case: Case) -> None:
    judged(bench, case)


@pytest.mark.parametrize("case", FOOTERS, ids=lambda case: case.name)
def test_damaged_footer_is_refused_or_harmless(bench: Desk, case: Case) -> None:
    """No checksum covers the footer: names of columns or statistics may be wrong, but no row is lost."""
    path = bench.put("C.parquet", case.content)
    contract = bench.contract(FIELDS, format="parquet", pattern="C.parquet", reject_limit=1)
    try:
        result = bench.land(contract)
        assert result.rows_delivered == ROWS == len(bench.rows()) + len(bench.quarantine())
    except Exception as error:
        assert type(error).__name__ == "DeliveryRefused" and "C.parquet" in str(error) and SECRET not in str(error)
    finally:
        path.unlink()


@pytest.mark.parametrize(("name", "notes", "texts"), VALUES, ids=[name for name, _, _ in VALUES])
def test_values(bench: Desk, name: str, notes: pa.Array, texts: list[str | None]) -> None:
    rows = judged(bench, Case(name, written(column(notes)), landed=len(texts)))
    assert [row["note"] for row in rows] == texts


def test_texts(bench: Desk) -> None:
    texts = [*TEXTS, *CONTROLS, "\0", "a\0b", "a\rb\n", "", "\t"]
    rows = judged(bench, Case("texts", written(column(*texts)), landed=len(texts)))
    assert [row["note"] for row in rows] == texts


def test_broken_text(bench: Desk) -> None:
    content = written(column(text_of(b"good", *BROKEN_UTF8)))
    (row,) = judged(bench, Case("broken", content, landed=1, quarantined=len(BROKEN_UTF8)))
    assert row["note"] == "good"
    found = {(each["source_line"], each["field"], each["rule"]) for each in bench.quarantine()}
    assert found == {(line, "note", "encoding") for line in range(2, len(BROKEN_UTF8) + 2)}


def test_names_of_columns(bench: Desk) -> None:
    names = [*NAMES, "a\0b", "a\nb"]
    table = column("a")
    for number, name in enumerate(names):
        table = table.append_column(name, pa.array([f"v{number}"]))
    (row,) = judged(bench, Case("names", written(table), landed=1))
    assert json.loads(row["_extra"]) == {name: f"v{number}" for number, name in enumerate(names)}


def test_bombs(bench: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """One long text in every row is a few bytes of file; pages of zeros are hardly more."""
    monkeypatch.setattr(limits, "FREE_EXPANSION", 1 << 20)
    long = pa.DictionaryArray.from_arrays(pa.array([0] * 5_000, pa.int32()), pa.array([SECRET * 4_000]))
    judged(bench, Case("dictionary", written(column(long)), "more than 250 times its size"))
    zeros = written(column("\0" * (8 << 20)), compression="zstd", use_dictionary=False, write_statistics=False)
    judged(bench, Case("page", zeros, "more than 250 times its size"))
    monkeypatch.undo()
    judged(bench, Case("value", written(column("x" * ((16 << 20) + 1))), "a value is longer than 16 MB"))


def test_there_are_200() -> None:
    values = [written(column(notes)) for _, notes, _ in VALUES]
    assert (
        distinct([case.content for case in (*FILES, *FOOTERS)], values, BROKEN_UTF8, [text.encode() for text in TEXTS])
        >= 200
    )
