"""Hostile file names and kinds of files: links, pipes, folders, names that look like paths or commands."""

import os
from pathlib import Path

import pytest
from conftest import Desk
from hostile import nothing_elsewhere

from sources.delivery import DeliveryMissing, DeliveryRefused

pytestmark = pytest.mark.hostile
FIELDS = {"id": {"primaryKey": True}}
DATA = b"id\n1\n"
ASTRAY = "a link that leads out of its folder"


@pytest.mark.parametrize("name", ["CUST.csv", "CUST.ctl", "CUST.ok"])
def test_a_link_out_of_the_folder_is_refused(desk: Desk, tmp_path: Path, name: str) -> None:
    for each in ("CUST.csv", "CUST.ctl", "CUST.ok"):
        desk.put(each, {"CUST.ctl": b"ROWS=1\n"}.get(each, DATA))
    outside = desk.exports / "secret"
    outside.write_bytes(DATA)
    link = desk.exports / "core" / name
    link.unlink()
    link.symlink_to(outside)
    control = {"pattern": "CUST.ctl", "format": "key_value", "rows": "ROWS"}
    with pytest.raises(DeliveryRefused, match=f"core.customer: {name}: {ASTRAY}"):
        desk.land(desk.contract(FIELDS, pattern="CUST.csv", control=control, ready="CUST.ok"))
    assert not desk.lake.exists()


@pytest.mark.parametrize("target", ["/etc/passwd", "/dev/zero", "../other.csv", "/proc/self/environ"])
def test_links_to_what_is_no_delivery(desk: Desk, target: str) -> None:
    (desk.exports / "other.csv").write_bytes(DATA)
    (desk.exports / "core" / "CUST.csv").symlink_to(target)
    with pytest.raises((DeliveryRefused, DeliveryMissing), match=r"CUST\.csv"):
        desk.land(desk.contract(FIELDS, pattern="CUST.csv"))
    assert not desk.lake.exists()


def test_links_within_the_folder_and_of_the_bank_are_followed(desk: Desk) -> None:
    desk.put("real.csv", DATA)
    (desk.exports / "core" / "CUST.csv").symlink_to("real.csv")
    assert desk.land(desk.contract(FIELDS, pattern="CUST.csv")).rows_landed == 1
    (desk.exports / "core").rename(desk.exports / "elsewhere")
    (desk.exports / "core").symlink_to("elsewhere")
    assert desk.land(desk.contract(FIELDS, pattern="CUST.csv")).rows_landed == 1


def test_a_pipe_a_folder_and_a_broken_link_are_no_delivery(desk: Desk) -> None:
    core = desk.exports / "core"
    os.mkfifo(core / "CUST.csv")
    with pytest.raises(DeliveryMissing, match="not there"):
        desk.land(desk.contract(FIELDS, pattern="CUST.csv"))
    (core / "FOLDER.csv").mkdir()
    (core / "LOST.csv").symlink_to("nowhere")
    (core / "LOOP.csv").symlink_to("LOOP.csv")
    for name in ("FOLDER.csv", "LOST.csv", "LOOP.csv"):
        with pytest.raises(DeliveryMissing, match="not there"):
            desk.land(desk.contract(FIELDS, pattern=name))


@pytest.mark.parametrize(
    "name",
    ["'; drop table x; --.csv", "a\nb.csv", "=cmd|x.csv", "$HOME.csv", "中文\u202e.csv", "%s.csv", "{0}.csv",
     '".csv', "-rf.csv", "a b.csv", "x" * 200 + ".csv", "core__customer.csv", "data.parquet.csv", "\\..\\x.csv", "`id`.csv"],
)  # fmt: skip
def test_names_are_names(desk: Desk, name: str) -> None:
    desk.put(name, DATA)
    assert desk.land(desk.contract(FIELDS, pattern="*.csv")).rows_landed == 1
    assert [row["_source_file"] for row in desk.rows()] == [name]
    nothing_elsewhere(desk)
