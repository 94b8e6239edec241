"""What a landing came to: rows, files, control figures, warnings; kept as JSON beside the landed partition.

A manifest names no value of any row. The next night compares checksums with it, the release reports from it.
"""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from sources.parquet_files import publish

FILE = "manifest.json"


@dataclass(frozen=True)
class LandedFile:
    """One data file: its name below the system's folder, bytes and checksum as delivered, rows delivered."""

    name: str
    bytes: int
    sha256: str
    rows: int


@dataclass(frozen=True)
class FieldTotal:
    """Sum of one field of a delivery, implied decimals set.

    ``stated`` by the sender (None: nothing is), ``delivered`` in all readable rows, and of these what went into
    quarantine and what was left out with forgotten parties; ``released`` is what stewards let in as it landed (it is
    in ``quarantined`` as it was delivered); ``unread`` rows brought no readable number.
    """

    stated: Decimal | None
    delivered: Decimal
    quarantined: Decimal = Decimal(0)
    released: Decimal = Decimal(0)
    forgotten: Decimal = Decimal(0)
    unread: int = 0

    @property
    def landed(self) -> Decimal:
        """What the landed rows add up to."""
        return self.delivered - self.quarantined + self.released - self.forgotten


@dataclass(frozen=True)
class ReleasedRow:
    """A row that landed because a steward released it: its id, where it was delivered, why it was in quarantine."""

    quarantine_id: str
    business_date: dt.date
    source_file: str
    source_line: int
    rule: str = field(default="", compare=False)
    reason: str = field(default="", compare=False)
    field: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class LandingResult:
    """What a landing came to.

    ``rows_delivered + rows_released = rows_landed + rows_quarantined + rows_forgotten`` always, where ``rows_released``
    are rows of earlier deliveries. ``released`` lists those and the delivery's own released rows, ``held`` the ids of
    rows that are released and cannot land.
    """

    system: str
    object: str
    business_date: dt.date
    mode: str
    rows_delivered: int
    rows_landed: int
    rows_quarantined: int
    blank_lines: int = 0
    files: tuple[LandedFile, ...] = ()
    control_source: str | None = None
    control_rows: int | None = None
    totals: Mapping[str, FieldTotal] = field(default_factory=dict)
    quarantined_by_rule: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    rows_forgotten: int = 0
    rows_released: int = 0
    released: tuple[ReleasedRow, ...] = ()
    held: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.is_conserved:
            raise AssertionError(
                f"{self.system}.{self.object}: {self.rows_delivered} rows delivered and {self.rows_released} released, "
                f"but {self.rows_landed} landed, {self.rows_quarantined} in quarantine, {self.rows_forgotten} forgotten"
            )

    @property
    def is_conserved(self) -> bool:
        """Whether every row delivered or released is landed, in quarantine, or of a forgotten party."""
        left = self.rows_landed + self.rows_quarantined + self.rows_forgotten
        return self.rows_delivered + self.rows_released == left

    def to_json(self) -> str:
        """JSON text with sorted keys; money as text."""
        return json.dumps(asdict(self), default=str, ensure_ascii=False, indent=2, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "LandingResult":
        """Read what ``to_json`` wrote."""
        data: dict[str, Any] = json.loads(text)
        # a manifest of before 0.1.0 lacks what was set aside: its totals say too little to be reckoned with
        data.pop("control_totals", None)
        totals = {
            name: FieldTotal(
                None if t["stated"] is None else Decimal(t["stated"]),
                Decimal(t["delivered"]),
                Decimal(t["quarantined"]),
                Decimal(t["released"]),
                Decimal(t["forgotten"]),
                t["unread"],
            )
            for name, t in data.get("totals", {}).items()
        }
        return cls(
            **data
            | {
                "business_date": dt.date.fromisoformat(data["business_date"]),
                "files": tuple(LandedFile(**entry) for entry in data["files"]),
                "totals": totals,
                "warnings": tuple(data["warnings"]),
                "released": tuple(
                    ReleasedRow(**row | {"business_date": dt.date.fromisoformat(row["business_date"])})
                    for row in data.get("released", ())
                ),
                "held": tuple(data.get("held", ())),
            }
        )


def write_manifest(result: LandingResult, partition: Path) -> None:
    """Keep the result beside a landed partition, replaced atomically."""
    path = partition.with_name(FILE)
    temporary = path.with_name(f".{FILE}.tmp")
    temporary.write_text(result.to_json() + "\n", encoding="utf-8")
    publish(temporary, path)


def read_manifest(partition: Path) -> LandingResult | None:
    """The result kept beside a landed partition; None if there is none."""
    path = partition.with_name(FILE)
    return LandingResult.from_json(path.read_text(encoding="utf-8")) if path.exists() else None
