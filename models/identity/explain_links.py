"""Paths between things that links join: pure functions over pairs, which know no party and no table.

The strongest path between two things is the one whose weakest link is strongest; all such paths lie in a maximum
spanning forest, which is also the shortest true account of how a group was put together.
"""

from collections import deque
from collections.abc import Hashable, Iterable
from typing import TypeVar

Thing = TypeVar("Thing", bound=Hashable)


def strongest_forest(edges: Iterable[tuple[float, Thing, Thing]]) -> list[tuple[Thing, Thing]]:
    """Edges of a maximum spanning forest; edges of one weight are taken in the order given.

    Args:
        edges: (weight, one end, other end).
    """
    parent: dict[Thing, Thing] = {}

    def root(thing: Thing) -> Thing:
        while parent.setdefault(thing, thing) != thing:
            thing = parent[thing]
        return thing

    kept = []
    for _, one, other in sorted(edges, key=lambda edge: -edge[0]):
        if (a := root(one)) != (b := root(other)):
            parent[b] = a
            kept.append((one, other))
    return kept


def walk(edges: Iterable[tuple[Thing, Thing]], start: Thing) -> list[tuple[Thing, Thing]]:
    """The edges that are reached from ``start``, nearest first, each as (known end, new end)."""
    beside: dict[Thing, list[Thing]] = {}
    for one, other in edges:
        beside.setdefault(one, []).append(other)
        beside.setdefault(other, []).append(one)
    seen, waiting, found = {start}, deque([start]), []
    while waiting:
        here = waiting.popleft()
        for there in beside.get(here, ()):
            if there not in seen:
                seen.add(there)
                waiting.append(there)
                found.append((here, there))
    return found


def path(edges: Iterable[tuple[Thing, Thing]], start: Thing, end: Thing) -> list[tuple[Thing, Thing]]:
    """The edges from ``start`` to ``end``, by the fewest steps; empty where there is no way."""
    came_from = {new: known for known, new in walk(edges, start)}
    steps: list[tuple[Thing, Thing]] = []
    while end != start:
        if end not in came_from:
            return []
        steps.append((came_from[end], end))
        end = came_from[end]
    return steps[::-1]
