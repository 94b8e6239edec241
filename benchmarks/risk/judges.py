"""Who is compared on Berka: our scorecard, plain logistic regression, LightGBM; inner folds choose their settings.

The outer folds only report. Inner folds lie within the training part of each outer fold, and all three choose among
as few settings, by the same inner folds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from lightgbm import LGBMClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models.value.observations import Flags, Numbers
from models.value.risk_settings import ScorecardSettings
from models.value.scorecard import fit_scorecard
from models.value.validation import auc

OUTER, INNER = 5, 3
Features = Mapping[str, Numbers]
Fitted = Callable[[Features], Numbers]


@dataclass(frozen=True)
class Judge:
    """One method: its name, the settings it may choose among, and how it is fitted with one of them."""

    name: str
    settings: Sequence[Mapping[str, Any]]
    fit: Callable[[Features, Flags, Mapping[str, Any]], Fitted]


def cross_validated(judge: Judge, features: Features, bad: Flags, seed: int) -> float:
    """Mean AUC over five stratified folds of a seed, settings chosen within each training part."""
    folds = StratifiedKFold(OUTER, shuffle=True, random_state=seed).split(bad, bad)
    return float(np.mean([_fold(judge, features, bad, train, test, seed) for train, test in folds]))


def _fold(judge: Judge, features: Features, bad: Flags, train: Any, test: Any, seed: int) -> float:
    known, outcome = _rows(features, train), bad[train]
    inner = list(StratifiedKFold(INNER, shuffle=True, random_state=seed).split(outcome, outcome))
    scores = [
        np.mean([_score(judge, settings, known, outcome, within, beside) for within, beside in inner])
        for settings in judge.settings
    ]
    best = judge.settings[int(np.argmax(scores))]
    return auc(judge.fit(known, outcome, best)(_rows(features, test)), bad[test])


def _score(judge: Judge, settings: Mapping[str, Any], known: Features, bad: Flags, train: Any, test: Any) -> float:
    return auc(judge.fit(_rows(known, train), bad[train], settings)(_rows(known, test)), bad[test])


def _rows(features: Features, rows: Any) -> dict[str, Numbers]:
    return {name: values[rows] for name, values in features.items()}


def _scorecard(features: Features, bad: Flags, settings: Mapping[str, Any]) -> Fitted:
    return fit_scorecard(features, bad, ScorecardSettings(**settings), folds=np.arange(len(bad)) % 5).probability


def _logistic(features: Features, bad: Flags, settings: Mapping[str, Any]) -> Fitted:
    model = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(max_iter=2000, **settings),
    ).fit(_matrix(features), bad)
    return lambda rows: np.asarray(model.predict_proba(_matrix(rows)))[:, 1]


def _lightgbm(features: Features, bad: Flags, settings: Mapping[str, Any]) -> Fitted:
    model = LGBMClassifier(
        learning_rate=0.05, min_child_samples=20, n_jobs=1, random_state=1, deterministic=True, verbose=-1, **settings
    ).fit(_matrix(features), bad)
    return lambda rows: np.asarray(model.predict_proba(_matrix(rows)))[:, 1]


def _matrix(features: Features) -> Numbers:
    return np.column_stack([features[name] for name in sorted(features)])


JUDGES = (
    Judge(
        "scorecard",
        # bins of three hundredths: chosen on folds of seeds 100 to 102, which report nothing
        [{"minimum_bin_share": 0.03, "regularisation": c} for c in (0.01, 0.1, 1.0, 10.0)],
        _scorecard,
    ),
    Judge("logistic regression", [{"C": c} for c in (0.001, 0.01, 0.1, 1.0)], _logistic),
    Judge(
        "LightGBM",
        [{"num_leaves": leaves, "n_estimators": trees} for leaves, trees in product((4, 8), (40, 120))],
        _lightgbm,
    ),
)
