"""The contracts of the Berka bank: right in themselves, and true of the real files where these are at hand."""

import datetime as dt
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from models.tables import load_tables
from sources.contract import Contract, load_contract
from sources.mapping import CanonicalColumn, check_fills, compile_entity, compile_losses, inputs

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "banks" / "berka" / "contracts"
DATA = Path(os.environ.get("BERKA_DATA", ROOT.parent / "shared" / "data" / "berka"))
BUSINESS_DATE = dt.date(1998, 12, 31)

ENTITIES = {
    table.name: tuple(CanonicalColumn(c.name, c.type, c.required, c.values) for c in table.columns)
    for table in load_tables().values()
    if table.layer == "staging" and {"system", "source_object", "source_line"} <= {c.name for c in table.columns}
}


@pytest.fixture(scope="module")
def contracts() -> list[Contract]:
    return [load_contract(path) for path in sorted(FOLDER.glob("*.odcs.yaml"))]


@pytest.fixture(scope="module")
def staged(contracts: list[Contract]) -> Iterator[duckdb.DuckDBPyConnection]:
    """The real files as landing would hold them, and each canonical entity made from them, by its name."""
    if not DATA.is_dir():
        pytest.skip(f"the PKDD'99 files are not in {DATA.name}/ beside the project (or set BERKA_DATA)")
    con = duckdb.connect()
    con.execute("create schema landing")
    for source in (source for contract in contracts for source in contract.objects):
        columns = ", ".join(f'"{f.physical_name}" as "{f.name}"' for f in source.fields)
        con.execute(
            f"create table landing.{source.table} as select {columns}, row_number() over () + 1 as _source_line "
            "from read_csv(?, delim = ?, quote = '\"', header = true, all_varchar = true)",
            [str(DATA / str(source.delivery.pattern)), source.delivery.delimiter],
        )
    for name, columns_of in ENTITIES.items():
        select = compile_entity(contracts, name, columns_of)
        con.execute(f'create table "{name}" as {select}', _parameters(select))
    yield con
    con.close()


def _parameters(sql: str) -> dict[str, dt.date] | None:
    return {"business_date": BUSINESS_DATE} if "$business_date" in sql else None


def test_contracts_and_fills_are_right(contracts: list[Contract]) -> None:
    assert [contract.system for contract in contracts] == ["card", "core", "loan"]
    assert check_fills(contracts, ENTITIES) == []


def test_every_object_and_field_is_described_and_classified(contracts: list[Contract]) -> None:
    for contract in contracts:
        for source in contract.objects:
            assert source.description
            assert [f.name for f in source.fields if not f.description] == []
            assert source.primary_key
    core = next(contract for contract in contracts if contract.system == "core")
    client = core.find("client")
    assert client is not None
    assert {f.name: f.classification for f in client.fields}["birth_number"] == "C2"


def test_fields_are_the_headers_of_the_files(contracts: list[Contract], staged: duckdb.DuckDBPyConnection) -> None:
    for source in (source for contract in contracts for source in contract.objects):
        with (DATA / str(source.delivery.pattern)).open(encoding=source.delivery.encoding) as file:
            header = [name.strip('"') for name in file.readline().rstrip("\r\n").split(";")]
        assert [f.physical_name for f in source.fields] == header


@pytest.mark.parametrize(
    ("entity", "rows"),
    [
        ("party", 5369),
        ("account", 4500),
        ("card", 892),
        ("loan", 682),
        ('"transaction"', 49102),
        ("standing_order", 6471),
        ("branch", 77),
        ("party_role", 5369 + 892 + 682),
        ("party_address", 5369),
        ("party_name", 0),
    ],
)
def test_every_row_of_the_files_is_there_once(staged: duckdb.DuckDBPyConnection, entity: str, rows: int) -> None:
    assert staged.execute(f"select count(*) from {entity}").fetchall() == [(rows,)]


def test_loans_add_up_to_the_published_total(staged: duckdb.DuckDBPyConnection) -> None:
    assert staged.execute("select sum(principal_amount) from loan").fetchall() == [(Decimal("103261740.00"),)]
    first = (
        "select loan_id, account_id, principal_amount, start_date, maturity_date, term_months, status_code from loan"
    )
    assert staged.execute(f"{first} where loan_id = '5314'").fetchall() == [
        ("5314", "1787", Decimal("96396.00"), dt.date(1993, 7, 5), dt.date(1994, 7, 5), 12, "finished_unpaid")
    ]


