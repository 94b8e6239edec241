"""A share's dictionary page: what is granted, in words, and nothing of what is not; nothing from the network."""

from pathlib import Path

from share_home import policy, release

from warehouse.shares.dictionary_page import write_dictionary


def test_the_page_tells_what_is_granted_and_what_became_of_it(tmp_path: Path) -> None:
    granted = {"mart.customer_360": {"columns": ["customer_id", {"full_name": {"mask": {"first": 1}}}, "party_type"]}}
    path = tmp_path / "dictionary.html"
    write_dictionary(path, release(tmp_path / "release"), policy(tables=granted), {"mart.customer_360": 1234})
    page = path.read_text(encoding="utf-8")
    for told in (
        "Campaigns.",
        "营销活动。",
        "1,234 rows, one per customer_id",
        "English of full_name",
        "full_name的中文",
    ):
        assert told in page
    assert "masked, first 1 and last 0 characters stay" in page
    assert "person, organisation" in page
    assert "mobile" not in page
    assert "balance_amount" not in page
    assert "http" not in page
