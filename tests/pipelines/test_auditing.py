"""What is kept of a query: its shape, no value of it."""

import json
from pathlib import Path

import pytest

from pipelines.auditing import query_shape, record_query
from pipelines.workspace import Workspace


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        (
            "select full_name from customer.customer where document_number = '110105194912310021' limit 5",
            "SELECT full_name FROM customer.customer WHERE document_number = ? LIMIT ?",
        ),
        ("select 1 as 张三 -- 李四\n", 'SELECT ? AS "?"'),
        ("from '/home/ann/张三.csv'", 'SELECT * FROM "?"'),
        ("select date '2026-01-31', $$o'clock$$, -3.5e2", "SELECT CAST(? AS DATE), ?, -?"),
        ("select x from t; select 'a'", "SELECT x FROM t; SELECT ?"),
    ],
)
def test_values_names_of_files_and_comments_are_left_out(query: str, kept: str) -> None:
    assert query_shape(query) == kept


@pytest.mark.parametrize("query", ["selekt '张三' fro", "call f('张三')) x", "", "pragma table_info('张三')"])
def test_what_is_not_read_as_sql_keeps_no_shape(query: str) -> None:
    shape = query_shape(query)
    assert shape is None or "张三" not in shape


def test_a_query_is_recorded_with_a_keyed_fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("C360_USER", "ann")
    workspace = Workspace.open("sample", tmp_path)
    record_query(workspace, "select 'x'", 7, "2026-10-29.1")
    record_query(workspace, "select 'x'", 8, "2026-10-29.1")
    record_query(workspace, "select 张三", None, "2026-10-29.1")
    one, two, failed = workspace.audit.entries()
    assert (one.who, one.action, one.subject) == ("ann", "queried", "2026-10-29.1")
    assert (one.details["query"], one.details["rows"]) == ("SELECT ?", 7)
    assert one.details["query_hmac"] == two.details["query_hmac"] != failed.details["query_hmac"]
    assert (failed.details["query"], failed.details["rows"]) == (None, None)
    other = Workspace.open("sample", tmp_path / "other")
    record_query(other, "select 'x'", 7, "2026-10-29.1")
    [elsewhere] = other.audit.entries()
    assert elsewhere.details["query_hmac"] != one.details["query_hmac"], "another home, another key"
    assert "张三" not in json.dumps([vars(e) for e in workspace.audit.entries()], ensure_ascii=False)
