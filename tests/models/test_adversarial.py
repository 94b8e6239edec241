"""Parties that are easily confused, one test each: what is expected is written in ``adversarial.SCENARIOS``."""

import numpy as np
import pytest
from stdnum.cn import ric, uscc

from tests.models.adversarial import AGENT_CLIENTS, AGENT_MOBILE, SCENARIOS
from tests.models.adversarial_bank import Planted, resolve_planted


@pytest.fixture(scope="module")
def planted() -> Planted:
    return resolve_planted()


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(planted: Planted, name: str) -> None:
    scenario = SCENARIOS[name]
    assert planted.customers(name) == {frozenset(labels) for labels in scenario.customers}, scenario.expected
    missing = {frozenset(pair) for pair in scenario.for_review} - planted.shown_to_stewards(name)
    assert not missing, scenario.expected


def test_a_number_shared_by_an_agents_400_clients_joins_nobody(planted: Planted) -> None:
    """400 parties of common names gave one mobile: as many customers, and the number identifies nobody."""
    assert planted.customers("agent") == {frozenset([f"client {number}"]) for number in range(AGENT_CLIENTS)}
    assert planted.con.execute(
        "select contact_kind, party_count, is_identifying from std.contact_profile where ends_with(contact_value, $1)",
        [AGENT_MOBILE],
    ).fetchall() == [("agent", AGENT_CLIENTS, False)]


def test_records_in_another_order_and_lists_delivered_twice_give_the_same_crosswalk(planted: Planted) -> None:
    """Rows shuffled, every name, document and contact there twice: the crosswalk is the same."""
    again = resolve_planted(np.random.default_rng(5), planted.model, copies=2)
    assert again.crosswalk() == planted.crosswalk()


@pytest.mark.slow
def test_the_model_does_not_depend_on_the_order_of_records(planted: Planted) -> None:
    """The same rows shuffled train the same model, to the last digit that is stored."""
    assert resolve_planted(np.random.default_rng(6)).model.version == planted.model.version


def test_scenarios_are_what_they_say() -> None:
    """Ids that are meant to be valid are, labels are complete, and no two scenarios share a name or a number."""
    owner: dict[str, str] = {}
    for name, scenario in SCENARIOS.items():
        assert sorted(label for labels in scenario.customers for label in labels) == sorted(scenario.records), name
        for label, record in scenario.records.items():
            for value in (record.name, record.mobile, *(number for _, number in record.documents)):
                assert value is None or owner.setdefault(value, name) == name, value
            for document_type, number in record.documents:
                if document_type == "resident_id":
                    right = len(number) == 15 or ric.calc_check_digit(number) == number[17]
                    assert right == (label != "wrong"), label
                elif document_type == "uscc":
                    assert uscc.is_valid(number), label
