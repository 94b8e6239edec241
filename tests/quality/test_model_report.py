"""The page of a trained model: its figures are those of the model, and it names nobody and loads nothing."""

import datetime as dt
import re
from xml.etree import ElementTree

from models.identity.comparisons import Comparison, Level
from models.identity.matching_model import Frequencies, ModelArtefact, PartyModel
from models.identity.model_evaluation import PartyFigures, RuleFigures, ThresholdFigures
from quality.model_report import render_model_report, weights_chart

LEVELS = (Level("equal", "a", 0.8, 0.1), Level("different", "else", 0.2, 0.8))
PARTY = PartyModel(
    0.5, (Comparison("mobile", "x", LEVELS),), {"native": Frequencies(1e-6, {"王伟": 0.01})}, {"nodes": 1234}
)
MODEL = ModelArtefact("default", {"person": PARTY})
FIGURES = PartyFigures(
    80.0,
    50,
    40,
    30,
    (RuleFigures("name + birth_date", 7, 3, 1, 100, 20, 5),),
    (ThresholdFigures(5.0, 50, 45.0, 20, 5),),
)


def _page() -> str:
    return render_model_report(
        MODEL,
        {"person": FIGURES},
        bank="A & B",
        business_date=dt.date(2026, 10, 29),
        settings_hash="0123456789abcdef",
        merge_bits=5.0,
        written_at=dt.datetime(2026, 10, 30, 1, 2, tzinfo=dt.UTC),
    )


def _rows(page: str) -> list[list[str]]:
    rows = re.findall(r"<tr>(.*?)</tr>", page, flags=re.S)
    return [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows]


def test_figures_stand_in_the_tables() -> None:
    rows = _rows(_page())
    assert ["nodes", "1,234"] in rows
    assert ["frequent values of native", "1"] in rows
    # 45 of 50 pairs, 45 of 80 matches; 20 of 25 known pairs, 20 of 40 true ones
    assert ["5 (merge)", "50", "0.9000", "0.5625", "0.8000", "0.5000"] in rows
    assert ["name + birth_date", "20", "0.5000", "5", "100", "7", "3", "1"] in rows
    assert ["mobile: equal", "0.8", "0.1", "+3.00", ""] in rows
    assert ["mobile: different", "0.2", "0.8", "-2.00", ""] in rows
    assert "of 40 pairs that the documents join, the rules find 30 (0.7500)" in _page()


def test_the_page_names_nobody_and_loads_nothing() -> None:
    page = _page()
    assert "王伟" not in page
    assert not re.search(r"https?://|<script|<link|src=", page)
    assert "A &amp; B" in page
    assert MODEL.id in page


def test_bars_are_as_long_as_weights_and_on_their_side() -> None:
    chart = ElementTree.fromstring(weights_chart(PARTY))
    equal, different = chart.findall("rect")
    zero = chart.find("line")
    assert zero is not None
    assert float(equal.get("x", "")) == float(zero.get("x1", ""))
    assert float(different.get("x", "")) < float(zero.get("x1", ""))
    assert float(equal.get("width", "")) / float(different.get("width", "")) > 1.49
