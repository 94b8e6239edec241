"""A share's contract: valid by the standard's own schema, and it says what the share has and nothing else."""

import importlib.resources
import json
from pathlib import Path

import jsonschema
import yaml
from share_home import policy, release

from warehouse.shares.contract import write_contract

GRANTED = {
    "mart.customer_360": {
        "columns": [
            "customer_id",
            {"full_name": {"mask": {"first": 1}}},
            "party_type",
            {"balance_amount": {"bucket": [0]}},
        ]
    },
    "customer.account": {"columns": ["system", "account_id"]},
}


def test_the_contract_is_valid_and_lists_the_granted_columns(tmp_path: Path) -> None:
    write_contract(tmp_path / "contract.odcs.yaml", release(tmp_path / "release"), policy(tables=GRANTED))
    said = yaml.safe_load((tmp_path / "contract.odcs.yaml").read_text(encoding="utf-8"))
    schema = json.loads((importlib.resources.files("open_data_contract_standard") / "schema.json").read_text())
    jsonschema.Draft201909Validator(schema).validate(said)
    assert (said["apiVersion"], said["kind"], said["id"]) == ("v3.1.0", "DataContract", "bank-share-marketing")
    assert said["description"]["purpose"] == "Campaigns. 营销活动。"
    assert {table["name"]: [p["name"] for p in table["properties"]] for table in said["schema"]} == {
        "mart.customer_360": ["customer_id", "full_name", "party_type", "balance_amount"],
        "customer.account": ["system", "account_id"],
    }
    [token, name, kind, amount] = said["schema"][0]["properties"]
    assert (token["primaryKey"], token["required"], token["transformLogic"]) == (True, True, "tokenise")
    assert (name["classification"], name["transformLogic"], name["logicalType"]) == ("C2", "mask", "string")
    assert kind["quality"][0]["arguments"] == {"validValues": ["person", "organisation"]}
    assert amount["physicalType"] == "enum('(, 0)', '[0, )')"


def test_the_contracts_version_changes_with_the_policy(tmp_path: Path) -> None:
    made = release(tmp_path / "release")
    versions = []
    for tables in (GRANTED, {"customer.account": GRANTED["customer.account"]}):
        write_contract(tmp_path / "c.yaml", made, policy(tables=tables))
        versions.append(yaml.safe_load((tmp_path / "c.yaml").read_text(encoding="utf-8"))["version"])
    assert versions[0] != versions[1]
