"""Standardisation, step 1 of identity resolution: staging's party tables in one spelling, and what contacts prove.

Here live ``standardise`` and ``std.party_standard``. The parts have rooms of their own: ``names.py``,
``organisations.py``, ``documents.py``, ``contacts.py``, ``addresses.py``, ``regions.py``. Here does not live
any comparison of two records.

Work is done on distinct values: in SQL, and in Python only for the values that need a library. The result
depends on the set of rows, not on their order.
"""

import datetime as dt

import duckdb

from models.identity.addresses import create_addresses
from models.identity.contacts import create_contacts
from models.identity.distinct_values import WORK, sql_list
from models.identity.documents import create_documents, years_before
from models.identity.languages import Lexicon
from models.identity.names import create_names
from models.identity.regions import create_regions
from models.identity.standardise_settings import StandardiseSettings


def standardise(con: duckdb.DuckDBPyConnection, settings: StandardiseSettings, business_date: dt.date) -> None:
    """Create the tables ``std.party_standard``, ``party_name``, ``party_document`` and ``party_contact``.

    Their columns are those of ``party_standard.yaml`` and its neighbours in this folder.

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
        create_regions(con, lexicon)
        create_names(con, settings, lexicon)
        _create_births(con, settings, business_date)
        create_documents(con, settings, lexicon, business_date)
        create_addresses(con, settings, lexicon)
        _create_parties(con)
        create_contacts(con, settings, lexicon)
    finally:
        con.execute(f"drop schema {WORK} cascade")


def _create_births(
    con: duckdb.DuckDBPyConnection, settings: StandardiseSettings, business_date: dt.date
) -> None:
    """Create ``std_work.party_birth``: birth dates that can be true, and sexes that are known codes."""
    nothing = sql_list(str(day) for day in settings.placeholders.birth_dates)
    con.execute(
        f"""
        create or replace table {WORK}.party_birth as
        select
            system, record_id,
            case
                when birth_date::varchar in {nothing} or birth_date > $business_date then null
                when party_type = 'person' and birth_date < $oldest then null
                else birth_date
            end as birth_date,
            case when sex in ('male', 'female') then sex end as sex
        from staging.party
        """,
        {"business_date": business_date, "oldest": years_before(business_date, settings.maximum_age_years)},
    )


def _create_parties(con: duckdb.DuckDBPyConnection) -> None:
    """Create ``std.party_standard``; a person's valid documents fill a missing birth date and sex."""
    con.execute(
        f"""
        create or replace table std.party_standard as
        with told as (
            select
                system, record_id,
                arg_min(birth_date, (document_type, document_number)) filter (where birth_date is not null)
                    as birth_date,
                arg_min(sex, (document_type, document_number)) filter (where sex is not null) as sex
            from std.party_document
            where is_valid
            group by system, record_id
        )
        select
            party.system, party.record_id, party.party_type,
            name.name_standard, name.surname, name.given_name, name.name_latin,
            name.name_core, name.legal_form, name.branch_suffix,
            case when party.party_type = 'person' then coalesce(birth.birth_date, told.birth_date)
                else birth.birth_date
            end as birth_date,
            case when party.party_type = 'person' then coalesce(birth.sex, told.sex) end as sex,
            region.address_region, region.address_key,
            party.branch_id, party.opened_date, party.updated_at
        from staging.party as party
        inner join {WORK}.party_birth as birth using (system, record_id)
        left join {WORK}.main_name as name using (system, record_id)
        left join {WORK}.party_region as region using (system, record_id)
        left join told using (system, record_id)
        order by party.system, party.record_id
        """
    )
