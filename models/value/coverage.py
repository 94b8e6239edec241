"""Who gets which manager: customers take places with managers by rule, in the order of their value.

Here lives the allocation alone, a pure function of claims, managers and the policy, and its way from tables and back. A
manager has as many places for a tier as the policy says. Who names whom, and who looked after whom last night, is said
in ``coverage_claim.sql``; what is told of the outcome in ``mart.coverage``.

The rules, each for all customers before the next:

1. *kept*: whoever has a manager stays, as long as the manager has places;
2. *named*: whoever has none takes the first manager named who has a place; whose first name is another than last night
   moves there, if there is a place, and stays otherwise;
3. *household*: whoever has none yet takes the manager of the household's best member who has one;
   *branch*: whose tier needs a manager takes the one of the branch with fewest customers of the tier.

Rules 2 and 3 are gone through until nobody moves any more, so the outcome is a fixed point: the same claims with that
outcome as last night's change nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import duckdb
import pyarrow as pa

from models.value.coverage_settings import CoveragePolicy, PartyType

ManagerKey = tuple[str, str]
BranchKey = tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class Claim:
    """A customer who may get a manager: a row of ``value.coverage_claim``; keys are pairs (system, code)."""

    customer_id: str
    party_type: PartyType
    tier: str
    coverage_rank: int
    needs_manager: bool
    contribution: Decimal
    assets: Decimal
    household_id: str | None
    branch: BranchKey
    named: tuple[ManagerKey, ...]
    kept: ManagerKey | None
    is_named_anew: bool

    @property
    def precedence(self) -> tuple[object, ...]:
        """Order in which customers choose: who needs a manager, the higher tier, the more valuable."""
        return (not self.needs_manager, self.coverage_rank, -self.contribution, -self.assets, self.customer_id)


@dataclass(frozen=True, slots=True)
class Manager:
    """A manager of the bank with the branch, coded as in the manager's system, and the team."""

    key: ManagerKey
    branch_id: str | None
    team_name: str | None


@dataclass(frozen=True, slots=True)
class Seat:
    """A customer's manager, and the rule that gave it: kept, named, household or branch."""

    manager: ManagerKey
    rule: str


@dataclass
class _Places:
    """Places taken so far, and the bounds."""

    capacity: Mapping[str, int | None]
    seats: dict[str, Seat] = field(default_factory=dict)
    taken: Counter[tuple[ManagerKey, str]] = field(default_factory=Counter)
    customers: Counter[ManagerKey] = field(default_factory=Counter)
    of_household: defaultdict[str, list[ManagerKey]] = field(default_factory=lambda: defaultdict(list))

    def has_room(self, manager: ManagerKey, tier: str) -> bool:
        capacity = self.capacity.get(tier)
        return capacity is None or self.taken[manager, tier] < capacity

    def take(self, claim: Claim, offers: Iterable[ManagerKey], rule: str) -> bool:
        """Give the customer the first manager offered who has room; leaves the one before, if any."""
        for manager in offers:
            if self.has_room(manager, claim.tier):
                if claim.customer_id in self.seats:
                    self._count(claim, self.seats[claim.customer_id].manager, -1)
                self._count(claim, manager, 1)
                self.seats[claim.customer_id] = Seat(manager, rule)
                return True
        return False

    def _count(self, claim: Claim, manager: ManagerKey, by: int) -> None:
        self.taken[manager, claim.tier] += by
        self.customers[manager] += by

    def join_household(self, claim: Claim) -> None:
        manager = self.seats[claim.customer_id].manager
        if claim.household_id is not None and manager not in self.of_household[claim.household_id]:
            self.of_household[claim.household_id].append(manager)


def allocate(claims: Iterable[Claim], managers: Iterable[Manager], policy: CoveragePolicy) -> dict[str, Seat]:
    """Give each customer at most one manager; whoever is not in the result is the team's.

    Args:
        claims: customers whom a manager may look after, in any order.
        managers: all managers; a claim names no other.
        policy: capacities by tier, teams, and whether households stay together.

    Returns:
        Seats by customer id. The same whatever the order of the arguments, and never more customers of a tier with a
        manager than its capacity.
    """
    ordered = sorted(claims, key=lambda claim: claim.precedence)
    tiers = {row["service_tier"]: row["manager_capacity"] for row in policy.tier_rows()}
    places = _Places(tiers)
    for claim in ordered:
        if claim.kept is not None:
            places.take(claim, (claim.kept,), "kept")
    _named(ordered, places)
    for claim in ordered:
        if claim.customer_id in places.seats:
            places.join_household(claim)
    _household_and_branch(ordered, places, _by_branch(managers), policy)
    return places.seats


