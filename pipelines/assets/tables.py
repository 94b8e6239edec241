"""Assets of tables: canonical entities mapped from landing, and every table that is one select in a .sql file."""

import dagster as dg

from models.tables import Table
from pipelines import steps
from pipelines.assets.common import POOL, RETRY, Wiring, asset_keys, business_date, rows


def sql_asset(wiring: Wiring, table: Table) -> dg.AssetsDefinition:
    """Asset of a table with a .sql file; its dependencies are those that the SQL names."""

    @dg.multi_asset(
        name=table.id.replace(".", "__"),
        specs=[wiring.table(table, asset_keys(table.inputs), ["duckdb", "parquet"])],
        retry_policy=RETRY,
        pool=POOL,
    )
    def build(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        with wiring.step():
            count = steps.materialise(wiring.workspace, table, business_date(context))
        return dg.MaterializeResult(metadata=rows(count))

    return build


def entity_asset(wiring: Wiring, table: Table) -> dg.AssetsDefinition:
    """Asset of a canonical entity; it depends on the objects whose contracts fill it."""
    inputs = steps.entity_inputs(wiring.workspace, table)

    @dg.multi_asset(
        name=table.id.replace(".", "__"),
        specs=[wiring.table(table, asset_keys(inputs), ["duckdb", "parquet"])],
        retry_policy=RETRY,
        pool=POOL,
    )
    def conform(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        with wiring.step():
            count = steps.conform_entity(wiring.workspace, table, business_date(context))
        return dg.MaterializeResult(metadata=rows(count))

    return conform


def exchange_rate_asset(wiring: Wiring, table: Table) -> dg.AssetsDefinition:
    """Asset of the night's exchange rates, from bank.yaml."""

    @dg.multi_asset(
        name=table.id.replace(".", "__"),
        specs=[wiring.table(table, [], ["yaml", "parquet"])],
        pool=POOL,
    )
    def exchange_rate(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        with wiring.step():
            count = steps.exchange_rates(wiring.workspace, table, business_date(context))
        return dg.MaterializeResult(metadata=rows(count))

    return exchange_rate


def conversion_loss_asset(wiring: Wiring, table: Table) -> dg.AssetsDefinition:
    """Asset that counts what the contracts' formats and codes could not convert."""
    inputs = steps.all_entity_inputs(wiring.workspace)

    @dg.multi_asset(
        name=table.id.replace(".", "__"),
        specs=[wiring.table(table, asset_keys(inputs), ["duckdb", "parquet"])],
        retry_policy=RETRY,
        pool=POOL,
    )
    def conversion_loss(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        with wiring.step():
            count = steps.conversion_losses(wiring.workspace, table, business_date(context))
        return dg.MaterializeResult(metadata=rows(count))

    return conversion_loss
