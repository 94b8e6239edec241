"""Checking a contract document and making the shapes from it; every mistake is found in one pass.

Three checks follow each other: keys and types against ODCS (``odcs``), our own custom properties against their
models, and what only shows between parts (a control total of a field that does not exist). Fills are checked
against the canonical entities later, by ``mapping.check_fills``.
"""

import codecs
import re
from dataclasses import replace
from typing import Any

from sources.contract_reading import Reading, read_fields
from sources.contract_shapes import (
    Contract,
    Delivery,
    Field,
    Latency,
    QualityCheck,
    Server,
    SourceObject,
    custom_location,
)
from sources.expressions import Fill
from sources.file_pattern import pattern_mistake
from sources.odcs import odcs_problems
from sources.problems import Document, Location, Problem, hint

COMPARISONS = (
    "mustBe",
    "mustNotBe",
    "mustBeGreaterThan",
    "mustBeGreaterOrEqualTo",
    "mustBeLessThan",
    "mustBeLessOrEqualTo",
    "mustBeBetween",
    "mustNotBeBetween",
)
_DATED = ("date", "timestamp")
# What stands in for a delivery that could not be read, so that the object's fills are still checked.
_UNREADABLE = Delivery(mode="full", format="csv", pattern="*")


def check_contract(text: str, file: str) -> tuple[Contract | None, list[Problem]]:
    """Read a contract as far as possible, and list every mistake in the order of the lines."""
    document = Document.read(text, file)
    if isinstance(document, Problem):
        return None, [document]
    conformity = [*document.problems, *odcs_problems(document)]
    said = {(problem.line, problem.path) for problem in conformity}
    reading = Reading(document)
    contract = _contract(reading)
    own = [problem for problem in reading.problems if (problem.line, problem.path) not in said]
    return contract, sorted(conformity + own, key=lambda p: (p.line, p.path))


def _contract(reading: Reading) -> Contract | None:
    data = reading.document.data
    version = str(data.get("apiVersion", "v3"))
    if not version.startswith("v3"):
        reading.say(("apiVersion",), f"{version} is too old (write v3.1.0)")
    system = reading.custom((), ("system",)).get("system")
    if system is None:
        reading.say(("customProperties",), "custom property 'system', the code of the source system, is missing")
        return None
    reading.name(custom_location(reading.document, (), ("system",)), system, "a system")
    server = _server(reading)
    objects: dict[str, SourceObject] = {}
    for location, entry in reading.items(("schema",)):
        source = _object(reading, location, entry, str(system), server)
        if source.name in objects:
            reading.say((*location, "name"), f"object {source.name!r} is there twice (rename one)")
        objects.setdefault(source.name, source)
    for name, found in _latencies(reading, objects).items():
        objects[name] = replace(objects[name], latencies=tuple(found))
    if not objects:
        reading.say(("schema",), "the contract has no objects; list at least one under 'schema'")
    return Contract(
        system=str(system),
        title=str(data.get("name") or data.get("id") or system),
        version=str(data.get("version", "")),
        server=server,
        objects=tuple(objects.values()),
        file=reading.document.file,
    )


def _latencies(reading: Reading, objects: dict[str, SourceObject]) -> dict[str, list[Latency]]:
    """Service levels of property ``latency`` by object; those of other properties are for people."""
    found: dict[str, list[Latency]] = {}
    for place, entry in reading.items(("slaProperties",)):
        if entry.get("property") != "latency":
            continue
        element, days = str(entry.get("element", "")), entry.get("value")
        name, _, column = element.partition(".")
        field = objects[name].find(column) if name in objects else None
        if field is None:
            known = [f"{o.name}.{f.name}" for o in objects.values() for f in o.fields if f.logical_type in _DATED]
            reading.say((*place, "element"), f"there is no field {element!r}{hint(element, known)}")
        elif field.logical_type not in _DATED or not field.formats or any("%z" in form for form in field.formats):
            reading.say((*place, "element"), f"{element} is no date or timestamp with a format and without a time zone")
        elif entry.get("unit") not in ("d", "day", "days") or not isinstance(days, int) or days < 0:
            reading.say(place, "a latency is a whole number of days: 'value: 3, unit: d'")
        else:
            found.setdefault(name, []).append(Latency(column, days))
    return found


