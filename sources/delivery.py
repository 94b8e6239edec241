"""Deliveries: which files (or tables) make up a system's export for one business date, and are they all there.

``inspect`` looks once, ``wait_until_complete`` waits for every system. Complete means: every data file is there,
and its control file or ready file too; where there is neither, no file has changed for a while. What is
inside the files is landing's business.
"""

import datetime as dt
import itertools
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal

from sources.contract import Contract, SourceObject, dates_in, file_pattern
from sources.control import listed_files
from sources.errors import DeliveryError, DeliveryMissing, DeliveryRefused, all_of, problem_line
from sources.readers import Snapshot

__all__ = [
    "DeliveryError",
    "DeliveryMissing",
    "DeliveryRefused",
    "ObjectDelivery",
    "State",
    "SystemDelivery",
    "available_dates",
    "inspect",
    "wait_until_complete",
]

State = Literal["complete", "missing", "incomplete", "refused"]

# Names under which transfer programs write a file that is not yet whole.
_IN_TRANSFER = (".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".swp")
_LONGEST_PAUSE = 10.0
_SHORTEST_PAUSE = 0.05


@dataclass(frozen=True)
class ObjectDelivery:
    """One object's files for one business date, ``state`` and (unless complete) what is wrong."""

    obj: SourceObject
    folder: Path
    files: tuple[Path, ...] = ()
    control: Path | None = None
    ready: Path | None = None
    state: State = "complete"
    message: str = ""

    @property
    def is_announced(self) -> bool:
        """Whether the sender says by a control or ready file that the data files are whole."""
        return self.control is not None or self.ready is not None

    def name_of(self, file: Path) -> str:
        """How messages and ``_source_file`` call a data file: its path below the system's folder."""
        return file.relative_to(self.folder).as_posix() if file.is_relative_to(self.folder) else file.name


@dataclass(frozen=True)
class SystemDelivery:
    """One system's export for one business date."""

    contract: Contract
    exports: Path
    business_date: dt.date
    objects: tuple[ObjectDelivery, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with any of the objects, each once."""
        return tuple(dict.fromkeys(o.message for o in self.objects if o.message))

    @property
    def state(self) -> State:
        """The worst of the objects' states."""
        states = {o.state for o in self.objects}
        order: tuple[State, ...] = ("refused", "missing", "incomplete")
        return next((state for state in order if state in states), "complete")

    def require_complete(self) -> None:
        """Do nothing if the delivery is complete.

        Raises:
            DeliveryRefused: an object is delivered in a way that waiting does not mend.
            DeliveryMissing: something is not there; every problem is listed.
        """
        if self.state == "refused":
            raise DeliveryRefused([o.message for o in self.objects if o.state == "refused"])
        if self.state != "complete":
            raise DeliveryMissing(self.problems)


def inspect(contract: Contract, exports: Path, business_date: dt.date) -> SystemDelivery:
    """Look at what is there of a system's export for a business date; nothing is opened but manifests.

    Args:
        contract: the system's contract.
        exports: folder that the contract's paths start from.
        business_date: the night's date; patterns without a date mean the file that is there.
    """
    if contract.server.type == "local":
        objects = tuple(_inspect_files(contract, obj, exports, business_date) for obj in contract.objects)
    else:
        objects = _inspect_database(contract, exports)
    return SystemDelivery(contract, exports, business_date, objects)


def available_dates(contract: Contract, exports: Path) -> tuple[dt.date, ...]:
    """Business dates for which any file of the system lies there, ascending.

    A database and patterns without a date carry none: their date is the night's.
    """
    dates: set[dt.date] = set()
    for obj in contract.objects:
        if contract.server.type == "local" and obj.delivery.pattern:
            pattern = str(PurePosixPath(contract.server.path) / obj.delivery.pattern)
            undated = _any_date(pattern)
            names = (path.relative_to(_anchor(exports, undated)).as_posix() for path in _found(exports, undated))
            dates.update(dates_in(pattern.lstrip("/"), names))
    return tuple(sorted(dates))


def wait_until_complete(
    contracts: Sequence[Contract],
    exports: Path,
    business_date: dt.date,
    wait_seconds: float,
    settle_seconds: float,
    say: Callable[[str], None],
    *,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    wall_clock: Callable[[], float] = time.time,
) -> dict[str, SystemDelivery]:
    """Wait until every system's delivery is complete; returns them by system.

    Args:
        contracts: the systems.
        exports: folder that the contracts' paths start from.
        business_date: the night's date.
        wait_seconds: how long to wait for what is missing.
        settle_seconds: a file without control or ready file (or written after it) counts as whole once neither
            its size nor its times have changed for so long; this wait comes on top of ``wait_seconds``.
        say: told what is being waited for, whenever that changes.
        sleep: pauses; replaced in tests.
        clock: monotonic seconds.
        wall_clock: seconds since the epoch, for the age of files.

    Raises:
        DeliveryRefused: a delivery is wrong in a way that waiting does not mend; every such problem is listed.
        DeliveryMissing: the time is over; every file that is missing or still changes is listed.
    """
    deadline = clock() + wait_seconds
    settling = _Settling(settle_seconds, clock, wall_clock)
    said: tuple[str, ...] = ()
    while True:
        found = [inspect(contract, exports, business_date) for contract in contracts]
        refused = [DeliveryRefused(o.message) for d in found for o in d.objects if o.state == "refused"]
        if refused:
            raise all_of(refused)
        missing = tuple(problem for delivery in found for problem in delivery.problems)
        unsettled = tuple(settling.changing(o for delivery in found for o in delivery.objects))
        if not missing and not unsettled:
            return {delivery.contract.system: delivery for delivery in found}
        if clock() >= deadline + (0 if missing else settle_seconds):
            raise DeliveryMissing(missing + unsettled)
        waiting = missing or unsettled
        if waiting != said:
            said = waiting
            say("waiting: " + "; ".join(waiting))
        sleep(min(_LONGEST_PAUSE, max(_SHORTEST_PAUSE, settle_seconds / 4)))


@dataclass
class _Settling:
    """Remembers when each object's files were last seen to change."""

    seconds: float
    clock: Callable[[], float]
    wall_clock: Callable[[], float]
    seen: dict[str, tuple[object, float]] = field(default_factory=dict)

    def changing(self, objects: Iterator[ObjectDelivery]) -> Iterator[str]:
        """Say of each object with files that may still be written."""
        for delivery in objects:
            unsure = [file for file in delivery.files if _may_be_written(delivery, file)]
            if not unsure or delivery.state != "complete":
                continue
            stats = [file.stat() for file in unsure]
            latest = max(max(stat.st_mtime, stat.st_ctime) for stat in stats)
            mark = tuple((stat.st_ino, stat.st_size, stat.st_mtime_ns) for stat in stats)
            before, since = self.seen.get(delivery.obj.table, (None, 0.0))
            # only at the first look: later the wall clock may have been set forward
            if before is None and self.wall_clock() - latest >= self.seconds:
                continue
            if before != mark:
                since = self.clock()
                self.seen[delivery.obj.table] = (mark, since)
            if self.clock() - since < self.seconds:
                names = ", ".join(delivery.name_of(file) for file in unsure)
                yield _problem(delivery.obj, names, "is still being written (its size or time changes)")


def _may_be_written(delivery: ObjectDelivery, file: Path) -> bool:
    """Whether nothing tells that the file is whole, or it is newer than what tells so."""
    teller = delivery.control or delivery.ready
    return teller is None or file.stat().st_mtime > teller.stat().st_mtime


def _inspect_files(contract: Contract, obj: SourceObject, exports: Path, business_date: dt.date) -> ObjectDelivery:
    def located(pattern: str) -> str:
        return file_pattern(str(PurePosixPath(contract.server.path) / pattern), business_date)

    settings = obj.delivery
    pattern = located(settings.pattern or "*")
    folder = _folder(exports, located("x"))
    files = _found(exports, pattern)
    delivery = ObjectDelivery(obj, folder, files)
    name = PurePosixPath(file_pattern(settings.pattern or "*", business_date)).as_posix()
    if not files:
        return _with(delivery, "missing", name, _not_there(folder, exports, contract, obj))
    if len(files) > 1 and not settings.parts:
        names = ", ".join(delivery.name_of(file) for file in files)
        message = f"{len(files)} files ({names}) for one delivery; which one holds? (contract: parts: true if all do)"
        return _with(delivery, "refused", name, message)
    astray = _astray(exports, pattern, files)
    tellers: dict[str, Path] = {}
    for kind, wanted in (
        ("control", settings.control.pattern if settings.control else None),
        ("ready", settings.ready),
    ):
        if wanted is None:
            continue
        found = _found(exports, located(wanted))
        wanted_name = file_pattern(wanted, business_date)
        if not found:
            word = "control file" if kind == "control" else "ready file"
            return _with(delivery, "incomplete", wanted_name, f"the {word} of {name} is not there")
        if len(found) > 1:
            names = ", ".join(delivery.name_of(file) for file in found)
            return _with(delivery, "refused", wanted_name, f"{len(found)} files ({names}) for one {kind} file")
        tellers[kind] = found[0]
        astray += _astray(exports, located(wanted), found)
    delivery = ObjectDelivery(obj, folder, files, tellers.get("control"), tellers.get("ready"))
    if astray:
        names = ", ".join(delivery.name_of(file) for file in astray)
        return _with(delivery, "refused", names, "a link that leads out of its folder; deliver the file itself")
    return _inspect_whole(delivery, name, business_date)


def _inspect_whole(delivery: ObjectDelivery, name: str, business_date: dt.date) -> ObjectDelivery:
    """What the sizes and the manifest of found files say."""
    settings = delivery.obj.delivery
    empty = [delivery.name_of(file) for file in delivery.files if file.stat().st_size == 0]
    if empty and not delivery.is_announced:
        return _with(delivery, "incomplete", ", ".join(empty), "empty (0 bytes): is it still being written?")
    if delivery.control and settings.parts and settings.pattern:
        present = {file.name for file in delivery.files}
        pattern = PurePosixPath(file_pattern(settings.pattern, business_date)).name
        absent = [n for n in listed_files(delivery.obj, delivery.control, pattern) if n not in present]
        if absent:
            message = f"listed in {delivery.control.name}, and not there"
            return _with(delivery, "incomplete", ", ".join(absent), message)
    return delivery


def _inspect_database(contract: Contract, exports: Path) -> tuple[ObjectDelivery, ...]:
    state: State = "complete"
    message = ""
    try:
        with Snapshot(contract, exports):
            pass
    except DeliveryError as error:
        state = "refused" if isinstance(error, DeliveryRefused) else "missing"
        message = str(error)
    return tuple(ObjectDelivery(obj, exports, state=state, message=message) for obj in contract.objects)


def _problem(obj: SourceObject, file: str, message: str) -> str:
    return problem_line(obj.system, obj.name, file, message)


def _with(delivery: ObjectDelivery, state: State, file: str, message: str) -> ObjectDelivery:
    return ObjectDelivery(
        delivery.obj,
        delivery.folder,
        delivery.files,
        delivery.control,
        delivery.ready,
        state,
        _problem(delivery.obj, file, message),
    )


def _not_there(folder: Path, exports: Path, contract: Contract, obj: SourceObject) -> str:
    """Say where it was looked for, and what is there instead."""
    if not folder.is_dir():
        return f"not there: the folder {folder} does not exist"
    pattern = str(PurePosixPath(contract.server.path) / (obj.delivery.pattern or "*"))
    others = _found(exports, _any_date(pattern))
    latest = f"; the latest there is {others[-1].name}" if others else ""
    return f"not there (folder {folder}{latest})"


def _any_date(pattern: str) -> str:
    """The glob of a pattern whatever the date."""
    parts = pattern.split("{date")
    return parts[0] + "".join("*" + part.partition("}")[2] for part in parts[1:])


def _anchor(exports: Path, pattern: str) -> Path:
    return Path(PurePosixPath(pattern).anchor) if PurePosixPath(pattern).is_absolute() else exports


def _found(exports: Path, pattern: str) -> tuple[Path, ...]:
    """Whole files that fit a glob, by name; hidden ones and those in transfer are none."""
    # Wildcards stay within one folder; a date beside one would make '**' of them.
    relative = re.sub(r"\*{2,}", "*", pattern.lstrip("/"))
    found = (path for path in _anchor(exports, pattern).glob(relative) if path.is_file())
    return tuple(sorted(p for p in found if not p.name.startswith(".") and not p.name.lower().endswith(_IN_TRANSFER)))


def _astray(exports: Path, pattern: str, files: Sequence[Path]) -> list[Path]:
    """Those of the files found that are links out of the folder: links up to the first wildcard are the bank's own."""
    folders = PurePosixPath(pattern.lstrip("/")).parts[:-1]
    fixed = itertools.takewhile(lambda part: not set("*?[") & set(part), folders)
    inside = _anchor(exports, pattern).joinpath(*fixed).resolve()
    return [file for file in files if not file.resolve().is_relative_to(inside)]


def _folder(exports: Path, pattern: str) -> Path:
    return (_anchor(exports, pattern) / pattern.lstrip("/")).parent
