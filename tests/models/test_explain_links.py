"""Strongest paths."""

from models.identity.explain_links import path, strongest_forest, walk

EDGES = [(9.0, "a", "b"), (3.0, "a", "c"), (7.0, "b", "c"), (5.0, "x", "y")]


def test_the_forest_keeps_the_strongest_links() -> None:
    assert strongest_forest(EDGES) == [("a", "b"), ("b", "c"), ("x", "y")]


def test_the_path_runs_over_the_strongest_links() -> None:
    forest = strongest_forest(EDGES)
    assert path(forest, "a", "c") == [("a", "b"), ("b", "c")]
    assert path(forest, "c", "a") == [("c", "b"), ("b", "a")]
    assert path(forest, "a", "a") == []
    assert path(forest, "a", "x") == []


def test_a_walk_reaches_everything_once_nearest_first() -> None:
    assert walk([("b", "c"), ("a", "b"), ("c", "d"), ("x", "y")], "b") == [("b", "c"), ("b", "a"), ("c", "d")]
