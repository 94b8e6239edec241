"""Parquet files that landing reads and writes: how they are named in SQL, and how they are published."""

import os
from pathlib import Path


def parquet(*paths: Path, row_number: bool = False) -> str:
    """SQL relation of Parquet files as they are: a partition's folder name is no column.

    Args:
        paths: the files.
        row_number: add ``file_row_number``, the row's place.
    """
    listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
    numbered = ", file_row_number = true" if row_number else ""
    return f"read_parquet([{listed}], hive_partitioning = false{numbered})"


def publish(temporary: Path, path: Path) -> None:
    """Flush a finished file to disk and rename it over ``path``: readers see the old one or the new one."""
    with temporary.open("rb+") as handle:
        os.fsync(handle.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
