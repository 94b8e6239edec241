"""Survivorship: which value of a field survives, by each criterion; expected winners worked out by hand."""

import datetime as dt
import json
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from models.identity.settings import MatchingSettings
from models.identity.survivorship_settings import DEFAULTS, SurvivorshipSettings
from models.tables import load_tables

TABLES = load_tables()
FIELD = TABLES["customer.customer_field"]
TODAY = dt.date(2026, 10, 29)
Row = dict[str, Any]


def _party(system: str, record_id: str, updated: str | None = None, **columns: Any) -> Row:
    at = dt.datetime.fromisoformat(updated) if updated else None
    return {"system": system, "record_id": record_id, "party_type": "person", "updated_at": at, **columns}


def _ranked(
    parties: list[Row],
    rules: dict[str, Any],
    field: str = "occupation",
    regions: dict[str, str] | None = None,
    **more: list[Row],
) -> list[tuple[str, str, str | None]]:
    """Ranked values of a field of the one customer that all records belong to: (value, record, decisive criterion).

    ``regions`` are standardised regions by record_id; ``more`` rows of further inputs, ``layer__table``.
    """
    con = duckdb.connect()
    for schema in {name.split(".")[0] for name in FIELD.inputs}:
        con.execute(f"create schema {schema}")
    for name in FIELD.inputs:
        columns = ", ".join(f'"{c.name}" {c.type}' for c in TABLES[name].columns)
        con.execute(f"create table {name} ({columns})")
    for table, rows in {"staging__party": parties, **more}.items():
        for row in rows:
            values = ", ".join("?" * len(row))
            con.execute(
                f"insert into {table.replace('__', '.')} ({', '.join(row)}) values ({values})", list(row.values())
            )
    for row in parties:
        key = [row["system"], row["record_id"]]
        standard = [*key, (regions or {}).get(row["record_id"])]
        con.execute(
            "insert into identity.party_standard (system, record_id, address_region) values (?, ?, ?)", standard
        )
        con.execute("insert into customer.customer_record (system, record_id, customer_id) values (?, ?, 'C')", key)
    said = MatchingSettings.model_validate({"trust": ["core", "loans"], "survivorship": rules})
    params = {"business_date": TODAY, "survivorship": said.survivorship.rules(said.trust)}
    assert FIELD.sql is not None
    ranked = con.execute(
        f"select field_value, record_id, decisive_criterion from ({FIELD.sql})"
        f" where field = '{field}' order by field_rank",
        params,
    ).fetchall()
    return [(str(value), str(record), why) for value, record, why in ranked]


def _by(*criteria: str, **more: Any) -> dict[str, Any]:
    return {"fields": {"occupation": {"criteria": criteria, **more}}}


TEACHER = _party("core", "a", "2020-01-01", occupation="teacher")
CLERK = _party("loans", "b", "2026-01-01", occupation="clerk")
HEAD_CLERK = _party("cards", "c", "2022-01-01", occupation="head clerk")


@pytest.mark.parametrize(
    ("criterion", "winner"),
    [
        ("recency", "clerk"),  # 2026 is latest
        ("trust", "teacher"),  # core before loans before systems that are not named
        ("completeness", "head clerk"),  # ten characters
    ],
)
def test_each_criterion_has_its_winner_and_says_so(criterion: str, winner: str) -> None:
    ranked = _ranked([TEACHER, CLERK, HEAD_CLERK], _by(criterion))
    assert (ranked[0][0], ranked[0][2]) == (winner, criterion)


def test_what_most_records_say_counts_each_record_once() -> None:
    more = [TEACHER, CLERK, _party("cards", "d", "2019-01-01", occupation="clerk")]
    ranked = _ranked(more, _by("most_frequent", "trust"))
    assert ranked[0] == ("clerk", "b", "most_frequent"), "two say clerk, of them loans is named first"


def test_what_says_the_same_is_no_rival() -> None:
    """The latest two agree, so it was not recency between them that decided, but the trust that loans have."""
    same = [CLERK, _party("loans", "d", "2021-01-01", occupation="clerk"), HEAD_CLERK]
    assert _ranked(same, _by("trust", "recency")) == [
        ("clerk", "b", "trust"),
        ("clerk", "d", "trust"),
        ("head clerk", "c", None),
    ]
    assert _ranked(same[:2], _by("trust", "recency")) == [("clerk", "b", "only_value"), ("clerk", "d", None)]


def _contact(system: str, record_id: str, value: str, seen: str | None, *, is_identifying: bool = True) -> Row:
    return {
        **{"system": system, "record_id": record_id, "contact_type": "mobile", "contact_value": value},
        **{"seen_date": dt.date.fromisoformat(seen) if seen else None, "is_identifying": is_identifying},
    }


def test_a_value_that_can_be_trusted_in_itself_goes_before_a_later_one() -> None:
    """The number of an agent's hundred customers is the latest, and identifies nobody."""
    own, agents = "+8613800138000", "+8613900139000"
    contacts = [
        _contact("core", "a", own, "2020-01-01"),
        _contact("loans", "b", agents, "2026-01-01", is_identifying=False),
    ]
    ranked = _ranked([TEACHER, CLERK], {}, "mobile", identity__party_contact=contacts)
    assert ranked == [(own, "a", "validity"), (agents, "b", None)]


