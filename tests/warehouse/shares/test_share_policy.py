"""What shares.yaml may not say: every mistake at once, each with where and what was meant."""

import dataclasses

import pytest
from pydantic import ValidationError
from share_home import PURPOSES, SYSTEMS, TABLES, column, policy, settings

from warehouse.shares.policy import mistakes
from warehouse.shares.settings import SharesSettings


def told(**share: object) -> list[str]:
    """Mistakes of one share against the definitions: place below the share, and message."""
    said = SharesSettings.model_validate({"shares": {"marketing": settings(**share)}})
    return [f"{'.'.join(map(str, one.where[2:]))}: {one.message}" for one in mistakes(said, TABLES, SYSTEMS, PURPOSES)]


def refused(**share: object) -> str:
    """What the form of shares.yaml refuses."""
    with pytest.raises(ValidationError) as caught:
        SharesSettings.model_validate({"shares": {"marketing": settings(**share)}})
    return "\n".join(mistake["msg"] for mistake in caught.value.errors())


def grants(*columns: object, table: str = "mart.customer_360", **more: object) -> dict[str, object]:
    return {"tables": {table: {"columns": list(columns), **more}}}


def test_everything_that_the_definitions_forbid_is_told_at_once() -> None:
    found = told(
        customers={"consent": "marketting", "branches": ["core:01", "crm:01"], "where": "prodct_count > 0"},
        tables={
            "mart.customer_36": {"columns": ["customer_id"]},
            "mart.customer_360": {
                "columns": [
                    "custmer_id",
                    "full_name",
                    {"pin": {"mask": {"last": 1}}},
                    {"birth_date": {"mask": {"first": 1}}},
                    "note",
                    "note",
                ]
            },
            "customer.account": {"columns": ["system", "balance_amount"]},
        },
    )
    assert found == [
        "customers.consent: bank.yaml has no purpose 'marketting' in consent.purposes",
        "customers.branches.1: no contract describes 'crm'",
        "customers.where: mart.customer_360 has no column 'prodct_count'",
        "tables.mart.customer_36: no table 'mart.customer_36' is published",
        "tables.mart.customer_360.columns.0: mart.customer_360 has no column 'custmer_id'",
        "tables.mart.customer_360.columns.1: full_name is of class C2: say how it is given, as in "
        "{full_name: {mask: {first: 1}}}, or 'keep'",
        "tables.mart.customer_360.columns.2: pin is of class C3, which authenticates: it is in no share",
        "tables.mart.customer_360.columns.3: birth_date can be masked only if it is a text of no fixed codes",
        "tables.mart.customer_360.columns.5: note is listed twice",
        "tables.mart.customer_360.columns: the key of mart.customer_360 is incomplete without customer_id",
        "tables.customer.account.columns: the key of customer.account is incomplete without account_id",
    ]


def test_a_mistake_knows_the_names_that_would_do() -> None:
    said = SharesSettings.model_validate({"shares": {"marketing": settings(**grants("customer_id", "notes"))}})
    [one] = mistakes(said, TABLES, [], [])
    assert (one.name, one.where) == ("notes", ("shares", "marketing", "tables", "mart.customer_360", "columns", 1))
    assert "note" in one.allowed


@pytest.mark.parametrize(
    ("treatment", "message"),
    [
        ("drop", "is part of the key"),
        ({"mask": {"first": 1}}, "is part of the key"),
        ({"generalise": "city"}, "is part of the key"),
    ],
)
def test_a_key_column_stays_distinct(treatment: object, message: str) -> None:
    [found] = told(**grants({"customer_id": treatment}))
    assert message in found


@pytest.mark.parametrize(
    ("column_name", "treatment", "message"),
    [
        ("balance_amount", "tokenise", "can be tokenised only if it is a text"),
        ("party_type", "tokenise", "can be tokenised only if it is a text of no fixed codes"),
        ("party_type", {"mask": {"first": 1}}, "can be masked only if it is a text of no fixed codes"),
        ("full_name", {"bucket": [0, 10]}, "is no number: it cannot be put into buckets"),
        ("full_name", {"generalise": "month"}, "is no date: it has no month"),
        ("birth_date", {"generalise": 10}, "is no number: it cannot be cut to multiples of 10"),
        ("full_name", {"generalise": "city"}, "is no address: it has no city"),
        ("address_text", {"generalise": "district"}, "mart.customer_360 has no district"),
    ],
)
def test_a_treatment_must_fit_the_column(column_name: str, treatment: object, message: str) -> None:
    [found] = told(**grants("customer_id", {column_name: treatment}))
    assert message in found


