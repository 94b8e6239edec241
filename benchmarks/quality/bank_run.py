"""One sample bank through the identity steps of a night, and what queries say of its records afterwards.

Here does not live what counts as caught (``errors``, ``experiment``).
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from unittest.mock import patch

import duckdb
import pyarrow.parquet as pq

from benchmarks.identity.staged import DATE, open_workspace, stage
from pipelines import steps
from pipelines.assets.identity import STEPS
from pipelines.workspace import Workspace
from quality.linkage import evaluate
from sources import sample
from sources.sample.rates import RATES

SEED = 7
RESOLUTION = ("decide", "collapse", "score", "cluster", "assign_customers")
Record = tuple[str, str]
_FIELD = "customer.customer_field"


@contextmanager
def only_these_errors(shares: Mapping[str, float]) -> Iterator[None]:
    """Let the generator inject these classes of error, at these shares of the eligible values, and no other."""
    only = {
        name: replace(rate, low=share, default=share, high=share)
        for name, rate in RATES.items()
        for share in [shares.get(name, 0.0)]
    }
    with patch.dict(RATES, only):
        yield


@dataclass(frozen=True)
class BankRun:
    """A bank after the steps: where it lies and how many errors of each class the generator counted."""

    workspace: Workspace
    injected: Mapping[str, tuple[int, int]]

    @classmethod
    def standardised(cls, folder: Path, parties: int, shares: Mapping[str, float] | None) -> "BankRun":
        """Generate a bank with the errors of ``shares`` (None: those of the default level), land and standardise it."""
        workspace = open_workspace("sample", folder)
        with only_these_errors({name: rate.default for name, rate in RATES.items()} if shares is None else shares):
            injected = sample.generate(parties, "default", SEED, 1, workspace.exports).injected
        stage(workspace)
        return cls(workspace, injected)

    def resolve(self, models: Path | None = None) -> None:
        """Go on to customers and their golden records, with the model of another home, or one trained here."""
        if models:
            shutil.copytree(models, self.models)
        for step in RESOLUTION:
            STEPS[step][0](self.workspace, DATE)
        steps.materialise(self.workspace, self.workspace.tables[_FIELD], DATE)

    @property
    def models(self) -> Path:
        """Folder of the models that the home trained, and of which it uses."""
        return self.workspace.home / "models"

    @cached_property
    def entities(self) -> dict[Record, str]:
        """Who each record is in truth."""
        return self.values("select system, record_id, entity_id from truth")

    def values(self, sql: str) -> dict[Record, str]:
        """What a query says of records: system, record_id, value."""
        return {(system, record_id): str(value) for system, record_id, value in self._rows(sql)}

    def records(self, sql: str) -> set[Record]:
        """The records that a query returns: system, record_id."""
        return {(system, record_id) for system, record_id in self._rows(sql)}

    def _rows(self, sql: str) -> list[tuple[str, ...]]:
        with self._connection() as con:
            return con.execute(sql).fetchall()

    @contextmanager
    def _connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        lake = self.workspace.lake
        tables = [table for table in self.workspace.tables if lake.exists(table, DATE)]
        with self.workspace.engine.connection(DATE, tables) as con:
            con.read_parquet(str(self.workspace.exports / sample.TRUTH)).create_view("truth")
            yield con

    @cached_property
    def _pairwise(self) -> dict[str, int]:
        with self._connection() as con:
            crosswalk = con.execute("select system, record_id, customer_id from customer.customer_record")
            truth = pq.read_table(self.workspace.exports / sample.TRUTH)
            return dict(evaluate(crosswalk.to_arrow_table(), truth)["pairwise"])

    def true_pairs(self) -> int:
        """Pairs of records of one party."""
        return self._pairwise["true_pairs"]

    def pairs(self) -> tuple[int, int]:
        """Pairs of records of one party that are two customers, and pairs of two parties that are one."""
        found = self._pairwise
        return found["true_pairs"] - found["right_pairs"], found["made_pairs"] - found["right_pairs"]
