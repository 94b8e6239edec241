"""Drift: two nights of a small bank side by side; what moved, by how much, and what that does to the release."""

import datetime as dt
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from small_night import CUSTOMER, TABLES, Night

from models.tables import Column, Table
from quality.drift import MEASURES, Bound, drift_suite, measure
from quality.gate import judge, open_gate
from sources.contract import Contract, Field, Server
from sources.expressions import Expression, Fill

DAY = dt.date(2026, 1, 31)
_TYPES = {
    "system": "varchar", "record_id": "varchar", "source_object": "varchar", "source_line": "bigint", "sex": "varchar",
    "full_name": "varchar", "income_amount": "decimal(18,2)", "opened_date": "date", "is_staff": "boolean",
}  # fmt: skip
PARTY = Table(
    "staging", "party", "Parties", "当事人", ("system", "record_id"),
    tuple(
        Column(name, kind, False, "C2" if name == "full_name" else "none", None, name, name)
        for name, kind in _TYPES.items()
    ),
    None, (), False,
)  # fmt: skip
SOURCE = replace(
    CUSTOMER,
    fields=(Field("cust_no", "CUST_NO", primary_key=True), Field("sex", "SEX", classification="none"),
            Field("nation", "NATION")),
    fills=(Fill(entity="party", columns={
        "sex": Expression.model_validate({"from": "sex", "codes": {"M": "male", "F": "female"}}),
        "nationality": Expression.model_validate({"from": "nation", "codes": {"CHN": "CN"}}),
    }),),
)  # fmt: skip
CONTRACT = Contract("core", "Core", "1.0.0", Server("local", "core"), (SOURCE,))
ROWS = 1000
LANDED = "select 'M' as sex, 'CHN' as nation, null::varchar as _extra from range(1000)"

Measured = dict[tuple[str, str, str], dict[str, Any]]


def party(number: int) -> dict[str, Any]:
    """One party record of the night before; a test changes some."""
    return {
        "system": "core", "record_id": str(number), "source_object": "customer", "source_line": number,
        "sex": "male" if number % 2 else "female", "full_name": f"Name {number}", "income_amount": number,
        "opened_date": DAY - dt.timedelta(days=number), "is_staff": False,
    }  # fmt: skip


@pytest.fixture
def nights() -> Iterator[Callable[..., Measured]]:
    """Measures a night after a night before; gives the rows of drift by measure, column, detail."""
    connections: list[duckdb.DuckDBPyConnection] = []

    def night(con: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]], lost: int, landed: str, largest: int) -> None:
        con.execute("create schema if not exists store")
        for schema in ("staging", "landing", "customer", "mart", "identity"):
            con.execute(f"create schema {schema}")
        con.execute(f"create table store.party ({', '.join(f'{name} {kind}' for name, kind in _TYPES.items())})")
        if rows:
            con.register("given", pa.Table.from_pylist(rows))
            con.execute(f"insert into store.party select {', '.join(_TYPES)} from given")
        con.execute("create view staging.party as from store.party")
        con.execute(
            "create view staging.conversion_loss as select 'core' as system, 'customer' as source_object, "
            f"'party' as entity, 'opened_date' as column_name, {lost} as lost_count where {lost} > 0"
        )
        con.execute(f"create view landing.core__customer as {landed}")
        con.execute(
            "create view customer.customer_record as select i as record_id, "
            f"if(i < {largest}, 0, i) as customer_id from range({ROWS}) as t(i)"
        )
        con.execute(
            "create view customer.customer as select customer_id, count(*) as record_count "
            "from customer.customer_record group by customer_id"
        )
        con.execute(
            f"create view customer.customer_event as select i as customer_id, date '{DAY}' as business_date, "
            f"'merge' as event from range({largest}) as t(i)"
        )
        con.execute("create view mart.review_queue as select 1 as customer_id_l where false")
        con.execute(
            "create view identity.party_document as select 'core' as system, 'resident_id' as document_type, "
            "i % 10 > 0 as is_valid from range(1000) as t(i)"
        )

    def measured(
        rows: list[dict[str, Any]],
        *,
        before: list[dict[str, Any]] | None = None,
        lost: int = 0,
        landed: str = LANDED,
        largest: int = 2,
        bounds: dict[str, Bound] | None = None,
        first: bool = False,
    ) -> Measured:
        with duckdb.connect() as earlier:
            night(earlier, before or [party(n) for n in range(ROWS)], 0, LANDED, 2)
            kept = measure(earlier, {"staging.party": PARTY}, [CONTRACT], {}, DAY)
        con = duckdb.connect()
        connections.append(con)
        if not first:
            con.execute("attach ':memory:' as previous")
            con.execute("create schema previous.meta")
            for name, table in kept.items():
                con.register("kept", table)
                con.execute(f"create table previous.{name} as from kept")
        night(con, rows, lost, landed, largest)
        found = measure(con, {"staging.party": PARTY}, [CONTRACT], bounds or {}, DAY)
        return {(r["drift_measure"], r["column_name"], r["detail"]): r for r in found["meta.drift"].to_pylist()}

    yield measured
    for con in connections:
        con.close()


