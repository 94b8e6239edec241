"""Reading the parts of a contract document: our custom properties and the fields of an object.

A ``Reading`` goes along through the whole document and collects what is wrong; a part that cannot be
understood is reported and replaced by its default, so that everything after it is still checked.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from sources.contract_shapes import Field, custom_location
from sources.expressions import strptime_format
from sources.odcs import keys_of, nested_model
from sources.problems import Document, Location, Problem, hint

Model = TypeVar("Model", bound=BaseModel)

LOGICAL_TYPES = ("string", "date", "timestamp", "number", "integer", "boolean", "object", "array")
CLASSIFICATIONS = ("none", "C1", "C2", "C3")
FIELD_PROPERTIES = ("width", "start", "on_invalid", "decimals", "not_future", "tokenise", "optional")
_NAME = re.compile(r"[^\W\d_]\w*")


@dataclass
class Reading:
    """A document that is being read, and the problems found so far."""

    document: Document
    problems: list[Problem] = field(default_factory=list)

    def at(self, location: Location) -> Any:
        """Value at a location; None where there is none."""
        value: Any = self.document.data
        for step in location:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def say(self, location: Location, message: str) -> None:
        """Note a mistake."""
        self.problems.append(self.document.problem(location, message))

    def items(self, location: Location) -> list[tuple[Location, dict[str, Any]]]:
        """Entries of a list of mappings with their places; anything else there is ODCS's complaint."""
        entries = self.at(location)
        return [
            ((*location, number), entry)
            for number, entry in enumerate(entries if isinstance(entries, list) else ())
            if isinstance(entry, dict)
        ]

    def custom(self, location: Location, known: Iterable[str]) -> dict[str, Any]:
        """Our custom properties of the part at a location; those of other tools carry ``vendor``."""
        found: dict[str, Any] = {}
        for place, entry in self.items((*location, "customProperties")):
            name = entry.get("property")
            if entry.get("vendor") or not isinstance(name, str):
                continue
            if name not in known:
                self.say(place, f"unknown custom property {name!r}{hint(name, known)}")
            elif name in found:
                self.say(place, f"custom property {name!r} is given twice (keep one)")
            else:
                found[name] = entry.get("value")
        return found

    def model(self, location: Location, value: Any, model: type[Model]) -> Model | None:
        """Validate a value of a custom property; None and a problem for each mistake if it is wrong."""
        try:
            return model.model_validate(value)
        except ValidationError as error:
            for mistake in error.errors(include_url=False):
                inside = tuple(step for step in mistake["loc"] if not str(step).startswith("function-"))
                self.say((*location, *inside), _said(mistake, inside, model))
            return None

    def name(self, location: Location, name: Any, what: str) -> str:
        """Check a name that becomes a table or column; an unusable one is reported."""
        if not isinstance(name, str) or not _NAME.fullmatch(name) or "__" in name:
            self.say(location, f"{name!r} cannot name {what}: letters, digits and single underscores, a letter first")
        return str(name)


def _said(mistake: Any, location: Location, model: type[BaseModel]) -> str:
    """One pydantic complaint in our words."""
    kind = mistake["type"]
    if kind == "missing":
        return f"{location[-1]!r} is missing"
    if kind == "extra_forbidden":
        word = str(location[-1])
        return f"unknown key {word!r}{hint(word, keys_of(_model_at(model, location[:-1])))}"
    if kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", mistake["ctx"]["expected"]) or [mistake["ctx"]["expected"]]
        return f"{str(mistake['input'])!r} is not one of them{hint(str(mistake['input']), allowed)}"
    if kind == "too_short":
        return "this must not be empty"
    return str(mistake["msg"]).removeprefix("Value error, ")


def _model_at(model: type[BaseModel], location: Location) -> type[BaseModel]:
    for step in location:
        annotation = keys_of(model).get(str(step)) if isinstance(step, str) else None
        model = nested_model(annotation) or model
    return model


def read_fields(reading: Reading, location: Location, nested: bool = False) -> tuple[Field, ...]:
    """Read the ``properties`` of an object (or of a nested one)."""
    fields: dict[str, Field] = {}
    physical: dict[str, str] = {}
    for place, entry in reading.items((*location, "properties")):
        read = read_field(reading, place, entry, nested)
        if read.name in fields:
            reading.say((*place, "name"), f"field {read.name!r} is there twice (rename one)")
        if read.physical_name in physical:
            reading.say(place, f"{read.physical_name!r} is also the physicalName of {physical[read.physical_name]!r}")
        fields.setdefault(read.name, read)
        physical.setdefault(read.physical_name, read.name)
    return tuple(fields.values())


