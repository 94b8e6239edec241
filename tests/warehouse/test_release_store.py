"""The store of releases: what stays, what is current, and which release answers for a date."""

import datetime as dt
from pathlib import Path

import pytest
from release_home import DAY, ROWS, look, publish, store

from warehouse.fingerprint import Fingerprint
from warehouse.release import Release, ReleaseError
from warehouse.release_store import retained

EARLIER, LATER = dt.date(2026, 1, 30), dt.date(2026, 2, 1)


def _ids(home: Path) -> list[str]:
    return [release.id for release in store(home).list()]


def _current(home: Path) -> str | None:
    current = store(home).current()
    return current.id if current else None


def test_the_last_releases_are_kept_and_the_current_one_always(tmp_path: Path) -> None:
    for content in range(1, 4):
        publish(tmp_path, content, keep=3)
    assert _ids(tmp_path) == ["2026-01-31.1", "2026-01-31.2", "2026-01-31.3"]
    publish(tmp_path, 4, keep=3)
    assert _ids(tmp_path) == ["2026-01-31.2", "2026-01-31.3", "2026-01-31.4"]
    store(tmp_path).rollback("2026-01-31.2")
    # an older date does not take over, so the release rolled back to stays current, and stays
    publish(tmp_path, 5, EARLIER, keep=1)
    assert _ids(tmp_path) == ["2026-01-30.1", "2026-01-31.2", "2026-01-31.4"]
    assert _current(tmp_path) == "2026-01-31.2"


def test_rollback_goes_one_back_and_the_next_night_goes_on(tmp_path: Path) -> None:
    for content in (1, 2):
        publish(tmp_path, content)
    assert store(tmp_path).rollback().id == "2026-01-31.1"
    assert look(tmp_path / "warehouse/current/customer360.duckdb")["contents"] == [[1, 2 * ROWS]]
    with pytest.raises(ReleaseError, match=r"no release before 2026-01-31\.1"):
        store(tmp_path).rollback()
    with pytest.raises(ReleaseError, match=r"no release 'x'; there are: 2026-01-31\.1, 2026-01-31\.2"):
        store(tmp_path).rollback("x")
    publish(tmp_path, 3, LATER)
    assert _current(tmp_path) == "2026-02-01.1"


def test_publishing_again_what_was_rolled_back_makes_it_current_again(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    publish(tmp_path, 2)
    store(tmp_path).rollback()
    again = publish(tmp_path, 2)
    assert (again.id, again.unchanged) == ("2026-01-31.2", True)
    assert _current(tmp_path) == "2026-01-31.2"


def test_nothing_published_yet_is_said_plainly(tmp_path: Path) -> None:
    assert store(tmp_path).list() == []
    assert store(tmp_path).current() is None
    with pytest.raises(ReleaseError, match="'c360 run' publishes one"):
        store(tmp_path).connect()
    with pytest.raises(ReleaseError, match="no release in"):
        store(tmp_path).rollback()


def test_a_link_to_a_missing_release_is_said_and_can_be_repaired(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    (tmp_path / "warehouse/current").unlink()
    (tmp_path / "warehouse/current").symlink_to("releases/2025-01-01.1")
    with pytest.raises(ReleaseError, match="which is not there"):
        store(tmp_path).current()
    store(tmp_path).rollback("2026-01-31.1")
    assert _current(tmp_path) == "2026-01-31.1"


def _release(release_id: str) -> Release:
    date, _, number = release_id.rpartition(".")
    return Release(
        release_id, dt.date.fromisoformat(date), int(number), Path(release_id), dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        "sample", "0.1.0", "none", "hash", {"customer.customer": Fingerprint(1, "hash")},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("keep", "month_ends", "stay"),
    [
        (1, 0, "2026-03-02.1"),
        (2, 0, "2026-03-01.1 2026-03-02.1"),
        # of January the last number of the last date that ran, of December a date that is no month end at all
        (1, 1, "2026-02-28.1 2026-03-02.1"),
        (1, 2, "2026-01-30.2 2026-02-28.1 2026-03-02.1"),
        (1, 9, "2025-12-05.1 2026-01-30.2 2026-02-28.1 2026-03-02.1"),
        (9, 9, "2025-12-05.1 2026-01-29.1 2026-01-30.1 2026-01-30.2 2026-02-28.1 2026-03-01.1 2026-03-02.1"),
    ],
)
def test_the_latest_and_the_last_of_earlier_months_are_retained(keep: int, month_ends: int, stay: str) -> None:
    published = (
        "2025-12-05.1 2026-01-29.1 2026-01-30.1 2026-01-30.2 2026-02-28.1 2026-03-01.1 2026-03-02.1"
    )  # fmt: skip
    kept = retained([_release(one) for one in published.split()], keep, month_ends)
    assert sorted({release.id for release in kept}) == stay.split()


def test_a_date_is_answered_by_its_release_or_the_last_one_before_it(tmp_path: Path) -> None:
    for content, day in ((1, EARLIER), (2, DAY), (3, DAY)):
        publish(tmp_path, content, day)
    found = store(tmp_path)
    assert found.as_of(EARLIER).id == "2026-01-30.1"
    assert found.as_of(DAY).id == "2026-01-31.2"
    assert found.as_of(dt.date(2026, 6, 1)).id == "2026-01-31.2"
    # somebody went back to the first of that date, so it is the one that people were given
    found.rollback("2026-01-31.1")
    assert found.as_of(DAY).id == "2026-01-31.1"
    assert found.as_of(EARLIER).id == "2026-01-30.1"
    with pytest.raises(
        ReleaseError, match=r"no release of 2026-01-29 or before: the oldest that is kept is 2026-01-30"
    ):
        found.as_of(dt.date(2026, 1, 29))
