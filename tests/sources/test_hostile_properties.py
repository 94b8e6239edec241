"""Whatever text or bytes arrive: every reader gives the text back as it was, and every record is in one place."""

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import Desk
from hypothesis import given, settings
from hypothesis import strategies as st
from test_hostile_database import contract, notes
from test_hostile_delimited import quoted
from test_hostile_excel import GOOD as WORKBOOK
from test_hostile_excel import workbook
from test_hostile_parquet import GOOD as PARQUET
from test_hostile_parquet import ROWS as PARQUET_ROWS

from sources.delivery import DeliveryRefused

pytestmark = pytest.mark.hostile
FIELDS: dict[str, dict[str, Any]] = {"id": {}, "note": {}}
WIDE: dict[str, dict[str, Any]] = {"id": {"width": 4}, "note": {"width": 80}, "end": {"width": 1}}
ANY = settings(max_examples=20, deadline=None, derandomize=True)
TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), min_size=1, max_size=8)
BYTES = st.lists(st.binary(max_size=30), min_size=1, max_size=8)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("properties"))


def read_notes(desk: Desk, form: str, content: bytes, fields: dict[str, dict[str, Any]] = FIELDS) -> list[str | None]:
    reading = desk.read(fields, content, name="f", format=form)
    assert reading.troubles == []
    return reading.values("note")


@ANY
@given(TEXTS)
def test_delimited_text(bench: Desk, texts: list[str]) -> None:
    content = b"id,note\n" + b"".join(b"%d,%s\n" % (n, quoted(text)) for n, text in enumerate(texts))
    assert read_notes(bench, "csv", content) == texts


@ANY
@given(TEXTS)
def test_fixed_text(bench: Desk, texts: list[str]) -> None:
    texts = [text.replace("\n", "") for text in texts]
    content = b"".join(b"%04d" % n + text.encode().ljust(80) + b"x\n" for n, text in enumerate(texts))
    assert read_notes(bench, "fixed", content, WIDE) == [text.strip(" \u3000\0") for text in texts]


@ANY
@given(TEXTS, st.booleans())
def test_json_text(bench: Desk, texts: list[str], is_ascii: bool) -> None:
    lines = (json.dumps({"id": str(n), "note": text}, ensure_ascii=is_ascii) for n, text in enumerate(texts))
    assert read_notes(bench, "jsonl", "\n".join(lines).encode()) == texts


@ANY
@given(TEXTS, st.booleans())
def test_parquet_text(bench: Desk, texts: list[str], is_dictionary: bool) -> None:
    file = io.BytesIO()
    pq.write_table(pa.table({"id": ["1"] * len(texts), "note": texts}), file, use_dictionary=is_dictionary)
    assert read_notes(bench, "parquet", file.getvalue()) == texts


@ANY
@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), min_size=1, max_size=20), min_size=1))
def test_workbook_text(bench: Desk, texts: list[str]) -> None:
    content = workbook(["id", "note"], *(["1", text] for text in texts))
    assert read_notes(bench, "excel", content) == texts


@ANY
@given(
    st.lists(
        st.one_of(st.text(st.characters(exclude_categories=["Cs"])), st.binary(), st.integers(-(2**63), 2**63 - 1))
    )
)
def test_database_values(bench: Desk, values: list[str | bytes | int]) -> None:
    bench.put("CUST.db", notes(*values))
    bench.land_system(contract())
    expected = [value.hex() if isinstance(value, bytes) else str(value) for value in values]
    assert [row["note"] for row in bench.rows()] == expected


@ANY
@given(BYTES)
def test_delimited_bytes(bench: Desk, lines: list[bytes]) -> None:
    content = b"id,note\n" + b"\n".join(line.replace(b'"', b"") for line in lines)
    accounted(bench, "csv", content, FIELDS, content.count(b"\n") - content.endswith(b"\n"))


@ANY
@given(BYTES)
def test_fixed_bytes(bench: Desk, lines: list[bytes]) -> None:
    content = b"0001" + b"x" * 81 + b"\n" + b"\n".join(lines)
    accounted(bench, "fixed", content, WIDE, content.count(b"\n") + (not content.endswith(b"\n")))


@ANY
@given(BYTES)
def test_json_bytes(bench: Desk, lines: list[bytes]) -> None:
    content = b'{"id":"1"}\n' + b"\n".join(lines)
    accounted(bench, "jsonl", content, FIELDS, content.count(b"\n") + (not content.endswith(b"\n")))


def accounted(desk: Desk, form: str, content: bytes, fields: dict[str, dict[str, Any]], records: int) -> None:
    """Assert that each record is a row, unreadable, or blank; or that the file is refused."""
    try:
        reading = desk.read(fields, content, name="f", format=form)
    except DeliveryRefused as error:
        assert "f: " in str(error) or "f line" in str(error)
        return
    unreadable = [trouble for trouble in reading.troubles if trouble.raw is not None]
    assert len(reading.rows) + len(unreadable) + reading.reader.blank_lines == records


@ANY
@given(st.integers(0, len(PARQUET) - 1), st.binary(min_size=1, max_size=8))
def test_parquet_overwritten(bench: Desk, place: int, patch: bytes) -> None:
    overwritten(bench, "parquet", PARQUET, place, patch, PARQUET_ROWS)


@ANY
@given(st.integers(0, len(WORKBOOK) - 1), st.binary(min_size=1, max_size=8))
def test_workbook_overwritten(bench: Desk, place: int, patch: bytes) -> None:
    overwritten(bench, "excel", WORKBOOK, place, patch, 2)


def overwritten(desk: Desk, form: str, content: bytes, place: int, patch: bytes, rows: int) -> None:
    try:
        reading = desk.read(FIELDS, content[:place] + patch + content[place + len(patch) :], name="f", format=form)
    except DeliveryRefused as error:
        assert "f: " in str(error)
        return
    assert len(reading.rows) == rows