def seat_customers(con: duckdb.DuckDBPyConnection, policy: CoveragePolicy) -> None:
    """Create ``seat`` (customer_id, manager_system, manager_id, seat_rule), one row a customer with a manager.

    Args:
        con: Connection with views ``value.coverage_claim`` and ``customer.manager``.
        policy: Tonight's policy.
    """
    managers = con.execute("select system, manager_id, branch_id, team_name from customer.manager").fetchall()
    # whom neither claim nor household nor need brings to a manager is the team's, and needs no choosing
    claims = con.execute(
        """
        select
            customer_id, party_type, policy_tier, coverage_rank, served_by = 'manager', contribution_12m_amount,
            assets_amount, household_id, branch_system, branch_id,
            list_transform(named_managers, lambda n: n.manager_system),
            list_transform(named_managers, lambda n: n.manager_id),
            kept_manager_system, kept_manager_id, is_named_anew
        from value.coverage_claim
        where
            served_by <> 'team'
            and (served_by = 'manager' or len(named_managers) > 0 or kept_manager_id is not null or household_size > 1)
        """
    ).fetchall()
    seats = allocate(
        (_claim(*row) for row in claims),
        (Manager((system, code), branch_id, team_name) for system, code, branch_id, team_name in managers),
        policy,
    )
    found = pa.table(
        {
            "customer_id": pa.array(list(seats), pa.string()),
            "manager_system": pa.array([seat.manager[0] for seat in seats.values()], pa.string()),
            "manager_id": pa.array([seat.manager[1] for seat in seats.values()], pa.string()),
            "seat_rule": pa.array([seat.rule for seat in seats.values()], pa.string()),
        }
    )
    con.register("seat", found)


def _claim(
    customer_id: str,
    party_type: PartyType,
    tier: str,
    coverage_rank: int,
    needs_manager: bool,
    contribution: Decimal,
    assets: Decimal,
    household_id: str | None,
    branch_system: str | None,
    branch_id: str | None,
    named_systems: Sequence[str],
    named_ids: Sequence[str],
    kept_system: str | None,
    kept_id: str | None,
    is_named_anew: bool,
) -> Claim:
    return Claim(
        customer_id,
        party_type,
        tier,
        coverage_rank,
        needs_manager,
        contribution,
        assets,
        household_id,
        (branch_system, branch_id),
        tuple(zip(named_systems, named_ids, strict=True)),
        (kept_system, kept_id) if kept_system is not None and kept_id is not None else None,
        is_named_anew,
    )


def _named(ordered: Sequence[Claim], places: _Places) -> None:
    waiting = [c for c in ordered if c.named and (c.is_named_anew or c.customer_id not in places.seats)]
    while waiting:
        # a customer who moves leaves a place to those who were refused before
        still = [
            claim
            for claim in waiting
            if not places.take(claim, claim.named[:1] if claim.customer_id in places.seats else claim.named, "named")
        ]
        if len(still) == len(waiting):
            return
        waiting = still


def _household_and_branch(
    ordered: Sequence[Claim],
    places: _Places,
    staff: Mapping[BranchKey, Sequence[Manager]],
    policy: CoveragePolicy,
) -> None:
    waiting = [claim for claim in ordered if claim.customer_id not in places.seats]
    while waiting:
        still = []
        for claim in waiting:
            household = places.of_household.get(claim.household_id or "", []) if policy.household_together else []
            if places.take(claim, household, "household") or (
                claim.needs_manager and places.take(claim, _of_branch(claim, places, staff, policy), "branch")
            ):
                places.join_household(claim)
            else:
                still.append(claim)
        if len(still) == len(waiting):
            return
        waiting = still


def _of_branch(
    claim: Claim, places: _Places, staff: Mapping[BranchKey, Sequence[Manager]], policy: CoveragePolicy
) -> list[ManagerKey]:
    """The manager of the branch with room who has fewest customers of the tier, then fewest in all."""
    teams = policy.team(claim.party_type).managers
    free = [
        (places.taken[manager.key, claim.tier], places.customers[manager.key], manager.key)
        for manager in staff.get(claim.branch, ())
        if (not teams or manager.team_name in teams) and places.has_room(manager.key, claim.tier)
    ]
    return [min(free)[2]] if free else []


def _by_branch(managers: Iterable[Manager]) -> dict[BranchKey, list[Manager]]:
    staff: defaultdict[BranchKey, list[Manager]] = defaultdict(list)
    for manager in managers:
        if manager.branch_id is not None:
            staff[manager.key[0], manager.branch_id].append(manager)
    return dict(staff)
