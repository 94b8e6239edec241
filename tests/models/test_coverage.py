"""Who gets which manager: the rules by hand, and over random banks what must hold whatever they are."""

import random
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from models.value.coverage import Claim, Manager, ManagerKey, Seat, allocate
from models.value.coverage_settings import CoveragePolicy, CoverageSettings

M1, M2, M3 = ("core", "M1"), ("core", "M2"), ("core", "M3")
NORTH, SOUTH = ("core", "N"), ("core", "S")
STAFF = (Manager(M1, "N", "wealth"), Manager(M2, "N", "retail"), Manager(M3, "S", "wealth"))
TIERS: dict[str, Any] = {
    "private": {"served_by": "manager", "capacity": 2},
    "gold": {"served_by": "any", "capacity": 1},
    "basic": {"served_by": "team"},
}


def policy(**said: Any) -> CoveragePolicy:
    return CoveragePolicy.model_validate({"valid_from": "2026-01-01", "tiers": TIERS, **said})


def customer(customer_id: str, tier: str = "gold", worth: int = 0, **said: Any) -> Claim:
    rank = list(TIERS).index(tier) + 1
    claim = Claim(
        customer_id, "person", tier, rank, tier == "private", Decimal(worth), Decimal(0), None, NORTH, (), None, False
    )
    return replace(claim, **said)


def seats(*claims: Claim, **said: Any) -> dict[str, Seat]:
    return allocate(claims, STAFF, policy(**said))


def test_the_manager_named_first_looks_after_the_customer() -> None:
    assert seats(customer("A", named=(M2, M1))) == {"A": Seat(M2, "named")}


def test_nobody_gets_a_manager_whose_tier_needs_none_and_whom_no_system_gives_one() -> None:
    assert seats(customer("A")) == {}


def test_places_go_to_those_who_are_worth_more_and_the_others_to_the_next_named_or_the_team() -> None:
    found = seats(
        customer("A", worth=10, named=(M1,)),
        customer("B", worth=30, named=(M1,)),
        customer("C", worth=20, named=(M1, M3)),
    )
    assert found == {"B": Seat(M1, "named"), "C": Seat(M3, "named")}


def test_who_is_there_stays_however_valuable_the_newcomer_is() -> None:
    found = seats(customer("A", worth=1, kept=M1), customer("B", worth=1000, named=(M1,)))
    assert found == {"A": Seat(M1, "kept")}


def test_of_those_who_are_there_the_least_valuable_go_when_the_capacity_falls() -> None:
    claims = [customer(name, "private", worth, kept=M3, branch=NORTH) for name, worth in (("A", 3), ("B", 1), ("C", 2))]
    found = seats(*claims)
    assert (found["A"], found["C"]) == (Seat(M3, "kept"), Seat(M3, "kept"))
    assert found["B"] == Seat(M1, "branch")  # the tier needs a manager: one of the own branch is found


def test_a_new_name_moves_the_customer_and_a_full_one_leaves_them_where_they_are() -> None:
    anew = customer("A", kept=M1, named=(M2,), is_named_anew=True)
    assert seats(anew) == {"A": Seat(M2, "named")}
    assert seats(anew, customer("B", kept=M2)) == {"A": Seat(M1, "kept"), "B": Seat(M2, "kept")}


def test_another_name_than_the_one_who_stays_moves_nobody_unless_it_is_new() -> None:
    assert seats(customer("A", kept=M1, named=(M2,))) == {"A": Seat(M1, "kept")}


def test_the_place_of_who_moves_goes_to_who_was_refused_before() -> None:
    found = seats(
        customer("A", worth=9, named=(M1,)),  # tried first, while B is still with M1
        customer("B", worth=1, kept=M1, named=(M2,), is_named_anew=True),
    )
    assert found == {"A": Seat(M1, "named"), "B": Seat(M2, "named")}


def test_a_household_stays_together_if_the_bank_wants_it() -> None:
    family = [
        customer("A", "private", 5, household_id="H", named=(M3,)),
        customer("B", "gold", household_id="H"),
        customer("C", "gold", household_id="H", named=(M1,)),
    ]
    assert seats(*family) == {"A": Seat(M3, "named"), "B": Seat(M3, "household"), "C": Seat(M1, "named")}
    assert "B" not in seats(*family, household_together=False)


def test_who_needs_a_manager_gets_the_least_loaded_of_the_branch_and_the_household_follows() -> None:
    found = seats(
        customer("A", "private", 9, named=(M1,)),
        customer("B", "private", 8, household_id="H"),
        customer("C", "gold", 7, household_id="H"),
    )
    assert found["B"] == Seat(M2, "branch")
    assert found["C"] == Seat(M2, "household")


