"""What every reader gives: batches of raw text, and the rows that are in trouble.

A reader streams one file (or query) as Arrow record batches: one text column for each field of the contract, then
``_extra`` (JSON text of what the contract does not name, or null) and ``_source_line``. A row that cannot be
read at all is reported with its bytes and is not in the batches; a row that could be read but holds something
that is not text in the file's encoding is in the batches and reported too. Rules about values are not here.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from sources.contract import SourceObject
from sources.errors import DeliveryRefused, problem_line

EXTRA = "_extra"
LINE = "_source_line"


@dataclass(frozen=True)
class Trouble:
    """One row that must not be landed. ``raw`` None: the row is in the batches (at ``line``)."""

    line: int
    field: str | None
    rule: str
    reason: str
    raw: bytes | None = None


Report = Callable[[Trouble], None]


class Reader(Protocol):
    """Streams one file, or one table of a database, as raw text."""

    name: str
    """What ``_source_file`` and messages call it."""

    has_bytes: bool
    """Whether a record has bytes of its own to quarantine (else the row as JSON stands for it)."""

    warnings: list[str]
    trailer: str
    """After ``batches`` is exhausted: text of the trailer lines, joined by newlines."""

    blank_lines: int

    @property
    def codec(self) -> str:
        """Encoding of the records' bytes."""
        ...

    def batches(self, report: Report) -> Iterator[pa.RecordBatch]:
        """Stream the rows; troubles are reported on the way.

        Raises:
            DeliveryRefused: the file as a whole does not fit the contract.
        """
        ...

    def raw(self, lines: Sequence[int]) -> Iterator[bytes]:
        """The records that begin at these lines (ascending), as bytes without the line end."""
        ...

    def secrets(self, raw: bytes) -> list[bytes]:
        """The bytes, within a record, of the fields that the contract wants tokenised."""
        ...


def batch_schema(obj: SourceObject) -> pa.Schema:
    """Schema of a reader's batches for the object."""
    return pa.schema([*((field.name, pa.string()) for field in obj.fields), (EXTRA, pa.string()), (LINE, pa.int64())])


def refusal(obj: SourceObject, file: str, messages: str | Sequence[str], line: int | None = None) -> DeliveryRefused:
    """Make the error that refuses a file, with one problem for each message."""
    listed = [messages] if isinstance(messages, str) else messages
    return DeliveryRefused([problem_line(obj.system, obj.name, file, message, line) for message in listed])


class CellReader:
    """What readers of files made of cells share (see ``Reader``): their rows have no bytes of their own."""

    has_bytes = False
    codec = "utf-8"

    def __init__(self, obj: SourceObject, path: Path, name: str) -> None:
        self._object = obj
        self._path = path
        self.name = name
        self.warnings: list[str] = []
        self.trailer = ""
        self.blank_lines = 0

    def raw(self, lines: Sequence[int]) -> Iterator[bytes]:
        """Nothing: a row has no bytes of its own."""
        yield from ()

    def secrets(self, raw: bytes) -> list[bytes]:
        """Nothing: there are no bytes."""
        return []
