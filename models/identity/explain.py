"""Why two parties are one customer or are not: found out from a night's tables.

Pure functions of a connection, the bank's settings and the model that scored the night; they return the shapes of
``explanation``. Nothing is decided again here: links, refusals and ids are read as the night left them, only the
weights of single fields are had from Splink once more, for the pairs that are asked about. How one
customer was built is ``explain_customer``'s.
"""

from collections.abc import Collection
from itertools import islice, product
from typing import Any

import duckdb

from models.identity.average_link import AMBIGUOUS
from models.identity.customer_history import NotFoundError
from models.identity.decided import DECIDED_DIFFERENT
from models.identity.evidence import BIRTH_DATE_AND_SEX, SHARED_DOCUMENT, TWO_DOCUMENTS, wanted
from models.identity.explain_customer import (
    Customer,
    Found,
    KeptPair,
    decisions,
    find,
    kept_around,
    link,
    links_inside,
    owners_of,
)
from models.identity.explain_evidence import Neighbourhood
from models.identity.explain_links import path
from models.identity.explanation import (
    Conflict,
    Decision,
    Explanation,
    PairScore,
    Record,
    RecordKey,
    RecordLink,
    Rival,
    Side,
    Verdict,
)
from models.identity.matching_model import ModelArtefact
from models.identity.settings import MatchingSettings

_FACTS = (SHARED_DOCUMENT, BIRTH_DATE_AND_SEX, TWO_DOCUMENTS.format(""))  # how reasons begin that are facts
_MOST_PAIRS = 100  # pairs scored to find the closest of two customers between which the night kept none


def explain(
    con: duckdb.DuckDBPyConnection, settings: MatchingSettings, model: ModelArtefact, left: str, right: str
) -> Explanation:
    """Explain why two parties are one customer, or are not.

    Args:
        con: Connection with views ``customer.customer_record``, ``customer_record_history``, ``customer_event`` and
            ``retired_customer``, ``identity.party_standard``, ``party_name``, ``party_document``, ``party_contact``,
            ``party_node``, ``node_pair`` and ``refused_merge`` of one business date. Used where they are there:
            ``identity.decision``, ``identity.contact_profile``, ``staging`` (as written).
        settings: The bank's matching settings.
        model: The model that scored the night.
        left: A party record as SYSTEM:RECORD_ID, or a customer id.
        right: Likewise.

    Raises:
        NotFoundError: one of the two is not there.
        ValueError: the two are one and the same record, or one id.
    """
    one, other = find(con, left), find(con, right)
    if one.asked == other.asked:
        raise ValueError(f"{left} was named twice; name two records or customers")
    customer = Customer(con, settings, one.customer_id)
    if one.customer_id == other.customer_id:
        return _explain_together(con, settings, model, customer, one, other)
    return _explain_apart(con, settings, model, customer, Customer(con, settings, other.customer_id), one, other)


def _explain_together(
    con: duckdb.DuckDBPyConnection,
    settings: MatchingSettings,
    model: ModelArtefact,
    customer: Customer,
    one: Found,
    other: Found,
) -> Explanation:
    left, right = _records_inside(con, customer, one, other)
    nodes = customer.node_of[left], customer.node_of[right]
    steps = path(customer.forest, *nodes)
    near = Neighbourhood(con, settings, model, {*nodes, *(node for step in steps for node in step)})
    scores = near.scores([nodes, *steps])
    links = tuple(link(customer, scores, step) for step in steps)
    inside: tuple[RecordLink, ...] = ()
    if left == right:
        verdict = Verdict.ALONE
    elif nodes[0] == nodes[1]:
        keys = (left, *(key for key in customer.nodes[nodes[0]] if key != left))
        inside = links_inside(con, near, keys, right)
        by_document = inside and not any(step.decision for step in inside)
        verdict = Verdict.DOCUMENT if by_document else Verdict.DECIDED_SAME
    elif len(links) == 1:
        verdict = links[0].kind
    else:
        verdict = Verdict.CHAIN if links else Verdict.CLUSTERS
    records = near.records
    return Explanation(
        verdict=verdict,
        left=_side(one, customer, left),
        right=_side(other, customer, right),
        since=_together_since(con, customer.id, left, right),
        records=(records[left], records[right]),
        links=inside,
        score=scores.get(nodes),
        chain=links if verdict == Verdict.CHAIN else (),
        conflicts=(),
        rivals=(),
        closest=None,
        decisions=_decisions_between(con, customer.nodes[nodes[0]], customer.nodes[nodes[1]]),
        reason=None,
        merge_threshold=settings.merge_threshold_bits,
        review_threshold=settings.review_threshold_bits,
    )


