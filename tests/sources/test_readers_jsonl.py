"""JSON lines: text of scalars, JSON of the rest, every digit of a number, unknown keys, broken lines."""

import json
from decimal import Decimal
from typing import Any

import pytest
from conftest import Desk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.delivery import DeliveryRefused
from sources.readers import text
from sources.readers.jsonl import keep_fractions

J: dict[str, Any] = {"format": "jsonl"}
FIELDS: dict[str, dict[str, Any]] = {
    "id": {"physicalName": "loanNo"},
    "amount": {"type": "number"},
    "person": {"type": "object"},
    "tags": {"type": "array"},
}


def test_scalars_are_text_and_the_rest_is_json(desk: Desk) -> None:
    lines = [
        '{"loanNo": "L1", "amount": 100, "person": {"name": "王", "age": 5}, "tags": ["a", {"b": null}]}',
        '{"tags": true, "person": "王小明", "amount": "12.50", "loanNo": null}',
        '{"loanNo": "a\\n\\u738b\\"", "amount": "", "person": null}',
    ]
    read = desk.read(FIELDS, "\n".join(lines), **J)
    assert read.values("id", "amount", "person", "tags") == [
        ("L1", "100", '{"name":"王","age":5}', '["a",{"b":null}]'),
        (None, "12.50", "王小明", "true"),
        ('a\n王"', "", None, None),
    ]
    assert read.values("_source_line") == [1, 2, 3]


def test_numbers_keep_every_digit(desk: Desk) -> None:
    numbers = ["1.10", "12345678901234567.89", "1e5", "-0.000000000000000000001", "123456789012345678901234567890"]
    read = desk.read(FIELDS, "\n".join(f'{{"amount": {n}, "id": "1.50 e5"}}' for n in numbers), **J)
    assert read.values("amount") == numbers
    nested = desk.read(FIELDS, '{"person": {"pay": [12345678901234567.89, 7]}}', **J)
    assert json.loads(nested.values("person")[0]) == {"pay": ["12345678901234567.89", 7]}


def test_unknown_keys_go_into_extra(desk: Desk) -> None:
    read = desk.read(FIELDS, '{"loanNo":"1","ccy":"CNY","o":{"x":null}}\n{"loanNo":"2"}\n', **J)
    assert read.values("_extra") == ['{"ccy":"CNY","o":{"x":null}}', None]
    assert read.reader.warnings == [
        "f: key 'ccy' is not in the contract; kept in _extra",
        "f: key 'o' is not in the contract; kept in _extra",
    ]
    with pytest.raises(DeliveryRefused, match=r"core.customer: f: key 'ccy' is not in the contract, which refuses"):
        desk.read(FIELDS, '{"loanNo":"1","ccy":"CNY"}', on_extra_field="refuse", **J)


def test_lines_that_are_no_objects(desk: Desk) -> None:
    lines = ['{"loanNo":"1"}', '{"loanNo":"2"', "[1]", "null", '"x"', "", '{"loanNo":"3"}', "garbage"]
    read = desk.read(FIELDS, "\n".join(lines) + "\n\x1a", **J)
    assert read.values("id", "_source_line") == [("1", 1), ("3", 7)]
    assert [(t.line, t.rule, t.reason, t.raw) for t in read.troubles] == [
        (n, "json", "not a JSON object", lines[n - 1].encode()) for n in (2, 3, 4, 5, 8)
    ]
    assert read.reader.blank_lines == 2


def test_broken_bytes(desk: Desk) -> None:
    content = b'{"loanNo":"1"}\n{"loanNo":"\xff\xfe"}\n{"loanNo":"3"}\n'
    read = desk.read(FIELDS, content, **J)
    assert [(t.line, t.field, t.rule, t.raw) for t in read.troubles] == [(2, "id", "encoding", None)]
    assert list(read.reader.raw([2])) == [b'{"loanNo":"\xff\xfe"}']


def test_marks_and_encodings(desk: Desk) -> None:
    content = '{"loanNo":"王","amount":1.0}\r\n'
    for encoding, written in (("utf-8", "utf-8-sig"), ("gb18030", "gb18030"), ("utf-16", "utf-16")):
        assert desk.read(FIELDS, content.encode(written), encoding=encoding, **J).values("id", "amount") == [
            ("王", "1.0")
        ]


def test_the_size_of_blocks_changes_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    content = "".join(f'{{"loanNo":"{n}","amount":{n}.50}}\n' + ("bad\n" if n % 7 == 0 else "") for n in range(200))
    expected = desk.read(FIELDS, content, **J)
    monkeypatch.setattr(text, "BLOCK_BYTES", 64)
    found = desk.read(FIELDS, content, **J)
    assert (found.rows, found.troubles) == (expected.rows, expected.troubles)
    assert len(found.troubles) == 29


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def spell(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(map(spell, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)}: {spell(v)}" for k, v in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def exact(value: Any) -> Any:
    """The value with fractions as text, as the readers keep them."""
    if isinstance(value, Decimal):
        return str(value) if any(mark in str(value) for mark in ".eE") else int(value)
    if isinstance(value, list):
        return [exact(inner) for inner in value]
    return {k: exact(v) for k, v in value.items()} if isinstance(value, dict) else value


@given(records=st.lists(st.dictionaries(st.text(max_size=4), values, max_size=4), min_size=1, max_size=5))
@settings(deadline=None, max_examples=300)
def test_only_fractions_change_and_they_become_text(records: list[dict[str, Any]]) -> None:
    lines = keep_fractions("\n".join(map(spell, records)).encode()).decode().split("\n")
    assert [json.loads(line) for line in lines] == [exact(record) for record in records]


@given(value=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
def test_text_comes_back_as_it_was(desk: Desk, value: str) -> None:
    assert desk.read(FIELDS, json.dumps({"loanNo": value}), **J).values("id") == [value]
