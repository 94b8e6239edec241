"""What a fill's expressions can name: the fields of an object, its nested JSON, and the items of one array.

A path becomes SQL text over the object's landing-shaped relation: scalar text without blanks, or NULL where it
meets an object or an array. Wrong paths are refused here, with a hint; where they stand is the checker's matter.
"""

from dataclasses import dataclass

from sources.contract_shapes import Field, SourceObject
from sources.conversions import clean, identifier, literal
from sources.problems import hint

ITEM = "item"
POSITION = "item.position"
# Formats in which a field may hold an object or array although its contract says text.
_JSON_FORMATS = ("jsonl", "parquet", "sql", "auto")


class UnknownPathError(ValueError):
    """A path names nothing; the message says what it could name."""


@dataclass(frozen=True)
class Place:
    """Where a path leads: its text as SQL, whether the source says anything there, and the field's definition."""

    path: str
    text: str
    present: str
    field: Field | None

    @property
    def may_meet_json(self) -> bool:
        """Whether an object or array can stand there, whose text would be NULL."""
        return self.present != f"{self.text} is not null"


@dataclass(frozen=True)
class Scope:
    """The fields of an object, and the items of the array ``each`` if there is one."""

    source: SourceObject
    each: str | None = None

    def place(self, path: str) -> Place:
        """Find what a path names.

        Raises:
            UnknownPathError: no such field, nested property or array item.
        """
        if path == POSITION and self.each:
            text = "cast(_position as varchar)"
            return Place(path, text, f"{text} is not null", None)
        if path == ITEM or path.startswith(f"{ITEM}."):
            return self._item(path)
        steps = path.split(".")
        field = self._field(steps[0])
        column = identifier(field.name)
        if len(steps) > 1:
            document = f"case when json_valid({column}) then {column} end"
            keys, inner = _nested(field, steps[1:], path)
            return _json_place(path, document, keys, inner)
        if field.is_nested or self.source.delivery.format in _JSON_FORMATS:
            meets_json = f"left(ltrim({column}), 1) in ('{{', '[') and json_valid({column})"
            text = f"case when {meets_json} then null else {clean(column)} end"
            return Place(path, text, f"{clean(column)} is not null", field)
        return Place(path, clean(column), f"{clean(column)} is not null", field)

    def relation(self) -> str:
        """The object's rows; with ``each``, one row for each item: ``_item`` (JSON) and ``_position`` (from 1)."""
        rows = f"from {self.source.relation}"
        if not self.each:
            return rows
        text, _ = self._array()
        items = (
            f"case when not json_valid({text}) then [to_json({text})] "
            f"when json_type({text}) = 'ARRAY' then json_extract({text}, '$[*]') "
            f"else [cast({text} as json)] end"
        )
        return (
            f"from (\n    select *, unnest(_items) as _item, generate_subscripts(_items, 1) as _position\n"
            f"    from (select *, {items} as _items {rows})\n)\nwhere json_type(_item) <> 'NULL'"
        )

    def check_each(self) -> None:
        """Check that ``each`` names an array or object.

        Raises:
            UnknownPathError: it names nothing, or a plain value.
        """
        if self.each:
            self._array()

    def _array(self) -> tuple[str, Field]:
        steps = (self.each or "").split(".")
        field = self._field(steps[0])
        column = clean(identifier(field.name))
        if len(steps) > 1:
            keys, inner = _nested(field, steps[1:], self.each or "")
            field = inner
            path = literal("$" + "".join(keys))
            column = f"case when json_valid({column}) then cast(json_extract({column}, {path}) as varchar) end"
        if not field.is_nested:
            raise UnknownPathError(
                f"{self.each!r} is a {field.logical_type}, not an array (write logicalType: array, with items)"
            )
        return column, field.items or field

    def _item(self, path: str) -> Place:
        if not self.each:
            raise UnknownPathError(f"{path!r} needs 'each', the array whose items become rows")
        _, item = self._array()
        steps = path.split(".")[1:]
        keys, inner = _nested(item, steps, path) if steps else ([], item)
        return _json_place(path, "_item", keys, inner)

    def _field(self, name: str) -> Field:
        field = self.source.find(name)
        if field is None:
            names = [f.name for f in self.source.fields]
            raise UnknownPathError(f"{self.source.system}.{self.source.name} has no field {name!r}{hint(name, names)}")
        return field


def _nested(field: Field, steps: list[str], path: str) -> tuple[list[str], Field]:
    """JSON keys and definition of a nested property."""
    keys = []
    for step in steps:
        if field.logical_type == "array":
            raise UnknownPathError(f"{path!r}: {field.name!r} is an array; make its items rows with 'each'")
        inner = field.nested(step)
        if inner is None:
            known = [f.name for f in field.properties]
            what = hint(step, known) if known else " (declare it under 'properties')"
            raise UnknownPathError(f"{path!r}: {field.name!r} has no property {step!r}{what}")
        keys.append('."' + inner.physical_name.replace('"', '\\"') + '"')
        field = inner
    return keys, field


def _json_place(path: str, document: str, keys: list[str], field: Field) -> Place:
    key = literal("$" + "".join(keys))
    kind = f"json_type({document}, {key})"
    value = f"json_extract_string({document}, {key})"
    text = clean(f"case when {kind} not in ('OBJECT', 'ARRAY') then {value} end")
    return Place(path, text, f"{clean(value)} is not null", field)