def test_birth_numbers_tell_birth_date_and_sex(staged: duckdb.DuckDBPyConnection) -> None:
    people = staged.execute(
        "select record_id, birth_date, sex from party where record_id in ('1', '2', '6') order by record_id"
    ).fetchall()
    assert people == [
        ("1", dt.date(1970, 12, 13), "female"),
        ("2", dt.date(1945, 2, 4), "male"),
        ("6", dt.date(1919, 9, 22), "male"),
    ]
    assert staged.execute("select count(*) from party where birth_date is null or sex is null").fetchall() == [(0,)]


def test_cardholders_and_borrowers_are_clients_of_core(staged: duckdb.DuckDBPyConnection) -> None:
    roles = staged.execute(
        "select role, system, product_system, count(*), count(distinct product_id) "
        "from party_role group by all order by all"
    ).fetchall()
    assert roles == [
        ("authorised", "core", "core", 869, 869),
        ("borrower", "core", "loan", 682, 682),
        ("cardholder", "core", "card", 892, 892),
        ("owner", "core", "core", 4500, 4500),
    ]
    strangers = "select count(*) from party_role anti join party using (system, record_id)"
    assert staged.execute(strangers).fetchall() == [(0,)]
    # loan.asc: loan 5314 belongs to account 1787; disp.asc: client 2166 owns it, client 1787 may operate it
    borrower = "select record_id from party_role where product_type = 'loan' and product_id = '5314'"
    assert staged.execute(borrower).fetchall() == [("2166",)]


def test_transactions_have_their_date_direction_and_amount(staged: duckdb.DuckDBPyConnection) -> None:
    assert staged.execute('select min(booked_date), max(booked_date) from "transaction"').fetchall() == [
        (dt.date(1993, 1, 1), dt.date(1994, 3, 31))
    ]
    raw = "select type = 'PRIJEM' as is_credit, sum(cast(amount as decimal(18, 2))) from landing.core__trans group by 1"
    made = "select direction = 'credit' as is_credit, sum(amount) from \"transaction\" group by 1"
    assert sorted(staged.execute(made).fetchall()) == sorted(staged.execute(raw).fetchall())
    missing = 'select count(*) from "transaction" where amount is null or direction is null or booked_date is null'
    assert staged.execute(missing).fetchall() == [(0,)]


def test_nothing_is_lost_in_conversion(contracts: list[Contract], staged: duckdb.DuckDBPyConnection) -> None:
    losses = compile_losses(contracts, ENTITIES)
    assert staged.execute(losses, _parameters(losses)).fetchall() == []


def test_roles_read_the_dispositions_of_core(contracts: list[Contract]) -> None:
    assert inputs(contracts, "party_role") == ("landing.card__card", "landing.core__disp", "landing.loan__loan")


@pytest.mark.parametrize("folder", sorted(path.name for path in (ROOT / "banks").glob("*/")))
def test_the_sql_of_every_bank_runs_on_empty_tables(folder: str) -> None:
    found = [load_contract(path) for path in sorted((ROOT / "banks" / folder / "contracts").glob("*.odcs.yaml"))]
    assert check_fills(found, ENTITIES) == []
    con = duckdb.connect()
    for schema in ("landing", "landing_history", "staging"):
        con.execute(f"create schema {schema}")
    for source in (source for contract in found for source in contract.objects):
        columns = ", ".join(f'"{f.name}" varchar' for f in source.fields)
        con.execute(f"create table {source.relation} ({columns}, _source_line bigint)")
    for name, columns_of in ENTITIES.items():
        select = compile_entity(found, name, columns_of)
        described = con.execute(f"describe ({select})", _parameters(select)).fetchall()
        types = [(row[0], row[1].lower().replace(" ", "")) for row in described]
        assert types == [(c.name, c.type.lower().replace(" ", "")) for c in columns_of]
        assert con.execute(select, _parameters(select)).fetchall() == []
    losses = compile_losses(found, ENTITIES)
    assert con.execute(losses, _parameters(losses)).fetchall() == []
