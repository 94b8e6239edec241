"""The gate: runs every suite over the night's tables before a release may be seen.

Landing and staging tables are read from the lake's Parquet files, published tables and schema meta from the
candidate's own file, read-only: what is judged is what would be published. A check that could not be carried out
counts as failed.
"""

import logging
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from quality import gx
from quality.drift import PREVIOUS
from quality.suites import Severity, Suite, literal, merge

log = logging.getLogger(__name__)

_RELEASE = "release"


@dataclass(frozen=True)
class CheckResult:
    """What became of one check of one table; ``observed`` and ``message`` never hold values of the data."""

    table: str
    check_name: str
    severity: Severity
    passed: bool
    broken: bool
    unexpected_count: int | None
    observed: str
    message: str

    @property
    def suite(self) -> str:
        """Name of the suite that the check belongs to."""
        return self.table.replace(".", "__")

    @property
    def status(self) -> str:
        """One word: ok, warning, blocked or broken."""
        if self.passed:
            return "ok"
        if self.broken:
            return "broken"
        return "blocked" if self.severity == "block" else "warning"

    @property
    def line(self) -> str:
        """The result on one line."""
        return f"{self.status} {self.table} {self.check_name}: {self.observed}; demanded: {self.message}"


@contextmanager
def open_gate(
    release_db: Path,
    lake_views: Mapping[str, Path | Sequence[Path]],
    *,
    previous: Path | None = None,
    memory_limit: str = "8GB",
    threads: int = 2,
    spill: Path | None = None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in memory that sees a candidate and the lake under the names ``schema.table``.

    Args:
        release_db: the candidate's DuckDB file; nobody may have it open for writing.
        lake_views: Parquet file or files of each table that is not in the release, by ``schema.table``
            (``quality.suites.relations`` tells which the suites read).
        previous: database of the release to compare with, attached as ``previous``; one that cannot be read is
            warned of and left out.
        memory_limit: DuckDB's, before it spills.
        threads: DuckDB's.
        spill: folder to spill to.
    """
    config: dict[str, Any] = {
        "memory_limit": memory_limit,
        "threads": threads,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    if spill is not None:
        spill.mkdir(parents=True, exist_ok=True)
        # its own: DuckDB names temporary files the same in every process
        config["temp_directory"] = str(spill / f"{os.getpid()}-{secrets.token_hex(4)}")
    with duckdb.connect(config=config) as con:
        con.execute("set TimeZone = 'UTC'")
        con.execute(f"attach {literal(str(release_db))} as {_RELEASE} (read_only)")
        if previous is not None:
            try:
                con.execute(f"attach {literal(str(previous))} as {PREVIOUS} (read_only)")
            except (duckdb.IOException, duckdb.SerializationException):
                # a damaged file must not keep the next release from replacing it
                log.warning("release %s cannot be read; nothing is compared with it", previous.parent.name)
        published = con.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = ?", [_RELEASE]
        ).fetchall()
        for schema, name in published:
            _view(con, schema, name, f'"{_RELEASE}"."{schema}"."{name}"')
        for table, files in lake_views.items():
            schema, _, name = table.partition(".")
            if (schema, name) not in published:
                listed = ", ".join(literal(str(f)) for f in ([files] if isinstance(files, Path) else files))
                # partitions are chosen by name: the folder's date is no column
                _view(con, schema, name, f"read_parquet([{listed}], hive_partitioning = false, union_by_name = true)")
        yield con


def judge(con: duckdb.DuckDBPyConnection, suites: Iterable[Suite]) -> list[CheckResult]:
    """Run all suites in a connection of ``open_gate``; every check of every suite has exactly one result."""
    return [
        CheckResult(
            suite.table,
            check.name,
            check.severity,
            outcome.passed,
            outcome.broken,
            outcome.unexpected_count,
            outcome.observed,
            check.message,
        )
        for suite, outcomes in gx.validate(con, merge(suites))
        for check, outcome in zip(suite.checks, outcomes, strict=True)
    ]


def blocking(results: Iterable[CheckResult]) -> list[CheckResult]:
    """The results that keep a release from being published: failed of severity block, and broken of any severity."""
    return [result for result in results if not result.passed and (result.severity == "block" or result.broken)]


def by_suite(results: Iterable[CheckResult]) -> dict[str, list[CheckResult]]:
    """Results by the name of their suite."""
    grouped: dict[str, list[CheckResult]] = {}
    for result in results:
        grouped.setdefault(result.suite, []).append(result)
    return grouped


def _view(con: duckdb.DuckDBPyConnection, schema: str, name: str, relation: str) -> None:
    con.execute(f'create schema if not exists "{schema}"')
    con.execute(f'create view "{schema}"."{name}" as select * from {relation}')
