"""The night's steps as plain functions of a workspace and a business date; the assets only call them.

Each step reads partitions of the lake, calls the room that knows how, and writes its own partitions whole, so
each can be run again alone. Nothing here knows Dagster.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import replace

import duckdb

from models import consent, quarantine_decisions, restriction, staging
from models.identity import (
    cluster,
    collapse,
    customer_ids,
    decided,
    households,
    known_values,
    score,
    standardise,
    training,
)
from models.tables import Table
from pipelines import forgetting
from pipelines.workspace import NO_MODEL, Workspace, canonical_entities
from sources import delivery, landing, mapping
from sources.contract import Contract, SourceObject
from sources.errors import DeliveryRefused
from sources.landing import LandingResult
from warehouse.lake import replace_partition

CUSTOMER_RECORD = "customer.customer_record"
CUSTOMER_RECORD_HISTORY = "customer.customer_record_history"
CUSTOMER_EVENT = "customer.customer_event"
DECISION = "identity.decision"


def await_deliveries(workspace: Workspace, date: dt.date, say: Callable[[str], None]) -> int:
    """Wait until every system's delivery is complete; returns the number of files.

    A night that could not score for want of its models does not start.

    Raises:
        ModelError: a model in force is missing or not what its name says.
        DeliveryError: a delivery is missing, incomplete or refused; names each file and system.
    """
    workspace.model_in_force()
    workspace.fitted_models()
    waiting = workspace.bank.settings.deliveries
    found = delivery.wait_until_complete(
        workspace.bank.contracts,
        workspace.exports,
        date,
        wait_seconds=waiting.wait_seconds,
        settle_seconds=waiting.settle_seconds,
        say=say,
    )
    return sum(len(object_.files) for system in found.values() for object_ in system.objects)


def land(
    workspace: Workspace, contract: Contract, objects: Iterable[SourceObject], date: dt.date
) -> dict[str, LandingResult]:
    """Land a system's objects for a date, those of a database in one snapshot; returns the results by object.

    Rows that stewards released from quarantine land, rows of forgotten parties are left out.

    Raises:
        DeliveryError: an object is missing, refused, or a delta before it was never run; all problems are listed.
        LogError: the log of decisions about quarantine cannot be read; no night runs without it.
        TombstoneError: the tombstones cannot be used; nothing is landed.
    """
    tombstones = workspace.tombstones()
    chosen = {source.name for source in objects}
    found = delivery.inspect(contract, workspace.exports, date)
    found = replace(found, objects=tuple(o for o in found.objects if o.obj.name in chosen))
    _refuse_gaps(workspace, contract, [o.obj for o in found.objects], date)
    bounds = workspace.bank.settings.engine
    settings = landing.LandingSettings(workspace.home / "spill", bounds.memory_limit, bounds.threads)
    released, key = quarantine_decisions.released(workspace.quarantine_log().rows()), workspace.secret_key("quarantine")

    def decided(source: SourceObject) -> landing.Decisions:
        return landing.Decisions(key, released.get(f"{source.system}.{source.name}", {}))

    results = landing.land_system(
        found,
        lambda source: _landing_target(workspace, source, date, bool(decided(source).released)),
        settings,
        decided,
        token_key=workspace.secret_key("card-token") if _tokenises(found) else None,
    )
    if tombstones.forgotten_on:
        for object_ in found.objects:
            path = workspace.lake.path(f"landing.{object_.obj.table}", date)
            forgetting.forget_in(workspace, object_.obj, date, path, tombstones)
            results[object_.obj.name] = forgetting.recount(workspace, object_.obj, date) or results[object_.obj.name]
    return results


def _landing_target(
    workspace: Workspace, source: SourceObject, date: dt.date, has_released: bool
) -> landing.LandingTarget:
    lake, table_id, quarantine = workspace.lake, f"landing.{source.table}", f"landing.quarantine__{source.table}"
    dates = lake.dates(table_id)
    earlier = [day for day in dates if day < date]
    # where their rows do not count, only manifests are read
    is_read = source.delivery.mode == "append" or (source.delivery.mode == "delta" and has_released)
    history = landing.History(
        tuple((lake.require if is_read else lake.path)(table_id, day) for day in earlier),
        tuple((lake.require if is_read and has_released else lake.path)(quarantine, day) for day in earlier),
        tuple(lake.path(table_id, day) for day in dates if day > date),
    )
    return landing.LandingTarget(lake.path(table_id, date), lake.path(quarantine, date), history, replace_partition)


def _tokenises(found: delivery.SystemDelivery) -> bool:
    return any(field.tokenise for o in found.objects for field in o.obj.fields)


def _refuse_gaps(workspace: Workspace, contract: Contract, objects: Iterable[SourceObject], date: dt.date) -> None:
    """A delta is only right on top of every delta before it: refuse to leave a delivered one out."""
    delivered = delivery.available_dates(contract, workspace.exports)
    problems = []
    for source in objects:
        landed = workspace.lake.dates(f"landing.{source.table}")
        first = landed[0] if landed else date
        gaps = [day for day in delivered if first < day < date and day not in landed]
        if source.delivery.mode == "delta" and gaps:
            problems.append(
                f"{contract.system}.{source.name}: the changes of {', '.join(map(str, gaps))} have not been run; "
                f"run them first: c360 backfill --from {gaps[0]} --to {date}"
            )
    if problems:
        raise DeliveryRefused(problems)


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


def read_consents(workspace: Workspace, table: Table, date: dt.date) -> int:
    """Write what the consent log says now as ``staging.consent_decision``; returns the row count.

    Raises:
        LogError: the log cannot be read; no night runs without it.
    """
    statements = workspace.consent_log().rows()
    with workspace.engine.connection(date) as con:
        consent.snapshot(con, statements)
        return workspace.engine.write(con, table, "from consent_decision", date)


def read_restrictions(workspace: Workspace, table: Table, date: dt.date) -> int:
    """Write what the log of restrictions says now as ``staging.restriction_request``; returns the row count.

    Raises:
        LogError: the log cannot be read; no night runs without it.
    """
    requests = workspace.restriction_log().rows()
    with workspace.engine.connection(date) as con:
        restriction.snapshot(con, requests)
        return workspace.engine.write(con, table, "from restriction_request", date)


def materialise(workspace: Workspace, table: Table, date: dt.date) -> int:
    """Run a table's SQL with the night's parameters; returns the row count."""
    matching, value = workspace.bank.matching, workspace.bank.value
    params = {
        "business_date": date,
        "survivorship": matching.survivorship.rules(matching.trust),
        "retention_years": workspace.bank.settings.retention.years,
        **value.parameters(date),
    }
    return workspace.engine.materialise(table, date, params)


def standardise_parties(workspace: Workspace, date: dt.date) -> dict[str, int]:
    """Standardise all party records and profile their contacts (``identity`` tables); returns the row counts."""
    tables = (
        *("party_standard", "party_name", "party_document", "party_contact"),
        *("contact_profile", "address_profile"),
    )
    inputs = workspace.tables["identity.party_standard"].inputs
    settings = workspace.bank.matching.standardise
    version = known_values.rules_version(settings)
    with workspace.engine.connection(date, inputs) as con:
        workspace.value_cache.load(con, known_values.KNOWN, version)
        standardise.standardise(con, settings, date)
        counts = _write(workspace, con, date, {f"identity.{name}": f"from std.{name}" for name in tables})
        workspace.value_cache.store(con, known_values.SEEN, version)
        return counts


def read_decisions(workspace: Workspace, date: dt.date) -> dict[str, int]:
    """What the decision log says now of tonight's records: ``identity.decision``.

    Raises:
        LogError: the log cannot be read; no night runs without its decisions.
    """
    rows = workspace.decision_log().rows()
    with _identity(workspace, date, DECISION) as con:
        decided.snapshot(con, rows)
        return _write(workspace, con, date, {DECISION: "from res.decision"})


def collapse_parties(workspace: Workspace, date: dt.date) -> dict[str, int]:
    """Join records that share a valid strong document into nodes: ``identity.party_node``."""
    with _identity(workspace, date, "identity.party_node") as con:
        collapse.collapse(con, workspace.bank.matching)
        return _write(workspace, con, date, {"identity.party_node": "from res.party_node"})


def score_nodes(workspace: Workspace, date: dt.date) -> dict[str, int]:
    """Score pairs of nodes with the model in force: ``identity.node_pair`` and ``identity.blocking_rule``.

    Where there is none yet, and ``matching.yaml`` names none, this night trains one and pins it.

    Raises:
        ModelError: the model in force is missing or not what its name says.
    """
    with _identity(workspace, date, "identity.node_pair") as con:
        settings = workspace.bank.matching
        model = workspace.model_in_force()
        if model is None:
            model = training.train(con, settings)
            model.save(workspace.models.home)
            # recorded first: a process killed between the two trains and records the same model again
            workspace.audit.append("pinned", model.id, {"kind": "matching", "business_date": str(date)})
            workspace.models.set_pin(model, date)
        score.score(con, settings, model)
        return _write(
            workspace,
            con,
            date,
            {
                "identity.node_pair": "from res.node_pair",
                "identity.blocking_rule": f"select *, '{model.id}' as model_version from res.blocking_rule",
            },
        )


def blocking_report(workspace: Workspace, date: dt.date) -> tuple[str, str]:
    """What ``identity.blocking_rule`` says of a date: the model that scored, and the rules as a markdown table."""
    with workspace.engine.connection(date, ["identity.blocking_rule"]) as con:
        model = model_version(workspace, date)
        found = con.execute(
            "select * exclude (rule_no, model_version) from identity.blocking_rule order by party_type, rule_no"
        )
        names = [name.replace("_", " ") for name, *_ in found.description or []]
        lines = [names, ["---"] * len(names), *found.fetchall()]
    return model, "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def model_version(workspace: Workspace, date: dt.date) -> str:
    """Name and version of the model that scored a date's pairs; ``none`` where nothing was scored."""
    if not workspace.lake.exists("identity.blocking_rule", date):
        return NO_MODEL
    with workspace.engine.connection(date, ["identity.blocking_rule"]) as con:
        return str(con.execute("select min(model_version) from identity.blocking_rule").fetchall()[0][0])


