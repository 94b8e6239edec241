"""The shapes of an explanation: facts as frozen records, without a word of prose.

Here lives what is told of two parties and of a customer. How it is found out lives in ``explain``, in which
words it is told in ``words`` and ``explain_text``. Weights are in bits.
"""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What is the case between two parties; one customer down to ``DECIDED_SAME``, two customers below."""

    ALONE = "alone"  # a customer of one record
    DOCUMENT = "document"
    SCORE = "score"
    CHAIN = "chain"
    CLUSTERS = "clusters"
    DECIDED_SAME = "decided_same"
    DECIDED_DIFFERENT = "decided_different"
    REFUSED = "refused"
    OUTVOTED = "outvoted"
    AMBIGUOUS = "ambiguous"
    OTHER_TYPE = "other_type"
    BELOW_MERGE = "below_merge"
    BELOW_REVIEW = "below_review"
    NEVER_COMPARED = "never_compared"
    NOT_IN_ONE_BLOCK = "not_in_one_block"


@dataclass(frozen=True)
class RecordKey:
    """A party record in its source system."""

    system: str
    record_id: str

    def __str__(self) -> str:
        return f"{self.system}:{self.record_id}"


@dataclass(frozen=True)
class Document:
    """A document as read. ``is_checked``: its type has a check character, so validity says more than form."""

    document_type: str | None
    document_number: str
    is_valid: bool
    is_strong: bool
    is_checked: bool


@dataclass(frozen=True)
class Contact:
    """A phone, e-mail or address, how many parties share it, whether it counts, and, where profiled, as what and why.

    ``holding_no`` tells the holders of a re-assigned value apart, from 1; 0 where it cannot be told which it is.
    """

    contact_type: str
    contact_value: str
    party_count: int
    is_identifying: bool
    kind: str | None = None
    reason: str | None = None
    holding_no: int = 1


@dataclass(frozen=True)
class Record:
    """What one record says: as read, further ``particulars`` by field, and all as ``written``, by field."""

    key: RecordKey
    customer_id: str
    node_id: int
    party_type: str
    name: str | None
    latin: str | None
    birth_date: dt.date | None
    sex: str | None
    address: Contact | None
    documents: tuple[Document, ...]
    contacts: tuple[Contact, ...]
    particulars: dict[str, str]
    written: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class FieldScore:
    """One comparison of a pair.

    Attributes:
        comparison: Its name.
        level: Name of the level that holds; None where evidence is missing on a side.
        bits: What it adds to the weight, frequency included.
        common_bits: How much less it adds than agreement on a rare value would.
        left: Values of the one side, at most a few.
        right: Values of the other.
        bearers: Of a name that agrees: customers of the bank that bear it.
        best_level: The level of fullest agreement.
        best_bits: What that would add, before any frequency.
    """

    comparison: str
    level: str | None
    bits: float
    common_bits: float
    left: tuple[str, ...]
    right: tuple[str, ...]
    bearers: int | None
    best_level: str
    best_bits: float


@dataclass(frozen=True)
class NearRule:
    """A blocking rule and those of its keys that two nodes do not share."""

    rule: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class PairScore:
    """Two nodes compared: the prior and what each comparison adds make the weight.

    Attributes:
        left: Records of the one node.
        right: Records of the other.
        party_type: Of both.
        prior_bits: Weight of two parties of which nothing is known.
        fields: The comparisons.
        match_weight: The sum, as Splink computes it now.
        stored_weight: What the night stored; None where the pair was not kept.
        found_by: The first blocking rule that found the pair, as the night stored it.
        rules: Blocking rules of which the two share every key.
        near_rules: Where they share those of none: the rules that lack fewest keys.
        weightless: Contacts that both sides carry and that count for nothing.
    """

    left: tuple[RecordKey, ...]
    right: tuple[RecordKey, ...]
    party_type: str
    prior_bits: float
    fields: tuple[FieldScore, ...]
    match_weight: float
    stored_weight: float | None
    found_by: str | None
    rules: tuple[tuple[str, ...], ...]
    near_rules: tuple[NearRule, ...]
    weightless: tuple[Contact, ...]


@dataclass(frozen=True)
class Decision:
    """A steward's decision on two records; only one whose ``standing`` is ``binding`` has an effect."""

    verdict: str
    standing: str
    left: RecordKey
    right: RecordKey
    decided_by: str
    decided_at: str
    reason: str


