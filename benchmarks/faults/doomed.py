"""``python -m benchmarks.faults.doomed HOME NOTE POINT ARGUMENTS...``: c360, killed with its process group at a point.

A point is ``STEP:KIND:NUMBER:MILLISECONDS``: the step's start or success, as soon as the run's event log has it; its
N-th touch of a file of the home (open for writing, rename, link, remove ... and flush), before it happens; its N-th
statement of DuckDB, so long after it began. NOTE gets the point where the night died. With the point ``count`` the
night lives, and NOTE gets a line of JSON for every point that it passed.
"""

import json
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from pipelines.cli.main import main as c360
from pipelines.instance import DagsterInstance

BEFORE_STEPS = "start"
BOUNDARIES = {"STEP_START": "started", "STEP_SUCCESS": "succeeded"}
_CHANGES = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.symlink", "os.truncate", "os.chmod")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Watch:
    """Counts the points that a night passes, and kills it at the one that was asked for."""

    def __init__(self, home: Path, note: Path, point: str) -> None:
        self._home = str(home.resolve())
        self._note = note
        self._counting = point == "count"
        step, kind, number, milliseconds = ("", "", "0", "0") if self._counting else point.split(":")
        self._doom = (step, kind, int(number))
        self._delay = int(milliseconds) / 1000
        self._step = BEFORE_STEPS
        self._seen: Counter[tuple[str, str]] = Counter()
        self._busy = False

    def passed(self, kind: str, what: str) -> None:
        """Count a point; the night dies here if it is the one."""
        self._seen[self._step, kind] += 1
        here = (self._step, kind, self._seen[self._step, kind])
        if self._counting:
            self._tell(here, what)
        elif here == self._doom:
            self._tell(here, what)
            if self._delay:
                threading.Timer(self._delay, _kill).start()
            else:
                _kill()

    def enter(self, step: str) -> None:
        """A step has started."""
        self._step = step

    def touched(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take an event of the interpreter: a file of the home is about to be changed."""
        if self._busy or not (event in _CHANGES or (event == "open" and _is_written(arguments))):
            return
        named = [str(one) for one in arguments if isinstance(one, str | os.PathLike)]
        if any(self._is_ours(name) for name in named):
            self.passed("touch", f"{event} {' '.join(named)}".replace(self._home, ""))

    def flushed(self, descriptor: int) -> None:
        """A file of the home is about to be flushed to disk."""
        name = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        if self._is_ours(name):
            self.passed("touch", f"os.fsync {name}".replace(self._home, ""))

    def _is_ours(self, name: str) -> bool:
        return name.startswith(self._home) and not name.startswith(f"{self._home}/dagster")

    def _tell(self, here: tuple[str, str, int], what: str) -> None:
        self._busy = True
        step, kind, number = here
        with self._note.open("a", encoding="utf-8") as handle:
            handle.write(json.dumps({"step": step, "kind": kind, "number": number, "what": what}) + "\n")
        self._busy = False


def _kill() -> None:
    os.killpg(os.getpgid(0), signal.SIGKILL)


def _is_written(arguments: tuple[Any, ...]) -> bool:
    _, mode, flags = arguments
    return bool(flags & _WRITING) or any(letter in (mode or "") for letter in "wax+")


def watch(home: Path, note: Path, point: str) -> None:
    """Watch everything that this process does from now on."""
    watched = Watch(home, note, point)
    store = DagsterInstance.handle_new_event

    def stored(instance: Any, event: Any, **more: Any) -> None:
        store(instance, event, **more)
        told = event.dagster_event
        kind = BOUNDARIES.get(told.event_type_value) if told else None
        if kind == "started":
            watched.enter(told.step_key)
        if kind:
            watched.passed(kind, told.step_key)

    DagsterInstance.handle_new_event = stored  # type: ignore[assignment,method-assign]
    os.fsync = _before(os.fsync, watched.flushed)
    run = duckdb.DuckDBPyConnection.execute

    def executed(con: Any, statement: Any, *more: Any, **named: Any) -> Any:
        watched.passed("statement", " ".join(str(statement).split())[:60])
        return run(con, statement, *more, **named)

    duckdb.DuckDBPyConnection.execute = executed  # type: ignore[assignment,method-assign]
    sys.addaudithook(watched.touched)


def _before(function: Callable[..., Any], told: Callable[..., None]) -> Callable[..., Any]:
    def both(*arguments: Any) -> Any:
        told(*arguments)
        return function(*arguments)

    return both


if __name__ == "__main__":
    _, home, note, point, *arguments = sys.argv
    watch(Path(home), Path(note), point)
    sys.argv = ["c360", *arguments]
    c360()
