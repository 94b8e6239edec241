"""Deliveries: what is there, what is not, waiting for it; control files and trailers in every form."""

import datetime as dt
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from conftest import DATE, Desk, make_contract

from sources.contract import Contract
from sources.control import Delivered, Figures, agrees, compare, read_control, read_trailer
from sources.delivery import (
    DeliveryMissing,
    DeliveryRefused,
    available_dates,
    inspect,
    wait_until_complete,
)

TWO: dict[str, dict[str, Any]] = {"id": {}, "name": {}}
PATTERN = "CUST_{date:%Y%m%d}.csv"


def dated(desk: Desk, **delivery: Any) -> Contract:
    return desk.contract(TWO, **({"pattern": PATTERN} | delivery))


# What is there


def test_a_complete_delivery(desk: Desk) -> None:
    path = desk.put("CUST_20260131.csv", "id,name\n1,a\n")
    desk.put("CUST_20260130.csv", "id,name\n1,a\n")
    found = inspect(dated(desk), desk.exports, DATE)
    assert (found.state, found.problems, found.objects[0].files) == ("complete", (), (path,))
    found.require_complete()


def test_a_missing_file_is_named_with_its_system_and_what_is_there_instead(desk: Desk) -> None:
    desk.put("CUST_20260130.csv", "id,name\n")
    found = inspect(dated(desk), desk.exports, DATE)
    assert found.state == "missing"
    (problem,) = found.problems
    assert problem.startswith("core.customer: CUST_20260131.csv: not there (folder ")
    assert problem.endswith("; the latest there is CUST_20260130.csv)")
    with pytest.raises(DeliveryMissing, match=r"CUST_20260131\.csv"):
        found.require_complete()


def test_a_missing_folder(desk: Desk) -> None:
    contract = make_contract({"card": ({"mode": "full", "format": "csv", "pattern": "*"}, TWO)}, system="cards")
    (problem,) = inspect(contract, desk.exports, DATE).problems
    assert "cards.card: *: not there: the folder" in problem and "does not exist" in problem


def test_two_files_for_one_delivery_are_refused_with_both_names(desk: Desk) -> None:
    desk.put("CUST_20260131.csv", "id,name\n")
    desk.put("CUST_20260131.csv.gz", b"x")
    found = inspect(dated(desk, pattern=PATTERN + "*"), desk.exports, DATE)
    assert found.state == "refused"
    assert "2 files (CUST_20260131.csv, CUST_20260131.csv.gz) for one delivery" in found.problems[0]
    assert inspect(dated(desk, pattern=PATTERN + "*", parts=True), desk.exports, DATE).state == "complete"


def test_files_in_transfer_are_not_there_yet(desk: Desk) -> None:
    desk.put("CUST_20260131.csv.filepart", "id,name\n")
    desk.put(".CUST_20260131.csv", "id,name\n")
    assert inspect(dated(desk, pattern="*CUST_{date:%Y%m%d}*"), desk.exports, DATE).state == "missing"


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"control": {"pattern": "CUST_{date:%Y%m%d}.ctl", "rows": "N"}}, "control"),
        ({"ready": "CUST_{date:%Y%m%d}.ctl"}, "ready"),
    ],
)
def test_without_its_control_or_ready_file_a_delivery_is_incomplete(
    desk: Desk, settings: dict[str, Any], wanted: str
) -> None:
    desk.put("CUST_20260131.csv", "id,name\n")
    contract = dated(desk, **settings)
    found = inspect(contract, desk.exports, DATE)
    assert found.state == "incomplete"
    assert found.problems == (f"core.customer: CUST_20260131.ctl: the {wanted} file of CUST_20260131.csv is not there",)
    desk.put("CUST_20260131.ctl", "N=0")
    assert inspect(contract, desk.exports, DATE).state == "complete"


def test_an_empty_file_may_still_be_written(desk: Desk) -> None:
    desk.put("CUST_20260131.csv", "")
    found = inspect(dated(desk), desk.exports, DATE)
    assert found.state == "incomplete"
    assert found.problems == ("core.customer: CUST_20260131.csv: empty (0 bytes): is it still being written?",)


