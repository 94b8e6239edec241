"""A share's contract by the Open Data Contract Standard v3.1: what a department may rely on, and what it is for."""

from collections.abc import Iterator
from pathlib import Path

from open_data_contract_standard.model import (
    CustomProperty,
    DataQuality,
    Description,
    OpenDataContractStandard,
    SchemaObject,
    SchemaProperty,
    Server,
    Team,
    TeamMember,
)

from models.tables import Column
from warehouse.release import Release
from warehouse.shares.policy import Policy, TablePolicy

_LOGICAL_TYPES = {
    "varchar": "string",
    "date": "date",
    "timestamp": "timestamp",
    "boolean": "boolean",
    "integer": "integer",
    "bigint": "integer",
    "double": "number",
}


def contract(release: Release, policy: Policy) -> OpenDataContractStandard:
    """The contract of a release's version of a share; its version changes when the policy does."""
    said = policy.settings
    return OpenDataContractStandard(
        apiVersion="v3.1.0",
        kind="DataContract",
        id=f"{release.bank}-share-{policy.name}",
        name=f"{said.title.en} {said.title.zh}",
        version=f"1.0.0+{policy.hash[:12]}",
        status="active",
        domain="customer-360",
        dataProduct=policy.name,
        description=Description(
            purpose=f"{said.purpose.en} {said.purpose.zh}",
            usage="Open the file read-only; tokens join within this share.",
            limitations="Personal data may be used for the purpose alone; no attempt may be made to undo a treatment.",
        ),
        team=Team(members=[TeamMember(username=said.owner, role="owner")]),
        servers=[Server(server="share", type="duckdb", database=f"{policy.name}.duckdb")],
        schema=[_object(table) for table in policy.tables],
        customProperties=[
            CustomProperty(property="releaseId", value=release.id),
            CustomProperty(property="businessDate", value=release.business_date.isoformat()),
            CustomProperty(property="encrypted", value=said.encrypted),
        ],
    )


def write_contract(path: Path, release: Release, policy: Policy) -> None:
    """Write the contract as YAML."""
    path.write_text(contract(release, policy).to_yaml(), encoding="utf-8")


def _object(table: TablePolicy) -> SchemaObject:
    shared = table.shared
    return SchemaObject(
        name=shared.id,
        physicalName=shared.id,
        physicalType="table",
        logicalType="object",
        description=f"{shared.en} {shared.zh}",
        dataGranularityDescription=f"One row per {', '.join(shared.key)}.",
        properties=[_property(table, column) for column in shared.columns],
    )


def _property(table: TablePolicy, column: Column) -> SchemaProperty:
    treatment = table.treatments[column.name]
    is_key = column.name in table.shared.key
    return SchemaProperty(
        name=column.name,
        businessName=table.source.column(column.name).zh,
        description=column.en,
        physicalType=column.type,
        logicalType=_LOGICAL_TYPES.get(column.type, "number" if column.type.startswith("decimal") else "string"),
        required=column.required,
        classification=column.pii,
        primaryKey=is_key or None,
        primaryKeyPosition=table.shared.key.index(column.name) + 1 if is_key else None,
        transformLogic=treatment.name,
        transformDescription=treatment.words()[0],
        quality=list(_quality(column)) or None,
    )


def _quality(column: Column) -> Iterator[DataQuality]:
    if column.values:
        yield DataQuality(
            type="library", metric="invalidValues", arguments={"validValues": list(column.values)}, mustBe=0
        )
