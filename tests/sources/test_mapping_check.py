"""Wrong fills: each is told before any row is read, with its line and a hint."""

from typing import Any

import pytest
from mapped import CONTACT, ENTITIES, GUARANTORS, JSONL, PARTY, contract, run

from sources.contract import parse_contract
from sources.mapping import check_fills


def party(**columns: Any) -> dict[str, Any]:
    """A fill of party: the required columns, and these."""
    return {"entity": "party", "columns": PARTY | columns}


def looking_up(other: str, by: Any, take: str) -> dict[str, Any]:
    return party(full_name={"lookup": {"object": other, "by": by, "take": take}})


@pytest.mark.parametrize(
    ("fill", "said"),
    [
        ({"entity": "prty", "columns": PARTY}, "'prty' is not a canonical entity (did you mean 'party'?)"),
        ({"entity": "party", "columns": {"record_id": "no"}}, "required column 'party_type' of party is not filled"),
        (party(birthdate="no"), "party has no column 'birthdate' (did you mean 'birth_date'?)"),
        (party(source_line="no"), "party has no column 'source_line'"),
        (party(full_name="nme"), "core.thing has no field 'nme' (did you mean 'name'?)"),
        (party(full_name="contact.mobil"), "'contact' has no property 'mobil' (did you mean 'mobile'?)"),
        (party(full_name="name.first"), "'name' has no property 'first' (declare it under 'properties')"),
        (party(full_name="guarantors.name"), "make its items rows with 'each'"),
        (party(full_name="item.name"), "'item.name' needs 'each'"),
        (party(full_name={"first_of": ["name", {"join": ["no", "nme"]}]}), "no field 'nme'"),
        (party() | {"each": "name"}, "'name' is a string, not an array"),
        (party(full_name="item.x") | {"each": "guarantor"}, "did you mean 'guarantors'?"),
        (party(full_name="item.nam") | {"each": "guarantors"}, "did you mean 'name'?"),
        (party() | {"when": {"from": "nam", "is": "x"}}, "no field 'nam' (did you mean 'name'?)"),
        (party(sex={"constant": "mail"}), "'mail' is not a sex (did you mean 'male'?)"),
        (party(sex={"from": "no", "codes": {"1": "m"}}), "'m' is not a sex"),
        (party(sex={"from": "no", "codes": {"1": "male"}, "otherwise": "m"}), "'m' is not a sex"),
        (party(sex={"from": "no", "default": "x"}), "'x' is not a sex"),
        (party(full_name={"from": "no", "codes": {"a": "1", "A": "2"}}), "code 'a' is there twice"),
        (party(full_name={"from": "no", "formats": "%Y"}), "'formats' are for dates; full_name is varchar"),
        (party(full_name={"from": "no", "negate": True}), "are for numbers; full_name is varchar"),
        (party(full_name={"from": "no", "divide": 100}), "'divide' is for decimals; full_name is varchar"),
        (party(system={"constant": "cor"}), "there is no system 'cor' (did you mean 'core'?)"),
        (looking_up("core.thin", "no", "name"), "there is no object 'core.thin' (did you mean 'core.thing'?)"),
        (looking_up("thing", "no", "nme"), "core.thing has no field 'nme'"),
        (looking_up("thing", {"nno": "no"}, "name"), "core.thing has no field 'nno'"),
        (looking_up("thing", {"no": "'1'"}, "name"), "'by' names no field of this row"),
    ],
)
def test_a_wrong_fill_is_told_with_its_line(fill: dict[str, Any], said: str) -> None:
    made = contract([fill], ["no", "name", CONTACT, GUARANTORS], delivery=JSONL)
    (problem,) = check_fills([made], ENTITIES)
    assert said in problem.message
    assert problem.file == "core.yaml" and problem.line >= made.objects[0].problem(("fills", 0), "").line > 1


def test_all_wrong_fills_come_at_once_and_each_has_its_own_line() -> None:
    columns = PARTY | {"full_name": "nme", "birthdate": "no", "sex": {"constant": "x"}}
    found = check_fills([contract([{"entity": "party", "columns": columns}], ["no", "name"])], ENTITIES)
    assert len(found) == 3 and len({problem.line for problem in found}) == 3
    assert all(problem.file == "core.yaml" for problem in found)


def test_a_fill_that_cannot_be_read_does_not_shift_the_lines_of_the_others() -> None:
    text = """\
apiVersion: v3.1.0
kind: DataContract
id: x
version: "1"
customProperties: [{property: system, value: core}]
servers: [{server: x, type: local, path: .}]
schema:
  - name: thing
    properties: [{name: no}]
    customProperties:
      - {property: delivery, value: {mode: full, format: csv, pattern: x}}
      - property: fills
        value:
          - {entity: party, colums: {}}
          - entity: party
            columns: {record_id: no, party_type: nn}
"""
    made, problems = parse_contract(text, "x.yaml")
    assert made is not None and {problem.line for problem in problems} == {14}
    assert [problem.line for problem in check_fills([made], ENTITIES)] == [16]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("case when", "not a SQL expression"),
        ("no; select 1", "not one SQL expression"),
        ("(select max(no) from landing.core__thing)", "no subselect"),
        ("exists (from landing.core__thing)", "no subselect"),
        ("max(no)", "no aggregate"),
        ("row_number() over ()", "no window"),
        ("nme || 'x'", "no field 'nme' (did you mean 'name'?)"),
        ("$secret", "no parameter but $business_date"),
        ("no || ?", "no parameter but $business_date"),
        ("now()", "changes from run to run"),
        ("random()", "changes from run to run"),
        ("current_date", "changes from run to run"),
        ("getenv('HOME')", "changes from run to run"),
        ("no -- the number", "no comments"),
        ("nosuchfunction(no)", "DuckDB refuses it"),
        ("read_text('/etc/passwd')", "DuckDB refuses it"),
        ("no + 1.5 + date '2020-01-01'", "DuckDB refuses it"),
        ("drop table x", "no table"),
        ("*", "no '*'"),
    ],
)
def test_sql_is_fenced_in(sql: str, said: str) -> None:
    made = contract([{"entity": "party", "columns": PARTY | {"full_name": {"sql": sql}}}], ["no", "name"])
    found = [str(problem) for problem in check_fills([made], ENTITIES)]
    assert len(found) == 1 and said in found[0], found


def test_sql_names_nested_fields_by_their_path() -> None:
    columns = PARTY | {"full_name": {"sql": "upper(contact.mobile) || '/' || no"}}
    made = contract([{"entity": "party", "columns": columns}], ["no", CONTACT], delivery=JSONL)
    assert run(made, "party", [{"no": "1", "contact": '{"mobile no.": "a"}'}])[0]["full_name"] == "A/1"
