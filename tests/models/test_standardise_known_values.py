"""What is remembered from one night to the next: it spares work and never changes a result."""

import datetime as dt
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardise_staging import BUSINESS_DATE, RESULTS, Staging, rows_of, settings_of
from test_standardise_properties import stagings

from models.identity import known_values
from models.identity.standardise import standardise
from models.identity.standardise_settings import StandardiseSettings

Tables = dict[str, list[dict[str, Any]]]
CZECH = settings_of(
    languages=["cs"], phone_region="CZ", documents={"birth_number": {"validator": "cz.rc", "strong": True}}
)


def night(staging: Staging, before: duckdb.DuckDBPyConnection | None, rules: StandardiseSettings) -> Any:
    """Standardise with what the connection of the night before has seen."""
    con = staging.connection()
    if before is not None:
        con.execute(f"create schema {known_values.KNOWN}")
        for (kind,) in before.execute(
            "select table_name from duckdb_tables() where schema_name = $1", [known_values.SEEN]
        ).fetchall():
            con.register("given", before.execute(f"from {known_values.SEEN}.{kind}").to_arrow_table())
            con.execute(f"create table {known_values.KNOWN}.{kind} as from given")
    standardise(con, rules, BUSINESS_DATE)
    return con


def tables(con: duckdb.DuckDBPyConnection) -> Tables:
    return {table: rows_of(con, f"select * from std.{table} order by all") for table in RESULTS}


@settings(max_examples=15, deadline=None)
@given(stagings(), stagings(), st.sampled_from([StandardiseSettings(), CZECH]))
def test_with_what_is_known_the_result_is_as_without(
    yesterday: Staging, today: Staging, rules: StandardiseSettings
) -> None:
    before = night(yesterday, None, rules)
    with_known, without = night(today, before, rules), night(today, None, rules)
    assert tables(with_known) == tables(without)
    seen = "select table_name from duckdb_tables() where schema_name = $1 order by all"
    kinds = [kind for (kind,) in without.execute(seen, [known_values.SEEN]).fetchall()]
    assert kinds == [kind for (kind,) in with_known.execute(seen, [known_values.SEEN]).fetchall()]
    for kind in kinds:  # nothing but tonight's values is left for tomorrow
        query = f"select * from {known_values.SEEN}.{kind} order by all"
        assert rows_of(with_known, query) == rows_of(without, query)


def test_known_values_are_taken_as_they_are_and_only_new_ones_computed() -> None:
    staging = Staging()
    staging.party("1", "张伟")
    staging.contact("1", "+1 212 555 0123", "phone")
    before = night(staging, None, StandardiseSettings())
    before.execute(f"update {known_values.SEEN}.person_name set name_latin = 'REMEMBERED'")
    before.execute(f"update {known_values.SEEN}.phone set value = '+12125550199', national = '2125550199'")
    staging.party("2", "李娜")
    con = night(staging, before, StandardiseSettings())
    assert {row["record_id"]: row["name_latin"] for row in tables(con)["party_standard"]} == {
        "1": "REMEMBERED",
        "2": "LI NA",
    }
    assert [row["contact_value"] for row in tables(con)["party_contact"]] == ["+12125550199"]


@pytest.mark.parametrize(
    "changed",
    [
        {"phone_region": "DE"},
        {"titles": ["行长"]},
        {"languages": ["en", "zh"]},
        {"placeholders": {"birth_dates": [dt.date(1911, 1, 1)]}},
    ],
)
def test_other_settings_void_what_is_known(changed: dict[str, Any]) -> None:
    assert known_values.rules_version(settings_of(**changed)) != known_values.rules_version(StandardiseSettings())


def test_the_same_rules_keep_their_version() -> None:
    assert known_values.rules_version(StandardiseSettings()) == known_values.rules_version(settings_of())