def _records_inside(
    con: duckdb.DuckDBPyConnection, customer: Customer, one: Found, other: Found
) -> tuple[RecordKey, RecordKey]:
    """The record that stands for each side: the one asked for, one that bore a retired id, else the main one."""
    chosen = [found.key or _bore(con, customer.id, found.retired_id) for found in (one, other)]
    for number in (0, 1):
        taken = chosen[1 - number]
        if chosen[number] is None:
            chosen[number] = next((key for key in customer.records() if key != taken), taken)
    left, right = chosen
    if left is None or right is None:
        raise NotFoundError(f"{customer.id} has no record in this release")
    return left, right


def _bore(con: duckdb.DuckDBPyConnection, customer_id: str, retired_id: str | None) -> RecordKey | None:
    """A record of the customer that bore the retired id."""
    if retired_id is None:
        return None
    found = con.execute(
        "select system, record_id from customer.customer_record_history"
        " semi join (from customer.customer_record where customer_id = $living) using (system, record_id)"
        " where customer_id = $retired order by valid_to desc nulls first, system, record_id limit 1",
        {"living": customer_id, "retired": retired_id},
    ).fetchall()
    return RecordKey(*found[0]) if found else None


def _explain_apart(
    con: duckdb.DuckDBPyConnection,
    settings: MatchingSettings,
    model: ModelArtefact,
    one: Customer,
    other: Customer,
    asked: Found,
    asked_other: Found,
) -> Explanation:
    near = Neighbourhood(con, settings, model, {*one.nodes, *other.nodes})
    kept = _kept_between(con, one, other)
    nodes = _closest(near, kept, _nodes(one, asked), _nodes(other, asked_other))
    score = near.scores([nodes]).get(nodes)
    stored = next((pair for pair in kept if (pair.inner, pair.outer) == nodes), None)
    closest = next((pair for pair in kept if (pair.inner, pair.outer) != nodes), None)
    records = near.records
    left, right = asked.key or one.nodes[nodes[0]][0], asked_other.key or other.nodes[nodes[1]][0]
    decided = _decisions_between(con, one.node_of, other.node_of)
    verdict = _verdict_apart(settings, score, stored, decided)
    return Explanation(
        verdict=verdict,
        left=_side(asked, one, left),
        right=_side(asked_other, other, right),
        since=None,
        records=(records[left], records[right]),
        links=(),
        score=score,
        chain=(),
        conflicts=_conflicts(settings, records, one.node_of, other.node_of),
        rivals=_rivals(con, nodes) if verdict == Verdict.AMBIGUOUS else (),
        closest=closest.shown(one, owners_of(con, [closest.outer])) if closest else None,
        decisions=decided,
        reason=stored.reason if stored else None,
        merge_threshold=settings.merge_threshold_bits,
        review_threshold=settings.review_threshold_bits,
    )


def _verdict_apart(
    settings: MatchingSettings, score: PairScore | None, stored: KeptPair | None, decided: tuple[Decision, ...]
) -> Verdict:
    if any(decision.verdict == "different" and decision.standing == "binding" for decision in decided):
        return Verdict.DECIDED_DIFFERENT
    if score is None:
        return Verdict.OTHER_TYPE
    if stored and stored.reason == AMBIGUOUS:
        return Verdict.AMBIGUOUS
    if stored and stored.reason == DECIDED_DIFFERENT:
        return Verdict.DECIDED_DIFFERENT
    if stored and stored.reason and stored.reason.startswith(_FACTS):
        return Verdict.REFUSED
    if stored and stored.match_weight >= settings.merge_threshold_bits:
        return Verdict.OUTVOTED
    if stored and stored.match_weight >= settings.review_threshold_bits:
        return Verdict.BELOW_MERGE
    if not stored and not score.rules:
        return Verdict.NEVER_COMPARED
    return Verdict.BELOW_REVIEW if score.match_weight < settings.review_threshold_bits else Verdict.NOT_IN_ONE_BLOCK


def _nodes(customer: Customer, asked: Found) -> list[int]:
    """The node of the record that was asked for; of a customer all, the main one first."""
    if asked.key:
        return [customer.node_of[asked.key]]
    return sorted(customer.nodes, key=lambda node: (node != customer.main, node))


