"""Lineage from the contracts' fields on, and as a tree."""

from models.lineage import Edge
from pipelines.lineage import tree
from pipelines.workspace import Workspace

EDGES = [
    Edge("mart.a", "x", "mart.b", "y", "computed"),
    Edge("mart.a", "x", "mart.b", "z", "computed"),
    Edge("mart.a", "x", "previous.mart.a", "x", "computed"),
    Edge("mart.b", "y", "mart.c", "w", "copied"),
    Edge("mart.b", "z", None, None, "none"),
    Edge("mart.b", None, "mart.filter", None, "rows"),
    Edge("mart.c", None, "staging.d", None, "function"),
    Edge("mart.e", "v", "mart.b", "y", "copied"),
    Edge("mart.e", "v", "mart.c", "w", "copied"),
]


def test_a_tree_goes_up_to_the_sources_and_tells_nothing_twice() -> None:
    assert list(tree(EDGES, "mart.a", "x")) == [
        "mart.a.x",
        "  mart.b.y  computed",
        "    mart.c.w  copied, by a function of staging.d",
        "  mart.b.z  computed, from no column: a constant, a setting, a count, or never filled",
        "  previous.mart.a.x  computed, of the night before",
    ]
    assert list(tree(EDGES, "mart.e", "v"))[-1] == "  mart.c.w  copied, as above"


def test_the_sample_banks_columns_go_back_to_fields_of_its_exports() -> None:
    edges = Workspace.open("sample").lineage
    assert [e[2:] for e in edges if (e.table, e.column) == ("staging.account", "balance_amount")] == [
        ("landing.core__account", "balance", "copied")
    ]
    by_column = {(e.table, e.column): e for e in edges}
    assert by_column["staging.party", "family_name"].kind == "none"
    lines = list(tree(edges, "customer.account", "balance_amount"))
    assert lines == [
        "customer.account.balance_amount",
        "  staging.account.balance_amount  copied",
        "    landing.core__account.balance  copied",
    ]
