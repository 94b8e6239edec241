"""Control files, manifests and trailers: what the sender says of a delivery, and whether it agrees.

``read_control`` and ``read_trailer`` give ``Figures``; ``compare`` holds them against what was read. Every
figure is exact; a message always carries both numbers.
"""

import csv
import datetime as dt
import fnmatch
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from sources.contract import Control, SourceObject
from sources.errors import DeliveryRefused, problem_line
from sources.readers.limits import LARGEST_CONTROL, MOST_DIGITS, shown

_LIST_DELIMITERS = ",;|\t"
_COMPRESSED = (".gz", ".zst")
_UNREADABLE = (ValueError, LookupError, csv.Error)


@dataclass(frozen=True)
class Figures:
    """What the sender states. ``source`` is what messages call it; ``checksums`` are by data file, lower case."""

    source: str
    rows: int | None = None
    totals: Mapping[str, str] = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)
    business_date: dt.date | None = None


@dataclass(frozen=True)
class Delivered:
    """What was read: rows (unreadable ones included), totals of what was readable, checksums by data file.

    ``unread`` says for each total how many rows brought no readable number.
    """

    rows: int
    totals: Mapping[str, Decimal]
    checksums: Mapping[str, str]
    unread: Mapping[str, int]


def read_control(obj: SourceObject, path: Path, files: Sequence[str]) -> Figures:
    """Read an object's control file or manifest.

    Args:
        obj: the object; its delivery names a control file.
        path: the control file.
        files: names of the data files of this delivery; a manifest's rows of all of them are added up.

    Raises:
        DeliveryRefused: the file cannot be read, or lacks something the contract looks for; all of it listed.
    """
    control = _control(obj)
    mistakes: list[str] = []
    try:
        text = _content(control, path)
        entries = [_entry(control, text, file) for file in files] if control.match else [_entry(control, text, "")]
    except _UNREADABLE as error:
        said = f"not in the encoding {control.encoding}" if isinstance(error, UnicodeError) else str(error)
        raise DeliveryRefused(problem_line(obj.system, obj.name, path.name, said)) from None
    figures = _figures(control, path.name, entries, files, mistakes)
    if mistakes:
        raise DeliveryRefused([problem_line(obj.system, obj.name, path.name, mistake) for mistake in mistakes])
    return figures


def read_trailer(obj: SourceObject, trailers: Mapping[str, str]) -> Figures:
    """Read the figures in the trailer lines of an object's data files: file name -> text.

    Raises:
        DeliveryRefused: a trailer does not match the contract's expression, or a figure is no number.
    """
    control = _control(obj)
    expression = re.compile(control.trailer or "", re.MULTILINE)
    mistakes: list[str] = []
    entries = []
    for file, text in trailers.items():
        if match := expression.search(text):
            entries.append({name: value for name, value in match.groupdict().items() if value is not None})
        else:
            mistakes.append(f"the last line of {file} is not the trailer the contract describes; is the file cut off?")
    source = f"the trailer of {', '.join(trailers)}"
    figures = Figures(source) if mistakes else _figures(control, source, entries, list(trailers), mistakes)
    if mistakes:
        raise DeliveryRefused([problem_line(obj.system, obj.name, "", mistake) for mistake in mistakes])
    return figures


def listed_files(obj: SourceObject, path: Path, pattern: str) -> list[str]:
    """Names in a manifest that are data files by the object's pattern; none if it is not such a list."""
    control = _control(obj)
    columns = [column for column, value in control.match.items() if value == "{file}"]
    if not columns:
        return []
    try:
        rows = _rows(control, _content(control, path))
    except _UNREADABLE:
        return []
    names = (str(row.get(columns[0], "")).strip() for row in rows)
    return [name for name in names if fnmatch.fnmatchcase(name, pattern)]


