"""What a home holds after a night, told so that two homes can be compared; and what should not be in it."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import duckdb

from pipelines.workspace import Workspace
from warehouse.audit import AuditLog

# say when they were written, and where the audit log stood
_OF_THE_ACT = ("meta.release", "meta.share")
# lasting files under a dot
_LASTING = (".lock",)
_NOT_OURS = ("dagster", "exports")


def content(workspace: Workspace) -> dict[str, str]:
    """A hash of each table of the current release, each table of each current share, and each partition of the lake.

    Keyed ``release/layer.table``, ``share/NAME/layer.table``, ``lake/PATH``. Order of rows counts in the lake alone.
    """
    current = workspace.releases.current()
    if current is None:
        return {}
    with workspace.releases.connect() as con:
        found = {"release": current.id, **dict(_tables("release", con))}
    for name in workspace.bank.shares.shares:
        if version := workspace.shares.current(name):
            key = workspace.share_keys.encryption_key(name) if version.is_encrypted else None
            with workspace.shares.connect(version, key) as con:
                found |= {f"share/{name}": version.id, **dict(_tables(f"share/{name}", con))}
    for path in sorted(workspace.lake.root.glob("*/*/business_date=*/data.parquet")):
        place = path.relative_to(workspace.lake.root).parent
        found[f"lake/{place}"] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def _tables(prefix: str, con: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str]]:
    listed = "select database_name, schema_name, table_name from duckdb_tables() where not internal order by all"
    for database, schema, table in con.execute(listed).fetchall():
        if f"{schema}.{table}" not in _OF_THE_ACT:
            relation = f'"{database}"."{schema}"."{table}"'
            query = f"select count(*) || ':' || coalesce(sum(hash(t)::hugeint), 0) from {relation} t"
            yield f"{prefix}/{schema}.{table}", str(con.execute(query).fetchall()[0][0])


def lost_and_left(workspace: Workspace) -> list[str]:
    """What is wrong with a home after a night: records that are missing, temporary files that are left."""
    wrong = list(AuditLog(workspace.home / "audit").verify().faults)
    told = {(entry.action, entry.subject) for entry in workspace.audit.entries()}
    for release in workspace.releases.list():
        if ("published", release.id) not in told:
            wrong.append(f"the audit log does not know who published {release.id}")
    return wrong + [f"left: {path}" for path in leftovers(workspace.home)]


def leftovers(home: Path) -> list[str]:
    """Files and folders of the home under a temporary name, and everything in the folder to spill to."""
    found = []
    for path in home.rglob("*"):
        place = path.relative_to(home)
        temporary = path.name.startswith(".") or path.suffix in (".tmp", ".wal")
        if (
            place.parts[0] not in _NOT_OURS
            and path.name not in _LASTING
            and (temporary or place.parent.name == "spill")
        ):
            found.append(str(place))
    return sorted(found)
