"""The page of a trained matching model: what it rests on, its weights, and how good it may be expected to be.

One HTML page, readable without the network, styled as the page of the night's checks. It names evidence, levels and
blocking rules; of the names that the model knows it tells how many they are.
"""

import datetime as dt
import math
from collections.abc import Iterable
from html import escape
from pathlib import Path

from models.identity.matching_model import ModelArtefact, PartyModel
from models.identity.model_evaluation import FLOOR_BITS, PartyFigures
from quality.report import STYLE

STYLE_OF_FIGURES = f"""{STYLE}
td.n, th.n {{ text-align: right; font-variant-numeric: tabular-nums; }}
svg {{ width: 100%; height: auto; }} svg text {{ font: 12px system-ui, sans-serif; fill: currentColor; }}
.plus {{ fill: var(--ok); }} .minus {{ fill: var(--bad); }} .zero {{ stroke: currentColor; opacity: .5; }}
"""
_ROW, _LABELS, _BARS = 18, 230, 640


def render_model_report(
    model: ModelArtefact,
    figures: dict[str, PartyFigures],
    *,
    bank: str,
    business_date: dt.date,
    settings_hash: str,
    merge_bits: float,
    written_at: dt.datetime,
) -> str:
    """Return the page.

    Args:
        model: the model.
        figures: of ``evaluate_model``, by party type.
        bank: title of the bank.
        business_date: date of the records that it was trained on.
        settings_hash: hash of the matching settings.
        merge_bits: merge threshold, bits.
        written_at: when, UTC.
    """
    title = f"Matching model {model.id}"
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title><style>{STYLE_OF_FIGURES}</style></head><body>",
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(bank)}, trained on the records of {business_date.isoformat()} with settings {settings_hash}. "
        f"Written {written_at:%Y-%m-%d %H:%M} UTC. A candidate until matching.yaml names it: "
        f"<code>model: {escape(model.id)}</code></p>",
    ]
    for party_type, party in model.parties.items():
        parts.append(_party(party_type, party, figures[party_type], merge_bits))
    return "\n".join([*parts, "</body></html>"]) + "\n"


def write_model_report(
    path: Path,
    model: ModelArtefact,
    figures: dict[str, PartyFigures],
    *,
    bank: str,
    business_date: dt.date,
    settings_hash: str,
    merge_bits: float,
    written_at: dt.datetime,
) -> None:
    """Write the page as a whole. See ``render_model_report``."""
    page = render_model_report(
        model,
        figures,
        bank=bank,
        business_date=business_date,
        settings_hash=settings_hash,
        merge_bits=merge_bits,
        written_at=written_at,
    )
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(page, encoding="utf-8")
    temporary.replace(path)