def _server(reading: Reading) -> Server:
    """Read the first server: the others are how ODCS names further environments."""
    servers = reading.items(("servers",))
    if not servers:
        reading.say(("servers",), "say where the export lies: '- {server: export, type: local, path: FOLDER}'")
        return Server("local")
    location, entry = servers[0]
    custom = reading.custom(location, ("url",))
    kind, path, url = str(entry.get("type", "")), entry.get("path"), custom.get("url")
    if kind == "local":
        if not isinstance(path, str):
            reading.say(location, "'path', the folder below the exports folder, is missing ('.' is the folder itself)")
        elif mistake := pattern_mistake(path):
            reading.say((*location, "path"), mistake)
        if url is not None:
            reading.say(location, "a local server has no 'url' (for a database write type: postgresql, sqlite, ...)")
    elif not isinstance(url, str):
        reading.say(location, "custom property 'url', the database's SQLAlchemy URL, is missing")
    elif "://" not in url:
        reading.say(
            custom_location(reading.document, location, ("url",)),
            "not a SQLAlchemy URL (example: postgresql+psycopg://user:${CORE_PASSWORD}@host/db)",
        )
    return Server(kind, path if isinstance(path, str) else "", url if isinstance(url, str) else None)


def _object(reading: Reading, location: Location, entry: dict[str, Any], system: str, server: Server) -> SourceObject:
    name = reading.name((*location, "name"), entry.get("name"), "an object")
    fields = read_fields(reading, location)
    if not fields:
        reading.say(location, "the object has no fields; list them under 'properties'")
    custom = reading.custom(location, ("delivery", "fills"))
    delivery = None
    if "delivery" not in custom:
        reading.say(location, "custom property 'delivery' is missing (how the object arrives)")
    else:
        place = custom_location(reading.document, location, ("delivery",))
        delivery = reading.model(place, custom["delivery"], Delivery)
        if delivery:
            _check_delivery(reading, place, delivery, fields, server)
    fills = _fills(reading, location, custom.get("fills"))
    return SourceObject(
        system=system,
        name=name,
        description=str(entry.get("description", "")),
        delivery=delivery or _UNREADABLE,
        fields=fields,
        fills=tuple(fills.values()),
        fill_places=tuple(fills),
        quality=tuple(_quality(reading, location, name, fields)),
        origin=reading.document,
        location=location,
    )


def _fills(reading: Reading, location: Location, value: Any) -> dict[int, Fill]:
    """Read the fills that are right in themselves, each by its place in the list."""
    place = custom_location(reading.document, location, ("fills",))
    if value is None:
        return {}
    if not isinstance(value, list):
        reading.say(place, "this must be a list ('- entity: party')")
        return {}
    read = {n: reading.model((*place, n), entry, Fill) for n, entry in enumerate(value)}
    return {number: fill for number, fill in read.items() if fill}