def _closest(near: Neighbourhood, kept: list[KeptPair], left: list[int], right: list[int]) -> tuple[int, int]:
    """The nodes to compare: of a customer those that come nearest to the other side."""
    for pair in kept:
        if pair.inner in left and pair.outer in right:
            return pair.inner, pair.outer
    pairs = [(one, other) for one, other in islice(product(left, right), _MOST_PAIRS)]
    scores = near.scores(pairs) if len(pairs) > 1 else {}
    return max(pairs, key=lambda pair: scores[pair].match_weight if pair in scores else float("-inf"))


def _kept_between(con: duckdb.DuckDBPyConnection, left: Customer, right: Customer) -> list[KeptPair]:
    """Pairs between two customers that the night kept, refused ones first, then the strongest."""
    found = [pair for pair in kept_around(con, list(left.nodes)) if pair.outer in right.nodes]
    return sorted(found, key=lambda pair: pair.reason is None)


def _side(found: Found, customer: Customer, record: RecordKey) -> Side:
    return Side(found.asked, customer.id, found.retired_id, record, customer.nodes[customer.node_of[record]])


def _together_since(con: duckdb.DuckDBPyConnection, customer_id: str, left: RecordKey, right: RecordKey) -> Any:
    """The first of the unbroken dates on which both records bear the id."""
    return con.execute(
        """
        select max(valid_from)
        from customer.customer_record_history
        where
            valid_to is null and customer_id = $id
            and ((system = $ls and record_id = $lr) or (system = $rs and record_id = $rr))
        """,
        {"id": customer_id, "ls": left.system, "lr": left.record_id, "rs": right.system, "rr": right.record_id},
    ).fetchall()[0][0]


def _decisions_between(
    con: duckdb.DuckDBPyConnection, left: Collection[RecordKey], right: Collection[RecordKey]
) -> tuple[Decision, ...]:
    return tuple(
        decision
        for decision in decisions(con, left)
        if (decision.left in left and decision.right in right) or (decision.left in right and decision.right in left)
    )


def _conflicts(
    settings: MatchingSettings,
    records: dict[RecordKey, Record],
    left: Collection[RecordKey],
    right: Collection[RecordKey],
) -> tuple[Conflict, ...]:
    """Facts of two customers that the settings take as a reason to keep them apart."""
    found = []
    sides = [[records[key] for key in sorted(keys, key=str)] for keys in (left, right)]
    documents = [
        [
            (str(d.document_type), d.document_number, record.key)
            for record in side
            for d in record.documents
            if d.is_strong
        ]
        for side in sides
    ]
    numbers = [{document[:2] for document in side} for side in documents]
    if wanted(settings, "document"):
        for kind in sorted({kind for kind, _ in numbers[0]} & {kind for kind, _ in numbers[1]}):
            of_type = [{pair for pair in side if pair[0] == kind} for side in numbers]
            if not (of_type[0] <= of_type[1] or of_type[1] <= of_type[0]):
                held = (tuple((n, key) for k, n, key in side if k == kind) for side in documents)
                found.append(Conflict(TWO_DOCUMENTS.format(kind), kind, *held))
    if wanted(settings, "shared_document"):
        for kind, number in sorted(numbers[0] & numbers[1]):
            held = (tuple((n, key) for k, n, key in side if (k, n) == (kind, number)) for side in documents)
            found.append(Conflict(SHARED_DOCUMENT, kind, *held))
    if wanted(settings, "birth_date_and_sex") and _no_common(sides, "birth_date") and _no_common(sides, "sex"):
        said = (tuple((f"{r.birth_date}, {r.sex}", r.key) for r in side if r.birth_date and r.sex) for side in sides)
        found.append(Conflict(BIRTH_DATE_AND_SEX, None, *said))
    return tuple(found)


def _no_common(sides: list[list[Record]], field: str) -> bool:
    values = [
        {getattr(r, field) for r in side if r.party_type == "person" and getattr(r, field) is not None}
        for side in sides
    ]
    return bool(values[0] and values[1]) and values[0].isdisjoint(values[1])


def _rivals(con: duckdb.DuckDBPyConnection, nodes: tuple[int, int]) -> tuple[Rival, ...]:
    """The other customers that one of the two nodes fits about as well."""
    found = [
        pair
        for node, other in (nodes, nodes[::-1])
        for pair in kept_around(con, [node])
        if pair.reason == AMBIGUOUS and pair.outer != other
    ]
    owners = owners_of(con, [pair.outer for pair in found])
    return tuple(Rival(*owners[pair.outer], pair.match_weight) for pair in found)
