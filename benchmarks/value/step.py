"""One table made in a process of its own, so that time and memory are its own: started by ``benchmarks.value``."""

import datetime as dt
import json
import resource
import sys
import time

from pipelines.assets.tables import made_one_by_one
from pipelines.workspace import Workspace


def main(bank: str, home: str, table_id: str, date: str) -> None:
    """Make the table and print its rows, seconds (elapsed, and of the processors) and peak memory as JSON."""
    workspace = Workspace.open(bank, home)
    table, step = next((table, step) for table, _, step in made_one_by_one(workspace) if table.id == table_id)
    elapsed, used = time.perf_counter(), time.process_time()
    count = step(workspace, table, dt.date.fromisoformat(date))
    figures = {
        "rows": count,
        "seconds": time.perf_counter() - elapsed,
        "cpu_seconds": time.process_time() - used,
        "peak_gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        / (1e9 if sys.platform == "darwin" else 1e6),
    }
    sys.stdout.write(json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
