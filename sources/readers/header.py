"""Matching what a file or table calls its columns with what the contract calls them.

Says everything that is wrong at once: missing, renamed, repeated and (where the contract refuses them) unknown
columns. Names of unknown columns are only repeated in messages when the line is surely a header, not data.
"""

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from sources.contract import Field, SourceObject
from sources.readers.limits import LONGEST_NAME, MOST_COLUMNS, shown
from sources.readers.shapes import refusal

_BLANK = " \t\u3000\ufeff\xa0"
_SIMILAR = 0.6


@dataclass(frozen=True)
class Columns:
    """Where the fields are: position of each field, of each extra column by name, and of a nameless last one.

    The position of an optional field that is not there is None.
    """

    count: int
    positions: tuple[int | None, ...]
    extras: tuple[tuple[str, int], ...] = ()
    nameless: int | None = None

    def of_fields(self, arrays: Sequence[pa.Array], rows: int) -> list[pa.Array]:
        """The columns of the contract's fields, in their order; nulls for an optional one that is not there."""
        return [pa.nulls(rows, pa.string()) if place is None else arrays[place] for place in self.positions]


def match_columns(
    obj: SourceObject, found: Sequence[str], file: str, may_trail: bool = False
) -> tuple[Columns, list[str]]:
    """Find the contract's fields among the columns found, by physical name.

    Args:
        obj: the object.
        found: what the columns are called.
        file: the file or table, for messages.
        may_trail: lines may end with a delimiter, so that a last column without a name is none.

    Returns:
        The columns, and warnings about columns that the contract does not name.

    Raises:
        DeliveryRefused: columns are missing, repeated or refused; all of them are listed.
    """
    _check_size(obj, found, file)
    names = [name.strip(_BLANK) for name in found]
    positions = [_position(field, names) for field in obj.fields]
    taken = {position for position in positions if position is not None}
    extras = [(name, place) for place, name in enumerate(names) if place not in taken]
    nameless = len(names) - 1 if may_trail and extras and extras[-1] == ("", len(names) - 1) else None
    extras = _distinct([extra for extra in extras if extra[1] != nameless])
    missing = [f for f, place in zip(obj.fields, positions, strict=True) if place is None and not f.optional]
    if missing and not taken:
        message = (
            f"none of the {len(obj.fields)} columns of the contract is in the header "
            f"({len(names)} columns found): is the header line missing, the delimiter or the encoding another?"
        )
        raise refusal(obj, file, message)
    mistakes = [_missing_message(field, obj, names, extras) for field in missing]
    counts = Counter(names)
    mistakes += [
        f"column {shown(names[p])} appears {counts[names[p]]} times" for p in sorted(taken) if counts[names[p]] > 1
    ]
    if obj.delivery.on_extra_field == "refuse":
        mistakes += [
            f"column {shown(name)} is not in the contract, which refuses unknown columns" for name, _ in extras
        ]
    if mistakes:
        raise refusal(obj, file, mistakes)
    warnings = [f"{file}: column {shown(name)} is not in the contract; kept in _extra" for name, _ in extras]
    return Columns(len(names), tuple(positions), tuple(extras), nameless), warnings


def _check_size(obj: SourceObject, found: Sequence[str], file: str) -> None:
    if len(found) > MOST_COLUMNS:
        message = f"{len(found)} columns, at most {MOST_COLUMNS} are read: are the line ends lost?"
        raise refusal(obj, file, message)
    if longest := [place for place, name in enumerate(found, 1) if len(name) > LONGEST_NAME]:
        message = f"the name of column {longest[0]} is longer than {LONGEST_NAME} characters: is the header missing?"
        raise refusal(obj, file, message)


def matches(obj: SourceObject, found: Sequence[str]) -> int:
    """How many of the contract's fields are among these columns."""
    names = [name.strip(_BLANK) for name in found]
    return sum(_position(field, names) is not None for field in obj.fields)


def _position(field: Field, names: Sequence[str]) -> int | None:
    """Where the field is: by its exact name, else by the one name that differs only in case."""
    if field.physical_name in names:
        return names.index(field.physical_name)
    folded = [place for place, name in enumerate(names) if name.casefold() == field.physical_name.casefold()]
    return folded[0] if len(folded) == 1 else None


def _missing_message(field: Field, obj: SourceObject, names: Sequence[str], extras: Sequence[tuple[str, int]]) -> str:
    message = f"column {field.physical_name!r} is missing"
    place = obj.fields.index(field)
    unknown = [name for name, _ in extras if name]
    in_place = [name for name, p in extras if p == place and name and len(names) == len(obj.fields)]
    similar = in_place or difflib.get_close_matches(field.physical_name, unknown, 1, _SIMILAR)
    if similar:
        message += f"; {shown(similar[0])} is not in the contract: was the column renamed?"
    return message


def _distinct(extras: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Give nameless and repeated unknown columns a name of their own."""
    seen: set[str] = set()
    result = []
    for name, place in extras:
        distinct = name or f"column_{place + 1}"
        if distinct in seen:
            distinct = f"{distinct}_{place + 1}"
        seen.add(distinct)
        result.append((distinct, place))
    return result
