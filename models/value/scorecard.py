"""The scorecard: monotone weight-of-evidence bins and logistic regression on them, as points. Pure functions.

Sources: N. Siddiqi, Credit Risk Scorecards (2006), chapter 6, for weight of evidence, information value and the scaling
of points; monotone bins are the blocks of isotonic regression (pool adjacent violators), which are the finest bins
that never turn back. Which settings a bank gives is in ``risk_settings``; on what data a card is fitted is not here.

    WoE = ln(share of the goods / share of the bads)            a bin, half an observation added to each count
    IV  = sum over bins of (share of goods - share of bads) WoE  a characteristic
    ln(odds of good) = intercept + sum of coefficient x WoE
    points = offset + factor x ln(odds), factor = PDO / ln 2, offset = base points - factor x ln(base odds)
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from models.value.observations import Flags, Numbers
from models.value.risk_settings import ScorecardSettings

_SMOOTHING = 0.5
_SOLVED = 5


@dataclass(frozen=True)
class Bin:
    """One bin of a characteristic: values up to ``upper`` and above the bin before; the last one has no bound.

    Attributes:
        upper: Largest value of the bin, None of the last and of the one for missing values.
        is_missing: Whether it is the bin for missing values.
        count: Observations that the card was fitted on.
        bads: Of them those in default.
        woe: Weight of evidence; above 0 is better than the mean.
        points: Points of the bin.
    """

    upper: float | None
    is_missing: bool
    count: int
    bads: int
    woe: float
    points: int = 0


@dataclass(frozen=True)
class Characteristic:
    """One characteristic: its bins, missing values last, what it tells alone, and its weight in the card.

    Attributes:
        name: Column of the observations.
        bins: Bins in rising order, the one for missing values last.
        information_value: What the characteristic tells alone.
        coefficient: Of its weight of evidence in ln(odds of good).
        neutral_points: Mean points of the observations that the card was fitted on: what costs nothing.
    """

    name: str
    bins: tuple[Bin, ...]
    information_value: float
    coefficient: float = 0.0
    neutral_points: float = 0.0

    def bin_of(self, values: Numbers) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Index of the bin of each value."""
        uppers = [bin_.upper for bin_ in self.bins if bin_.upper is not None]
        found = np.searchsorted(np.array(uppers), values, side="left")
        return np.where(np.isnan(values), len(self.bins) - 1, found)

    def take(self, what: str, values: Numbers) -> Numbers:
        """``woe`` or ``points`` of the bin of each value."""
        by_bin: Numbers = np.array([float(getattr(bin_, what)) for bin_ in self.bins])
        return np.asarray(by_bin[self.bin_of(values)])


