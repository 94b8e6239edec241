"""Explanations as people read them: facts become paragraphs and grids, in the words of a language.

Nothing is looked up or computed here but the meaning of numbers; nothing is printed: a caller prints the blocks.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from models.identity.comparisons import TAKEN_BACK
from models.identity.evidence import SHARED_DOCUMENT
from models.identity.explain_phrases import (
    MOST_NAMED,
    SLIGHT,
    bits,
    contact_note,
    count_words,
    named,
    odds_words,
    plain_value,
    reason_words,
    signature,
    signed,
    times_words,
    validity,
    why_weightless,
)
from models.identity.explanation import (
    Conflict,
    Construction,
    Decision,
    Document,
    Explanation,
    FieldScore,
    Link,
    OpenPair,
    PairScore,
    Record,
    RecordKey,
    RecordLink,
    Verdict,
)
from models.identity.words import Words

_NOTABLE = 0.5  # bits
# Names are compared once: in Latin letters only where one of them is written in no other.
_NAMES = ("name", "latin")


@dataclass(frozen=True)
class Paragraph:
    """Lines under a title (none: the verdict itself); ``indent`` by line."""

    title: str | None
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Grid:
    """A table; columns of ``numbers`` are aligned right."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...] = ()


Block = Paragraph | Grid


def sentence(words: Words, told: Explanation) -> str:
    """The verdict in one sentence."""
    because = _because(words, told)
    left, right = told.left.customer_id, told.right.customer_id
    if told.verdict == Verdict.ALONE:
        return words.say("alone", customer=left)
    if left != right:
        return words.say("two", left=left, right=right, because=because)
    if told.since is None:
        return words.say("one", customer=left, because=because)
    return words.say("one_since", customer=left, since=told.since, because=because)


def pair_blocks(words: Words, told: Explanation) -> Iterator[Block]:
    """The whole explanation of two parties, the verdict first."""
    retired = {side.retired_id: side.customer_id for side in (told.left, told.right) if side.retired_id}
    yield Paragraph(
        None,
        (
            sentence(words, told),
            *(words.say("retired", retired=old, customer=living) for old, living in retired.items()),
        ),
    )
    yield _records_grid(words, told.records)
    if told.links:
        yield Paragraph(words.say("links_title"), tuple(_record_link(words, link) for link in told.links))
    if told.chain:
        yield Paragraph(words.say("chain_title"), tuple(_chain(words, told.chain)))
    if told.score is not None and told.links == ():
        yield from _score_blocks(words, told, told.score)
    if obstacles := tuple(_obstacles(words, told)):
        yield Paragraph(words.say("obstacles_title"), obstacles)
    if told.decisions:
        yield Paragraph(words.say("decisions_title"), tuple(_decision(words, d) for d in told.decisions))


def construction_blocks(words: Words, told: Construction) -> Iterator[Block]:
    """How a customer was built, and what stands around it."""
    alone = not told.main_links and not told.links
    lines = [words.say("built_alone" if alone else "built_main", record=str(told.main[0]))]
    lines += [f"  + {_record_link(words, link)}" for link in told.main_links]
    for link in told.links:
        lines.append(f"  + {_built(words, link)}")
        if link.score is not None:
            lines.append(f"      {_findings(words, link.score)}")
        elif link.levels:
            lines.append(f"      {'; '.join(words.level(*level) for level in link.levels)}")
        lines += [f"      + {_record_link(words, record_link)}" for record_link in link.inside]
    yield Paragraph(words.say("built_title", customer=told.customer_id), tuple(lines))
    for title, pairs in (("refused_title", told.refused), ("review_title", told.review)):
        if pairs:
            yield Paragraph(words.say(title), tuple(_open_pair(words, pair) for pair in pairs))
    if told.decisions:
        yield Paragraph(words.say("decisions_title"), tuple(_decision(words, d) for d in told.decisions))


