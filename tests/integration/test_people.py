"""A plain table of people through the whole product: any subset of the columns, delimited text or Parquet."""

import csv
import io
import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet as pq
import pytest

# Records whose first letter is the same are one person. b1 and c1 share a birth date, d1 and e1 a name.
NAMED = """\
record_id,given_name,surname,birth_date,city,email
a1,Margaret,Ashworth,1951-03-07,Leeds,m.ashworth@mail.example.org
a2,Margaret,Ashworth,07/03/1951,Leeds,m.ashworth@mail.example.org
a3,Margaret,Ashwroth,1951-03-07,Leeds,M.Ashworth@mail.example.org
b1,Owen,Pritchard,1980-11-30,Cardiff,owen.pritchard@post.example.org
b2,Owen,Pritchard,19801130,,owen.pritchard@post.example.org
c1,Fiona,Kerr,1980-11-30,Perth,fiona@kerr.example.org
d1,David,Thornhill,1944-01-15,Bath,
e1,David,Thornhill,1991-06-02,Truro,dthornhill@work.example.org
e2,David,Thornhill,1991-06-02,Truro,dthornhill@work.example.org
"""
# f1 and f2 are one; g1 lives with them, h1 may be either: nothing but the surname is known.
WHOLE = """\
record_id,full_name,sex,phone,id_number
f1,Dr. Ruth Emily Saunders,F,07700 900123,QQ1234
f2,"Saunders, Ruth Emily",female,+44 7700 900123,qq 1234
g1,Ralph Saunders,m,07700 900123,QQ7788
h1,Saunders,,,
"""
GIVEN = ("Alan", "Bridget", "Colin", "Dorothy", "Edmund", "Frances", "Graham", "Hilary")
FAMILY = ("Barlow", "Crowther", "Dunstan", "Eastwood", "Fairfax", "Goddard", "Holroyd", "Ingham")


def _crowd() -> list[tuple[str, str]]:
    """Sixty-four people of whom no two share a name, so that names are as rare as they are among people."""
    return list(itertools.product(GIVEN, FAMILY))


def _night(run: Callable, folder: Path) -> None:
    done = run(
        *("--bank", "people", "--home", folder / "home", "--exports", folder / "exports", "run"),
        *("--date", "2026-01-31"),
    )
    assert done.code == 0, done.output


def test_a_csv_of_some_columns(tmp_path: Path, run: Callable) -> None:
    (tmp_path / "exports").mkdir()
    crowd = [f"z{n},{given},{family},{1930 + n}-04-{1 + n % 28:02d},," for n, (given, family) in enumerate(_crowd())]
    (tmp_path / "exports" / "people.csv").write_text(NAMED + "\n".join(crowd), encoding="utf-8")
    _night(run, tmp_path)
    truth = tmp_path / "truth.csv"
    rows = [f"people,{row['record_id']},{row['record_id'][0]}" for row in csv.DictReader(NAMED.splitlines())]
    rows += [f"people,z{n},z{n}" for n in range(64)]
    truth.write_text("\n".join(["system,record_id,entity_id", *rows, ""]), encoding="utf-8")
    judged = run("--bank", "people", "--home", tmp_path / "home", "evaluate", "--truth", truth)
    assert judged.code == 0, judged.output
    found = json.loads(judged.output)
    assert (found["records"], found["customers"], found["exact_clusters"]) == (73, 69, 69)
    assert found["records_only_in_crosswalk"] == found["records_only_in_truth"] == 0


@pytest.mark.slow
def test_a_parquet_file_of_other_columns(tmp_path: Path, run: Callable) -> None:
    (tmp_path / "exports").mkdir()
    crowd = [f"z{n},{given} {family},,07700 9004{n:02d},QQ{9000 + n}" for n, (given, family) in enumerate(_crowd())]
    table = pyarrow.csv.read_csv(io.BytesIO((WHOLE + "\n".join(crowd)).encode()))
    pq.write_table(table, tmp_path / "exports" / "people_of_2026.parquet")
    _night(run, tmp_path)
    asked = run(
        *("--bank", "people", "--home", tmp_path / "home", "sql", "--format", "json"),
        "select string_agg(record_id, ' ' order by record_id) as records from customer.customer_record"
        " where record_id not like 'z%' group by customer_id order by records",
    )
    assert [row["records"] for row in json.loads(asked.output)] == ["f1 f2", "g1", "h1"]


def test_the_key_must_be_there(tmp_path: Path, run: Callable) -> None:
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "people.csv").write_text("name,born\nOwen Pritchard,1980-11-30\n", encoding="utf-8")
    refused = run(
        *("--bank", "people", "--home", tmp_path / "home", "--exports", tmp_path / "exports", "run"),
        *("--date", "2026-01-31"),
    )
    assert refused.code == 3
    assert "none of the 16 columns of the contract is in the header" in refused.output
