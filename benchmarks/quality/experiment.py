"""The experiment: a bank without errors, one for each class with that class alone, and what differs between the two.

A record was hit where what it delivered differs from the bank without errors. It is repaired where its standard value
does not differ, else seen where a table says so of it and did not without the error; the rest is not caught.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.identity.staged import DATE, open_workspace
from benchmarks.quality.bank_run import SEED, BankRun, Record, only_these_errors
from benchmarks.quality.errors import ERRORS, ErrorClass
from pipelines import steps
from sources import sample
from sources.sample.rates import RATES

SHARE, SHARE_OF_FEW = 0.05, 0.20
_FEW = ("company", "id_shared")
BROKEN_ROWS, BROKEN_PARTIES = 4, 6000


@dataclass(frozen=True)
class Verdict:
    """What became of the errors of one class.

    Attributes:
        error: class.
        share: share of the eligible values that the generator was told to hit.
        injected: errors that it counted.
        hit: records whose delivered value differs.
        repaired: of these, those whose standard value is as without the error.
        seen: of the others, those that a table tells as missing or not to be trusted.
        golden: of those hit, those whose customer has the value of the bank without errors; None: not a golden field.
        seen_anyway: records of the bank without errors of which a table says the same.
        strangers: records left out, since the two banks drew different parties, or other values, for them.
        pairs_lost: pairs of one party that are two customers, beyond those of the bank without errors.
        pairs_wrong: pairs of two parties that are one customer, likewise.
    """

    error: str
    share: float
    injected: int
    hit: int
    repaired: int
    seen: int
    golden: int | None
    seen_anyway: int
    strangers: int
    pairs_lost: int
    pairs_wrong: int

    @property
    def missed(self) -> int:
        """Neither repaired nor seen."""
        return self.hit - self.repaired - self.seen


def share_of(name: str) -> float:
    """Share at which a class is injected: of few eligible values more, and never below the default level."""
    return max(RATES[name].default, SHARE_OF_FEW if name.startswith(_FEW) else SHARE)


@dataclass(frozen=True)
class Sorted:
    """Records by what became of them: ``seen`` and ``repaired`` are of those hit; see ``Verdict``."""

    hit: set[Record]
    repaired: set[Record]
    seen: set[Record]
    seen_anyway: set[Record]
    strangers: set[Record]


def sort_out(name: str, clean: BankRun, run: BankRun) -> Sorted:
    """Compare the records of a bank with one class of error with those of the bank without any."""
    error = ERRORS[name]
    strangers = set() if error.of_population else _differing(clean.entities, run.entities)
    if strangers:  # chance fell otherwise for everybody whom a record only describes beside its own party
        strangers |= {(system, record_id) for system, record_id in run.entities if "-" in record_id}
    hit = _compared(error.delivered, clean, run) - strangers
    repaired = hit - _compared(error.standard, clean, run) if error.standard else set()
    seen_anyway = clean.records(error.seen) if error.seen else set()
    seen = (hit - repaired) & (run.records(error.seen) - seen_anyway) if error.seen else set()
    return Sorted(hit, repaired, seen, seen_anyway, strangers)


def judge(name: str, clean: BankRun, run: BankRun) -> Verdict:
    """Count what became of the errors of one class; both banks have their customers."""
    found, error = sort_out(name, clean, run), ERRORS[name]
    lost, wrong = (now - then for now, then in zip(run.pairs(), clean.pairs(), strict=True))
    return Verdict(
        name,
        share_of(name),
        run.injected[name][0],
        len(found.hit),
        len(found.repaired),
        len(found.seen),
        len(found.hit - _compared(_golden(error), clean, run)) if error.field else None,
        len(found.seen_anyway),
        len(found.strangers),
        lost,
        wrong,
    )


def _compared(query: str, clean: BankRun, run: BankRun) -> set[Record]:
    return _differing(clean.values(query), run.values(query))


def _differing(before: Mapping[Record, str], after: Mapping[Record, str]) -> set[Record]:
    return {record for record in before.keys() | after.keys() if before.get(record) != after.get(record)}


def _golden(error: ErrorClass) -> str:
    return f"""
        select record.system, record.record_id, field.field_value
        from customer.customer_record as record
        inner join customer.customer_field as field using (customer_id)
        where field.field = '{error.field}' and field.field_rank = 1
    """


def measure(parties: int, names: Sequence[str], folder: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Run the experiment for the classes named; returns figures ready for JSON."""
    usual = BankRun.standardised(folder / "usual", parties, None)
    usual.resolve()
    say("model trained on a bank with errors of all classes")
    clean = BankRun.standardised(folder / "clean", parties, {})
    clean.resolve(usual.models)
    verdicts = []
    for name in names:
        run = BankRun.standardised(folder / name, parties, {name: share_of(name)})
        run.resolve(usual.models)
        verdicts.append(judge(name, clean, run))
        say(name)
    return {
        "records": len(clean.entities),
        "true_pairs": clean.true_pairs(),
        "clean_pairs": clean.pairs(),
        "usual_pairs": usual.pairs(),
        "errors": [asdict(verdict) | {"missed": verdict.missed} for verdict in verdicts],
        "broken_rows": broken_rows(folder / "broken"),
    }


def broken_rows(folder: Path) -> list[dict[str, Any]]:
    """Rows that cannot be landed, by file: how many were added, how many rows were quarantined, and by which rule."""
    workspace = open_workspace("sample", folder)
    with only_these_errors({}):
        whole = sample.generate(BROKEN_PARTIES, "default", SEED, 1, folder / "whole").rows
        rows = sample.generate(BROKEN_PARTIES, "default", SEED, 1, workspace.exports, broken_rows=BROKEN_ROWS).rows
    added = {name: count - whole[name] for name, count in rows.items() if count > whole[name]}
    found = []
    for contract in workspace.bank.contracts:
        for result in steps.land(workspace, contract, contract.objects, DATE).values():
            names = {f"{contract.system}/{path.name}" for path in result.files}
            injected = sum(count for name, count in added.items() if name in names)
            if injected or result.rows_quarantined:
                found.append(
                    {
                        "object": f"{result.system}.{result.object}",
                        "injected": injected,
                        "quarantined": result.rows_quarantined,
                        "landed_too_many": result.rows_landed + result.rows_quarantined - result.rows_delivered,
                        "rules": dict(result.quarantined_by_rule),
                    }
                )
    return found