def cluster_nodes(workspace: Workspace, date: dt.date) -> dict[str, int]:
    """Cluster nodes under constraints: ``identity.cluster``, ``cluster_link`` and ``refused_merge``."""
    with _identity(workspace, date, "identity.cluster") as con:
        cluster.cluster(con, workspace.bank.matching, workspace.model_in_force())
        tables = ("cluster", "cluster_link", "refused_merge")
        return _write(workspace, con, date, {f"identity.{name}": f"from res.{name}" for name in tables})


def assign_customers(workspace: Workspace, date: dt.date) -> dict[str, int]:
    """Carry customer ids from the night before: the crosswalk, its history, and the events with all earlier ones."""
    earlier = workspace.lake.previous(CUSTOMER_EVENT, date)
    with _identity(workspace, date, CUSTOMER_RECORD) as con:
        show_previous_night(workspace, con, date)
        customer_ids.assign_customers(con, date)
        history = " union all by name select * from previous.customer_event" if earlier else ""
        return _write(
            workspace,
            con,
            date,
            {
                CUSTOMER_RECORD: "from res.customer_record",
                CUSTOMER_RECORD_HISTORY: "from res.customer_record_history",
                # last: the next night goes on from the latest date that has events, so from a whole one
                CUSTOMER_EVENT: f"select * from res.customer_event{history}",
            },
        )


