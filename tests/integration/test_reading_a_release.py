"""What people read of a published home: ``c360 report``, ``why`` and ``show``, and the pictures that Dagster shows."""

import base64
import datetime as dt
import json
import re
from collections.abc import Callable
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


def test_the_pages_are_opened_if_asked(published_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("click.launch", opened.append)
    assert c360("--home", published_home, "report", "--open").code == 0
    assert [Path(page).name for page in opened] == [f"portfolio-{DATE}.1.html", f"{DATE}.html"]
    assert all(Path(page).is_file() for page in opened)


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


# One pair of each kind that the night holds: within one node, scored, refused, and of two strangers.
_PAIRS = """
    with node as (
        select node_id, min(system || ':' || record_id) as first, max(system || ':' || record_id) as last
        from party_node group by node_id
    ),
    pair as (
        select l.first as one, r.last as other, refused.reason, pair.match_weight
        from node_pair as pair
        left join refused_merge as refused using (node_id_l, node_id_r)
        inner join node as l on l.node_id = pair.node_id_l
        inner join node as r on r.node_id = pair.node_id_r
    )
    (select first, last from node where first <> last order by 1 limit 3)
    union all
    (select one, other from pair where reason is null order by match_weight limit 3)
    union all
    (select one, other from pair where reason is not null order by match_weight limit 2)
    union all
    (select min(first), max(first) from node)
    union all
    (select first, (select max(last) from node) from node order by node_id desc limit 1 offset 7)
"""


@pytest.fixture(scope="module")
def pairs(published_home: Path) -> list[tuple[str, str]]:
    with duckdb.connect() as con:
        for table in ("party_node", "node_pair", "refused_merge"):
            path = published_home / "lake" / "identity" / table / "business_date=2026-10-30" / "data.parquet"
            con.execute(f"create view {table} as from read_parquet('{path}')")
        found = con.execute(_PAIRS).fetchall()
    assert len(found) >= 9
    return found


def test_every_kind_of_pair_is_answered(published_home: Path, run: Callable, pairs: list[tuple[str, str]]) -> None:
    for one, other in pairs:
        done = run("--home", published_home, "why", one, other)
        assert done.code == 0, done.output
        assert done.output.startswith(("One customer, C", "Two customers, C")), done.output
        assert one in done.output
        assert other in done.output
        assert "Traceback" not in done.output


def test_tools_get_the_same_facts(published_home: Path, run: Callable, pairs: list[tuple[str, str]]) -> None:
    one, other = pairs[3]
    done = run("--home", published_home, "why", one, other, "--format", "json")
    assert done.code == 0, done.output
    told = json.loads(done.output)
    assert told["sentence"].startswith(("One customer, C", "Two customers, C"))
    assert told["left"]["asked"] == one
    score = told["score"]
    total = score["prior_bits"] + sum(field["bits"] for field in score["fields"])
    assert total == pytest.approx(score["stored_weight"], abs=1e-9)


def test_a_wrong_call_is_told_in_a_line(published_home: Path, run: Callable, pairs: list[tuple[str, str]]) -> None:
    one, _ = pairs[0]
    for words, said in (
        ((one, one), "named twice"),
        ((one, "core:no-such-record"), "no party record"),
        ((one, "nosystem:1"), "no system of this bank"),
        (("C0000000000A", one), "check character does not fit"),
    ):
        done = run("--home", published_home, "why", *words)
        assert done.code == 2, done.output
        assert said in done.output
        assert "Traceback" not in done.output


def test_a_lost_night_is_told_with_the_remedy(published_home: Path, run: Callable, pairs: list) -> None:
    path = published_home / "lake" / "identity" / "node_pair" / "business_date=2026-10-30" / "data.parquet"
    aside = path.with_suffix(".aside")
    path.rename(aside)
    try:
        done = run("--home", published_home, "why", *pairs[0])
    finally:
        aside.rename(path)
    assert done.code == 1
    assert "identity.node_pair has no partition for 2026-10-30; run the night of that date" in done.output


def test_show_tells_how_a_customer_was_built(published_home: Path, run: Callable, pairs: list) -> None:
    one, other = pairs[0]
    done = run("--home", published_home, "show", one)
    assert done.code == 0, done.output
    assert f"It starts from {one}" in done.output or f"joined with {one}" in done.output
    assert other in done.output
    assert "where each field comes from" in done.output


def test_show_tells_who_a_record_was_on_a_date(published_home: Path, run: Callable, pairs: list) -> None:
    record = pairs[0][0]
    done = run("--home", published_home, "show", record, "--on", "2026-10-29")
    assert done.code == 0, done.output
    assert f"{record} belongs to customer C" in done.output
    assert "since 2026-10-29" in done.output
    assert "party records on that date" in done.output
    for day, message in (("2026-10-28", "was not delivered on 2026-10-28"), ("2027-01-01", "is after the current")):
        wrong = run("--home", published_home, "show", record, "--on", day)
        assert wrong.code == 2, wrong.output
        assert message in wrong.output
