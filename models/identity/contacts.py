"""Phones and e-mails: one spelling of each.

Here live ``std.party_contact`` and the step to it. Here do not live the judgement of who shares a value
(``contact_profile.py``), nor what agreement on it is worth: that is scoring.

Phones are E.164 (``+8613812345678``), e-mails lower case, and the value decides whether it is a ``mobile``, a
``phone`` or an ``email``. Kept, but never identifying: a masked value (``*`` for what is hidden), a local
number without its area code, and a number that ends in eight equal or consecutive digits.
"""

import duckdb

from models.identity.contact_holders import count_holders
from models.identity.contact_profile import create_contact_profiles
from models.identity.distinct_values import WORK, clean_texts, quoted, sql_list
from models.identity.languages import Lexicon
from models.identity.phones import create_phones
from models.identity.placeholders import bare, placeholder_words
from models.identity.standardise_settings import StandardiseSettings

_EMAIL = r"^[a-z0-9.!#$%&'+/=?^_`{|}~-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+$"


def create_contacts(con: duckdb.DuckDBPyConnection, settings: StandardiseSettings, lexicon: Lexicon) -> None:
    """Create ``std.party_contact`` and, before it, the profiles that say whether a contact may identify.

    Reads ``staging.party_contact``, ``std_work.party``, ``party_document``, ``party_person``, ``party_region`` and
    ``main_name``. Columns are those of ``party_contact.yaml``. ``party_count`` is the number of different parties
    behind the records that carry the value, as far as a shared strong document or the same name and birth date tell.
    A record was seen with a contact on the day on which its source last changed it.
    """
    clean_texts(con, f"{WORK}.contact_text", "select contact_value from staging.party_contact", lexicon)
    con.execute(
        rf"""
        create or replace table {WORK}.contact_part as
        select
            raw,
            unnest(
                case when regexp_matches(text, '[/;、|]') then string_split_regex(text, ' *[/;、|] *') else [text] end
            ) as part
        from {WORK}.contact_text
        where text is not null and {bare("text")} not in {sql_list(placeholder_words(settings, lexicon))}
        """
    )
    _create_emails(con, settings)
    create_phones(con, settings, lexicon)
    con.execute(
        f"""
        create or replace table {WORK}.contact_row as
        with named as (
            select
                party.party_no,
                coalesce(value.kind, case when contact.contact_type = 'mobile' then 'mobile' else 'phone' end)
                    as contact_type,
                value.contact_value, value.may_identify,
                cast(coalesce(contact.updated_at, party.updated_at, party.opened_date) as date) as seen_date
            from staging.party_contact as contact
            inner join {WORK}.contact_value as value on contact.contact_value = value.raw
            inner join {WORK}.party as party using (system, record_id)
        )
        select
            party_no, contact_type, contact_value,
            bool_or(may_identify) as may_identify, max(seen_date) as seen_date
        from named
        group by party_no, contact_type, contact_value
        """
    )
    _create_party_keys(con)
    count_holders(con, settings.contact_profile)
    create_contact_profiles(con, settings.contact_profile)
    con.execute(
        f"""
        create or replace table std.party_contact as
        select
            party.system, party.record_id, contact.contact_type, contact.contact_value,
            contact.seen_date, coalesce(holding.holding_no, 1) as holding_no,
            profile.party_count,
            profile.is_identifying and coalesce(holding.holding_no, 1) > 0 as is_identifying
        from {WORK}.contact_row as contact
        inner join {WORK}.party as party using (party_no)
        inner join std.contact_profile as profile using (contact_type, contact_value)
        left join {WORK}.record_holding as holding using (party_no, contact_type, contact_value)
        """
    )


def _create_emails(con: duckdb.DuckDBPyConnection, settings: StandardiseSettings) -> None:
    """Create ``std_work.contact_value`` (raw, kind, contact_value, may_identify) with the e-mails."""
    nobody = sorted(email.lower() for email in settings.placeholders.emails)
    con.execute(
        rf"""
        create or replace table {WORK}.contact_email as
        select raw, regexp_replace(lower(part), '^mailto:|\s', '', 'g') as value
        from {WORK}.contact_part
        where contains(part, '@')
        """
    )
    con.execute(
        rf"""
        create or replace table {WORK}.contact_value as
        select raw, 'email' as kind, value as contact_value, not contains(value, '*') as may_identify
        from {WORK}.contact_email
        where
            regexp_matches(replace(value, '*', '_'), {quoted(_EMAIL)})
            and value not in {sql_list(nobody)}
            and string_split(value, '@')[1] || '@' not in {sql_list(nobody)}
            and not regexp_matches(value, '@(?:example|test)\.')
        """
    )


def _create_party_keys(con: duckdb.DuckDBPyConnection) -> None:
    """Create ``std_work.party_key``: one key for records that a strong document, or name and birth date, join.

    Records of one name and birth date take the smallest document among them, and records of one document the
    smallest of those keys. NULL where a record has neither. ``is_strong``: a strong document made the key.
    """
    con.execute(
        f"""
        create or replace table {WORK}.party_key as
        with document as (
            select party_no, min(hash(document_type, document_number)) as document_key
            from {WORK}.party_document
            where is_strong
            group by party_no
        ),
        record as (
            select
                person.party_no, document.document_key,
                case when name.party_no is not null
                    then hash(coalesce(name.name_latin, name.name_standard))
                end as name_key,
                case when name.party_no is not null and person.birth_date is not null
                    then hash(coalesce(name.name_latin, name.name_standard), person.birth_date)
                end as birth_key
            from {WORK}.party_person as person
            left join {WORK}.main_name as name using (party_no)
            left join document using (party_no)
        ),
        of_birth as (
            select birth_key, min(document_key) as document_key
            from record
            where birth_key is not null and document_key is not null
            group by birth_key
        ),
        joined as (
            select
                record.*,
                coalesce(of_birth.document_key, record.document_key) is not null as is_strong,
                coalesce(of_birth.document_key, record.document_key, record.birth_key) as joined_key
            from record
            left join of_birth using (birth_key)
        ),
        of_document as (
            select document_key, min(joined_key) as joined_key
            from joined
            where document_key is not null
            group by document_key
        )
        select
            joined.party_no,
            joined.name_key,
            joined.is_strong,
            coalesce(of_document.joined_key, joined.joined_key) as party_key
        from joined
        left join of_document using (document_key)
        """
    )
