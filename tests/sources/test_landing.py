"""Landing: what is landed, which deliveries are refused and with what message, and that no row is lost."""

import gzip
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from conftest import DATE, DAY_BEFORE, GOOD, KEYED, NOTHING_DECIDED, Desk, refused
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.delivery import DeliveryError, DeliveryMissing, inspect
from sources.landing import LandingSettings, land, read_manifest
from sources.manifest import LandingResult

# What is landed


def test_landed_rows_are_the_raw_text_with_where_they_come_from(desk: Desk) -> None:
    path = desk.put("c.csv", "id,name,balance,x\n1, Ann ,007.10,é\n2,,,\n")
    result = desk.land(desk.contract(KEYED))
    first, second = desk.rows()
    assert list(first) == [
        "id",
        "name",
        "balance",
        "_extra",
        "_source_file",
        "_source_line",
        "_record_hash",
        "_quarantine_id",
    ]
    assert (first["name"], first["balance"], second["balance"]) == (" Ann ", "007.10", "")
    assert (first["_extra"], first["_source_file"], first["_source_line"]) == ('{"x":"é"}', "c.csv", 2)
    assert first["_record_hash"] == hashlib.md5("1:1:"[:3].encode() + b"5: Ann 6:007.10").hexdigest()
    assert (result.rows_delivered, result.rows_landed, result.rows_quarantined) == (2, 2, 0)
    (file,) = result.files
    assert (file.name, file.bytes, file.rows) == ("c.csv", path.stat().st_size, 2)
    assert file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert result.warnings == ("c.csv: column 'x' is not in the contract; kept in _extra",)
    assert desk.quarantine() == []


def test_the_hash_tells_null_from_empty_and_fields_from_each_other(desk: Desk) -> None:
    desk.put("c.jsonl", '{"a":"","b":"x"}\n{"b":"x"}\n{"a":"x","b":""}\n{"a":"1:","b":""}\n{"a":"1","b":":"}\n')
    desk.land(desk.contract({"a": {}, "b": {}}, format="jsonl"))
    assert len({row["_record_hash"] for row in desk.rows()}) == 5


def test_the_same_file_lands_byte_for_byte_the_same(desk: Desk) -> None:
    desk.put("c.csv", GOOD + "201,bad,x\n")
    contract = desk.contract(KEYED)
    desk.land(contract)
    paths = [desk.partition(table, DATE) for table in ("core__customer", "quarantine__core__customer")]
    before = [path.read_bytes() for path in paths]
    manifest = paths[0].with_name("manifest.json").read_bytes()
    desk.land(contract)
    assert [path.read_bytes() for path in paths] == before
    assert paths[0].with_name("manifest.json").read_bytes() == manifest


def test_parts_are_one_delivery(desk: Desk) -> None:
    desk.put("p1.csv", "id,name,balance\n1,a,1\n2,b,1\n")
    desk.put("p2.csv.gz", gzip.compress(b"balance,id,name\n1,3,c\n1,1,again\n"))
    result = desk.land(desk.contract(KEYED, pattern="p*", parts=True))
    assert [(row["_source_file"], row["id"]) for row in desk.rows()] == [
        ("p1.csv", "1"),
        ("p1.csv", "2"),
        ("p2.csv.gz", "3"),
    ]
    assert [(file.name, file.rows) for file in result.files] == [("p1.csv", 2), ("p2.csv.gz", 2)]
    (row,) = desk.quarantine()
    assert (row["source_file"], row["source_line"], row["raw"]) == ("p2.csv.gz", 3, b"1,1,again")


def test_the_manifest_says_what_the_landing_came_to(desk: Desk) -> None:
    desk.put("c.csv", GOOD)
    desk.put("c.ctl", "N=200\nSUM=20200.00")
    control = {"pattern": "*.ctl", "rows": "N", "totals": {"balance": "SUM"}}
    result = desk.land(desk.contract(KEYED, pattern="*.csv", control=control))
    kept = read_manifest(desk.partition("core__customer", DATE))
    assert kept == result
    assert (kept.control_rows, kept.control_source) == (200, "c.ctl")
    total = kept.totals["balance"]
    assert (total.stated, total.delivered) == (Decimal("20200.00"), Decimal(20200))


