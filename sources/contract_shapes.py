"""Shapes of a contract: what the rest of the project knows about a source system.

``Contract`` -> ``SourceObject`` -> ``Field``, ``Delivery``, ``Control``. They only say; ``contract_check`` makes
them from a document and vouches for what they say. Import them from ``sources.contract``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field as Setting
from pydantic import model_validator

from sources.expressions import Fill, Shape, Text, Texts
from sources.problems import Document, Location, Problem


class Operation(Shape):
    """Delta deliveries: the field that says what happened to the row; every other code is an upsert."""

    field: str
    delete: Texts = Setting(min_length=1)


class Checksum(Shape):
    """Checksum of the data file's bytes, and where the control file states it."""

    algorithm: Literal["md5", "sha1", "sha256", "sha512"]
    key: str


class ControlDate(Shape):
    """Where the control file states the business date, and how (strptime)."""

    key: str
    format: str = "%Y-%m-%d"


class Control(Shape):
    """What states how many rows and which totals a delivery has: a control file or manifest, or a trailer line."""

    pattern: str | None = None
    trailer: str | None = None
    format: Literal["key_value", "json", "csv"] = "key_value"
    encoding: str = "utf-8"
    match: dict[str, str] = Setting(default_factory=dict)
    rows: str | None = None
    totals: dict[str, str] = Setting(default_factory=dict)
    checksum: Checksum | None = None
    business_date: ControlDate | None = None

    @model_validator(mode="after")
    def _one_place(self) -> "Control":
        if (self.pattern is None) == (self.trailer is None):
            raise ValueError("give either 'pattern' (a control file) or 'trailer' (a regex over the last line)")
        return self


class Delivery(Shape):
    """How an object arrives: mode, format, file pattern or table, and the checks of the delivery as a whole."""

    mode: Literal["full", "delta", "append"]
    format: Literal["csv", "fixed", "jsonl", "parquet", "excel", "sql", "auto"]
    pattern: str | None = None
    parts: bool = False
    encoding: str = "utf-8"
    delimiter: str = Setting(",", min_length=1)
    quote: str | None = Setting('"', max_length=1)
    escape: str | None = Setting(None, max_length=1)
    header: bool = True
    skip_lines: int = Setting(0, ge=0)
    trailer_lines: int = Setting(0, ge=0)
    sheet: Text | None = None
    table: str | None = None
    query: str | None = None
    operation: Operation | None = None
    reject_limit: float = Setting(0.01, ge=0, le=1)
    on_extra_field: Literal["keep", "refuse"] = "keep"
    on_repeat: Literal["ignore", "warn", "refuse"] | None = None
    ready: str | None = None
    control: Control | None = None

    @property
    def refuses_repeat(self) -> bool:
        """Whether a file identical to the previous business date's is refused (else a warning)."""
        return self.on_repeat == "refuse" or (self.on_repeat is None and self.mode != "full")


@dataclass(frozen=True)
class Field:
    """One field as delivered. ``physical_name`` is the header, JSON key or database column; ``name`` is ours.

    ``formats``: strptime formats of a date or timestamp ('' tuple: not said). ``width`` and ``start`` (from 1) are
    bytes. ``decimals``: implied decimals, '12345' with 2 means 123.45. ``optional``: the file may lack the column.
    ``properties`` are those of a nested object, ``items`` describes the items of an array.
    """

    name: str
    physical_name: str
    description: str = ""
    logical_type: str = "string"
    options: Mapping[str, Any] = field(default_factory=dict)
    formats: tuple[str, ...] = ()
    required: bool = False
    primary_key: bool = False
    key_position: int = 0
    unique: bool = False
    classification: str = "C2"
    enum: tuple[str, ...] = ()
    width: int | None = None
    start: int | None = None
    on_invalid: str = "null"
    decimals: int = 0
    not_future: bool = False
    tokenise: str | None = None
    optional: bool = False
    properties: tuple["Field", ...] = ()
    items: "Field | None" = None

    @property
    def is_nested(self) -> bool:
        """Whether the raw text may be JSON (an object or an array)."""
        return self.logical_type in ("object", "array")

    def nested(self, name: str) -> "Field | None":
        """Return the nested property of that name, if any."""
        return next((inner for inner in self.properties if inner.name == name), None)


@dataclass(frozen=True)
class QualityCheck:
    """An ODCS quality rule of type sql: the query's single value compared (``mustBe``...) with ``expected``."""

    name: str
    description: str
    query: str
    comparison: str
    expected: Any
    severity: str
    field: str | None = None


@dataclass(frozen=True)
class Latency:
    """ODCS service level ``latency``: the newest value of a date field is at most so many days before the night's."""

    field: str
    days: int


@dataclass(frozen=True)
class SourceObject:
    """One object of a system: a file or table, how it is delivered, its fields, what it fills."""

    system: str
    name: str
    description: str
    delivery: Delivery
    fields: tuple[Field, ...]
    fills: tuple[Fill, ...] = ()
    quality: tuple[QualityCheck, ...] = ()
    latencies: tuple[Latency, ...] = ()
    fill_places: tuple[int, ...] = field(default=(), compare=False, repr=False)
    origin: Document | None = field(default=None, compare=False, repr=False)
    location: Location = field(default=(), compare=False, repr=False)

    @property
    def table(self) -> str:
        """Name of the object's table in the lake, ``core__customer``."""
        return f"{self.system}__{self.name}"

    @property
    def relation(self) -> str:
        """Relation that holds the object's current rows: all of a snapshot, all history, or the delta's state."""
        schema = {"full": "landing", "append": "landing_history", "delta": "staging"}[self.delivery.mode]
        return f"{schema}.{self.table}"

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Names of the key fields, in ``primaryKeyPosition`` order (as written where no position is given)."""
        keys = [f for f in self.fields if f.primary_key]
        return tuple(f.name for f in sorted(keys, key=lambda f: f.key_position or len(keys)))

    def find(self, name: str) -> Field | None:
        """Return the field of that name, if any."""
        return next((f for f in self.fields if f.name == name), None)

    def problem(self, location: Location, message: str) -> Problem:
        """Make the problem at a location below this object, such as ``("fills", 0, "columns", "sex")``."""
        if self.origin is None:
            return Problem("", 0, ".".join(map(str, (self.table, *location))), message)
        return self.origin.problem(custom_location(self.origin, self.location, location), message)


@dataclass(frozen=True)
class Server:
    """Where the system's export lies: a folder below the exports folder, or a database URL (SQLAlchemy)."""

    type: str
    path: str = ""
    url: str | None = None


@dataclass(frozen=True)
class Contract:
    """One system's contract."""

    system: str
    title: str
    version: str
    server: Server
    objects: tuple[SourceObject, ...]
    file: str = ""

    def find(self, name: str) -> SourceObject | None:
        """Return the object of that name, if any."""
        return next((o for o in self.objects if o.name == name), None)


def custom_location(document: Document, base: Location, location: Location) -> Location:
    """Turn ``("delivery", "mode")`` into its place in the document: inside the list of custom properties."""
    value: Any = document.data
    for step in base:
        value = value[step]
    entries = value.get("customProperties") if isinstance(value, dict) else None
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        if location and isinstance(entry, dict) and entry.get("property") == location[0]:
            return (*base, "customProperties", number, "value", *location[1:])
    return (*base, *location)
