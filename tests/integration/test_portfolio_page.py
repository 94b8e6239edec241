"""The portfolio page of a release, and the pictures that Dagster shows, over nights that were run."""

import base64
import datetime as dt
import re
from pathlib import Path

import duckdb
import pytest
from conftest import FIRST, c360

from pipelines.portfolio import PICTURES, picture
from pipelines.workspace import Workspace

DATE = FIRST + dt.timedelta(days=1)


@pytest.fixture(scope="module")
def page(published_home: Path) -> str:
    told = c360("--home", published_home, "report")
    assert told.code == 0, told.output
    (found,) = (published_home / "reports").glob("portfolio-*.html")
    assert str(found) in told.output
    return found.read_text(encoding="utf-8")


def test_the_page_has_its_sections_and_charts_and_needs_no_network(page: str) -> None:
    headings = re.findall(r"<h2>(.*?)</h2>", page)
    assert headings == [
        "Contribution",
        "Service tiers",
        "Risk",
        "Concentration",
        "Whom to keep first",
        "Coverage: what is to be mended",
    ]
    assert page.count("<svg") == len(PICTURES) == 4
    assert not re.search(r"(src|href)=.https?:", page)


def test_its_figures_are_those_of_the_release_and_it_names_nobody(page: str, published_home: Path) -> None:
    database = published_home / "warehouse" / "current" / "customer360.duckdb"
    with duckdb.connect(str(database), read_only=True) as con:
        tiers = con.execute("select service_tier, count(*) from mart.customer_segment group by all").fetchall()
        names = con.execute("select full_name from customer.customer where length(full_name) > 1").fetchall()
    assert tiers
    assert all(f"<td>{tier}</td>" in page for tier, _ in tiers)
    total = sum(count for _, count in tiers)
    assert f'<td class="n">{total:,}</td>' in page
    assert not [name for (name,) in names if f">{name}<" in page]


def test_a_release_that_is_not_kept_is_a_mistake_of_the_caller(published_home: Path) -> None:
    told = c360("--home", published_home, "report", "2020-01-01.1")
    assert told.code == 2
    assert "c360 releases" in told.output


@pytest.mark.parametrize("table_id", PICTURES)
def test_dagster_shows_a_picture_of_each_table_of_the_portfolio(table_id: str, published_home: Path) -> None:
    workspace = Workspace.open("sample", published_home)
    shown = picture(workspace, workspace.tables[table_id], DATE)
    assert shown is not None
    drawn = base64.b64decode(shown.partition("base64,")[2].rstrip(")")).decode()
    assert drawn.startswith("<svg")
    assert picture(workspace, workspace.tables["mart.customer_360"], DATE) is None
