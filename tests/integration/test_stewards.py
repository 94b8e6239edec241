"""Stewards' decisions over nights of the sample bank: they bind, explain themselves, and can be taken back."""

import datetime as dt
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.assets.identity import STEPS
from pipelines.bank import BANKS
from pipelines.workspace import Workspace
from tests.integration.conftest import FIRST, Outcome, c360

DAYS = tuple(FIRST + dt.timedelta(days=number) for number in range(3))
Crosswalk = dict[str, str]

# a customer of several records of one document, and two persons with different valid documents
_SEVERAL = """
    select customer_id, list_sort(list(system || ':' || record_id)) as records
    from customer.customer_record
    group by customer_id
    having count(*) >= 3 and bool_and(link_reason = 'document')
    order by count(*) desc, customer_id limit 1
"""
_PERSONS = """
    select customer_id from customer.customer
    where party_type = 'person' and document_type = 'resident_id' and record_count = 1
    order by customer_id limit 2
"""


@dataclass(frozen=True)
class Story:
    """A home that published two nights, what was decided after the first, and the crosswalk of each of three nights.

    The third was not published: its parties are those of the second, and what had been decided is withdrawn.
    """

    home: Path
    several: str
    taken_out: str
    persons: tuple[str, str]
    nights: tuple[Crosswalk, ...]
    events: list[tuple[Any, ...]]
    failed: list[tuple[str, str]]
    reasons: Crosswalk
    rebuilt: Crosswalk


def _ask(home: Path, sql: str) -> list[tuple[Any, ...]]:
    database = (home / "warehouse" / "current" / "customer360.duckdb").resolve()
    with duckdb.connect(str(database), read_only=True) as con:
        return con.execute(sql).fetchall()


def _crosswalk(home: Path, column: str = "customer_id") -> Crosswalk:
    return dict(_ask(home, f"select system || ':' || record_id, {column} from customer.customer_record"))


def _resolve(home: Path, date: dt.date) -> Crosswalk:
    """Who is who among the date's staged parties, without Dagster and the release."""
    workspace = Workspace.open("sample", home)
    for name in list(STEPS)[: list(STEPS).index("assign_customers") + 1]:
        STEPS[name][0](workspace, date)
    path = workspace.lake.path("customer.customer_record", date)
    return dict(duckdb.sql(f"select system || ':' || record_id, customer_id from '{path}'").fetchall())


def _done(home: Path, *words: str) -> Outcome:
    outcome = c360("--home", home, *words)
    assert outcome.code == 0, outcome.output
    return outcome


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    home, other = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("rebuilt")
    _done(home, "sample", "--parties", "600", "--days", "2", "--seed", "11", "--noise", "high")
    _done(home, "run", "--date", DAYS[0].isoformat())
    [(several, records)] = _ask(home, _SEVERAL)
    (one,), (two,) = _ask(home, _PERSONS)
    first = _crosswalk(home)
    _done(home, "unmerge", several, records[0], "--reason", "another person's passport copy", "--by", "ann")
    _done(home, "decide", "same", one, two, "--reason", "seen at the counter", "--by", "ann")

    _done(home, "run", "--date", DAYS[1].isoformat())
    second, reasons = _crosswalk(home), _crosswalk(home, "link_reason")
    events = _ask(
        home,
        "select event, customer_id, related_customer_id, cause from customer.customer_event"
        f" where business_date = '{DAYS[1]}' and cause like 'decision%' order by event",
    )
    failed = _ask(home, "select check_name, severity from meta.check_result where not is_passed order by all")
    for kept in ("stewards", "models", "lake/staging"):
        shutil.copytree(home / kept, other / kept)

    for number in ("1", "2"):
        _done(home, "withdraw", number, "--reason", "mistaken", "--by", "bo")
    for partition in list((home / "lake" / "staging").glob(f"*/business_date={DAYS[1]}")):
        shutil.copytree(partition, partition.with_name(f"business_date={DAYS[2]}"))
    nights = (first, second, _resolve(home, DAYS[2]))
    rebuilt = _resolve(other, DAYS[1])
    return Story(home, several, records[0], (one, two), nights, events, failed, reasons, rebuilt)


def _members(night: Crosswalk, customer_id: str) -> set[str]:
    return {record for record, customer in night.items() if customer == customer_id}


def test_a_record_that_was_taken_out_leaves_and_the_larger_part_keeps_the_id(story: Story) -> None:
    first, second, _ = story.nights
    before = _members(first, story.several)
    assert second[story.taken_out] != story.several
    assert _members(second, story.several) >= before - {story.taken_out}
    assert ("split", second[story.taken_out], story.several, "decision 1 of a steward: they are different") in (
        story.events
    )


def test_two_that_are_the_same_become_the_older_one_whatever_their_documents(story: Story) -> None:
    first, second, _ = story.nights
    one, two = (next(iter(_members(first, person))) for person in story.persons)
    assert second[one] == second[two] in story.persons
    gone = next(person for person in story.persons if person != second[one])
    assert ("merge", gone, second[one], "decision 2 of a steward: they are the same") in story.events
    assert story.reasons[one] == story.reasons[two] == "steward"


def test_a_signed_exception_is_reported_and_does_not_block(story: Story) -> None:
    assert ("documents_signed_for", "warn") in story.failed
    assert not [name for name, severity in story.failed if severity == "block"]


def test_what_is_withdrawn_no_longer_binds(story: Story) -> None:
    first, _, third = story.nights
    assert third[story.taken_out] == third[next(r for r in _members(first, story.several) if r != story.taken_out)]
    one, two = (next(iter(_members(first, person))) for person in story.persons)
    assert third[one] != third[two]