def test_the_treatment_of_a_class_must_fit_too() -> None:
    [found] = told(**grants("customer_id", "age_years"))
    assert "age_years can be tokenised only" in found
    assert "treatment of class C1; say another for this column" in found
    assert told(classes={"C1": "keep"}, **grants("customer_id", "age_years")) == []


@pytest.mark.parametrize(
    ("share", "message"),
    [
        (
            grants({"full_name": {"mask": {"first": 3, "last": 2}}}),
            "the mask keeps too much: 5 characters stay, at most 4",
        ),
        (grants({"full_name": {"mask": {"frist": 1}}}), "mask takes {first: N, last: N}"),
        (grants({"full_name": "hide"}), "'hide' is no treatment: keep, drop, tokenise"),
        (grants({"birth_date": "generalise"}), "generalise needs a setting, as in {generalise: month}"),
        (grants({"birth_date": {"generalise": "week"}}), "generalise takes a period (month, quarter, year)"),
        (grants({"balance_amount": {"bucket": [10, 10]}}), "bucket takes a list of ascending edges"),
        (grants({"balance_amount": {"generalise": -5}}), "a step above 0"),
        (grants("*", {"a": "keep", "b": "keep"}), "a column is its name, or {name: treatment}"),
        ({"classes": {"C2": "tokenise"}}, "C2 is said column by column"),
        ({"classes": {"C3": "tokenise"}}, "C3 authenticates and is in no share"),
        ({"customers": {}}, "say either 'everyone: true' or at least one of"),
        ({"customers": {"everyone": True, "active": True}}, "say either 'everyone: true' or at least one of"),
        ({"customers": {"branches": ["01"]}}, "a branch is SYSTEM:BRANCH_ID, not '01'"),
        ({"tables": {}}, "at least 1"),
    ],
)
def test_what_the_form_refuses(share: dict[str, object], message: str) -> None:
    assert message in refused(**share)


@pytest.mark.parametrize(
    ("predicate", "message"),
    [
        ("balance_amount >", "not a predicate that DuckDB reads"),
        ("true) or (true", "not a predicate that DuckDB reads"),
        ("balance_amount > 0; drop table x", "one condition over the row's own columns"),
        ("customer_id in (select customer_id from customer.account)", "without subqueries"),
        ("balance_amount + 1", "a predicate is true or false; this gives decimal"),
        ("birth_date > 5 and product_count", "DuckDB does not take it"),
    ],
)
def test_a_predicate_speaks_of_the_row_alone(predicate: str, message: str) -> None:
    [found] = told(**grants("customer_id", where=predicate))
    assert found.startswith("tables.mart.customer_360.where: ")
    assert message in found


def test_tokens_are_made_with_the_key_of_another_share_that_has_one() -> None:
    share = settings()
    said = {
        "shares": {
            "a": share,
            "b": {**share, "tokens": "a"},
            "c": {**share, "tokens": "b"},
            "d": {**share, "tokens": "e"},
        }
    }
    found = [(one.where[1], one.message) for one in mistakes(SharesSettings.model_validate(said), TABLES, [], [])]
    assert found == [
        ("c", "'b' has no key of its own; name the share whose key it uses"),
        ("d", "no other share 'e' whose key could make the tokens"),
    ]


def test_a_household_is_not_named_by_a_customer_who_is_left_out() -> None:
    plain = {"customer.household": {"columns": ["customer_id", {"household_id": "keep"}]}}
    [found] = told(customers={"active": True}, tables=plain)
    assert "household_id may be the id of a customer whom the share leaves out: tokenise it" in found
    assert told(customers={"everyone": True}, tables=plain) == []


def test_the_policys_hash_changes_with_what_is_given_and_with_nothing_else() -> None:
    before = policy(**grants("customer_id", "note")).hash
    assert policy(**grants("customer_id", "note")).hash == before
    assert policy(**grants("customer_id")).hash != before
    assert policy(**grants("customer_id", {"note": {"mask": {"first": 1}}})).hash != before
    assert policy(customers={"active": True}, **grants("customer_id", "note")).hash != before
    wider = dataclasses.replace(
        TABLES["mart.customer_360"], columns=(*TABLES["mart.customer_360"].columns, column("new"))
    )
    assert policy(definitions={**TABLES, wider.id: wider}, **grants("customer_id", "note")).hash == before
