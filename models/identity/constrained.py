"""Grouping numbered things under constraints: pure functions over integer arrays.

Edges are taken by descending weight; a union that would put things together which exclude each other is
refused and said so. Where no constraint is touched the result is the connected components, which are found
whole-array; only components that hold a contradiction are walked edge by edge. Ties are broken by the numbers
of the ends, so the order of the input never matters. Nothing here knows a party or a table.
"""

from collections import defaultdict
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


def _none() -> Integers:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Attribute:
    """Values of one attribute: ``values[i]`` (any integer code) belongs to thing ``things[i]``."""

    things: Integers = field(default_factory=_none)
    values: Integers = field(default_factory=_none)


@dataclass(frozen=True)
class Constraint:
    """What may not come together.

    Attributes:
        reason: Said of every union that it refuses.
        attributes: Two groups exclude each other when they disagree on **all** of these attributes.
        subset: A disagreement is that neither group's values hold all of the other's; else that the groups
            have no value in common. A group without a value disagrees with nobody.
        pairs: Or, instead of attributes: pairs of things (two columns) that may not share a group.
    """

    reason: str
    attributes: tuple[Attribute, ...] = ()
    subset: bool = False
    pairs: tuple[Integers, Integers] | None = None


@dataclass(frozen=True)
class Grouping:
    """Result: the smallest member of each thing's group, and edges refused with reasons."""

    group: Integers
    refused: Integers
    reasons: list[str]


def connected_components(count: int, left: Integers, right: Integers) -> Integers:
    """Smallest member of the component of each of ``count`` things; edges are ``left[i] - right[i]``."""
    label: Integers = np.arange(count, dtype=np.int64)
    while len(left):
        low = np.minimum(label[left], label[right])
        lower = label.copy()
        np.minimum.at(lower, label[left], low)
        np.minimum.at(lower, label[right], low)
        while not np.array_equal(jumped := lower[lower], lower):
            lower = jumped
        if np.array_equal(lower, label):
            break
        label = lower
        open_edges = label[left] != label[right]
        left, right = left[open_edges], right[open_edges]
    return label


def group_under_constraints(
    count: int,
    left: Integers,
    right: Integers,
    weight: Floats,
    constraints: tuple[Constraint, ...],
    joined: tuple[Integers, Integers] | None = None,
) -> Grouping:
    """Join things along edges, strongest first, as far as the constraints allow.

    Args:
        count: Things are numbered 0 to ``count - 1``.
        left: One end of each edge, the smaller number.
        right: The other end.
        weight: Strength of each edge; where equal, the edge with the smaller ends comes first.
        constraints: Facts that forbid a union.
        joined: Pairs of things (two columns) that are one to begin with, whatever the constraints say.

    Returns:
        The grouping. ``refused`` are positions of edges whose ends could not be brought together.
    """
    if joined is not None and len(joined[0]):
        one = connected_components(count, *joined)
        ends = one[left], one[right]
        told = tuple(_of_joined(constraint, one) for constraint in constraints)
        grouping = group_under_constraints(count, np.minimum(*ends), np.maximum(*ends), weight, told)
        return Grouping(grouping.group[one], grouping.refused, grouping.reasons)
    component = connected_components(count, left, right)
    touched = np.zeros(count, dtype=bool)
    for constraint in constraints:
        touched[contradictory(component, constraint)] = True
    walked = np.flatnonzero(touched[component[left]]) if len(left) else _none()
    if not len(walked):
        return Grouping(component, _none(), [])
    order = walked[np.lexsort((right[walked], left[walked], -weight[walked]))]
    forest = Forest(np.flatnonzero(touched[component]), constraints)
    refused, reasons = [], []
    for edge in order.tolist():
        verdict = forest.join(int(left[edge]), int(right[edge]))
        if verdict:
            refused.append(edge)
            reasons.append(verdict)
    group = component.copy()
    for thing in forest.members:
        group[thing] = forest.smallest(thing)
    return Grouping(group, np.array(refused, np.int64), reasons)


def _of_joined(constraint: Constraint, one: Integers) -> Constraint:
    """The constraint said of things that stand for several: ``one[i]`` is the one that stands for thing ``i``."""
    attributes = tuple(Attribute(one[a.things], a.values) for a in constraint.attributes)
    if constraint.pairs is None:
        return replace(constraint, attributes=attributes)
    left, right = (one[end] for end in constraint.pairs)
    return replace(constraint, pairs=(left[left != right], right[left != right]))


