"""Grouping under constraints: the pure functions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.identity.constrained import (
    Attribute,
    Constraint,
    connected_components,
    group_under_constraints,
)


def _array(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def _documents(*pairs: tuple[int, int]) -> Constraint:
    return Constraint(
        "documents", (Attribute(_array(*(t for t, _ in pairs)), _array(*(v for _, v in pairs))),), subset=True
    )


def _group(count: int, edges: list[tuple[int, int, float]], *constraints: Constraint):
    left, right = (_array(*(e[i] for e in edges)) for i in (0, 1))
    return group_under_constraints(count, left, right, np.array([e[2] for e in edges], dtype=float), constraints)


def test_components_are_named_by_their_smallest_member() -> None:
    found = connected_components(6, _array(4, 1, 0), _array(5, 4, 2))
    assert found.tolist() == [0, 1, 0, 3, 1, 1]


def test_a_long_chain_is_one_component() -> None:
    count = 5000
    order = np.random.default_rng(1).permutation(count - 1)
    assert set(connected_components(count, order, order + 1).tolist()) == {0}


def test_no_edges_leave_everything_alone() -> None:
    assert _group(3, []).group.tolist() == [0, 1, 2]


def test_the_stronger_edge_wins_and_the_other_is_refused() -> None:
    # 1 fits 0 (weight 5) and 2 (weight 9), which hold different documents
    found = _group(3, [(0, 1, 5.0), (1, 2, 9.0)], _documents((0, 100), (2, 200)))
    assert found.group.tolist() == [0, 1, 1]
    assert found.refused.tolist() == [0]
    assert found.reasons == ["documents"]


def test_a_chain_does_not_smuggle_two_documents_together() -> None:
    found = _group(4, [(0, 1, 9.0), (1, 2, 8.0), (2, 3, 7.0)], _documents((0, 100), (3, 200)))
    assert found.group.tolist() == [0, 0, 0, 3]


def test_the_same_document_on_both_sides_is_no_obstacle() -> None:
    assert _group(2, [(0, 1, 1.0)], _documents((0, 100), (1, 100))).group.tolist() == [0, 0]


def test_ties_are_broken_by_the_ends() -> None:
    edges = [(1, 2, 5.0), (0, 1, 5.0)]
    for listed in (edges, edges[::-1]):
        assert _group(3, listed, _documents((0, 100), (2, 200))).group.tolist() == [0, 0, 2]


def test_all_attributes_must_be_in_conflict() -> None:
    dates, sexes = Attribute(_array(0, 1), _array(1, 2)), Attribute(_array(0, 1), _array(0, 0))
    assert _group(2, [(0, 1, 1.0)], Constraint("both", (dates, sexes))).group.tolist() == [0, 0]
    other_sex = Attribute(_array(0, 1), _array(0, 1))
    assert _group(2, [(0, 1, 1.0)], Constraint("both", (dates, other_sex))).group.tolist() == [0, 1]


def test_excluded_pairs_stay_apart_through_third_things() -> None:
    apart = Constraint("pairs", pairs=(_array(0), _array(2)))
    found = _group(3, [(0, 1, 3.0), (1, 2, 2.0)], apart)
    assert found.group.tolist() == [0, 0, 2]
    assert found.reasons == ["pairs"]


@settings(max_examples=150, deadline=None)
@given(
    edges=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 5)), max_size=25),
    documents=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=8, unique_by=lambda d: d[0]),
    shuffle=st.randoms(use_true_random=False),
)
def test_no_group_ever_holds_two_documents_and_order_never_matters(edges, documents, shuffle) -> None:
    found_edges = {}
    for a, b, weight in edges:
        if a != b:
            found_edges[min(a, b), max(a, b)] = float(weight)
    listed = [(a, b, w) for (a, b), w in found_edges.items()]
    constraint = _documents(*documents)
    first = _group(10, listed, constraint)
    held: dict[int, set[int]] = {}
    for thing, document in documents:
        held.setdefault(int(first.group[thing]), set()).add(document)
    assert all(len(found) == 1 for found in held.values())
    loose = connected_components(10, *(np.array([e[i] for e in listed], dtype=np.int64) for i in (0, 1)))
    assert all(loose[first.group[t]] == loose[t] for t in range(10)), "a group never leaves its component"
    shuffled = list(listed)
    shuffle.shuffle(shuffled)
    assert _group(10, shuffled, constraint).group.tolist() == first.group.tolist()


@pytest.mark.parametrize("count", [0, 1])
def test_almost_nothing(count: int) -> None:
    assert _group(count, []).group.tolist() == list(range(count))


def test_things_that_are_one_to_begin_with_stay_one_and_a_third_document_stays_out() -> None:
    # 0 and 3 are joined whatever their documents say; 1 and 2 are tied to 3 by edges, 2 holds a third document
    edges = (_array(1, 2), _array(3, 3), np.array([5.0, 9.0]))
    documents = _documents((0, 100), (3, 200), (1, 100), (2, 300))
    found = group_under_constraints(4, *edges, (documents,), (_array(0), _array(3)))
    assert found.group.tolist() == [0, 0, 2, 0]
    assert (found.refused.tolist(), found.reasons) == ([1], ["documents"])


def test_what_is_kept_from_one_is_kept_from_all_that_are_one_with_it() -> None:
    apart = Constraint("apart", pairs=(_array(0), _array(2)))
    found = group_under_constraints(3, _array(1), _array(2), np.array([9.0]), (apart,), (_array(0), _array(1)))
    assert found.group.tolist() == [0, 0, 2]
    assert found.reasons == ["apart"]
