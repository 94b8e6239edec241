"""Standardisation, step 1 of identity resolution: staging's party tables in one spelling, and what contacts prove.

Here live ``standardise``, the numbering of the records and ``std.party_standard``. The parts have rooms of their
own: ``names.py``, ``organisations.py``, ``documents.py``, ``contacts.py``, ``addresses.py``, ``regions.py``. Here
does not live any comparison of two records.

Work is done on distinct values: in SQL, and in Python only for the values that need a library. Inside, a record
is a number (``party_no``), since joining numbers is several times cheaper. The result is a set of rows that
depends on the set of rows that came in, not on their order, and has no order itself.
"""

import datetime as dt

import duckdb

from models.identity.addresses import create_addresses
from models.identity.contacts import create_contacts
from models.identity.distinct_values import WORK, keep_only, sql_list
from models.identity.documents import create_documents, years_before
from models.identity.languages import Lexicon
from models.identity.names import create_names
from models.identity.particulars import create_particulars
from models.identity.regions import REGION_TABLES, create_regions
from models.identity.standardise_settings import StandardiseSettings


def standardise(con: duckdb.DuckDBPyConnection, settings: StandardiseSettings, business_date: dt.date) -> None:
    """Create ``std.party_standard``, ``party_name``, ``party_document``, ``party_contact`` and the contact profiles.

    Their columns are those of ``party_standard.yaml`` and its neighbours in this folder. A name, document,
    contact or address whose party record is not in ``staging.party`` is left out.

    Args:
        con: Connection with the views ``staging.party``, ``party_name``, ``party_document``, ``party_contact``
            and ``party_address``; schema ``std`` is created in it, and a scratch schema dropped at the end.
        settings: The bank's ``standardise:`` settings.
        business_date: Later birth dates are mistakes.
    """
    lexicon = Lexicon.of(settings.languages)
    con.execute("create schema if not exists std")
    con.execute(f"create schema if not exists {WORK}")
    try:
        _create_parties(con, settings, business_date)
        create_regions(con, lexicon)
        create_names(con, settings, lexicon)
        keep_only(con, "party", *REGION_TABLES, "main_name")
        create_documents(con, settings, lexicon, business_date)
        keep_only(con, "party", *REGION_TABLES, "main_name", "party_document")
        create_addresses(con, settings, lexicon)
        keep_only(con, "party", "main_name", "party_document", "party_region")
        _create_party_persons(con)
        create_particulars(con, settings, lexicon)
        create_contacts(con, settings, lexicon)
        _create_party_standard(con)
    finally:
        con.execute(f"drop schema {WORK} cascade")


def _create_parties(con: duckdb.DuckDBPyConnection, settings: StandardiseSettings, business_date: dt.date) -> None:
    """Create ``std_work.party``: numbered records, birth dates that can be true, sexes that are known codes."""
    nothing = sql_list(str(day) for day in settings.placeholders.birth_dates)
    con.execute(
        f"""
        create or replace table {WORK}.party as
        select
            row_number() over () as party_no,
            system, record_id, party_type, full_name, family_name, given_name, nationality,
            case
                when birth_date::varchar in {nothing} or birth_date > $business_date then null
                when party_type = 'person' and birth_date < $oldest then null
                else birth_date
            end as birth_date,
            case when sex in ('male', 'female') then sex end as sex,
            branch_id, opened_date, updated_at
        from staging.party
        """,
        {"business_date": business_date, "oldest": years_before(business_date, settings.maximum_age_years)},
    )


def _create_party_persons(con: duckdb.DuckDBPyConnection) -> None:
    """Create ``std_work.party_person``: party_no, birth date and sex; valid documents fill what is missing."""
    con.execute(
        f"""
        create or replace table {WORK}.party_person as
        with told as (
            select
                document.party_no,
                arg_min(document.birth_date, (document.document_type, document.document_number)) as birth_date,
                arg_min(document.sex, (document.document_type, document.document_number)) as sex
            from {WORK}.party_document as document
            inner join {WORK}.party as party using (party_no)
            where
                party.party_type = 'person'
                and (party.birth_date is null or party.sex is null)
                and (document.birth_date is not null or document.sex is not null)
            group by document.party_no
        )
        select
            party.party_no,
            coalesce(party.birth_date, told.birth_date) as birth_date,
            party.birth_date is not null as birth_date_is_told,
            case when party.party_type = 'person' then coalesce(party.sex, told.sex) end as sex
        from {WORK}.party as party
        left join told using (party_no)
        """
    )


def _create_party_standard(con: duckdb.DuckDBPyConnection) -> None:
    """Create ``std.party_standard`` from the parts, and from ``std.address_profile`` what an address may prove."""
    con.execute(
        f"""
        create or replace table std.party_standard as
        select
            party.system, party.record_id, party.party_type,
            name.name_standard, name.surname, name.given_name, name.name_latin,
            name.name_core, name.legal_form, name.branch_suffix,
            person.birth_date, person.birth_date_is_told, person.sex,
            region.address_region, region.address_key,
            if(region.address_key is null, null, coalesce(profile.is_identifying, true)) as address_is_identifying,
            particular.postcode, particular.birth_place, particular.occupation,
            party.branch_id, party.opened_date, party.updated_at
        from {WORK}.party as party
        left join {WORK}.main_name as name using (party_no)
        left join {WORK}.party_region as region using (party_no)
        left join std.address_profile as profile
            on concat_ws('|', region.address_region, region.address_key) = profile.address_value
        inner join {WORK}.party_particular as particular using (party_no)
        inner join {WORK}.party_person as person using (party_no)
        """
    )