def _because(words: Words, told: Explanation) -> str:
    weight = bits(told.score.match_weight) if told.score else ""
    lacking = bits(told.merge_threshold - told.score.match_weight) if told.score else ""
    odds = count_words(words, 2**told.score.match_weight) if told.score else ""
    values = {"weight": weight, "odds": odds, "threshold": bits(told.merge_threshold), "lacking": lacking}
    match told.verdict:
        case Verdict.ALONE:
            return ""
        case Verdict.DOCUMENT if len(told.links) > 1:
            return words.say("because_document_chain", steps=len(told.links) + 1)
        case Verdict.DOCUMENT:
            kinds = [link.document.document_type for link in told.links if link.document]
            return words.say("because_document", document=words.document(kinds[0]))
        case Verdict.CHAIN:
            weakest = min((link.match_weight for link in told.chain if link.match_weight is not None), default=0.0)
            return words.say("because_chain", steps=len(told.chain), weight=bits(weakest))
        case Verdict.REFUSED if told.reason == SHARED_DOCUMENT:
            return words.say("because_shared_document")
        case Verdict.REFUSED:
            return words.say("because_refused", reason=reason_words(words, told.reason or ""), **values)
        case verdict:
            return words.say(f"because_{verdict.value}", **values)


# What each record says ------------------------------------------------------------------------------------------


def _records_grid(words: Words, records: tuple[Record, Record]) -> Grid:
    chosen = records[:1] if records[0] == records[1] else records
    lines: list[tuple[str, list[list[str]]]] = [
        ("customer", [[record.customer_id] for record in chosen]),
        ("party_type", [[words.field(r.party_type)] for r in chosen if len({r.party_type for r in chosen}) > 1]),
        ("name", [_with_written(words, record, "name", [record.name] if record.name else []) for record in chosen]),
        ("latin", [[record.latin] if record.latin else [] for record in chosen]),
        ("birth_date", [[str(record.birth_date)] if record.birth_date else [] for record in chosen]),
        ("sex", [[words.field(record.sex)] if record.sex else [] for record in chosen]),
        ("document", [_with_written(words, r, "documents", _documents(words, r), _numbers(r)) for r in chosen]),
    ]
    for kind in ("mobile", "phone", "email"):
        lines.append((kind, [_contacts(words, record, kind) for record in chosen]))
    lines.append(("address", [_with_written(words, r, "address", _contacts(words, r, "address")) for r in chosen]))
    particulars = sorted({name for record in chosen for name in record.particulars})
    lines += [(name, [[r.particulars[name]] if name in r.particulars else [] for r in chosen]) for name in particulars]
    rows = []
    for field, cells in lines:
        if any(cells):
            rows.append((words.field(field), *("\n".join(cell) or words.say("nothing") for cell in cells)))
    return Grid(words.say("records_title"), ("", *(str(record.key) for record in chosen)), tuple(rows))


def _with_written(
    words: Words, record: Record, field: str, read: list[str], known: Iterable[str] | None = None
) -> list[str]:
    """What was read, and what the source writes where that is something else."""
    plain = {_bare(value) for value in (read if known is None else known)}
    other = [value for value in record.written.get(field, ()) if _bare(value) not in plain]
    if not other:
        return read
    return [*read, words.say("written" if read else "written_nothing", values=", ".join(other))]


def _bare(text: str) -> str:
    return "".join(text.split()).casefold()


def _numbers(record: Record) -> list[str]:
    return [document.document_number.split(":")[-1] for document in record.documents]


def _documents(words: Words, record: Record) -> list[str]:
    return [f"{words.document(d.document_type)} {_number(d)} ({validity(words, d)})" for d in record.documents]


def _number(document: Document) -> str:
    return document.document_number


def _contacts(words: Words, record: Record, kind: str) -> list[str]:
    found = []
    for contact in (*record.contacts, record.address):
        if contact is not None and contact.contact_type == kind:
            value, note = plain_value(words, contact.contact_value), contact_note(words, contact)
            found.append(f"{value} ({note})" if note else value)
    return found


# How they compare ------------------------------------------------------------------------------------------------


