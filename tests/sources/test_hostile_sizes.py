"""Hostile sizes: lines without end, bombs, values that fill the memory; each in a process of its own whose memory is measured."""

import gzip
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from conftest import Desk
from hostile import SECRET

pytestmark = pytest.mark.hostile
# 400 MB for DuckDB, what readers need beside it, and Python with its libraries.
MOST_MEMORY_MB = 1_500
MB = 1 << 20
LONG = "a line is longer than 16 MB"
SWELLS = "more than 250 times its size"
NO_ROOM = "do not fit the memory"
LAND = r"""
import json, re, sys
from pathlib import Path
from conftest import Desk
from sources.delivery import DeliveryError
root, fields, delivery = Path(sys.argv[1]), *map(json.loads, sys.argv[2:])
desk = Desk.__new__(Desk)
desk.root, desk.exports, desk.lake = root, root / "exports", root / "lake"
from sources.landing import LandingSettings
desk.settings = LandingSettings(root / "spill")
try:
    result = desk.land(desk.contract(fields, **delivery))
    said = f"landed {result.rows_landed}, quarantined {result.rows_quarantined}"
except DeliveryError as error:
    said = str(error)
# Not ru_maxrss: that of a child begins with what its parent had.
memory = int(re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())[1])
print(json.dumps([said, memory // 1024]))
"""
FIELDS: dict[str, dict[str, Any]] = {"id": {"primaryKey": True, "width": 4}, "note": {"width": 8}}


def written(desk: Desk, name: str, pieces: Callable[[], Any]) -> None:
    with (desk.exports / "core" / name).open("wb") as file:
        for piece in pieces():
            file.write(piece)


def land(desk: Desk, name: str, form: str) -> str:
    """What a landing in a process of its own says; it stays within its memory and its time."""
    delivery = {"pattern": name, "format": form, "reject_limit": 1}
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", LAND, str(desk.root), json.dumps(FIELDS), json.dumps(delivery)],
        capture_output=True, text=True, timeout=300, check=False, cwd=here,
        env={"PYTHONPATH": f"{here}:{here.parent.parent}", "PATH": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2_000:]
    said, memory = json.loads(done.stdout)
    assert memory < MOST_MEMORY_MB, f"{memory} MB: {said[:200]}"
    assert SECRET not in said and len(said) < 3_000
    return str(said)


def long_line(head: bytes, tail: bytes = b"") -> Callable[[], Any]:
    return lambda: [head, *[b"x" * MB] * 100, tail, b"\n"]


@pytest.mark.parametrize(
    ("name", "form", "pieces"),
    [
        ("C.csv", "csv", long_line(f"id,note\n1,{SECRET}".encode())),
        pytest.param("C.quoted", "csv", long_line(f'id,note\n1,"{SECRET}'.encode(), b'"'), marks=pytest.mark.slow),
        pytest.param("C.header", "csv", long_line(b"id,note"), marks=pytest.mark.slow),
        ("C.jsonl", "jsonl", long_line(f'{{"id":"1","note":"{SECRET}'.encode(), b'"}')),
        pytest.param(
            "C.deep",
            "jsonl",
            lambda: [b'{"id":"1","note":', *[b"[" * MB] * 100, *[b"]" * MB] * 100, b"}\n"],
            marks=pytest.mark.slow,
        ),
        pytest.param("C.txt", "fixed", long_line(b"0001xxxxxxxx\n" * 9), marks=pytest.mark.slow),
        pytest.param(
            "C.csv.zst",
            "csv",
            lambda: [zstandard.compress(b"id,note\n1," + b"\0" * (200 * MB))],
            marks=pytest.mark.slow,
        ),
        ("C.csv.gz", "csv", lambda: [gzip.compress(b"id,note\n1," + b"\0" * (100 * MB))]),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_line_of_100_mb(desk: Desk, name: str, form: str, pieces: Callable[[], Any]) -> None:
    written(desk, name, pieces)
    assert f"{name} line" in (said := land(desk, name, form)) and LONG in said


@pytest.mark.slow
def test_a_bomb_in_a_workbook(desk: Desk) -> None:
    path = desk.exports / "core" / "C.xlsx"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part,
    ):
        part.write(b"<worksheet>")
        for _ in range(1_100):
            part.write(b" " * MB + b"<x/>")
    assert "unpacks to more than 1024 MB" in land(desk, "C.xlsx", "excel")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "form", "line", "said"),
    [
        ("C.csv", "csv", "{0},{1}\n", NO_ROOM),
        ("C.quarantine", "csv", "{0},{1},\n", NO_ROOM),
        ("C.jsonl", "jsonl", '{{"id":"{0}","note":"{1}"}}\n', NO_ROOM),
        ("C.broken", "jsonl", '{{"id":"{0}","note":"{1}\n', NO_ROOM),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("C.") else "",
)
def test_sixty_values_of_10_mb(desk: Desk, name: str, form: str, line: str, said: str) -> None:
    value = "x" * (10 * MB)
    first = b"id,note\n0,a\n" if form == "csv" else b'{"id":"0","note":"a"}\n'
    written(desk, name, lambda: [first, *(line.format(n, value).encode() for n in range(1, 61))])
    assert said in land(desk, name, form)


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_bomb_of_rows(desk: Desk, ending: str) -> None:
    """A gigabyte of rows from a few kilobytes."""
    text = b"id,note\n" + b"".join(b"%d,%s\n" % (n, b"x" * 60_000) for n in range(17_000))
    packed = gzip.compress(text, 9) if ending == ".gz" else zstandard.compress(text)
    (desk.exports / "core" / f"C.csv{ending}").write_bytes(packed)
    assert SWELLS in land(desk, f"C.csv{ending}", "csv")


@pytest.mark.slow
def test_a_terabyte_of_parquet(desk: Desk) -> None:
    rows = 1_000_000
    repeated = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["x" * MB]))
    table = pa.table({"id": [str(n) for n in range(rows)], "note": repeated})
    file = io.BytesIO()
    pq.write_table(table, file)
    (desk.exports / "core" / "C.parquet").write_bytes(file.getvalue())
    assert SWELLS in land(desk, "C.parquet", "parquet")
