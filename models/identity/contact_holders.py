"""Who gives a phone, an e-mail or an address: the parties behind the records, since when, and how many of a kind.

Here live the counts by which a value is judged, and the holdings of re-assigned numbers. Here does not live the
judgement (``contact_profile.py``).

A value is counted by its different parties, not by its records: a strong document, or the same name and birth date,
makes several records one party.

A number is re-assigned when two parties with strong documents, without surname or address in common, gave it in
periods that lie ``reassigned_days`` or more apart. The periods are its holdings, numbered from 1 by time; a record
belongs to the holding of its party, else to the one nearest to the date on which its source last saw the value.
Dates come from the delivery alone, never from what an earlier night saw, so a rebuilt night says the same.
"""

import duckdb

from models.identity.distinct_values import WORK, sql_list
from models.identity.standardise_settings import ContactProfileSettings


def count_holders(con: duckdb.DuckDBPyConnection, settings: ContactProfileSettings) -> None:
    """Create ``std_work.record_holding`` and ``std_work.contact_count``.

    ``record_holding`` (party_no, contact_type, contact_value, holding_no) has the records of re-assigned numbers
    alone; ``holding_no`` is 0 where it cannot be told. ``contact_count`` has one row a contact value, and one row an
    address that several records give (``contact_type`` is ``address``).

    Args:
        con: Connection with ``std_work.party``, ``party_key``, ``main_name``, ``party_region`` and ``contact_row``.
        settings: When a number counts as re-assigned.
    """
    _create_holders(con)
    _create_holdings(con, settings)
    _create_counts(con)


def _create_holders(con: duckdb.DuckDBPyConnection) -> None:
    """Create ``std_work.contact_holder``: each record of each value that several records give, and its party.

    A record that only its name describes joins its namesake there; one without a name is a party of its own.
    """
    con.execute(
        f"""
        create or replace view {WORK}.contact_given as
        select party_no, contact_type, contact_value, may_identify, seen_date from {WORK}.contact_row
        union all
        select party_no, 'address', concat_ws('|', address_region, address_key), true, cast(updated_at as date)
        from {WORK}.party_region
        inner join {WORK}.party using (party_no)
        where address_key is not null
        """
    )
    con.execute(
        f"""
        create or replace table {WORK}.contact_holder as
        with shared as (
            select contact_type, contact_value from {WORK}.contact_given group by all having count(*) > 1
        ),
        holder as (
            select given.*, key.party_key, key.name_key, key.is_strong
            from {WORK}.contact_given as given
            semi join shared using (contact_type, contact_value)
            inner join {WORK}.party_key as key using (party_no)
        ),
        namesake as (
            select contact_type, contact_value, name_key, min(struct_pack(party_key, is_strong)) as found
            from holder
            where name_key is not null and party_key is not null
            group by contact_type, contact_value, name_key
        )
        select
            holder.party_no, holder.contact_type, holder.contact_value, holder.may_identify, holder.seen_date,
            coalesce(
                holder.party_key, namesake.found.party_key, holder.name_key,
                hash('unnamed', party.system, party.record_id)
            ) as party_key,
            coalesce(if(holder.party_key is null, namesake.found.is_strong, holder.is_strong), false) as is_strong,
            party.party_type = 'organisation' as is_organisation,
            if(party.party_type = 'person', name.surname, null) as surname,
            if(region.address_key is null, null, hash(region.address_region, region.address_key)) as address,
            if(party.branch_id is null, null, hash(party.system, party.branch_id)) as branch
        from holder
        left join namesake using (contact_type, contact_value, name_key)
        inner join {WORK}.party as party using (party_no)
        left join {WORK}.main_name as name using (party_no)
        left join {WORK}.party_region as region using (party_no)
        """
    )


def _create_holdings(con: duckdb.DuckDBPyConnection, settings: ContactProfileSettings) -> None:
    """Create ``std_work.record_holding`` for the numbers that were re-assigned.

    Parties of one surname or one address hold a number together, so the time between them counts as held.
    """
    con.execute(
        f"""
        create or replace table {WORK}.contact_holding as
        with candidate as (
            select contact_type, contact_value
            from {WORK}.contact_holder
            where contact_type in {sql_list(settings.reassigned_types)}
            group by contact_type, contact_value
            having
                count(distinct party_key) <= $most
                and count(distinct if(is_strong and seen_date is not null, party_key, null)) > 1
        ),
        seen as (
            select * from {WORK}.contact_holder
            semi join candidate using (contact_type, contact_value)
            where is_strong and seen_date is not null
        ),
        held as (
            select contact_type, contact_value, min(seen_date) as from_date, max(seen_date) as until_date
            from seen group by contact_type, contact_value, party_key
            union all
            select contact_type, contact_value, min(seen_date), max(seen_date)
            from seen where surname is not null group by contact_type, contact_value, surname
            union all
            select contact_type, contact_value, min(seen_date), max(seen_date)
            from seen where address is not null group by contact_type, contact_value, address
        ),
        followed as (
            select
                *,
                from_date - max(until_date) over (
                    partition by contact_type, contact_value order by from_date, until_date
                    rows between unbounded preceding and 1 preceding
                ) as days_apart
            from held
        ),
        numbered as (
            select
                *,
                1 + count(*) filter (where days_apart >= $days) over (
                    partition by contact_type, contact_value order by from_date, until_date
                    rows between unbounded preceding and current row
                ) as holding_no
            from followed
        )
        select
            contact_type, contact_value, holding_no,
            min(from_date) as from_date, max(until_date) as until_date
        from numbered
        group by contact_type, contact_value, holding_no
        qualify count(*) over (partition by contact_type, contact_value) > 1
        """,
        {"most": settings.max_parties, "days": settings.reassigned_days},
    )
    con.execute(
        f"""
        create or replace table {WORK}.record_holding as
        with dated as (
            select
                holder.*,
                min(if(is_strong, seen_date, null)) over (
                    partition by contact_type, contact_value, party_key
                ) as party_date
            from {WORK}.contact_holder as holder
            semi join {WORK}.contact_holding using (contact_type, contact_value)
        ),
        distance as (
            select
                dated.party_no, dated.contact_type, dated.contact_value, holding.holding_no,
                greatest(
                    holding.from_date - coalesce(party_date, seen_date),
                    coalesce(party_date, seen_date) - holding.until_date,
                    0
                ) as days
            from dated
            inner join {WORK}.contact_holding as holding using (contact_type, contact_value)
            where coalesce(party_date, seen_date) is not null
        ),
        nearest as (
            select party_no, contact_type, contact_value, min(struct_pack(days, holding_no)).holding_no as holding_no
            from distance
            group by party_no, contact_type, contact_value
        )
        select dated.party_no, dated.contact_type, dated.contact_value, coalesce(nearest.holding_no, 0) as holding_no
        from dated
        left join nearest using (party_no, contact_type, contact_value)
        """
    )