def test_the_money_of_quarantined_rows_is_in_the_manifest(desk: Desk) -> None:
    desk.put("c.csv", GOOD + "1,again,7.25\n")
    desk.put("c.ctl", "N=201\nSUM=20207.25")
    control = {"pattern": "*.ctl", "rows": "N", "totals": {"balance": "SUM"}}
    desk.land(desk.contract(KEYED, pattern="*.csv", control=control))
    kept = read_manifest(desk.partition("core__customer", DATE))
    assert kept is not None
    total = kept.totals["balance"]
    assert (total.delivered, total.quarantined, total.landed) == (
        Decimal("20207.25"), Decimal("7.25"), Decimal(20200),
    )  # fmt: skip


def test_a_result_that_loses_rows_cannot_be_made() -> None:
    with pytest.raises(
        AssertionError, match="3 rows delivered and 0 released, but 1 landed, 1 in quarantine, 0 forgotten"
    ):
        LandingResult("core", "customer", DATE, "full", 3, 1, 1)


# Missing or half-written


def test_nothing_is_landed_of_a_delivery_that_is_not_complete(desk: Desk) -> None:
    with pytest.raises(DeliveryMissing, match=r"core.customer: CUST_20260131.csv: not there"):
        desk.land(desk.contract(KEYED, pattern="CUST_{date:%Y%m%d}.csv"))


@pytest.mark.parametrize("change", [lambda old: old + "201,x,1\n", lambda old: old[:-9]], ids=["grows", "is cut short"])
def test_a_file_that_changes_while_it_is_read(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, change: Callable[[str], str]
) -> None:
    path = desk.put("c.csv", GOOD)
    from sources import arrival

    original = arrival.open_file

    def slow(*args: Any) -> Any:
        reader = original(*args)
        batches = reader.batches

        def changing(report: Any) -> Any:
            yield from batches(report)
            path.write_text(change(GOOD))

        reader.batches = changing
        return reader

    monkeypatch.setattr(arrival, "open_file", slow)
    (problem,) = refused(desk, desk.contract(KEYED))
    assert problem == "core.customer: c.csv: the file changed while it was read: it is still being written"


def test_a_compressed_file_that_is_cut_short_lands_nothing_until_it_is_whole(desk: Desk) -> None:
    whole = gzip.compress(GOOD.encode())
    desk.put("c.csv.gz", whole[: len(whole) // 2])
    contract = desk.contract(KEYED)
    (problem,) = refused(desk, contract)
    assert problem.startswith("core.customer: c.csv.gz: cannot be decompressed; is it whole?")
    assert list(desk.partition("core__customer", DATE).parent.iterdir()) == []
    desk.put("c.csv.gz", whole)
    assert desk.land(contract).rows_landed == 200


# Control figures


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ("N=199\nSUM=20200", "c.ctl says 199 rows, the delivery has 200"),
        ("N=200\nSUM=20200.01", "c.ctl says a total of 20200.01 for balance, the rows add up to 20200"),
    ],
)
def test_figures_that_disagree(desk: Desk, stated: str, said: str) -> None:
    desk.put("c.csv", GOOD)
    desk.put("c.ctl", stated)
    control = {"pattern": "*.ctl", "rows": "N", "totals": {"balance": "SUM"}}
    assert refused(desk, desk.contract(KEYED, pattern="*.csv", control=control)) == (f"core.customer: c.csv: {said}",)
    assert not desk.partition("core__customer", DATE).exists()


def test_a_wrong_checksum(desk: Desk) -> None:
    desk.put("c.csv", GOOD)
    desk.put("c.ctl", "MD5=" + "0" * 32)
    control = {"pattern": "*.ctl", "checksum": {"algorithm": "md5", "key": "MD5"}}
    contract = desk.contract(KEYED, pattern="*.csv", control=control)
    md5 = hashlib.md5(GOOD.encode()).hexdigest()
    assert refused(desk, contract) == (
        f"core.customer: c.csv: c.ctl says checksum {'0' * 32} for c.csv, its bytes have {md5}",
    )
    desk.put("c.ctl", f"MD5={md5.upper()}")
    assert desk.land(contract).rows_landed == 200


def test_a_trailer_with_totals_of_implied_decimals(desk: Desk) -> None:
    fields = {
        "kind": {"width": 1},
        "id": {"width": 3, "primaryKey": True},
        "limit": {"width": 6, "type": "number", "decimals": 2},
    }
    control = {"trailer": r"^T(?P<rows>\d{3})(?P<sum>\d{6})$", "rows": "rows", "totals": {"limit": "sum"}}
    contract = desk.contract(fields, format="fixed", trailer_lines=1, control=control)
    desk.put("c.dat", "D001001050\nD002000099\nT002001149\n")
    assert desk.land(contract).totals["limit"].delivered == Decimal("11.49")
    desk.put("c.dat", "D001001050\nD002000099\nT003001150\n")
    assert refused(desk, contract) == (
        "core.customer: c.dat: the trailer of c.dat says 3 rows, the delivery has 2",
        "core.customer: c.dat: the trailer of c.dat says a total of 001150 for limit, the rows add up to 11.49",
    )