def compare(
    obj: SourceObject, figures: Figures, delivered: Delivered, business_date: dt.date
) -> tuple[list[str], list[str]]:
    """Hold what the sender states against what was read.

    Returns:
        What does not agree, with both numbers, as messages; and warnings: a total that rows explain which could
        not be read (they are in quarantine, within the contract's limit, with whatever amount they carry).
    """
    mistakes, warnings, source = list[str](), list[str](), figures.source
    if figures.business_date is not None and figures.business_date != business_date:
        future = " (a date in the future)" if figures.business_date > business_date else ""
        mistakes.append(f"{source} says business date {figures.business_date}{future}, the night is {business_date}")
    if figures.rows is not None and figures.rows != delivered.rows:
        mistakes.append(f"{source} says {figures.rows} rows, the delivery has {delivered.rows}")
    for name, stated in figures.totals.items():
        found, total = obj.find(name), delivered.totals[name]
        if agrees(stated, total, found.decimals if found else 0):
            continue
        message = f"{source} says a total of {stated} for {name}, the rows add up to {total}"
        if delivered.unread[name]:
            warnings.append(f"{message}; {delivered.unread[name]} rows brought no readable {name}")
        else:
            mistakes.append(message)
    for file, checksum in figures.checksums.items():
        if checksum != delivered.checksums[file]:
            mistakes.append(f"{source} says checksum {checksum} for {file}, its bytes have {delivered.checksums[file]}")
    return mistakes, warnings


def agrees(stated: str, total: Decimal, decimals: int) -> bool:
    """Whether a stated total is this one, as written or (without a point) in implied decimals."""
    return stated_total(stated, total, decimals) == total


def stated_total(stated: str, total: Decimal, decimals: int) -> Decimal:
    """A stated total as a number: as written if that is the total, else (without a point) in implied decimals."""
    number = as_decimal(stated)
    return number if number == total or "." in stated else number.scaleb(-decimals)


def _content(control: Control, path: Path) -> str:
    if path.stat().st_size > LARGEST_CONTROL:
        raise ValueError(f"larger than {LARGEST_CONTROL >> 20} MB: is it a data file?")
    return path.read_bytes().decode(control.encoding).removeprefix("\ufeff")


def _control(obj: SourceObject) -> Control:
    if obj.delivery.control is None:
        raise ValueError(f"{obj.system}.{obj.name} has no control in its contract")
    return obj.delivery.control


def _figures(
    control: Control, source: str, entries: Sequence[Any], files: Sequence[str], mistakes: list[str]
) -> Figures:
    """Figures of all entries together; whatever is not there or no number is added to the mistakes."""
    rows = None
    if control.rows is not None:
        counts = [_whole(entry, control.rows, mistakes) for entry in entries]
        rows = sum(counts)
    totals = {}
    for name, key in control.totals.items():
        stated = [text for entry in entries if (text := _number(entry, key, mistakes)) is not None]
        totals[name] = stated[0] if len(stated) == 1 else str(sum((as_decimal(text) for text in stated), Decimal(0)))
    checksums = {}
    if control.checksum is not None:
        if len(entries) != len(files):
            mistakes.append("one checksum cannot speak for several files; use 'match' with {file}")
        for file, entry in zip(files, entries, strict=False):
            checksums[file] = (_text(entry, control.checksum.key, mistakes) or "").lower()
    dates = {_date(entry, control, mistakes) for entry in entries} - {None}
    if len(dates) > 1:
        mistakes.append("its entries state different business dates")
    return Figures(source, rows, totals, checksums, next(iter(dates), None))


def _entry(control: Control, text: str, file: str) -> Any:
    """The part of the control file that is about one data file (or all of it)."""
    if control.format == "key_value":
        return _key_values(text)
    if control.format == "json" and not control.match:
        return _json(text)
    rows = _rows(control, text)
    if not control.match:
        if len(rows) != 1:
            raise ValueError(f"it has {len(rows)} rows; say with 'match' which one is meant")
        return rows[0]
    wanted = {column: value.replace("{file}", file) for column, value in control.match.items()}
    found = [row for row in rows if all(_same(row.get(column), value) for column, value in wanted.items())]
    if len(found) != 1:
        said = ", ".join(f"{column} = {value}" for column, value in wanted.items())
        raise ValueError(f"{len(found) or 'no'} entries with {said}")
    return found[0]


