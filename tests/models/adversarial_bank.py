"""The sample bank's population with the scenarios of ``adversarial`` planted in it, resolved.

All scenarios lie in one population, so that names, dates and weights are as a bank has them.
"""

import datetime as dt
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np

from models.identity.matching_model import ModelArtefact
from models.identity.resolve import resolve
from models.identity.settings import MatchingSettings
from models.identity.standardise import standardise
from pipelines import steps
from pipelines.workspace import Workspace
from sources import sample
from tests.models.adversarial import SCENARIOS, Record, agent_clients

DAY = sample.FIRST_DATE
STAGED = ("party", "party_name", "party_document", "party_contact", "party_address")
STANDARD = ("party_standard", "party_name", "party_document", "party_contact")
_PARTIES = 3000


@dataclass
class Planted:
    """The sample bank with all scenarios in it, resolved; keys of planted records are ``<scenario>/<label>``."""

    con: duckdb.DuckDBPyConnection
    model: ModelArtefact
    settings: MatchingSettings

    def crosswalk(self) -> list[tuple[Any, ...]]:
        """The crosswalk, in its own order."""
        return self.con.execute("select * from res.customer_record").fetchall()

    def customers(self, scenario: str) -> set[frozenset[str]]:
        """Customers of the scenario's records, by record id; whoever else got into them is named too."""
        rows = self.con.execute(
            """
            select list(record_id)
            from res.customer_record
            where customer_id in (select customer_id from res.customer_record where starts_with(record_id, $prefix))
            group by customer_id
            """,
            {"prefix": f"{scenario}/"},
        ).fetchall()
        return {frozenset(record.removeprefix(f"{scenario}/") for record in members) for (members,) in rows}

    def shown_to_stewards(self, scenario: str) -> set[frozenset[str]]:
        """Pairs of the scenario's records that are refused merges, or scored between review and merge."""
        rows = self.con.execute(
            """
            with shown as (
                select node_id_l, node_id_r from res.refused_merge
                union
                select node_id_l, node_id_r from res.node_pair where match_weight < $merge
            )
            select l.record_id, r.record_id
            from shown
            inner join res.party_node as l on l.node_id = shown.node_id_l
            inner join res.party_node as r on r.node_id = shown.node_id_r
            where starts_with(l.record_id, $prefix) and starts_with(r.record_id, $prefix)
            """,
            {"prefix": f"{scenario}/", "merge": self.settings.merge_threshold_bits},
        ).fetchall()
        return {frozenset(record.removeprefix(f"{scenario}/") for record in pair) for pair in rows}


@cache
def _workspace() -> tuple[Workspace, TemporaryDirectory[str]]:
    """The sample bank's staging tables, made from its exports by its contracts; removed with the process."""
    home = TemporaryDirectory()
    sample.generate(_PARTIES, "default", 7, 1, Path(home.name) / "exports", DAY)
    workspace = Workspace.open("sample", home.name)
    for contract in workspace.bank.contracts:
        steps.land(workspace, contract, contract.objects, DAY)
        for source in contract.objects:
            if source.delivery.mode == "delta":
                steps.apply_delta(workspace, source, DAY)
    for table in STAGED:
        steps.conform_entity(workspace, workspace.tables[f"staging.{table}"], DAY)
    return workspace, home


def resolve_planted(
    order: np.random.Generator | None = None, model: ModelArtefact | None = None, copies: int = 1
) -> Planted:
    """Resolve the population; rows are shuffled by ``order``; names, documents and contacts there ``copies`` times."""
    workspace, _ = _workspace()
    con = duckdb.connect(config={"threads": 1})
    con.execute("set TimeZone = 'UTC'")
    con.execute("create schema staging")
    con.execute("create schema identity")
    for table in STAGED:
        path = workspace.lake.path(f"staging.{table}", DAY)
        con.execute(f"create table staging.{table} as select * from read_parquet('{path}', hive_partitioning = false)")
    for name, scenario in SCENARIOS.items():
        _plant(con, name, scenario.records)
    _plant(con, "agent", agent_clients())
    for table in STAGED:
        if table in ("party_name", "party_document", "party_contact"):
            con.execute(
                f"create or replace table staging.{table} as select t.* from staging.{table} as t, range({copies})"
            )
        if order is not None:
            con.execute(
                f"create or replace table staging.{table} as from staging.{table}"
                f" order by hash(rowid, {int(order.integers(2**31))})"
            )
    settings = workspace.bank.matching
    standardise(con, settings.standardise, DAY)
    for table in STANDARD:
        con.execute(f"create view identity.{table} as from std.{table}")
    return Planted(con, resolve(con, settings, DAY, model), settings)


def _plant(con: duckdb.DuckDBPyConnection, scenario: str, records: dict[str, Record]) -> None:
    for label, record in records.items():
        key = {"system": record.system, "record_id": f"{scenario}/{label}"}
        updated = dt.datetime.fromisoformat(record.updated)
        _insert(
            con, "party", **key, party_type=record.party_type, full_name=record.name, sex=record.sex,
            birth_date=record.born, nationality=record.nationality, opened_date=record.since, updated_at=updated,
        )  # fmt: skip
        for name_type, name in (("legal", record.name), ("embossed", record.embossed)):
            if name:
                _insert(con, "party_name", **key, name_type=name_type, full_name=name)
        for document_type, number in record.documents:
            _insert(con, "party_document", **key, document_type=document_type, document_number=number)
        for contact_type, value in (("mobile", record.mobile), ("phone", record.phone)):
            if value:
                _insert(con, "party_contact", **key, contact_type=contact_type, contact_value=value, updated_at=updated)
        if record.address:
            _insert(con, "party_address", **key, address_type="home", address_text=record.address)


def _insert(con: duckdb.DuckDBPyConnection, table: str, **values: Any) -> None:
    values |= {"source_object": "planted", "source_line": 1}
    con.execute(
        f"insert into staging.{table} ({', '.join(values)}) values ({', '.join(f'${name}' for name in values)})", values
    )
