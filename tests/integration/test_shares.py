"""The sample bank's shares after whole nights: made, asked, never more than granted, blocked by what leaks."""

import shutil
from pathlib import Path

import duckdb
import pytest
from conftest import c360

from pipelines.bank import BANKS
from pipelines.workspace import Workspace

NAMES = ["compliance", "data_science", "finance", "marketing", "retail", "risk"]


def test_every_share_is_of_the_current_release(published_home: Path) -> None:
    workspace = Workspace.open("sample", published_home)
    release = workspace.releases.current()
    assert release is not None
    assert sorted(workspace.bank.shares.shares) == NAMES
    for name in NAMES:
        version = workspace.shares.current(name)
        assert version is not None
        assert (version.release_id, version.is_encrypted) == (release.id, name in ("compliance", "retail"))
        assert sum(version.rows.values()) > 0


def test_the_departments_see_what_the_release_holds(published_home: Path) -> None:
    with duckdb.connect(str(published_home / "warehouse" / "current" / "customer360.duckdb"), read_only=True) as con:
        [contribution] = con.execute("select sum(contribution_amount) from mart.bank_contribution").fetchall()
        persons = con.execute(
            "select count(*) from mart.customer_360 where product_count > 0 and party_type = 'person'"
        ).fetchall()
    asked = ("sql", "--home", published_home, "--format", "csv")
    finance = c360(*asked, "--share", "finance", "select sum(contribution_amount) from mart.bank_contribution")
    assert finance.output.splitlines()[-1] == str(contribution[0])
    retail = c360(*asked, "--share", "retail", "select count(*), count(mobile) > 0 from mart.customer_360")
    assert retail.output.splitlines()[-1] == f"{persons[0][0]},True"


@pytest.mark.privacy
def test_marketing_holds_no_name_number_or_id_of_a_customer(published_home: Path) -> None:
    with duckdb.connect(str(published_home / "warehouse" / "current" / "customer360.duckdb"), read_only=True) as con:
        known = con.execute(
            "select unnest([customer_id, full_name, document_number, mobile, email]) from customer.customer"
        ).fetchall()
    values = {str(value).encode() for (value,) in known if value and len(value) > 2}
    assert len(values) > 1000
    written = (published_home / "warehouse" / "shares" / "marketing" / "current" / "marketing.duckdb").read_bytes()
    assert not [value for value in values if value in written]


def test_a_share_that_leaks_is_blocked_and_the_others_are_made(published_home: Path, tmp_path: Path) -> None:
    bank = tmp_path / "bank"
    shutil.copytree(BANKS / "sample", bank)
    shares = bank / "shares.yaml"
    # the words of coverage name managers, and some managers are customers or are called like one
    text = shares.read_text(encoding="utf-8").replace(
        "columns: [customer_id, responsible_code,", "columns: [customer_id, why, responsible_code,"
    )
    shares.write_text(text, encoding="utf-8")
    told = c360("--bank", bank, "--home", published_home, "shares", "build", "retail", "finance")
    assert told.code == 3, told.output
    assert "retail: blocked; the policy does not grant:" in told.output
    assert "mart.coverage.why: " in told.output
    assert "x customer's name" in told.output
    assert "finance: " in told.output
    assert Workspace.open(str(bank), published_home).shares.current("retail") is not None
    assert "blocked for release" in c360("--bank", bank, "--home", published_home, "shares").output
