"""How well probabilities held: discrimination, calibration, stability. Pure functions over arrays.

Sources: AUC, Gini and KS as in Siddiqi, Credit Risk Scorecards (2006), chapter 6; Gini is the accuracy ratio of
BCBS working paper 14 (2005), 2 AUC - 1; the population stability index compares shares of score bands, below 0.1
stable, above 0.25 shifted (Siddiqi, chapter 8).
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve

from models.value.observations import Flags, Numbers, Observations

_LEAST_SHARE = 1e-4
_LEAST_CUSTOMERS = 30


@dataclass(frozen=True)
class CalibrationBand:
    """One band of predicted probabilities: rows, the mean predicted and the share that happened."""

    count: int
    predicted: float
    observed: float


@dataclass(frozen=True)
class Validation:
    """Figures of predictions against outcomes.

    Attributes:
        count: Observations.
        events: Of them those where it happened.
        auc: Area under the ROC curve.
        gini: 2 AUC - 1.
        ks: Largest distance between the score distributions of the two outcomes.
        brier: Mean squared error of the probabilities.
        predicted: Mean probability.
        observed: Share that happened.
        psi: Stability of the probabilities' distribution against that of the fitting.
        calibration: By tenths of the predictions, rising.
    """

    count: int
    events: int
    auc: float
    gini: float
    ks: float
    brier: float
    predicted: float
    observed: float
    psi: float
    calibration: tuple[CalibrationBand, ...]

    def as_json(self) -> dict[str, object]:
        """The figures as JSON values."""
        return dataclasses.asdict(self)


def validate(probability: Numbers, outcome: Flags, fitted_on: Numbers) -> Validation:
    """Figures of probabilities on later time.

    Args:
        probability: Predicted, on the later time.
        outcome: What happened.
        fitted_on: The probabilities of the observations that the model was fitted on.

    Raises:
        ValueError: all outcomes are the same, so nothing can be told apart.
    """
    area = auc(probability, outcome)
    false, true, _ = roc_curve(outcome, probability)
    return Validation(
        count=len(outcome),
        events=int(outcome.sum()),
        auc=_rounded(area),
        gini=_rounded(2 * area - 1),
        ks=_rounded(float(np.max(true - false))),
        brier=_rounded(float(np.mean((probability - outcome) ** 2))),
        predicted=_rounded(float(probability.mean())),
        observed=_rounded(float(outcome.mean())),
        psi=_rounded(stability(fitted_on, probability)),
        calibration=calibration(probability, outcome),
    )


def auc(probability: Numbers, outcome: Flags) -> float:
    """Area under the ROC curve: the chance that one where it happened is ranked above one where it did not.

    Raises:
        ValueError: all outcomes are the same.
    """
    if outcome.all() or not outcome.any():
        raise ValueError("all outcomes are the same: nothing can be told apart")
    return float(roc_auc_score(outcome, probability))


def calibration(probability: Numbers, outcome: Flags, bands: int = 10) -> tuple[CalibrationBand, ...]:
    """Predicted against observed by bands of as many rows each, ties as they come in the order of rows."""
    order = np.argsort(probability, kind="stable")
    return tuple(
        CalibrationBand(len(rows), _rounded(float(probability[rows].mean())), _rounded(float(outcome[rows].mean())))
        for rows in np.array_split(order, bands)
        if len(rows)
    )


def stability(before: Numbers, after: Numbers, bands: int = 10) -> float:
    """Population stability index of a distribution against an earlier one, by the earlier one's tenths."""
    edges = np.unique(np.quantile(before, np.linspace(0, 1, bands + 1)[1:-1]))
    old, new = (
        np.maximum(np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1) / len(values), _LEAST_SHARE)
        for values in (before, after)
    )
    return float(np.sum((new - old) * np.log(new / old)))


def group_figures(observations: Observations, probability: Numbers) -> list[dict[str, Any]]:
    """By protected attribute and value: rows, mean probability, share that happened, AUC where it can be told.

    Values of few customers stand together: they tell nothing of a group, and much of the few.
    """
    found = []
    for attribute, each in observations.groups.items():
        values = np.array(each, dtype=object)
        for value in np.unique(each):
            if len(np.unique(observations.customer_id[each == value])) < _LEAST_CUSTOMERS:
                values[each == value] = f"others (fewer than {_LEAST_CUSTOMERS} customers each)"
        for value in sorted(set(values)):
            rows = values == value
            outcome = observations.happened[rows]
            found.append(
                {
                    "attribute": attribute,
                    "value": str(value),
                    "count": int(rows.sum()),
                    "predicted": _rounded(float(probability[rows].mean())),
                    "observed": _rounded(float(outcome.mean())),
                    "auc": _rounded(auc(probability[rows], outcome)) if 0 < outcome.sum() < len(outcome) else None,
                }
            )
    return found


def deciles(probability: Numbers) -> Numbers:
    """Tenth of each row by rank, 0 the lowest; equal values share the lower tenth."""
    ordered = np.sort(probability)
    return np.floor(np.searchsorted(ordered, probability) * 10 / max(len(ordered), 1))


def _rounded(value: float) -> float:
    """Six significant digits: sums of floating-point numbers may differ in the last ones from machine to machine."""
    return float(f"{value:.6g}")
