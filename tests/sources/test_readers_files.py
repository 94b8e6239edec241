"""Parquet and Excel."""

import datetime as dt
import gzip
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import Desk

from sources.delivery import DeliveryRefused

TWO: dict[str, dict[str, Any]] = {"id": {}, "name": {}}


def parquet(desk: Desk, table: pa.Table) -> bytes:
    path = desk.root / "made.parquet"
    pq.write_table(table, path)
    return path.read_bytes()


def workbook(desk: Desk, rows: list[list[Any]], title: str = "Sheet1") -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)
    path: Path = desk.root / "made.xlsx"
    book.save(path)
    return path.read_bytes()


def test_parquet_values_as_text(desk: Desk) -> None:
    table = pa.table(
        {
            "id": pa.array([1, None], pa.int64()),
            "amount": pa.array([Decimal("12345678901234567.80"), None], pa.decimal128(38, 2)),
            "day": pa.array([dt.date(2026, 1, 31), None]),
            "at": pa.array([dt.datetime(2026, 1, 31, 12, 30, tzinfo=dt.UTC), None], pa.timestamp("us", "UTC")),
            "flag": pa.array([True, None]),
            "raw": pa.array([b"\x01\xff", None]),
            "nested": pa.array([{"a": [1, 2]}, None]),
            "more": pa.array(["x", None]),
        }
    )
    fields = {name: {} for name in ("id", "amount", "day", "at", "flag", "raw", "nested")}
    read = desk.read(fields, parquet(desk, table), format="parquet")
    assert read.values(*fields) == [
        ("1", "12345678901234567.80", "2026-01-31", "2026-01-31 12:30:00+00", "true", "01ff", '{"a":[1,2]}'),
        (None,) * 7,
    ]
    assert read.values("_extra", "_source_line") == [('{"more":"x"}', 1), ('{"more":null}', 2)]
    assert read.reader.warnings == ["f: column 'more' is not in the contract; kept in _extra"]


def test_parquet_that_does_not_fit(desk: Desk) -> None:
    with pytest.raises(DeliveryRefused, match=r"core.customer: f: column 'name' is missing"):
        desk.read(TWO, parquet(desk, pa.table({"id": ["1"]})), format="parquet")
    with pytest.raises(DeliveryRefused, match=r"core.customer: f: not a whole Parquet file"):
        desk.read(TWO, parquet(desk, pa.table({"id": ["1"], "name": ["a"]}))[:-20], format="parquet")


def test_optional_columns_of_cells_may_be_missing(desk: Desk) -> None:
    fields = {"id": {}, "name": {"optional": True}, "city": {"optional": True}}
    table = parquet(desk, pa.table({"city": ["Linz"], "id": ["1"]}))
    sheet = workbook(desk, [["city", "id"], ["Linz", 1]])
    for content, form in ((table, "parquet"), (sheet, "excel")):
        assert desk.read(fields, content, format=form).values("id", "name", "city") == [("1", None, "Linz")]


@pytest.mark.parametrize("name", ["f.parquet", "F.XLSX", "f.jsonl", "f.csv", "f.csv.gz", "f"])
def test_the_files_ending_tells_its_format(desk: Desk, name: str) -> None:
    rows = [["id", "name"], ["1", "a"]]
    content = {
        "f.parquet": lambda: parquet(desk, pa.table({"id": ["1"], "name": ["a"]})),
        "F.XLSX": lambda: workbook(desk, rows),
        "f.jsonl": lambda: '{"id": "1", "name": "a"}\n',
        "f.csv.gz": lambda: gzip.compress(b"id,name\n1,a\n"),
    }.get(name, lambda: "id,name\n1,a\n")()
    assert desk.read(TWO, content, name=name, format="auto").values("id", "name") == [("1", "a")]


def test_excel_cells_as_text(desk: Desk) -> None:
    rows = [
        ["Report", None],
        ["id", "amount", "day", "at", "note"],
        [7, 0.1 + 0.2, dt.datetime(2026, 1, 31), dt.datetime(2026, 1, 31, 8, 5), None],  # noqa: DTZ001 - a cell
        [None, None, None, None, None],
        ["007", 12345678.9, None, None, True],
        ["total", 2],
    ]
    fields: dict[str, dict[str, Any]] = {name: {} for name in ("id", "amount", "day", "at", "note")}
    options = {"format": "excel", "skip_lines": 1, "trailer_lines": 1}
    read = desk.read(fields, workbook(desk, rows), name="f.xlsx", **options)
    assert read.values("id", "amount", "day", "at", "note", "_source_line") == [
        ("7", "0.3", "2026-01-31", "2026-01-31T08:05:00", None, 3),
        ("007", "12345678.9", None, None, "true", 5),
    ]
    assert (read.reader.trailer, read.reader.blank_lines) == ("total 2", 1)


def test_excel_that_does_not_fit(desk: Desk) -> None:
    good = workbook(desk, [["id", "name", "x"], [1, "a", 2]], title="Data")
    assert desk.read(TWO, good, format="excel", sheet="Data").values("_extra") == ['{"x":"2"}']
    with pytest.raises(DeliveryRefused, match=r"there is no sheet 'List' \(sheets: Data\)"):
        desk.read(TWO, good, format="excel", sheet="List")
    with pytest.raises(DeliveryRefused, match="not an Excel workbook"):
        desk.read(TWO, good[:-50], format="excel")
    with pytest.raises(DeliveryRefused, match="column 'name' is missing"):
        desk.read(TWO, workbook(desk, [["id"], [1]]), format="excel")
    with pytest.raises(DeliveryRefused, match="the sheet is empty"):
        desk.read(TWO, workbook(desk, []), format="excel")
