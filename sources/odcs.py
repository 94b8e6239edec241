"""Conformity with the Open Data Contract Standard: its package's models and JSON schema, said in our words.

The models know every key (which gives precise hints), the JSON schema knows types, codes and what is required.
One relaxation, because a contract states a database by its SQLAlchemy URL: a server need not repeat host, port
and schema, and its type may be any SQLAlchemy dialect.
"""

import importlib.resources
import json
import types
import typing
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
from jsonschema.exceptions import best_match
from open_data_contract_standard.model import OpenDataContractStandard
from pydantic import BaseModel, ValidationError

from sources.problems import Document, Location, Problem, hint


def odcs_problems(document: Document) -> Iterator[Problem]:
    """Every way in which the document is not an ODCS v3 contract."""
    found = [*_unknown_keys(document, document.data, OpenDataContractStandard, ())]
    found += _schema_problems(document)
    if not found:
        found += _model_problems(document)
    yield from found


def nested_model(annotation: Any) -> type[BaseModel] | None:
    """Return the pydantic model inside a type such as ``list[Server] | None``, if there is one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (nested_model(part) for part in typing.get_args(annotation))
    return next((model for model in inner if model), None)


def keys_of(model: type[BaseModel]) -> dict[str, Any]:
    """Keys that a model knows in a document, and the type of each."""
    return {(info.alias or name): info.annotation for name, info in model.model_fields.items()}


def _unknown_keys(document: Document, data: Any, model: type[BaseModel], location: Location) -> Iterator[Problem]:
    known = keys_of(model)
    if not isinstance(data, dict):
        return
    for key, value in data.items():
        here = (*location, key)
        if key not in known:
            yield document.problem(here, f"unknown key {key!r}{hint(key, known)}")
            continue
        if isinstance(value, list):
            inner = _model_for(known[key], of_list=True)
            for number, item in enumerate(value if inner else ()):
                yield from _unknown_keys(document, item, typing.cast(type[BaseModel], inner), (*here, number))
        elif isinstance(value, dict) and (inner := _model_for(known[key], of_list=False)):
            yield from _unknown_keys(document, value, inner, here)


def _model_for(annotation: Any, of_list: bool) -> type[BaseModel] | None:
    """The model of a union's list or of its single object (ODCS's team is either)."""
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        inner = (_model_for(part, of_list) for part in typing.get_args(annotation))
        return next((model for model in inner if model), None)
    is_list = typing.get_origin(annotation) is list
    return nested_model(annotation) if is_list == of_list else None


@cache
def _validator() -> Any:
    resource = importlib.resources.files("open_data_contract_standard") / "schema.json"
    schema = json.loads(resource.read_text(encoding="utf-8"))
    server = schema["$defs"]["Server"]
    del server["allOf"]
    del server["properties"]["type"]["enum"]
    return jsonschema.Draft201909Validator(schema)


def _schema_problems(document: Document) -> Iterator[Problem]:
    for found in _validator().iter_errors(_typed(document.data)):
        error = best_match([found]) if found.context else found
        location = tuple(error.absolute_path)
        if "logicalTypeOptions" in location and error.validator == "additionalProperties":
            allowed = error.schema.get("properties", {})
            for key in sorted(set(error.instance) - set(allowed)):
                yield document.problem((*location, key), f"unknown key {key!r}{hint(key, allowed)}")
        elif error.validator in ("additionalProperties", "unevaluatedProperties"):
            continue  # the models have named the key already, with a hint
        else:
            yield document.problem(location, _said(error))


def _typed(data: Any) -> Any:
    """The document with each property's type said: to the schema one without is of every type, a map too."""
    if isinstance(data, list):
        return [_typed(item) for item in data]
    if not isinstance(data, dict):
        return data
    made = {key: _typed(value) for key, value in data.items()}
    for part in (*_listed(made.get("properties")), made.get("items")):
        if isinstance(part, dict):
            part.setdefault("logicalType", "string")
    return made


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _said(error: Any) -> str:
    """The schema's complaint without its jargon."""
    if error.validator == "required":
        missing = next(key for key in error.validator_value if key not in error.instance)
        return f"{missing!r} is missing"
    if error.validator == "enum":
        word = str(error.instance)
        return f"{word!r} is not one of them{hint(word, map(str, error.validator_value))}"
    if error.validator == "type":
        wanted = error.validator_value
        wanted = wanted if isinstance(wanted, str) else " or ".join(wanted)
        if tuple(error.absolute_path)[-2:-1] == ("enum",):
            return "an allowed value is written as '- value: CODE'"
        return f"this must be {'an' if wanted[0] in 'aeiou' else 'a'} {wanted}"
    return str(error.message)


def _model_problems(document: Document) -> Iterator[Problem]:
    try:
        OpenDataContractStandard.model_validate(document.data)
    except ValidationError as error:
        for mistake in error.errors():
            yield document.problem(mistake["loc"], mistake["msg"])
