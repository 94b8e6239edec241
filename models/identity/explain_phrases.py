"""Phrases of explanations: numbers in words, and small facts as they stand inside a sentence or a cell.

Here lives how a weight, a document, a contact, a reason is told; whole paragraphs and tables are ``explain_text``'s.
"""

import re

from models.identity.average_link import AMBIGUOUS
from models.identity.decided import DECIDED_DIFFERENT
from models.identity.evidence import BIRTH_DATE_AND_SEX, SHARED_DOCUMENT, TWO_DOCUMENTS
from models.identity.explanation import Contact, Decision, Document, RecordKey
from models.identity.words import Words

MOST_NAMED = 3  # things that are named before "and n more"
SLIGHT = 0.05  # bits: rounds to nothing


def named(words: Words, keys: tuple[RecordKey, ...]) -> str:
    """Records by name, the first few of many."""
    names = [str(key) for key in keys]
    if len(names) <= MOST_NAMED:
        return words.listed(names)
    return words.say("and_more", record=words.separator.join(names[:MOST_NAMED]), count=len(names) - MOST_NAMED)


def plain_value(words: Words, text: str) -> str:
    """A value without what the code puts around it: ``resident_id:3101...``, ``district|street``, ``mobile#2``."""
    text, _, holder = re.sub(r"^[a-z_]+:", "", text).partition("#")
    plain = " ".join(text.replace("|", " ").split())
    return "{} ({})".format(plain, words.say("holder", number=holder)) if holder.isdigit() else plain


def validity(words: Words, document: Document) -> str:
    """What is known of a document's number."""
    if "*" in document.document_number:
        return words.say("masked")
    if document.is_valid and not document.is_strong:
        return words.say("not_strong")
    if document.is_valid:
        return words.say("valid_checked" if document.is_checked else "valid_form")
    return words.say("invalid_checked" if document.is_checked else "invalid")


def contact_note(words: Words, contact: Contact) -> str:
    """What is to be said beside a contact, if anything."""
    if not contact.is_identifying:
        return words.say("weightless", why=why_weightless(words, contact))
    if contact.holding_no > 1:
        return words.say("holder", number=contact.holding_no)
    return words.say("shared", count=contact.party_count) if contact.party_count > 1 else ""


def why_weightless(words: Words, contact: Contact) -> str:
    """Why a contact says nothing of who somebody is."""
    if contact.holding_no == 0:
        return words.say("which_holder")
    if contact.party_count <= 1:
        return words.say("no_whole_value")
    shared = words.say("shared", count=contact.party_count)
    return f"{words.kind(contact.kind)}, {shared}" if contact.kind else shared


def reason_words(words: Words, reason: str) -> str:
    """A recorded reason in the language; reasons of other makers are told as they stand."""
    known = {
        SHARED_DOCUMENT: "reason_shared_document",
        BIRTH_DATE_AND_SEX: "reason_birth_date_and_sex",
        AMBIGUOUS: "reason_ambiguous",
        DECIDED_DIFFERENT: "reason_decided_different",
    }
    if reason in known:
        return words.say(known[reason])
    start = TWO_DOCUMENTS.format("")
    if reason.startswith(start):
        return words.say("reason_document", document=words.document(reason.removeprefix(start)))
    return reason


def signature(decision: Decision) -> str:
    """Who decided, when and why."""
    return f"{decision.decided_by}, {decision.decided_at}: {decision.reason}"


def bits(value: float) -> str:
    """A weight with at most one decimal place."""
    return f"{value:.1f}".removesuffix(".0")


def signed(value: float) -> str:
    """A weight with its sign."""
    return f"{value:+.1f}"


def times_words(words: Words, value: float) -> str:
    """How much likelier a weight makes one customer."""
    if abs(value) < SLIGHT:
        return words.say("neither")
    return words.say("times_likelier" if value > 0 else "times_less", count=count_words(words, 2 ** abs(value)))


def odds_words(words: Words, value: float) -> str:
    """The odds that a sum of weights gives."""
    return words.say("odds_for" if value >= 0 else "odds_against_sum", count=count_words(words, 2 ** abs(value)))


def count_words(words: Words, value: float) -> str:
    """A number to two significant digits: ``1.6``, ``73``, ``9,000``, ``34 million``."""
    if value < 10:
        return f"{value:.1f}".removesuffix(".0")
    rounded = float(f"{min(value, words.most):.2g}")
    size, name = next(((size, name) for size, name in words.sizes if rounded >= size), (1, ""))
    number = f"{rounded / size:,.3g}" if rounded / size < 1000 else f"{rounded / size:,.0f}"
    return words.say("more_than", count=number + name) if value > words.most else number + name
