"""Assets of identity resolution: from staged parties to the crosswalk, one step an asset."""

from collections.abc import Callable, Iterator

import dagster as dg

from pipelines import steps
from pipelines.assets.common import POOL, RETRY, Wiring, asset_key, asset_keys, business_date, rows
from pipelines.workspace import Workspace

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
    "score": (steps.score_nodes, ("identity.node_pair", "identity.blocking_rule")),
    "cluster": (steps.cluster_nodes, ("identity.cluster", "identity.cluster_link", "identity.refused_merge")),
    "assign_customers": (
        steps.assign_customers,
        ("customer.customer_record", "customer.customer_record_history", "customer.customer_event"),
    ),
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
            told = _blocking(wiring.workspace, context) if table_id == "identity.blocking_rule" else {}
            yield dg.MaterializeResult(asset_key(table_id), metadata=rows(counts[table_id], **told))

    return resolve


def _blocking(workspace: Workspace, context: dg.AssetExecutionContext) -> dict[str, dg.MetadataValue | str]:
    """The model that scored and what each blocking rule brought; warns in the night that trained and pinned a model."""
    date = business_date(context)
    model, rules = steps.blocking_report(workspace, date)
    pin = workspace.models.pin()
    if pin and (pin.model, pin.business_date) == (model, date):
        context.log.warning(
            f"there was no matching model: this night trained {model} and pinned it; read what it rests on with "
            f"c360 train, and approve it by name in matching.yaml"
        )
    return {"matching_model": model, "blocking_rules": dg.MetadataValue.md(rules)}
