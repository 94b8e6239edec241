"""Contact profiles: whose a phone, an e-mail or an address is, and why.

Here lives the judgement of the counts: ``std.contact_profile`` (one row a phone or e-mail) and
``std.address_profile`` (one row an address that several records give). Here do not live the counting
(``contact_holders.py``), the spelling (``contacts.py``, ``addresses.py``), nor what agreement is worth
(``comparisons.py``). The first rule of ``RULES`` that holds decides the kind:

- ``personal``: one person's; ``family``: a few persons with a surname or an address in common; ``organisation``: one
  or a few organisations' own; ``shared``: a few parties with nothing in common that is known. These may identify.
- ``employer``: an organisation's or other premises', with its many persons; ``agent``: a go-between who stands for
  many customers; ``junk``: written where none is known. These say nothing of who somebody is.
"""

from dataclasses import dataclass
from typing import Literal

import duckdb

from models.identity.distinct_values import WORK, quoted, sql_list
from models.identity.placeholders import is_made_up_number
from models.identity.standardise_settings import ContactProfileSettings

Kind = Literal["personal", "family", "shared", "organisation", "employer", "agent", "junk"]

IDENTIFYING: tuple[Kind, ...] = ("personal", "family", "shared", "organisation")
"""Kinds on which agreement counts for identity."""


@dataclass(frozen=True)
class Rule:
    """One way to judge a value.

    Attributes:
        code: Its name in ``reason_code``.
        kind: What the value is if the rule holds.
        condition: SQL over the counts of ``std_work.contact_count`` and the settings' ``$names``.
        words: The reason; ``{name}`` is the count of that name.
    """

    code: str
    kind: Kind
    condition: str
    words: str


_RELATED = "(named_count > surname_count or common_address_count >= 2)"
RULES: tuple[Rule, ...] = (
    Rule("masked", "junk", "contains(contact_value, '*') and contact_type <> 'address'", "part of the value is hidden"),
    Rule("incomplete", "junk", "not may_identify", "not a complete number, or one whose digits stand in a row"),
    Rule(
        "digits_in_a_row",
        "junk",
        f"""
        contact_type in ('mobile', 'phone') and person_count >= $pattern_min_parties and not {_RELATED}
        and {is_made_up_number("right(contact_value, 6)", 6)}
        """,
        "its digits stand in a row, and {party_count} parties without surname or address in common give it",
    ),
    Rule(
        "no_common_ground",
        "junk",
        """
        holder_count >= $junk_min_parties and common_branch_count < $junk_common_share * holder_count
        and (contact_type = 'address' or common_address_count < $junk_common_share * holder_count)
        """,
        "{party_count} parties without branch or address in common give it: written where none is known",
    ),
    Rule(
        "many_organisations",
        "agent",
        "person_count = 0 and holder_count > $max_parties",
        "{organisation_count} organisations give it: one who acts for them",
    ),
    Rule("own", "organisation", "person_count = 0", "{organisation_count} organisation(s) and no person give it"),
    Rule(
        "reassigned",
        "personal",
        "holder_count = 1 and holding_count > 1",
        "{holding_count} persons held it one after another",
    ),
    Rule("one_person", "personal", "holder_count = 1", "one person gives it"),
    Rule(
        "owner",
        "personal",
        "person_count = 1 and holder_count <= $max_parties and contact_type in ('mobile', 'email')",
        "one person and {organisation_count} organisation(s) give it: the person stands for them",
    ),
    Rule(
        "premises_of_one",
        "organisation",
        "person_count = 1 and holder_count <= $max_parties",
        "{organisation_count} organisation(s) and one person give it",
    ),
    Rule(
        "staff",
        "employer",
        """
        organisation_count between 1 and $employer_max_organisations
        and person_count >= $employer_min_persons and 2 * surname_count > person_count
        and if(contact_type = 'address', person_count > $family_max_persons, 2 * common_address_count <= person_count)
        """,
        "{person_count} persons of {surname_count} surnames and {organisation_count} organisation(s) give it",
    ),
    Rule(
        "premises",
        "employer",
        "holder_count > $max_parties and contact_type in ('phone', 'address')",
        "{party_count} parties of {surname_count} surnames give it: a place of work or other premises",
    ),
    Rule(
        "many_parties",
        "agent",
        "holder_count > $max_parties",
        "{party_count} parties of {surname_count} surnames give it: one who acts for them",
    ),
    Rule(
        "related",
        "family",
        f"person_count <= $family_max_persons and ({_RELATED} or contact_type = 'address')",
        "{person_count} persons of {surname_count} surname(s) give it, {common_address_count} of them at one address",
    ),
    Rule("few", "shared", "true", "{party_count} parties give it, with nothing in common that makes them a family"),
)


def create_contact_profiles(con: duckdb.DuckDBPyConnection, settings: ContactProfileSettings) -> None:
    """Create ``std.contact_profile`` and ``std.address_profile``; their columns are those of their ``.yaml`` files.

    Args:
        con: Connection with ``std_work.contact_count``.
        settings: From when on a value is more than one household's.
    """
    thresholds = settings.model_dump(exclude={"reassigned_types", "reassigned_days"})
    judged = _judged(thresholds)
    counts = "strong_party_count, person_count, organisation_count, surname_count, common_address_count"
    for table, value, condition, more in (
        ("contact_profile", "contact_type, contact_value", "contact_type <> 'address'", "holding_count,"),
        ("address_profile", "contact_value as address_value", "contact_type = 'address'", ""),
    ):
        con.execute(
            f"""
            create or replace table std.{table} as
            select
                {value}, contact_kind, contact_kind in {sql_list(IDENTIFYING)} as is_identifying,
                holder_record_count, party_count, {counts}, {more}
                first_seen_date, last_seen_date, reason_code, reason
            from ({judged})
            where {condition}
            """
        )


def _judged(thresholds: dict[str, int | float]) -> str:
    """The query that says kind and reason of each value of ``std_work.contact_count``."""

    def filled(condition: str) -> str:
        for name, value in thresholds.items():
            condition = condition.replace(f"${name}", str(value))
        return condition

    def words(rule: Rule) -> str:
        parts = rule.words.replace("{", "}").split("}")
        said = [part if place % 2 else quoted(part) for place, part in enumerate(parts) if part]
        return f"concat({', '.join(said)})"

    codes = "\n".join(f"when {filled(rule.condition)} then {quoted(rule.code)}" for rule in RULES)
    kinds = "\n".join(f"when {quoted(rule.code)} then {quoted(rule.kind)}" for rule in RULES)
    reasons = "\n".join(f"when {quoted(rule.code)} then {words(rule)}" for rule in RULES)
    return f"""
        select *, case reason_code {kinds} end as contact_kind, case reason_code {reasons} end as reason
        from (select *, case {codes} end as reason_code from {WORK}.contact_count)
    """