def _rows(control: Control, text: str) -> list[dict[str, Any]]:
    if control.format == "json":
        return _json_rows(_json(text))
    if control.format == "csv":
        return _csv_rows(text)
    return [_key_values(text)]


def _same(value: Any, wanted: str) -> bool:
    """Whether an entry is about the wanted file, named with or without its compression."""
    text = str(value if value is not None else "").strip()
    stems = {wanted, *(wanted.removesuffix(ending) for ending in _COMPRESSED)}
    return text in stems


def _key_values(text: str) -> dict[str, str]:
    """Lines ``K=V``, ``K: V`` or ``K V``; blank lines and comments (#) are passed over."""
    pairs = {}
    for line in text.splitlines():
        stripped = line.strip(" \t\x1a")
        if not stripped or stripped.startswith("#"):
            continue
        separator = next((mark for mark in "=:" if mark in stripped), None)
        key, _, value = stripped.partition(separator) if separator else _partition(stripped)
        pairs[key.strip()] = value.strip()
    return pairs


def _partition(line: str) -> tuple[str, str, str]:
    parts = line.split(None, 1)
    return parts[0], " ", parts[1] if len(parts) > 1 else ""


def _json(text: str) -> Any:
    try:
        return json.loads(text, parse_float=str, parse_int=str)
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None
    except RecursionError:
        raise ValueError("not JSON that can be read: it is nested too deep") from None


def _json_rows(data: Any) -> list[dict[str, Any]]:
    """The list of entries: the document itself, or the first list of objects in it."""
    candidates = [data, *(data.values() if isinstance(data, dict) else ())]
    for candidate in candidates:
        if isinstance(candidate, list):
            return [entry for entry in candidate if isinstance(entry, dict)]
    return [data] if isinstance(data, dict) else []


def _csv_rows(text: str) -> list[dict[str, Any]]:
    header = text.split("\n", 1)[0]
    delimiter = max(_LIST_DELIMITERS, key=header.count)
    rows = csv.DictReader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True)
    return [{str(key).strip(): value for key, value in row.items()} for row in rows]


def _text(entry: Any, key: str, mistakes: list[str]) -> str | None:
    """The value at a key or dotted path."""
    value = entry.get(key) if isinstance(entry, dict) else None
    if value is None:
        value = entry
        for step in key.split("."):
            if isinstance(value, dict):
                value = value.get(step)
            elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
                value = value[int(step)]
            else:
                value = None
    if value is None or isinstance(value, dict | list):
        if (mistake := f"{key!r} is missing") not in mistakes:
            mistakes.append(mistake)
        return None
    return str(value).strip()


def _number(entry: Any, key: str, mistakes: list[str]) -> str | None:
    text = _text(entry, key, mistakes)
    if text is None:
        return None
    try:
        number = as_decimal(text)
        fits = (
            number.is_finite() and -MOST_DIGITS <= int(number.as_tuple().exponent) <= number.adjusted() <= MOST_DIGITS
        )
    except InvalidOperation:
        fits = False
    if not fits:
        mistakes.append(f"{key!r} is not a number: {shown(text)}")
        return None
    return text


def _whole(entry: Any, key: str, mistakes: list[str]) -> int:
    text = _number(entry, key, mistakes)
    if text is None:
        return 0
    number = as_decimal(text)
    if number != number.to_integral_value():
        mistakes.append(f"{key!r} is not a whole number: {shown(text)}")
    return int(number)


def as_decimal(text: str) -> Decimal:
    """Exact number of a figure; thousands separators are dropped."""
    return Decimal(text.replace(",", "").strip())


def _date(entry: Any, control: Control, mistakes: list[str]) -> dt.date | None:
    if control.business_date is None:
        return None
    text = _text(entry, control.business_date.key, mistakes)
    if text is None:
        return None
    try:
        return dt.datetime.strptime(text, control.business_date.format).replace(tzinfo=dt.UTC).date()
    except ValueError:
        mistakes.append(
            f"{control.business_date.key!r} is not a date like {control.business_date.format}: {shown(text)}"
        )
        return None
