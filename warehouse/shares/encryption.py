"""Attaching a share's file, encrypted or not.

DuckDB encrypts with AES-256-GCM. Reading needs nothing; writing needs OpenSSL, which comes with the extension httpfs.
It is installed as a Python package of the same version and loaded from there: nothing is fetched at run time.
"""

from pathlib import Path

import duckdb
import duckdb_extension_httpfs

from warehouse.build import STORAGE_VERSION
from warehouse.ddl import literal, quoted

# the first storage format with encryption; DuckDB reads it from 1.4 on
ENCRYPTED_STORAGE_VERSION = "v1.4.0"


def attach_new(con: duckdb.DuckDBPyConnection, path: Path, catalog: str, encryption_key: str | None) -> None:
    """Attach a file that does not exist yet, for writing."""
    if encryption_key is None:
        options = f"storage_version {literal(STORAGE_VERSION)}"
    else:
        con.execute(f"load {literal(str(_extension()))}")
        options = (
            f"encryption_key {literal(encryption_key)}, encryption_cipher 'GCM', "
            f"storage_version {literal(ENCRYPTED_STORAGE_VERSION)}"
        )
    con.execute(f"attach {literal(str(path))} as {quoted(catalog)} ({options})")


def attach_existing(con: duckdb.DuckDBPyConnection, path: Path, catalog: str, encryption_key: str | None) -> None:
    """Attach a written file read-only."""
    key = f", encryption_key {literal(encryption_key)}" if encryption_key else ""
    con.execute(f"attach {literal(str(path))} as {quoted(catalog)} (read_only{key})")


def _extension() -> Path:
    version = f"v{duckdb.__version__}"
    return Path(duckdb_extension_httpfs.__file__).parent / "extensions" / version / "httpfs.duckdb_extension"
