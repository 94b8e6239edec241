"""A workbook looked through before it is opened: what an xlsx file may not be, so that reading it is safe.

An xlsx file is a zip of XML. openpyxl takes both on trust: it expands whatever is packed, and drops rows and cells
that are out of order. Here each part is unpacked and parsed once, and nothing of it is kept.
"""

import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO
from xml.parsers import expat

from sources.readers import limits

_CHUNK = 1 << 18
_ROOTS = {"worksheet": limits.SHEET_BYTES, "sst": limits.STRINGS_BYTES}
_NUMBER = re.compile(r"[0-9]{1,7}")
_REFERENCE = re.compile(r"([A-Z]{1,3})[0-9]{1,7}")
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


class UnsafeWorkbook(Exception):  # noqa: N818 - it is a finding
    """What is wrong with a workbook, in words for a message."""


def look_through(path: Path) -> None:
    """Do nothing if the workbook can be opened.

    Raises:
        UnsafeWorkbook: it is no zip file or a damaged one, unpacks beyond the limits, defines a document type
            (entities), or has rows or cells that are out of order or beyond what Excel holds.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if not entry.is_dir():
                    with archive.open(entry) as part:
                        _Part(entry.filename).look_through(part)
    except _UNREADABLE as error:
        raise UnsafeWorkbook("not an Excel workbook (xlsx), or not a whole one; deliver it again") from error


class _Part:
    """One part of a workbook while it is parsed."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._limit = limits.PART_BYTES
        self._row = self._column = self._elements = self._text = 0
        self._is_root, self._in_cell, self._in_value = True, False, False
        self._has_formula = self._has_value = False
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters

    def look_through(self, part: IO[bytes]) -> None:
        read, is_xml = 0, True
        while chunk := part.read(_CHUNK):
            read += len(chunk)
            try:
                if is_xml:
                    self._parser.Parse(chunk, False)
            except expat.ExpatError:
                # A picture or a macro; broken XML where a sheet should be is refused by whoever reads it.
                is_xml, self._limit = False, limits.STRINGS_BYTES
            if is_xml and read - self._parser.CurrentByteIndex > limits.CELL_BYTES + _CHUNK:
                raise self._unsafe(f"has a tag longer than {limits.CELL_BYTES >> 20} MB")
            if read > self._limit:
                raise self._unsafe(f"unpacks to more than {self._limit >> 20} MB")

    def _unsafe(self, message: str) -> UnsafeWorkbook:
        return UnsafeWorkbook(f"its part {limits.shown(self._name)} {message}; save it anew, or deliver text")

    def _doctype(self, *_: object) -> None:
        raise self._unsafe("defines a document type, which no workbook has")

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        tag = name.rpartition(" ")[2]
        if self._is_root:
            self._is_root, self._limit = False, _ROOTS.get(tag, limits.PART_BYTES)
        if not self._in_cell:
            self._text = 0
        if tag == "row":
            self._begin_row(attributes)
        elif tag == "c":
            self._begin_cell(attributes)
        elif tag == "si":
            self._elements, self._in_cell = 0, True
        self._has_formula |= tag == "f"
        self._in_value = tag == "v"
        self._elements += 1
        if self._elements > limits.PART_ELEMENTS:
            raise self._unsafe(f"holds more than {limits.PART_ELEMENTS} elements in a row")

    def _end(self, name: str) -> None:
        self._in_value = False
        if name.rpartition(" ")[2] in ("c", "si"):
            self._in_cell = False
        if name.endswith(" c") and self._has_formula and not self._has_value:
            raise self._unsafe(f"has a formula without its value in row {self._row}")

    def _characters(self, text: str) -> None:
        self._text += len(text)
        self._has_value |= self._in_value
        if self._text > limits.CELL_BYTES:
            raise self._unsafe(f"has a text longer than {limits.CELL_BYTES >> 20} MB")

    def _begin_row(self, attributes: Mapping[str, str]) -> None:
        stated = attributes.get("r", str(self._row + 1))
        row = int(stated) if _NUMBER.fullmatch(stated) else 0
        if not self._row < row <= limits.SHEET_ROWS:
            raise self._unsafe(f"has rows that are out of order or beyond {limits.SHEET_ROWS}, behind row {self._row}")
        self._row, self._column, self._elements = row, 0, 0

    def _begin_cell(self, attributes: Mapping[str, str]) -> None:
        self._in_cell, column = True, self._column + 1
        # The text of a formula may be empty; a number is there once the formula has been worked out.
        self._has_formula, self._has_value = False, attributes.get("t") == "str"
        if (stated := attributes.get("r")) is not None:
            match = _REFERENCE.fullmatch(stated)
            column = _column_number(match.group(1)) if match else 0
        if not self._column < column <= limits.SHEET_COLUMNS:
            message = f"has cells that are out of order or beyond {limits.SHEET_COLUMNS} columns in row {self._row}"
            raise self._unsafe(message)
        self._column = column


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
