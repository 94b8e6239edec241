"""The night's steps as plain functions of a workspace and a business date; the assets only call them.

Each step reads partitions of the lake, calls the room that knows how, and writes its own partitions whole, so
each can be run again alone. Nothing here knows Dagster.
"""

import datetime as dt
from collections.abc import Callable

import duckdb

from models import staging
from models.identity import cluster, collapse, customer_ids, score, standardise, training
from models.identity.matching_model import ModelArtefact
from models.tables import Table
from pipelines.workspace import Workspace, canonical_entities
from sources import delivery, mapping

CUSTOMER_RECORD = "customer.customer_record"
CUSTOMER_EVENT = "customer.customer_event"


def await_deliveries(workspace: Workspace, date: dt.date, say: Callable[[str], None]) -> int:
    """Wait until every system's delivery is complete; returns the number of files.

    Raises:
        DeliveryError: a delivery is missing, incomplete or refused; names each file and system.
    """
    waiting = workspace.bank.settings.deliveries
    found = delivery.wait_until_complete(
        workspace.bank.contracts,
        workspace.exports,
        date,
        wait_seconds=waiting.wait_seconds,
        settle_seconds=waiting.settle_seconds,
        say=say,
    )
    return sum(len(files.files) for system in found for files in system.objects.values())


def entity_inputs(workspace: Workspace, table: Table) -> tuple[str, ...]:
    """Relations that the contracts' mappings of an entity read."""
    return mapping.inputs(workspace.bank.contracts, table.name)


def all_entity_inputs(workspace: Workspace) -> tuple[str, ...]:
    """Relations that any mapping reads."""
    found = {
        relation for entity in canonical_entities() for relation in mapping.inputs(workspace.bank.contracts, entity)
    }
    return tuple(sorted(found))


def conform_entity(workspace: Workspace, table: Table, date: dt.date) -> int:
    """Gather what all systems say of one canonical entity into ``staging.<entity>``; returns the row count."""
    columns = canonical_entities()[table.name]
    select = staging.conform(table, mapping.compile_entity(workspace.bank.contracts, table.name, columns))
    with workspace.engine.connection(date, entity_inputs(workspace, table)) as con:
        return workspace.engine.write(con, table, select, date, {"business_date": date})


def apply_delta(workspace: Workspace, source: SourceObject, date: dt.date) -> int:
    """Bring a delta object's state to the date: every delta landed since the last state, in order.

    Returns:
        Row count of ``staging.<system>__<object>`` on the date.
    """
    lake, table_id, landed = workspace.lake, f"staging.{source.table}", f"landing.{source.table}"
    before = lake.previous(table_id, date)
    for day in [d for d in lake.dates(landed) if d <= date and (before is None or d > before)]:
        inputs = [landed, f"previous.staging__{source.table}"]
        with workspace.engine.connection(day, inputs) as con:
            select = mapping.delta_state_sql(source, has_previous=lake.previous(table_id, day) is not None)
            order = ", ".join(f'"{name}"' for name in source.primary_key)
            lake.write(con, f"select * from (\n{select}\n) order by {order}", table_id, day)
    return lake.rows(table_id, date)


def conversion_losses(workspace: Workspace, table: Table, date: dt.date) -> int:
    """Count what mappings could not convert into ``staging.conversion_loss``; returns the row count."""
    select = mapping.compile_losses(workspace.bank.contracts, canonical_entities())
    with workspace.engine.connection(date, all_entity_inputs(workspace)) as con:
        return workspace.engine.write(con, table, select, date, {"business_date": date})


def exchange_rates(workspace: Workspace, table: Table, date: dt.date) -> int:
    """Write bank.yaml's rates, the bank's own currency at 1, as ``staging.exchange_rate``."""
    settings = workspace.bank.settings
    rates = {settings.currency: "1"} | {code: str(rate) for code, rate in settings.exchange_rates.items()}
    with workspace.engine.connection(date) as con:
        con.execute("create table rate (currency_code varchar, exchange_rate decimal(18, 8))")
        con.executemany("insert into rate values (?, ?)", list(rates.items()))
        return workspace.engine.write(con, table, "from rate", date)


