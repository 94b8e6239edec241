"""What a release is: the id, the dates and fingerprints that its folder says of it, read without opening the database.

Where releases lie and which one is current is ``warehouse.release_store``'s matter, how one comes about
``warehouse.candidate``'s, what two of them differ in ``warehouse.release_diff``'s.

    2026-01-31.1/customer360.duckdb      the warehouse
    2026-01-31.1/mart/<table>.parquet    the marts, for readers without DuckDB
    2026-01-31.1/release.json            what the release is, without opening it
"""

import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from warehouse.fingerprint import Fingerprint

DATABASE = "customer360.duckdb"
DESCRIPTION = "release.json"
MARTS = "mart"

RELEASE_ID = re.compile(r"(\d{4}-\d{2}-\d{2})\.(\d+)")


class ReleaseError(RuntimeError):
    """A release cannot be built, published or switched to; the message says why and what to do."""


class ReleaseBlockedError(ReleaseError):
    """Blocking checks failed, or a table was not checked; the last release stays."""


@dataclass(frozen=True)
class Release:
    """A published release.

    Attributes:
        id: business date and number, ``2026-01-31.1``.
        business_date: the date it describes.
        number: counts the publications of that date, from 1.
        path: its folder, never through ``current``.
        published_at: when it was finished, UTC.
        bank: name of the bank.
        code_version: version of the code that made it.
        model_version: version of the identity model.
        content_hash: fingerprint of its whole content; the same for the same content.
        tables: fingerprint of each table.
        unchanged: set by ``Candidate.finish`` when this release, published before, already holds the
            candidate's content, so that nothing new was published.
    """

    id: str
    business_date: dt.date
    number: int
    path: Path
    published_at: dt.datetime
    bank: str
    code_version: str
    model_version: str
    content_hash: str
    tables: Mapping[str, Fingerprint]
    unchanged: bool = False

    @property
    def database(self) -> Path:
        """The DuckDB file: open it read-only."""
        return self.path / DATABASE

    @property
    def rows(self) -> dict[str, int]:
        """Row count of each data table."""
        return {n: p.rows for n, p in self.tables.items() if not n.startswith("meta.")}

    @property
    def customers(self) -> int:
        """Number of unified customers."""
        return self.rows.get("customer.customer", 0)

    @property
    def order(self) -> tuple[dt.date, int]:
        """Sorts releases: by business date, then by number."""
        return self.business_date, self.number


def read_release(path: Path) -> Release | None:
    """Read what a release's folder says of itself; None if there is no release in it."""
    name = RELEASE_ID.fullmatch(path.name)
    try:
        said = json.loads((path / DESCRIPTION).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    if name is None:
        return None
    return Release(
        id=path.name,
        business_date=dt.date.fromisoformat(name[1]),
        number=int(name[2]),
        path=path,
        published_at=dt.datetime.fromisoformat(said["published_at"]),
        bank=said["bank"],
        code_version=said["code_version"],
        model_version=said["model_version"],
        content_hash=said["content_hash"],
        tables={table: Fingerprint(**one) for table, one in said["tables"].items()},
    )


def describe(release: Release) -> str:
    """The text of ``release.json``, which ``read_release`` reads."""
    content = {
        "release_id": release.id,
        "published_at": release.published_at.isoformat(),
        "bank": release.bank,
        "code_version": release.code_version,
        "model_version": release.model_version,
        "content_hash": release.content_hash,
        "tables": {name: vars(one) for name, one in release.tables.items()},
    }
    return json.dumps(content, indent=2) + "\n"