def read_field(reading: Reading, location: Location, entry: dict[str, Any], nested: bool = False) -> Field:
    """Read one property; nested ones, which live inside JSON, have no column of their own."""
    name = entry.get("name", "item")
    logical_type = _one_of(reading, (*location, "logicalType"), entry.get("logicalType", "string"), LOGICAL_TYPES)
    custom = reading.custom(location, () if nested else FIELD_PROPERTIES)
    options = entry.get("logicalTypeOptions") or {}
    if not nested:
        reading.name((*location, "name"), name, "a field")
        if name == "item":
            message = "'item' means an array's item in fills (rename it, keep physicalName: item)"
            reading.say((*location, "name"), message)
    items_at = (*location, "items")
    items = entry.get("items")
    return Field(
        name=str(name),
        physical_name=str(entry.get("physicalName", name)),
        description=str(entry.get("description", "")),
        logical_type=logical_type,
        options=options if isinstance(options, dict) else {},
        formats=_formats(reading, location, logical_type, options),
        required=entry.get("required") is True,
        primary_key=entry.get("primaryKey") is True,
        key_position=max(_integer(entry.get("primaryKeyPosition")), 0),
        unique=entry.get("unique") is True,
        classification=_one_of(
            reading, (*location, "classification"), entry.get("classification", "C2"), CLASSIFICATIONS
        ),
        enum=tuple(str(e["value"]) for e in entry.get("enum") or () if isinstance(e, dict) and "value" in e),
        properties=read_fields(reading, location, nested=True),
        items=read_field(reading, items_at, items, nested=True) if isinstance(items, dict) else None,
        **_field_properties(reading, location, logical_type, entry, custom),
    )


def _field_properties(
    reading: Reading, location: Location, logical_type: str, entry: dict[str, Any], custom: dict[str, Any]
) -> dict[str, Any]:
    """Check the custom properties of a field; wrong ones are reported and left at their default."""
    numeric = logical_type in ("number", "integer")
    made: dict[str, Any] = {"on_invalid": "quarantine" if numeric else "null"}

    def check(name: str, is_right: bool, wanted: str) -> None:
        if is_right:
            made[name] = custom[name]
        else:
            reading.say(custom_location(reading.document, location, (name,)), f"{name}: {wanted}")

    for name in ("width", "start"):
        if name in custom:
            check(name, _integer(custom[name]) > 0, "a number of bytes, from 1")
    if "decimals" in custom:
        fits = numeric and 0 <= _integer(custom["decimals"], -1) <= 12
        check("decimals", fits, "how many digits (0 to 12) of a number or integer stand behind the implied point")
    if "on_invalid" in custom:
        said = "null" if custom["on_invalid"] is None else custom["on_invalid"]
        custom["on_invalid"] = said
        check("on_invalid", said in ("quarantine", "null"), "quarantine (the row) or null (the value)")
    if "not_future" in custom:
        fits = isinstance(custom["not_future"], bool) and logical_type in ("date", "timestamp")
        check("not_future", fits, "true or false, for a date or timestamp")
    if "tokenise" in custom:
        check("tokenise", custom["tokenise"] == "card", "only 'card' is known")
    if "optional" in custom:
        always_there = entry.get("required") is True or entry.get("primaryKey") is True
        fits = isinstance(custom["optional"], bool) and not (custom["optional"] and always_there)
        check("optional", fits, "true or false; a required field or a key cannot be left out")
    return made


def _formats(reading: Reading, location: Location, logical_type: str, options: Any) -> tuple[str, ...]:
    """Formats of a date; patterns and formats that cannot be understood are reported."""
    if not isinstance(options, dict):
        return ()
    place = (*location, "logicalTypeOptions")
    pattern = options.get("pattern")
    if isinstance(pattern, str):
        try:
            re.compile(pattern)
        except re.error as error:
            reading.say((*place, "pattern"), f"not a regular expression: {error}")
    if logical_type not in ("date", "timestamp") or not isinstance(options.get("format"), str):
        return ()
    try:
        return (strptime_format(options["format"]),)
    except ValueError as error:
        reading.say((*place, "format"), str(error))
        return ()


def _one_of(reading: Reading, location: Location, value: Any, allowed: tuple[str, ...]) -> str:
    if value in allowed:
        return str(value)
    reading.say(location, f"{str(value)!r} is not one of them{hint(str(value), allowed)}")
    return allowed[0]


def _integer(value: Any, otherwise: int = 0) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise
