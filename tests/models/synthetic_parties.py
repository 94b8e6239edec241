"""Standardised parties with known entities: a small seeded generator for the tests of identity resolution.

Entities are persons with a two- or three-character name, a birth date, a valid id, a mobile and an address, and
companies. Every entity has one to four records; records lose or change evidence with the given noise.
"""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

SURNAMES = dict(
    zip(
        "王李张刘陈杨黄赵吴周",
        ["WANG", "LI", "ZHANG", "LIU", "CHEN", "YANG", "HUANG", "ZHAO", "WU", "ZHOU"],
        strict=True,
    )
)
GIVEN = dict(
    zip(
        "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平",
        [
            "WEI",
            "FANG",
            "NA",
            "MIN",
            "JING",
            "LI",
            "QIANG",
            "LEI",
            "JUN",
            "YANG",
            "YONG",
            "YAN",
            "JIE",
            "JUAN",
            "TAO",
            "MING",
            "CHAO",
            "XIU",
            "XIA",
            "PING",
        ],
        strict=True,
    )
)

PARTY = {
    "system": pa.string(),
    "record_id": pa.string(),
    "party_type": pa.string(),
    "name_standard": pa.string(),
    "surname": pa.string(),
    "given_name": pa.string(),
    "name_latin": pa.string(),
    "name_core": pa.string(),
    "legal_form": pa.string(),
    "branch_suffix": pa.string(),
    "birth_date": pa.date32(),
    "birth_date_is_told": pa.bool_(),
    "sex": pa.string(),
    "address_region": pa.string(),
    "address_key": pa.string(),
    "address_is_identifying": pa.bool_(),
    "postcode": pa.string(),
    "birth_place": pa.string(),
    "occupation": pa.string(),
    "branch_id": pa.string(),
    "opened_date": pa.date32(),
    "updated_at": pa.timestamp("us"),
}
NAME = {k: pa.string() for k in ("system", "record_id", "name_standard", "name_latin", "name_type")}
DOCUMENT = {
    "system": pa.string(),
    "record_id": pa.string(),
    "document_type": pa.string(),
    "document_number": pa.string(),
    "is_valid": pa.bool_(),
    "is_strong": pa.bool_(),
    "birth_date": pa.date32(),
    "sex": pa.string(),
}
CONTACT = {
    "system": pa.string(),
    "record_id": pa.string(),
    "contact_type": pa.string(),
    "contact_value": pa.string(),
    "seen_date": pa.date32(),
    "holding_no": pa.int64(),
    "party_count": pa.int64(),
    "is_identifying": pa.bool_(),
}
SCHEMAS = {"party_standard": PARTY, "party_name": NAME, "party_document": DOCUMENT, "party_contact": CONTACT}


@dataclass
class Parties:
    """Rows of the four tables, and the entity of each record."""

    party_standard: list[dict[str, Any]] = field(default_factory=list)
    party_name: list[dict[str, Any]] = field(default_factory=list)
    party_document: list[dict[str, Any]] = field(default_factory=list)
    party_contact: list[dict[str, Any]] = field(default_factory=list)
    truth: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self,
        record_id: str,
        *,
        system: str = "core",
        party_type: str = "person",
        name: str | None = None,
        latin: str | None = None,
        documents: tuple[tuple[str, str, bool], ...] = (),
        mobile: str | None = None,
        email: str | None = None,
        entity: str | None = None,
        **columns: Any,
    ) -> None:
        """Add one record; ``documents`` are (type, number, is_strong)."""
        key = {"system": system, "record_id": record_id}
        self.party_standard.append(
            {**dict.fromkeys(PARTY), **key, "party_type": party_type, "name_standard": name, "name_latin": latin}
            | {"birth_date_is_told": columns.get("birth_date") is not None}
            | columns
        )
        if name:
            self.party_name.append({**key, "name_standard": name, "name_latin": latin, "name_type": "legal"})
        for document_type, number, strong in documents:
            self.party_document.append(
                {**dict.fromkeys(DOCUMENT), **key, "document_type": document_type, "document_number": number}
                | {"is_valid": strong, "is_strong": strong}
            )
        for contact_type, value in (("mobile", mobile), ("email", email)):
            if value:
                self.party_contact.append(
                    {**key, "contact_type": contact_type, "contact_value": value}
                    | {"holding_no": 1, "party_count": 1, "is_identifying": True}
                )
        self.truth.append({**key, "entity_id": entity or f"{system}/{record_id}"})

    def connect(self, order: np.random.Generator | None = None) -> duckdb.DuckDBPyConnection:
        """An in-memory DuckDB with schema ``identity`` and table ``truth``; rows shuffled by ``order``."""
        con = duckdb.connect(config={"threads": 2})
        con.execute("create schema identity")
        for table, schema in SCHEMAS.items():
            rows = list(getattr(self, table))
            if order is not None:
                order.shuffle(rows)
            con.register("incoming", pa.Table.from_pylist(rows, schema=pa.schema(list(schema.items()))))
            con.execute(f"create table identity.{table} as from incoming")
            con.unregister("incoming")
        truth = pa.schema([(k, pa.string()) for k in ("system", "record_id", "entity_id")])
        con.register("incoming", pa.Table.from_pylist(self.truth, schema=truth))
        con.execute("create table truth as from incoming")
        con.unregister("incoming")
        return con