def show_previous_night(workspace: Workspace, con: duckdb.DuckDBPyConnection, date: dt.date) -> None:
    """Schema ``previous``: what the latest night before the date left of ids and decisions; empty before the first."""
    con.execute("create schema if not exists previous")
    earlier = workspace.lake.previous(CUSTOMER_EVENT, date)
    if earlier is None:
        return
    for table_id in (CUSTOMER_RECORD_HISTORY, CUSTOMER_EVENT, DECISION):
        path = str(workspace.lake.require(table_id, earlier)).replace("'", "''")
        view = table_id.partition(".")[2]
        con.execute(f"create view previous.{view} as from read_parquet('{path}', hive_partitioning = false)")


def group_households(workspace: Workspace, date: dt.date) -> dict[str, int]:
    """Group persons who live together: ``customer.household``."""
    with _identity(workspace, date, "customer.household") as con:
        households.group_households(con, workspace.bank.matching)
        return _write(workspace, con, date, {"customer.household": "from res.household"})


def _identity(workspace: Workspace, date: dt.date, table_id: str) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    return workspace.engine.connection(date, workspace.tables[table_id].inputs)


def _write(
    workspace: Workspace, con: duckdb.DuckDBPyConnection, date: dt.date, selects: dict[str, str]
) -> dict[str, int]:
    return {
        table_id: workspace.engine.write(con, workspace.tables[table_id], select, date)
        for table_id, select in selects.items()
    }