def test_totals_count_the_rows_that_go_to_quarantine(desk: Desk) -> None:
    desk.put("c.csv", GOOD + "200,twice,0.25\n")
    desk.put("c.ctl", "N=201\nSUM=20200.25")
    control = {"pattern": "*.ctl", "rows": "N", "totals": {"balance": "SUM"}}
    result = desk.land(desk.contract(KEYED, pattern="*.csv", control=control))
    assert (result.rows_landed, result.rows_quarantined, result.warnings) == (200, 1, ())


def test_a_total_that_an_unreadable_row_explains_is_a_warning_with_both_numbers(desk: Desk) -> None:
    desk.put("c.csv", GOOD + "201,torn\n")
    desk.put("c.ctl", "N=201\nSUM=20300.00")
    control = {"pattern": "*.ctl", "rows": "N", "totals": {"balance": "SUM"}}
    result = desk.land(desk.contract(KEYED, pattern="*.csv", control=control))
    assert result.rows_quarantined == 1
    assert result.warnings == (
        "core.customer: c.csv: c.ctl says a total of 20300.00 for balance, the rows add up to 20200; "
        "1 rows brought no readable balance",
    )


def test_a_business_date_from_the_future(desk: Desk) -> None:
    desk.put("c.csv", GOOD)
    desk.put("c.ctl", "DAY=20260201")
    control = {"pattern": "*.ctl", "business_date": {"key": "DAY", "format": "%Y%m%d"}}
    assert refused(desk, desk.contract(KEYED, pattern="*.csv", control=control)) == (
        "core.customer: c.csv: c.ctl says business date 2026-02-01 (a date in the future), the night is 2026-01-31",
    )


# Unreadable rows and the limit


def test_unreadable_rows_are_quarantined_with_bytes_line_and_reason(desk: Desk) -> None:
    rows = [f"{n},王{n},{n}".encode("gb18030") for n in range(1, 400)]
    rows[9] = b"10,torn"
    rows[19] = "20,王".encode("gb18030") + b"\xff,20"
    rows[29] = b'30,"a\nb",30,more'
    desk.put("c.csv", b"id,name,balance\r\n" + b"\r\n".join(rows) + b"\r\n")
    result = desk.land(desk.contract(KEYED, encoding="gb18030"))
    assert (result.rows_delivered, result.rows_landed, result.rows_quarantined) == (399, 396, 3)
    found = [(q["source_line"], q["field"], q["rule"], q["reason"], q["raw"]) for q in desk.quarantine()]
    assert found == [
        (11, None, "columns", "the number of columns is 2, the header has 3", rows[9]),
        (21, "name", "encoding", "bytes that are not gb18030", rows[19]),
        (31, None, "columns", "the number of columns is 4, the header has 3", rows[29]),
    ]
    assert {(q["system"], q["object"], q["source_file"]) for q in desk.quarantine()} == {("core", "customer", "c.csv")}
    assert not {"10", "20", "30"} & {row["id"] for row in desk.rows()}
    assert list(desk.rows()[0]) == [*KEYED, "_extra", "_source_file", "_source_line", "_record_hash", "_quarantine_id"]
    assert [row["_source_line"] for row in desk.rows()][:12] == [2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14]
    assert result.quarantined_by_rule == {"columns": 2, "encoding": 1}


def test_above_the_limit_the_delivery_is_refused_with_counts_lines_and_no_values(desk: Desk) -> None:
    desk.put("c.csv", GOOD + "x1,secret,word\nx2\nx3,secret,word\n")
    (problem,) = refused(desk, desk.contract(KEYED))
    assert problem == (
        "core.customer: c.csv: 3 of 203 rows cannot be used (1 columns, 2 logicalType); the contract allows 1.00% of "
        "the rows, 2 here. First: c.csv line 202: balance: not a number; "
        "c.csv line 203: the number of columns is 1, the header has 3; c.csv line 204: balance: not a number"
    )
    assert "secret" not in problem and "word" not in problem
    assert not desk.partition("core__customer", DATE).exists()


def test_a_refused_delivery_leaves_what_was_there(desk: Desk) -> None:
    desk.put("c.csv", GOOD)
    contract = desk.contract(KEYED)
    desk.land(contract)
    before = desk.partition("core__customer", DATE).read_bytes()
    desk.put("c.csv", "id,nam,balance\n1,a,1\n")
    refused(desk, contract)
    assert desk.partition("core__customer", DATE).read_bytes() == before


