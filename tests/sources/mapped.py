"""Contracts of one object, landed in DuckDB and compiled: what the tests of the mapping share."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import yaml

from sources.contract import Contract, parse_contract
from sources.mapping import CanonicalColumn, check_fills, compile_entity, compile_losses

DAY = dt.date(2026, 1, 31)
LINEAGE = (CanonicalColumn("source_object", "varchar", True), CanonicalColumn("source_line", "bigint", True))


def entity(*columns: CanonicalColumn) -> tuple[CanonicalColumn, ...]:
    return (CanonicalColumn("system", "varchar", True), *columns, *LINEAGE)


ENTITIES = {
    "party": entity(
        CanonicalColumn("record_id", "varchar", True),
        CanonicalColumn("party_type", "varchar", True, ("person", "organisation")),
        CanonicalColumn("full_name", "varchar", False),
        CanonicalColumn("birth_date", "date", False),
        CanonicalColumn("sex", "varchar", False, ("male", "female")),
        CanonicalColumn("updated_at", "timestamp", False),
    ),
    "party_contact": entity(
        CanonicalColumn("record_id", "varchar", True),
        CanonicalColumn("contact_type", "varchar", True, ("mobile", "phone", "email")),
        CanonicalColumn("contact_value", "varchar", True),
    ),
    "party_document": entity(
        CanonicalColumn("record_id", "varchar", True),
        CanonicalColumn("document_type", "varchar", True),
        CanonicalColumn("document_number", "varchar", True),
        CanonicalColumn("expiry_date", "date", False),
    ),
    "party_address": entity(
        CanonicalColumn("record_id", "varchar", True),
        CanonicalColumn("address_type", "varchar", True, ("home", "work")),
        CanonicalColumn("address_text", "varchar", False),
        CanonicalColumn("city", "varchar", False),
    ),
    "party_role": entity(
        CanonicalColumn("record_id", "varchar", True),
        CanonicalColumn("product_type", "varchar", True, ("account", "card", "loan", "party")),
        CanonicalColumn("product_system", "varchar", True),
        CanonicalColumn("product_id", "varchar", True),
        CanonicalColumn("role", "varchar", True, ("owner", "guarantor", "borrower")),
    ),
    "account": entity(
        CanonicalColumn("account_id", "varchar", True),
        CanonicalColumn("currency_code", "varchar", True),
        CanonicalColumn("balance_amount", "decimal(18,2)", False),
        CanonicalColumn("interest_rate", "decimal(9,6)", False),
        CanonicalColumn("days_past_due", "integer", False),
        CanonicalColumn("opened_date", "date", False),
    ),
}
PARTY = {"record_id": "no", "party_type": {"constant": "person"}}


def contract(
    fills: Sequence[Mapping[str, Any]],
    fields: Sequence[str | Mapping[str, Any]],
    system: str = "core",
    name: str = "thing",
    delivery: Mapping[str, Any] | None = None,
) -> Contract:
    """A contract of one object; a field is its name (text) or an ODCS property."""
    document = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": system,
        "version": "1",
        "customProperties": [{"property": "system", "value": system}],
        "servers": [{"server": "x", "type": "local", "path": "."}],
        "schema": [
            {
                "name": name,
                "properties": [{"name": f} if isinstance(f, str) else dict(f) for f in fields],
                "customProperties": [
                    {"property": "delivery", "value": delivery or {"mode": "full", "format": "csv", "pattern": "x"}},
                    {"property": "fills", "value": list(fills)},
                ],
            }
        ],
    }
    made, problems = parse_contract(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), f"{system}.yaml")
    assert made is not None and not problems, problems
    return made


Rows = Sequence[Mapping[str, Any]]


def land(con: duckdb.DuckDBPyConnection, relation: str, fields: Sequence[str], rows: Rows) -> None:
    """Make a table as landing does: raw text, and the columns of lineage; lines count from 2."""
    con.execute(f"create schema if not exists {relation.split('.')[0]}")
    columns = ", ".join(f'"{f}" varchar' for f in fields)
    lineage = "_extra varchar, _source_file varchar, _source_line bigint, _record_hash varchar, _quarantine_id varchar"
    con.execute(f"create table {relation} ({columns}, {lineage})")
    for line, row in enumerate(rows, 2):
        values = [row.get(f) for f in fields] + [
            None,
            row.get("_source_file", "f"),
            row.get("_source_line", line),
            "h",
            None,
        ]
        con.execute(f"insert into {relation} values ({', '.join('?' * len(values))})", values)


def query(con: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    result = con.execute(sql, {"business_date": DAY} if "$business_date" in sql else None)
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def run(made: Contract, name: str, rows: Rows) -> list[dict[str, Any]]:
    """Check, compile and run one entity of a contract with one object, in the order of the lines."""
    assert check_fills([made], ENTITIES) == []
    con = duckdb.connect()
    source = made.objects[0]
    land(con, source.relation, [f.name for f in source.fields], rows)
    sql = compile_entity([made], name, ENTITIES[name])
    return query(con, f"select * from (\n{sql}\n) order by source_line")


def losses(made: Contract, rows: Rows) -> dict[tuple[str, str], int]:
    con = duckdb.connect()
    source = made.objects[0]
    land(con, source.relation, [f.name for f in source.fields], rows)
    found = query(con, compile_losses([made], ENTITIES))
    assert all((row["system"], row["source_object"]) == (made.system, source.name) for row in found)
    return {(row["entity"], row["column_name"]): row["lost_count"] for row in found}


def one(
    expression: Any, column: str, text: str | None, fields: Sequence[Any] = ("no", "x"), name: str = "account"
) -> Any:
    """Value of one column filled from field ``x``."""
    base: dict[str, Any] = {
        "account": {"account_id": "no", "currency_code": {"constant": "CNY"}},
        "party": dict(PARTY),
        "party_document": {"record_id": "no", "document_type": {"constant": "other"}, "document_number": "no"},
    }[name]
    made = contract([{"entity": name, "columns": base | {column: expression}}], fields)
    (row,) = run(made, name, [{"no": "1", "x": text}])
    return row[column]


CONTACT = {
    "name": "contact",
    "logicalType": "object",
    "properties": [
        {"name": "mobile", "physicalName": "mobile no."},
        {"name": "home", "logicalType": "object", "properties": [{"name": "city"}]},
    ],
}
JSONL = {"mode": "full", "format": "jsonl", "pattern": "x"}

GUARANTORS = {
    "name": "guarantors",
    "logicalType": "array",
    "items": {
        "logicalType": "object",
        "properties": [{"name": "cust_no"}, {"name": "name"}],
    },
}
