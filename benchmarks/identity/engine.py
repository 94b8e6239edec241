"""One engine on one staged set, in a process of its own so that time and peak memory are its own.

``measure`` starts the process, ``main`` is what runs in it. What an engine is lies in ``ours`` and ``splink_peer``;
how good its result is, is judged by ``judged``.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.identity import ours, splink_peer
from benchmarks.identity.sets import SETS
from benchmarks.identity.staged import DATE, open_workspace, readable
from pipelines.workspace import Workspace

# An engine gets the set's tables, the workspace, the set's name and a clock that it tells each step it has ended. It
# returns a crosswalk (system, record_id, customer_id) by cut in bits, that of its documentation first.
Engine = Callable[[duckdb.DuckDBPyConnection, Workspace, str, Callable[[str], None]], dict[str, pa.Table]]

ENGINES: dict[str, Engine] = {
    "ours": ours.Ours().run,
    "splink": splink_peer.run,
    **{part: ablation.run for part, ablation in ours.ABLATIONS.items()},
}
UNTIMED = "other cuts"
"""Step that a user of the engine would not take: it is in no sum."""


@dataclass(frozen=True)
class Run:
    """What one engine made of a set.

    Attributes:
        crosswalks: system, record_id, customer_id by cut (match weight in bits; empty where there is one result).
        seconds: By step, in the order of the steps; imports and the reading of the truth are not in them.
        peak_megabytes: Largest resident memory of the process.
    """

    crosswalks: dict[str, pa.Table]
    seconds: dict[str, float]
    peak_megabytes: float

    @property
    def total_seconds(self) -> float:
        """Seconds of the steps that make one result."""
        return sum(seconds for step, seconds in self.seconds.items() if step != UNTIMED)


def measure(engine: str, set_name: str, folder: Path) -> Run:
    """Run an engine over the set staged in ``folder``.

    Raises:
        subprocess.CalledProcessError: the engine failed; its traceback is on standard error.
    """
    out = folder / engine.replace(" ", "_")
    out.mkdir()
    subprocess.run(  # noqa: S603 -- our own module
        [sys.executable, "-m", "benchmarks.identity.engine", engine, set_name, str(folder), str(out)], check=True
    )
    figures = json.loads((out / "run.json").read_text(encoding="utf-8"))
    crosswalks = {cut: pq.read_table(out / f"crosswalk_{n}.parquet") for n, cut in enumerate(figures["cuts"])}
    return Run(crosswalks, figures["seconds"], figures["peak_megabytes"])


def main(engine: str, set_name: str, folder: Path, out: Path) -> None:
    """Run an engine and leave its crosswalks, seconds and peak memory in ``out``."""
    workspace = open_workspace(SETS[set_name].bank, folder)
    seconds: dict[str, float] = {}
    with workspace.engine.connection(DATE, readable(workspace)) as con:
        last = time.perf_counter()

        def clock(step: str) -> None:
            nonlocal last
            now = time.perf_counter()
            seconds[step] = seconds.get(step, 0.0) + now - last
            last = now

        crosswalks = ENGINES[engine](con, workspace, set_name, clock)
    for number, table in enumerate(crosswalks.values()):
        pq.write_table(table, out / f"crosswalk_{number}.parquet")
    unit = 1e6 if sys.platform == "darwin" else 1e3
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    figures = {"cuts": list(crosswalks), "seconds": seconds, "peak_megabytes": peak}
    (out / "run.json").write_text(json.dumps(figures), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