def generate(entities: int, seed: int, noise: float = 0.15, duplicates: bool = True) -> Parties:
    """Parties of ``entities`` persons and a tenth as many companies."""
    rng = np.random.default_rng(seed)
    parties = Parties()
    for number in range(entities):
        _person(parties, rng, number, noise, duplicates)
    for number in range(entities // 10):
        _company(parties, rng, number, noise, duplicates)
    return parties


def _person(parties: Parties, rng: np.random.Generator, number: int, noise: float, duplicates: bool) -> None:
    surname = str(rng.choice(list(SURNAMES)))
    given = "".join(rng.choice(list(GIVEN), size=int(rng.integers(1, 3))))
    born = dt.date(1950, 1, 1) + dt.timedelta(days=int(rng.integers(0, 18_000)))
    sex = str(rng.choice(["male", "female"]))
    document = f"{110101 + int(rng.integers(0, 30))}{born:%Y%m%d}{number % 10_000:04d}"
    mobile = f"+861{int(rng.integers(3_0000_0000, 9_9999_9999)):010d}"
    region, street = f"R{int(rng.integers(0, 50))}", f"S{number}"
    for copy in range(int(rng.integers(1, 5)) if duplicates else 1):
        lost = rng.random(6) < noise
        shown = given if not (lost[0] and copy) else given[:-1] + str(rng.choice(list(GIVEN)))
        documents: tuple[tuple[str, str, bool], ...] = (("resident_id", document, True),)
        if lost[1]:
            documents = ()
        elif lost[2]:
            documents = (("resident_id", document[:10] + "****" + document[14:], False),)
        parties.add(
            f"{number:06d}-{copy}",
            system=("core", "card", "loan")[copy % 3],
            name=surname + shown,
            latin=" ".join((SURNAMES[surname], "".join(GIVEN[c] for c in shown))),
            surname=surname,
            given_name=shown,
            birth_date=None if lost[3] else born,
            sex=sex,
            documents=documents,
            mobile=mobile if not lost[4] else f"+861{int(rng.integers(3_0000_0000, 9_9999_9999)):010d}",
            address_region=region,
            address_key=street if not lost[5] else f"T{number}",
            entity=f"P{number}",
        )


def _company(parties: Parties, rng: np.random.Generator, number: int, noise: float, duplicates: bool) -> None:
    core = "".join(rng.choice(list(GIVEN), size=4)) + "科技"
    for copy in range(int(rng.integers(1, 3)) if duplicates else 1):
        known = rng.random() > noise
        parties.add(
            f"C{number:05d}-{copy}",
            system=("core", "loan")[copy % 2],
            party_type="organisation",
            name=f"{core}有限公司",
            latin=None,
            name_core=core,
            legal_form="有限公司",
            documents=(("uscc", f"9111{number:014d}", True),) if known else (),
            mobile=f"+8610{number:08d}",
            address_region=f"R{number % 20}",
            address_key=f"C{number}",
            entity=f"O{number}",
        )
