"""What happens to customers from night to night when deliveries misbehave: the adversarial suite's nights.

The sample bank's own steps, without Dagster and the release: exports in, crosswalk out.
"""

import csv
import datetime as dt
import gzip
import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import duckdb
import pytest

from pipelines import steps
from pipelines.assets.identity import STEPS
from pipelines.workspace import Workspace
from sources import sample
from sources.errors import DeliveryRefused

FOUNDING, AGAIN, DELETED, BACK, TWICE = (sample.FIRST_DATE + dt.timedelta(days=n) for n in range(5))
STAGED = ("party", "party_name", "party_document", "party_contact", "party_address", "party_role")
Key = tuple[str, str]
Row = TypeVar("Row")


@dataclass(frozen=True)
class Nights:
    """Four nights of one bank: the founding one, its rows delivered again, two records gone, and back."""

    workspace: Workspace
    gone_of_several: Key
    gone_of_one: Key

    def crosswalk(self, date: dt.date) -> dict[Key, str]:
        rows = self._rows("customer.customer_record", date, "system, record_id, customer_id")
        return {(system, record_id): customer_id for system, record_id, customer_id in rows}

    def events(self, date: dt.date) -> list[tuple[str, str]]:
        rows = self._rows("customer.customer_event", date, "event, customer_id, business_date")
        return sorted((event, customer_id) for event, customer_id, day in rows if day == date)

    def _rows(self, table: str, date: dt.date, columns: str) -> list[tuple]:
        path = self.workspace.lake.path(table, date)
        return duckdb.sql(f"select {columns} from read_parquet('{path}', hive_partitioning = false)").fetchall()


def _run(workspace: Workspace, date: dt.date) -> None:
    first = not workspace.lake.dates("landing.core__transaction")
    for contract in workspace.bank.contracts:
        # later nights deliver the transactions of the home's first again, and no party comes with one
        objects = [source for source in contract.objects if source.delivery.mode != "append" or first]
        steps.land(workspace, contract, objects, date)
        for source in objects:
            if source.delivery.mode == "delta":
                steps.apply_delta(workspace, source, date)
    for table in STAGED:
        steps.conform_entity(workspace, workspace.tables[f"staging.{table}"], date)
    for name in list(STEPS)[: list(STEPS).index("assign_customers") + 1]:
        STEPS[name][0](workspace, date)
    steps.materialise(workspace, workspace.tables["customer.party_role"], date)


def _files(exports: Path, date: dt.date) -> list[Path]:
    return sorted(path for path in exports.rglob(f"*{date:%Y%m%d}*") if path.parent != exports)


def _deliver_again(exports: Path, date: dt.date, first: int = 0, snapshots: bool = True) -> None:
    """The founding night's files under the names of another date: from row ``first`` on, then those before it.

    The full snapshots stay as they were unless ``snapshots`` are to be turned too.
    """
    old, new = f"{FOUNDING:%Y%m%d}", f"{date:%Y%m%d}"
    for path in [path for path in _files(exports, FOUNDING) if path.suffix != ".ctl"]:
        copy = path.with_name(path.name.replace(old, new))
        content = path.read_bytes()
        if not first or (not snapshots and path.suffix != ".gz"):
            copy.write_bytes(content)
        elif path.suffix == ".csv":
            header, *rows = _read(path)
            _write(copy, [header, *_turned(rows, first)])
        elif path.suffix == ".gz":
            lines = gzip.decompress(content).splitlines(keepends=True)
            copy.write_bytes(gzip.compress(b"".join(_turned(lines, first))))
        else:
            copy.write_bytes(b"".join(_turned(content.splitlines(keepends=True), first)))
        control = path.with_suffix(".ctl")
        if control.exists():
            told = control.read_text().replace(old, new).splitlines()
            digest = hashlib.md5(copy.read_bytes(), usedforsecurity=False).hexdigest()
            told = [f"MD5={digest}" if line.startswith("MD5=") else line for line in told]
            copy.with_suffix(".ctl").write_text("\n".join(told) + "\n")


def _turned(rows: list[Row], first: int) -> list[Row]:
    return rows[first:] + rows[:first]


def _read(path: Path) -> list[list[str]]:
    with path.open(encoding="gb18030", newline="") as file:
        return list(csv.reader(file))