def _wrong(found: Measured) -> dict[tuple[str, str, str], str]:
    return {key: row["drift_verdict"] for key, row in found.items() if row["drift_verdict"] != "ok"}


def test_the_same_night_again_has_not_moved(nights: Callable[..., Measured]) -> None:
    found = nights([party(n) for n in range(ROWS)])
    assert _wrong(found) == {}
    assert found["source_rows", "", ""]["previous_measured"] == ROWS
    assert found["distribution", "sex", ""]["measured"] == 0
    assert found["valid_documents", "is_valid", "resident_id"]["measured"] == 0.9
    assert found["largest_customer", "record_count", ""]["measured"] == 2


def test_a_distribution_is_judged_by_the_stability_index(nights: Callable[..., Measured]) -> None:
    # 500 and 500 before, 900 and 100 now: (.9 - .5) ln(.9 / .5) + (.1 - .5) ln(.1 / .5)
    found = nights([party(n) | {"sex": "male" if n < 900 else "female"} for n in range(ROWS)])
    expected = 0.4 * math.log(1.8) - 0.4 * math.log(0.2)
    assert found["distribution", "sex", ""]["measured"] == pytest.approx(expected)
    assert _wrong(found) == {("distribution", "sex", ""): "warn"}


def test_amounts_a_hundredfold_are_seen_by_their_magnitude(nights: Callable[..., Measured]) -> None:
    found = nights([party(n) | {"income_amount": n * 100} for n in range(ROWS)])
    assert _wrong(found) == {("distribution", "income_amount", ""): "warn"}


def test_a_column_that_is_suddenly_empty(nights: Callable[..., Measured]) -> None:
    found = nights([party(n) | {"full_name": None if n < 100 else "x"} for n in range(ROWS)])
    assert found["filled", "full_name", ""]["measured"] == 0.9
    assert ("filled", "full_name", "") in _wrong(found)


@pytest.mark.parametrize(
    ("rows", "verdict"), [(1300, "warn"), (700, "warn"), (400, "block"), (2500, "warn"), (0, "block")]
)
def test_a_source_that_shrinks_to_less_than_half_blocks(
    nights: Callable[..., Measured], rows: int, verdict: str
) -> None:
    assert nights([party(n) for n in range(rows)])["source_rows", "", ""]["drift_verdict"] == verdict


def test_a_field_with_another_format_is_a_retyped_one(nights: Callable[..., Measured]) -> None:
    # 700 dates are no dates any more: they are empty in staging
    changed = [party(n) | {"opened_date": None if n < 700 else DAY} for n in range(ROWS)]
    found = nights(changed, lost=700)
    assert found["retyped", "opened_date", ""]["measured"] == 0.7
    assert found["retyped", "opened_date", ""]["drift_verdict"] == "block"
    assert found["unfit", "opened_date", ""]["drift_verdict"] == "warn"
    few = nights([party(n) | {"opened_date": None if n < 30 else DAY} for n in range(ROWS)], lost=30)
    assert (few["retyped", "opened_date", ""]["drift_verdict"], few["unfit", "opened_date", ""]["drift_verdict"]) == (
        "ok",
        "warn",
    )


def test_new_codes_and_columns_are_named_but_for_what_is_personal(nights: Callable[..., Measured]) -> None:
    landed = (
        "select if(i < 3, ' Ｘ', 'm') as sex, if(i = 9, 'ATLANTIS', 'chn') as nation, "
        'if(i = 5, \'{"segment": "A"}\', null) as _extra from range(1000) as t(i)'
    )
    found = nights([party(n) for n in range(ROWS)], landed=landed)
    assert _wrong(found) == {
        ("unknown_code", "sex", "Ｘ"): "warn",
        ("unknown_code", "nation", "not shown: personal information"): "warn",
        ("unknown_column", "segment", ""): "warn",
    }
    assert found["unknown_code", "sex", "Ｘ"]["measured"] == 3


