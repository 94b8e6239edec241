"""The Berka bank, real data, through the whole product: nothing missing, nothing twice."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tests.integration.conftest import BERKA

pytestmark = pytest.mark.skipif(
    not BERKA.is_dir(), reason=f"the Berka data is not part of the project; put its .asc files into {BERKA}"
)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory, run: Callable) -> Path:
    home = tmp_path_factory.mktemp("berka")
    done = run("--bank", "berka", "--home", home, "run")
    assert done.code == 0, done.output
    return (home / "warehouse" / "current" / "customer360.duckdb").resolve()


def _all(release: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(release), read_only=True) as con:
        return con.execute(sql).fetchall()


def _keys(file: str, column: int) -> list[str]:
    rows = (BERKA / file).read_text(encoding="ascii").splitlines()[1:]
    return sorted(row.split(";")[column].strip('"') for row in rows if row)


@pytest.mark.parametrize(
    ("file", "table", "key"),
    [
        ("client.asc", "customer.customer_record", "record_id"),
        ("account.asc", "customer.account", "account_id"),
        ("loan.asc", "customer.loan", "loan_id"),
        ("trans.asc", "customer.transaction", "transaction_id"),
        ("order.asc", "customer.standing_order", "order_id"),
        ("district.asc", "customer.branch", "branch_id"),
        ("card.asc", "customer.card", "card_id"),
    ],
)
def test_every_row_of_the_file_is_there_once(release: Path, file: str, table: str, key: str) -> None:
    assert sorted(row[0] for row in _all(release, f"select {key} from {table}")) == _keys(file, 0)


def test_figures_that_the_data_is_known_for(release: Path) -> None:
    assert _all(release, "select count(*) from customer.account") == [(4500,)]
    assert _all(release, "select count(*) from customer.customer_record") == [(5369,)]
    assert _all(release, "select count(*) from customer.card") == [(892,)]
    assert _all(release, "select count(*), sum(principal_amount) from customer.loan") == [
        (682, Decimal("103261740.00"))
    ]
    assert _all(release, "select count(*) from meta.quarantine") == [(0,)]


def test_money_moved_is_the_files_to_the_cent(release: Path) -> None:
    expected = sum(
        (Decimal(row.split(";")[5]) for row in (BERKA / "trans.asc").read_text(encoding="ascii").splitlines()[1:]),
        Decimal(0),
    )
    assert _all(release, "select sum(amount) from customer.transaction") == [(expected,)]


def test_every_product_has_a_customer_and_nobody_without_evidence_is_merged(release: Path) -> None:
    for table in ("account", "card", "loan", "transaction"):
        assert _all(release, f"select count(*) from customer.{table} where customer_id is null") == [(0,)]
    # the data is anonymised: birth date, sex and district alone make nobody the same person
    assert _all(release, "select count(*) from customer.customer") == [(5369,)]


def test_birth_date_and_sex_are_read_from_the_birth_number(release: Path) -> None:
    # client.asc: 1;"706213";18 is a woman born 1970-12-13, 2;"450204";1 a man born 1945-02-04
    assert [
        (str(born), sex)
        for born, sex in _all(
            release,
            "select birth_date, sex from customer.customer join customer.customer_record using (customer_id) "
            "where record_id in ('1', '2') order by birth_date desc",
        )
    ] == [("1970-12-13", "female"), ("1945-02-04", "male")]