def test_a_contact_is_as_recent_as_its_own_date_and_else_as_its_record() -> None:
    """The teacher's number was given in 2026-03, after its record; the clerk's is as old as the record, 2026-01."""
    contacts = [
        _contact("core", "a", "+8613800138000", "2026-03-01"),
        _contact("loans", "b", "+8613900139000", None),
        _contact("cards", "c", "+8613700137000", "2019-01-01"),
    ]
    ranked = _ranked([TEACHER, CLERK, HEAD_CLERK], {}, "mobile", identity__party_contact=contacts)
    assert [(record, why) for _, record, why in ranked] == [("a", "recency"), ("b", "recency"), ("c", None)]


def test_of_an_address_the_parts_that_are_given_are_counted() -> None:
    """Nine and five characters are as many as fourteen, and more than thirteen and a mask."""
    addresses = [
        {"system": "core", "record_id": "a", "address_type": "home", "address_text": "1 Long Road 14"},
        {"system": "loans", "record_id": "b", "address_type": "home", "address_text": "1 Long Rd", "city": "Ghent"},
        {"system": "cards", "record_id": "c", "address_type": "home", "address_text": "1 Long Road 1*"},
    ]
    rules = {"fields": {"address": {"criteria": ["completeness", "trust"]}}}
    ranked = _ranked([TEACHER, CLERK, HEAD_CLERK], rules, "address", staging__party_address=addresses)
    assert [(record, why) for _, record, why in ranked] == [("a", "trust"), ("b", "completeness"), ("c", None)]


def test_the_region_of_an_address_is_the_standardised_one_where_it_can_be_no_other_address() -> None:
    addresses = [
        {"system": "core", "record_id": "a", "address_text": "浙江省宁波市中山路1号"},
        {"system": "loans", "record_id": "b", "address_text": "中山路1号", "province": "浙江省", "district": "海曙区"},
        {"system": "cards", "record_id": "c", "address_text": "2 Main Road"},
        {"system": "cards", "record_id": "c", "address_text": "3 High Street", "city": "Ghent"},
    ]
    ranked = _ranked(
        [TEACHER, CLERK, HEAD_CLERK],
        {},
        "address",
        regions={"a": "浙江|宁波|", "b": "浙江||", "c": "Antwerp||"},
        staging__party_address=addresses,
    )
    levels = [(record, *(json.loads(text)[n] for n in ("province", "city", "district"))) for text, record, _ in ranked]
    # an unknown level stays as the source has it; of two addresses nobody knows which one was read
    assert sorted(levels, key=str) == [
        ("a", "浙江", "宁波", None),
        ("b", "浙江", None, "海曙区"),
        ("c", None, "Ghent", None),
        ("c", None, None, None),
    ]


def test_the_next_criterion_decides_where_one_is_equal_and_the_key_where_all_are() -> None:
    same = [_party("cards", "2", occupation="x y"), _party("cards", "1", occupation="a b")]
    assert _ranked(same, _by("completeness", "recency")) == [("a b", "1", "record_key"), ("x y", "2", None)]
    assert _ranked([TEACHER], _by("recency")) == [("teacher", "a", "only_value")]


@pytest.mark.parametrize(
    ("half_life", "winner"),
    # core .9 of 2020-01-01 is 2,493 days old, loans .6 of 2026-01-01 is 301 days old: with a half-life of 2,000 days
    # .9 * .5 ** 1.2465 = .379 against .6 * .5 ** .1505 = .541; with one of 100,000 days .885 against .599
    [(2_000, "clerk"), (100_000, "teacher"), (None, "teacher")],
)
def test_trust_fades_with_the_age_of_the_value(half_life: float | None, winner: str) -> None:
    rules = _by("trust", trust={"core": 0.9, "loans": 0.6}, half_life_days=half_life)
    assert _ranked([TEACHER, CLERK], rules)[0][0] == winner


def test_a_field_may_trust_another_system_than_the_rest() -> None:
    rules = {"trust": {"core": 0.9, "loans": 0.5}, **_by("trust", trust={"loans": 1.0})}
    assert _ranked([TEACHER, CLERK], rules)[0][0] == "clerk"


def test_the_defaults_take_what_most_say_for_who_somebody_is_and_the_latest_for_the_rest() -> None:
    parties = [
        _party("core", "a", "2020-01-01", occupation="teacher", nationality="CN"),
        _party("cards", "b", "2019-01-01", occupation="teacher", nationality="CN"),
        _party("loans", "c", "2026-01-01", occupation="clerk", nationality="FR"),
    ]
    assert _ranked(parties, {})[0] == ("clerk", "c", "recency")
    assert _ranked(parties, {}, "nationality")[0][0] == "CN"
    assert set(DEFAULTS) >= {"full_name", "document", "mobile", "address", "branch"}


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.permutations([TEACHER, CLERK, HEAD_CLERK, _party("cards", "d", occupation="clerk")]))
def test_the_order_of_records_never_matters(parties: list[Row]) -> None:
    assert _ranked(parties, _by("most_frequent", "recency")) == [
        ("clerk", "b", "most_frequent"),
        ("clerk", "d", "most_frequent"),
        ("head clerk", "c", "recency"),
        ("teacher", "a", None),
    ]


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        SurvivorshipSettings.model_validate(
            {"fields": {"mobil": {}, "email": {"criteria": ["recensy", "trust", "trust"]}}}
        )
    for part in ("'mobil'", "did you mean 'mobile'", "'recensy'", "did you mean 'recency'", "'trust' is named twice"):
        assert part in str(caught.value)
