"""The evidence of a node: everything that its records say, merged into one row of ``work.node``.

Lists hold every value that any record carries, single columns the value that most records carry (ties: the
greatest value, so the order of records never matters). Masked names and contacts that identify nobody are left
out. ``work`` tables live as long as the connection and are never persisted.
"""

import duckdb
import pyarrow as pa

from models.identity.languages import Lexicon
from models.identity.matching_model import Frequencies
from models.identity.settings import MatchingSettings

_SORTED = "list_aggregate(list_sort(string_split({text}, '')), 'string_agg', '')"
# The sorting district of a postcode: without its last three characters, at least two (SW1A 1AA -> SW1A, 200120 -> 200).
_AREA = "left(postcode, greatest(length(postcode) - 3, 2))"
_NATIVE = r"regexp_matches({name}, '[^\x00-\x7F]')"


def build_nodes(con: duckdb.DuckDBPyConnection, settings: MatchingSettings) -> None:
    """Create ``work.node``, one row per ``node_id`` of ``identity.party_node``, and ``work.node_document``.

    Args:
        con: Connection with views ``identity.party_node``, ``party_standard``, ``party_name``,
            ``party_document`` and ``party_contact``.
        settings: For the order in which document types stand for a party.
    """
    build_evidence(con, settings, "select system, record_id, node_id from identity.party_node", "node")


def build_evidence(con: duckdb.DuckDBPyConnection, settings: MatchingSettings, members_sql: str, table: str) -> None:
    """Create ``work.<table>`` and ``work.<table>_document`` for any grouping of records.

    Args:
        con: As for ``build_nodes``.
        settings: As for ``build_nodes``.
        members_sql: Query with columns ``system, record_id, node_id``.
        table: Name of the tables to create.
    """
    con.execute("create schema if not exists work")
    con.execute(f"create or replace table work.{table}_member as {members_sql}")
    con.execute(_document_sql(settings, table))
    nicknames = Lexicon.of(settings.standardise.languages).nicknames
    forms = [*nicknames, *((name, name) for name in sorted({name for _, name in nicknames}))]
    known = pa.table({"form": [form for form, _ in forms], "name": [name for _, name in forms]})
    con.register("nickname", known.cast(pa.schema({"form": pa.string(), "name": pa.string()})))
    con.execute(_node_sql(table))
    con.unregister("nickname")
    con.execute(f"drop table work.{table}_member")


def weigh_words(con: duckdb.DuckDBPyConnection, table: str, party_type: str, frequencies: Frequencies) -> str:
    """Create ``work.<table>_words`` (node_id, token_bits): each name's words with what agreement on them says, in bits.

    Args:
        con: Connection with ``work.<table>`` as ``build_evidence`` made it.
        table: Name of the table.
        party_type: ``person`` or ``organisation``: the nodes whose words are weighed.
        frequencies: How frequent words are in names.

    Returns:
        A query for the nodes of the type: the columns of ``work.<table>`` and ``token_bits``.
    """
    known = pa.table({"token": list(frequencies.values), "frequency": list(frequencies.values.values())})
    con.register("known_word", known.cast(pa.schema({"token": pa.string(), "frequency": pa.float64()})))
    con.execute(
        f"""
        create or replace table work.{table}_words as
        with spread as (
            select node_id, unnest(tokens) as token from work.{table} where party_type = '{party_type}'
        ),
        weighed as (
            select token, struct_pack(token := token, bits := -log2(coalesce(frequency, {frequencies.rare}))) as word
            from (select distinct token from spread)
            left join known_word using (token)
        )
        select spread.node_id, list_sort(list(weighed.word)) as token_bits
        from spread
        inner join weighed using (token)
        group by spread.node_id
        """
    )
    con.unregister("known_word")
    return f"select * from work.{table} left join work.{table}_words using (node_id) where party_type = '{party_type}'"


def _document_sql(settings: MatchingSettings, table: str) -> str:
    """Documents by node; ``type_rank`` is the order of types in the settings, types of the other kind go."""
    rules = settings.standardise.documents
    listed = "".join(f", ('{name}', {rank}, '{rule.identifies}')" for rank, (name, rule) in enumerate(rules.items()))
    return f"""
    create or replace table work.{table}_document as
    with document_type(document_type, type_rank, identifies) as (values (null, null, null){listed})
    select distinct
        member.node_id,
        document.document_type,
        document.document_number,
        regexp_replace(document.document_number, '^[A-Z]{{2}}:', '') as bare_number,
        coalesce(document_type.type_rank, {len(rules)}) as type_rank,
        bool_or(document.is_valid) over same_number as is_valid,
        bool_or(document.is_strong) over same_number as is_strong
    from identity.party_document as document
    inner join work.{table}_member as member using (system, record_id)
    inner join identity.party_standard as party using (system, record_id)
    left join document_type using (document_type)
    where coalesce(document_type.identifies, 'any') in ('any', party.party_type)
    window same_number as (
        partition by member.node_id, document.document_type, document.document_number
    )
    """


