"""What ``value.yaml`` says of risk: default, scorecard, fallback, stages, grades, warnings, concentration.

Here are parameters and their limits, no formula: those are in ``scorecard`` and in the SQL of ``value.risk_feature``
and ``mart.customer_risk``. docs/risk.md tells the method and the sources.
"""

import datetime as dt
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0, le=1)]
Days = Annotated[int, Field(ge=0, le=3650)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ScorecardSettings(_Section):
    """How the scorecard is fitted and scaled.

    Attributes:
        max_bins: Most bins of a characteristic, the one for missing values aside.
        minimum_bin_share: Least share of the observations in a bin, unless
        minimum_bin_bads: so many bads are in it: 25 tell its share of bads to a fifth, however few observations they
            are. Arrears are rare, and most of what a card can know.
        minimum_gain: Log-likelihood that a cut must bring; 1.92 is significance at 5 % (half a chi-square of 3.84).
        minimum_information_value: Characteristics below it are left out.
        regularisation: Inverse strength of the ridge penalty (C of scikit-learn's logistic regression). Strong, because
            the observations of a debtor repeat each other over the months, and so do the characteristics of arrears:
            a weak one hands the weight to whichever of them fits the few who defaulted. How far risks lie apart is
            fitted after it.
        base_points: Points at the base odds.
        base_odds: Good to bad at the base points.
        points_to_double_odds: Points that double the odds.
    """

    max_bins: int = Field(10, ge=2, le=20)
    minimum_bin_share: float = Field(0.02, gt=0, le=0.5)
    minimum_bin_bads: int = Field(25, ge=5)
    minimum_gain: float = Field(1.92, ge=0)
    minimum_information_value: float = Field(0.02, ge=0)
    regularisation: float = Field(0.003, gt=0)
    base_points: int = 600
    base_odds: float = Field(50, gt=0)
    points_to_double_odds: int = Field(20, ge=1)


class FallbackBucket(_Section):
    """Probability of default of debtors up to so many days past due, where there is no model."""

    up_to_days: Days
    probability: Share


class StageSettings(_Section):
    """Stages of IFRS 9.

    Attributes:
        stage_2_days: More days past due than this are a significant increase in risk (IFRS 9 B5.5.19: 30).
        stage_3_days: More than this are credit-impaired (IFRS 9 B5.5.37: 90).
        probability_ratio: So many times the earliest probability of the window, and
        probability_increase: so much above it, are a significant increase as well.
    """

    stage_2_days: Days = 30
    stage_3_days: Days = 90
    probability_ratio: float = Field(2.0, ge=1)
    probability_increase: Share = 0.02


class GradeSettings(_Section):
    """Limits of the five grades, days past due: more than the limit is at least that grade.

    Attributes:
        special_mention_days: 0; up to 7 where a bank excepts delays for technical reasons (article 10).
        substandard_days: Article 11.
        doubtful_days: Article 12.
        loss_days: Article 13.
        non_performing_share: From more than this share of a non-retail debtor's debt on, all of it is non-performing.
    """

    special_mention_days: int = Field(0, ge=0, le=7)
    substandard_days: Days = 90
    doubtful_days: Days = 270
    loss_days: Days = 360
    non_performing_share: Share = 0.10

    @model_validator(mode="after")
    def _rising(self) -> Self:
        limits = (self.special_mention_days, self.substandard_days, self.doubtful_days, self.loss_days)
        if any(low >= high for low, high in pairwise(limits)):
            raise ValueError(f"the grades' limits do not rise: {', '.join(map(str, limits))}")
        return self


class WarningSettings(_Section):
    """When a customer is told early.

    Attributes:
        card_utilisation: Drawn share of the limits of all credit cards.
        balance_fall: Fall of deposits in three months, as a share of what they were.
        minimum_balance: Deposits before the fall, in the bank's currency, below which it is no signal.
        salary_months: Months without salary after one, out of three months in a row that had it.
        new_loans: Loans granted within three months.
    """

    card_utilisation: Share = 0.9
    balance_fall: Share = 0.7
    minimum_balance: float = Field(10_000, ge=0)
    salary_months: int = Field(2, ge=1, le=6)
    new_loans: int = Field(3, ge=2)


class RiskSettings(_Section):
    """Section ``risk``.

    Attributes:
        default_days: More days past due than this are default (90: CRE36.68 of the Basel framework).
        horizon_months: Within which the default is predicted.
        observation_months: Whole months of loan performance that must lie before an observation.
        minimum_months: Fewest month ends whose horizon is over; below it no model is fitted.
        minimum_defaults: Fewest different customers who defaulted; likewise.
        holdout_months: Latest of those month ends, kept for validation.
        score_months: Month ends that are scored: the latest and those before it.
        probability_floor: Least probability that a model may give (0.0005: CRE32.4).
        protected_attributes: Protected attributes that may enter the model; none unless the bank answers for it.
        reasons: Most reasons that are told of a customer.
        scorecard: How the scorecard is fitted and scaled.
        fallback: Probabilities by days past due where there is no model.
        stages: Stages of IFRS 9.
        grades: The five grades.
        warnings: Early warnings.
        concentration_share: Share of the bank's exposure from which on a customer or a group is flagged.
        conversion_factor: Share of the undrawn limit of credit cards that counts as exposure (0.4: CRE20.100), and
        loss_given_default: share of the exposure that is lost in default (0.45: CRE32.6, senior claims without
            collateral), where contribution has no terms of the product.
    """

    default_days: Days = 90
    horizon_months: int = Field(12, ge=1, le=36)
    observation_months: int = Field(3, ge=1, le=24)
    minimum_months: int = Field(6, ge=2)
    minimum_defaults: int = Field(50, ge=10)
    holdout_months: int = Field(3, ge=1)
    score_months: int = Field(13, ge=1, le=61)
    probability_floor: Share = 0.0005
    protected_attributes: tuple[Literal["sex"], ...] = ()
    reasons: int = Field(4, ge=1, le=10)
    scorecard: ScorecardSettings = ScorecardSettings()
    fallback: tuple[FallbackBucket, ...] = (
        FallbackBucket(up_to_days=0, probability=0.01),
        FallbackBucket(up_to_days=30, probability=0.08),
        FallbackBucket(up_to_days=60, probability=0.25),
        FallbackBucket(up_to_days=90, probability=0.50),
    )
    stages: StageSettings = StageSettings()
    grades: GradeSettings = GradeSettings()
    warnings: WarningSettings = WarningSettings()
    concentration_share: Share = 0.05
    conversion_factor: Share = 0.4
    loss_given_default: Share = 0.45

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.holdout_months >= self.minimum_months:
            raise ValueError("holdout_months leaves nothing to fit on: it must be below minimum_months")
        days = [bucket.up_to_days for bucket in self.fallback]
        chances = [bucket.probability for bucket in self.fallback]
        if not days or days != sorted(set(days)) or chances != sorted(chances):
            raise ValueError("fallback: days and probabilities must rise from bucket to bucket")
        if days[-1] < self.default_days:
            raise ValueError(f"fallback: the last bucket ends before default_days ({self.default_days})")
        return self

    def parameters(self, as_of: dt.date) -> dict[str, Any]:
        """What SQL takes as ``$risk`` (all scalars of the section) and ``$score_dates`` (month ends to score)."""
        return {
            "score_dates": month_ends(as_of, self.score_months),
            "risk": {
                "default_days": self.default_days,
                "fallback": [bucket.model_dump() for bucket in self.fallback],
                "concentration_share": self.concentration_share,
                "conversion_factor": self.conversion_factor,
                "loss_given_default": self.loss_given_default,
                **self.stages.model_dump(),
                **self.grades.model_dump(),
                **self.warnings.model_dump(),
            },
        }


def month_ends(last: dt.date, count: int) -> list[dt.date]:
    """So many month ends, the given one the latest, rising."""
    found = [last]
    for _ in range(count - 1):
        found.append(found[-1].replace(day=1) - dt.timedelta(days=1))
    return found[::-1]
