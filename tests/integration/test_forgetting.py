"""Forgetting customers of the sample bank after whole nights, judged by a search of its own over every file."""

import datetime as dt
import json
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import FIRST, c360

from pipelines import erasure, steps
from pipelines.bank import BANKS
from pipelines.workspace import Workspace
from sources.landing import read_manifest

pytestmark = pytest.mark.privacy

DAY2, DAY3 = FIRST + dt.timedelta(days=1), FIRST + dt.timedelta(days=2)
Record = tuple[str, str]


@dataclass(frozen=True)
class Gone:
    """Who was forgotten: id, records, and everything that could tell of it; taken from the lake before."""

    customer_id: str
    records: list[Record]
    texts: set[str]


def _lake(home: Path, table_id: str, query: str, *values: object) -> list[tuple[Any, ...]]:
    files = f"read_parquet('{home}/lake/{table_id.replace('.', '/')}/*/data.parquet', hive_partitioning = true)"
    with duckdb.connect() as con:
        return con.execute(query.format(source=files), list(values)).fetchall()


def _person(home: Path) -> Gone:
    """A person whose relationship has ended, with as many records as there are."""
    with duckdb.connect(str(home / "warehouse/current/customer360.duckdb"), read_only=True) as con:
        [(customer_id,)] = con.execute(
            """
            select customer_id
            from customer.relationship_end inner join customer.customer using (customer_id)
            where not is_relationship_open and party_type = 'person' and relationship_ended_date <= $day
            order by record_count desc, customer_id limit 1
            """,
            {"day": DAY2},
        ).fetchall()
        records = con.execute(
            "select system, record_id from customer.customer_record where customer_id = ? order by all", [customer_id]
        ).fetchall()
    texts = {customer_id}
    # whom others paid is of their accounts' history
    named = _lake(home, "staging.transaction", "select distinct counterparty_name from {source}")
    counterparties = {name for (name,) in named}
    for table, column in (
        ("party", "full_name"),
        ("party_name", "full_name"),
        ("party_document", "document_number"),
        ("party_contact", "contact_value"),
        ("party_address", "address_text"),
    ):
        query = f"select system, record_id, {column} from {{source}} where {column} is not null"
        rows = _lake(home, f"staging.{table}", query)
        others = counterparties | {value for system, record, value in rows if (system, record) not in records}
        texts |= {value for system, record, value in rows if (system, record) in records} - others
    # a record's number where it is long enough to be nobody else's by chance
    texts |= {record for _, record in records if len(record) >= 9}
    assert len(texts) >= 4
    return Gone(customer_id, records, texts)


def _places(home: Path, texts: set[str]) -> Iterator[str]:
    """Every place of the home but the bank's exports where one of the texts stands; knows nothing of the product."""
    keys = (home / "secrets" / "shares.yaml").read_text(encoding="utf-8")
    for path in sorted(p for p in home.rglob("*") if p.is_file() and not p.is_relative_to(home / "exports")):
        name = str(path.relative_to(home))
        if path.suffix == ".parquet":
            with duckdb.connect() as con:
                rows = con.execute(f"select * from read_parquet('{path}', hive_partitioning = false)").fetchall()
            yield from (name for row in rows if _tells(row, texts))
        elif path.suffix == ".duckdb":
            with duckdb.connect() as con:
                _attach(con, path, keys)
                tables = con.execute(
                    "select schema_name, table_name from duckdb_tables() where database_name = 'd'"
                ).fetchall()
                assert tables
                for schema, table in tables:
                    rows = con.execute(f'select * from d."{schema}"."{table}"').fetchall()
                    yield from (f"{name} {schema}.{table}" for row in rows if _tells(row, texts))
        content = path.read_bytes()
        yield from (
            f"{name} bytes"
            for text in texts
            for form in (text.encode(), text.encode("gb18030"), json.dumps(text)[1:-1].encode())
            if len(form) > 6 and form in content
        )


def _attach(con: duckdb.DuckDBPyConnection, path: Path, keys: str) -> None:
    for word in ("", *keys.replace("'", " ").replace('"', " ").split()):
        option = f", encryption_key '{word}'" if word else ""
        try:
            con.execute(f"attach '{path}' as d (read_only{option})")
            return
        except duckdb.Error:
            continue
    raise AssertionError(f"{path} cannot be opened")


def _tells(row: tuple[Any, ...], texts: set[str]) -> bool:
    cells = [cell.decode("gb18030", "ignore") if isinstance(cell, bytes) else str(cell) for cell in row if cell]
    return any(cell == text or (len(text) > 5 and text in cell) for cell in cells for text in texts)


