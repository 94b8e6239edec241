"""Excel workbooks (xlsx): one sheet, a header row, cells as the text a person sees in them."""

import zipfile
from collections.abc import Iterator
from itertools import islice
from typing import Any

import openpyxl
import pyarrow as pa
from openpyxl.utils.exceptions import InvalidFileException

from sources.readers.extra import extra_json
from sources.readers.header import Columns, match_columns
from sources.readers.shapes import CellReader, Report, batch_schema, refusal
from sources.readers.values import as_spreadsheet_text

_BATCH_ROWS = 20_000


class ExcelReader(CellReader):
    """Reads one sheet of a workbook (see ``shapes.Reader``); line numbers are the sheet's row numbers."""

    def batches(self, report: Report) -> Iterator[pa.RecordBatch]:
        """Stream the rows (see ``shapes.Reader.batches``); short rows are filled with empty cells."""
        with self._path.open("rb") as file:
            try:
                book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            except (InvalidFileException, zipfile.BadZipFile, KeyError) as error:
                message = "not an Excel workbook (xlsx), or not a whole one"
                raise refusal(self._object, self.name, message) from error
            try:
                rows = self._filled_rows(self._sheet(book))
                columns = self._columns(rows)
                while part := list(islice(rows, _BATCH_ROWS)):
                    yield self._batch(part, columns)
            finally:
                book.close()

    def _sheet(self, book: Any) -> Any:
        wanted = self._object.delivery.sheet
        if wanted is None:
            return book.worksheets[0]
        if wanted not in book.sheetnames:
            message = f"there is no sheet {wanted!r} (sheets: {', '.join(book.sheetnames)})"
            raise refusal(self._object, self.name, message)
        return book[wanted]

    def _filled_rows(self, sheet: Any) -> Iterator[tuple[int, tuple[str | None, ...]]]:
        """Rows with a filled cell, with their numbers; without the lines to skip and the trailer."""
        delivery = self._object.delivery
        # Files from other programs often state the sheet's size wrongly.
        sheet.reset_dimensions()
        held_back: list[tuple[int, tuple[str | None, ...]]] = []
        numbered = enumerate(sheet.iter_rows(values_only=True), 1)
        for number, cells in islice(numbered, delivery.skip_lines, None):
            texts = tuple(as_spreadsheet_text(cell) for cell in cells)
            if not any(text and text.strip() for text in texts):
                self.blank_lines += 1
                continue
            held_back.append((number, texts))
            if len(held_back) > delivery.trailer_lines:
                yield held_back.pop(0)
        self.trailer = "\n".join(" ".join(text or "" for text in texts) for _, texts in held_back)

    def _columns(self, rows: Iterator[tuple[int, tuple[str | None, ...]]]) -> Columns:
        count = len(self._object.fields)
        if not self._object.delivery.header:
            return Columns(count, tuple(range(count)))
        header = next(rows, None)
        if header is None:
            raise refusal(self._object, self.name, "the sheet is empty: not even a header row")
        names = list(header[1])
        while names and not names[-1]:
            names.pop()
        columns, self.warnings = match_columns(self._object, [name or "" for name in names], self.name)
        return columns

    def _batch(self, rows: list[tuple[int, tuple[str | None, ...]]], columns: Columns) -> pa.RecordBatch:
        def column(place: int) -> pa.Array:
            return pa.array([cells[place] if place < len(cells) else None for _, cells in rows], pa.string())

        extra = extra_json({name: column(place) for name, place in columns.extras}, len(rows))
        lines = pa.array([number for number, _ in rows], pa.int64())
        fields = columns.of_fields([column(place) for place in range(columns.count)], len(rows))
        return pa.record_batch([*fields, extra, lines], schema=batch_schema(self._object))
