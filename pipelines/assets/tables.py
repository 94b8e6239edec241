"""Assets of tables made one by one: mapped from landing, from the bank's settings, or by one select in a .sql file."""

import datetime as dt
from collections.abc import Callable, Iterable

import dagster as dg

from models.tables import Table
from pipelines import portfolio, steps, value_steps
from pipelines.assets.common import POOL, RETRY, Wiring, asset_keys, business_date, rows
from pipelines.workspace import Workspace

Step = Callable[[Workspace, Table, dt.date], int]


def table_assets(wiring: Wiring) -> list[dg.AssetsDefinition]:
    """Assets of all tables that are made one by one: from a .sql file, by contracts, from a log or from settings."""
    return [_table_asset(wiring, table, inputs, step) for table, inputs, step in made_one_by_one(wiring.workspace)]


def made_one_by_one(workspace: Workspace) -> list[tuple[Table, Iterable[str], Step]]:
    """The tables that one step makes each, what they are made from, and the step."""
    tables = workspace.tables
    made: list[tuple[Table, Iterable[str], Step]] = [
        (tables["staging.exchange_rate"], (), steps.exchange_rates),
        (tables["staging.consent_decision"], (), steps.read_consents),
        (tables["staging.restriction_request"], (), steps.read_restrictions),
        (tables["staging.conversion_loss"], steps.all_entity_inputs(workspace), steps.conversion_losses),
        (tables["value.risk_score"], tables["value.risk_score"].inputs, value_steps.risk_scores),
        *(
            (tables[name], (), value_steps.value_parameters)
            for name in (
                "value.transfer_price",
                "value.product_parameter",
                "value.bank_parameter",
                "mart.service_standard",
                "value.coverage_tier",
            )
        ),
        (tables["value.churn_score"], tables["value.churn_score"].inputs, value_steps.churn_scores),
        (tables["value.next_product"], tables["value.next_product"].inputs, value_steps.next_products),
        (tables["value.coverage_seat"], tables["value.coverage_seat"].inputs, value_steps.coverage_seats),
    ]
    for table in tables.values():
        if table.sql:
            drawn_from = ("mart.service_standard",) if table.id in portfolio.PICTURES else ()
            made.append((table, (*table.inputs, *drawn_from), steps.materialise))
        elif table.canonical:
            made.append((table, steps.entity_inputs(workspace, table), steps.conform_entity))
    return made


def _table_asset(wiring: Wiring, table: Table, inputs: Iterable[str], step: Step) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name=table.id.replace(".", "__"),
        specs=[wiring.table(table, asset_keys(inputs), ["duckdb", "parquet"])],
        retry_policy=RETRY,
        pool=POOL,
    )
    def build(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        with wiring.step():
            count = step(wiring.workspace, table, business_date(context))
            drawn = portfolio.picture(wiring.workspace, table, business_date(context))
        return dg.MaterializeResult(metadata=rows(count, **({"picture": dg.MetadataValue.md(drawn)} if drawn else {})))

    return build