def _score_blocks(words: Words, told: Explanation, score: PairScore) -> Iterator[Block]:
    notes = [
        words.say("more_records", record=str(side.record), others=named(words, others))
        for side in (told.left, told.right)
        if (others := tuple(key for key in side.records if key != side.record))
    ]
    if told.left.customer_id != told.right.customer_id:
        notes += [
            words.say("nearest", customer=side.customer_id, records=named(words, side.records))
            for side in (told.left, told.right)
            if ":" not in side.asked
        ]
    if notes:
        yield Paragraph(None, tuple(notes))
    rows = [
        (
            words.say("start"),
            words.say("start_finding", count=count_words(words, 2**-score.prior_bits)),
            signed(score.prior_bits),
            "",
        )
    ]
    for field in score.fields:
        if field.level is not None and not (field.comparison in TAKEN_BACK and abs(field.bits) < SLIGHT):
            rows.append(
                (
                    words.field(field.comparison),
                    _finding(words, field),
                    signed(field.bits),
                    times_words(words, field.bits),
                )
            )
    missing = [field for field in score.fields if field.level is None and field.comparison not in TAKEN_BACK]
    rows += [
        (words.field(field.comparison), text, "", "")
        for field in missing
        if (text := _missing(words, score, field)) is not None
    ]
    rows.append((words.say("sum"), "", signed(score.match_weight), odds_words(words, score.match_weight)))
    yield Grid(
        words.say("scores_chain_title" if told.chain else "scores_title"),
        (words.say("field"), words.say("finding"), words.say("bits"), words.say("meaning")),
        tuple(rows),
        numbers=(2,),
    )
    notes = [words.say("thresholds", merge=bits(told.merge_threshold), review=bits(told.review_threshold))]
    if score.stored_weight is None:
        notes.append(words.say("hypothetical"))
    elif abs(score.stored_weight - score.match_weight) > SLIGHT:
        notes.append(words.say("stored_differs", stored=bits(score.stored_weight)))
    yield Paragraph(None, tuple(notes))
    compared = score.rules or score.stored_weight is not None
    yield Paragraph(
        words.say("candidates_title" if compared else "no_candidates_title"), tuple(_candidates(words, score))
    )


def _finding(words: Words, field: FieldScore) -> str:
    finding = words.level(field.comparison, field.level or "")
    shared = [value for value in field.left if value in field.right]
    left, right = ", ".join(field.left[:1]), ", ".join(field.right[:1])
    if shared:
        finding = words.say(
            "agreed", finding=finding, values=words.fields.get(shared[0]) or plain_value(words, shared[0])
        )
    elif left and right:
        finding = words.say("opposed", finding=finding, left=plain_value(words, left), right=plain_value(words, right))
    if field.bearers is not None:
        borne = words.say("bearers_rare") if field.bearers <= 1 else words.say("bearers", count=f"{field.bearers:,}")
        if field.common_bits >= _NOTABLE:
            borne += words.say("common", bits=bits(field.common_bits))
        finding = f"{finding} ({borne})"
    return finding


def _missing(words: Words, score: PairScore, field: FieldScore) -> str | None:
    """Why a field was not compared; None where another took its place."""
    if field.comparison in _NAMES and any(f.level for f in score.fields if f.comparison in _NAMES):
        return None
    if field.comparison in {contact.contact_type for contact in score.weightless}:
        return words.say("not_compared_weightless")
    if field.left and field.right:
        return words.say("not_compared_kind")
    if not field.left and not field.right:
        return words.say("not_compared_both")
    return words.say("not_compared", records=named(words, score.right if field.left else score.left))


def _candidates(words: Words, score: PairScore) -> Iterator[str]:
    if score.rules:
        rules = [words.listed([words.key(key) for key in rule]) for rule in score.rules]
        named = "; ".join(rules[:MOST_NAMED])
        more = len(rules) - MOST_NAMED
        yield words.say("rules_more", rules=named, count=more) if more > 0 else words.say("rules", rules=named)
    elif score.stored_weight is not None:
        yield words.say("rules_document" if score.found_by == "document" else "rules_linked")
    else:
        yield words.say("rules_none")
        for near in score.near_rules:
            rule, missing = (words.listed([words.key(key) for key in keys]) for keys in (near.rule, near.missing))
            yield "  " + words.say("rule_lacks", rule=rule, missing=missing)


# What stands between them, and what joins -------------------------------------------------------------------------


def _obstacles(words: Words, told: Explanation) -> Iterator[str]:
    for conflict in told.conflicts:
        yield _conflict(words, conflict)
    for rival in told.rivals:
        yield words.say(
            "rival",
            customer=rival.customer_id,
            records=named(words, rival.records),
            weight=bits(rival.match_weight),
        )
    score = told.score
    apart = told.left.customer_id != told.right.customer_id
    if score is not None:
        for contact in score.weightless:
            kind, value = words.field(contact.contact_type), plain_value(words, contact.contact_value)
            why = contact.reason or why_weightless(words, contact)
            yield words.say("weightless_contact", kind=kind, value=value, why=why)
        if apart and not told.conflicts and score.match_weight < told.merge_threshold:
            yield _needed(words, told, score)
    if told.closest is not None:
        reason = f"; {reason_words(words, told.closest.reason)}" if told.closest.reason else ""
        yield words.say(
            "closest",
            left=named(words, told.closest.left),
            right=named(words, told.closest.right),
            weight=bits(told.closest.match_weight),
            reason=reason,
        )


