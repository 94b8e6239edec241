"""What ``value.yaml`` says of coverage: who looks after which tier, how many customers, and whose word goes first.

A policy holds from its first day until the next one begins, and is whole. How it is applied is said in
``models.value.coverage`` and ``coverage_claim.sql``; docs/coverage.md tells the method.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

OTHER_TIERS = "*"

ServedBy = Literal["manager", "any", "team"]
PartyType = Literal["person", "organisation"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TierCoverage(_Section):
    """Who looks after the customers of a tier.

    Attributes:
        served_by: ``manager``: each needs one, and one is sought in the branch where none is named; ``any``: the one
            who is named, else the team; ``team``: the team, whoever is named.
        capacity: Customers of the tier that one manager can look after; None: as many as there are.
    """

    served_by: ServedBy = "any"
    capacity: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _team_has_no_capacity(self) -> Self:
        if self.served_by == "team" and self.capacity is not None:
            raise ValueError("a tier that the team looks after has no capacity of a manager: leave it out")
        return self


class TeamCoverage(_Section):
    """The teams for customers of one kind.

    Attributes:
        responsible: Team of the branch that looks after those without a manager.
        managers: Teams among whose managers one is sought; none named: all.
    """

    responsible: str = Field("team of the branch", min_length=1)
    managers: tuple[str, ...] = ()


class HomeBranch(_Section):
    """The branch that is in charge where no system names one that exists."""

    system: str
    branch_id: str


class CoveragePolicy(_Section):
    """How coverage is decided from a day on.

    Attributes:
        valid_from: First day.
        systems: Systems in the order in which their word counts; those not named come last, together.
        coded_as: Systems that write the codes of another one for managers and branches: one person is one manager.
        household_together: Whether who has no manager of their own is offered the one of the household.
        home_branch: The branch of customers without one.
        teams: By kind of customer.
        tiers: By service tier, the highest first.
        other_tiers: For customers without a tier, or of one that is not named.
        at_risk_from: Probability of leaving from which the scorecard counts a customer as at risk.
    """

    valid_from: dt.date
    systems: tuple[str, ...] = ()
    coded_as: dict[str, str] = Field(default_factory=dict)
    household_together: bool = True
    home_branch: HomeBranch | None = None
    teams: dict[PartyType, TeamCoverage] = Field(default_factory=dict)
    tiers: dict[str, TierCoverage] = Field(default_factory=dict)
    other_tiers: TierCoverage = TierCoverage()
    at_risk_from: Annotated[float, Field(gt=0, le=1)] = 0.2

    @field_validator("tiers")
    @classmethod
    def _no_reserved_name(cls, value: dict[str, TierCoverage]) -> dict[str, TierCoverage]:
        if OTHER_TIERS in value:
            raise ValueError(f"{OTHER_TIERS!r} is no tier: say it under other_tiers")
        return value

    def team(self, party_type: PartyType) -> TeamCoverage:
        """Teams for a kind of customer."""
        return self.teams.get(party_type, TeamCoverage())

    def tier_rows(self) -> Iterator[dict[str, Any]]:
        """Rows of ``value.coverage_tier``: the tiers from the highest on, then all others under ``*``."""
        for rank, (name, tier) in enumerate([*self.tiers.items(), (OTHER_TIERS, self.other_tiers)], start=1):
            yield {
                "service_tier": name,
                "coverage_rank": rank,
                "served_by": tier.served_by,
                "manager_capacity": tier.capacity,
                "valid_from": self.valid_from,
            }


class CoverageSettings(_Section):
    """Section ``coverage``; without a policy whoever is named is responsible, else the team of the branch.

    Attributes:
        policies: Each from its first day on.
    """

    policies: tuple[CoveragePolicy, ...] = ()

    @field_validator("policies")
    @classmethod
    def _in_order(cls, value: tuple[CoveragePolicy, ...]) -> tuple[CoveragePolicy, ...]:
        days = [policy.valid_from for policy in value]
        if twice := sorted({str(day) for day in days if days.count(day) > 1}):
            raise ValueError(f"two policies begin on {', '.join(twice)}; a policy holds until the next begins")
        return tuple(sorted(value, key=lambda policy: policy.valid_from))

    def in_force(self, business_date: dt.date) -> CoveragePolicy:
        """The latest policy begun on or before the date; the defaults where none has."""
        begun = [policy for policy in self.policies if policy.valid_from <= business_date]
        return begun[-1] if begun else CoveragePolicy(valid_from=dt.date.min)

    def parameters(self, business_date: dt.date) -> dict[str, Any]:
        """What the SQL of coverage takes as ``$coverage_...``."""
        policy = self.in_force(business_date)
        home = policy.home_branch
        return {
            "coverage_systems": list(policy.systems),
            "coverage_coded": list(policy.coded_as),
            "coverage_coded_as": list(policy.coded_as.values()),
            "coverage_home_system": home.system if home else None,
            "coverage_home_branch": home.branch_id if home else None,
            "coverage_person_team": policy.team("person").responsible,
            "coverage_organisation_team": policy.team("organisation").responsible,
            "coverage_at_risk_from": policy.at_risk_from,
        }

    def named_systems(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Every system that is named, with where: there must be a contract of it."""
        for number, policy in enumerate(self.policies):
            where = ("policies", number)
            for place, system in enumerate(policy.systems):
                yield (*where, "systems", place), system
            for system, other in policy.coded_as.items():
                yield (*where, "coded_as", system), system
                yield (*where, "coded_as", system), other
            if policy.home_branch:
                yield (*where, "home_branch", "system"), policy.home_branch.system
