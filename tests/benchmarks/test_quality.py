"""The experiment with errors: every class is in it, hits are found again, and what became of them is told."""

from pathlib import Path

import pytest

from benchmarks.quality.__main__ import as_markdown
from benchmarks.quality.bank_run import BankRun, only_these_errors
from benchmarks.quality.errors import ERRORS
from benchmarks.quality.experiment import Verdict, sort_out
from sources.sample.rates import RATES


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> BankRun:
    return BankRun.standardised(tmp_path_factory.mktemp("clean"), 300, {})


def test_every_class_of_error_has_a_detector_or_a_reason() -> None:
    assert ERRORS.keys() == RATES.keys()
    assert [name for name, one in ERRORS.items() if not (one.standard or one.seen or one.rest)] == []
    assert [name for name, one in ERRORS.items() if one.standard == one.delivered] == []


def test_rates_are_as_before_afterwards() -> None:
    before = dict(RATES)
    with only_these_errors({"sex_error": 0.5}):
        assert (RATES["sex_error"].default, RATES["sex_missing"].high) == (0.5, 0.0)
    assert before == RATES


def test_a_wrong_digit_is_always_seen(clean: BankRun, tmp_path: Path) -> None:
    # ISO 7064 MOD 11-2, the check character of the id, catches every single wrong digit
    assert sum(hits for name, (hits, _) in clean.injected.items() if name in RATES) == 0
    run = BankRun.standardised(tmp_path, 300, {"id_wrong_digit": 0.2})
    found = sort_out("id_wrong_digit", clean, run)
    hits, _ = run.injected["id_wrong_digit"]
    assert hits > 20
    assert len(found.hit) + len(found.strangers) >= hits >= len(found.hit)
    assert (found.repaired, found.seen, found.seen_anyway) == (set(), found.hit, set())
    assert [name for name, one in ERRORS.items() if clean.values(one.delivered) == {} and not one.of_population] == []
    # the same records look at another field as if nothing had happened
    assert sort_out("sex_error", clean, run).hit == set()


def test_the_table_says_what_is_not_caught_and_why() -> None:
    verdict = {
        **{"error": "sex_error", "injected": 9, "hit": 8, "repaired": 1, "seen": 2, "missed": 5, "golden": 6},
        **{"seen_anyway": 0, "pairs_lost": 3, "pairs_wrong": -1},
    }
    found = {
        **{"errors": [verdict], "records": 1000, "true_pairs": 500, "clean_pairs": (0, 0), "usual_pairs": (10, 1)},
        "broken_rows": [{"object": "core.customer", "injected": 4, "quarantined": 4, "rules": {"columns": 4}}],
    }
    text = as_markdown(found)
    assert f"| `sex_error` | 9 | 8 | 1 | 2 | **5** | 6 | 0 | +3 / -1 | none | {ERRORS['sex_error'].rest} |" in text
    assert "| `core.customer` | 4 | 4 | `columns` 4 |" in text
    assert ERRORS["sex_error"].rest not in as_markdown({**found, "errors": [verdict | {"missed": 0}]})
    assert Verdict("sex_error", 0.05, 9, 8, 1, 2, 6, 0, 0, 3, -1).missed == 5