def _check_delivery(
    reading: Reading, place: Location, delivery: Delivery, fields: tuple[Field, ...], server: Server
) -> None:
    """Check what the delivery says against itself, the fields and the server."""
    names = [f.name for f in fields]
    is_database = delivery.format == "sql"
    if is_database != (server.type != "local"):
        reading.say((*place, "format"), f"format {delivery.format} does not go with a server of type {server.type}")
    if is_database and (delivery.table is None) == (delivery.query is None):
        reading.say(place, "format sql needs either 'table' or 'query'")
    if not is_database and delivery.pattern is None:
        reading.say(place, "'pattern', the file's name, is missing")
    for key in ("pattern", "ready"):
        if mistake := pattern_mistake(getattr(delivery, key) or ""):
            reading.say((*place, key), mistake)
    _check_encoding(reading, (*place, "encoding"), delivery.encoding)
    _check_mode(reading, place, delivery, fields)
    if delivery.format == "fixed":
        for lacking in (f for f in fields if f.width is None):
            reading.say(place, f"format fixed: field {lacking.name!r} has no 'width' in bytes")
    if delivery.format == "fixed" or not delivery.header:
        for lacking in (f for f in fields if f.optional):
            reading.say(place, f"field {lacking.name!r} cannot be optional: the file has no header that could lack it")
    control = delivery.control
    if control is None:
        return
    place = (*place, "control")
    _check_encoding(reading, (*place, "encoding"), control.encoding)
    if mistake := pattern_mistake(control.pattern or ""):
        reading.say((*place, "pattern"), mistake)
    for name in sorted(set(control.totals) - set(names)):
        reading.say((*place, "totals", name), f"there is no field {name!r}{hint(name, names)}")
    if control.trailer is not None:
        _check_trailer(reading, place, control.trailer, [control.rows, *control.totals.values()])


def _check_mode(reading: Reading, place: Location, delivery: Delivery, fields: tuple[Field, ...]) -> None:
    names = [f.name for f in fields]
    if delivery.mode == "delta" and not any(f.primary_key for f in fields):
        reading.say((*place, "mode"), "a delta needs a key; mark its fields with 'primaryKey: true'")
    if delivery.operation is None:
        return
    if delivery.mode != "delta":
        reading.say((*place, "operation"), f"'operation' belongs to mode delta, not {delivery.mode}")
    if delivery.operation.field not in names:
        word = delivery.operation.field
        reading.say((*place, "operation", "field"), f"there is no field {word!r}{hint(word, names)}")


def _check_trailer(reading: Reading, place: Location, trailer: str, groups: list[str | None]) -> None:
    try:
        known = re.compile(trailer).groupindex
    except re.error as error:
        reading.say((*place, "trailer"), f"not a regular expression: {error}")
        return
    for group in (g for g in groups if g is not None and g not in known):
        reading.say((*place, "trailer"), f"the regular expression has no group (?P<{group}>...)")


def _check_encoding(reading: Reading, place: Location, encoding: str) -> None:
    try:
        codecs.lookup(encoding)
    except LookupError:
        known = ("utf-8", "gb18030", "gbk", "big5", "latin-1", "cp1250", "cp1252", "utf-16", "shift_jis")
        reading.say(place, f"{encoding!r} is not an encoding{hint(encoding, known)}")


def _quality(reading: Reading, location: Location, name: str, fields: tuple[Field, ...]) -> list[QualityCheck]:
    """Quality rules of the object and of its fields; only those of type sql are run, texts are for people."""
    checks = _quality_at(reading, (*location, "quality"), name, None)
    for place, entry in reading.items((*location, "properties")):
        checks += _quality_at(reading, (*place, "quality"), name, str(entry.get("name")))
    return [replace(check, name=check.name or f"{name}_{n}") for n, check in enumerate(checks, 1)]


def _quality_at(reading: Reading, location: Location, name: str, field: str | None) -> list[QualityCheck]:
    checks = []
    for place, entry in reading.items(location):
        kind = entry.get("type", "library")
        if kind == "text":
            continue
        given = [key for key in COMPARISONS if key in entry]
        if kind != "sql":
            reading.say(place, f"rules of type {kind} are not run (write type: sql with 'query' and 'mustBe')")
        elif len(given) != 1 or not isinstance(entry.get("query"), str):
            reading.say(place, f"a rule has a 'query' and exactly one of {', '.join(COMPARISONS)}")
        else:
            query = entry["query"].replace("{object}", name)
            checks.append(
                QualityCheck(
                    name=str(entry.get("name", "")),
                    description=str(entry.get("description", "")),
                    query=query.replace("{property}", field) if field else query,
                    comparison=given[0],
                    expected=entry[given[0]],
                    severity=str(entry.get("severity", "error")),
                    field=field,
                )
            )
    return checks
