"""Assets of identity resolution: from staged parties to the crosswalk, one step an asset."""

from collections.abc import Callable, Iterator

import dagster as dg

from pipelines import steps
from pipelines.assets.common import POOL, RETRY, Wiring, asset_key, asset_keys, business_date, rows

# Step function and the tables that it writes; inputs are those of the tables' definitions.
STEPS: dict[str, tuple[Callable[..., dict[str, int]], tuple[str, ...]]] = {
    "standardise": (
        steps.standardise_parties,
        (
            "identity.party_standard",
            "identity.party_name",
            "identity.party_document",
            "identity.party_contact",
            "identity.contact_profile",
            "identity.address_profile",
        ),
    ),
    "decide": (steps.read_decisions, ("identity.decision",)),
    "collapse": (steps.collapse_parties, ("identity.party_node",)),
    "score": (steps.score_nodes, ("identity.node_pair",)),
    "cluster": (steps.cluster_nodes, ("identity.cluster", "identity.refused_merge")),
    "assign_customers": (steps.assign_customers, ("customer.customer_record", "customer.customer_event")),
    "group_households": (steps.group_households, ("customer.household",)),
}


def identity_asset(wiring: Wiring, name: str) -> dg.AssetsDefinition:
    """Multi-asset of one step of identity resolution."""
    step, table_ids = STEPS[name]
    tables = [wiring.workspace.tables[table_id] for table_id in table_ids]

    @dg.multi_asset(
        name=name,
        specs=[
            wiring.table(table, asset_keys(t for t in table.inputs if t not in table_ids), ["duckdb", "python"])
            for table in tables
        ],
        retry_policy=RETRY,
        pool=POOL,
    )
    def resolve(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        with wiring.step():
            counts = step(wiring.workspace, business_date(context))
        for table_id in table_ids:
            yield dg.MaterializeResult(asset_key(table_id), metadata=rows(counts[table_id]))

    return resolve