def test_only_managers_of_the_right_teams_and_the_right_branch_are_sought() -> None:
    teams = {"person": {"managers": ["wealth"]}}
    alone = customer("A", "private")
    assert seats(alone, teams=teams) == {"A": Seat(M1, "branch")}
    assert seats(replace(alone, branch=(None, None)), teams=teams) == {}
    assert seats(replace(alone, party_type="organisation"), teams={"organisation": {"managers": ["corporate"]}}) == {}


# whatever the bank is

MANAGERS = tuple(Manager(("core", f"M{n}"), "NSE"[n % 3], ("wealth", "retail")[n % 2]) for n in range(6))
_KEY = st.sampled_from([manager.key for manager in MANAGERS])
_CLAIM = st.builds(
    lambda tier, worth, household, branch, named, kept, anew: customer(
        "", tier, worth, household_id=household, branch=("core", branch), named=tuple(named), kept=kept,
        is_named_anew=bool(anew and kept and named and named[0] != kept),
    ),
    st.sampled_from(["private", "gold"]), st.integers(-3, 3), st.sampled_from([None, "H1", "H2", "H3"]),
    st.sampled_from("NSEX"), st.lists(_KEY, max_size=3, unique=True), st.none() | _KEY, st.booleans(),
)  # fmt: skip
_CLAIMS = st.lists(_CLAIM, max_size=30).map(
    lambda claims: [replace(claim, customer_id=f"C{number:02d}") for number, claim in enumerate(claims)]
)
_POLICY = st.builds(
    lambda private, gold, together, teams: policy(
        tiers={
            "private": {"served_by": "manager", "capacity": private},
            "gold": {"served_by": "any", "capacity": gold},
        },
        household_together=together,
        teams={"person": {"managers": teams}},
    ),
    st.none() | st.integers(1, 4), st.none() | st.integers(1, 4), st.booleans(),
    st.sampled_from([[], ["wealth"], ["wealth", "retail"]]),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(_CLAIMS, _POLICY, st.integers(0, 5))
def test_the_outcome_keeps_capacities_knows_no_order_and_stands(
    claims: list[Claim], said: CoveragePolicy, seed: int
) -> None:
    found = allocate(claims, MANAGERS, said)

    by_id = {claim.customer_id: claim for claim in claims}
    assert set(found) <= set(by_id)
    taken: Counter[tuple[ManagerKey, str]] = Counter((s.manager, by_id[c].tier) for c, s in found.items())
    assert all(count <= (said.tiers[tier].capacity or count) for (_, tier), count in taken.items())

    drawn = random.Random(seed)
    assert allocate(drawn.sample(claims, len(claims)), drawn.sample(MANAGERS, len(MANAGERS)), said) == found

    next_night = [
        replace(claim, kept=found[claim.customer_id].manager if claim.customer_id in found else None,
                is_named_anew=False)
        for claim in claims
    ]  # fmt: skip
    again = allocate(next_night, MANAGERS, said)
    assert {c: s.manager for c, s in again.items()} == {c: s.manager for c, s in found.items()}


@settings(max_examples=100, deadline=None)
@given(_CLAIMS, _POLICY)
def test_nobody_waits_for_a_manager_who_has_room(claims: list[Claim], said: CoveragePolicy) -> None:
    found = allocate(claims, MANAGERS, said)
    taken = Counter((seat.manager, claim.tier) for claim in claims if (seat := found.get(claim.customer_id)))
    teams = said.team("person").managers
    for claim in claims:
        offers = list(claim.named)
        if claim.needs_manager:
            offers += [m.key for m in MANAGERS
                       if (m.key[0], m.branch_id) == claim.branch and (not teams or m.team_name in teams)]  # fmt: skip
        if claim.customer_id not in found:
            capacity = said.tiers[claim.tier].capacity
            assert not offers or capacity is not None
            assert all(taken[manager, claim.tier] >= (capacity or 0) for manager in offers)


# settings


def test_the_policy_in_force_is_the_latest_begun() -> None:
    said = CoverageSettings.model_validate(
        {"policies": [{"valid_from": "2026-06-01", "systems": ["new"]}, {"valid_from": "2026-01-01"}]}
    )
    assert [p.systems for p in said.policies] == [(), ("new",)]
    june = said.policies[1].valid_from
    assert said.in_force(june).systems == ("new",)
    assert said.in_force(june.replace(month=5)).systems == ()
    assert said.in_force(june.replace(year=2025)).tiers == {}


@pytest.mark.parametrize(
    ("policies", "told"),
    [
        ([{"valid_from": "2026-01-01"}, {"valid_from": "2026-01-01"}], "two policies begin on 2026-01-01"),
        ([{"valid_from": "2026-01-01", "tiers": {"*": {}}}], "say it under other_tiers"),
        ([{"valid_from": "2026-01-01", "tiers": {"basic": {"served_by": "team", "capacity": 3}}}], "leave it out"),
    ],
)
def test_mistakes_of_the_policies_are_told(policies: list[dict[str, Any]], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        CoverageSettings.model_validate({"policies": policies})