def test_parts_are_complete_when_all_that_the_manifest_lists_are_there(desk: Desk) -> None:
    contract = dated(
        desk,
        pattern="P*.csv",
        parts=True,
        control={"pattern": "m.csv", "format": "csv", "match": {"FILE": "{file}"}, "rows": "ROWS"},
    )
    desk.put("m.csv", "FILE,ROWS\nP1.csv,1\nP2.csv,1\nother.csv,9\n")
    desk.put("P1.csv", "id,name\n1,a\n")
    found = inspect(contract, desk.exports, DATE)
    assert found.state == "incomplete"
    assert found.problems == ("core.customer: P2.csv: listed in m.csv, and not there",)
    desk.put("P2.csv", "id,name\n1,a\n")
    assert inspect(contract, desk.exports, DATE).state == "complete"


def test_the_folder_may_carry_the_date(desk: Desk) -> None:
    server = {"server": "export", "type": "local", "path": "core/{date:%Y%m%d}"}
    contract = make_contract({"customer": ({"mode": "full", "format": "csv", "pattern": "c.csv"}, TWO)}, server=server)
    for day in ("20260130", "20260131"):
        (desk.exports / "core" / day).mkdir()
        (desk.exports / "core" / day / "c.csv").write_text("id,name\n")
    assert inspect(contract, desk.exports, DATE).objects[0].files[0].parent.name == "20260131"
    assert available_dates(contract, desk.exports) == (dt.date(2026, 1, 30), DATE)


def test_available_dates(desk: Desk) -> None:
    for name in ("CUST_20260131.csv", "CUST_20260129.csv", "CUST_20269999.csv", "CUST_x.csv", "other_20260101.csv"):
        desk.put(name, "id,name\n")
    assert available_dates(dated(desk), desk.exports) == (dt.date(2026, 1, 29), DATE)
    assert available_dates(desk.contract(TWO), desk.exports) == ()


# Waiting


class Clock:
    """Time that passes only while sleeping; things may happen then."""

    def __init__(self, *events: tuple[float, Any]) -> None:
        self.now = 0.0
        self.events = sorted(events, key=lambda event: event[0])
        self.said: list[str] = []

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        while self.events and self.events[0][0] <= self.now:
            self.events.pop(0)[1]()

    def wait(self, desk: Desk, contracts: list[Contract], wait: float, settle: float) -> Any:
        return wait_until_complete(
            contracts,
            desk.exports,
            DATE,
            wait,
            settle,
            self.said.append,
            sleep=self.sleep,
            clock=lambda: self.now,
            wall_clock=lambda: self.now,  # files of this test are always from the future: never old
        )


def test_waiting_ends_when_the_file_is_there_and_has_settled(desk: Desk) -> None:
    clock = Clock(
        (10, lambda: desk.put("CUST_20260131.csv", "id,name\n1,")),
        (14, lambda: desk.put("CUST_20260131.csv", "id,name\n1,a\n")),
    )
    found = clock.wait(desk, [dated(desk)], 60, 8)
    assert found["core"].state == "complete"
    assert 22 <= clock.now <= 26
    assert [message[:50] for message in clock.said] == [
        "waiting: core.customer: CUST_20260131.csv: not the",
        "waiting: core.customer: CUST_20260131.csv: is stil",
    ]


def test_waiting_ends_at_once_for_a_file_with_its_control_file(desk: Desk) -> None:
    desk.put("CUST_20260131.csv", "id,name\n1,a\n")
    desk.put("CUST_20260131.ctl", "N=1")
    clock = Clock()
    clock.wait(desk, [dated(desk, control={"pattern": "CUST_{date:%Y%m%d}.ctl", "rows": "N"})], 60, 30)
    assert clock.now == 0


def test_a_file_newer_than_its_control_file_must_settle(desk: Desk) -> None:
    path = desk.put("CUST_20260131.csv", "id,name\n1,a\n")
    control = desk.put("CUST_20260131.ctl", "N=1")
    os.utime(control, (path.stat().st_mtime - 60,) * 2)
    clock = Clock()
    clock.wait(desk, [dated(desk, control={"pattern": "CUST_{date:%Y%m%d}.ctl", "rows": "N"})], 60, 30)
    assert clock.now >= 30


def test_an_old_file_is_not_waited_for(desk: Desk) -> None:
    path = desk.put("CUST_20260131.csv", "id,name\n1,a\n")
    clock = Clock()
    wait_until_complete(
        [dated(desk)],
        desk.exports,
        DATE,
        60,
        30,
        clock.said.append,
        sleep=clock.sleep,
        clock=lambda: clock.now,
        wall_clock=lambda: path.stat().st_ctime + 31,
    )
    assert clock.now == 0


