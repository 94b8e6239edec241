"""How one customer was built, link by link: its nodes, what joins them, and what was not joined with it.

Links, refusals and decisions are read as the night left them; nothing is decided again. Two customers against each
other are ``explain``'s.
"""

from collections.abc import Collection
from dataclasses import dataclass

import duckdb

from models.identity.customer_history import NotFoundError, find_customer
from models.identity.explain_evidence import Neighbourhood, has_table, rows
from models.identity.explain_links import path, strongest_forest, walk
from models.identity.explanation import (
    Construction,
    Decision,
    Link,
    OpenPair,
    PairScore,
    RecordKey,
    RecordLink,
    Verdict,
)
from models.identity.matching_model import ModelArtefact
from models.identity.settings import MatchingSettings

_LAST = 1e6  # bits: whole groups are joined after all single pairs
_MOST_OPEN = 10  # refused pairs and pairs in review shown around a customer


@dataclass(frozen=True)
class Found:
    """A party or customer that was asked for: its living customer, the id it was retired from, its record."""

    asked: str
    customer_id: str
    retired_id: str | None
    key: RecordKey | None


@dataclass(frozen=True)
class _Edge:
    kind: Verdict
    match_weight: float
    levels: tuple[tuple[str, str], ...] = ()


class Customer:
    """Nodes of one customer and what joins them.

    Attributes:
        id: The customer.
        nodes: Its nodes with their records.
        main: The node with most records (ties: the smallest).
        node_of: The node of each record.
        forest: The strongest links that hold it together, as pairs of nodes.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, settings: MatchingSettings, customer_id: str) -> None:
        self.id = customer_id
        self.nodes: dict[int, tuple[RecordKey, ...]] = {}
        for row in rows(
            con,
            "select node_id, system, record_id from customer.customer_record"
            " inner join identity.party_node using (system, record_id)"
            " where customer_id = $id order by node_id, system, record_id",
            {"id": customer_id},
        ):
            key = RecordKey(row["system"], row["record_id"])
            self.nodes[row["node_id"]] = (*self.nodes.get(row["node_id"], ()), key)
        self.main = min(self.nodes, key=lambda node: (-len(self.nodes[node]), node))
        self.node_of = {key: node for node, keys in self.nodes.items() for key in keys}
        self.edges = self._edges(con, settings)
        self.forest = strongest_forest(
            (edge.match_weight - (_LAST if edge.kind == Verdict.CLUSTERS else 0), *pair)
            for pair, edge in sorted(self.edges.items(), key=lambda item: item[0])
        )

    def records(self) -> list[RecordKey]:
        """All records, those of the main node first."""
        order = [self.main, *(node for node in self.nodes if node != self.main)]
        return [key for node in order for key in self.nodes[node]]

    def edge(self, one: int, other: int) -> _Edge:
        """What joins two nodes."""
        return self.edges[min(one, other), max(one, other)]

    def _edges(self, con: duckdb.DuckDBPyConnection, settings: MatchingSettings) -> dict[tuple[int, int], _Edge]:
        """What joined nodes of the customer, by pair; where two nodes were scored themselves that counts."""
        found: dict[tuple[int, int], _Edge] = {}
        tables = ["cluster_link"] if has_table(con, "identity", "cluster_link") else []
        for table in (*tables, "node_pair"):
            for row in rows(
                con,
                f"from identity.{table}"
                " where node_id_l in (select unnest($nodes)) and node_id_r in (select unnest($nodes)) order by all",
                {"nodes": list(self.nodes)},
            ):
                pair = row["node_id_l"], row["node_id_r"]
                if table == "cluster_link":
                    found[pair] = _Edge(Verdict.CLUSTERS, row["match_weight"], _levels(row["comparison_levels"]))
                elif row["match_weight"] >= settings.merge_threshold_bits:
                    found[pair] = _Edge(Verdict.SCORE, row["match_weight"])
        return found


def _levels(text: str) -> tuple[tuple[str, str], ...]:
    """``name: equal; sex: different`` as pairs."""
    parts = (part.partition(": ") for part in text.split("; ") if part)
    return tuple((comparison, level) for comparison, _, level in parts)


def find(con: duckdb.DuckDBPyConnection, who: str) -> Found:
    """Find a party record (``SYSTEM:RECORD_ID``) or a customer id, living or retired, in the night's customers.

    Raises:
        NotFoundError: there is none.
    """
    meant = find_customer(con, who)
    system, colon, record_id = who.partition(":")
    if colon and meant.valid_to:
        raise NotFoundError(f"{who} is not delivered since {meant.valid_to}; it was of customer {meant.customer_id}")
    if meant.living_customer_id is None:
        raise NotFoundError(f"customer {who} was retired on {meant.retired_date}, and nobody took its records over")
    if colon:
        return Found(who, meant.living_customer_id, None, RecordKey(system, record_id))
    return Found(who, meant.living_customer_id, who if meant.retired_date else None, None)


def construct(
    con: duckdb.DuckDBPyConnection, settings: MatchingSettings, model: ModelArtefact, customer_id: str
) -> Construction:
    """Tell how a customer was built, link by link.

    Args:
        con: As for ``explain``.
        settings: The bank's matching settings.
        model: The model that scored the night.
        customer_id: A living customer.
    """
    customer = Customer(con, settings, customer_id)
    near = Neighbourhood(con, settings, model, customer.nodes)
    steps = walk(customer.forest, customer.main)
    scores = near.scores(steps)
    reached = {customer.main, *(node for _, node in steps)}
    inside = {node: links_inside(con, near, keys) for node, keys in customer.nodes.items()}
    links = [link(customer, scores, step, inside[step[1]]) for step in steps]
    links += [
        Link(Verdict.CLUSTERS, customer.nodes[customer.main], keys, inside=inside[node])
        for node, keys in customer.nodes.items()
        if node not in reached
    ]
    kept = kept_around(con, list(customer.nodes))
    owners = owners_of(con, [pair.outer for pair in kept])
    beside = [pair.shown(customer, owners) for pair in kept]
    low, high = settings.review_threshold_bits, settings.merge_threshold_bits
    return Construction(
        customer_id=customer.id,
        main=customer.nodes[customer.main],
        main_links=inside[customer.main],
        links=tuple(links),
        refused=tuple(pair for pair in beside if pair.reason)[:_MOST_OPEN],
        review=tuple(pair for pair in beside if not pair.reason and low <= pair.match_weight < high)[:_MOST_OPEN],
        decisions=decisions(con, customer.node_of),
    )


@dataclass(frozen=True)
class KeptPair:
    """A scored pair from a node of a customer (``inner``) to one outside, and the reason if it was refused."""

    inner: int
    outer: int
    match_weight: float
    reason: str | None

    def shown(self, customer: Customer, owners: dict[int, tuple[str, tuple[RecordKey, ...]]]) -> OpenPair:
        """The pair with records and customer in the place of nodes; ``owners`` as of ``owners_of``."""
        customer_id, records = owners[self.outer]
        return OpenPair(customer_id, customer.nodes[self.inner], records, self.match_weight, self.reason)


def kept_around(con: duckdb.DuckDBPyConnection, nodes: list[int]) -> list[KeptPair]:
    """Pairs that the night kept from the nodes to any other, strongest first."""
    found = con.execute(
        """
        with pair as (
            select node_id_l as inside, node_id_r as outside, * from identity.node_pair
            union all
            select node_id_r, node_id_l, * from identity.node_pair
        )
        select pair.inside, pair.outside, pair.match_weight, refused.reason
        from pair
        left join identity.refused_merge as refused using (node_id_l, node_id_r)
        where pair.inside in (select unnest($nodes)) and pair.outside not in (select unnest($nodes))
        order by pair.match_weight desc, pair.inside, pair.outside
        """,
        {"nodes": nodes},
    ).fetchall()
    return [KeptPair(*row) for row in found]


def owners_of(con: duckdb.DuckDBPyConnection, nodes: list[int]) -> dict[int, tuple[str, tuple[RecordKey, ...]]]:
    """Customer and records of nodes."""
    found: dict[int, tuple[str, tuple[RecordKey, ...]]] = {}
    for row in rows(
        con,
        "select node_id, system, record_id, customer_id from identity.party_node"
        " inner join customer.customer_record using (system, record_id)"
        " where node_id in (select unnest($nodes)) order by node_id, system, record_id",
        {"nodes": nodes},
    ):
        _, keys = found.get(row["node_id"], ("", ()))
        found[row["node_id"]] = (row["customer_id"], (*keys, RecordKey(row["system"], row["record_id"])))
    return found


def link(
    customer: Customer,
    scores: dict[tuple[int, int], PairScore],
    step: tuple[int, int],
    inside: tuple[RecordLink, ...] = (),
) -> Link:
    """What joins the second node of the step to the first."""
    edge = customer.edge(*step)
    return Link(
        kind=edge.kind,
        left=customer.nodes[step[0]],
        right=customer.nodes[step[1]],
        match_weight=edge.match_weight,
        score=scores.get(step) if edge.kind == Verdict.SCORE else None,
        levels=edge.levels,
        inside=inside,
    )


def links_inside(
    con: duckdb.DuckDBPyConnection, near: Neighbourhood, keys: Collection[RecordKey], end: RecordKey | None = None
) -> tuple[RecordLink, ...]:
    """What holds the records of one node together, from the first on; with ``end``, the way from the first to it.

    Documents are told before decisions where both join the same records.
    """
    found: dict[tuple[RecordKey, RecordKey], RecordLink] = {}
    for decision in decisions(con, keys):
        if decision.verdict == "same" and decision.standing == "binding":
            found[decision.left, decision.right] = RecordLink(decision.left, decision.right, None, decision=decision)
    for document in reversed(near.document_links()):
        found[document.left, document.right] = document
    pairs = [pair for pair in found if set(pair) <= set(keys)]
    start = next(iter(keys))
    steps = walk(pairs, start) if end is None else path(pairs, start, end)
    links = [(step, found.get(step) or found[step[::-1]]) for step in steps]
    return tuple(RecordLink(*step, link.document, link.fit, link.decision) for step, link in links)


def decisions(con: duckdb.DuckDBPyConnection, records: Collection[RecordKey]) -> tuple[Decision, ...]:
    """What stewards decided about pairs that hold any of the records."""
    if not has_table(con, "identity", "decision"):
        return ()
    asked = set(records)
    found = (
        Decision(
            verdict=row["verdict"],
            standing=row["standing"],
            left=RecordKey(row["system_l"], row["record_id_l"]),
            right=RecordKey(row["system_r"], row["record_id_r"]),
            decided_by=row["decided_by"],
            decided_at=f"{row['decided_at']:%Y-%m-%d %H:%M}",
            reason=row["decision_reason"],
        )
        for row in rows(con, "from identity.decision order by all")
    )
    return tuple(decision for decision in found if {decision.left, decision.right} & asked)