def _write(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows(rows)


def _delete_at_source(exports: Path, date: dt.date, records: tuple[Key, ...]) -> None:
    path = exports / "core" / f"CUST_{date:%Y%m%d}.csv"
    rows = _read(path)
    gone = {record_id for _, record_id in records}
    kept = [row for row in rows if row[0] not in gone]
    assert len(kept) == len(rows) - len(gone)
    _write(path, kept)


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    home = tmp_path_factory.mktemp("identity")
    sample.generate(700, "default", 3, 1, home / "exports", FOUNDING)
    workspace = Workspace.open("sample", home)
    _run(workspace, FOUNDING)
    first = Nights(workspace, ("", ""), ("", "")).crosswalk(FOUNDING)
    members: dict[str, list[Key]] = {}
    for key, customer_id in sorted(first.items()):
        members.setdefault(customer_id, []).append(key)
    of_several = next(keys for keys in members.values() if [system for system, _ in keys] == ["cards", "core"])[1]
    of_one = next(keys for keys in members.values() if [system for system, _ in keys] == ["core"])[0]
    for number, date in enumerate((AGAIN, DELETED, BACK), start=1):
        _deliver_again(workspace.exports, date, first=100 * number, snapshots=date != AGAIN)
        if date == DELETED:
            _delete_at_source(workspace.exports, date, (of_several, of_one))
        _run(workspace, date)
    return Nights(workspace, of_several, of_one)


def test_changes_and_transactions_delivered_twice_are_refused(nights: Nights) -> None:
    """The last changes, and the last transactions, come again under a later date: refused, with the date of both."""
    exports = nights.workspace.exports
    _deliver_again(exports, TWICE)
    shutil.copyfile(*(exports / "loans" / f"LOAN_{date:%Y%m%d}.jsonl.gz" for date in (BACK, TWICE)))
    problems = []
    try:
        for contract in nights.workspace.bank.contracts:
            objects = [source for source in contract.objects if source.delivery.mode != "full"]
            if objects:
                with pytest.raises(DeliveryRefused) as refused:
                    steps.land(nights.workspace, contract, objects, TWICE)
                problems += refused.value.problems
    finally:
        for path in _files(exports, TWICE):
            path.unlink()
    assert all("delivered twice" in problem for problem in problems)
    earlier = {problem.split(":")[0]: [d for d in (FOUNDING, BACK) if str(d) in problem] for problem in problems}
    assert earlier == {
        "cards.card_transaction": [FOUNDING],
        "core.transaction": [FOUNDING],
        "loans.loan": [BACK],
        "loans.loan_performance": [FOUNDING],
    }


def test_a_snapshot_delivered_twice_changes_nobody(nights: Nights) -> None:
    """The founding night's snapshots come again the next day: the same customers, and no id had anything happen."""
    assert nights.crosswalk(AGAIN) == nights.crosswalk(FOUNDING)
    assert nights.events(AGAIN) == []


def test_a_record_deleted_at_source_leaves_its_customer_to_the_other_records(nights: Nights) -> None:
    """Of a customer of two records one is gone: the other keeps the id. Of a customer of one record the only one is
    gone: the id is retired. All others, in another order, keep theirs."""
    before, after = nights.crosswalk(AGAIN), nights.crosswalk(DELETED)
    assert set(before) - set(after) == {nights.gone_of_several, nights.gone_of_one}
    assert after == {key: before[key] for key in after}
    assert nights.events(DELETED) == [("retire", before[nights.gone_of_one])]


def test_a_record_that_comes_back_has_its_customer_again(nights: Nights) -> None:
    """Both are delivered again: the one finds its customer, the other's retired id is reinstated with it."""
    first = nights.crosswalk(FOUNDING)
    assert nights.crosswalk(BACK) == first
    assert nights.events(BACK) == [("reinstate", first[nights.gone_of_one])]


def test_owners_of_a_joint_account_are_customers_of_their_own(nights: Nights) -> None:
    """Two persons of the truth who own an account together are two customers, both with their role."""
    path = nights.workspace.lake.path("customer.party_role", FOUNDING)
    owners = duckdb.sql(
        f"""
        with role as (
            select *
            from read_parquet('{path}', hive_partitioning = false)
            where product_type = 'account'
        )
        select owner.system, owner.record_id, owner.customer_id, joint.record_id, joint.customer_id
        from role as owner
        inner join role as joint using (product_system, product_id)
        where owner.role = 'owner' and joint.role = 'joint_owner'
        """
    ).fetchall()
    truth = {
        (system, record_id): entity
        for system, record_id, entity in duckdb.sql(
            f"select system, record_id, entity_id from '{nights.workspace.exports / sample.TRUTH}'"
        ).fetchall()
    }
    crosswalk = nights.crosswalk(FOUNDING)
    couples = [row for row in owners if truth[row[0], row[1]] != truth[row[0], row[3]]]
    assert len(couples) >= 5
    for system, owner, owner_customer, joint, joint_customer in couples:
        assert owner_customer == crosswalk[system, owner]
        assert joint_customer == crosswalk[system, joint]
        assert owner_customer != joint_customer


def test_nights_in_a_row_give_what_a_full_rebuild_gives(nights: Nights, tmp_path: Path) -> None:
    """The last night run in a new home with the same model: every record has the same companions."""
    shutil.copytree(nights.workspace.models.home, tmp_path / "models" / "identity")
    rebuilt = Workspace.open("sample", tmp_path, nights.workspace.exports)
    _run(rebuilt, BACK)
    assert _companions(Nights(rebuilt, ("", ""), ("", "")).crosswalk(BACK)) == _companions(nights.crosswalk(BACK))


def _companions(crosswalk: dict[Key, str]) -> set[frozenset[Key]]:
    members: dict[str, set[Key]] = {}
    for key, customer_id in crosswalk.items():
        members.setdefault(customer_id, set()).add(key)
    return {frozenset(keys) for keys in members.values()}
