"""Disks that cannot be written: found before a night starts, or told with the path and what to do when it meets one."""

import errno
import os
import re
import shutil
from pathlib import Path

_WRITTEN = ("lake", "warehouse", "warehouse/releases", "warehouse/shares", "audit", "reports", "spill", "dagster")
_FULL = ("No space left on device", "Disk quota exceeded", "File too large")
_SPILL_FULL = "max_temp_directory_size"


class HomeError(RuntimeError):
    """A folder of the home cannot be written; says which and what to do."""


def require_writable(home: Path) -> None:
    """Make sure that a night could write everywhere it must, before it has worked for hours.

    Raises:
        HomeError: it could not; names every folder.
    """
    closed = []
    for folder in (home, *(home / name for name in _WRITTEN)):
        there = next(one for one in (folder, *folder.parents) if one.exists())
        if not os.access(there, os.W_OK | os.X_OK) and there not in closed:
            closed.append(there)
    if closed:
        raise HomeError(
            f"{', '.join(map(str, closed))} cannot be written (a read-only file system, or another user's folder); "
            "nothing was done, the last release stays"
        )


def remove_spilt(home: Path) -> None:
    """Remove what processes that are no more left in the home's folder to spill to; its entries begin with theirs."""
    for path in (home / "spill").glob("*"):
        if not _is_of_another(path.name.partition("-")[0]):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def full_disk(error: BaseException, home: Path) -> str | None:
    """What to tell of an error that comes from a full disk: where, and what to do; None if it is another error.

    DuckDB tells of it in several kinds of errors, always in the words of the operating system; when it cannot spill, it
    names no file, but the setting that it derives from the free space.
    """
    text = str(error)
    if _SPILL_FULL in text:
        where = str(home / "spill")
    elif any(sign in text for sign in _FULL) or getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
        named = re.search(r"/[^\"'\n:]+?(?=[\"':\n]| cannot be written|$)", text)
        where = str(getattr(error, "filename", None) or (named[0] if named else home))
    else:
        return None
    return (
        f"no space left for {where}; free some (every temporary file of this night is removed), then run the night "
        "again. The last release stays"
    )


def _is_of_another(process: str) -> bool:
    """Whether it is the number of a process that lives and is not this one."""
    if not process.isdecimal() or int(process) == os.getpid():
        return False
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