def test_a_full_rebuild_with_the_same_log_gives_the_same_customers(story: Story) -> None:
    def groups(night: Crosswalk) -> set[frozenset[str]]:
        return {frozenset(_members(night, customer)) for customer in set(night.values())}

    assert groups(story.rebuilt) == groups(story.nights[1])


def test_decisions_lists_every_row_with_its_state(story: Story) -> None:
    found = json.loads(_done(story.home, "decisions", "--format", "json").output)
    assert [(one["decision_id"], one["verdict"], one["state"], one["made_by"]) for one in found[:4]] == [
        (1, "different", "withdrawn", "ann"),
        (2, "same", "withdrawn", "ann"),
        (3, "withdraw", "in force", "bo"),
        (4, "withdraw", "in force", "bo"),
    ]
    assert all(one["made_at"].endswith("+00:00") for one in found)


def test_review_ranks_open_pairs_by_money_and_leaves_out_what_is_decided(story: Story, tmp_path: Path) -> None:
    own = {"C360_STEWARDS_URL": f"sqlite:///{tmp_path}/own/decisions.db"}
    ask = ("--home", story.home, "review", "--limit", "1000", "--format", "json")
    queue = json.loads(c360(*ask, **own).output)
    stakes = [float(pair["at_stake_amount"]) for pair in queue]
    assert queue
    assert stakes == sorted(stakes, reverse=True)
    assert all(
        float(p["balance_amount_l"]) + float(p["balance_amount_r"]) == pytest.approx(float(p["at_stake_amount"]))
        for p in queue
    )
    worth = dict(
        _ask(story.home, "select customer_id, total_deposit_amount + total_debt_amount from mart.customer_360")
    )
    assert float(queue[0]["at_stake_amount"]) == float(
        worth[queue[0]["customer_id_l"]] + worth[queue[0]["customer_id_r"]]
    )
    sides = (queue[0]["customer_id_l"], queue[0]["customer_id_r"])
    decided = c360("--home", story.home, "decide", "different", *sides, "--reason", "two sisters", **own)
    assert decided.code == 0, decided.output
    assert json.loads(c360(*ask, **own).output) == queue[1:]


@pytest.fixture
def refused(story: Story) -> Callable[..., str]:
    def run(*words: str) -> str:
        outcome = c360("--home", story.home, *words, "--by", "ann", "--reason", "x")
        assert outcome.code == 2, outcome.output
        assert len(outcome.output.strip().splitlines()) == 1
        return outcome.output

    return run


def test_a_wrong_call_is_told_in_one_line_and_writes_nothing(story: Story, refused: Callable[..., str]) -> None:
    before = c360("--home", story.home, "decisions", "--format", "json").output
    record, customer = next(iter(story.nights[1].items()))
    [(company,)] = _ask(story.home, "select min(customer_id) from customer.customer where party_type <> 'person'")
    [(person,)] = _ask(story.home, "select min(customer_id) from customer.customer where party_type = 'person'")
    stranger = next(r for r, c in story.nights[1].items() if c != customer)
    assert "no party record 'core:none'" in refused("decide", "same", record, "core:none")
    assert "no customer 'C0'" in refused("decide", "different", "C0", record)
    assert "a record in common" in refused("decide", "different", customer, record)
    assert "a person and an organisation" in refused("decide", "same", company, person)
    assert f"{stranger}: not a record" in refused("unmerge", customer, stranger)
    assert "all records" in refused("unmerge", customer, *_members(story.nights[1], customer))
    assert "no decision 99" in refused("withdraw", "99")
    assert "withdrawn already" in refused("withdraw", "1")
    assert "nothing to approve" in refused("approve", "3")
    assert c360("--home", story.home, "decisions", "--format", "json").output == before


def test_under_four_eyes_somebody_else_approves(story: Story, tmp_path: Path) -> None:
    bank = tmp_path / "bank"
    shutil.copytree(BANKS / "sample", bank)
    with (bank / "bank.yaml").open("a", encoding="utf-8") as file:
        file.write("stewards: {four_eyes: true}\n")
    own = {"C360_STEWARDS_URL": f"sqlite:///{tmp_path}/own/decisions.db", "C360_BANK": str(bank)}

    def run(*words: str) -> Outcome:
        return c360("--home", story.home, *words, **own)

    def state() -> list[str]:
        return [one["state"] for one in json.loads(run("decisions", "--format", "json").output)]

    one, two = story.persons
    there = [c for c in (one, two) if c in story.nights[1].values()]
    other = next(c for c in story.nights[1].values() if c not in (one, two))
    assert "waits for approval" in run("decide", "different", there[0], other, "--reason", "x", "--by", "ann").output
    assert state() == ["pending"]
    own_approval = run("approve", "1", "--by", "Ann")
    assert (own_approval.code, "somebody else" in own_approval.output) == (2, True)
    assert run("approve", "1", "--by", "bo").code == 0
    assert state() == ["in force"]
    run("withdraw", "1", "--reason", "y", "--by", "bo")
    assert state() == ["in force", "pending"], "taking it back needs a second person too"
    run("withdraw", "3", "--reason", "no", "--by", "bo")
    assert state() == ["in force", "withdrawn", "in force"], "what nobody approved can be taken back alone"


def test_a_log_out_of_reach_fails_the_night_and_keeps_the_release(story: Story) -> None:
    before = (story.home / "warehouse" / "current").readlink()
    url = "postgresql+psycopg://ann:topsecret@127.0.0.1:1/bank"
    outcome = c360("--home", story.home, "decisions", C360_STEWARDS_URL=url)
    assert (outcome.code, len(outcome.output.strip().splitlines())) == (1, 1)
    assert "topsecret" not in outcome.output
    assert (story.home / "warehouse" / "current").readlink() == before