@pytest.mark.parametrize(
    ("limit", "rows", "bad", "lands"),
    [
        (0.01, 3, 1, True),  # one bad row is always allowed, in the smallest file
        (0.01, 3, 2, False),
        (0.01, 299, 2, True),
        (0.01, 299, 3, False),
        (0, 299, 1, False),  # but where the contract allows none
        (1, 4, 4, False),  # and a file without one good row is no delivery
        (1, 4, 3, True),
        (0.01, 1, 1, False),
    ],
)
def test_the_limit(desk: Desk, limit: float, rows: int, bad: int, lands: bool) -> None:
    lines = [f"{n},n,{'x' if n < bad else n}" for n in range(rows)]
    desk.put("c.csv", "id,name,balance\n" + "\n".join(lines))
    contract = desk.contract(KEYED, reject_limit=limit)
    if lands:
        assert desk.land(contract).rows_quarantined == bad
    else:
        assert f"{bad} of {rows} rows cannot be used" in refused(desk, contract)[0]


# The file as a whole


def test_every_problem_of_every_file_is_said_at_once(desk: Desk) -> None:
    desk.put("p1.csv", "id,naam,balance\n1,a,1\n")
    desk.put("p2.csv", 'id,name,balance\n1,"a,1\n')
    desk.put("p3.csv", "id\n1\n")
    assert refused(desk, desk.contract(KEYED, pattern="p*", parts=True)) == (
        "core.customer: p1.csv: column 'name' is missing; 'naam' is not in the contract: was the column renamed?",
        "core.customer: p2.csv line 2: a quoted field opens here and is never closed",
        "core.customer: p3.csv: column 'name' is missing",
        "core.customer: p3.csv: column 'balance' is missing",
    )


def test_a_wrong_encoding(desk: Desk) -> None:
    desk.put("c.csv", "id,name,balance\n1,王,1\n2,李,2\n".encode("gb18030"))
    (problem,) = refused(desk, desk.contract(KEYED))
    assert "the bytes do not fit the encoding utf-8 that the contract gives" in problem
    assert problem.endswith("they are gb18030")


@pytest.mark.parametrize("mode", ["full", "append"])
def test_a_file_of_no_bytes(desk: Desk, mode: str) -> None:
    desk.put("c.csv", "")
    with pytest.raises(DeliveryMissing, match=r"core.customer: c.csv: empty \(0 bytes\)"):
        desk.land(desk.contract(KEYED, mode=mode))


def test_a_file_of_no_rows(desk: Desk) -> None:
    desk.put("c.csv", "id,name,balance\n")
    hint = "a full delivery without rows needs a control file that says 0"
    assert refused(desk, desk.contract(KEYED)) == (
        f"core.customer: c.csv: the file is empty (no rows behind the header); {hint}",
    )
    assert desk.land(desk.contract(KEYED, mode="append")).rows_delivered == 0


@pytest.mark.parametrize("content", ["id,name,balance\n", ""])
def test_a_file_of_no_rows_that_its_control_file_confirms(desk: Desk, content: str) -> None:
    desk.put("c.csv", content)
    desk.put("c.ctl", "N=0")
    contract = desk.contract(KEYED, pattern="*.csv", control={"pattern": "*.ctl", "rows": "N"})
    assert desk.land(contract).rows_delivered == 0
    assert desk.rows() == [] and desk.quarantine() == []
    desk.put("c.ctl", "N=5")
    assert "c.ctl says 5 rows, the delivery has 0" in refused(desk, contract)[0]


# Delivered twice


@pytest.mark.parametrize(
    ("mode", "on_repeat", "refuses"),
    [
        ("full", None, False),
        ("full", "refuse", True),
        ("delta", None, True),
        ("append", None, True),
        ("append", "warn", False),
    ],
)
def test_the_file_of_the_day_before_again(desk: Desk, mode: str, on_repeat: str | None, refuses: bool) -> None:
    options = {"on_repeat": on_repeat} if on_repeat else {}
    contract = desk.contract(
        {"id": {"primaryKey": True}, "name": {}}, mode=mode, pattern="c_{date:%Y%m%d}.csv", reject_limit=1, **options
    )
    for day in ("20260130", "20260131"):
        desk.put(f"c_{day}.csv", "id,name\n1,a\n2,b\n")
    desk.land(contract, DAY_BEFORE)
    said = (
        "core.customer: c_20260131.csv: the same bytes as the delivery of 2026-01-30 (c_20260130.csv): delivered twice?"
    )
    if refuses:
        assert refused(desk, contract, DATE, [DAY_BEFORE]) == (said,)
    elif mode == "full":
        assert desk.land(contract, DATE, [DAY_BEFORE]).warnings == (said,)
    else:
        assert "rows cannot be used" in refused(desk, contract, DATE, [DAY_BEFORE])[0]
    # The same date again is a repetition of the night, not of the delivery.
    assert desk.land(contract, DAY_BEFORE).rows_landed == 2


