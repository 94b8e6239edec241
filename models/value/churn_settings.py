"""What ``value.yaml`` says of leaving: who is active, who has left, how the model is fitted, the rule without one.

Here are parameters and their limits. The characteristics are the SQL of ``value.behaviour_feature``, the model is
``models.value.churn_model``. docs/behaviour.md tells the method.
"""

import datetime as dt
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0, le=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SilenceBucket(_Section):
    """Probability of leaving of customers whose last own transaction was up to so many days ago, without a model."""

    up_to_days: int = Field(ge=0)
    probability: Share


class ChurnBands(_Section):
    """Probabilities from which on a customer is in the band ``medium`` or ``high``; ``low`` below."""

    medium: Share = 0.05
    high: Share = 0.2


class ChurnSettings(_Section):
    """Section ``churn``.

    Attributes:
        active_months: Active is who made an own transaction in so many months up to a month end,
        minimum_balance: and whose accounts held more than this then, in the bank's currency.
        horizon_months: Within which leaving is predicted.
        silent_months: Left has who made no own transaction in the last so many months of the horizon,
        balance_share: and holds less at its end than this share of the balance at the month end.
        observation_months: Whole months of transactions that must lie before an observation.
        minimum_months: Fewest month ends to fit on; below it no model is fitted.
        minimum_churned: Fewest of them where somebody left; likewise.
        calibration_months: Latest of the month ends to fit on, which choose the method and calibrate it.
        holdout_months: Month ends after all of them, kept for validation.
        maximum_observations: Most observations that are fitted on; of more customers a fixed sample is taken.
        reasons: Most reasons that are told of a customer.
        protected_attributes: Protected attributes that may enter the model; none unless the bank answers for it.
        bands: Bands of the probability.
        fallback: Probabilities by days since the last own transaction, where there is no model.
    """

    active_months: int = Field(3, ge=1, le=12)
    minimum_balance: float = Field(100, ge=0)
    horizon_months: int = Field(3, ge=1, le=12)
    silent_months: int = Field(3, ge=1, le=12)
    balance_share: Share = 0.2
    observation_months: int = Field(6, ge=1, le=24)
    minimum_months: int = Field(4, ge=2)
    minimum_churned: int = Field(50, ge=20)
    calibration_months: int = Field(2, ge=1)
    holdout_months: int = Field(2, ge=1)
    maximum_observations: int = Field(400_000, ge=1000)
    reasons: int = Field(3, ge=1, le=10)
    protected_attributes: tuple[Literal["sex"], ...] = ()
    bands: ChurnBands = ChurnBands()
    fallback: tuple[SilenceBucket, ...] = (
        SilenceBucket(up_to_days=15, probability=0.01),
        SilenceBucket(up_to_days=31, probability=0.03),
        SilenceBucket(up_to_days=62, probability=0.1),
        SilenceBucket(up_to_days=366, probability=0.25),
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.silent_months > self.horizon_months:
            raise ValueError("silent_months must not be above horizon_months")
        if self.calibration_months >= self.minimum_months:
            raise ValueError("calibration_months leaves nothing to fit on: it must be below minimum_months")
        if self.bands.medium > self.bands.high:
            raise ValueError("bands: medium must not be above high")
        days = [bucket.up_to_days for bucket in self.fallback]
        chances = [bucket.probability for bucket in self.fallback]
        if not days or days != sorted(set(days)) or chances != sorted(chances):
            raise ValueError("fallback: days and probabilities must rise from bucket to bucket")
        return self

    def parameters(self, as_of: dt.date) -> dict[str, Any]:
        """What SQL takes as ``$churn`` (scalars of the section) and ``$churn_dates`` (the month end to score)."""
        return {
            "churn_dates": [as_of],
            "churn": {
                "active_months": self.active_months,
                "minimum_balance": self.minimum_balance,
                "medium": self.bands.medium,
                "high": self.bands.high,
            },
        }
