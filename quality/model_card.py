"""The card of a fitted model of value: what it rests on, how well it held on later time, whom it may treat otherwise.

One HTML page, readable without the network, styled as the page of the night's checks. It holds counts and rates; it
names no customer.
"""

import datetime as dt
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from models.value import charts
from models.value.fitted_model import FittedModel
from models.value.model_kind import ModelKind
from quality.model_report import STYLE_OF_FIGURES, table


def render_model_card(
    kind: ModelKind, model: FittedModel, *, bank: str, business_date: dt.date, written_at: dt.datetime
) -> str:
    """Return the page.

    Args:
        kind: the model's kind.
        model: the model.
        bank: title of the bank.
        business_date: whose night's data it was fitted on.
        written_at: when, UTC.
    """
    title = f"{kind.title}: {model.id}"
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title><style>{STYLE_OF_FIGURES}</style></head><body>",
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(bank)}, fitted on what was known on {business_date.isoformat()}. Written "
        f"{written_at:%Y-%m-%d %H:%M} UTC. A candidate until value.yaml names it: "
        f"<code>models: {{{escape(kind.name)}: {escape(model.id)}}}</code></p>",
        "<h2>Method</h2>",
        f"<p>{escape(kind.method)}</p>",
        "<h2>Data</h2>",
        table(("", "value"), [(name.replace("_", " "), _text(value)) for name, value in model.data.items()]),
        *_validation(model),
        *_groups(model.validation.get("groups", [])),
    ]
    for section in kind.sections(model):
        parts += [f"<h2>{escape(section.heading)}</h2>", f"<p>{escape(section.text)}</p>"]
        if section.rows:
            parts.append(table(section.head, section.rows))
    parts += ["<h2>Limits</h2>", "<ul>", *(f"<li>{escape(limit)}</li>" for limit in kind.limits), "</ul>"]
    return "\n".join([*parts, "</body></html>"]) + "\n"


def write_model_card(
    path: Path, kind: ModelKind, model: FittedModel, *, bank: str, business_date: dt.date, written_at: dt.datetime
) -> None:
    """Write the page as a whole. See ``render_model_card``."""
    page = render_model_card(kind, model, bank=bank, business_date=business_date, written_at=written_at)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(page, encoding="utf-8")
    temporary.replace(path)


def _validation(model: FittedModel) -> list[str]:
    said = model.validation
    bands = said["calibration"]
    numbers = [*range(1, len(bands) + 1)]
    figures = [  # lists have tables of their own
        (name.replace("_", " "), _text(value)) for name, value in said.items() if not isinstance(value, list | tuple)
    ]
    return [
        "<h2>Validation on later time</h2>",
        "<p>Month ends after those of the fitting. AUC, Gini (2 AUC - 1) and KS tell how well it ranks, Brier and the "
        "bands how right its probabilities are, PSI how far their distribution moved since the fitting (below 0.1 "
        "stable, above 0.25 shifted).</p>",
        table(("", "value"), figures),
        charts.lines(
            [float(number) for number in numbers],
            {
                "predicted": [band["predicted"] for band in bands],
                "observed": [band["observed"] for band in bands],
            },
            title="Calibration",
            x_label="tenth by predicted probability",
            y_label="share",
        ),
        table(
            ("tenth", "observations", "predicted", "observed"),
            [
                (str(number), band["count"], f"{band['predicted']:.4%}", f"{band['observed']:.4%}")
                for number, band in zip(numbers, bands, strict=True)
            ],
        ),
    ]


def _groups(groups: list[Mapping[str, Any]]) -> list[str]:
    if not groups:
        return []
    return [
        "<h2>Protected attributes</h2>",
        "<p>Compared on the same later time, whether or not the model may use them (the data above tell which it may). "
        "Equal treatment shows in predicted and observed shares that agree within each group.</p>",
        table(
            ("group", "observations", "predicted", "observed", "AUC"),
            [
                (
                    f"{group['attribute']}: {group['value']}",
                    group["count"],
                    f"{group['predicted']:.4%}",
                    f"{group['observed']:.4%}",
                    "none" if group["auc"] is None else f"{group['auc']:.4f}",
                )
                for group in groups
            ],
        ),
    ]


def _text(value: object) -> str | int:
    if isinstance(value, bool) or not isinstance(value, int):
        return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)
    return value
