"""Grouping by average link under constraints: pure functions over integer arrays.

Connected components are found first; inside each, the two groups whose pairs agree best on average are joined, as
long as that average reaches the bound and no constraint forbids it. Single links (``constrained``) let one strong
pair bring two families together; here all pairs between two groups have a say (Draisbach, Christen and Naumann 2019
rank connected components lowest among clusterings of duplicates). Nothing here knows a party or a table.
"""

from dataclasses import dataclass

import numpy as np

from models.identity.constrained import (
    Constraint,
    Floats,
    Forest,
    Grouping,
    Integers,
    connected_components,
    contradictory,
)

AMBIGUOUS = "fits two customers that exclude each other"
NOT_COHESIVE = "the pair agrees, the records around it do not"


@dataclass(frozen=True)
class Bounds:
    """What links things and what holds groups together.

    Attributes:
        link: Weight from which a pair links two things into one component.
        cohesion: Average weight of all pairs between two groups from which they are joined.
        margin: A group that fits two others which exclude each other joins one only if that is better by more.
        absent: Weight of a pair that was not scored.
        most: A component of more things is taken apart: its links must be stronger, a bit at a time.
    """

    link: float
    cohesion: float
    margin: float
    absent: float
    most: int


def link_by_average(
    count: int, left: Integers, right: Integers, weight: Floats, bounds: Bounds, constraints: tuple[Constraint, ...]
) -> Grouping:
    """Group things by average link.

    Args:
        count: Things are numbered 0 to ``count - 1``.
        left: One end of each scored pair, the smaller number.
        right: The other end.
        weight: Weight of each pair; pairs below ``bounds.link`` only speak inside a component.
        bounds: What links and what holds together.
        constraints: Facts that forbid a union.

    Returns:
        The grouping; refused are the linking pairs whose ends are in different groups.
    """
    component = linked_components(count, left, right, weight, bounds.link, bounds.most)
    sizes = np.bincount(component, minlength=count)
    inside = np.flatnonzero(component[left] == component[right])
    owner = component[left[inside]]
    pairs = np.bincount(owner, minlength=count)
    weakest = np.full(count, np.inf)
    np.minimum.at(weakest, owner, weight[inside])
    whole = (pairs == sizes * (sizes - 1) // 2) & (weakest >= bounds.cohesion)
    for constraint in constraints:
        whole[contradictory(component, constraint)] = False
    walked = (sizes > 1) & ~whole
    members = np.flatnonzero(walked[component])
    members = members[np.argsort(component[members], kind="stable")]
    inside = inside[walked[owner]]
    inside = inside[np.lexsort((right[inside], left[inside], component[left[inside]]))]
    forest = Forest(members, constraints)
    torn: list[tuple[int, int]] = []
    for owner_of in np.unique(component[members]).tolist():
        things = members[slice(*np.searchsorted(component[members], (owner_of, owner_of + 1)))]
        chosen = inside[slice(*np.searchsorted(component[left[inside]], (owner_of, owner_of + 1)))]
        torn += _agglomerate(forest, things, left[chosen], right[chosen], weight[chosen], bounds)
    ambiguous = {frozenset((forest.smallest(one), forest.smallest(other))) for one, other in torn}
    group = component.copy()
    group[members] = [forest.smallest(thing) for thing in members.tolist()]
    refused = np.flatnonzero((weight >= bounds.link) & (group[left] != group[right]))
    reasons = []
    for one, other in zip(left[refused].tolist(), right[refused].tolist(), strict=True):
        reason = forest.refusal(one, other) if component[one] == component[other] else None
        is_torn = frozenset((int(group[one]), int(group[other]))) in ambiguous
        reasons.append(reason or (AMBIGUOUS if is_torn else NOT_COHESIVE))
    return Grouping(group, refused, reasons)


def linked_components(count: int, left: Integers, right: Integers, weight: Floats, link: float, most: int) -> Integers:
    """Smallest member of each thing's component of linking pairs, none of more than ``most`` things.

    A larger component (a hub brought strangers together) falls apart as its links must be stronger, bit by bit.
    """
    component: Integers = np.arange(count, dtype=np.int64)
    open_pairs = np.flatnonzero(weight >= link)
    while len(open_pairs):
        found = connected_components(count, left[open_pairs], right[open_pairs])
        large = np.bincount(found, minlength=count)[found] > most
        component = np.where(large, component, np.minimum(found, component))
        link += 1
        open_pairs = open_pairs[large[left[open_pairs]] & (weight[open_pairs] >= link)]
    return component


def _agglomerate(
    forest: Forest, things: Integers, left: Integers, right: Integers, weight: Floats, bounds: Bounds
) -> list[tuple[int, int]]:
    """Join the groups of one component, best average first; ties go to the smaller numbers.

    Returns:
        Things of groups that were kept apart because one of them fits another group as well, and those two exclude
        each other.
    """
    total = np.full((len(things), len(things)), bounds.absent)
    one, other = np.searchsorted(things, left), np.searchsorted(things, right)
    total[one, other] = total[other, one] = weight
    size = np.ones(len(things))
    average = total.copy()
    np.fill_diagonal(average, -np.inf)
    untried = average.copy()
    ambiguous: list[tuple[int, int]] = []
    while True:
        i, j = divmod(int(untried.argmax()), len(things))
        if untried[i, j] < bounds.cohesion:
            return ambiguous
        rivals = any(
            forest.refusal(int(things[partner]), int(things[rival]))
            for torn, partner in ((i, j), (j, i))
            for rival in np.flatnonzero(average[torn] >= max(average[i, j] - bounds.margin, bounds.link)).tolist()
            if rival != partner
        )
        if rivals:
            ambiguous.append((int(things[i]), int(things[j])))
        if rivals or forest.join(int(things[i]), int(things[j])):
            untried[i, j] = untried[j, i] = -np.inf
            continue
        total[i] += total[j]
        total[:, i] = total[i]
        size[i] += size[j]
        size[j] = 0
        alive = size > 0
        average[i, alive] = average[alive, i] = total[i, alive] / (size[i] * size[alive])
        average[i, i] = -np.inf
        average[j] = average[:, j] = -np.inf
        untried[i], untried[:, i] = average[i], average[:, i]
        untried[j] = untried[:, j] = -np.inf
