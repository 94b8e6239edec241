"""Hostile compressed files: cut off, damaged, mislabelled, swelling; refused, or landed whole."""

import gzip
import random
import zlib
from collections.abc import Callable

import pytest
import zstandard
from conftest import Desk
from hostile import SECRET, Case, distinct, judge

from sources.readers import limits

pytestmark = pytest.mark.hostile
FIELDS = {"id": {"primaryKey": True}, "note": {}}
# Text that does not pack well, so that a compressed file has many bytes to damage.
NOISE = random.Random(20260131)
TEXT = b"id,note\n" + b"".join(
    b"%d,%s%s\n" % (n, SECRET.encode(), NOISE.randbytes(20).hex().encode()) for n in range(100)
)
GZ = gzip.compress(TEXT, mtime=0)
ZST = zstandard.ZstdCompressor(write_checksum=True).compress(TEXT)
PACKED = {".gz": GZ, ".zst": ZST}
DAMAGED = "cannot be decompressed"
FIRST = {".gz": 10, ".zst": 20}
"""Bytes of headers, damage to which may not matter."""


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :]


def cut_off(ending: str) -> list[Case]:
    whole = PACKED[ending]
    places = sorted({*range(1, 20), *range(20, len(whole), len(whole) // 25), *range(len(whole) - 9, len(whole))})
    return [Case(f"cut off at {place}", whole[:place], DAMAGED) for place in places]


def damaged(ending: str) -> list[Case]:
    whole = PACKED[ending]
    places = range(FIRST[ending], len(whole), len(whole) // 36)
    return [Case(f"damaged at {place}", flipped(whole, place), DAMAGED) for place in places]


def mislabelled(ending: str) -> list[Case]:
    whole, other = PACKED[ending], PACKED[".zst" if ending == ".gz" else ".gz"]
    return [
        Case("plain text", TEXT, DAMAGED),
        Case("the other one", other, DAMAGED),
        Case("nothing", b"", "0 bytes"),
        Case("zlib", zlib.compress(TEXT), **({"landed": 100} if ending == ".gz" else {"refused": DAMAGED})),
        Case("a zip file", b"PK\x03\x04" + whole, DAMAGED),
        Case("text behind it", whole + b"1,x\n", DAMAGED),
        Case("zeros behind it", whole + b"\0" * 99, DAMAGED),
        Case("half of another behind it", whole + whole[: len(whole) // 2], DAMAGED),
        Case("zeros", b"\0" * 100, DAMAGED),
        Case("0xff", b"\xff" * 100, DAMAGED),
        Case("one byte", whole[:1], DAMAGED),
        Case("packed twice", pack(ending)(whole), "do not fit the encoding"),
        Case("nothing packed", pack(ending)(b""), "no rows"),
        Case("a line end packed", pack(ending)(b"\n"), "no rows"),
        Case("zeros packed", pack(ending)(b"\0" * (20 << 20)), "a line is longer than 16 MB"),
        Case("one line packed", pack(ending)(TEXT + b"x" * (20 << 20)), "a line is longer than 16 MB"),
        Case("broken text packed", pack(ending)(TEXT + b"200,\xed\xa0\x80\n"), landed=100, quarantined=1),
        Case("two in one", whole + pack(ending)(b"200,x\n"), landed=101),
    ]


def pack(ending: str) -> Callable[[bytes], bytes]:
    return (lambda text: gzip.compress(text, mtime=0)) if ending == ".gz" else zstandard.compress


CASES = [(ending, case) for ending in PACKED for cases in (cut_off, damaged, mislabelled) for case in cases(ending)]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("compressed"))


@pytest.mark.parametrize(("ending", "case"), CASES, ids=lambda value: getattr(value, "name", value))
def test_file(bench: Desk, ending: str, case: Case) -> None:
    name = f"CUST.csv{ending}"
    judge(bench, bench.contract(FIELDS, pattern=name, reject_limit=1), case, name)


@pytest.mark.parametrize("ending", PACKED)
def test_bomb(bench: Desk, ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FREE_EXPANSION", 1 << 20)
    bomb = pack(ending)(b"id,note\n" + b"1,x\n" * (1 << 20))
    name = f"CUST.csv{ending}"
    judge(bench, bench.contract(FIELDS, pattern=name), Case("bomb", bomb, "more than 250 times its size"), name)


def test_there_are_200() -> None:
    assert distinct([case.content for _, case in CASES]) >= 200
