"""Statements of consent that core banking holds of its persons: what each said of each purpose, and when.

A person that is two customers may say two things. Consents are withdrawn in later days; a day's file is the state of
the day. Everything is drawn by a record's number, so a record keeps its answers however many follow it.
"""

import numpy as np
import pyarrow as pa

from sources.sample.founding import Sample
from sources.sample.registers import stamps
from sources.sample.text import Numbers, Text, choose, constant, pick, together

PURPOSES = {"MKT": 0.55, "ANA": 0.70, "PTN": 0.15}
"""Purposes of core banking's form (marketing, analytics, passing on to partners), and the share that agrees."""

_CONSENTS = 11  # stage of chance
_ASKED = 0.85
_WITHDRAWN_A_DAY = 0.005


def consent_columns(sample: Sample) -> dict[str, Text]:
    """Columns of the day's file: one row per person's customer number and purpose that was asked for."""
    core = sample.core
    persons = core.persons()
    parts = [_statements(sample, code, share, number, persons) for number, (code, share) in enumerate(PURPOSES.items())]
    return {name: together(*(part[name] for part in parts)) for name in parts[0]}


def _statements(sample: Sample, code: str, share: float, number: int, persons: Numbers) -> dict[str, Text]:
    def chance(draw: int) -> np.random.Generator:
        return np.random.default_rng([sample.seed, 0, _CONSENTS, number, draw])

    count, opened = len(sample.core), sample.core.opened
    asked = chance(0).random(count) < _ASKED
    agreed = chance(1).random(count) < share
    after = chance(2).exponential(1 / _WITHDRAWN_A_DAY, count).astype(np.int64)
    withdrawn_on = np.maximum(opened, sample.first_day) + 1 + after
    withdrawn = agreed & (withdrawn_on <= sample.day)
    decided = stamps(chance(3), np.where(withdrawn, withdrawn_on, opened))
    rows = persons[asked[persons]]
    return {
        "CUST_NO": pick(sample.core.columns["CUST_NO"], rows),
        "PURPOSE": constant(code, len(rows)),
        "GRANTED": choose((agreed & ~withdrawn)[rows], "Y", "N"),
        "DECIDED_AT": decided.take(pa.array(rows)),
    }
