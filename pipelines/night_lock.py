"""One night at a time in one home, whoever starts it: the command line, the schedule, or a person in the UI.

An operating-system lock on ``<home>/night.lock``, held by the process that runs the night until the night
ends or the process dies; nothing has to be cleaned up after a crash.
"""

import datetime as dt
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

# Held locks by home: a lock that nobody refers to would be given back by the garbage collector.
_held: dict[Path, FileLock] = {}


class NightRunningError(RuntimeError):
    """Another process runs a night in this home; the message says which process and since when."""


def hold_night(home: Path) -> None:
    """Take the home's lock for as long as this process lives, or until ``night`` ends; re-entrant.

    Raises:
        NightRunningError: another process holds it.
    """
    home.mkdir(parents=True, exist_ok=True)
    key = home.resolve()
    if key in _held:
        return
    lock = FileLock(home / "night.lock", thread_local=False)
    holder = home / "night.pid"
    try:
        lock.acquire(timeout=0)
    except Timeout:
        who = holder.read_text(encoding="utf-8").strip() if holder.exists() else "unknown"
        raise NightRunningError(
            f"another night is running in {home} ({who}); wait for it to end, then start this one again"
        ) from None
    _held[key] = lock
    holder.write_text(
        f"process {os.getpid()} since {dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M:%S} UTC\n", encoding="utf-8"
    )


@contextmanager
def night(home: Path) -> Iterator[None]:
    """Hold the home's lock for one or several nights in a row.

    Raises:
        NightRunningError: another process holds it.
    """
    hold_night(home)
    try:
        yield
    finally:
        _held.pop(home.resolve()).release()
