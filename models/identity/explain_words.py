"""The words of explanations, by language: everything that a translator touches, and nothing else.

A language is a ``Words``: what fields, levels, keys, documents and constraints are called, and the sentences with
their places. Names that a language does not know are told by themselves, underscores as blanks, so that a new
level never breaks an explanation. How sentences are put together lives in ``explain_text``.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """One language.

    Attributes:
        fields: Comparisons and parts of a record.
        levels: By (comparison, level).
        keys: Blocking keys.
        documents: Document types.
        fits: Why records of one document were judged to fit, by name of ``collapse.FITS``.
        kinds: Kinds of shared contacts.
        standings: Why a steward's decision does not bind.
        text: Sentences and phrases, ``str.format`` templates.
        sizes: Words for large numbers, the largest first, as they follow the number.
        most: Larger numbers are told as more than this.
        a_and_b: How two or more things are listed: between the last two, and between the others.
    """

    fields: Mapping[str, str]
    levels: Mapping[tuple[str, str], str]
    keys: Mapping[str, str]
    documents: Mapping[str, str]
    fits: Mapping[str, str]
    kinds: Mapping[str, str]
    standings: Mapping[str, str]
    text: Mapping[str, str]
    sizes: tuple[tuple[float, str], ...]
    most: float
    a_and_b: tuple[str, str]

    def field(self, name: str) -> str:
        """Name of a comparison or field."""
        return self.fields.get(name) or _plain(name)

    def level(self, comparison: str, level: str) -> str:
        """What a level of agreement says."""
        return self.levels.get((comparison, level)) or f"{self.field(comparison)}: {_plain(level)}"

    def key(self, name: str) -> str:
        """Name of a blocking key."""
        return self.keys.get(name) or self.field(name)

    def document(self, kind: str | None) -> str:
        """Name of a document type."""
        return self.documents.get(kind or "") or _plain(kind or self.documents["other"])

    def fit(self, name: str) -> str:
        """Why two records of one document fit."""
        return self.fits.get(name) or _plain(name)

    def kind(self, name: str) -> str:
        """Name of a kind of shared contact."""
        return self.kinds.get(name) or _plain(name)

    def standing(self, name: str) -> str:
        """Why a decision does not bind."""
        return self.standings.get(name) or _plain(name)

    def say(self, sentence: str, **values: object) -> str:
        """A sentence with its places filled."""
        return self.text[sentence].format(**values)

    def list(self, things: list[str]) -> str:
        """Things listed: ``a, b and c``."""
        last, other = self.a_and_b
        return last.join(filter(None, (other.join(things[:-1]), *things[-1:])))


def _plain(name: str) -> str:
    return name.replace("_", " ")


ENGLISH = Words(
    a_and_b=(" and ", ", "),
    sizes=((1e9, " billion"), (1e6, " million")),
    most=1e12,
    fields={
        "name": "name",
        "latin": "name in Latin letters",
        "birth_date": "birth date",
        "sex": "sex",
        "document": "document",
        "mobile": "mobile",
        "phone": "phone",
        "email": "e-mail",
        "address": "address",
        "household": "shared household",
        "branch": "branch in the name",
        "legal_form": "legal form",
        "birth_place": "place of birth",
        "occupation": "occupation",
        "postcode": "postcode",
        "customer": "customer",
        "party_type": "kind of party",
        "male": "male",
        "female": "female",
        "person": "person",
        "organisation": "organisation",
    },
    levels={
        ("name", "equal"): "same name",
        ("name", "same_sound"): "names that sound the same, written with other characters",
        ("name", "swapped"): "same characters in another order",
        ("name", "one_character"): "names one character apart",
        ("name", "given_name"): "same given name, different surname",
        ("name", "surname"): "same surname, different given name",
        ("name", "same_core"): "same company, its place or legal form written differently",
        ("name", "part"): "one name holds the other",
        ("name", "different"): "different names",
        ("latin", "equal"): "same name in Latin letters",
        ("latin", "reordered"): "same letters in another order",
        ("latin", "one_typo"): "names one typing error apart",
        ("latin", "part"): "every word of the one name is in the other",
        ("latin", "one_token"): "one word of the names in common",
        ("latin", "rare_words"): "rare words of the names in common",
        ("latin", "rare_word"): "a rare word of the names in common",
        ("latin", "word"): "a word of the names in common",
        ("latin", "common_word"): "only a common word of the names in common",
        ("latin", "like_word"): "a word of the names one typing error apart",
        ("latin", "word_and_like_word"): "one word of the names in common, another one typing error apart",
        ("latin", "different"): "different names",
        ("birth_date", "equal"): "same birth date",
        ("birth_date", "near"): "birth dates one digit apart, or day and month swapped",
        ("birth_date", "part"): "birth dates agree in the year, or in day and month, only",
        ("birth_date", "different"): "different birth dates",
        ("sex", "equal"): "same sex",
        ("sex", "different"): "different sex",
        ("document", "equal"): "same document number",
        ("document", "different_valid"): "two different numbers of one type, each right in itself",
        ("document", "one_off"): "numbers one typing error apart",
        ("document", "mask_fits"): "the masked number fits the whole one",
        ("document", "mask_differs"): "the masked number does not fit the other",
        ("document", "different"): "different numbers, at least one of them wrong in itself",
        ("mobile", "equal"): "same mobile number",
        ("mobile", "different"): "no mobile number in common",
        ("phone", "equal"): "same phone number",
        ("phone", "different"): "no phone number in common",
        ("email", "equal"): "same e-mail address",
        ("email", "same_user"): "same name before the @, another provider",
        ("email", "like"): "e-mail addresses a typing error apart",
        ("email", "different"): "no e-mail address in common",
        ("address", "equal"): "same address",
        ("address", "same_landline"): "same landline, which stands for the address",
        ("address", "like"): "addresses spelled almost alike",
        ("address", "same_postcode"): "same postcode",
        ("address", "same_region"): "same district, not the same address",
        ("address", "same_area"): "same postal area",
        ("address", "different"): "different addresses",
        ("household", "same_name"): "a contact is shared and the names agree: nothing taken back",
        ("household", "no_name"): "a contact is shared, a name is missing: nothing taken back",
        ("household", "like_name"): "shared contact but names one character apart: often sisters, brothers, twins",
        ("household", "like_latin"): "shared contact, names alike in Latin letters only",
        ("household", "other_name"): "shared contact but different names: likelier two of one household",
        ("branch", "equal"): "both name the same branch, or none",
        ("branch", "different"): "different branches of a company, or branch and head office",
        ("legal_form", "equal"): "same legal form",
        ("legal_form", "different"): "different legal forms",
        ("birth_place", "equal"): "same place of birth",
        ("birth_place", "like"): "places of birth spelled almost alike",
        ("birth_place", "different"): "different places of birth",
        ("occupation", "equal"): "same occupation",
        ("occupation", "like"): "occupations spelled almost alike",
        ("occupation", "different"): "different occupations",
    },
    keys={
        "name": "name",
        "latin": "name in Latin letters",
        "core": "core of the company's name",
        "surname": "surname",
        "given_name": "given name",
        "birth_date": "birth date",
        "birth_year": "year of birth",
        "birth_month_day": "day and month of birth",
        "sex": "sex",
        "document": "document number",
        "document_head": "first half of the document number",
        "document_tail": "second half of the document number",
        "document_end": "last four characters of the document number",
        "mobile": "mobile number",
        "phone": "phone number",
        "email": "e-mail address",
        "region": "district of the address",
        "address": "address",
        "legal_form": "legal form",
        "branch": "branch in the name",
        "token": "word of the name",
        "postcode": "postcode",
        "postal_area": "postal area",
        "birth_place": "place of birth",
        "occupation": "occupation",
    },
    documents={
        "resident_id": "resident id",
        "passport": "passport",
        "hk_macau_permit": "Hong Kong or Macau permit",
        "taiwan_permit": "Taiwan permit",
        "foreign_permit": "foreigner's permanent residence permit",
        "uscc": "unified social credit code",
        "organisation_code": "organisation code",
        "tax_id": "tax number",
        "other": "document",
    },
    fits={
        "name_equal": "the names are equal",
        "name_same_sound": "the names are the same in Latin letters",
        "name_swapped": "the names are the same but for the order",
        "name_one_character": "the names are one character apart",
        "name_part": "one name is a part of the other",
        "name_alike": "the names are almost alike in Latin letters",
        "other_name": "one of them also bears the other's name",
        "name_missing": "one of them shows no name to contradict it",
        "core_equal": "the core of the company's name is the same",
        "core_part": "the core of one company's name is in the other",
        "core_words": "the companies' names have most of their core in common",
        "surname_equal": "the surnames are equal",
        "given_name_equal": "the given names are equal",
        "birth_date_equal": "the birth dates are equal",
        "birth_date_near": "the birth dates are one digit apart",
        "birth_date_missing": "one of them shows no birth date to contradict it",
    },
    kinds={
        "personal": "one person's",
        "family": "a family's",
        "shared": "shared by few",
        "organisation": "an organisation's own",
        "employer": "an employer's, or other premises'",
        "agent": "an agent's",
        "junk": "written where none is known",
    },
    standings={
        "absent": "It has no effect while one of them is not delivered.",
        "superseded": "A later decision says the opposite.",
        "contradicted": "It has no effect: another decision keeps apart what it would join.",
        "other_kind": "It has no effect: one is a person, the other an organisation.",
    },
    text={
        # verdicts
        "alone": "{customer} is this one record alone: nothing was joined with it.",
        "one_since": "One customer, {customer}, since {since}: {because}.",
        "one": "One customer, {customer}: {because}.",
        "two": "Two customers, {left} and {right}: {because}.",
        "because_document": "both records carry the same valid {document} and fit each other",
        "because_document_chain": "valid documents join them over {steps} records",
        "because_score": "what they say in common weighs {weight} bits, and {threshold} are enough",
        "because_chain": "not by each other alone, but over {steps} links; the weakest weighs {weight} bits",
        "because_decided_same": "a steward decided so",
        "because_clusters": "taken together the records of each side fit, though no single pair of them was enough",
        "because_decided_different": "a steward decided so",
        "because_refused": "the evidence weighs {weight} bits, enough to merge, but a fact forbids it: {reason}",
        "because_outvoted": "the two alone weigh {weight} bits, enough to merge, but with the other records of both "
        "customers taken in they do not hold together",
        "because_shared_document": "both carry the same valid document, but the parties do not fit each other; "
        "a steward must say which of them it belongs to",
        "because_ambiguous": "{weight} bits would be enough, but it fits another customer about as well, "
        "and cannot be both; it is for a steward to say",
        "because_other_type": "the one is a person, the other an organisation",
        "because_below_merge": "the evidence weighs {weight} bits, {lacking} short of the {threshold} that make one "
        "customer; the pair is kept for review",
        "because_below_review": "they were compared, and the evidence weighs {weight} bits; {threshold} are needed",
        "because_never_compared": "they were never compared, for they share none of the things by which candidates "
        "are found",
        "because_not_in_one_block": "they were never compared: what they share is shared by so many others that the "
        "group was split, and they fell into different parts",
        "retired": "{retired} no longer exists: it was merged into {customer}.",
        # what each record says
        "records_title": "What each record says",
        "record": "record",
        "written": "written {values}",
        "nothing": "-",
        "valid_checked": "check character fits",
        "valid_form": "form is right; this type has no check character",
        "not_strong": "right in itself, but proves nobody here",
        "masked": "masked: * stands for a hidden character",
        "invalid_checked": "wrong in itself: a typing error, or incomplete",
        "invalid": "cannot be checked",
        "weightless": "shared by {count} parties: does not count",
        "weightless_kind": "{kind}, {count} parties: does not count",
        "weightless_alone": "does not count: incomplete, masked or invented",
        "shared": "{count} parties",
        "nearest": "Of {customer} what comes nearest is compared: {records}.",
        "more_records": "{record} is already one with {others}: what follows compares all that they say together.",
        # how they compare
        "scores_title": "How they compare",
        "field": "field",
        "finding": "finding",
        "bits": "bits",
        "meaning": "makes one customer",
        "start": "before looking",
        "start_finding": "two parties taken at random",
        "odds_against": "1 pair in {count} is",
        "sum": "together",
        "odds_for": "odds of {count} to 1 for one customer",
        "odds_against_sum": "odds of {count} to 1 against",
        "more_than": "more than {count}",
        "times_likelier": "{count} times likelier",
        "times_less": "{count} times less likely",
        "neither": "neither way",
        "not_compared": "not compared: {records} shows none",
        "not_compared_both": "not compared: neither shows one",
        "not_compared_kind": "not compared: of different types",
        "on": "{finding}: {values}",
        "against": "{finding}: {left} / {right}",
        "bearers_rare": "nobody else here bears it",
        "bearers": "{count} customers here bear it",
        "common": ", so it says {bits} bits less than a rare one",
        "thresholds": "One customer from {merge} bits on; kept for a steward's review from {review} bits on. "
        "Ten bits more are a thousand times likelier.",
        "stored_differs": "The night of this release stored {stored} bits: settings or data changed since.",
        "hypothetical": "The night did not keep this pair; the weight was worked out now, for this answer.",
        # how candidates
        "candidates_title": "Why they were compared",
        "no_candidates_title": "Why they were not compared",
        "rules": "Records that share enough are compared; these share: {rules}.",
        "rules_more": "Records that share enough are compared; these share: {rules}; and {count} such things more.",
        "rules_none": "Two records are compared only where they share one of the things named in matching.yaml. "
        "Nearest to it came:",
        "rule_lacks": "{rule}; not shared: {missing}",
        "rules_document": "They share a valid document number, which is always compared.",
        # links inside a node
        "links_title": "What joins them",
        "link_document": "{left} and {right}: same {document} {number} ({valid}); {fit}.",
        "link_decided": "{left} and {right}: a steward decided that they are the same ({by}).",
        # chain
        "chain_title": "The chain that joins them, link by link",
        "chain_score": "{left} with {right}: {weight} bits: {findings}",
        "chain_clusters": "{left} and those with it, with {right} and those with it: {weight} bits "
        "when all that each side says is taken together: {findings}",
        # obstacles
        "obstacles_title": "What stands between them",
        "needed": "To reach {threshold} bits {lacking} more would be needed. Enough would be, for example: {examples}.",
        "needed_much": "To reach {threshold} bits {lacking} more would be needed; no single agreement brings that.",
        "example": "{level} ({bits} bits)",
        "conflict": "Never one customer: {reason}. {left} / {right}.",
        "held_by": "{value} ({records})",
        "reason_document": "two different valid numbers of one type ({document})",
        "reason_birth_date_and_sex": "birth date and sex both in conflict",
        "reason_shared_document": "one valid document on parties that do not fit each other",
        "reason_ambiguous": "fits two customers that exclude each other",
        "rival": "It also fits {customer} ({records}), with {weight} bits.",
        "closest": "Between the two customers the night also kept: {left} with {right}, {weight} bits{reason}.",
        "weightless_contact": "The {kind} {value} is on both, but {why}.",
        "decisions_title": "What stewards decided",
        "decision_same": "{left} and {right} are the same ({by}).",
        "decision_different": "{left} and {right} are different ({by}).",
        # how a customer was built
        "built_title": "How {customer} was built",
        "built_alone": "One record, nothing joined: {records}.",
        "built_main": "It starts from {records}",
        "built_score": "{right}, joined with {left} by {weight} bits",
        "built_rule": "found by the same {rule}",
        "built_clusters": "{right}, joined with {left} and those with it, all taken together",
        "refused_title": "Refused around it",
        "review_title": "Possible duplicates, waiting for review",
        "open_pair": "{left} with {right} of {customer}: {weight} bits",
        "and_more": "{record} and {count} more",
    },
)

LANGUAGES: dict[str, Words] = {"en": ENGLISH}
