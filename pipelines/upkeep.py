"""What is done before a night: the home can be written, nothing temporary is left, what will be read is whole.

Partitions of earlier dates that are damaged are made anew by the step that made them, from inputs that are verified in
turn. Those of the night's own date need nothing: the night makes all of them, and verifies each that it reads.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import duckdb

from pipelines import steps
from pipelines.assets.identity import STEPS
from pipelines.assets.tables import made_one_by_one
from pipelines.disk import remove_spilt, require_writable
from pipelines.workspace import Workspace
from sources.contract import Contract, SourceObject
from sources.delivery import inspect
from sources.errors import DeliveryError, DeliveryRefused
from sources.manifest import read_manifest
from warehouse.lake import DamagedPartitionError, MissingPartitionError, checksums, sha256


def prepare(workspace: Workspace, date: dt.date, say: Callable[[str], None]) -> None:
    """Make the home ready for the night of a date; the night's lock must be held.

    Raises:
        HomeError: a folder cannot be written.
        DamagedPartitionError: a partition that the night would read is damaged and cannot be made anew.
    """
    require_writable(workspace.home)
    remove_leftovers(workspace)
    mend(workspace, date, say)


def remove_leftovers(workspace: Workspace) -> None:
    """Remove what killed nights left under temporary names; the night's lock must be held.

    Raises:
        ReleaseError: another process publishes or rolls back.
        ShareError: another process makes shares.
    """
    workspace.releases.tidy()
    workspace.shares.tidy()
    for path in workspace.lake.root.glob("*/*/business_date=*/.*.tmp"):
        path.unlink(missing_ok=True)
    for folder in ("reports", "models/*", "secrets"):
        for path in workspace.home.glob(f"{folder}/.*.tmp"):
            path.unlink(missing_ok=True)
    remove_spilt(workspace.home)


def mend(workspace: Workspace, date: dt.date, say: Callable[[str], None]) -> None:
    """Verify every partition of an earlier date that the night will read, and make those anew that are damaged.

    Args:
        workspace: bank and home.
        date: the night's business date.
        say: told of each partition that was made anew.

    Raises:
        DamagedPartitionError: one cannot be made anew: its inputs are gone.
    """
    makers = dict(_makers(workspace))
    for table_id, day in sorted(set(_read_of_earlier(workspace, date)), key=lambda one: (one[1], one[0])):
        try:
            workspace.lake.require(table_id, day)
        except DamagedPartitionError as damage:
            _make_anew(makers, damage, say, ())


def _make_anew(
    makers: dict[str, Callable[[dt.date], object]],
    damage: DamagedPartitionError,
    say: Callable[[str], None],
    waiting: tuple[Path, ...],
) -> None:
    """Make a damaged partition anew, and before it those of its inputs that are damaged too."""
    table_id, day, path = damage.table_id, damage.business_date, damage.path
    written = checksums(path)
    while True:
        try:
            makers[table_id](day)
            break
        except DamagedPartitionError as deeper:
            if deeper.path in (*waiting, path):
                raise
            _make_anew(makers, deeper, say, (*waiting, path))
        except (DeliveryError, MissingPartitionError, duckdb.IOException) as error:
            remedy = f"it cannot be made anew, restore the file from a backup: {error}"
            raise DamagedPartitionError(table_id, day, path, remedy) from error
    same = "as it was" if sha256(path) in written else f"but differs from what it was: run again from {day} on"
    say(f"{table_id} of {day} was damaged ({path}); it was made anew, {same}")


def _makers(workspace: Workspace) -> Iterator[tuple[str, Callable[[dt.date], object]]]:
    """How each table of the lake is made for a date."""
    for table, _, make in made_one_by_one(workspace):
        yield table.id, partial(make, workspace, table)
    for step, table_ids in STEPS.values():
        yield from ((table_id, partial(step, workspace)) for table_id in table_ids)
    for contract, source in _objects(workspace):
        land = partial(_land_again, workspace, contract, source)
        yield f"landing.{source.table}", land
        yield f"landing.quarantine__{source.table}", land
        if source.delivery.mode == "delta":
            yield f"staging.{source.table}", partial(steps.apply_delta, workspace, source)


def _land_again(workspace: Workspace, contract: Contract, source: SourceObject, date: dt.date) -> None:
    """Land an object of an earlier date once more, from the very files that it was landed from.

    Raises:
        DeliveryError: they are gone, or others are there; a database tells only what it holds now.
    """
    landed = read_manifest(workspace.lake.path(f"landing.{source.table}", date))
    found = next(one for one in inspect(contract, workspace.exports, date).objects if one.obj.name == source.name)
    if not landed or not landed.files or sorted(f.sha256 for f in landed.files) != sorted(map(sha256, found.files)):
        raise DeliveryRefused(f"{contract.system}.{source.name}: what was delivered for {date} is no longer there")
    steps.land(workspace, contract, [source], date)


def _read_of_earlier(workspace: Workspace, date: dt.date) -> Iterator[tuple[str, dt.date]]:
    """Partitions of earlier dates that the night of a date reads, as table and date."""
    lake = workspace.lake
    relations = {name for table in workspace.tables.values() for name in table.inputs}
    relations.update(steps.all_entity_inputs(workspace))
    latest = {name.partition(".")[2].replace("__", ".", 1) for name in relations if name.startswith("previous.")}
    latest.update((steps.CUSTOMER_EVENT, steps.CUSTOMER_RECORD_HISTORY, steps.DECISION))
    for _, source in _objects(workspace):
        if source.delivery.mode == "delta":
            latest.add(f"staging.{source.table}")
        if source.delivery.mode != "full":
            # what was delivered before is part of the state
            for table_id in (f"landing.{source.table}", f"landing.quarantine__{source.table}"):
                yield from ((table_id, day) for day in lake.dates(table_id) if day < date)
    for table_id in latest:
        if earlier := lake.previous(table_id, date):
            yield table_id, earlier


def _objects(workspace: Workspace) -> Iterator[tuple[Contract, SourceObject]]:
    for contract in workspace.bank.contracts:
        for source in contract.objects:
            yield contract, source
