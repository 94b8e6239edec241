"""Phones and e-mails: one spelling of each, and how many parties share it.

Here live ``std.party_contact`` and the step to it. Here does not live what agreement on a contact is worth:
that is scoring; only whether it may count at all (``is_identifying``) is said here.

Phones are E.164 (``+8613812345678``), e-mails lower case, and the value decides whether it is a ``mobile``, a
``phone`` or an ``email``. Kept, but never identifying: a masked value (``*`` for what is hidden), a local
number without its area code, a number that ends in eight equal or consecutive digits, and a value that too many
parties share.
"""

import duckdb

from models.identity.distinct_values import WORK, clean_texts, quoted, sql_list
from models.identity.languages import Lexicon
from models.identity.phones import create_phones
from models.identity.placeholders import bare, placeholder_words
from models.identity.standardise_settings import StandardiseSettings

_EMAIL = r"^[a-z0-9.!#$%&'+/=?^_`{|}~-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+$"


def create_contacts(con: duckdb.DuckDBPyConnection, settings: StandardiseSettings, lexicon: Lexicon) -> None:
    """Create ``std.party_contact``: system, record_id, contact_type, contact_value, party_count, is_identifying.

    Reads ``staging.party_contact``, ``std_work.party_document``, ``party_person`` and ``main_name``.
    ``party_count`` is the number of different parties behind the records that carry the value, as far as a shared
    strong document or the same name and birth date tell.
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
                value.contact_value, value.may_identify
            from staging.party_contact as contact
            inner join {WORK}.contact_value as value on contact.contact_value = value.raw
            inner join {WORK}.party as party using (system, record_id)
        )
        select party_no, contact_type, contact_value, bool_or(may_identify) as may_identify
        from named
        group by party_no, contact_type, contact_value
        """
    )
    _create_party_keys(con)
    _create_party_contacts(con, settings)


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
    smallest of those keys. NULL where a record has neither.
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
            select record.*, coalesce(of_birth.document_key, record.document_key, record.birth_key) as joined_key
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
            coalesce(of_document.joined_key, joined.joined_key) as party_key
        from joined
        left join of_document using (document_key)
        """
    )


def _create_party_contacts(con: duckdb.DuckDBPyConnection, settings: StandardiseSettings) -> None:
    """Count the parties of each contact. A record that only its name describes joins its namesake there."""
    con.execute(
        f"""
        create or replace table std.party_contact as
        with shared as (
            select contact_value from {WORK}.contact_row group by contact_value having count(*) > 1
        ),
        holder as (
            select contact.contact_value, contact.party_no, party.party_key, party.name_key
            from {WORK}.contact_row as contact
            semi join shared using (contact_value)
            inner join {WORK}.party_key as party using (party_no)
        ),
        namesake as (
            select contact_value, name_key, min(party_key) as party_key
            from holder
            where name_key is not null and party_key is not null
            group by contact_value, name_key
        ),
        person as (
            select contact_value, party_key from holder where party_key is not null
            union all
            select
                holder.contact_value,
                coalesce(namesake.party_key, holder.name_key, hash('unnamed', holder.party_no))
            from holder
            left join namesake using (contact_value, name_key)
            where holder.party_key is null
        ),
        counted as (
            select contact_value, count(distinct party_key) as party_count from person group by contact_value
        )
        select
            party.system, party.record_id, contact.contact_type, contact.contact_value,
            coalesce(counted.party_count, 1) as party_count,
            contact.may_identify and coalesce(counted.party_count, 1) <= $most as is_identifying
        from {WORK}.contact_row as contact
        inner join {WORK}.party as party using (party_no)
        left join counted using (contact_value)
        """,
        {"most": settings.contact_max_parties},
    )