def _node_sql(table: str) -> str:
    return rf"""
    create or replace table work.{table} as
    with record as (
        select
            member.node_id,
            party.party_type,
            if(contains(party.name_standard, '*'), null, party.name_standard) as name_standard,
            if(contains(party.name_standard, '*'), null, party.name_latin) as name_latin,
            if(contains(party.name_standard, '*'), null, party.given_name) as given_name,
            party.surname,
            party.name_core,
            party.legal_form,
            party.branch_suffix,
            party.birth_date,
            party.sex,
            party.address_region,
            if(party.address_is_identifying is false, null, party.address_key) as address_key,
            party.postcode,
            party.birth_place,
            party.occupation
        from identity.party_standard as party
        inner join work.{table}_member as member using (system, record_id)
    ),
    named as (
        select
            node_id,
            struct_pack(
                is_native := {_NATIVE.format(name="name_standard")},
                record_count := count(*),
                name_standard := name_standard,
                name_latin := coalesce(name_latin, ''),
                surname := coalesce(surname, ''),
                given_name := coalesce(given_name, ''),
                name_core := coalesce(name_core, ''),
                legal_form := coalesce(legal_form, ''),
                branch_suffix := coalesce(branch_suffix, '')
            ) as choice
        from record
        where name_standard is not null
        group by node_id, name_standard, name_latin, surname, given_name, name_core, legal_form, branch_suffix
    ),
    main_name as (
        select node_id, max(choice) as main
        from named
        group by node_id
    ),
    dated as (
        select node_id, birth_date, count(*) as record_count
        from record
        where birth_date is not null
        group by node_id, birth_date
    ),
    birth as (
        select
            node_id,
            list_sort(list(birth_date)) as birth_dates,
            arg_max(birth_date, row(record_count, birth_date)) as birth_date
        from dated
        group by node_id
    ),
    party as (
        select
            node_id,
            min(party_type) as party_type,
            count(*) as record_count,
            if(min(sex) = max(sex), min(sex), null) as sex,
            list_sort(list(distinct sex) filter (where sex is not null)) as sexes,
            list_sort(list(distinct name_core) filter (where name_core is not null)) as cores,
            list_sort(list(distinct address_region) filter (where address_region is not null)) as address_regions,
            list_sort(
                list(distinct concat_ws('|', address_region, address_key)) filter (where address_key is not null)
            ) as addresses,
            list_sort(list(distinct postcode) filter (where postcode is not null)) as postcodes,
            list_sort(list(distinct {_AREA}) filter (where postcode is not null)) as postal_areas,
            list_sort(list(distinct birth_place) filter (where birth_place is not null)) as birth_places,
            list_sort(list(distinct occupation) filter (where occupation is not null)) as occupations
        from record
        group by node_id
    ),
    name as (
        select
            member.node_id,
            list_sort(list(distinct name_standard) filter (where {_NATIVE.format(name="name_standard")})) as natives,
            list_sort(list(distinct name_standard)) as names,
            list_sort(list(distinct name_latin) filter (where name_latin is not null)) as latins,
            list_sort(list(distinct name_latin) filter (where name_latin is not null and name_type <> 'romanised'))
                as sounds,
            list_distinct(flatten(list(string_split(name_latin, ' ')) filter (where name_latin is not null))) as words
        from identity.party_name as party_name
        inner join work.{table}_member as member using (system, record_id)
        where not contains(name_standard, '*')
        group by member.node_id
    ),
    -- given names that a familiar form may be short for, and that the names have in full
    formal as (
        select
            word.node_id,
            list_sort(list(distinct nickname.name)) as names,
            list_sort(list(distinct form)) as forms
        from (select node_id, unnest(words) as form from name) as word
        inner join nickname using (form)
        group by word.node_id
    ),
    document as (
        select
            node_id,
            list_sort(
                list(distinct concat_ws(':', document_type, bare_number)) filter (where not contains(bare_number, '*'))
            ) as ids,
            list_sort(list_distinct(list(concat_ws(':', document_type, head)) filter (
                where length(bare_number) >= 8 and not contains(head, '*')
            ))) as id_heads,
            list_sort(list_distinct(list(concat_ws(':', document_type, tail)) filter (
                where length(bare_number) >= 8 and not contains(tail, '*')
            ))) as id_tails,
            list_sort(list_distinct(list(concat_ws(':', document_type, right(bare_number, 4))) filter (
                where length(bare_number) >= 8 and not contains(right(bare_number, 4), '*')
            ))) as id_ends,
            max(struct_pack(
                type_rank := -type_rank,
                is_valid := is_valid,
                is_whole := not contains(bare_number, '*'),
                document_type := document_type,
                document_number := bare_number
            )) as main
        from (
            select
                *,
                left(bare_number, length(bare_number) // 2) as head,
                right(bare_number, length(bare_number) - length(bare_number) // 2) as tail
            from work.{table}_document
        )
        group by node_id
    ),
    -- a number that was re-assigned is another contact in every holding
    held_contact as (
        select
            system, record_id, contact_type,
            if(holding_no > 1, contact_value || '#' || holding_no, contact_value) as contact_value
        from identity.party_contact
        where is_identifying
    ),
    contact as (
        select
            member.node_id,
            list_sort(list(distinct contact_value) filter (where contact_type = 'mobile')) as mobiles,
            list_sort(list(distinct contact_value) filter (where contact_type = 'phone')) as landlines,
            list_sort(list(distinct contact_value) filter (where contact_type in ('mobile', 'phone'))) as phones,
            list_sort(list(distinct contact_value) filter (where contact_type = 'email')) as emails
        from held_contact
        inner join work.{table}_member as member using (system, record_id)
        group by member.node_id
    )
    select
        node_id,
        party.party_type,
        party.record_count,
        if(main_name.main.is_native, main_name.main.name_standard, null) as native,
        {_SORTED.format(text="if(main_name.main.is_native, main_name.main.name_standard, null)")} as native_sorted,
        if(party.party_type = 'person', name.natives, name.names) as names,
        list_distinct(flatten(list_transform(
            list_filter(name.natives, lambda n: length(n) between 3 and 24),
            lambda n: list_transform(range(1, length(n) + 1), lambda i: n[:i - 1] || '?' || n[i + 1:])
        ))) as names_open,
        coalesce(nullif(main_name.main.name_latin, ''), name.latins[1]) as latin,
        name.latins as latins,
        nullif(name.sounds, []) as sounds,
        nullif(list_sort(name.words), []) as tokens,
        formal.names as formal_names,
        formal.forms as given_words,
        {_SORTED.format(text="replace(coalesce(nullif(main_name.main.name_latin, ''), name.latins[1]), ' ', '')")}
            as latin_sorted,
        list_distinct(string_split(coalesce(nullif(main_name.main.name_latin, ''), name.latins[1]), ' '))
            as latin_tokens,
        nullif(main_name.main.surname, '') as surname,
        nullif(main_name.main.given_name, '') as given_name,
        nullif(main_name.main.name_core, '') as core,
        party.cores,
        nullif(main_name.main.legal_form, '') as legal_form,
        nullif(main_name.main.branch_suffix, '') as branch_suffix,
        birth.birth_date,
        birth.birth_dates,
        strftime(birth.birth_date, '%Y%m%d') as birth_digits,
        party.sex,
        party.sexes,
        document.ids,
        nullif(document.id_heads, []) as id_heads,
        nullif(document.id_tails, []) as id_tails,
        nullif(document.id_ends, []) as id_ends,
        document.main.document_type as id_type,
        document.main.document_number as id_number,
        document.main.is_valid as id_is_valid,
        contact.mobiles,
        contact.landlines,
        contact.mobiles[1] as mobile,
        contact.phones,
        contact.phones[1] as phone,
        contact.emails,
        contact.emails[1] as email,
        party.address_regions,
        party.address_regions[1] as region,
        if(regexp_full_match(party.address_regions[1], '[ -~]{{6,}}'), party.address_regions[1], null) as region_latin,
        party.addresses,
        party.addresses[1] as address,
        if(regexp_full_match(party.addresses[1], '[ -~]{{12,}}'), party.addresses[1], null) as address_latin,
        nullif(regexp_extract(party.addresses[1], '(?:^|\|)([ -{{}}~]{{8,}})$', 1), '') as street_latin,
        party.postcodes,
        party.postcodes[1] as postcode,
        party.postal_areas,
        party.birth_places,
        party.birth_places[1] as birth_place,
        party.occupations,
        party.occupations[1] as occupation
    from party
    left join main_name using (node_id)
    left join birth using (node_id)
    left join name using (node_id)
    left join formal using (node_id)
    left join document using (node_id)
    left join contact using (node_id)
    order by node_id
    """
