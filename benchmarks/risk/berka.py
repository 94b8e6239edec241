"""Berka's 682 loans through the product's landing and staging, and what was known of each when it was granted.

Here is the input of the benchmark; who judges it is ``judges``, how is ``__main__``.
"""

import os
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.identity.sets import DATA_VARIABLE, SetMissingError
from models.value.observations import Flags, Numbers
from pipelines import steps
from pipelines.workspace import Workspace

_FILES = ("account", "card", "client", "disp", "district", "loan", "order", "trans")
_STAGED = (
    "staging.account",
    "staging.card",
    "staging.loan",
    "staging.party",
    "staging.party_role",
    "staging.transaction",
)
_LANDED = ("core__account", "core__client", "core__disp", "core__district", "card__card", "loan__loan")


def loans(data: Path | None) -> tuple[dict[str, Numbers], Flags]:
    """The characteristics of all loans by name, sorted by loan number, and which of them are bad.

    Args:
        data: Folder of the benchmark data, in which ``berka`` holds the .asc files; C360_BENCHMARK_DATA by default.

    Raises:
        SetMissingError: they are not there; says where they were looked for.
    """
    folder = data or (Path(os.environ[DATA_VARIABLE]) if os.environ.get(DATA_VARIABLE) else None)
    if folder is None:
        raise SetMissingError(f"berka: say in which folder it lies with --data DIR or {DATA_VARIABLE}")
    missing = [f"{name}.asc" for name in _FILES if not (folder / "berka" / f"{name}.asc").is_file()]
    if missing:
        raise SetMissingError(f"{', '.join(missing)} not in {folder / 'berka'} (--data DIR or {DATA_VARIABLE})")
    with tempfile.TemporaryDirectory(prefix="c360-benchmark-") as home:
        workspace = Workspace.open("berka", home, folder / "berka")
        date = workspace.bank.settings.business_date or workspace.today()
        for contract in workspace.bank.contracts:
            steps.land(workspace, contract, contract.objects, date)
        for table in _STAGED:
            steps.conform_entity(workspace, workspace.tables[table], date)
        with workspace.engine.connection(date, [*_STAGED, *(f"landing.{name}" for name in _LANDED)]) as con:
            sql = Path(__file__).with_name("berka.sql").read_text(encoding="utf-8")
            found = con.execute(sql).fetchnumpy()
    bad = np.asarray(found.pop("is_bad"), dtype=bool)
    del found["loan_id"]
    return {name: np.ma.filled(np.ma.asarray(column, dtype=np.float64), np.nan) for name, column in found.items()}, bad