def _create_counts(con: duckdb.DuckDBPyConnection) -> None:
    """Create ``std_work.contact_count``: the counts of each value by which it is judged.

    ``holder_count``, ``person_count``, ``organisation_count`` and the surnames are those of the holding with the most
    parties, ``party_count`` those of all. Addresses that one record gives are left out: there are very many.
    """
    con.execute(
        f"""
        create or replace table {WORK}.contact_count as
        with holder as (
            select holder.*, coalesce(holding.holding_no, 1) as holding_no
            from {WORK}.contact_holder as holder
            left join {WORK}.record_holding as holding using (party_no, contact_type, contact_value)
        ),
        party as (
            select
                contact_type, contact_value, holding_no, party_key,
                bool_or(is_organisation) as is_organisation,
                max(surname) as surname
            from holder
            group by contact_type, contact_value, holding_no, party_key
        ),
        in_holding as (
            select
                contact_type, contact_value, holding_no,
                count(*) as holder_count,
                count(*) filter (where not is_organisation) as person_count,
                count(*) filter (where is_organisation) as organisation_count,
                count(surname) as named_count,
                count(distinct surname) as surname_count
            from party
            where holding_no > 0
            group by contact_type, contact_value, holding_no
        ),
        largest as (
            select contact_type, contact_value, max(in_holding) as most, max(holding_no) as holding_count
            from (
                select
                    contact_type, contact_value, holding_no,
                    struct_pack(holder_count, person_count, organisation_count, named_count, surname_count)
                        as in_holding
                from in_holding
            )
            group by contact_type, contact_value
        ),
        together as (
            select
                contact_type, contact_value,
                count(*) as holder_record_count,
                count(distinct party_key) as party_count,
                count(distinct if(is_strong, party_key, null)) as strong_party_count,
                bool_or(may_identify) as may_identify,
                min(seen_date) as first_seen_date,
                max(seen_date) as last_seen_date
            from holder
            group by contact_type, contact_value
        ),
        {_commonest("address")},
        {_commonest("branch")}
        select
            together.*, most.*, largest.holding_count,
            coalesce(address_most.party_count, 0) as common_address_count,
            coalesce(branch_most.party_count, 0) as common_branch_count
        from together
        inner join largest using (contact_type, contact_value)
        left join address_most using (contact_type, contact_value)
        left join branch_most using (contact_type, contact_value)
        union all by name
        select
            given.contact_type, given.contact_value,
            1 as holder_record_count, 1 as party_count, key.is_strong::integer as strong_party_count,
            given.may_identify,
            given.seen_date as first_seen_date, given.seen_date as last_seen_date,
            1 as holder_count,
            (party.party_type = 'person')::integer as person_count,
            (party.party_type = 'organisation')::integer as organisation_count,
            (name.surname is not null and party.party_type = 'person')::integer as named_count,
            (name.surname is not null and party.party_type = 'person')::integer as surname_count,
            1 as holding_count, 0 as common_address_count, 0 as common_branch_count
        from {WORK}.contact_row as given
        anti join {WORK}.contact_holder as shared using (contact_type, contact_value)
        inner join {WORK}.party as party using (party_no)
        inner join {WORK}.party_key as key using (party_no)
        left join {WORK}.main_name as name using (party_no)
        """
    )


def _commonest(column: str) -> str:
    """CTEs that end in ``<column>_most``: how many parties of a value have one address or branch in common."""
    return f"""
        {column}_parties as (
            select contact_type, contact_value, {column}, count(distinct party_key) as party_count
            from holder
            where {column} is not null
            group by contact_type, contact_value, {column}
        ),
        {column}_most as (
            select contact_type, contact_value, max(party_count) as party_count
            from {column}_parties
            group by contact_type, contact_value
        )
    """