def test_a_file_still_being_written_does_not_count_as_old_when_the_clock_is_set_forward(desk: Desk) -> None:
    path = desk.put("CUST_20260131.csv", "id,name\n1,")
    clock = Clock((6, lambda: os.utime(path)))
    age = path.stat().st_ctime
    wait_until_complete(
        [dated(desk)],
        desk.exports,
        DATE,
        60,
        30,
        clock.said.append,
        sleep=clock.sleep,
        clock=lambda: clock.now,
        wall_clock=lambda: age + clock.now + (3600 if clock.now else 0),
    )
    assert clock.now >= 36


def test_a_file_from_the_future_is_waited_for_no_longer_than_one_that_changes(desk: Desk) -> None:
    path = desk.put("CUST_20260131.csv", "id,name\n1,a\n")
    clock = Clock()
    wait_until_complete(
        [dated(desk)],
        desk.exports,
        DATE,
        60,
        30,
        clock.said.append,
        sleep=clock.sleep,
        clock=lambda: clock.now,
        wall_clock=lambda: path.stat().st_ctime - 86_400,
    )
    assert 30 <= clock.now <= 40


def test_waiting_in_vain_says_every_file_of_every_system(desk: Desk) -> None:
    cards = make_contract({"card": ({"mode": "full", "format": "csv", "pattern": "*.dat"}, TWO)}, system="cards")
    with pytest.raises(DeliveryMissing) as missing:
        Clock().wait(desk, [dated(desk), cards], 20, 5)
    assert [problem.split(":")[0] for problem in missing.value.problems] == ["core.customer", "cards.card"]
    assert "CUST_20260131.csv" in str(missing.value)


def test_a_file_that_never_stops_growing_is_said_to_be_half_written(desk: Desk) -> None:
    growing = [(float(second), lambda n=second: desk.put("CUST_20260131.csv", "x" * n)) for second in range(1, 200)]
    with pytest.raises(DeliveryMissing, match=r"core.customer: CUST_20260131.csv: is still being written"):
        Clock(*growing).wait(desk, [dated(desk)], 20, 4)


def test_what_waiting_does_not_mend_is_refused_at_once(desk: Desk) -> None:
    desk.put("a.csv", "id,name\n")
    desk.put("b.csv", "id,name\n")
    clock = Clock()
    with pytest.raises(DeliveryRefused, match=r"2 files \(a.csv, b.csv\)"):
        clock.wait(desk, [desk.contract(TWO)], 600, 5)
    assert clock.now == 0


# Control files

FIELDS: dict[str, dict[str, Any]] = {
    "id": {},
    "balance": {"type": "number"},
    "limit": {"type": "number", "decimals": 2},
}


def control(desk: Desk, content: str, files: tuple[str, ...] = ("f.csv",), **settings: Any) -> Figures:
    path = desk.put("control", content, settings.get("encoding", "utf-8"))
    obj = desk.object(FIELDS, control={"pattern": "control", **settings})
    return read_control(obj, path, files)


@pytest.mark.parametrize(
    "content",
    [
        "ROWS=12\nSUM=1,234.50\nDAY=20260131",
        "ROWS: 12\nSUM : 1234.50\n# x\n\nDAY:20260131",
        "\ufeffROWS 12\r\nSUM   1234.50\nDAY\t20260131\n\x1a",
    ],
)
def test_key_and_value(desk: Desk, content: str) -> None:
    figures = control(
        desk, content, rows="ROWS", totals={"balance": "SUM"}, business_date={"key": "DAY", "format": "%Y%m%d"}
    )
    assert figures.source == "control"
    assert (figures.rows, figures.business_date) == (12, DATE)
    assert agrees(figures.totals["balance"], Decimal("1234.5"), 0)


def test_json(desk: Desk) -> None:
    content = '{"file": {"rows": 3, "sum": 12345678901234567.89, "sha": "ABC"}, "date": "2026-01-31"}'
    figures = control(
        desk,
        content,
        format="json",
        rows="file.rows",
        totals={"balance": "file.sum"},
        checksum={"algorithm": "sha256", "key": "file.sha"},
        business_date={"key": "date"},
    )
    assert (figures.rows, figures.totals, figures.checksums, figures.business_date) == (
        3,
        {"balance": "12345678901234567.89"},
        {"f.csv": "abc"},
        DATE,
    )


