"""What all assets share: keys, partitions, policies and the metadata shown in the UI. No PII in any of it."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import dagster as dg
import duckdb

from models.tables import Table
from pipelines.disk import full_disk
from pipelines.night_lock import hold_night
from pipelines.workspace import Workspace
from sources.errors import DeliveryRefused
from warehouse.release import ReleaseBlockedError

OWNERS = ["team:customer-data"]
RETRY = dg.RetryPolicy(max_retries=2, delay=20, backoff=dg.Backoff.EXPONENTIAL)
POOL = "night"


@dataclass(frozen=True)
class Wiring:
    """What asset factories need to know: the workspace and its daily partitions."""

    workspace: Workspace
    partitions: dg.DailyPartitionsDefinition

    def asset(
        self,
        key: dg.AssetKey,
        description: str,
        deps: Iterable[dg.AssetKey],
        kinds: Iterable[str],
        pii: bool,
        schema: dg.TableSchema | None = None,
    ) -> dg.AssetSpec:
        """Asset spec with what every asset has: daily partitions, group, owners, kinds, PII tag, column schema."""
        return dg.AssetSpec(
            key=key,
            deps=list(deps),
            description=description,
            metadata={"dagster/column_schema": schema} if schema else {},
            group_name=key.path[0],
            partitions_def=self.partitions,
            kinds=set(kinds),
            owners=OWNERS,
            tags={"pii": "true" if pii else "false"},
        )

    def table(self, table: Table, deps: Iterable[dg.AssetKey], kinds: Iterable[str]) -> dg.AssetSpec:
        """Asset spec of a defined table."""
        return self.asset(
            asset_key(table.id),
            f"{table.en}\n\n{table.zh}\n\nGrain: {', '.join(table.key)}.",
            deps,
            kinds,
            any(column.pii != "none" for column in table.columns),
            column_schema(table),
        )

    @contextmanager
    def step(self) -> Iterator[None]:
        """Run an asset's body: one night at a time in the home, and only passing troubles are tried again.

        A full disk or a busy file may pass; what is wrong with data, settings or code will not mend itself.
        """
        hold_night(self.workspace.home)
        try:
            yield
        except Exception as error:
            if told := full_disk(error, self.workspace.home):
                raise dg.Failure(told, metadata={"error": "DiskFull"}) from error
            if isinstance(error, OSError | duckdb.IOException):
                raise
            blocked = isinstance(error, (DeliveryRefused, ReleaseBlockedError))
            kind = "Blocked" if blocked else type(error).__name__
            raise dg.Failure(str(error), metadata={"error": kind}, allow_retries=False) from error


def asset_key(table_id: str) -> dg.AssetKey:
    """``layer.table`` as an asset key; history and previous-night views depend on the table itself."""
    schema, _, name = table_id.partition(".")
    return dg.AssetKey(["landing" if schema == "landing_history" else schema, name])


def asset_keys(table_ids: Iterable[str]) -> list[dg.AssetKey]:
    """Asset keys of the inputs, each once, without last night's tables (those are state, not inputs)."""
    return list(dict.fromkeys(asset_key(t) for t in table_ids if not t.startswith("previous.")))


def business_date(context: dg.AssetExecutionContext) -> dt.date:
    """The partition that the run materialises."""
    return dt.date.fromisoformat(context.partition_key)


def column_schema(table: Table) -> dg.TableSchema:
    """Dagster's column schema of a table, from its definitions."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=c.name,
                type=c.type,
                description=f"{c.en} | {c.zh}",
                constraints=dg.TableColumnConstraints(nullable=not c.required, unique=table.key == (c.name,)),
                tags={"pii": c.pii},
            )
            for c in table.columns
        ]
    )


def rows(count: int, **more: dg.MetadataValue | int | str) -> Mapping[str, Any]:
    """Metadata of a materialisation: the row count that the UI charts, and more."""
    return {"dagster/row_count": count, **more}
