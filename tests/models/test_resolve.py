"""From standardised parties to customers: the guarantees, and how well it does on parties with known entities."""

import datetime as dt

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.identity.customer_ids import assign_customers
from models.identity.matching_model import ModelArtefact
from models.identity.resolve import resolve
from models.identity.settings import MatchingSettings
from models.tables import load_tables
from quality.linkage import evaluate
from tests.models.synthetic_parties import GIVEN, SURNAMES, Parties, generate

SETTINGS = MatchingSettings.model_validate({"training": {"random_pairs": 50_000}})
DAY = dt.date(2026, 1, 31)
PARTIES = generate(250, seed=11, noise=0.3)


@pytest.fixture(scope="module")
def model() -> ModelArtefact:
    return resolve(generate(1500, seed=10).connect(), SETTINGS, DAY)


def _crosswalk(con: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return con.execute("select * from res.customer_record order by all").fetchall()


def _measure(con: duckdb.DuckDBPyConnection) -> dict[str, object]:
    tables = [
        con.sql(sql).to_arrow_table()
        for sql in (
            "select system, record_id, customer_id from res.customer_record",
            "select * from truth",
            "select * from identity.party_document",
        )
    ]
    return evaluate(*tables)


@pytest.mark.slow
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_shuffled_input_gives_the_same_crosswalk(model: ModelArtefact, seed: int) -> None:
    plain, shuffled = PARTIES.connect(), PARTIES.connect(np.random.default_rng(seed))
    for con in (plain, shuffled):
        resolve(con, SETTINGS, DAY, model)
    assert _crosswalk(plain) == _crosswalk(shuffled)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32), noise=st.sampled_from([0.0, 0.2, 0.6]), entities=st.integers(1, 120))
def test_every_record_has_one_customer_and_none_holds_two_documents(
    model: ModelArtefact, seed: int, noise: float, entities: int
) -> None:
    parties = generate(entities, seed, noise)
    con = parties.connect()
    resolve(con, SETTINGS, DAY, model)
    keys = [(system, record_id) for system, record_id, *_ in _crosswalk(con)]
    assert sorted(keys) == sorted((row["system"], row["record_id"]) for row in parties.party_standard)
    assert _measure(con)["constraint_violations"] == 0
    ids = con.execute(
        "select count(distinct customer_id), count(distinct cluster_no) from res.customer_record, res.cluster"
    ).fetchall()[0]
    assert ids[0] == ids[1]


def test_records_that_did_not_change_keep_their_ids_when_others_come(model: ModelArtefact) -> None:
    later = generate(250, seed=11, noise=0.3)
    for number in range(20):
        later.add(f"new-{number}", name="王伟", latin="WANG WEI", birth_date=dt.date(1960 + number, 3, 9))
    first, second = PARTIES.connect(), later.connect()
    resolve(first, SETTINGS, DAY, model)
    resolve(second, SETTINGS, DAY + dt.timedelta(days=1), model)
    second.execute("create schema previous")
    for table in ("customer_record_history", "customer_event"):
        second.register("incoming", first.sql(f"from res.{table}").to_arrow_table())
        second.execute(f"create table previous.{table} as from incoming")
        second.unregister("incoming")
    assign_customers(second, DAY + dt.timedelta(days=1))
    before = {row[:2]: row[2] for row in _crosswalk(first)}
    after = {row[:2]: row[2] for row in _crosswalk(second)}
    assert {key: after[key] for key in before} == before
    events = second.execute("select event, count(*) from res.customer_event group by 1").fetchall()
    assert events == [("birth", 20)]


def test_entities_are_found(model: ModelArtefact) -> None:
    con = generate(2000, seed=12).connect()
    resolve(con, SETTINGS, DAY, model)
    found = _measure(con)
    assert found["pairwise"]["precision"] >= 0.995  # type: ignore[index]
    assert found["pairwise"]["recall"] >= 0.95  # type: ignore[index]
    assert found["constraint_violations"] == 0


def test_a_bank_of_names_and_birth_dates_only() -> None:
    """200 records of 100 parties, in whose names there is one typing error in ten."""
    rng = np.random.default_rng(4)
    parties = Parties()
    for number in range(100):
        surname, given = str(rng.choice(list(SURNAMES))), "".join(rng.choice(list(GIVEN), 2))
        born = dt.date(1950, 1, 1) + dt.timedelta(days=int(rng.integers(0, 18_000)))
        for copy in range(2):
            shown = given if rng.random() > 0.1 else given[0] + str(rng.choice(list(GIVEN)))
            latin = f"{SURNAMES[surname]} {''.join(GIVEN[c] for c in shown)}"
            parties.add(
                f"{number}-{copy}", name=surname + shown, latin=latin, surname=surname, given_name=shown,
                birth_date=born, entity=str(number),
            )  # fmt: skip
    con = parties.connect()
    resolve(con, SETTINGS, DAY)
    found = _measure(con)
    assert found["over_merged_customers"] == 0
    assert found["pairwise"]["recall"] >= 0.7  # type: ignore[index]


def test_data_without_duplicates_are_not_merged() -> None:
    con = generate(3000, seed=13, duplicates=False).connect()
    resolve(con, SETTINGS, DAY)
    assert _measure(con)["over_merged_customers"] == 0


def test_birth_dates_and_districts_alone_identify_nobody() -> None:
    """As in the Berka bank: no names, documents or contacts."""
    rng = np.random.default_rng(5)
    parties = Parties()
    for number in range(3000):
        born = dt.date(1920, 1, 1) + dt.timedelta(days=int(rng.integers(0, 20_000)))
        parties.add(
            str(number), birth_date=born, sex=str(rng.choice(["male", "female"])), address_region=str(number % 77)
        )
    con = parties.connect()
    resolve(con, SETTINGS, DAY)
    assert con.execute("select count(distinct customer_id) from res.customer_record").fetchall() == [(3000,)]


def test_no_parties_at_all() -> None:
    con = Parties().connect()
    resolve(con, SETTINGS, DAY)
    assert con.execute("select count(*) from res.customer_record").fetchall() == [(0,)]


def test_the_steps_leave_no_scratch_tables(model: ModelArtefact) -> None:
    con = generate(30, seed=1).connect()
    resolve(con, SETTINGS, DAY, model)
    left = con.execute(
        "select table_schema || '.' || table_name from information_schema.tables"
        " where table_schema not in ('identity', 'res') and table_name <> 'truth'"
    ).fetchall()
    assert left == []


def test_the_result_has_the_columns_of_the_definitions(model: ModelArtefact) -> None:
    con = generate(30, seed=1).connect()
    resolve(con, SETTINGS, DAY, model)
    tables = load_tables()
    for table_id in (
        "identity.party_node",
        "identity.node_pair",
        "identity.cluster",
        "identity.refused_merge",
        "customer.customer_record",
        "customer.customer_event",
    ):
        name = table_id.partition(".")[2]
        found: pa.Table = con.sql(f"from res.{name}").to_arrow_table()
        assert set(found.column_names) == {column.name for column in tables[table_id].columns}
        for column in tables[table_id].columns:
            assert not (column.required and found[column.name].null_count), f"{table_id}.{column.name} is required"