@pytest.mark.parametrize(("largest", "merges", "largest_verdict"), [(15, "warn", "block"), (5, "ok", "warn")])
def test_records_that_fall_together_at_once(
    nights: Callable[..., Measured], largest: int, merges: str, largest_verdict: str
) -> None:
    # customers: one of `largest` records, and one for every other record; each of those is a merge of tonight
    found = nights([party(n) for n in range(ROWS)], largest=largest)
    assert found["largest_customer", "record_count", ""]["drift_verdict"] == largest_verdict
    assert found["changed_customers", "event", "merge"]["measured"] == largest / (ROWS - largest + 1)
    assert found["changed_customers", "event", "merge"]["drift_verdict"] == merges


def test_half_the_bank_in_one_customer_blocks(nights: Callable[..., Measured]) -> None:
    found = nights([party(n) for n in range(ROWS)], largest=500)
    assert found["records_per_customer", "", ""]["measured"] == ROWS / (ROWS - 499)
    assert found["records_per_customer", "", ""]["drift_verdict"] == "block"


def test_the_first_night_has_nothing_to_be_compared_with(nights: Callable[..., Measured]) -> None:
    assert _wrong(nights([party(n) for n in range(300)], first=True, largest=2)) == {}


def test_a_release_of_another_version_is_not_compared_with() -> None:
    with duckdb.connect() as con:
        con.execute("attach ':memory:' as previous")
        con.execute("create schema previous.meta")
        con.execute("create table previous.meta.drift as select 'rows' as measure, 1.0 as measured")
        con.execute("create schema customer; create schema mart; create schema identity")
        for relation, columns in (
            ("customer.customer_record", "customer_id"), ("customer.customer", "customer_id, record_count"),
            ("customer.customer_event", "customer_id, business_date, event"), ("mart.review_queue", "customer_id_l"),
            ("identity.party_document", "system, document_type, is_valid"),
        ):  # fmt: skip
            nulls = ", ".join(f"null as {name.strip()}" for name in columns.split(","))
            con.execute(f"create view {relation} as select {nulls} where false")
        assert measure(con, {}, [], {}, DAY)["meta.drift"].num_rows == 0


def test_few_rows_prove_nothing(nights: Callable[..., Measured]) -> None:
    assert _wrong(nights([party(n) | {"sex": "male"} for n in range(9)], before=[party(n) for n in range(30)])) == {}


def test_a_bank_sets_its_own_bounds(nights: Callable[..., Measured]) -> None:
    rows = [party(n) for n in range(900)]
    assert _wrong(nights(rows)) == {}
    assert _wrong(nights(rows, bounds={"source_rows": Bound(warn=0.05, block=0.08)})) == {
        ("source_rows", "", ""): "block"
    }


@pytest.mark.parametrize("start", [0, 1])
def test_what_is_beyond_its_bound_fails_the_check_of_its_measure(start: int) -> None:
    # every other measure warns, the rest block; and the other way round
    verdicts = {one.name: ("warn", "block")[(number + start) % 2] for number, one in enumerate(MEASURES)}
    with duckdb.connect() as con:
        con.execute("create schema meta")
        con.execute("create table meta.drift (drift_measure varchar, drift_verdict varchar)")
        con.executemany("insert into meta.drift values (?, ?)", [*verdicts.items(), ["rows", "ok"]])
        failed = {r.check_name: r.severity for r in judge(con, [drift_suite()]) if not r.passed}
    assert failed == {f"drift_{n}" + ("_blocks" if v == "block" else ""): v for n, v in verdicts.items()}


def test_a_release_keeps_what_was_measured(tmp_path: Path) -> None:
    night = Night.run(tmp_path)
    with night.candidate() as candidate:
        suites = night.suites()
        with open_gate(candidate.database, night.views(suites), memory_limit="1GB", threads=1) as con:
            measured = measure(con, TABLES, [], {}, DAY)
            results = judge(con, [*suites, drift_suite()])
        release = candidate.finish(results, measured)
    with duckdb.connect(str(release.database), read_only=True) as con:
        found = con.execute(
            "select measured, drift_verdict from meta.drift "
            "where drift_measure = 'table_rows' and table_name = 'customer.customer'"
        ).fetchall()
        bins = con.execute(
            "select bin, sampled_row_count from meta.distribution "
            "where table_name = 'customer.customer' and column_name = 'party_type' order by bin"
        ).fetchall()
    assert found == [(2.0, "ok")]
    assert bins == [("organisation", 1), ("person", 1)]