def materialise(workspace: Workspace, table: Table, date: dt.date) -> int:
    """Run a table's SQL with the night's parameters; returns the row count."""
    params = {"business_date": date, "trust": list(workspace.bank.matching.trust)}
    return workspace.engine.materialise(table, date, params)


def standardise_parties(workspace: Workspace, date: dt.date) -> dict[str, int]:
    """Standardise all party records into the four ``identity`` tables; returns their row counts."""
    tables = ("party_standard", "party_name", "party_document", "party_contact")
    inputs = workspace.tables["identity.party_standard"].inputs
    with workspace.engine.connection(date, inputs) as con:
        standardise.standardise(con, workspace.bank.matching.standardise, date)
        return _write(workspace, con, date, {f"identity.{name}": f"from std.{name}" for name in tables})


def collapse_parties(workspace: Workspace, date: dt.date) -> dict[str, int]:
    """Join records that share a valid strong document into nodes: ``identity.party_node``."""
    with _identity(workspace, date, "identity.party_node") as con:
        collapse.collapse(con, workspace.bank.matching)
        return _write(workspace, con, date, {"identity.party_node": "from res.party_node"})


def score_nodes(workspace: Workspace, date: dt.date) -> dict[str, int]:
    """Score pairs of nodes with the pinned model; the first night of a home trains and stores it."""
    with _identity(workspace, date, "identity.node_pair") as con:
        settings = workspace.bank.matching
        path = workspace.model_path()
        if path is None:
            path = training.train(con, settings).save(workspace.model_folder)
        score.score(con, settings, ModelArtefact.load(path))
        return _write(workspace, con, date, {"identity.node_pair": "from res.node_pair"})


def cluster_nodes(workspace: Workspace, date: dt.date) -> dict[str, int]:
    """Cluster nodes under constraints: ``identity.cluster`` and ``identity.refused_merge``."""
    with _identity(workspace, date, "identity.cluster") as con:
        cluster.cluster(con, workspace.bank.matching)
        return _write(
            workspace,
            con,
            date,
            {"identity.cluster": "from res.cluster", "identity.refused_merge": "from res.refused_merge"},
        )


def assign_customers(workspace: Workspace, date: dt.date) -> dict[str, int]:
    """Carry customer ids from the night before: the crosswalk, and the events with all earlier ones."""
    earlier = workspace.lake.previous(CUSTOMER_EVENT, date)
    with _identity(workspace, date, CUSTOMER_RECORD) as con:
        con.execute("create schema if not exists previous")
        for table_id, view in ((CUSTOMER_RECORD, "customer_record"), (CUSTOMER_EVENT, "customer_event")):
            if earlier:
                path = str(workspace.lake.path(table_id, earlier)).replace("'", "''")
                con.execute(f"create view previous.{view} as from read_parquet('{path}')")
        customer_ids.assign_customers(con, date)
        history = " union all by name select * from previous.customer_event" if earlier else ""
        return _write(
            workspace,
            con,
            date,
            {
                CUSTOMER_RECORD: "from res.customer_record",
                CUSTOMER_EVENT: f"select * from res.customer_event{history}",
            },
        )


def _identity(workspace: Workspace, date: dt.date, table_id: str) -> duckdb.DuckDBPyConnection:
    return workspace.engine.connection(date, workspace.tables[table_id].inputs)


def _write(
    workspace: Workspace, con: duckdb.DuckDBPyConnection, date: dt.date, selects: dict[str, str]
) -> dict[str, int]:
    return {
        table_id: workspace.engine.write(con, workspace.tables[table_id], select, date)
        for table_id, select in selects.items()
    }
