"""Assets of what arrives: the night's deliveries, each object's landing, and the state of delta objects."""

from collections.abc import Iterator

import dagster as dg

from pipelines import steps
from pipelines.assets.common import POOL, RETRY, Wiring, asset_keys, business_date, rows
from pipelines.upkeep import prepare
from sources.contract import Contract, SourceObject
from sources.landing import LandingResult

DELIVERIES = dg.AssetKey(["landing", "deliveries"])
CONSERVED = "rows_conserved"


def deliveries_asset(wiring: Wiring) -> dg.AssetsDefinition:
    """Asset that is there when every system's delivery of the date is complete: nothing runs on half a night."""
    description = "Every system's delivery for the business date is complete.\n\n各系统当日数据已齐备"
    spec = wiring.asset(DELIVERIES, description, [], ["file"], pii=False)

    @dg.multi_asset(name="deliveries", specs=[spec], pool=POOL)
    def deliveries(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        with wiring.step():
            prepare(wiring.workspace, business_date(context), context.log.warning)
            files = steps.await_deliveries(wiring.workspace, business_date(context), context.log.info)
        return dg.MaterializeResult(metadata={"files": files})

    return deliveries


def landing_assets(wiring: Wiring, contract: Contract) -> dg.AssetsDefinition:
    """Assets of one system's landed objects, each with its quarantine and the check that no row was lost between.

    One step, because the objects of a database are read in one snapshot; any selection of them can be landed.
    """
    objects = {dg.AssetKey(["landing", source.table]): source for source in contract.objects}

    @dg.multi_asset(
        name=f"land_{contract.system}",
        specs=[_landing_spec(wiring, contract, key, source) for key, source in objects.items()],
        check_specs=[
            dg.AssetCheckSpec(
                CONSERVED, asset=key, description="rows delivered + released = landed + quarantined + forgotten"
            )
            for key in objects
        ],
        can_subset=True,
        retry_policy=RETRY,
        pool=POOL,
    )
    def land(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        chosen = {key: source for key, source in objects.items() if key in context.selected_asset_keys}
        with wiring.step():
            results = steps.land(wiring.workspace, contract, chosen.values(), business_date(context))
        for key, source in chosen.items():
            result = results[source.name]
            for warning in result.warnings:
                context.log.warning(warning)
            yield dg.MaterializeResult(
                asset_key=key,
                metadata=rows(
                    result.rows_landed,
                    rows_delivered=result.rows_delivered,
                    rows_quarantined=result.rows_quarantined,
                    rows_released=len(result.released),
                    files=", ".join(file.name for file in result.files),
                ),
                check_results=[_conserved(key, result)],
            )

    return land


def _landing_spec(wiring: Wiring, contract: Contract, key: dg.AssetKey, source: SourceObject) -> dg.AssetSpec:
    columns = [dg.TableColumn(f.name, "varchar", f.description, tags={"pii": f.classification}) for f in source.fields]
    return wiring.asset(
        key,
        f"{source.description}\n\nAs {contract.system} delivered it, unchanged.",
        [DELIVERIES],
        [source.delivery.format, "parquet"],
        pii=True,
        schema=dg.TableSchema(columns=columns),
    )


def _conserved(key: dg.AssetKey, result: LandingResult) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=CONSERVED,
        passed=result.is_conserved,
        metadata={
            "delivered": result.rows_delivered,
            "quarantined": result.rows_quarantined,
            "forgotten": result.rows_forgotten,
            "released": result.rows_released,
        },
    )


def delta_state_asset(wiring: Wiring, source: SourceObject) -> dg.AssetsDefinition:
    """Asset of a delta object's full state on the date: the state before, with the night's changes applied."""
    spec = wiring.asset(
        dg.AssetKey(["staging", source.table]),
        f"{source.description}\n\nState on the business date, deltas applied.",
        asset_keys([f"landing.{source.table}"]),
        ["duckdb", "parquet"],
        pii=True,
    )

    @dg.multi_asset(name=f"staging__{source.table}", specs=[spec], retry_policy=RETRY, pool=POOL)
    def delta_state(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        with wiring.step():
            count = steps.apply_delta(wiring.workspace, source, business_date(context))
        return dg.MaterializeResult(metadata=rows(count))

    return delta_state