# Guarantees

lines = st.lists(
    st.one_of(
        st.binary(max_size=30),
        st.tuples(st.integers(0, 20), st.sampled_from(["a", '"b,c"', "王", '"d\ne"', ""]), st.sampled_from("1 x")).map(
            lambda row: f"{row[0]},{row[1]},{row[2]}".encode()
        ),
    ),
    max_size=25,
)


@given(content=lines, end=st.sampled_from([b"\n", b"\r\n"]))
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None, max_examples=60
)
def test_every_row_delivered_is_landed_or_quarantined(desk: Desk, content: list[bytes], end: bytes) -> None:
    desk.put("c.csv", b"id,name,balance" + end + end.join(content) + end)
    try:
        result = desk.land(desk.contract(KEYED, reject_limit=1))
    except DeliveryError:
        return
    landed, quarantined = desk.rows(), desk.quarantine()
    assert (result.rows_landed, result.rows_quarantined) == (len(landed), len(quarantined))
    assert result.rows_delivered == len(landed) + len(quarantined)
    starts = [row["_source_line"] for row in landed] + [row["source_line"] for row in quarantined]
    assert len(set(starts)) == len(starts)
    # Whatever is in quarantine is there as it was delivered.
    delivered = (desk.exports / "core" / "c.csv").read_bytes()
    assert all(row["raw"] in delivered for row in quarantined)
    assert all(row["id"].strip() for row in landed)


def test_a_killed_landing_leaves_the_old_partition_and_the_next_one_cleans_up(desk: Desk) -> None:
    desk.put("c.csv", GOOD)
    contract = desk.contract(KEYED)
    desk.land(contract)
    partition = desk.partition("core__customer", DATE)
    left = partition.with_name(f".{partition.name}.arrived.tmp")
    left.write_bytes(b"half a file")
    desk.land(contract)
    assert sorted(path.name for path in partition.parent.iterdir()) == ["data.parquet", "manifest.json"]


_MEASURE = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from conftest import Desk, DATE
desk = Desk.__new__(Desk)
root = Path(sys.argv[1])
desk.root, desk.exports, desk.lake = root, root / "exports", root / "lake"
from sources.landing import LandingSettings
desk.settings = LandingSettings(root / "spill", memory_limit="8GB")
fields = {name: {} for name in ("name", "address", "phone", "note")}
fields |= {"balance": {"type": "number"}, "day": {"type": "date", "not_future": True}}
contract = desk.contract({"id": {"primaryKey": True}} | fields, encoding="gb18030")
result = desk.land(contract)
print(result.rows_landed, result.rows_quarantined, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_a_large_file_lands_in_bounded_memory(desk: Desk) -> None:
    count, path = 6_000_000, desk.put("big.csv", "id,name,address,phone,note,balance,day\n")
    with path.open("ab") as handle:
        for start in range(0, count, 100_000):
            part = "".join(
                f'{n:010d},王小明{n % 977},"北京市海淀区中关村大街{n % 9973}号,甲",138{n % 10**8:08d},'
                f"备注{n % 31},{n % 10**6}.25,2020-01-{n % 28 + 1:02d}\n"
                for n in range(start, start + 100_000)
            )
            handle.write(part.encode("gb18030"))
        handle.write(b"0000000007,x,,,,1.00,2020-01-01\n0000000008\n")
    assert path.stat().st_size >= 500_000_000
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(desk.root), str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    landed, quarantined, kilobytes = map(int, done.stdout.split())
    assert (landed, quarantined) == (count, 2)
    assert kilobytes < 1_000_000
    print(f"{path.stat().st_size / 1e6:.0f} MB landed with {kilobytes / 1000:.0f} MB")


def test_landing_runs_within_little_memory(desk: Desk) -> None:
    desk.put("c.csv", GOOD)
    found = inspect(desk.contract(KEYED), desk.exports, DATE)
    small = LandingSettings(desk.root / "spill", memory_limit="64MB", threads=1)
    assert (
        land(found.objects[0], DATE, desk.target(found.objects[0].obj, DATE), small, NOTHING_DECIDED).rows_landed == 200
    )