@dataclass(frozen=True)
class Story:
    """A home in which somebody was forgotten, and the workspace over it."""

    workspace: Workspace
    gone: Gone
    told: str

    @property
    def home(self) -> Path:
        return self.workspace.home


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample bank where the law lets data go at once."""
    folder = tmp_path_factory.mktemp("bank") / "bank"
    shutil.copytree(BANKS / "sample", folder)
    settings = folder / "bank.yaml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("years: 10", "years: 0"), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def story(published_home: Path, bank: Path) -> Story:
    gone = _person(published_home)
    assert list(_places(published_home, gone.texts)), "the search finds what is there"
    ask = ("--bank", bank, "--home", published_home)
    other = _other(published_home, gone.customer_id)
    for words in (
        ("decide", "different", gone.customer_id, other, "--reason", "told by the family of whom we forget"),
        ("consent", gone.customer_id, "marketing", "withdraw", "--reason", "letter of whom we forget"),
    ):
        told = c360(*ask, *words)
        assert told.code == 0, told.output
    told = c360(*ask, "forget", gone.customer_id, "--dry-run")
    assert told.code == 0, told.output
    assert "rows would go" in told.output
    assert list(_places(published_home, gone.texts)), "a dry run changes nothing"
    workspace = Workspace.open(str(bank), published_home)
    with pytest.MonkeyPatch.context() as patch:  # killed between the lake and the releases

        def die(*_: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(erasure.erasure, "erase_release", die)
        with pytest.raises(KeyboardInterrupt):
            erasure.forget(workspace, gone.customer_id, "ann", "asked")
    refused = c360(*ask, "forget", other)
    assert refused.code == 2, refused.output
    assert "c360 forget --resume" in refused.output
    told = c360(*ask, "forget", "--resume")
    assert told.code == 0, told.output
    return Story(workspace, gone, told.output)


def _other(home: Path, customer_id: str) -> str:
    with duckdb.connect(str(home / "warehouse/current/customer360.duckdb"), read_only=True) as con:
        [(other,)] = con.execute(
            "select min(customer_id) from customer.customer where customer_id <> ? and party_type = 'person'",
            [customer_id],
        ).fetchall()
    return str(other)


def test_no_file_of_the_home_tells_of_the_customer(story: Story) -> None:
    assert list(_places(story.home, story.gone.texts)) == []


def test_others_keep_their_rows(story: Story) -> None:
    """One customer less in each release, and every other record of the lake is there."""
    with story.workspace.releases.connect() as con:
        [(customers, described)] = con.execute(
            "select (select count(*) from customer.customer), row_count from meta.tables "
            "where table_name = 'customer.customer'"
        ).fetchall()
    assert customers == described == story.workspace.releases.current().customers  # type: ignore[union-attr]
    exported = (story.home / "exports/core" / f"CUST_{DAY2:%Y%m%d}.csv").read_bytes().decode("gb18030")
    [(landed,)] = _lake(
        story.home, "landing.core__customer", f"select count(*) from {{source}} where business_date = date '{DAY2}'"
    )
    manifest = read_manifest(story.workspace.lake.path("landing.core__customer", DAY2))
    assert manifest is not None
    assert manifest.rows_delivered == landed + manifest.rows_quarantined + manifest.rows_forgotten
    assert manifest.rows_forgotten == sum(system == "core" for system, _ in story.gone.records)
    assert exported.count("\n") >= manifest.rows_delivered


def test_the_logs_keep_that_something_was_decided_and_not_about_whom(story: Story) -> None:
    [decision] = story.workspace.decision_log().rows()
    assert (decision.verdict, decision.reason) == ("different", "erased")
    assert not {*decision.left, *decision.right} & set(story.gone.records)
    [consent] = story.workspace.consent_log().rows()
    assert (consent.purpose, consent.reason, consent.records) == ("marketing", "erased", ())
    file = story.home / "stewards" / "decisions.db"
    assert b"whom we forget" not in file.read_bytes()
    with sqlite3.connect(file) as con, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        con.execute("delete from steward_decision")


def test_the_proof_names_nobody_and_the_audit_log_the_erasure(story: Story) -> None:
    [proof] = (story.home / "reports").glob("forgotten-*.json")
    said = json.loads(proof.read_text(encoding="utf-8"))
    assert said["found"] == []
    assert said["files_searched"] > 300
    assert proof.with_suffix(".html").read_text(encoding="utf-8").count("Nothing of the customer was found") == 1
    [entry] = [one for one in story.workspace.audit.entries() if one.action == "forgot"]
    assert entry.subject == said["tombstone_id"]
    assert story.workspace.audit.verify().faults == ()
    assert not list((story.home / "forgotten" / "unfinished").iterdir())


def test_every_share_is_there_and_only_in_its_new_version(story: Story) -> None:
    for name in story.workspace.bank.shares.shares:
        [version] = story.workspace.shares.versions(name)
        assert story.workspace.shares.current(name) == version


@pytest.mark.parametrize("date", [DAY2, DAY3])
def test_what_is_delivered_again_does_not_come_back(story: Story, date: dt.date) -> None:
    """The exports still hold the customer: an old night run again, and the next night."""
    for contract in story.workspace.bank.contracts:
        results = steps.land(story.workspace, contract, contract.objects, date)
        mine = [record for system, record in story.gone.records if system == contract.system]
        assert (sum(one.rows_forgotten for one in results.values()) > 0) == bool(mine)
        assert all(
            one.rows_delivered == one.rows_landed + one.rows_quarantined + one.rows_forgotten
            for one in results.values()
        )
    landed = [place for place in _places(story.home, story.gone.texts) if place.startswith("lake/landing")]
    assert landed == []


def test_who_holds_something_is_restricted_until_the_law_lets_go(published_home: Path, story: Story) -> None:
    with story.workspace.releases.connect() as con:
        [(customer_id,)] = con.execute(
            "select min(customer_id) from customer.relationship_end where is_relationship_open"
        ).fetchall()
    ask = ("--bank", story.workspace.bank.folder, "--home", published_home, "forget", customer_id)
    dry = c360(*ask, "--dry-run")
    assert (dry.code, story.workspace.restriction_log().rows()) == (0, ())
    told = c360(*ask, "--reason", "asked at the counter")
    assert told.code == 0, told.output
    assert "the bank must keep the data" in told.output
    [request] = story.workspace.restriction_log().rows()
    assert request.reason == "asked at the counter"
    assert [one.action for one in story.workspace.audit.entries()][-1] == "restricted"


def test_wrong_calls_are_told(story: Story) -> None:
    ask = ("--bank", story.workspace.bank.folder, "--home", story.home, "forget")
    assert c360(*ask, story.gone.customer_id).code == 2, "whom nobody knows any more"
    assert c360(*ask).code == 2
    assert c360(*ask, "--resume").output.strip() == "no erasure is unfinished"