def _party(party_type: str, party: PartyModel, figures: PartyFigures, merge_bits: float) -> str:
    known = {f"frequent values of {column}": len(f.values) for column, f in party.frequencies.items()}
    seen = {name.replace("_", " "): count for name, count in party.seen.items()} | known
    prior = math.log2(party.prior / (1 - party.prior))
    return "\n".join(
        [
            f"<h2>{party_type}: what the estimate rests on</h2>",
            table(("", "count"), [*seen.items()]),
            f"<p>Two random nodes are one {party_type} with probability {party.prior:g} ({prior:+.2f} bits).</p>",
            f"<h2>{party_type}: expected precision and recall</h2>",
            "<p>Expected: from the weights themselves, over all candidate pairs "
            f"({figures.all_matches:,.0f} expected matches; pairs below {FLOOR_BITS:g} bits and pairs that no "
            "rule finds are left out). Measured: on records whose documents were hidden, scored without documents; "
            "precision among pairs of hidden records that documents tell, recall among all pairs that documents "
            "join.</p>",
            table(
                (
                    "threshold, bits",
                    "pairs",
                    "expected precision",
                    "expected recall",
                    "measured precision",
                    "measured recall",
                ),
                [
                    (
                        f"{t.bits:g}{' (merge)' if t.bits == merge_bits else ''}",
                        t.pairs,
                        _share(t.matches, t.pairs),
                        _share(t.matches, figures.all_matches),
                        _share(t.hidden_matches, t.hidden_matches + t.hidden_others),
                        _share(t.hidden_matches, figures.hidden_pairs),
                    )
                    for t in figures.thresholds
                ],
            ),
            f"<h2>{party_type}: blocking recall with documents hidden</h2>",
            f"<p>{figures.hidden_records:,} records without their documents; of {figures.hidden_pairs:,} pairs that "
            f"the documents join, the rules find {figures.found_pairs:,} "
            f"({_share(figures.found_pairs, figures.hidden_pairs)}).</p>",
            table(
                (
                    "rule",
                    "true pairs",
                    "share",
                    "only this rule",
                    "candidate pairs",
                    "blocks",
                    "largest",
                    "blocks split",
                ),
                [
                    (
                        rule.rule,
                        rule.true_pairs,
                        _share(rule.true_pairs, figures.hidden_pairs),
                        rule.own_true_pairs,
                        rule.candidate_pairs,
                        rule.blocks,
                        rule.largest_block,
                        rule.split_blocks,
                    )
                    for rule in figures.rules
                ],
            ),
            f"<h2>{party_type}: weights</h2>",
            weights_chart(party),
            table(
                ("evidence and level", "m", "u", "weight, bits", ""),
                [
                    (
                        f"{c.name}: {level.name}",
                        f"{level.m:.5g}",
                        f"{level.u:.5g}",
                        f"{_bits(level.m, level.u):+.2f}",
                        note,
                    )
                    for c in party.comparisons
                    for level in c.levels
                    for note in (
                        "fixed" if level.bits is not None else "by frequency of the value" if level.frequency else "",
                    )
                ],
            ),
        ]
    )


def weights_chart(party: PartyModel) -> str:
    """Match weights of all levels as an SVG of bars, to the right what speaks for one party, to the left against."""
    bars = [(f"{c.name}: {level.name}", _bits(level.m, level.u)) for c in party.comparisons for level in c.levels]
    limit = max([1.0, *(abs(bits) for _, bits in bars)])
    middle, scale = _LABELS + _BARS / 2, (_BARS / 2 - 45) / limit
    drawn = []
    for row, (label, bits) in enumerate(bars):
        top, length = row * _ROW, abs(bits) * scale
        left = middle if bits >= 0 else middle - length
        where, anchor = (middle + length + 4, "start") if bits >= 0 else (middle - length - 4, "end")
        drawn.append(
            f'<text x="{_LABELS - 8}" y="{top + 13}" text-anchor="end">{escape(label)}</text>'
            f'<rect class="{"plus" if bits >= 0 else "minus"}" x="{left:.1f}" y="{top + 3}" width="{length:.1f}" '
            f'height="{_ROW - 6}"/><text x="{where:.1f}" y="{top + 13}" text-anchor="{anchor}">{bits:+.1f}</text>'
        )
    height = len(bars) * _ROW
    return (
        f'<svg viewBox="0 0 {_LABELS + _BARS} {height}" role="img" aria-label="match weight of each level, bits">'
        f'<line class="zero" x1="{middle}" x2="{middle}" y1="0" y2="{height}"/>{"".join(drawn)}</svg>'
    )


def _bits(m: float, u: float) -> float:
    """Match weight of a level: log2 of m over u."""
    return math.log2(m / u)


def _share(part: float, whole: float) -> str:
    return f"{min(part / whole, 1):.4f}" if whole else "none"


def table(head: tuple[str, ...], rows: Iterable[tuple[str | int, ...]]) -> str:
    """An HTML table: the first column text, the others figures."""
    marks = ("", *(' class="n"' for _ in head[1:]))
    top = "".join(f"<th{mark}>{escape(name)}</th>" for mark, name in zip(marks, head, strict=True))
    body = "".join(
        f"<tr>{''.join(f'<td{mark}>{_cell(cell)}</td>' for mark, cell in zip(marks, row, strict=True))}</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _cell(cell: str | int) -> str:
    return f"{cell:,}" if isinstance(cell, int) else escape(cell)