def _needed(words: Words, told: Explanation, score: PairScore) -> str:
    lacking = told.merge_threshold - score.match_weight
    values = {"threshold": bits(told.merge_threshold), "lacking": bits(lacking)}
    enough = sorted(
        (field for field in score.fields if field.best_bits > 0 and field.best_bits - field.bits >= lacking),
        key=lambda field: field.best_bits - field.bits,
    )
    if not enough:
        return words.say("needed_much", **values)
    examples = [
        words.say("example", level=words.level(f.comparison, f.best_level), bits=signed(f.best_bits)) for f in enough
    ]
    return words.say("needed", examples="; ".join(examples[:MOST_NAMED]), **values)


def _conflict(words: Words, conflict: Conflict) -> str:
    sides = []
    for side in (conflict.left, conflict.right):
        values: dict[str, list[RecordKey]] = {}
        for value, key in side:
            values.setdefault(value, []).append(key)
        sides.append(
            ", ".join(words.say("held_by", value=v, records=named(words, tuple(keys))) for v, keys in values.items())
        )
    return words.say("conflict", reason=reason_words(words, conflict.constraint), left=sides[0], right=sides[1])


def _chain(words: Words, chain: tuple[Link, ...]) -> Iterator[str]:
    for number, link in enumerate(chain, start=1):
        values = {
            "left": named(words, link.left),
            "right": named(words, link.right),
            "weight": bits(link.match_weight) if link.match_weight is not None else "",
            "findings": _findings(words, link.score)
            if link.score
            else "; ".join(words.level(*level) for level in link.levels),
        }
        yield f"{number}. " + words.say(f"chain_{link.kind.value}", **values)


def _findings(words: Words, score: PairScore) -> str:
    """The findings of a link in a line, the weightiest first."""
    told = [f for f in score.fields if f.level is not None and abs(f.bits) >= SLIGHT]
    told.sort(key=lambda field: -abs(field.bits))
    return "; ".join(f"{words.level(f.comparison, f.level or '')} ({signed(f.bits)})" for f in told)


def _record_link(words: Words, link: RecordLink) -> str:
    sides = {"left": str(link.left), "right": str(link.right)}
    if link.document is None:
        return words.say("link_decided", by=signature(link.decision) if link.decision else "", **sides)
    names = [fit for fit in link.fit if not fit.startswith("birth_date")]
    dates = [fit for fit in link.fit if fit.startswith("birth_date")]
    return words.say(
        "link_document",
        document=words.document(link.document.document_type),
        number=link.document.document_number,
        valid=validity(words, link.document),
        fit=words.listed([words.fit(fit) for fit in (*names[:1], *dates[:1])]),
        **sides,
    )


def _built(words: Words, link: Link) -> str:
    text = words.say(
        f"built_{link.kind.value}",
        left=named(words, link.left),
        right=named(words, link.right),
        weight=bits(link.match_weight) if link.match_weight is not None else "",
    )
    if link.score is None or link.score.found_by is None:
        return text
    keys = link.score.found_by.split(" + ")
    if not set(keys) <= set(words.keys):
        return text
    rule = words.say("built_rule", rule=words.listed([words.key(key) for key in keys]))
    return f"{text} ({rule})"


def _open_pair(words: Words, pair: OpenPair) -> str:
    text = words.say(
        "open_pair",
        left=named(words, pair.left),
        right=named(words, pair.right),
        customer=pair.customer_id,
        weight=bits(pair.match_weight),
    )
    return f"{text}; {reason_words(words, pair.reason)}" if pair.reason else text


def _decision(words: Words, decision: Decision) -> str:
    sides = {"left": str(decision.left), "right": str(decision.right)}
    text = words.say(f"decision_{decision.verdict}", by=signature(decision), **sides)
    return text if decision.standing == "binding" else f"{text} {words.standing(decision.standing)}"
