"""Small contracts and exports for the tests of what arrives."""

from typing import Any

import yaml

from sources.contract import Contract, parse_contract


def _property(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    custom = {k: spec[k] for k in ("width", "start", "on_invalid", "decimals", "not_future", "tokenise") if k in spec}
    options = {
        k: spec[k]
        for k in (
            "format",
            "pattern",
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "minLength",
            "maxLength",
        )
        if k in spec
    }
    entry: dict[str, Any] = {"name": name, "logicalType": spec.get("type", "string")}
    entry |= {k: spec[k] for k in ("physicalName", "required", "primaryKey", "primaryKeyPosition") if k in spec}
    if options:
        entry["logicalTypeOptions"] = options
    if "enum" in spec:
        entry["enum"] = [{"value": value} for value in spec["enum"]]
    if custom:
        entry["customProperties"] = [{"property": k, "value": v} for k, v in custom.items()]
    return entry


def make_contract(
    objects: dict[str, tuple[dict[str, Any], dict[str, dict[str, Any]]]],
    system: str = "core",
    server: dict[str, Any] | None = None,
) -> Contract:
    """Write a contract as YAML, and read it: object name -> (delivery, fields by name)."""
    document = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": system,
        "version": "1.0.0",
        "status": "active",
        "name": system,
        "customProperties": [{"property": "system", "value": system}],
        "servers": [server or {"server": "export", "type": "local", "path": system}],
        "schema": [
            {
                "name": name,
                "logicalType": "object",
                "customProperties": [{"property": "delivery", "value": delivery}],
                "properties": [_property(field, spec) for field, spec in fields.items()],
            }
            for name, (delivery, fields) in objects.items()
        ],
    }
    contract, problems = parse_contract(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), "test.odcs.yaml")
    assert contract is not None and not problems, problems
    return contract
