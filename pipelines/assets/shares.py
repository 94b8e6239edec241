"""The assets of the departments' shares: each made from the published release, its leak scan an asset check."""

import dagster as dg

from pipelines.assets.common import POOL, RETRY, Wiring, business_date
from pipelines.assets.release import RELEASE
from pipelines.sharing import share_date

LEAK_SCAN = "leak_scan"


def share_asset(wiring: Wiring, share: str) -> dg.AssetsDefinition:
    """Asset of one department's share."""
    said = wiring.workspace.bank.shares.shares[share]
    key = dg.AssetKey(["share", share])
    spec = wiring.asset(
        key,
        f"{said.title.en} {said.title.zh}\n\n{said.purpose.en}\n\n{said.purpose.zh}",
        [RELEASE],
        ["duckdb"],
        pii=True,
    )

    @dg.multi_asset(
        name=f"share__{share}",
        specs=[spec],
        check_specs=[dg.AssetCheckSpec(LEAK_SCAN, asset=key)],
        retry_policy=RETRY,
        pool=POOL,
    )
    def make(context: dg.AssetExecutionContext) -> object:
        with wiring.step():
            outcome = share_date(wiring.workspace, share, business_date(context))
        found = "\n".join(finding.line for finding in outcome.findings)
        yield dg.AssetCheckResult(
            check_name=LEAK_SCAN,
            passed=outcome.version is not None,
            metadata={"findings": dg.MetadataValue.md(found or "none")},
        )
        if outcome.version is None:
            raise dg.Failure(
                f"share {share} is blocked, its last version stays; the policy does not grant:\n{found}",
                metadata={"error": "Blocked"},
                allow_retries=False,
            )
        yield dg.MaterializeResult(
            metadata={
                "version": outcome.version.id,
                "path": dg.MetadataValue.path(str(outcome.version.database)),
                "unchanged": outcome.unchanged,
                "dagster/row_count": sum(outcome.version.rows.values()),
                "tables": dg.MetadataValue.md(
                    "| table | rows |\n|---|---|\n"
                    + "\n".join(f"| {t} | {n} |" for t, n in outcome.version.rows.items())
                ),
            }
        )

    return make
