"""Great Expectations over DuckDB: the only module that imports it, and only when a suite is run.

What has to be known of Great Expectations 1.24 over DuckDB stays in this module; ``tests/quality/test_gx.py`` fails
when an upgrade changes it:

* It returns a connection to SQLAlchemy's pool before it reads a query's rows. The pool rolls back, and DuckDB's
  rows are gone ("list index out of range"). In a transaction, moreover, the first error ends all that follows. So
  its connections have no transactions: ``begin``, ``commit`` and ``rollback`` do nothing.
* An expectation that raises is reported as failed, with ``exception_info``: here that is a broken check, never bad
  data. Its message may quote values and is passed on only where it cannot.
* Braces and colons of a query are taken as placeholders and must be escaped.
* Every asset and batch definition that is added writes the whole configuration as YAML into a store in memory, which
  nobody reads and which takes the longer the more suites there were: a third of the gate. It is not written.
* Results would carry offending values; they are told to hold none, and only counts are taken from them.
"""

import logging
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb

from quality.suites import Check, Suite

# counts, but no values: neither lists of them nor rows
_RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0, "include_unexpected_rows": False}
_SEVERITY = {"block": "critical", "warn": "warning"}

# errors that speak of names and syntax, never of values
_HARMLESS = frozenset({"CatalogException", "BinderException", "ParserException"})
_DUCKDB_ERROR = re.compile(r"_duckdb\.(\w+)\) ([^\n]*)")
_MISSING_COLUMN = re.compile(r'The column "[^"]*" in BatchData does not exist')
_BIND = re.compile(r"(?<![:\w\\]):(?=\w)")


@dataclass(frozen=True)
class Outcome:
    """What became of one check: ``observed`` is in words and holds counts and names, never values."""

    passed: bool
    broken: bool
    unexpected_count: int | None
    observed: str


def validate(con: duckdb.DuckDBPyConnection, suites: Iterable[Suite]) -> list[tuple[Suite, list[Outcome]]]:
    """Run suites over the tables and views that a connection sees.

    Args:
        con: the connection; each suite's table and every relation that its queries name must be in it.
        suites: what to check.

    Returns:
        Each suite with the outcomes of its checks, in their order.
    """
    with _quiet(), _datasource(con) as source:
        return [(suite, _run(source, suite)) for suite in suites]


def _run(source: Any, suite: Suite) -> list[Outcome]:
    import great_expectations as gx
    import great_expectations.expectations as expectations

    schema, _, name = suite.table.partition(".")
    # a query asset: for a table asset every batch costs three slow queries of the catalogue, and views in a schema fail
    asset = source.add_query_asset(suite.name, query=f'select * from "{schema}"."{name}"')
    listed = [
        getattr(expectations, check.expectation)(
            **_arguments(check), severity=_SEVERITY[check.severity], meta={"check": number}
        )
        for number, check in enumerate(suite.checks)
    ]
    batch = asset.add_batch_definition_whole_table("all").get_batch()
    found = batch.validate(gx.ExpectationSuite(name=suite.name, expectations=listed), result_format=_RESULT_FORMAT)
    outcomes = {result.expectation_config.meta["check"]: _outcome(result) for result in found.results}
    return [outcomes[number] for number in range(len(suite.checks))]


def _arguments(check: Check) -> dict[str, Any]:
    arguments = dict(check.arguments)
    if check.query is not None:
        arguments["unexpected_rows_query"] = _escaped(check.query)
    return arguments


def _escaped(query: str) -> str:
    """Protect braces from ``str.format`` and colons from SQLAlchemy's bind parameters; ``{batch}`` stays."""
    pieces = (piece.replace("{", "{{").replace("}", "}}") for piece in query.split("{batch}"))
    return _BIND.sub(r"\\:", "{batch}".join(pieces))


def _outcome(result: Any) -> Outcome:
    problem = _exception(result.exception_info)
    if problem is not None:
        return Outcome(False, True, None, f"could not be carried out: {problem}")
    details = result.result
    passed = bool(result.success)
    if "unexpected_count" in details:
        count = int(details["unexpected_count"] or 0)
        return Outcome(passed, False, count, f"{count} of {int(details['element_count'] or 0)} rows")
    observed = details["observed_value"]
    if isinstance(observed, list):
        return Outcome(passed, False, None, _columns(observed, details.get("details", {}).get("mismatched", {})))
    count = int(observed)
    if result.expectation_config.type == "expect_table_row_count_to_be_between":
        return Outcome(passed, False, None, f"{count} rows")
    return Outcome(passed, False, count, f"{count} offending rows")


def _columns(observed: Sequence[str], mismatched: Mapping[str, Sequence[str]]) -> str:
    wrong = [f"{kind} {', '.join(names)}" for kind, names in sorted(mismatched.items()) if names]
    return "; ".join(wrong) or f"{len(observed)} columns"


def _exception(info: Mapping[str, Any]) -> str | None:
    """What went wrong, without values; None if nothing did. ``info`` is one exception or a mapping of them."""
    each = [info] if "raised_exception" in info else list(info.values())
    messages = [str(one["exception_message"]) for one in each if one["raised_exception"]]
    if not messages:
        return None
    if error := _DUCKDB_ERROR.search(messages[0]):
        return f"{error[1]}: {error[2]}" if error[1] in _HARMLESS else error[1]
    if column := _MISSING_COLUMN.search(messages[0]):
        return column[0]
    return "error inside Great Expectations"


@contextmanager
def _datasource(con: duckdb.DuckDBPyConnection) -> Iterator[Any]:
    """A data source whose connections are cursors of ours: same catalogue, same attached files, nothing on disk."""
    # the documented switch of its telemetry, set before the library is loaded
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx

    cursors: list[duckdb.DuckDBPyConnection] = []

    def connect() -> Any:
        cursors.append(con.cursor())
        return _without_transactions(cursors[-1])

    context: Any = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    context._save_project_config = lambda: None
    try:
        yield context.data_sources.add_sql(
            "night", connection_string="duckdb:///:memory:", create_temp_table=False, kwargs={"creator": connect}
        )
    finally:
        # an open cursor would keep the release's file open, and nobody could write to it
        for cursor in cursors:
            cursor.close()


def _without_transactions(cursor: duckdb.DuckDBPyConnection) -> Any:
    """A connection as SQLAlchemy wants it, that commits every statement by itself (see the module's charter)."""
    from duckdb_engine import ConnectionWrapper

    class Autocommit(ConnectionWrapper):
        def begin(self) -> None:
            """Do nothing."""

        def commit(self) -> None:
            """Do nothing."""

        def rollback(self) -> None:
            """Do nothing."""

    return Autocommit(cursor)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's log, which may quote values, and its warnings off the terminal."""
    logger = logging.getLogger("great_expectations")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