@pytest.mark.parametrize(
    ("form", "content"),
    [
        ("json", '{"files": [{"FILE": "f.csv", "N": 3}, {"FILE": "g.csv", "N": 4}, {"FILE": "h.csv", "N": 9}]}'),
        ("csv", "FILE; N\nf.csv; 3\ng.csv; 4\nh.csv; 9\n"),
    ],
)
def test_lists(desk: Desk, form: str, content: str) -> None:
    settings: dict[str, Any] = {"format": form, "match": {"FILE": "{file}"}, "rows": "N"}
    assert control(desk, content, **settings).rows == 3
    assert control(desk, content, files=("f.csv.gz",), **settings).rows == 3
    assert control(desk, content, files=("f.csv", "g.csv"), **settings).rows == 7
    with pytest.raises(DeliveryRefused, match=r"core.customer: control: no entries with FILE = x.csv"):
        control(desk, content, files=("x.csv",), **settings)


def test_a_control_file_that_lacks_things_says_all_of_them(desk: Desk) -> None:
    with pytest.raises(DeliveryRefused) as refused:
        control(desk, "N=many\nDAY=31.1.26", rows="N", totals={"balance": "SUM"}, business_date={"key": "DAY"})
    assert refused.value.problems == (
        "core.customer: control: 'N' is not a number: 'many'",
        "core.customer: control: 'SUM' is missing",
        "core.customer: control: 'DAY' is not a date like %Y-%m-%d: '31.1.26'",
    )
    with pytest.raises(DeliveryRefused, match="control: not JSON"):
        control(desk, "N=1", format="json", rows="N")
    with pytest.raises(DeliveryRefused, match="control: not in the encoding ascii"):
        obj = desk.object(FIELDS, control={"pattern": "control", "rows": "N", "encoding": "ascii"})
        read_control(obj, desk.put("control", "N=１"), ["f"])


def test_trailer(desk: Desk) -> None:
    expression = r"^T(?P<rows>\d{4})(?P<sum>\d{6})$"
    obj = desk.object(FIELDS, control={"trailer": expression, "rows": "rows", "totals": {"limit": "sum"}})
    figures = read_trailer(obj, {"a": "T0002000150", "b": "T0001000050"})
    assert (figures.rows, figures.totals) == (3, {"limit": "200"})
    with pytest.raises(DeliveryRefused, match="the last line of a is not the trailer the contract describes"):
        read_trailer(obj, {"a": "1,2,3"})


def test_figures_that_disagree_show_both_numbers(desk: Desk) -> None:
    figures = Figures(
        "c.ctl", 10, {"balance": "100.00", "limit": "12345"}, {"f": "aa"}, business_date=dt.date(2026, 2, 1)
    )
    delivered = Delivered(
        9, {"balance": Decimal("99.99"), "limit": Decimal("123.45")}, {"f": "bb"}, {"balance": 0, "limit": 0}
    )
    mistakes, warnings = compare(desk.object(FIELDS), figures, delivered, DATE)
    assert mistakes == [
        "c.ctl says business date 2026-02-01 (a date in the future), the night is 2026-01-31",
        "c.ctl says 10 rows, the delivery has 9",
        "c.ctl says a total of 100.00 for balance, the rows add up to 99.99",
        "c.ctl says checksum aa for f, its bytes have bb",
    ]
    assert warnings == []


def test_a_total_that_unreadable_rows_may_explain_is_a_warning(desk: Desk) -> None:
    figures = Figures("c.ctl", 2, {"balance": "100"})
    delivered = Delivered(2, {"balance": Decimal(60)}, {}, {"balance": 1})
    mistakes, warnings = compare(desk.object(FIELDS), figures, delivered, DATE)
    assert mistakes == []
    assert warnings == [
        "c.ctl says a total of 100 for balance, the rows add up to 60; 1 rows brought no readable balance"
    ]


@pytest.mark.parametrize(
    ("stated", "total", "decimals", "same"),
    [
        ("100", "100.00", 0, True),
        ("10000", "100", 2, True),
        ("100", "100", 2, True),
        ("100.00", "1", 2, False),
        ("+0000100.50", "100.5", 0, True),
        ("100.1", "100.10001", 0, False),
    ],
)
def test_totals_are_exact(stated: str, total: str, decimals: int, same: bool) -> None:
    assert agrees(stated, Decimal(total), decimals) is same


def test_an_absolute_folder(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "c_20260131.csv").write_text("id,name\n1,a\n")
    server = {"server": "export", "type": "local", "path": str(folder)}
    contract = make_contract(
        {"customer": ({"mode": "full", "format": "csv", "pattern": "c_{date:%Y%m%d}.csv"}, TWO)}, server=server
    )
    assert inspect(contract, desk.exports, DATE).state == "complete"
    assert available_dates(contract, desk.exports) == (DATE,)
