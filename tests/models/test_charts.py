"""Charts: what is drawn is there as text, and the same figures give the same bytes."""

import xml.etree.ElementTree as ET

import pytest

from models.value import charts

DRAWN = {
    "lines": lambda: charts.lines([1, 2, 3], {"all": [0, 2, 1]}, title="Curve", x_label="share", y_label="money"),
    "bars": lambda: charts.bars(["gold", "basic"], {"now": [3, 9], "before": [1, 2]}, title="Tiers"),
    "grid": lambda: charts.grid(["gold"], ["gold", "basic"], [[1200, 7]], title="Movements"),
}


@pytest.mark.parametrize("kind", DRAWN)
def test_a_chart_is_svg_that_stands_alone_and_is_drawn_the_same_again(kind: str) -> None:
    drawn = DRAWN[kind]()
    assert ET.fromstring(drawn).tag.endswith("svg")
    assert 'href="http' not in drawn
    assert drawn == DRAWN[kind]()


def test_words_and_figures_stay_text() -> None:
    drawn = DRAWN["grid"]()
    assert all(f">{word}</text>" in drawn for word in ("Movements", "gold", "basic", "1,200", "7"))


def test_nothing_to_draw_is_an_empty_chart() -> None:
    assert "Movements" in charts.grid([], [], [], title="Movements")
    assert "Tiers" in charts.bars([], {}, title="Tiers")
    assert "Curve" in charts.lines([], {}, title="Curve", x_label="", y_label="")