@dataclass(frozen=True)
class Scorecard:
    """A fitted card.

    Attributes:
        characteristics: Those in the card, by name.
        intercept: Of ln(odds of good).
        left_out: Characteristics that are not in the card, and why.
    """

    characteristics: tuple[Characteristic, ...]
    intercept: float
    left_out: Mapping[str, str]

    def probability(self, features: Mapping[str, Numbers]) -> Numbers:
        """Probability of default of each row."""
        log_odds = self.intercept + sum(
            (c.coefficient * c.take("woe", features[c.name]) for c in self.characteristics),
            np.zeros(_rows(features)),
        )
        return np.asarray(1 / (1 + np.exp(log_odds)))

    def points(self, features: Mapping[str, Numbers]) -> Numbers:
        """Points of each row: the sum of its bins' points."""
        return sum((c.take("points", features[c.name]) for c in self.characteristics), np.zeros(_rows(features)))

    def reasons(self, features: Mapping[str, Numbers], most: int) -> list[tuple[str, ...]]:
        """For each row the characteristics that cost the most points against the mean debtor, the dearest first.

        Siddiqi's neutral score: a characteristic below its mean points is a reason, one at or above it is none.
        """
        names = [c.name for c in self.characteristics]
        if not names:
            return [()] * _rows(features)
        lost = np.column_stack([c.neutral_points - c.take("points", features[c.name]) for c in self.characteristics])
        order = np.argsort(-lost, axis=1, kind="stable")[:, :most]
        return [
            tuple(names[column] for column in columns if lost[row, column] > 0) for row, columns in enumerate(order)
        ]

    def as_json(self) -> dict[str, Any]:
        """The card as JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Scorecard":
        """Read what ``as_json`` gave."""
        return cls(
            tuple(
                Characteristic(**{**c, "bins": tuple(Bin(**bin_) for bin_ in c["bins"])})
                for c in said["characteristics"]
            ),
            said["intercept"],
            dict(said["left_out"]),
        )


def fit_scorecard(
    features: Mapping[str, Numbers],
    bad: Flags,
    settings: ScorecardSettings,
    neutral_missing: frozenset[str] = frozenset(),
    *,
    folds: NDArray[np.int64],
) -> Scorecard:
    """Fit a card.

    Rows of one debtor are not independent: over the months they repeat what hardly changes, such as tenure, so that a
    few who defaulted make a characteristic look strong. In the card is only what tells something of debtors on whom
    its bins were not fitted: within each fold by the bins of the others, the likelihood of the outcomes must rise.

    Args:
        features: Columns by name; NaN is missing.
        bad: Whether each row defaulted.
        settings: Bins, penalty and scaling.
        folds: Number of the fold of each row, all rows of a debtor in one; several folds.
        neutral_missing: Columns whose missing values are given no weight, because that a value is missing may itself
            tell what happened later.

    Raises:
        ValueError: all rows have the same outcome.
    """
    if bad.all() or not bad.any():
        raise ValueError("all outcomes are the same: there is nothing to fit")
    left_out: dict[str, str] = {}
    kept: list[Characteristic] = []
    for name in sorted(features):
        binned = partial(bin_characteristic, name, settings=settings, missing_counts=name not in neutral_missing)
        found = binned(features[name], bad)
        if found.information_value < settings.minimum_information_value:
            left_out[name] = f"information value {found.information_value:.3f}"
        elif _gain_elsewhere(binned, features[name], bad, folds) <= 0:
            left_out[name] = "tells nothing of debtors on whom it was not fitted"
        else:
            kept.append(found)
    intercept = float(np.log((~bad).sum() / bad.sum()))
    while kept:
        woe = np.column_stack([c.take("woe", features[c.name]) for c in kept])
        model = LogisticRegression(C=settings.regularisation, max_iter=1000, tol=1e-8).fit(woe, ~bad)
        coefficients = model.coef_[0]
        worst = int(np.argmin(coefficients))
        if coefficients[worst] > 0:
            # the penalty decides who carries the weight, not how far risks lie apart: a second fit does, whose own
            # is slight and only keeps the odds finite where few debtors are told apart without error
            steep = LogisticRegression(C=1.0, tol=1e-8).fit((woe @ coefficients)[:, np.newaxis], ~bad)
            coefficients, intercept = coefficients * steep.coef_[0, 0], float(steep.intercept_[0])
            kept = [
                dataclasses.replace(c, coefficient=_rounded(float(b), _SOLVED))
                for c, b in zip(kept, coefficients, strict=True)
            ]
            break
        # with the others it would count against what it says alone: no officer could defend such points
        left_out[kept.pop(worst).name] = "its weight turns round beside the others"
    else:
        intercept = float(np.log((~bad).sum() / bad.sum()))
    return _scaled(kept, _rounded(intercept, _SOLVED), dict(sorted(left_out.items())), features, settings)


def _gain_elsewhere(
    binned: Callable[[Numbers, Flags], Characteristic], values: Numbers, bad: Flags, folds: NDArray[np.int64]
) -> float:
    """Log-likelihood of each fold by the bins of the other folds, above that by their share of bads alone."""
    gain = 0.0
    for fold in np.unique(folds):
        here, there = folds == fold, folds != fold
        share = float(bad[there].mean())
        if share in (0.0, 1.0):
            continue
        log_odds = np.log((1 - share) / share)
        woe = binned(values[there], bad[there]).take("woe", values[here])
        gain += _log_likelihood(log_odds + woe, bad[here]) - _log_likelihood(np.full(len(woe), log_odds), bad[here])
    return gain


def _log_likelihood(log_odds: Numbers, bad: Flags) -> float:
    return -float(np.logaddexp(0, np.where(bad, log_odds, -log_odds)).sum())


def bin_characteristic(
    name: str, values: Numbers, bad: Flags, settings: ScorecardSettings, *, missing_counts: bool = True
) -> Characteristic:
    """Monotone bins of one characteristic, with a bin for missing values.

    The direction is that of the correlation of ranks between value and outcome. Blocks of isotonic regression with
    fewer than the minimum share and fewer than the minimum of bads join the neighbour whose share of bads is nearer;
    then the two neighbours join that lose the least information, while there are too many or they may differ by chance
    alone. The bin for missing values weighs nothing where it holds fewer than the minimum share.
    """
    known = ~np.isnan(values)
    least = settings.minimum_bin_share * len(values)
    uppers: list[float] = []
    if known.any():
        x, y = values[known], bad[known].astype(np.float64)
        blocks = _merged(_isotonic_blocks(x, y), least, settings)
        uppers = [upper for upper, _, _ in blocks[:-1]]
        counts = [(count, bads) for _, count, bads in blocks]
    else:
        counts = [(0, 0)]
    gone = (int((~known).sum()), int(bad[~known].sum()))
    goods, bads = len(bad) - int(bad.sum()), int(bad.sum())
    weighed = [_woe(n - b, b, goods, bads) for n, b in counts]
    missing_woe = _woe(gone[0] - gone[1], gone[1], goods, bads) if missing_counts and gone[0] >= least else 0.0
    value = sum(((n - b) / goods - b / bads) * w for (n, b), w in zip(counts, weighed, strict=True))
    value += (((gone[0] - gone[1]) / goods) - gone[1] / bads) * missing_woe
    bounds: Sequence[float | None] = [*uppers, None]
    return Characteristic(
        name,
        (
            *(Bin(upper, False, n, b, _rounded(w)) for upper, (n, b), w in zip(bounds, counts, weighed, strict=True)),
            Bin(None, True, *gone, _rounded(missing_woe)),
        ),
        _rounded(value),
    )


Block = tuple[float, int, int]
"""Largest value, observations, bads."""


def _isotonic_blocks(x: Numbers, y: Numbers) -> list[Block]:
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    fitted = IsotonicRegression(increasing=_rank_correlation(x, y) >= 0).fit_transform(x, y)
    ends = np.flatnonzero(np.append((np.diff(fitted) != 0) & (np.diff(x) != 0), True))
    starts = np.append(0, ends[:-1] + 1)
    return [
        (float(x[end]), int(end - start + 1), int(y[start : end + 1].sum()))
        for start, end in zip(starts, ends, strict=True)
    ]


def _rank_correlation(x: Numbers, y: Numbers) -> float:
    """Sign-bearing covariance of the ranks of x (ties by their mean rank) with y."""
    _, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float(np.mean((ranks - ranks.mean()) * (y - y.mean())))


def _merged(blocks: list[Block], least: float, settings: ScorecardSettings) -> list[Block]:
    blocks = list(blocks)
    while len(blocks) > 1:
        too_small = [i for i, (_, n, b) in enumerate(blocks) if n < least and b < settings.minimum_bin_bads]
        if too_small:
            small = min(too_small, key=lambda i: (blocks[i][1], i))
            sides = [i for i in (small - 1, small) if 0 <= i < len(blocks) - 1]
            at = min(sides, key=lambda i: (abs(_rate(blocks[i]) - _rate(blocks[i + 1])), i))
        else:
            at = min(range(len(blocks) - 1), key=lambda i: (_lost(blocks[i], blocks[i + 1]), i))
            if len(blocks) <= settings.max_bins and _lost(blocks[at], blocks[at + 1]) >= settings.minimum_gain:
                break
        (_, n, b), (upper, m, c) = blocks[at], blocks[at + 1]
        blocks[at : at + 2] = [(upper, n + m, b + c)]
    return blocks


def _rate(block: Block) -> float:
    return block[2] / block[1]


def _lost(left: Block, right: Block) -> float:
    """Log-likelihood that is lost when two blocks become one."""
    together = (right[0], left[1] + right[1], left[2] + right[2])
    return _likelihood(left) + _likelihood(right) - _likelihood(together)


def _likelihood(block: Block) -> float:
    _, count, bads = block
    return float(sum(n * np.log(n / count) for n in (bads, count - bads) if n))


def _woe(goods: int, bads: int, all_goods: int, all_bads: int) -> float:
    good_share = (goods + _SMOOTHING) / (all_goods + _SMOOTHING)
    return float(np.log(good_share / ((bads + _SMOOTHING) / (all_bads + _SMOOTHING))))


def _scaled(
    kept: list[Characteristic],
    intercept: float,
    left_out: dict[str, str],
    features: Mapping[str, Numbers],
    settings: ScorecardSettings,
) -> Scorecard:
    """Give every bin its points; intercept and offset are shared evenly, so the bins' points add up to the score."""
    factor = settings.points_to_double_odds / np.log(2)
    offset = settings.base_points - factor * np.log(settings.base_odds)
    scaled = []
    for c in kept:
        share = (offset + factor * intercept) / len(kept)
        bins = tuple(dataclasses.replace(b, points=round(share + factor * c.coefficient * b.woe)) for b in c.bins)
        pointed = dataclasses.replace(c, bins=bins)
        mean = float(pointed.take("points", features[c.name]).mean())
        scaled.append(dataclasses.replace(pointed, neutral_points=_rounded(mean)))
    return Scorecard(tuple(scaled), intercept, left_out)


def _rows(features: Mapping[str, Numbers]) -> int:
    return len(next(iter(features.values()))) if features else 0


def _rounded(value: float, digits: int = 8) -> float:
    """Significant digits: the last ones may differ from machine to machine, those of what a solver found earlier."""
    return float(f"{value:.{digits}g}")
