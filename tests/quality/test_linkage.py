"""The linkage evaluator against examples worked out by hand."""

import pyarrow as pa
import pytest

from quality.linkage import evaluate


def _table(label: str, groups: dict[str, str], system: str = "core") -> pa.Table:
    """``groups``: label -> record ids, one letter each."""
    rows = [(r, key) for key, records in groups.items() for r in records]
    return pa.table(
        {"system": [system] * len(rows), "record_id": [r for r, _ in rows], label: [key for _, key in rows]}
    )


# Customers: 1 = {a, b, c, d}, 2 = {e}, 3 = {f, g};  entities: X = {a, b, c}, Y = {d, e}, Z = {f, g}.
# Pairs made: 6 + 0 + 1 = 7; true pairs: 3 + 1 + 1 = 5; right: ab, ac, bc, fg = 4.
# B-cubed precision: a, b, c 3/4 each, d 1/4, e 1, f, g 1 -> (9/4 + 1/4 + 1 + 2) / 7 = 5.5 / 7
# B-cubed recall: a, b, c 1, d 1/2, e 1/2, f, g 1 -> 6 / 7
CROSSWALK = _table("customer_id", {"1": "abcd", "2": "e", "3": "fg"})
TRUTH = _table("entity_id", {"X": "abc", "Y": "de", "Z": "fg"})


def test_measures_by_hand() -> None:
    found = evaluate(CROSSWALK, TRUTH)
    assert found["pairwise"]["precision"] == pytest.approx(4 / 7)
    assert found["pairwise"]["recall"] == pytest.approx(4 / 5)
    assert found["pairwise"]["f1"] == pytest.approx(2 / 3)
    assert (found["pairwise"]["right_pairs"], found["pairwise"]["made_pairs"]) == (4, 7)
    assert found["pairwise"]["true_pairs"] == 5
    assert found["b_cubed"]["precision"] == pytest.approx(5.5 / 7)
    assert found["b_cubed"]["recall"] == pytest.approx(6 / 7)
    assert found["b_cubed"]["f1"] == pytest.approx(2 * (5.5 / 7) * (6 / 7) / (5.5 / 7 + 6 / 7))
    assert found["over_merged_customers"] == 1
    assert found["under_merged_entities"] == 1
    assert found["largest_customer"] == 4
    assert found["exact_clusters"] == 1
    assert found["exact_cluster_share"] == pytest.approx(1 / 3)
    assert (found["records"], found["customers"], found["entities"]) == (7, 3, 3)
    assert found["constraint_violations"] is None


def test_the_truth_itself_is_perfect() -> None:
    found = evaluate(_table("customer_id", {"1": "abc", "2": "de", "3": "fg"}), TRUTH)
    for kind in ("pairwise", "b_cubed"):
        assert {found[kind][m] for m in ("precision", "recall", "f1")} == {1.0}
    assert found["exact_clusters"] == 3
    assert found["over_merged_customers"] == found["under_merged_entities"] == 0


def test_all_apart_makes_no_wrong_pair_and_finds_none() -> None:
    found = evaluate(_table("customer_id", {letter: letter for letter in "abcdefg"}), TRUTH)
    assert found["pairwise"]["precision"] == 1.0
    assert found["pairwise"]["recall"] == 0.0
    assert found["pairwise"]["f1"] == 0.0
    assert found["b_cubed"]["recall"] == pytest.approx(3 / 7)  # (3 * 1/3 + 2 * 1/2 + 2 * 1/2) / 7


def test_records_that_one_side_lacks_are_said_and_left_out() -> None:
    found = evaluate(_table("customer_id", {"1": "abx", "2": "yz"}), _table("entity_id", {"X": "abc", "Y": "defgh"}))
    assert found["records"] == 2
    assert found["records_only_in_crosswalk"] == 3
    assert found["records_only_in_truth"] == 6
    assert found["pairwise"]["precision"] == found["pairwise"]["recall"] == 1.0


def test_the_key_is_the_pair_of_system_and_record() -> None:
    crosswalk = pa.concat_tables([_table("customer_id", {"1": "a"}), _table("customer_id", {"2": "a"}, system="card")])
    truth = pa.concat_tables([_table("entity_id", {"X": "a"}), _table("entity_id", {"X": "a"}, system="card")])
    found = evaluate(crosswalk, truth)
    assert found["records"] == 2
    assert found["pairwise"]["recall"] == 0.0


def test_constraint_violations_count_customers_with_two_valid_documents_of_a_type() -> None:
    documents = pa.table(
        {
            "system": ["core"] * 7,
            "record_id": ["a", "b", "c", "d", "f", "g", "e"],
            "document_type": ["id", "id", "passport", "id", "id", "id", "id"],
            "document_number": ["1", "2", "P", "2", "7", "8", "9"],
            "is_strong": [True, True, True, True, True, False, True],
        }
    )
    assert evaluate(CROSSWALK, TRUTH, documents)["constraint_violations"] == 1


@pytest.mark.parametrize(
    ("crosswalk", "message"),
    [
        (CROSSWALK.drop_columns(["customer_id"]), "crosswalk: column customer_id is missing"),
        (pa.concat_tables([CROSSWALK, CROSSWALK]), "crosswalk: 7 rows repeat a record"),
        (
            pa.table({"system": ["core"], "record_id": ["a"], "customer_id": pa.array([None], pa.string())}),
            "crosswalk: 1 rows lack",
        ),
    ],
)
def test_wrong_input_is_said(crosswalk: pa.Table, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        evaluate(crosswalk, TRUTH)


def test_nothing_at_all() -> None:
    found = evaluate(_table("customer_id", {}), _table("entity_id", {}))
    assert found["records"] == 0
    assert found["pairwise"]["precision"] == 1.0
