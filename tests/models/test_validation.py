"""Figures of validation against ones worked out by hand."""

import math

import numpy as np
import pytest

from models.value.observations import Observations
from models.value.validation import auc, calibration, deciles, group_figures, stability, validate

CHANCE = np.array([0.1, 0.2, 0.3, 0.4])
HAPPENED = np.array([False, True, False, True])


def test_ranking_by_hand() -> None:
    """Of the four pairs of one that did and one that did not, three are in order; KS is 0.5, at 0.2 and at 0.4."""
    found = validate(CHANCE, HAPPENED, CHANCE)
    assert (found.auc, found.gini, found.ks) == (0.75, 0.5, 0.5)
    assert found.brier == pytest.approx((0.01 + 0.64 + 0.09 + 0.36) / 4)
    assert (found.predicted, found.observed, found.psi, found.events) == (0.25, 0.5, 0.0, 2)


def test_bands_hold_as_many_rows_each() -> None:
    low, high = calibration(CHANCE, HAPPENED, bands=2)
    assert (low.count, low.predicted, low.observed) == (2, 0.15, 0.5)
    assert (high.count, high.predicted, high.observed) == (2, 0.35, 0.5)


def test_stability_by_hand() -> None:
    """Half and half becomes a quarter and three quarters."""
    before, after = np.array([1.0, 1.0, 3.0, 3.0]), np.array([1.0, 3.0, 3.0, 3.0])
    expected = (0.25 - 0.5) * math.log(0.25 / 0.5) + (0.75 - 0.5) * math.log(0.75 / 0.5)
    assert stability(before, after, bands=2) == pytest.approx(expected)


def test_tenths_by_rank() -> None:
    assert deciles(np.arange(20.0))[[0, 1, 2, 19]].tolist() == [0, 0, 1, 9]
    assert deciles(np.ones(5)).tolist() == [0] * 5


def test_one_outcome_alone_tells_nothing() -> None:
    with pytest.raises(ValueError, match="all outcomes are the same"):
        auc(CHANCE, np.ones(4, dtype=bool))


def test_groups_of_few_customers_stand_together() -> None:
    customer = np.array([f"C{number:03d}" for number in range(70)])
    province = np.array(["A"] * 30 + ["B"] * 29 + ["C"] * 11)
    found = Observations(
        customer, np.full(70, np.datetime64("2026-06-30")), {}, province == "C", {"province": province}
    )
    told = group_figures(found, np.where(province == "B", 0.5, 0.25))
    assert [(one["value"], one["count"], one["observed"]) for one in told] == [
        ("A", 30, 0.0), ("others (fewer than 30 customers each)", 40, 0.275)
    ]  # fmt: skip
    assert told[1]["predicted"] == 0.43125  # (29 x 0.5 + 11 x 0.25) / 40
