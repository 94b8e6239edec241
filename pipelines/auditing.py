"""What of a query is recorded, and whether the audit log holds against the heads that releases know.

The chain itself is ``warehouse.audit``'s; every other action is recorded where it is done, through ``Workspace.audit``.
"""

import hashlib
import hmac
import logging
from collections.abc import Mapping

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from pipelines.workspace import Workspace
from warehouse.audit import Head, Verdict

_HIDDEN = "?"
_PARSER_LOG = logging.getLogger("sqlglot")


def query_shape(query: str) -> str | None:
    """A query's text without values: each literal, and each name that is not plain ASCII, becomes ``?``; no comments.

    Returns:
        The text, or None where it cannot be read as DuckDB's SQL: then nothing of it is safe to keep.
    """

    def hide(node: exp.Expr) -> exp.Expr:
        # 2020-01-01 and 'text' are literals; a quoted name may be a file, or a person's name as a column's
        if isinstance(node, exp.Literal | exp.RawString):
            return exp.Placeholder()
        if isinstance(node, exp.Identifier) and not (node.name.isascii() and node.name.isidentifier()):
            return exp.to_identifier(_HIDDEN, quoted=True)
        return node

    _PARSER_LOG.disabled = True  # it would print the query where it warns
    try:
        statements = [one for one in sqlglot.parse(query, read="duckdb") if one is not None]
    except SqlglotError:
        return None
    finally:
        _PARSER_LOG.disabled = False
    # a command is kept by sqlglot as unread text
    if not statements or any(one.find(exp.Command) for one in statements):
        return None
    text = "; ".join(one.transform(hide).sql("duckdb", comments=False) for one in statements)
    # some rare form of a literal that is not among those above
    return None if "'" in text else text


def record_query(workspace: Workspace, query: str, rows: int | None, opened: str) -> None:
    """Record a query of ``c360 sql``: its shape, a keyed fingerprint of its text, and how many rows it gave.

    The fingerprint is an HMAC-SHA-256 under the home's key ``audit``: a plain hash of a known shape would tell the id
    or phone number that was asked for to anybody who tries them all.

    Args:
        workspace: bank and home.
        query: its text.
        rows: rows returned; None where it failed, and then its shape is not kept: it need not be SQL.
        opened: the release or share that was read.

    Raises:
        AuditError: the log cannot be written; the answer must not be shown.
    """
    key = workspace.secret_key("audit")
    fingerprint = hmac.new(key, query.encode("utf-8"), hashlib.sha256).hexdigest()
    shape = query_shape(query) if rows is not None else None
    workspace.audit.append("queried", opened, {"query": shape, "query_hmac": fingerprint, "rows": rows})


def verify(workspace: Workspace, noted: Mapping[str, Head]) -> Verdict:
    """Verify the log against its own head, the heads that kept releases know, and those that somebody noted."""
    return workspace.audit.verify({**_release_heads(workspace), **noted})


def _release_heads(workspace: Workspace) -> dict[str, Head]:
    heads = {}
    for release in workspace.releases.list():
        with workspace.releases.connect(release.id) as con:
            try:
                said = con.execute("select audit_head from meta.release").fetchall()[0][0]
            except duckdb.BinderException:  # published before there was a log
                continue
        if said:
            heads[f"release {release.id}"] = Head.parse(said)
    return heads
