"""The scorecard's arithmetic by hand, its guarantees on drawn data, and its round trip through JSON."""

import json
import math

import numpy as np
import pytest

from models.value.risk_settings import ScorecardSettings
from models.value.scorecard import Scorecard, bin_characteristic, fit_scorecard

SETTINGS = ScorecardSettings(minimum_bin_share=0.1, max_bins=4, minimum_gain=0, minimum_information_value=0)
FOLDS = np.arange(4000) % 5


def _drawn(rows: int = 4000, seed: int = 5) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    strain, noise = rng.normal(size=rows), rng.normal(size=rows)
    bad = rng.random(rows) < 1 / (1 + np.exp(3 - strain))
    seen = np.where(rng.random(rows) < 0.1, np.nan, strain)
    return {"strain": seen, "tight": np.round(strain + rng.normal(size=rows), 1), "noise": noise}, bad


def test_evidence_of_two_bins_worked_out_by_hand() -> None:
    """20 rows, 5 bad: of the ten at 1 one is bad, of the ten at 2 four; half an observation is added to each count."""
    values = np.repeat([1.0, 2.0], 10)
    bad = np.zeros(20, dtype=bool)
    bad[[0, 10, 11, 12, 13]] = True
    found = bin_characteristic("x", values, bad, SETTINGS)
    assert [(b.upper, b.is_missing, b.count, b.bads) for b in found.bins] == [
        (1.0, False, 10, 1),
        (None, False, 10, 4),
        (None, True, 0, 0),
    ]
    low, high = math.log((9.5 / 15.5) / (1.5 / 5.5)), math.log((6.5 / 15.5) / (4.5 / 5.5))
    assert [b.woe for b in found.bins] == pytest.approx([low, high, 0.0], abs=1e-7)
    assert found.information_value == pytest.approx((9 / 15 - 1 / 5) * low + (6 / 15 - 4 / 5) * high, abs=1e-7)


def test_bins_that_differ_by_chance_alone_are_one() -> None:
    """The same 20 rows: apart ln likelihoods -3.251 and -6.730, together -11.247; the cut brings 1.266."""
    values = np.repeat([1.0, 2.0], 10)
    bad = np.zeros(20, dtype=bool)
    bad[[0, 10, 11, 12, 13]] = True
    counts = [
        [b.count for b in bin_characteristic("x", values, bad, SETTINGS.model_copy(update={"minimum_gain": gain})).bins]
        for gain in (1.26, 1.27)
    ]
    assert counts == [[10, 10, 0], [20, 0]]


def test_a_few_rows_with_many_bads_are_a_bin_of_their_own() -> None:
    """Forty of a thousand are in arrears, thirty of them bad: too few rows for a twentieth, enough bads to tell."""
    values = np.r_[np.zeros(960), np.full(40, 15.0)]
    bad = np.r_[np.arange(960) < 20, np.arange(40) < 30]
    counts = {
        bads: [
            b.count
            for b in bin_characteristic(
                "x", values, bad, ScorecardSettings(minimum_bin_share=0.05, minimum_bin_bads=bads)
            ).bins
        ]
        for bads in (30, 31)
    }
    assert counts == {30: [960, 40, 0], 31: [1000, 0]}


def test_points_double_the_odds_as_the_settings_say() -> None:
    """600 points at 50 good to 1 bad, 20 more at 100 to 1: the score of a row follows from its probability."""
    features, bad = _drawn()
    card = fit_scorecard(features, bad, SETTINGS, folds=FOLDS)
    chance = card.probability(features)
    exact = 600 + 20 * np.log2((1 - chance) / chance / 50)
    # each characteristic's points are rounded to whole ones
    assert np.abs(card.points(features) - exact).max() <= 0.5 * len(card.characteristics)


@pytest.mark.parametrize("seed", range(5))
def test_bins_never_turn_back_and_are_neither_small_nor_many(seed: int) -> None:
    features, bad = _drawn(seed=seed)
    for c in fit_scorecard(features, bad, SETTINGS, folds=FOLDS).characteristics:
        known = [b for b in c.bins if not b.is_missing]
        woes = [b.woe for b in known]
        assert woes in (sorted(woes), sorted(woes, reverse=True))
        assert 2 <= len(known) <= 4
        least = 0.1 * np.sum(~np.isnan(features[c.name]))
        assert all(b.count >= least or b.bads >= SETTINGS.minimum_bin_bads for b in known)
        assert c.coefficient > 0


def test_what_tells_is_in_the_card_and_what_does_not_is_left_out() -> None:
    features, bad = _drawn()
    card = fit_scorecard(features, bad, SETTINGS.model_copy(update={"minimum_information_value": 0.02}), folds=FOLDS)
    assert [c.name for c in card.characteristics] == ["strain", "tight"]
    assert set(card.left_out) == {"noise"}


def test_missing_values_have_a_bin_of_their_own_or_no_weight() -> None:
    values = np.concatenate([np.linspace(0, 1, 80), np.full(20, np.nan)])
    bad = np.zeros(100, dtype=bool)
    bad[[3, 30, 60, *range(80, 95)]] = True
    told = bin_characteristic("x", values, bad, SETTINGS).bins[-1]
    neutral = bin_characteristic("x", values, bad, SETTINGS, missing_counts=False).bins[-1]
    assert (told.is_missing, told.count, told.bads) == (True, 20, 15)
    assert told.woe == pytest.approx(math.log((5.5 / 82.5) / (15.5 / 18.5)), abs=1e-7)
    assert (neutral.count, neutral.woe) == (20, 0.0)


def test_reasons_name_what_cost_the_most_against_the_mean() -> None:
    features, bad = _drawn()
    card = fit_scorecard(features, bad, SETTINGS, folds=FOLDS)
    best = {"strain": np.array([-3.0]), "tight": np.array([-4.0]), "noise": np.array([0.0])}
    worst = {"strain": np.array([3.0]), "tight": np.array([-4.0]), "noise": np.array([0.0])}
    assert "strain" not in card.reasons(best, 4)[0]
    assert card.reasons(worst, 1) == [("strain",)]


def test_the_order_of_rows_changes_nothing_and_json_keeps_everything() -> None:
    features, bad = _drawn()
    card = fit_scorecard(features, bad, SETTINGS, folds=FOLDS)
    order = np.random.default_rng(1).permutation(len(bad))
    shuffled = fit_scorecard(
        {name: values[order] for name, values in features.items()}, bad[order], SETTINGS, folds=FOLDS[order]
    )
    assert shuffled == card
    again = Scorecard.from_json(json.loads(json.dumps(card.as_json())))
    assert again == card
    np.testing.assert_array_equal(again.probability(features), card.probability(features))


def test_one_outcome_alone_cannot_be_fitted() -> None:
    with pytest.raises(ValueError, match="nothing to fit"):
        fit_scorecard({"x": np.arange(10.0)}, np.zeros(10, dtype=bool), SETTINGS, folds=np.arange(10) % 5)
