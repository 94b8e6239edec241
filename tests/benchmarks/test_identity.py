"""What the identity benchmark says of a run: which entities it judges, how a cut was chosen, where it is written."""

from pathlib import Path

import pyarrow as pa
import pytest

from benchmarks.identity.engine import Run
from benchmarks.identity.judged import half_of, judge
from benchmarks.identity.ours import ABLATIONS
from benchmarks.identity.report import put_section
from benchmarks.identity.sets import DATA_VARIABLE, SETS, SetMissingError
from models.identity.settings import MatchingSettings

# First hexadecimal digits of sha256 (`printf a | sha256sum`): a c, b 3, c 2, d 1, e 3, f 2, g c.
ENTITIES = {"a": "12", "b": "345", "g": "678"}
DOCUMENTS = pa.table(
    {name: pa.array([], pa.string()) for name in ("system", "record_id", "document_type", "document_number")}
    | {"is_strong": pa.array([], pa.bool_())}
)


def _table(label: str, groups: dict[str, str]) -> pa.Table:
    rows = [(record, key) for key, records in groups.items() for record in records]
    return pa.table({"system": ["x"] * len(rows), "record_id": [r for r, _ in rows], label: [k for _, k in rows]})


TRUTH = _table("entity_id", ENTITIES)
# The low cut joins all of b and, wrongly, a with g; the high cut finds all of g and half of b.
CUTS = {
    "4": _table("customer_id", {"p": "12678", "q": "345"}),
    "9": _table("customer_id", {"p": "12", "q": "34", "r": "5", "s": "678"}),
}


def test_an_entity_lies_in_the_half_that_its_hash_says() -> None:
    assert set(half_of(TRUTH, "tuning")["record_id"].to_pylist()) == set("345")
    assert set(half_of(TRUTH, "test")["record_id"].to_pylist()) == set("12678")


def test_a_cut_chosen_on_one_half_is_reported_on_the_other() -> None:
    rows = judge(SETS["historical_50k"], Run(CUTS, {}, 0), TRUTH, "test", DOCUMENTS)
    assert [(row["settings"], row["cut_bits"]) for row in rows] == [
        ("documented cut", 4),
        ("cut of the other half", 4),
        ("oracle cut", 9),
    ]
    # at 4 bits one customer of five: 10 pairs, of which 1 + 3 are right; at 9 bits all right
    assert [row["pairwise"]["precision"] for row in rows] == [0.4, 0.4, 1.0]
    assert {row["judged"] for row in rows} == {"test half"}


def test_one_result_is_judged_as_it_is() -> None:
    (row,) = judge(SETS["febrl3"], Run({"": CUTS["9"]}, {}, 0), TRUTH, "test", DOCUMENTS)
    assert (row["judged"], row["settings"], row["cut_bits"]) == ("all", "as shipped", None)
    assert (row["pairwise"]["right_pairs"], row["pairwise"]["true_pairs"]) == (5, 7)


def test_an_ablation_lifts_constraints_of_the_bank_and_adds_none() -> None:
    shipped = MatchingSettings.model_validate({"constraints": ["document", "shared_document"]})
    left = {name: part.ablated(shipped).constraints for name, part in ABLATIONS.items()}
    assert (left["no collapse"], left["no constraints"]) == (("document",), ())
    assert left["no second pass"] == shipped.constraints
    assert not ABLATIONS["no second pass"].ablated(shipped).second_pass.use


def test_results_replace_those_between_the_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- results -->\nold\n<!-- end of results -->\nafter\n")
    put_section(page, "results", r"new \1")
    assert page.read_text() == "before\n<!-- results -->\nnew \\1\n<!-- end of results -->\nafter\n"
    with pytest.raises(ValueError, match="no marks"):
        put_section(page, "ablations", "x")


def test_a_set_that_is_not_here_says_where_it_was_sought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    with pytest.raises(SetMissingError, match=f"--data DIR or {DATA_VARIABLE}"):
        SETS["febrl3"].write(None, tmp_path, 0)
    with pytest.raises(SetMissingError, match=r"febrl3.parquet is not in"):
        SETS["febrl3"].write(tmp_path, tmp_path, 0)
