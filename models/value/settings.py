"""What ``value.yaml`` says: every parameter of contribution, risk, segments, behaviour and coverage.

Each part keeps its section in a module of its own; here they become one. A bank without the file values nothing.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.value.churn_settings import ChurnSettings
from models.value.contribution_settings import ContributionSettings
from models.value.coverage_settings import CoverageSettings
from models.value.model_settings import ModelSettings
from models.value.next_product_settings import NextProductSettings
from models.value.risk_settings import RiskSettings
from models.value.segment_settings import SegmentRules, in_force


class ValueSettings(BaseModel):
    """All sections.

    Attributes:
        history_months: Months before the business date's own whose transactions are read.
        models: Which fitted models are approved (models.value.model_settings).
        churn: Who leaves, and how that is fitted (models.value.churn_settings).
        next_product: The next product, and how that is fitted (models.value.next_product_settings).
        segments: Life cycle, needs and service tiers, by date (models.value.segment_settings).
        risk: Default, scorecard, grades, stages and warnings (models.value.risk_settings).
        contribution: Parameters of contribution (models.value.contribution_settings).
        coverage: Who looks after whom (models.value.coverage_settings).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    history_months: int = Field(36, ge=1, le=240)
    models: ModelSettings = ModelSettings()
    risk: RiskSettings = RiskSettings()
    churn: ChurnSettings = ChurnSettings()
    next_product: NextProductSettings = NextProductSettings()
    segments: tuple[SegmentRules, ...] = ()
    contribution: ContributionSettings = ContributionSettings()
    coverage: CoverageSettings = CoverageSettings()

    @model_validator(mode="after")
    def _history_is_read(self) -> "ValueSettings":
        if self.contribution.months > self.history_months:
            raise ValueError(
                f"contribution.months is {self.contribution.months}, but only {self.history_months} months of "
                f"transactions are read: raise history_months"
            )
        return self

    @model_validator(mode="after")
    def _covered_tiers_exist(self) -> "ValueSettings":
        tiers = {tier.name for entry in self.segments for of_party in entry.tiers.values() for tier in of_party}
        covered = {name for policy in self.coverage.policies for name in policy.tiers}
        if self.segments and (unknown := sorted(covered - tiers)):
            raise ValueError(f"coverage speaks of tiers that segments does not have: {', '.join(unknown)}")
        return self

    def systems(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Every system that the settings name, with where: there must be a contract of it."""
        for where, system in self.coverage.named_systems():
            yield ("coverage", *where), system

    def parameters(self, business_date: dt.date) -> dict[str, Any]:
        """Values that the tables' SQL takes as ``$name`` on a business date.

        ``first_month``: first day of the earliest month whose transactions are read.
        ``contribution_from``: first day of the earliest month that is valued.
        ``as_of_date``: the latest month end on or before the date, as of which models judge.
        ``risk``, ``score_dates``: as ``RiskSettings.parameters`` tells.
        ``churn``, ``churn_dates``: as ``ChurnSettings.parameters`` tells.
        ``segment``: the rules in force, as ``SegmentRules.parameters`` tells.
        ``coverage_...``: as ``CoverageSettings.parameters`` tells.
        """
        return {
            "first_month": months_before(business_date, self.history_months),
            "contribution_from": months_before(business_date, self.contribution.months),
            "as_of_date": latest_month_end(business_date),
            **self.risk.parameters(latest_month_end(business_date)),
            **self.churn.parameters(latest_month_end(business_date)),
            "segment": in_force(self.segments, business_date).parameters(),
            **self.coverage.parameters(business_date),
        }


def months_before(date: dt.date, months: int) -> dt.date:
    """First day of the month that lies so many months before the date's own."""
    number = date.year * 12 + date.month - 1 - months
    return dt.date(number // 12, number % 12 + 1, 1)


def latest_month_end(date: dt.date) -> dt.date:
    """The latest last day of a month on or before the date."""
    tomorrow = date + dt.timedelta(days=1)
    return date if tomorrow.day == 1 else date.replace(day=1) - dt.timedelta(days=1)
