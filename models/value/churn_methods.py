"""Two ways to tell who leaves: logistic regression and gradient-boosted trees, as JSON values that score by themselves.

A fitted part is a dictionary: ``method``, ``mean`` of each characteristic (where missing, the mean stands in for words
only), and what the method learned. Same input, same part: one thread, fixed seed, trees with deterministic histograms.

Sources: Platt, Probabilistic outputs for support vector machines (1999), for the calibration; Lundberg and Lee, A
unified approach to interpreting model predictions (2017), for the contributions of trees.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from models.value.observations import Flags, Numbers

if TYPE_CHECKING:
    import lightgbm

METHODS = ("logistic", "lightgbm")
_SEED = 20260101
_CHUNK = 100_000
_LEAST_SPREAD = 1e-9
_TREES = 200
_TREE_SETTINGS: dict[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.04,
    "num_leaves": 12,
    "min_data_in_leaf": 60,
    "lambda_l2": 5.0,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "seed": _SEED,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}


def fit(method: str, matrix: Numbers, outcome: Flags) -> dict[str, Any]:
    """Fit one of ``METHODS``.

    Args:
        method: which.
        matrix: observations x characteristics, NaN where missing.
        outcome: whether it happened.
    """
    mean = [_rounded(value) for value in np.nan_to_num(_mean(matrix))]
    learned = _fit_logistic(matrix, outcome) if method == "logistic" else _fit_trees(matrix, outcome)
    return {"method": method, "mean": mean, **learned}


def raw_score(fitted: Mapping[str, Any], matrix: Numbers) -> Numbers:
    """Log-odds of each row before calibration."""
    if fitted["method"] == "logistic":
        return np.asarray(_terms(fitted, matrix).sum(axis=1)) + float(fitted["constant"])
    booster = _booster(fitted["trees"])
    parts = [booster.predict(part, raw_score=True, num_threads=1) for part in _chunks(matrix)]
    return np.concatenate([np.asarray(part, dtype=np.float64) for part in parts]) if parts else np.empty(0)


def calibrate(score: Numbers, outcome: Flags) -> tuple[float, float]:
    """Slope and intercept by which log-odds become those of later time (Platt)."""
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=1e6).fit(score[:, None], outcome)
    return _rounded(fitted.coef_[0, 0]), _rounded(fitted.intercept_[0])


def probability(fitted: Mapping[str, Any], matrix: Numbers) -> Numbers:
    """Calibrated probability of each row."""
    return _logistic(float(fitted["slope"]) * raw_score(fitted, matrix) + float(fitted["intercept"]))


def contributions(fitted: Mapping[str, Any], matrix: Numbers) -> Numbers:
    """What each characteristic adds to each row's log-odds against the mean row: rows x characteristics."""
    if fitted["method"] == "logistic":
        return _terms(fitted, matrix)
    booster = _booster(fitted["trees"])
    parts = [booster.predict(part, pred_contrib=True, num_threads=1) for part in _chunks(matrix)]
    return np.concatenate([np.asarray(part)[:, :-1] for part in parts]) if parts else np.empty(matrix.shape)


def importance(fitted: Mapping[str, Any]) -> Numbers:
    """Share of each characteristic: of the weights of standardised values, or of the gain of the trees' splits."""
    if fitted["method"] == "logistic":
        weight = np.abs(np.array(fitted["weight"])) + np.abs(np.array(fitted["missing_weight"]))
    else:
        weight = np.asarray(_booster(fitted["trees"]).feature_importance("gain"), dtype=np.float64)
    return np.asarray(weight / max(weight.sum(), 1e-12))


def _fit_logistic(matrix: Numbers, outcome: Flags) -> dict[str, Any]:
    """Weights of standardised characteristics, counts and amounts on a logarithmic scale, and of their absence."""
    from sklearn.linear_model import LogisticRegression

    wide = np.nanmax(np.abs(matrix), axis=0, initial=0, where=~np.isnan(matrix)) > 10
    scaled = np.where(wide, _logarithm(matrix), matrix)
    centre = np.nan_to_num(_mean(scaled))
    spread = np.sqrt(np.nan_to_num(_mean((scaled - centre) ** 2)))
    part = {
        "is_wide": [bool(one) for one in wide],
        "centre": [_rounded(one) for one in centre],
        # of a constant only the error of its mean is left, by which nothing must be divided
        "spread": [_rounded(one) if one > _LEAST_SPREAD else 1.0 for one in spread],
    }
    values, missing = _standardised(part, matrix)
    fitted = LogisticRegression(C=1.0, max_iter=2000).fit(np.hstack([values, missing]), outcome)
    count = matrix.shape[1]
    return {
        **part,
        "weight": [_rounded(one) for one in fitted.coef_[0, :count]],
        "missing_weight": [_rounded(one) for one in fitted.coef_[0, count:]],
        "constant": _rounded(fitted.intercept_[0]),
    }


def _terms(fitted: Mapping[str, Any], matrix: Numbers) -> Numbers:
    values, missing = _standardised(fitted, matrix)
    return np.asarray(values * np.array(fitted["weight"]) + missing * np.array(fitted["missing_weight"]))


def _standardised(fitted: Mapping[str, Any], matrix: Numbers) -> tuple[Numbers, Numbers]:
    scaled = np.where(np.array(fitted["is_wide"]), _logarithm(matrix), matrix)
    values = (scaled - np.array(fitted["centre"])) / np.array(fitted["spread"])
    return np.nan_to_num(values), np.isnan(matrix).astype(np.float64)


def _fit_trees(matrix: Numbers, outcome: Flags) -> dict[str, Any]:
    import lightgbm

    data = lightgbm.Dataset(matrix, outcome.astype(np.int8), params={"verbosity": -1})
    return {"trees": lightgbm.train(_TREE_SETTINGS, data, num_boost_round=_TREES).model_to_string()}


@lru_cache(maxsize=2)
def _booster(text: str) -> "lightgbm.Booster":
    import lightgbm  # loads slowly; a home without a model of trees never needs it

    return lightgbm.Booster(model_str=text)


def _chunks(matrix: Numbers) -> list[Numbers]:
    return [matrix[start : start + _CHUNK] for start in range(0, len(matrix), _CHUNK)]


def _mean(matrix: Numbers) -> Numbers:
    known = ~np.isnan(matrix)
    return np.asarray(np.where(known, matrix, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1))


def _logarithm(values: Numbers) -> Numbers:
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)))


def _logistic(values: Numbers) -> Numbers:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -50, 50))))


def _rounded(value: float) -> float:
    """Eight significant digits: the last ones of a sum may differ from machine to machine."""
    return float(f"{value:.8g}")
