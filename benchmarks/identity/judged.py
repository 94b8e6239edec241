"""How good a run is: the product's evaluator on all entities of a set or on one half of them, and the choice of a cut.

Whoever chooses with the truth says so: a cut chosen on the tuning half may be reported on the test half, one chosen
on the records that it is judged by is an oracle's.
"""

import hashlib
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.identity.engine import Run
from quality.linkage import evaluate

HALVES = ("tuning", "test")


def half_of(truth: pa.Table, half: str | None) -> pa.Table:
    """The truth of one half of the entities (None: of all).

    An entity is in the tuning half if the first hexadecimal digit of the SHA-256 of its id is below 8.
    """
    if half is None:
        return truth
    entities = truth["entity_id"].unique()
    chosen = [e for e in entities.to_pylist() if (_first_digit(e) < 8) == (half == "tuning")]
    return truth.filter(pc.is_in(truth["entity_id"], pa.array(chosen, truth["entity_id"].type)))


def _first_digit(entity: str) -> int:
    return int(hashlib.sha256(entity.encode()).hexdigest()[0], 16)


def best_cut(run: Run, truth: pa.Table) -> str:
    """The cut of the highest pairwise F1 by this truth; of equal ones the highest cut."""
    return max(run.crosswalks, key=lambda cut: (pairwise_f1(run.crosswalks[cut], truth), float(cut)))


def pairwise_f1(crosswalk: pa.Table, truth: pa.Table) -> float:
    """Pairwise F1 of a crosswalk."""
    return float(evaluate(crosswalk, truth)["pairwise"]["f1"])


def judge(crosswalk: pa.Table, truth: pa.Table, documents: pa.Table | None = None) -> dict[str, Any]:
    """All measures of a crosswalk (see ``quality.linkage.evaluate``)."""
    return evaluate(crosswalk, truth, documents)
