"""Dagster definitions of the bank that C360_BANK, C360_HOME and C360_EXPORTS name (defaults: sample, ./data)."""

import dagster as dg

from pipelines.assets import identity, landing, release, shares, tables
from pipelines.assets.common import Wiring
from pipelines.automation import deliveries_sensor, failure_sensor, night_schedule
from pipelines.workspace import Workspace

NIGHT = "night"


def build_definitions(workspace: Workspace, loggers: dict[str, dg.LoggerDefinition] | None = None) -> dg.Definitions:
    """Fresh definitions over a workspace; ``loggers`` replace the console's."""
    settings = workspace.bank.settings
    partitions = dg.DailyPartitionsDefinition(
        start_date=settings.first_business_date.isoformat(), timezone=settings.timezone, end_offset=1
    )
    job = dg.define_asset_job(
        NIGHT,
        selection=dg.AssetSelection.all(),
        description="From the systems' exports to the published release, for one business date.",
        partitions_def=partitions,
    )
    return dg.Definitions(
        assets=_assets(Wiring(workspace, partitions)),
        jobs=[job],
        schedules=[night_schedule(workspace, NIGHT)],
        sensors=[deliveries_sensor(workspace, NIGHT), failure_sensor(workspace)],
        executor=dg.in_process_executor,
        loggers=loggers,
    )


def _assets(wiring: Wiring) -> list[dg.AssetsDefinition]:
    built = [landing.deliveries_asset(wiring)]
    for contract in wiring.workspace.bank.contracts:
        built.append(landing.landing_assets(wiring, contract))
        deltas = [source for source in contract.objects if source.delivery.mode == "delta"]
        built.extend(landing.delta_state_asset(wiring, source) for source in deltas)
    built.extend(tables.table_assets(wiring))
    built.extend(identity.identity_asset(wiring, name) for name in identity.STEPS)
    built.append(release.release_asset(wiring, list(wiring.workspace.tables.values())))
    built.extend(shares.share_asset(wiring, name) for name in wiring.workspace.bank.shares.shares)
    return built


@dg.definitions
def defs() -> dg.Definitions:
    """Definitions of the workspace that the environment names."""
    return build_definitions(Workspace.open())
