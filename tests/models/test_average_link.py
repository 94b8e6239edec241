"""Grouping by average link: what is joined, what is kept apart and why; pure arrays, every case worked out by hand."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.identity.average_link import AMBIGUOUS, NOT_COHESIVE, Bounds, link_by_average, linked_components
from models.identity.constrained import Attribute, Constraint

BOUNDS = Bounds(link=5.0, cohesion=0.0, margin=3.0, absent=-5.0, most=50)
Pairs = dict[tuple[int, int], float]


def _link(count: int, pairs: Pairs, constraints: tuple[Constraint, ...] = (), bounds: Bounds = BOUNDS) -> list[int]:
    return _grouping(count, pairs, constraints, bounds)[0]


def _grouping(
    count: int, pairs: Pairs, constraints: tuple[Constraint, ...] = (), bounds: Bounds = BOUNDS
) -> tuple[list[int], dict[tuple[int, int], str]]:
    ends = list(pairs)
    left, right = (np.array([pair[side] for pair in ends], dtype=np.int64) for side in (0, 1))
    found = link_by_average(count, left, right, np.array(list(pairs.values()), dtype=np.float64), bounds, constraints)
    return found.group.tolist(), {ends[n]: why for n, why in zip(found.refused.tolist(), found.reasons, strict=True)}


def _documents(*numbers: int | None) -> Constraint:
    held = [(thing, number) for thing, number in enumerate(numbers) if number is not None]
    things, values = (np.array([row[side] for row in held], dtype=np.int64) for side in (0, 1))
    return Constraint("two documents", (Attribute(things, values),), subset=True)


def test_a_pair_below_the_link_joins_nothing_and_one_from_it_on_does() -> None:
    assert _link(2, {(0, 1): 4.9}) == [0, 1]
    assert _link(2, {(0, 1): 5.0}) == [0, 0]


def test_nothing_at_all() -> None:
    assert _grouping(0, {}) == ([], {})
    assert _grouping(3, {}) == ([0, 1, 2], {})


@pytest.mark.parametrize(
    ("weight", "joined"),
    # 0 and 1 first (20); 2 then weighs (12 + w) / 2 against them: joined from w = -12 on
    [(-12.0, [0, 0, 0]), (-12.1, [0, 0, 2])],
)
def test_every_pair_between_two_groups_has_a_say(weight: float, joined: list[int]) -> None:
    assert _link(3, {(0, 1): 20.0, (0, 2): 12.0, (1, 2): weight}) == joined


def test_a_pair_that_was_not_scored_counts_as_absent() -> None:
    # (9 - 5) / 2 = 2 is enough, (9 - 20) / 2 is not
    chain = {(0, 1): 20.0, (1, 2): 9.0}
    assert _link(3, chain) == [0, 0, 0]
    assert _link(3, chain, bounds=Bounds(5.0, 0.0, 3.0, -20.0, 50)) == [0, 0, 2]


def test_what_agrees_and_is_not_joined_is_told_with_its_reason() -> None:
    cross = dict.fromkeys(itertools.product((0, 1), (2, 3)), -20.0)
    pairs = {(0, 1): 20.0, (2, 3): 20.0, **cross, (1, 2): 8.0}
    assert _grouping(4, pairs) == ([0, 0, 2, 2], {(1, 2): NOT_COHESIVE})
    assert _grouping(2, {(0, 1): 30.0}, (_documents(7, 8),)) == ([0, 1], {(0, 1): "two documents"})


def test_a_group_that_fits_two_which_exclude_each_other_joins_neither_unless_one_is_clearly_better() -> None:
    two = (_documents(7, 8, None),)
    assert _grouping(3, {(0, 2): 20.0, (1, 2): 18.0}, two) == ([0, 1, 2], {(0, 2): AMBIGUOUS, (1, 2): AMBIGUOUS})
    assert _link(3, {(0, 2): 20.0, (1, 2): 16.0}, two) == [0, 1, 0]


def test_a_hub_falls_apart_where_its_links_are_weakest() -> None:
    # two groups of three, strong inside, and a hub that links all six
    pairs = {pair: 30.0 for group in ((0, 1, 2), (3, 4, 5)) for pair in itertools.combinations(group, 2)}
    pairs |= {(thing, 6): 6.0 for thing in range(6)}
    left, right = (np.array([pair[side] for pair in pairs]) for side in (0, 1))
    weight = np.array(list(pairs.values()))
    assert linked_components(7, left, right, weight, 5.0, 7).tolist() == [0] * 7
    assert linked_components(7, left, right, weight, 5.0, 4).tolist() == [0, 0, 0, 3, 3, 3, 6]


def _naive(count: int, pairs: Pairs) -> set[frozenset[int]]:
    """Average link over sets, without constraints, ties to the smaller numbers; components of links only."""
    component = {thing: {thing} for thing in range(count)}
    for (one, other), weight in pairs.items():
        if weight >= BOUNDS.link and component[one] is not component[other]:
            component[one] |= component[other]
            for thing in component[one]:
                component[thing] = component[one]
    groups = [{thing} for thing in range(count)]
    while True:
        best: tuple[float, int, int] | None = None
        for one, other in itertools.combinations(sorted(groups, key=min), 2):
            if component[min(one)] is not component[min(other)]:
                continue
            weights = [pairs.get((min(p), max(p)), BOUNDS.absent) for p in itertools.product(one, other)]
            average = sum(weights) / len(weights)
            if average >= BOUNDS.cohesion and (best is None or average > best[0]):
                best = (average, min(one), min(other))
        if best is None:
            return {frozenset(group) for group in groups}
        one, other = (next(group for group in groups if smallest in group) for smallest in best[1:])
        groups.remove(other)
        one |= other


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.integers(2, 8).flatmap(lambda n: st.tuples(st.just(n), st.data())))
def test_it_is_average_link(drawn: tuple[int, st.DataObject]) -> None:
    count, data = drawn
    possible = list(itertools.combinations(range(count), 2))
    chosen = data.draw(st.lists(st.sampled_from(possible), unique=True))
    pairs = {pair: float(data.draw(st.integers(-15, 30))) for pair in sorted(chosen)}
    group = _link(count, pairs)
    found = {frozenset(np.flatnonzero(np.array(group) == smallest).tolist()) for smallest in set(group)}
    assert found == _naive(count, pairs)
