"""Which fields fill which canonical columns: expected answers are read from the fills by eye."""

from mapped import contract

from sources.mapping_lineage import FilledFrom, entity_lineage


def test_copied_translated_joined_looked_up_and_written_in_sql() -> None:
    branch = contract([], ["no", "city", "kind"], name="branch")
    fill = {
        "entity": "party",
        "columns": {
            "record_id": "no",
            "full_name": {"first_of": ["name", {"join": ["first", "last"], "with": " "}]},
            "sex": {"from": "sex", "codes": {"M": "male"}},
            "party_type": "'person'",
            "birth_date": {"sql": "coalesce(born, age)"},
            "city": {"lookup": {"object": "core.branch", "by": {"no": "branch_no", "kind": "'main'"}, "take": "city"}},
        },
    }
    fields = ["no", "name", "first", "last", "sex", "born", "age", "branch_no"]
    found = entity_lineage([branch, contract([fill], fields, system="loan", name="borrower")], "party")
    own, other = "landing.loan__borrower", "landing.core__branch"
    assert found == [
        FilledFrom("birth_date", own, "age", False),
        FilledFrom("birth_date", own, "born", False),
        FilledFrom("city", other, "city", False),
        FilledFrom("city", other, "kind", False),
        FilledFrom("city", other, "no", False),
        FilledFrom("city", own, "branch_no", False),
        FilledFrom("full_name", own, "first", False),
        FilledFrom("full_name", own, "last", False),
        FilledFrom("full_name", own, "name", False),
        FilledFrom("record_id", own, "no", True),
        FilledFrom("sex", own, "sex", False),
    ]
    assert entity_lineage([branch], "party") == []


def test_items_of_an_array_are_named_from_the_object() -> None:
    item = {"name": "item", "logicalType": "object", "properties": [{"name": "name"}, {"name": "cust_no"}]}
    guarantors = {"name": "guarantors", "logicalType": "array", "items": item}
    fill = {
        "entity": "party",
        "each": "guarantors",
        "columns": {"record_id": {"join": ["no", "'-G'", "item.position"]}, "full_name": "item.name"},
    }
    made = contract([fill], ["no", guarantors], delivery={"mode": "full", "format": "jsonl", "pattern": "x"})
    assert entity_lineage([made], "party") == [
        FilledFrom("full_name", "landing.core__thing", "guarantors.name", True),
        FilledFrom("record_id", "landing.core__thing", "guarantors", False),
        FilledFrom("record_id", "landing.core__thing", "no", False),
    ]
