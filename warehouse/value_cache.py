"""Results by value that one night leaves for the next, as Parquet in the home.

Here lives their keeping: ``<folder>/<version>/<kind>-<content hash>.parquet``. Here does not live what is
remembered and when it is void (``models/identity/known_values.py``). The folder may be deleted at any time: the next
night works everything out again. It holds values of personal data as they were delivered, those of the last night only.
"""

import logging
import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb

from warehouse.lake import replace_durably, sha256

log = logging.getLogger(__name__)

_DIGITS = 16


@dataclass(frozen=True)
class ValueCache:
    """The kept results below one folder; only one night at a time may use it."""

    folder: Path

    def load(self, con: duckdb.DuckDBPyConnection, schema: str, version: str) -> None:
        """Create a view ``<schema>.<kind>`` for each kind of result that was kept under this version.

        A file whose content is not what was written is left out: its values are worked out again.
        """
        con.execute(f"create schema if not exists {schema}")
        for path in sorted((self.folder / version).glob("*.parquet")):
            kind, _, digest = path.stem.rpartition("-")
            if sha256(path)[:_DIGITS] != digest:
                log.warning("%s is damaged; its values are worked out again", path)
                continue
            con.execute(f"create view {schema}.{kind} as from read_parquet('{_quoted(path)}')")

    def store(self, con: duckdb.DuckDBPyConnection, schema: str, version: str) -> None:
        """Keep the tables of a schema under this version, and nothing else: results of other values or versions go."""
        folder = self.folder / version
        folder.mkdir(parents=True, exist_ok=True)
        kept = {folder}
        listed = "select table_name from duckdb_tables() where schema_name = $1 order by table_name"
        for (kind,) in con.execute(listed, [schema]).fetchall():
            temporary = folder / f".{kind}.tmp"
            con.execute(f"copy {schema}.{kind} to '{_quoted(temporary)}' (format parquet, compression zstd)").fetchall()
            path = folder / f"{kind}-{sha256(temporary)[:_DIGITS]}.parquet"
            replace_durably(temporary, path)
            kept.add(path)
        for path in {*self.folder.iterdir(), *folder.iterdir()} - kept:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
