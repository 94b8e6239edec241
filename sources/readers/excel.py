"""Excel workbooks (xlsx): one sheet, a header row, cells as the text a person sees in them."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, TypeVar

import openpyxl
import pyarrow as pa

from sources.readers.extra import extra_json
from sources.readers.header import Columns, match_columns
from sources.readers.limits import LARGEST_EXPANSION, LONGEST_RECORD, largest_expansion, shown
from sources.readers.shapes import CellReader, Report, batch_schema, refusal
from sources.readers.values import as_spreadsheet_text
from sources.readers.workbook import UnsafeWorkbook, look_through

_BATCH_ROWS = 20_000
_BATCH_BYTES = 16 << 20
_SHEETS_SHOWN = 10
_Row = tuple[int, tuple[str | None, ...]]
_T = TypeVar("_T")


class ExcelReader(CellReader):
    """Reads one sheet of a workbook (see ``shapes.Reader``); line numbers are the sheet's row numbers."""

    def batches(self, report: Report) -> Iterator[pa.RecordBatch]:
        """Stream the rows (see ``shapes.Reader.batches``); short rows are filled with empty cells."""
        try:
            look_through(self._path)
        except UnsafeWorkbook as error:
            raise self._refused(str(error)) from error
        with self._path.open("rb") as file, closing(self._trusting(lambda: _opened(file))) as book:
            rows = self._filled_rows(self._sheet(book))
            columns = self._columns(rows)
            for part in self._parts(rows):
                yield self._batch(part, columns)

    def _trusting(self, step: Callable[[], _T]) -> _T:
        """What a step of openpyxl gives; it raises whatever comes to hand where a file is not as it expects."""
        try:
            return step()
        except Exception as error:
            raise self._refused("not an Excel workbook (xlsx), or not a whole one; deliver it again") from error

    def _refused(self, message: str) -> Exception:
        return refusal(self._object, self.name, message)

    def _sheet(self, book: Any) -> Any:
        sheets = {sheet.title: sheet for sheet in book.worksheets}
        if not sheets:
            raise self._refused("there is no sheet in it")
        wanted = self._object.delivery.sheet or next(iter(sheets))
        if wanted not in sheets:
            names = ", ".join(shown(name)[1:-1] for name in list(sheets)[:_SHEETS_SHOWN])
            raise self._refused(f"there is no sheet {wanted!r} (sheets: {names})")
        return sheets[wanted]

    def _filled_rows(self, sheet: Any) -> Iterator[_Row]:
        """Rows with a filled cell, with their numbers; without the lines to skip and the trailer."""
        delivery = self._object.delivery
        # Files from other programs often state the sheet's size wrongly.
        sheet.reset_dimensions()
        held_back: list[_Row] = []
        left = sheet.iter_rows(values_only=True)
        number = 0
        while (cells := self._trusting(lambda: next(left, None))) is not None:
            number += 1
            if number <= delivery.skip_lines:
                continue
            texts = tuple(as_spreadsheet_text(cell) for cell in cells)
            if not any(text and text.strip() for text in texts):
                self.blank_lines += 1
                continue
            held_back.append((number, texts))
            if len(held_back) > delivery.trailer_lines:
                yield held_back.pop(0)
        self.trailer = "\n".join(" ".join(text or "" for text in texts) for _, texts in held_back)

    def _columns(self, rows: Iterator[_Row]) -> Columns:
        count = len(self._object.fields)
        if not self._object.delivery.header:
            return Columns(count, tuple(range(count)))
        header = next(rows, None)
        if header is None:
            raise self._refused("the sheet is empty: not even a header row")
        names = list(header[1])
        while names and not names[-1]:
            names.pop()
        columns, self.warnings = match_columns(self._object, [name or "" for name in names], self.name)
        return columns

    def _parts(self, rows: Iterator[_Row]) -> Iterator[list[_Row]]:
        """Rows in lists of bounded length and size: a text that stands in the workbook once may be in every cell."""
        part, size, expanded = list[_Row](), 0, 0
        largest = largest_expansion(self._path.stat().st_size)
        for number, texts in rows:
            length = sum(map(len, filter(None, texts)))
            if length > LONGEST_RECORD:
                raise self._refused(f"row {number} is longer than {LONGEST_RECORD >> 20} MB")
            part.append((number, texts))
            size, expanded = size + length + 8 * len(texts), expanded + length
            if expanded > largest:
                raise self._refused(f"its cells hold more than {LARGEST_EXPANSION} times its size; deliver text")
            if len(part) == _BATCH_ROWS or size > _BATCH_BYTES:
                yield part
                part, size = [], 0
        if part:
            yield part

    def _batch(self, rows: list[_Row], columns: Columns) -> pa.RecordBatch:
        def column(place: int) -> pa.Array:
            return pa.array([cells[place] if place < len(cells) else None for _, cells in rows], pa.string())

        extras = {name: column(place) for name, place in columns.extras}
        # Cells beside the table have no header, and are not lost.
        width = max(len(cells) for _, cells in rows)
        beside = {place: column(place) for place in range(columns.count, width)}
        extras |= {f"column_{place + 1}": array for place, array in beside.items() if array.null_count < len(rows)}
        extra = extra_json(extras, len(rows))
        lines = pa.array([number for number, _ in rows], pa.int64())
        fields = columns.of_fields([column(place) for place in range(columns.count)], len(rows))
        return pa.record_batch([*fields, extra, lines], schema=batch_schema(self._object))


def _opened(file: Any) -> Any:
    return openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
