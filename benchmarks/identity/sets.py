"""The sets that identity resolution is measured on: how each becomes a bank's exports, and its truth.

Public sets become the one file of the bank ``people``, the sample bank is generated as for a night. Here does not
live what is done with the exports (``staged``), nor any engine.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from sources import sample

DATA_VARIABLE = "C360_BENCHMARK_DATA"
SAMPLE_SEED = 7


class SetMissingError(RuntimeError):
    """The data of a public set is not here; says where it was looked for."""


@dataclass(frozen=True)
class BenchmarkSet:
    """One set.

    Attributes:
        name: Name on the command line and in results.
        bank: The bank folder whose contracts and settings apply.
        what: One line for readers of the table.
        write: Writes the exports into a folder; arguments are the folder of public data (or None), the folder of
            the exports and the number of parties asked for. Returns the truth: system, record_id, entity_id.
        halves: Whether rules may be chosen on half of the entities; figures are then those of the other half.
        heavy: Left out unless it is named.
    """

    name: str
    bank: str
    what: str
    write: Callable[[Path | None, Path, int], pa.Table]
    halves: bool = False
    heavy: bool = False


# Columns of banks/people from those of each public set; what a set lacks is not in its file.
_PEOPLE = {
    "historical_50k": {
        "record_id": "unique_id",
        "full_name": "full_name",
        "given_name": "first_name",
        "surname": "surname",
        "sex": "gender",
        "birth_date": "dob",
        "birth_place": "birth_place",
        "postcode": "postcode_fake",
        "occupation": "occupation",
    },
    "fake_1000": {
        "record_id": "unique_id",
        "given_name": "first_name",
        "surname": "surname",
        "birth_date": "dob",
        "city": "city",
        "email": "email",
    },
    "febrl3": {
        "record_id": "unique_id",
        "given_name": "given_name",
        "surname": "surname",
        "birth_date": "date_of_birth",
        "address": "nullif(concat_ws(' ', street_number, address_1, address_2), '')",
        "city": "suburb",
        "region": "state",
        "postcode": "postcode",
        "id_number": "soc_sec_id",
    },
}
_PEOPLE["febrl4"] = {**_PEOPLE["febrl3"], "source": "source_dataset"}


def _public(name: str) -> Callable[[Path | None, Path, int], pa.Table]:
    def write(data: Path | None, exports: Path, parties: int) -> pa.Table:
        source = _find(data, f"{name}.parquet")
        exports.mkdir(parents=True, exist_ok=True)
        columns = ", ".join(f"{expression} as {column}" for column, expression in _PEOPLE[name].items())
        with duckdb.connect() as con:
            con.read_parquet(str(source)).create_view("given")
            con.sql(f"select {columns} from given order by unique_id").write_parquet(str(exports / "people.parquet"))
            return con.sql(
                "select 'people' as system, unique_id as record_id, cluster as entity_id from given order by unique_id"
            ).to_arrow_table()

    return write


def _find(data: Path | None, file: str) -> Path:
    folder = data or (Path(os.environ[DATA_VARIABLE]) if os.environ.get(DATA_VARIABLE) else None)
    if folder is None:
        raise SetMissingError(f"{file}: say in which folder it lies with --data DIR or {DATA_VARIABLE}")
    if not (folder / file).is_file():
        raise SetMissingError(f"{file} is not in {folder} (--data DIR or {DATA_VARIABLE})")
    return folder / file


def _sample(noise: str, size: int | None = None) -> Callable[[Path | None, Path, int], pa.Table]:
    def write(data: Path | None, exports: Path, parties: int) -> pa.Table:
        sample.generate(size or parties, noise, SAMPLE_SEED, 1, exports)
        return pq.read_table(exports / sample.TRUTH)

    return write


SETS = {
    one.name: one
    for one in (
        BenchmarkSet(
            "historical_50k", "people", "people of Wikidata, realistic errors", _public("historical_50k"), True
        ),
        BenchmarkSet("fake_1000", "people", "Splink's tutorial set", _public("fake_1000")),
        BenchmarkSet("febrl3", "people", "FEBRL, up to five duplicates", _public("febrl3")),
        BenchmarkSet("febrl4", "people", "FEBRL, two files one to one", _public("febrl4")),
        BenchmarkSet("sample", "sample", "the sample bank, default noise", _sample("default")),
        BenchmarkSet("sample_high", "sample", "the sample bank, high noise", _sample("high")),
        BenchmarkSet(
            "sample_1m", "sample", "the sample bank, a million records", _sample("default", 1_000_000), heavy=True
        ),
    )
}
