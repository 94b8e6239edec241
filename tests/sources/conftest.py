"""A desk to work at: small contracts, exports, and a lake to land them in."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from sources.contract import Contract, SourceObject, parse_contract
from sources.delivery import DeliveryRefused, inspect
from sources.landing import Decisions, History, LandingResult, LandingSettings, LandingTarget, land, land_system
from sources.readers import Reader, Trouble, open_file

KEYED: dict[str, dict[str, Any]] = {"id": {"primaryKey": True}, "name": {}, "balance": {"type": "number"}}
GOOD = "id,name,balance\n" + "".join(f"{n},n{n},{n}.50\n" for n in range(1, 201))
DAY_BEFORE = dt.date(2026, 1, 30)
DATE = dt.date(2026, 1, 31)
NOTHING_DECIDED = Decisions(b"the key of ids")
_CUSTOM = ("width", "start", "on_invalid", "decimals", "not_future", "tokenise", "optional")
_OPTIONS = ("format", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength")

Fields = dict[str, dict[str, Any]]


def _property(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": name, "logicalType": spec.get("type", "string")}
    entry |= {k: spec[k] for k in ("physicalName", "required", "primaryKey", "primaryKeyPosition") if k in spec}
    if options := {k: spec[k] for k in _OPTIONS if k in spec}:
        entry["logicalTypeOptions"] = options
    if "enum" in spec:
        entry["enum"] = [{"value": value} for value in spec["enum"]]
    if custom := [{"property": k, "value": spec[k]} for k in _CUSTOM if k in spec]:
        entry["customProperties"] = custom
    return entry


def make_contract(
    objects: dict[str, tuple[dict[str, Any], Fields]],
    system: str = "core",
    server: dict[str, Any] | None = None,
) -> Contract:
    """Write a contract as YAML, and read it: object name -> (delivery, fields by name)."""
    document = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": system,
        "version": "1.0.0",
        "status": "active",
        "name": system,
        "customProperties": [{"property": "system", "value": system}],
        "servers": [server or {"server": "export", "type": "local", "path": system}],
        "schema": [
            {
                "name": name,
                "logicalType": "object",
                "customProperties": [{"property": "delivery", "value": delivery}],
                "properties": [_property(field, spec) for field, spec in fields.items()],
            }
            for name, (delivery, fields) in objects.items()
        ],
    }
    contract, problems = parse_contract(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), "test.odcs.yaml")
    assert contract is not None and not problems, problems
    return contract


class Desk:
    """Exports below ``exports/core`` and a lake beside them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.exports = root / "exports"
        self.lake = root / "lake"
        (self.exports / "core").mkdir(parents=True)
        self.settings = LandingSettings(root / "spill")

    def put(self, name: str, content: str | bytes, encoding: str = "utf-8") -> Path:
        """Deliver a file of system core."""
        path = self.exports / "core" / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    def contract(self, fields: Fields, name: str = "customer", **delivery: Any) -> Contract:
        """A contract of system core with one object; by default a full CSV of no fixed name."""
        settings = {"mode": "full", "format": "csv", "pattern": "*"} | delivery
        return make_contract({name: (settings, fields)})

    def object(self, fields: Fields, **delivery: Any) -> SourceObject:
        """The object of such a contract."""
        return self.contract(fields, **delivery).objects[0]

    def read(self, fields: Fields, content: str | bytes, name: str = "f", **delivery: Any) -> "Reading":
        """Put a file, and read it with the reader of its format."""
        path = self.put(name, content)
        return Reading(open_file(self.object(fields, **delivery), path, name))

    def partition(self, table: str, date: dt.date) -> Path:
        """Path of a partition, as the lake lays them out."""
        return self.lake / table / f"business_date={date}" / "data.parquet"

    def target(self, obj: SourceObject, date: dt.date, history: Sequence[dt.date] = ()) -> LandingTarget:
        """Where an object lands."""
        return LandingTarget(
            self.partition(obj.table, date),
            self.partition(f"quarantine__{obj.table}", date),
            History(
                tuple(self.partition(obj.table, day) for day in history if day < date),
                tuple(self.partition(f"quarantine__{obj.table}", day) for day in history if day < date),
                tuple(self.partition(obj.table, day) for day in history if day > date),
            ),
        )

    def land(
        self,
        contract: Contract,
        date: dt.date = DATE,
        history: Sequence[dt.date] = (),
        key: bytes | None = None,
        released: Mapping[str, Mapping[str, str | None] | None] | None = None,
    ) -> LandingResult:
        """Land the contract's first object; ``history`` are the other dates, ``released`` what stewards released."""
        found = inspect(contract, self.exports, date)
        target = self.target(contract.objects[0], date, history)
        decisions = replace(NOTHING_DECIDED, released=released or {})
        return land(found.objects[0], date, target, self.settings, decisions, token_key=key)

    def land_system(
        self, contract: Contract, date: dt.date = DATE, environment: dict[str, str] | None = None
    ) -> dict[str, LandingResult]:
        """Land every object of the contract."""
        found = inspect(contract, self.exports, date)
        return land_system(
            found,
            lambda obj: self.target(obj, date),
            self.settings,
            lambda obj: NOTHING_DECIDED,
            environment=environment,
        )

    def rows(self, table: str = "core__customer", date: dt.date = DATE) -> list[dict[str, Any]]:
        """Rows of a landed (or quarantine) table, in their order."""
        with duckdb.connect() as con:
            found = con.execute(
                "from read_parquet($path, hive_partitioning = false)", {"path": str(self.partition(table, date))}
            )
            return found.to_arrow_table().to_pylist()

    def quarantine(self, table: str = "core__customer", date: dt.date = DATE) -> list[dict[str, Any]]:
        """Rows in an object's quarantine."""
        return self.rows(f"quarantine__{table}", date)


class Reading:
    """What a reader gave: rows, lines and troubles."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.troubles: list[Trouble] = []
        self.rows = [row for batch in reader.batches(self.troubles.append) for row in batch.to_pylist()]

    def values(self, *names: str) -> list[Any]:
        """Values of the rows: one field's, or tuples of several."""
        return [row[names[0]] if len(names) == 1 else tuple(row[n] for n in names) for row in self.rows]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An empty desk."""
    return Desk(tmp_path)


def refused(desk: Desk, *args: Any, **kwargs: Any) -> tuple[str, ...]:
    """Problems with which the delivery of a contract is refused; nothing is left of it."""
    with pytest.raises(DeliveryRefused) as error:
        desk.land(*args, **kwargs)
    assert not list(desk.root.glob("lake/**/.*.tmp")), "temporary files are left"
    return error.value.problems
