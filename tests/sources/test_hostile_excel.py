"""Hostile workbooks: bombs, entities, rows out of order, strange cells; refused, or harmless text."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from conftest import Desk
from hostile import CONTROLS, NAMES, SECRET, TEXTS, Case, distinct, judge

pytestmark = pytest.mark.hostile
FIELDS = {"id": {"primaryKey": True}, "note": {}}
NOT_WHOLE = "not an Excel workbook (xlsx), or not a whole one; deliver it again"
OUT_OF_ORDER = "out of order or beyond"
SHEET = "xl/worksheets/sheet1.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def workbook(*rows: list[Any], title: str = "S") -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)
    for cells in sheet.iter_rows():
        for each in cells:
            # A text that begins with = is a text here.
            each.data_type = "s" if isinstance(each.value, str) else each.data_type
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


GOOD = workbook(["id", "note"], ["1", SECRET], ["2", "b"])


def changed(part: str, change: Callable[[bytes], bytes], content: bytes = GOOD) -> bytes:
    """The workbook with one part rewritten (or added)."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in dict.fromkeys([*old.namelist(), part]):
            text = old.read(name) if name in old.namelist() else b""
            new.writestr(zipfile.ZipInfo(name), change(text) if name == part else text, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def sheet(body: str, head: str = "", tail: str = "") -> bytes:
    """The workbook with a sheet of a header and this XML."""
    names = '<row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c><c r="B1" t="inlineStr"><is><t>note</t></is></c></row>'
    text = f'{head}<worksheet xmlns="{MAIN}"><sheetData>{names}{body}</sheetData>{tail}</worksheet>'
    return changed(SHEET, lambda _: text.encode())


def cell(value: str, kind: str = "n", more: str = "") -> bytes:
    return sheet(f'<row r="2"><c r="A2"><v>1</v></c><c r="B2" t="{kind}"{more}>{value}</c></row>')


def v(value: str, kind: str = "n", more: str = "") -> bytes:
    return cell(f"<v>{value}</v>", kind, more)


def replaced(part: str, text: bytes) -> bytes:
    return changed(part, lambda _: text)


def many(tag: str, count: int) -> str:
    return f"<{tag}/>" * count


ENTITY = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">{}]>'
LAUGHS = ENTITY.format("".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)))
EXTERNAL = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
PARTS = ("[Content_Types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml", SHEET)
ROW = '<row r="{0}"><c r="A{0}"><v>{0}</v></c></row>'
REFUSED = [
    *(Case(f"cut off at {place}", GOOD[:place], NOT_WHOLE) for place in range(1, len(GOOD), len(GOOD) // 20)),
    *(Case(f"without its first {place}", GOOD[place:], NOT_WHOLE) for place in range(4_000, len(GOOD), len(GOOD) // 12)),
    *(Case(f"{part} empty", replaced(part, b""), "") for part in PARTS),
    *(Case(f"{part} junk", replaced(part, b"\xff\x00junk"), "") for part in PARTS),
    *(Case(f"{part} cut off", changed(part, lambda text: text[: len(text) // 2]), "") for part in PARTS),
    *(Case(f"{part} with a document type", changed(part, lambda text: ENTITY.format("").encode() + text[text.find(b"<", 2) if text.startswith(b"<?") else 0 :]), "document type") for part in PARTS),
    Case("nothing", b"", "0 bytes"),
    Case("csv", b"id,note\n1," + SECRET.encode(), NOT_WHOLE),
    Case("old Excel", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 5_000, NOT_WHOLE),
    Case("zip of nothing", b"PK\x05\x06" + b"\0" * 18, NOT_WHOLE),
    Case("laughs", sheet(ROW.format(2).replace("<v>2", "<v>&i;"), LAUGHS), "document type"),
    Case("external entity", sheet(ROW.format(2).replace("<v>2", "<v>&a;"), EXTERNAL), "document type"),
    Case("in EBCDIC", replaced(SHEET, ('<?xml version="1.0" encoding="cp037"?>' + EXTERNAL + "<x>&a;</x>").encode("cp037")), NOT_WHOLE),
    Case("in UTF-16", replaced(SHEET, (EXTERNAL + "<x>&a;</x>").encode("utf-16")), "document type"),
    Case("undefined entity", sheet(ROW.format(2).replace("<v>2", "<v>&a;")), NOT_WHOLE),
    Case("lone surrogate", sheet(ROW.format(2).replace("<v>2", "<v>&#xD800;")), NOT_WHOLE),
    Case("NUL", v("&#0;", "str"), NOT_WHOLE),
    Case("control character", v("&#1;", "str"), NOT_WHOLE),
    Case("row twice", sheet(ROW.format(2) * 2), OUT_OF_ORDER),
    Case("rows backwards", sheet(ROW.format(3) + ROW.format(2)), OUT_OF_ORDER),
    Case("row 0", sheet(ROW.format(0)), OUT_OF_ORDER),
    Case("row -1", sheet(ROW.format(-1)), OUT_OF_ORDER),
    Case("row 2.0", sheet(ROW.format("2.0")), OUT_OF_ORDER),
    Case("row x", sheet(ROW.format("x")), OUT_OF_ORDER),
    Case("row 1048577", sheet(ROW.format(1_048_577)), OUT_OF_ORDER),
    Case("row 2147483648", sheet(ROW.format(2**31)), OUT_OF_ORDER),
    Case("row without end", sheet(ROW.format("9" * 5_000)), OUT_OF_ORDER),
    Case("a hidden row behind", sheet(ROW.format(5) + ROW.format(4).replace("<row", '<row hidden="1"')), OUT_OF_ORDER),
    Case("cell twice", sheet('<row r="2"><c r="A2"><v>1</v></c><c r="A2"><v>2</v></c></row>'), OUT_OF_ORDER),
    Case("cells backwards", sheet('<row r="2"><c r="B2"><v>1</v></c><c r="A2"><v>2</v></c></row>'), OUT_OF_ORDER),
    Case("cell XFE", sheet('<row r="2"><c r="XFE2"><v>1</v></c></row>'), OUT_OF_ORDER),
    Case("cell ZZZZ", sheet('<row r="2"><c r="ZZZZ2"><v>1</v></c></row>'), OUT_OF_ORDER),
    Case("cell without letters", sheet('<row r="2"><c r="2"><v>1</v></c></row>'), OUT_OF_ORDER),
    Case("cell without number", sheet('<row r="2"><c r="A"><v>1</v></c></row>'), OUT_OF_ORDER),
    Case("cell ../A2", sheet('<row r="2"><c r="../A2"><v>1</v></c></row>'), OUT_OF_ORDER),
    *(Case(f"number {text[:20]}", v(text), NOT_WHOLE) for text in ("NaN", "Infinity", "abc", "0x1F", "1,5", "1 2", "--1", "9" * 5_000, "=1+1", "1e", "'1'")),
    *(Case(f"text number {text}", v(text, "s"), NOT_WHOLE) for text in ("0", "99", "x", "1e3", "2147483648")),
    *(Case(f"boolean {text}", v(text, "b"), NOT_WHOLE) for text in ("x", "true", "1.5")),
    *(Case(f"date {text}", v(text, "d"), NOT_WHOLE) for text in ("2026-02-31", "0000-01-01", "x", "10000-01-01", "2026-13-01")),
    *(Case(f"style {text}", v("1", "n", f' s="{text}"'), NOT_WHOLE) for text in ("x", "1.5")),
    Case("formula without a value", cell("<f>1+1</f>"), "formula without its value"),
    Case("formula with an empty value", cell("<f>'[1]x'!A1</f><v></v>"), "formula without its value"),
    Case("a cell of 1 MB", v("x" * ((1 << 20) + 1), "str"), "a text longer than 1 MB"),
    Case("a cell of many runs", cell("<is>" + f"<r><t>{'x' * 30_000}</t></r>" * 40 + "</is>", "inlineStr"), "a text longer than 1 MB"),
    Case("a tag of 2 MB", v("1", "n", f' x="{"y" * (2 << 20)}"'), "a tag longer than 1 MB"),
    Case("a comment of 2 MB", cell(f"<!--{'y' * (2 << 20)}--><v>1</v>"), "a tag longer than 1 MB"),
    Case("elements without end in a row", sheet(f'<row r="2">{many("x", 330_000)}</row>'), "elements in a row"),
    Case("elements without end behind", sheet(ROW.format(2), tail=many("mergeCell", 330_000)), "elements in a row"),
    Case("elements within one another", sheet(f'<row r="2">{"<x>" * 330_000}'), "elements in a row"),
    Case("styles of 17 MB", changed("xl/styles.xml", lambda text: text.replace(b"</styleSheet>", (b"<!--" + b"y" * 10_000 + b"-->") * 1_700 + b"</styleSheet>")), "unpacks to more than 16 MB"),
    Case("styles without end", changed("xl/styles.xml", lambda text: text.replace(b"</styleSheet>", b"<xf/>" * 330_000 + b"</styleSheet>")), "elements in a row"),
    Case("a picture of 65 MB", changed("xl/media/image1.png", lambda _: b"\x89PNG" + b"\0" * (65 << 20)), "unpacks to more than 64 MB"),
    Case("no sheet", changed("xl/workbook.xml", lambda text: text[: text.find(b"<sheets>")] + b"<sheets/>" + text[text.find(b"</sheets>") + 9 :]), "there is no sheet in it"),
    Case("sheet outside", changed("xl/_rels/workbook.xml.rels", lambda text: text.replace(b"/xl/worksheets/sheet1.xml", b"../../../../etc/passwd")), "there is no sheet in it"),
    Case("sheet at an absolute path", changed("xl/_rels/workbook.xml.rels", lambda text: text.replace(b"/xl/worksheets/sheet1.xml", b"file:///etc/passwd")), "there is no sheet in it"),
    Case("an empty sheet", workbook(), "the sheet is empty"),
    Case("other columns", workbook(["x", "y"], [SECRET, 1]), "none of the 2 columns"),
    Case("header alone", workbook(["id", "note"]), "no rows"),
    Case("a column twice", workbook(["id", "note", "note"], ["1", SECRET, "b"]), "appears 2 times"),
    Case("no keys", workbook(["id", "note"], [None, SECRET], ["", "b"]), "2 of 2 rows cannot be used"),
    Case("10,001 columns", workbook([f"c{n}" for n in range(10_001)], [SECRET]), "10001 columns"),
    Case("a very long name", workbook(["id", "note", "x" * 1_001], ["1", SECRET]), "longer than 1000 characters"),
]  # fmt: skip
LANDED: list[tuple[str, bytes, str | None]] = [
    ("infinite", v("1e999"), "Infinity"),
    ("1e308", v("1e308"), "1" + "0" * 308),
    ("1e-7", v("1e-7"), "0.0000001"),
    ("-0", v("-0"), "0"),
    ("-0.0", v("-0.0"), "-0"),
    ("0.1 + 0.2", v("0.30000000000000004"), "0.3"),
    ("error", v("#REF!", "e"), "#REF!"),
    ("text of a formula", cell("<f>1+1</f><v>=cmd|x</v>", "str"), "=cmd|x"),
    ("value of a formula", cell("<f>HYPERLINK(\"http://x\")</f><v>2</v>"), "2"),
    ("shared formula", cell('<f t="shared" si="0"/><v>3</v>'), "3"),
    ("array formula", cell('<f t="array" ref="B2:B9">x</f><v>4</v>'), "4"),
    ("formula that is empty", cell("<f>x</f><v></v>", "str"), None),
    ("unknown type", v("x", "zz"), "x"),
    ("true", v("1", "b"), "true"),
    ("false", v("0", "b"), "false"),
    ("date as text", v("0001-01-01", "d"), "0001-01-01"),
    ("last date as text", v("9999-12-31", "d"), "9999-12-31"),
    ("escape", v("_x0000_", "str"), "_x0000_"),
    ("surrogate escape", v("_xD800_", "str"), "_xD800_"),
    ("full-width digit", v("１"), "1"),
    ("empty cell", cell(""), None),
    ("inline without text", cell("<is/>", "inlineStr"), ""),
    ("runs", cell("<is><r><t>a</t></r><r><t>b</t></r></is>", "inlineStr"), "ab"),
    ("without references", sheet("<row><c><v>1</v></c><c><v>2</v></c></row>"), "2"),
    ("merged cells", changed(SHEET, lambda text: text.replace(b"</sheetData>", b'</sheetData><mergeCells><mergeCell ref="A2:B9"/></mergeCells>'), workbook(["id", "note"], ["1", "x"])), "x"),
    ("wrong size", changed(SHEET, lambda text: text.replace(b'<dimension ref="A1:B2"', b'<dimension ref="A1:A1"'), workbook(["id", "note"], ["1", "x"])), "x"),
    ("macros", changed("xl/vbaProject.bin", lambda _: b"\xd0\xcf\x11\xe0Sub AutoOpen()", workbook(["id", "note"], ["1", "x"])), "x"),
    ("a part called ../../x", changed("../../x", lambda _: b"x", workbook(["id", "note"], ["1", "x"])), "x"),
    ("a part at /etc/passwd", changed("/etc/passwd", lambda _: b"x", workbook(["id", "note"], ["1", "x"])), "x"),
    ("rows far apart", sheet(ROW.format(90_000).replace("</row>", '<c r="B90000"><v>7</v></c></row>')), "7"),
    ("very many empty rows", sheet('<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>8</v></c></row>' + "<row/>" * 50_000), "8"),
]  # fmt: skip


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("excel"))


def judged(desk: Desk, case: Case, **options: Any) -> list[dict[str, Any]]:
    contract = desk.contract(FIELDS, format="excel", pattern="CUST.xlsx", reject_limit=1, **options)
    return judge(desk, contract, case, "CUST.xlsx")


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_refused(bench: Desk, case: Case) -> None:
    judged(bench, Case(case.name, case.content, case.refused or "CUST.xlsx: "))


@pytest.mark.parametrize(("name", "content", "text"), LANDED, ids=[name for name, _, _ in LANDED])
def test_landed(bench: Desk, name: str, content: bytes, text: str | None) -> None:
    (row,) = judged(bench, Case(name, content, landed=1))
    assert row["note"] == text


def test_texts(bench: Desk) -> None:
    texts = [text for text in TEXTS if text not in ("\ufffe", "\uffff")]
    rows = judged(
        bench,
        Case("texts", workbook(["id", "note"], *([str(n), text] for n, text in enumerate(texts))), landed=len(texts)),
    )
    assert [row["note"] for row in rows] == texts


def test_names_of_columns(bench: Desk) -> None:
    names = [*NAMES]
    content = workbook(["id", "note", *names], ["1", "a", *(f"v{n}" for n in range(len(names)))])
    (row,) = judged(bench, Case("names", content, landed=1))
    assert json.loads(row["_extra"]) == {name: f"v{n}" for n, name in enumerate(names)}


def test_cells_beside_the_table_are_kept(bench: Desk) -> None:
    content = workbook(["id", "note"], ["1", "a", None, "beside"], ["2", "b"])
    rows = judged(bench, Case("beside", content, landed=2))
    assert [json.loads(row["_extra"]) for row in rows] == [{"column_4": "beside"}, {"column_4": None}]


@pytest.mark.parametrize("title", ["'; drop--", "..", "=cmd", "a b", "中文", "x" * 31])
def test_names_of_sheets(bench: Desk, title: str) -> None:
    content = workbook(["id", "note"], ["1", SECRET], title=title)
    judged(bench, Case(title, content, landed=1), sheet=title)
    judged(bench, Case(title, content, f"there is no sheet 'x' (sheets: {title})"), sheet="x")


def test_one_text_in_every_cell(bench: Desk) -> None:
    """A text that stands in the workbook once may be in every cell: 100 MB from a few kilobytes."""
    strings = f'<sst xmlns="{MAIN}"><si><t>{"x" * 1_000_000}</t></si></sst>'
    content = sheet("".join(f'<row><c><v>{n}</v></c><c t="s"><v>0</v></c></row>' for n in range(100)))
    content = changed("xl/sharedStrings.xml", lambda _: strings.encode(), content)
    kind = b'<Override ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml" PartName="/xl/sharedStrings.xml"/></Types>'
    content = changed("[Content_Types].xml", lambda text: text.replace(b"</Types>", kind), content)
    judged(bench, Case("one text", content, "more than 250 times its size"))


def test_there_are_200() -> None:
    texts = [text.encode() for text in (*TEXTS, *CONTROLS)]
    assert distinct([case.content for case in REFUSED], [content for _, content, _ in LANDED], texts) >= 200
