"""Charts as SVG text, drawn by matplotlib without a screen or a network: for pages and for Dagster's metadata.

Here is only drawing; what is drawn is decided by those who ask. Text stays text, so that a page can be searched; the
same figures give the same bytes.
"""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Series = dict[str, Sequence[float]]

_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "customer-360",
    "font.family": ["DejaVu Sans", "sans-serif"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": "cycler('color', ['#1f6f8b', '#e07a3f', '#5b8c5a', '#8d6a9f', '#c0392b', '#7f8c8d'])",
}


def lines(
    x: Sequence[float] | Sequence[str], series: Series, *, title: str, x_label: str, y_label: str, level: float = 0
) -> str:
    """One line for each series over ``x``, figures or words; ``level`` is drawn as a thin reference line."""
    figure, axes = _figure(title, x_label, y_label)
    axes.axhline(level, color="#888888", linewidth=0.8)
    for name, values in series.items():
        axes.plot(x, values, label=name)
    return _svg(figure, axes, legend=len(series) > 1)


def bars(labels: Sequence[str], series: Series, *, title: str, x_label: str = "", y_label: str = "") -> str:
    """Bars for each label, the series stacked upon one another."""
    figure, axes = _figure(title, x_label, y_label)
    base = [0.0] * len(labels)
    for name, values in series.items():
        axes.bar(labels, values, bottom=base, label=name)
        base = [low + value for low, value in zip(base, values, strict=True)]
    axes.tick_params(axis="x", labelrotation=30 if len(labels) > 6 else 0)
    return _svg(figure, axes, legend=len(series) > 1)


def grid(rows: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[float]], *, title: str) -> str:
    """A table of counts as shades, each cell with its figure: rows from, columns to; empty axes without any."""
    figure, axes = _figure(title, "to", "from")
    if not cells:
        return _svg(figure, axes, legend=False)
    axes.imshow(cells, cmap="Blues", aspect="auto")
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    darkest = max((value for row in cells for value in row), default=0)
    for y, row in enumerate(cells):
        for x, value in enumerate(row):
            axes.text(
                x, y, f"{value:,.0f}", ha="center", va="center", color="white" if value > darkest / 2 else "black"
            )
    return _svg(figure, axes, legend=False)


def _figure(title: str, x_label: str, y_label: str) -> tuple["Figure", "Axes"]:
    import matplotlib as mpl  # loads slowly; most commands draw nothing
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(7.2, 3.6), layout="constrained")
        axes = figure.add_subplot(title=title, xlabel=x_label, ylabel=y_label)
    return figure, axes


def _svg(figure: "Figure", axes: "Axes", *, legend: bool) -> str:
    import matplotlib as mpl

    if legend:
        axes.legend(frameon=False)
    text = io.StringIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    drawn = text.getvalue()
    return drawn[drawn.index("<svg") :].strip()