@dataclass(frozen=True)
class RecordLink:
    """What makes two records one node: a valid strong document of both, or a steward's decision.

    Attributes:
        left: The one record.
        right: The other.
        document: The document that both carry.
        fit: What else was judged to fit, names of ``collapse.FITS``.
        decision: The decision, in the place of a document.
    """

    left: RecordKey
    right: RecordKey
    document: Document | None
    fit: tuple[str, ...] = ()
    decision: Decision | None = None


@dataclass(frozen=True)
class Link:
    """What joins one more node to a customer.

    Attributes:
        kind: ``SCORE``, or ``CLUSTERS``: the merged evidence of both sides.
        left: Records of the node (or of the first node of the group) that was known before.
        right: Records of the node that is joined.
        match_weight: Bits; None where the night recorded none.
        score: The two nodes compared.
        levels: Of merged evidence: (comparison, level) as the night recorded them.
        inside: What makes the records of the right node one.
    """

    kind: Verdict
    left: tuple[RecordKey, ...]
    right: tuple[RecordKey, ...]
    match_weight: float | None = None
    score: PairScore | None = None
    levels: tuple[tuple[str, str], ...] = ()
    inside: tuple[RecordLink, ...] = ()


@dataclass(frozen=True)
class Conflict:
    """A fact that forbids one customer: what each side holds, and which record says so."""

    constraint: str
    document_type: str | None
    left: tuple[tuple[str, RecordKey], ...]
    right: tuple[tuple[str, RecordKey], ...]


@dataclass(frozen=True)
class Rival:
    """Another customer that a node fits about as well."""

    customer_id: str
    records: tuple[RecordKey, ...]
    match_weight: float


@dataclass(frozen=True)
class Side:
    """One of the two that were asked about, and the customer it belongs to.

    Attributes:
        asked: As the caller wrote it.
        customer_id: The living customer.
        retired_id: The id that was asked for, where it has been merged away.
        record: The record that is shown for it.
        records: All records of its node: what the comparison looks at.
    """

    asked: str
    customer_id: str
    retired_id: str | None
    record: RecordKey
    records: tuple[RecordKey, ...]


@dataclass(frozen=True)
class OpenPair:
    """Two nodes of two customers that the night compared and did not join; ``customer_id`` is the right one's."""

    customer_id: str
    left: tuple[RecordKey, ...]
    right: tuple[RecordKey, ...]
    match_weight: float
    reason: str | None


@dataclass(frozen=True)
class Explanation:
    """Why two parties are one customer, or are not.

    Attributes:
        verdict: What is the case.
        left: The one.
        right: The other.
        since: One customer: the date from which both bear its id.
        records: What the two records say.
        links: Of one node: the links from the one record to the other.
        score: The two nodes compared; None inside one node or between types.
        chain: One customer through others: the strongest path.
        conflicts: Two customers: facts that forbid one.
        rivals: Ambiguous: the customers between which the node stands.
        closest: Two customers: the strongest pair that the night kept between them, if it is another one.
        decisions: What stewards decided about records of the two.
        reason: Refused: the reason as the night recorded it.
        merge_threshold: Bits from which two nodes are one customer.
        review_threshold: Bits from which a pair is kept for a steward.
    """

    verdict: Verdict
    left: Side
    right: Side
    since: dt.date | None
    records: tuple[Record, Record]
    links: tuple[RecordLink, ...]
    score: PairScore | None
    chain: tuple[Link, ...]
    conflicts: tuple[Conflict, ...]
    rivals: tuple[Rival, ...]
    closest: OpenPair | None
    decisions: tuple[Decision, ...]
    reason: str | None
    merge_threshold: float
    review_threshold: float


@dataclass(frozen=True)
class Construction:
    """How a customer was built.

    Attributes:
        customer_id: The customer.
        main: Records of the main node, the one that holds most.
        main_links: What joins those to one another.
        links: Each further node, in the order in which the strongest links reach it from the main node.
        refused: Pairs that were refused around it.
        review: Pairs between the review and the merge threshold around it.
        decisions: What stewards decided about its records.
    """

    customer_id: str
    main: tuple[RecordKey, ...]
    main_links: tuple[RecordLink, ...]
    links: tuple[Link, ...]
    refused: tuple[OpenPair, ...]
    review: tuple[OpenPair, ...]
    decisions: tuple[Decision, ...]
