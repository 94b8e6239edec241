"""How good a run is: the product's evaluator on all entities of a set or on one half of them, and the choice of a cut.

Whoever chooses with the truth says so: a cut chosen on the tuning half may be reported on the test half, one chosen
on the records that it is judged by is an oracle's.
"""

import hashlib
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.identity.engine import Run
from benchmarks.identity.sets import BenchmarkSet
from quality.linkage import evaluate


def judge(one: BenchmarkSet, run: Run, truth: pa.Table, half: str, documents: pa.Table) -> list[dict[str, Any]]:
    """Figures of a run: one row where it has one result, else one for each way to choose the cut.

    Args:
        one: The set.
        run: What an engine made of it.
        truth: system, record_id, entity_id.
        half: Which half of the entities is judged, where the set has halves.
        documents: ``identity.party_document``, for the count of broken constraints.

    Returns:
        Rows of ``judged`` (which entities), ``settings`` (how the cut was chosen), ``cut_bits`` and all that
        ``quality.linkage.evaluate`` says.
    """
    judged = half_of(truth, half) if one.halves else truth
    first = next(iter(run.crosswalks))
    if len(run.crosswalks) == 1:
        choices = {"as shipped": first}
    else:
        choices = {"documented cut": first}
        if one.halves:
            choices["cut of the other half"] = _best_cut(run, half_of(truth, "test" if half == "tuning" else "tuning"))
        choices["oracle cut"] = _best_cut(run, judged)
    return [
        {
            "judged": f"{half} half" if one.halves else "all",
            "settings": settings,
            "cut_bits": float(cut) if cut else None,
            **evaluate(run.crosswalks[cut], judged, documents),
        }
        for settings, cut in choices.items()
    ]


def half_of(truth: pa.Table, half: str) -> pa.Table:
    """The truth of the ``tuning`` or the ``test`` half of the entities.

    An entity is in the tuning half if the first hexadecimal digit of the SHA-256 of its id is below 8.
    """
    entities = truth["entity_id"].unique()
    chosen = [e for e in entities.to_pylist() if (_first_digit(e) < 8) == (half == "tuning")]
    return truth.filter(pc.is_in(truth["entity_id"], pa.array(chosen, entities.type)))


def _first_digit(entity: str) -> int:
    return int(hashlib.sha256(entity.encode()).hexdigest()[0], 16)


def _best_cut(run: Run, truth: pa.Table) -> str:
    """The cut of the highest pairwise F1 by this truth; of equal ones the highest cut."""
    return max(run.crosswalks, key=lambda cut: (evaluate(run.crosswalks[cut], truth)["pairwise"]["f1"], float(cut)))