def contradictory(component: Integers, constraint: Constraint) -> Integers:
    """Components in which the constraint could refuse anything."""
    if constraint.pairs is not None:
        one, other = constraint.pairs
        together: Integers = component[one[component[one] == component[other]]]
        return together
    found: Integers | None = None
    for attribute in constraint.attributes:
        owner = component[attribute.things]
        pairs = np.unique(np.stack((owner, attribute.values)), axis=1)[0]
        owners, values = np.unique(pairs, return_counts=True)
        several = owners[values > 1]
        found = several if found is None else np.intersect1d(found, several)
    return found if found is not None else _none()


class Forest:
    """Union-find over a few things, each group carrying its attribute values and its excluded things."""

    def __init__(self, members: Integers, constraints: tuple[Constraint, ...]) -> None:
        self.members: list[int] = members.tolist()
        self._parent = {thing: thing for thing in self.members}
        self._size = dict.fromkeys(self.members, 1)
        self._least = {thing: thing for thing in self.members}
        self._constraints = constraints
        self._values: list[list[dict[int, set[int]]]] = []
        self._excluded: list[dict[int, set[int]]] = []
        wanted = np.zeros(int(members.max(initial=-1)) + 1, dtype=bool)
        wanted[members] = True
        for constraint in constraints:
            self._values.append([_values_by_thing(a, wanted) for a in constraint.attributes])
            self._excluded.append(_pairs_by_thing(constraint.pairs, wanted))

    def smallest(self, thing: int) -> int:
        """The smallest member of the thing's group."""
        return int(self._least[self._root(thing)])

    def refusal(self, one: int, other: int) -> str | None:
        """Why the groups of two things may not come together; None if nothing forbids it."""
        a, b = self._root(one), self._root(other)
        for number, constraint in enumerate(self._constraints):
            if a != b and self._forbids(number, constraint, a, b):
                return constraint.reason
        return None

    def join(self, one: int, other: int) -> str | None:
        """Join two groups, if they are not one already; returns the reason if that is refused."""
        a, b = self._root(one), self._root(other)
        if a == b:
            return None
        if reason := self.refusal(a, b):
            return reason
        if self._size[a] < self._size[b]:
            a, b = b, a
        self._parent[b] = a
        self._size[a] += self._size[b]
        self._least[a] = min(self._least[a], self._least[b])
        for table in (*self._excluded, *(attribute for values in self._values for attribute in values)):
            if moved := table.pop(b, None):
                table.setdefault(a, set()).update(moved)
        return None

    def _root(self, thing: int) -> int:
        parent = self._parent
        root = thing
        while parent[root] != root:
            root = parent[root]
        while parent[thing] != root:
            parent[thing], thing = root, parent[thing]
        return root

    def _forbids(self, number: int, constraint: Constraint, a: int, b: int) -> bool:
        if constraint.pairs is not None:
            excluded = self._excluded[number]
            return any(self._root(thing) == b for thing in excluded.get(a, ()))
        for values in self._values[number]:
            of_a, of_b = values.get(a), values.get(b)
            if not of_a or not of_b:
                return False
            agree = (of_a <= of_b or of_b <= of_a) if constraint.subset else not of_a.isdisjoint(of_b)
            if agree:
                return False
        return True


def _values_by_thing(attribute: Attribute, wanted: NDArray[np.bool_]) -> dict[int, set[int]]:
    things, values = _only(wanted, attribute.things, attribute.values)
    found: dict[int, set[int]] = defaultdict(set)
    for thing, value in zip(things.tolist(), values.tolist(), strict=True):
        found[thing].add(value)
    return dict(found)


def _pairs_by_thing(pairs: tuple[Integers, Integers] | None, wanted: NDArray[np.bool_]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    if pairs is not None:
        for one, other in (pairs, pairs[::-1]):
            kept, excluded = _only(wanted, one, other)
            for thing, partner in zip(kept.tolist(), excluded.tolist(), strict=True):
                if partner < len(wanted) and wanted[partner]:
                    found[thing].add(partner)
    return dict(found)


def _only(wanted: NDArray[np.bool_], things: Integers, others: Integers) -> tuple[Integers, Integers]:
    inside = things < len(wanted)
    inside[inside] = wanted[things[inside]]
    return things[inside], others[inside]
