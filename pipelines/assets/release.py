"""The asset of the release: builds the candidate, judges it, and only then lets anyone see it."""

import datetime as dt

import dagster as dg

from models.tables import Table
from pipelines import publishing
from pipelines.assets.common import POOL, RETRY, Wiring, asset_key, business_date
from quality.gate import CheckResult

RELEASE = dg.AssetKey(["release", "customer360"])


def _see(result: CheckResult, date: dt.date) -> str:
    return f"rows: c360 failing {result.table}.{result.check_name} --date {date}"


def release_asset(wiring: Wiring, tables: list[Table]) -> dg.AssetsDefinition:
    """Asset of the published release; one asset check for every suite of the gate."""
    suites = [suite.name for suite in publishing.suites(wiring.workspace)]

    spec = wiring.asset(
        RELEASE,
        "The DuckDB warehouse that analysts open, switched to only after every blocking check passed.",
        [
            *(asset_key(table.id) for table in tables if table.published),
            dg.AssetKey(["staging", "conversion_loss"]),
            dg.AssetKey(["identity", "refused_merge"]),
            dg.AssetKey(["identity", "blocking_rule"]),
        ],
        ["duckdb", "greatexpectations"],
        pii=True,
    )

    @dg.multi_asset(
        name="release__customer360",
        specs=[spec],
        check_specs=[dg.AssetCheckSpec(name, asset=RELEASE) for name in suites],
        retry_policy=RETRY,
        pool=POOL,
    )
    def release(context: dg.AssetExecutionContext) -> object:
        with wiring.step():
            outcome = publishing.publish(wiring.workspace, business_date(context))
        for name, results in outcome.by_suite.items():
            failed = [result for result in results if not result.passed]
            for result in failed:
                if result.severity == "warn" and not result.broken:
                    context.log.warning(f"{result.line} ({_see(result, business_date(context))})")
            yield dg.AssetCheckResult(
                check_name=name,
                passed=not failed,
                severity=(
                    dg.AssetCheckSeverity.ERROR
                    if any(result.severity == "block" for result in failed)
                    else dg.AssetCheckSeverity.WARN
                ),
                metadata={
                    "checks": len(results),
                    "failed": dg.MetadataValue.md("\n".join(f"- {result.line}" for result in failed) or "none"),
                },
            )
        if outcome.release is None:
            raise dg.Failure(
                f"blocked by {len(outcome.blocking)} check(s); the last release stays:\n"
                + "\n".join(f"{one.line} ({_see(one, business_date(context))})" for one in outcome.blocking),
                metadata={"error": "Blocked"},
                allow_retries=False,
            )
        yield dg.MaterializeResult(
            metadata={
                "release": outcome.release.id,
                "path": dg.MetadataValue.path(str(outcome.release.database)),
                "unchanged": outcome.release.unchanged,
                "tables": dg.MetadataValue.md(
                    "| table | rows |\n|---|---|\n"
                    + "\n".join(f"| {t} | {n} |" for t, n in outcome.release.rows.items())
                ),
            }
        )

    return release
