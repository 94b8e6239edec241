"""Staging tables for the tests of standardisation: a few rows in, the standardised tables out."""

import datetime as dt
import random
from dataclasses import dataclass, field
from typing import Any

import duckdb

from models.identity.standardise import standardise
from models.identity.standardise_settings import StandardiseSettings

BUSINESS_DATE = dt.date(2026, 1, 31)
COLUMNS = {
    "party": (
        "system varchar, record_id varchar, party_type varchar, full_name varchar, given_name varchar,"
        " family_name varchar, birth_date date, birth_place varchar, sex varchar, nationality varchar,"
        " occupation varchar,"
        " industry varchar, branch_id varchar, manager_id varchar, opened_date date, updated_at timestamp,"
        " status_code varchar"
    ),
    "party_name": "system varchar, record_id varchar, name_type varchar, full_name varchar",
    "party_document": (
        "system varchar, record_id varchar, document_type varchar, document_number varchar,"
        " issuing_country varchar, expiry_date date"
    ),
    "party_contact": (
        "system varchar, record_id varchar, contact_type varchar, contact_value varchar, updated_at timestamp"
    ),
    "party_address": (
        "system varchar, record_id varchar, address_type varchar, address_text varchar, province varchar,"
        " city varchar, district varchar, postcode varchar, country varchar"
    ),
}
RESULTS = ("party_standard", "party_name", "party_document", "party_contact", "contact_profile", "address_profile")
Row = dict[str, Any]


@dataclass
class Staging:
    """Rows of the five staging tables; every record is of the system ``core`` unless it says otherwise."""

    rows: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in COLUMNS})

    def party(self, record_id: str, full_name: str | None = None, party_type: str = "person", **more: Any) -> str:
        self._add("party", record_id, full_name=full_name, party_type=party_type, **more)
        return record_id

    def organisation(self, record_id: str, full_name: str | None, **more: Any) -> str:
        return self.party(record_id, full_name, party_type="organisation", **more)

    def name(self, record_id: str, full_name: str, name_type: str = "embossed") -> None:
        self._add("party_name", record_id, full_name=full_name, name_type=name_type)

    def document(self, record_id: str, number: str, kind: str = "resident_id", country: str | None = None) -> None:
        self._add("party_document", record_id, document_type=kind, document_number=number, issuing_country=country)

    def contact(self, record_id: str, value: str, kind: str = "mobile", seen: dt.date | None = None) -> None:
        self._add("party_contact", record_id, contact_type=kind, contact_value=value, updated_at=seen)

    def address(self, record_id: str, text: str | None, *regions: str | None, kind: str = "home", **more: Any) -> None:
        province, city, district = (*regions, None, None, None)[:3]
        self._add(
            "party_address", record_id, address_type=kind, address_text=text,
            province=province, city=city, district=district, **more,
        )  # fmt: skip

    def _add(self, table: str, record_id: str, **values: Any) -> None:
        self.rows[table].append({"system": "core", "record_id": record_id, **values})

    def connection(self, shuffle_seed: int | None = None) -> duckdb.DuckDBPyConnection:
        con = duckdb.connect(config={"threads": 2})
        con.execute("create schema staging")
        for table, columns in COLUMNS.items():
            con.execute(f"create table staging.{table} ({columns})")
            rows = list(self.rows[table])
            if shuffle_seed is not None:
                random.Random(shuffle_seed).shuffle(rows)
            for row in rows:
                names = ", ".join(row)
                marks = ", ".join(f"${name}" for name in row)
                con.execute(f"insert into staging.{table} ({names}) values ({marks})", row)
        return con

    def standardised(
        self, settings: StandardiseSettings | None = None, shuffle_seed: int | None = None
    ) -> "Standardised":
        con = self.connection(shuffle_seed)
        standardise(con, settings or StandardiseSettings(), BUSINESS_DATE)
        return Standardised({table: rows_of(con, f"select * from std.{table} order by all") for table in RESULTS})


@dataclass(frozen=True)
class Standardised:
    """The tables as lists of rows."""

    tables: dict[str, list[Row]]

    def party(self, record_id: str) -> Row:
        (row,) = [row for row in self.tables["party_standard"] if row["record_id"] == record_id]
        return row

    def profile(self, value: str) -> Row:
        """The profile of one contact value."""
        (row,) = [row for row in self.tables["contact_profile"] if row["contact_value"] == value]
        return row

    def of(self, table: str, record_id: str, *columns: str) -> list[Any]:
        rows = [row for row in self.tables[table] if row["record_id"] == record_id]
        return [tuple(row[column] for column in columns) if len(columns) > 1 else row[columns[0]] for row in rows]


def rows_of(con: duckdb.DuckDBPyConnection, sql: str) -> list[Row]:
    found = con.execute(sql)
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def settings_of(**changes: Any) -> StandardiseSettings:
    return StandardiseSettings.model_validate(changes)
