"""Faults of a night's customers, and the hand-written checks that must tell each of them.

Data only: ``test_gate.py`` puts every fault into the small night and looks which checks fail. A fault is the rows
of one or more tables, as ``Night.run`` takes them.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from small_night import BORN, NIGHT, Rows


def _without(table_id: str, index: int) -> Rows:
    return [row for number, row in enumerate(NIGHT[table_id]) if number != index]


def _with(table_id: str, **row: Any) -> Rows:
    return [*NIGHT[table_id], row]


def _changed(table_id: str, index: int, **values: Any) -> Rows:
    return [{**row, **values} if number == index else row for number, row in enumerate(NIGHT[table_id])]


_STANDARD, _NODE, _CLUSTER = "identity.party_standard", "identity.party_node", "identity.cluster"

_MAN = {"birth_date": dt.date(2005, 3, 2), "sex": "male"}

_TWO_BEARERS = {
    "identity__party_standard": _changed(_STANDARD, 2, party_type="person"),
    "identity__party_document": [
        *NIGHT["identity.party_document"],
        {**NIGHT["identity.party_document"][0], "record_id": "2"},
    ],
}
# Anna's card record, in a node of its own
_CARD_APART = {"identity__party_node": _changed(_NODE, 1, node_id=3)}
_REFUSED = {"match_weight": 9.0, "reason": "two ids"}

IDENTITY_FAULTS: dict[str, tuple[Mapping[str, Rows], set[str]]] = {
    "a party that was not standardised": ({"identity__party_standard": _without(_STANDARD, 2)}, {"party_in_one_node"}),
    "a party in no node": ({"identity__party_node": _without(_NODE, 2)}, {"party_in_one_node", "node_in_one_cluster"}),
    "a party in two nodes": (
        {"identity__party_node": _with(_NODE, system="core", record_id="1", node_id=2, is_held_by_decision=False)},
        {"party_in_one_node", "cluster_is_customer", "document_of_two_customers"},
    ),
    "a node in no cluster": ({"identity__cluster": _without(_CLUSTER, 1)}, {"node_in_one_cluster"}),
    "a node in two clusters": (
        {"identity__cluster": _with(_CLUSTER, node_id=2, cluster_no=3)},
        {"node_in_one_cluster", "cluster_is_customer"},
    ),
    "a cluster of a node that does not exist": (
        {"identity__cluster": _with(_CLUSTER, node_id=4, cluster_no=3)},
        {"node_in_one_cluster"},
    ),
    "a customer of two clusters": (
        {**_CARD_APART, "identity__cluster": _with(_CLUSTER, node_id=3, cluster_no=3)},
        {"cluster_is_customer", "document_of_two_customers"},
    ),
    "a cluster of two customers": ({"identity__cluster": _changed(_CLUSTER, 1, cluster_no=1)}, {"cluster_is_customer"}),
    "a person and an organisation in one customer": (
        {"staging__party": _changed("staging.party", 2, party_type="organisation")},
        {"person_and_organisation"},
    ),
    "a man and a woman of other birth dates in one customer": (
        {"identity__party_standard": _changed(_STANDARD, 1, **_MAN)},
        {"birth_date_and_sex_in_conflict"},
    ),
    "the same, signed for by a steward": (
        {
            "identity__party_standard": _changed(_STANDARD, 1, **_MAN),
            "identity__party_node": _changed(_NODE, 1, is_held_by_decision=True),
        },
        set(),
    ),
    "a man and a woman of one birth date in one customer": (
        {"identity__party_standard": _changed(_STANDARD, 1, birth_date=BORN, sex="male")},
        set(),
    ),
    "a record that tells the sex only beside one that tells both": (
        {"identity__party_standard": _changed(_STANDARD, 1, birth_date=None, sex="male")},
        set(),
    ),
    "a merge that was refused and made": (
        {
            **_CARD_APART,
            "identity__cluster": _with(_CLUSTER, node_id=3, cluster_no=1),
            "identity__refused_merge": [{"node_id_l": 1, "node_id_r": 3, **_REFUSED}],
        },
        {"refused_merge_made"},
    ),
    "a merge that was refused": (
        {"identity__refused_merge": [{"node_id_l": 1, "node_id_r": 2, **_REFUSED}]},
        set(),
    ),
    "one valid document of two customers, and nobody is told": (
        _TWO_BEARERS,
        {"document_of_two_customers"},
    ),
    "one valid document of two customers, listed": (
        {**_TWO_BEARERS, "identity__refused_merge": [{"node_id_l": 1, "node_id_r": 2, **_REFUSED}]},
        set(),
    ),
    "a value of somebody else's record": (
        {"customer__customer_field": _changed("customer.customer_field", 2, system="card", record_id="9")},
        {"field_of_own_record"},
    ),
    "a field without a winner": (
        {"customer__customer_field": _without("customer.customer_field", 0)},
        {"field_has_one_winner", "golden_value_has_origin"},
    ),
    "a field with two winners": (
        {"customer__customer_field": _changed("customer.customer_field", 1, field_rank=1)},
        {"field_has_one_winner"},
    ),
    "a golden value that no record has": (
        {"customer__customer": _changed("customer.customer", 0, mobile="+8613911400400")},
        {"golden_value_has_origin"},
    ),
    "a golden value that got lost": (
        {"customer__customer": _changed("customer.customer", 1, full_name=None)},
        {"golden_value_has_origin"},
    ),
}
