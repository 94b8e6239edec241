"""What ``value.yaml`` says of segments: life cycle, needs, service tiers and the service that each tier gets.

Every entry of the section ``segments`` is whole and holds from its ``valid_from`` until the next one begins. Here are
parameters and their limits, no rule: the rules are the SQL of ``mart.customer_segment``. docs/segments.md tells them.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Amount = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=2)]
Share = Annotated[float, Field(ge=0, le=1)]
Months = Annotated[int, Field(ge=1, le=120)]
PartyType = Literal["person", "organisation"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LifeCycleRules(_Section):
    """When a customer is at which stage of life with the bank.

    Attributes:
        new_months: For so many months after the first product a customer is new.
        dormant_months: Without an own transaction for so many months a customer is dormant,
        lost_months: and for so many lost, if no more than
        lost_assets: is left, in the bank's currency.
        growth: Assets above those of the nine months before by this share are growth,
        decline: and below them by this share decline.
        activity_decline: So is a fall of own transactions by this share.
        change_floor: A change of assets by less than this, in the bank's currency, is neither.
    """

    new_months: Months = 6
    dormant_months: Months = 6
    lost_months: Months = 12
    lost_assets: Amount = Decimal(100)
    growth: float = Field(0.2, gt=0)
    decline: Share = 0.2
    activity_decline: Share = 0.5
    change_floor: Amount = Decimal(1000)

    @model_validator(mode="after")
    def _lost_after_dormant(self) -> Self:
        if self.lost_months < self.dormant_months:
            raise ValueError("lost_months must not be below dormant_months")
        return self


class NeedsRules(_Section):
    """What a customer mainly uses the bank for; the first that fits, in this order.

    Attributes:
        invested_share: Investor: investments and insurance make up so much of the assets.
        debt_ratio: Borrower: debts are so many times the assets.
        saved_share: Saver: savings and term deposits make up so much of the assets.
        monthly_transactions: Transactor: so many own transactions a month.
        least_assets: Below it assets alone say nothing, in the bank's currency.
    """

    invested_share: Share = 0.3
    debt_ratio: float = Field(1.0, gt=0)
    saved_share: Share = 0.6
    monthly_transactions: float = Field(3.0, gt=0)
    least_assets: Amount = Decimal(1000)


class Tier(_Section):
    """A service tier, and the standard of service that belongs to it.

    Attributes:
        name: What the bank calls it.
        enter_assets: Average assets with which a customer comes into it,
        keep_assets: and below which the tier may be lost.
        enter_contribution: Contribution of twelve months with which a customer comes into it as well,
        keep_contribution: and with which it is kept as well. None: it does not count.
        contacts_per_year: How often the manager is to get in touch.
        manager_kind: Who looks after the customer.
        fee_waivers: Fees that are not charged.
    """

    name: str = Field(min_length=1)
    enter_assets: Amount = Decimal(0)
    keep_assets: Amount = Decimal(0)
    enter_contribution: Amount | None = None
    keep_contribution: Amount | None = None
    contacts_per_year: int = Field(0, ge=0, le=366)
    manager_kind: str = Field(min_length=1)
    fee_waivers: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _kept_below(self) -> Self:
        if self.keep_assets > self.enter_assets:
            raise ValueError(f"{self.name}: keep_assets must not be above enter_assets")
        if (self.enter_contribution is None) != (self.keep_contribution is None):
            raise ValueError(f"{self.name}: enter_contribution and keep_contribution go together")
        if self.keep_contribution is not None and self.keep_contribution > (self.enter_contribution or 0):
            raise ValueError(f"{self.name}: keep_contribution must not be above enter_contribution")
        return self


class SegmentRules(_Section):
    """All rules of segments from a day on.

    Attributes:
        valid_from: First day on which they hold.
        minimum_months: After a change a tier stays at least so long: it is not taken away sooner, and once taken away
            not given again sooner.
        life_cycle: Stages of life with the bank.
        needs: What customers use the bank for.
        tiers: Tiers of persons and of organisations, the lowest first; everybody reaches the lowest.
    """

    valid_from: dt.date = dt.date.min
    minimum_months: int = Field(3, ge=0, le=60)
    life_cycle: LifeCycleRules = LifeCycleRules()
    needs: NeedsRules = NeedsRules()
    tiers: dict[PartyType, tuple[Tier, ...]] = Field(default_factory=dict)

    @field_validator("tiers")
    @classmethod
    def _rising(cls, value: dict[PartyType, tuple[Tier, ...]]) -> dict[PartyType, tuple[Tier, ...]]:
        if value and set(value) != {"person", "organisation"}:
            raise ValueError("tiers are needed for person and for organisation")
        for party_type, tiers in value.items():
            names = [tier.name for tier in tiers]
            if len(set(names)) < len(names):
                raise ValueError(f"{party_type}: two tiers have the same name")
            if not tiers or tiers[0].enter_assets > 0:
                raise ValueError(f"{party_type}: the first tier must be open to everybody (enter_assets: 0)")
            for low, high in pairwise(tiers):
                if not (low.enter_assets < high.enter_assets and low.keep_assets < high.keep_assets):
                    raise ValueError(
                        f"{party_type}: enter_assets and keep_assets of {high.name} must be above those of {low.name}"
                    )
        return value

    def parameters(self) -> dict[str, Any]:
        """All scalars of the rules, as ``$segment`` of the tables' SQL."""
        return {
            "minimum_months": self.minimum_months,
            **self.life_cycle.model_dump(),
            **self.needs.model_dump(),
        }


def in_force(entries: Sequence[SegmentRules], date: dt.date) -> SegmentRules:
    """The entry that holds on a date; the defaults, without tiers, before the first one."""
    begun = [entry for entry in entries if entry.valid_from <= date]
    return max(begun, key=lambda entry: entry.valid_from) if begun else SegmentRules()


def service_standard_rows(entries: Sequence[SegmentRules]) -> Iterator[dict[str, Any]]:
    """Rows of ``mart.service_standard``: every tier of every entry, rank 1 the lowest."""
    ordered = sorted(entries, key=lambda entry: entry.valid_from)
    ends = [entry.valid_from for entry in ordered[1:]] + [None]
    for entry, valid_to in zip(ordered, ends, strict=False):
        for party_type, tiers in entry.tiers.items():
            for rank, tier in enumerate(tiers, start=1):
                yield {
                    "valid_from": entry.valid_from,
                    "valid_to": valid_to,
                    "party_type": party_type,
                    "service_tier": tier.name,
                    "tier_rank": rank,
                    "enter_assets_amount": tier.enter_assets,
                    "keep_assets_amount": tier.keep_assets,
                    "enter_contribution_amount": tier.enter_contribution,
                    "keep_contribution_amount": tier.keep_contribution,
                    "contacts_per_year": tier.contacts_per_year,
                    "manager_kind": tier.manager_kind,
                    "fee_waivers": ", ".join(tier.fee_waivers) or None,
                }
