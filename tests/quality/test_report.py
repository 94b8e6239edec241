"""The quality report: complete, escaped, and readable without the network."""

import datetime as dt
import re
from html.parser import HTMLParser
from pathlib import Path

from quality.gate import CheckResult
from quality.report import render_report, write_report

RESULTS = (
    CheckResult("customer.customer", "key_unique", "block", True, False, 0, "0 of 5 rows", "no two rows are the same"),
    CheckResult("customer.customer", "codes", "block", False, False, 3, "3 of 5 rows", "type is one of <a> & <b>"),
    CheckResult("mart.customer_360", "lost", "warn", False, False, 2, "2 offending rows", "nothing is lost"),
    CheckResult(
        "mart.customer_360", "odd", "warn", False, True, None, "could not be carried out: BinderException", "m"
    ),
)
WHEN = dt.datetime(2026, 2, 1, 3, 4, tzinfo=dt.UTC)


def _page(*results: CheckResult) -> str:
    return render_report(
        results, bank="Bank <1>", business_date=dt.date(2026, 1, 31), release="2026-01-31.1", written_at=WHEN
    )


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_asks_nothing_of_the_network() -> None:
    page = _page(*RESULTS)
    tags = _Tags()
    tags.feed(page)
    assert tags.open == []
    assert not {name for name, _ in tags.attributes} & {"src", "href", "onclick"}
    assert not re.search(r"https?://|//cdn|@import|url\(", page)


def test_texts_are_escaped() -> None:
    page = _page(*RESULTS)
    assert "Quality of Bank &lt;1&gt;, 2026-01-31" in page
    assert "type is one of &lt;a&gt; &amp; &lt;b&gt;" in page


def test_what_did_not_pass_comes_first_worst_on_top() -> None:
    page = _page(*RESULTS)
    failed = page[page.index("Not passed") : page.index("All checks by table")]
    assert re.findall(r'<td class="(\w+)">', failed) == ["broken", "blocked", "warning"]
    assert "4 checks of 2 tables, 3 not passed" in page
    assert "blocked: the last release stays" in page


def test_the_verdict_follows_the_results() -> None:
    assert "passed, with warnings" in _page(RESULTS[0], RESULTS[2])
    sound = _page(RESULTS[0])
    assert '<span class="ok">passed</span>' in sound
    assert "<h2>Not passed" not in sound


def test_it_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "quality" / "2026-01-31.html"
    write_report(path, RESULTS, bank="B", business_date=dt.date(2026, 1, 31), release="2026-01-31.1", written_at=WHEN)
    assert path.read_text(encoding="utf-8").endswith("</html>\n")
    assert [p.name for p in path.parent.iterdir()] == ["2026-01-31.html"]
