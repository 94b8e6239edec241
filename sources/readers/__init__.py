"""Readers: every kind of export as a stream of raw text in bounded memory.

``open_file`` and ``open_table`` give the reader for an object; what a reader gives is in ``shapes``. Readers know
files and databases, and nothing of business dates, limits, rules or the lake.
"""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from sources.contract import SourceObject
from sources.readers.database import DatabaseReader, Snapshot
from sources.readers.delimited import DelimitedReader
from sources.readers.excel import ExcelReader
from sources.readers.fixed import FixedReader
from sources.readers.jsonl import JsonLinesReader
from sources.readers.parquet import ParquetReader
from sources.readers.shapes import EXTRA, LINE, Reader, Report, Trouble, batch_schema

__all__ = [
    "EXTRA",
    "LINE",
    "Reader",
    "Report",
    "Snapshot",
    "Trouble",
    "batch_schema",
    "open_file",
    "open_table",
]

FILE_READERS: dict[str, Callable[[SourceObject, Path, str], Reader]] = {
    "csv": DelimitedReader,
    "fixed": FixedReader,
    "jsonl": JsonLinesReader,
    "parquet": ParquetReader,
    "excel": ExcelReader,
}
# Format of a file by the end of its name, for ``format: auto``; anything else is delimited text.
_ENDINGS = {".parquet": "parquet", ".xlsx": "excel", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_COMPRESSED = (".gz", ".zst")


def open_file(obj: SourceObject, path: Path, name: str) -> Reader:
    """The reader of one file of an object; ``name`` is what messages and ``_source_file`` call it."""
    form: str = obj.delivery.format
    if form == "auto":
        endings = [ending for ending in map(str.lower, path.suffixes) if ending not in _COMPRESSED]
        form = _ENDINGS.get(endings[-1] if endings else "", "csv")
    return FILE_READERS[form](obj, path, name)


def open_table(obj: SourceObject, snapshot: Snapshot, business_date: dt.date) -> Reader:
    """The reader of an object that lies in a database, within an open snapshot."""
    return DatabaseReader(obj, snapshot, business_date)
