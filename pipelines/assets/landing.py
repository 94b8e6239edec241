"""Assets of what arrives: the night's deliveries, each object's landing, and the state of delta objects."""

import dagster as dg
from sources.delivery import DeliveryError

from pipelines import steps
from pipelines.assets.common import POOL, RETRY, Wiring, asset_keys, business_date, rows
from sources.contract import Contract, SourceObject

DELIVERIES = dg.AssetKey(["landing", "deliveries"])
CONSERVED = "rows_conserved"


def deliveries_asset(wiring: Wiring) -> dg.AssetsDefinition:
    """Asset that is there when every system's delivery of the date is complete: nothing runs on half a night."""

    @dg.asset(
        key=DELIVERIES,
        description="Every system's delivery for the business date is complete.\n\n各系统当日数据已齐备",
        pool=POOL,
        **wiring.asset_options("landing", ["file"], pii=False),
    )
    def deliveries(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        with refusals():
            files = steps.await_deliveries(wiring.workspace, business_date(context), context.log.info)
        return dg.MaterializeResult(metadata={"files": files})

    return deliveries


def landing_asset(wiring: Wiring, contract: Contract, source: SourceObject) -> dg.AssetsDefinition:
    """Asset of one landed object, with its quarantine and the check that no row was lost between them."""
    key = dg.AssetKey(["landing", source.table])

    @dg.asset(
        key=key,
        deps=[DELIVERIES],
        description=f"{source.description}\n\nAs {contract.system} delivered it, unchanged.",
        check_specs=[dg.AssetCheckSpec(CONSERVED, asset=key, description="rows delivered = landed + quarantined")],
        metadata={
            "dagster/column_schema": dg.TableSchema(
                columns=[
                    dg.TableColumn(f.name, "varchar", f.description, tags={"pii": f.classification})
                    for f in source.fields
                ]
            )
        },
        retry_policy=RETRY,
        pool=POOL,
        **wiring.asset_options("landing", [source.delivery.format, "parquet"], pii=True),
    )
    def landing(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        with refusals():
            result = steps.land_object(wiring.workspace, contract, source, business_date(context))
        for warning in result.warnings:
            context.log.warning(warning)
        return dg.MaterializeResult(
            metadata=rows(
                result.rows_landed,
                rows_delivered=result.rows_delivered,
                rows_quarantined=result.rows_quarantined,
                files=", ".join(file.name for file in result.files),
            ),
            check_results=[
                dg.AssetCheckResult(
                    check_name=CONSERVED,
                    passed=result.rows_delivered == result.rows_landed + result.rows_quarantined,
                    metadata={"delivered": result.rows_delivered, "quarantined": result.rows_quarantined},
                )
            ],
        )

    return landing


def delta_state_asset(wiring: Wiring, source: SourceObject) -> dg.AssetsDefinition:
    """Asset of a delta object's full state on the date: the state before, with the night's changes applied."""

    @dg.asset(
        key=dg.AssetKey(["staging", source.table]),
        deps=asset_keys([f"landing.{source.table}"]),
        description=f"{source.description}\n\nState on the business date, deltas applied.",
        retry_policy=RETRY,
        pool=POOL,
        **wiring.asset_options("staging", ["duckdb", "parquet"], pii=True),
    )
    def delta_state(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata=rows(steps.apply_delta(wiring.workspace, source, business_date(context))))

    return delta_state


class refusals:  # noqa: N801 - reads as a statement: with refusals():
    """Turn a refused or missing delivery into a failure that is not retried: the file will not change by itself."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, DeliveryError):
            raise dg.Failure(str(error), metadata={"error": type(error).__name__}, allow_retries=False) from error
