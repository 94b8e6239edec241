"""Names of parties: from every name that a record carries to ``std.party_name`` and the name that stands for it.

Here lives the way from raw names to standard ones and back to the records. Here does not live how one name is
standardised (``persons.py``, ``organisations.py``).
"""

import duckdb

from models.identity.distinct_values import WORK, clean_texts, quoted, sql_list
from models.identity.languages import Lexicon
from models.identity.organisations import create_organisations
from models.identity.other_romanisations import create_romanised_names
from models.identity.persons import create_persons
from models.identity.placeholders import bare, placeholder_words
from models.identity.romanised import Pinyin
from models.identity.standardise_settings import StandardiseSettings

NAME_TYPE_ORDER = ("legal", "latin", "embossed", "alias", "former", "short")
"""Which name stands for a party whose main name says nothing, best first."""


def create_names(con: duckdb.DuckDBPyConnection, settings: StandardiseSettings, lexicon: Lexicon) -> None:
    """Create ``std.party_name`` and, for the later steps, ``std_work.main_name``.

    Reads ``std_work.party``, ``staging.party_name`` and ``std_work.region_name`` (the bank's own place names).
    ``std_work.main_name`` has one row a party record that has a name: party_no, name_standard, surname,
    given_name, name_latin, name_core, legal_form, branch_suffix.
    """
    _collect(con, lexicon)
    romanised = next((one for one in lexicon.languages if one.romanisation == "pinyin"), None)
    pinyin = Pinyin(romanised) if romanised else None
    create_persons(con, settings, lexicon, pinyin)
    create_romanised_names(con, pinyin)
    create_organisations(con, lexicon, pinyin)
    _join_back(con, settings, lexicon)
    _create_main_names(con)


def _collect(con: duckdb.DuckDBPyConnection, lexicon: Lexicon) -> None:
    """Create ``std_work.name_row``, one row for each name of a record, and ``name_value``, the distinct names."""
    con.execute(
        f"""
        create or replace table {WORK}.name_given as
        select
            party_no, party_type, 'legal' as name_type, true as is_main,
            coalesce(
                nullif(trim(full_name), ''),
                nullif(concat_ws(', ', nullif(trim(family_name), ''), nullif(trim(given_name), '')), '')
            ) as name,
            family_name as family
        from {WORK}.party
        union all
        select party.party_no, party.party_type, party_name.name_type, false, party_name.full_name, null
        from staging.party_name as party_name
        inner join {WORK}.party as party using (system, record_id)
        """
    )
    clean_texts(
        con,
        f"{WORK}.name_text",
        f"select name from {WORK}.name_given union all select family from {WORK}.name_given",
        lexicon,
    )
    con.execute(
        f"""
        create or replace table {WORK}.name_distinct as
        select row_number() over () as name_no, party_type, name, family
        from (select distinct party_type, name, coalesce(family, '') as family from {WORK}.name_given)
        where name is not null
        """
    )
    con.execute(
        f"""
        create or replace table {WORK}.name_row as
        select given.party_no, given.name_type, given.is_main, value.name_no
        from {WORK}.name_given as given
        inner join {WORK}.name_distinct as value
            on given.name = value.name
            and coalesce(given.family, '') = value.family
            and given.party_type = value.party_type
        """
    )
    con.execute(
        f"""
        create or replace table {WORK}.name_value as
        select
            value.name_no, value.party_type, upper(name_text.text) as text, upper(family_text.text) as family
        from {WORK}.name_distinct as value
        inner join {WORK}.name_text as name_text on value.name = name_text.raw
        left join {WORK}.name_text as family_text on value.family = family_text.raw
        """
    )


def _join_back(con: duckdb.DuckDBPyConnection, settings: StandardiseSettings, lexicon: Lexicon) -> None:
    """Give every record its standardised names; placeholders vanish."""
    nothing = sql_list(placeholder_words(settings, lexicon))
    con.execute(
        rf"""
        create or replace table {WORK}.standard_name as
        with standard as (
            select
                value.name_no, name.name_standard, name.surname, name.given_name, name.name_latin,
                null::varchar as name_core, null::varchar as legal_form, null::varchar as branch_suffix
            from {WORK}.person_name as name
            inner join {WORK}.name_value as value
                on name.text = value.text and name.family = coalesce(value.family, '')
            where value.party_type = 'person'
            union all
            select name_no, name_standard, null, null, name_latin, name_core, legal_form, branch_suffix
            from {WORK}.organisation_name
        )
        select standard.*
        from standard
        inner join {WORK}.name_value as value using (name_no)
        where
            regexp_matches(standard.name_standard, '\p{{L}}')
            and {bare("standard.name_standard")} not in {nothing}
            and {bare("value.text")} not in {nothing}
        """
    )
    con.execute(
        f"""
        create or replace table std.party_name as
        select
            party.system, party.record_id, name.name_type, name.name_standard, name.name_latin
        from (
            select name.party_no, name.name_type, standard.name_standard, min(standard.name_latin) as name_latin
            from {WORK}.name_row as name
            inner join {WORK}.standard_name as standard using (name_no)
            group by name.party_no, name.name_type, standard.name_standard
            union all
            select distinct name.party_no, 'romanised', romanised.name_latin, romanised.name_latin
            from {WORK}.name_row as name
            inner join {WORK}.standard_name as standard using (name_no)
            inner join {WORK}.romanised_name as romanised using (name_standard)
            where standard.surname is not null
        ) as name
        inner join {WORK}.party as party using (party_no)
        """
    )


def _create_main_names(con: duckdb.DuckDBPyConnection) -> None:
    """Create ``std_work.main_name``: the party's own name, or the best other name where that says nothing.

    A main name that cannot be read (masked characters, no romanised script) takes the romanised form of
    another name of the record.
    """
    place = " ".join(f"when {quoted(kind)} then {place}" for place, kind in enumerate(NAME_TYPE_ORDER))
    con.execute(
        f"""
        create or replace table {WORK}.main_name as
        with main as (
            select name.party_no, standard.* exclude (name_no)
            from {WORK}.name_row as name
            inner join {WORK}.standard_name as standard using (name_no)
            where name.is_main
        ),
        other as (
            select
                name.party_no, standard,
                (case name.name_type {place} else {len(NAME_TYPE_ORDER)} end, standard.name_standard) as place
            from {WORK}.name_row as name
            inner join {WORK}.standard_name as standard using (name_no)
            anti join (select party_no from main where name_latin is not null) as complete using (party_no)
            where not name.is_main
        ),
        best as (
            select
                party_no,
                arg_min(standard, place) as standard,
                arg_min(standard.name_latin, place) as name_latin
            from other
            group by party_no
        )
        select
            party_no, name_standard, surname, given_name,
            coalesce(main.name_latin, best.name_latin) as name_latin,
            name_core, legal_form, branch_suffix
        from main
        left join best using (party_no)
        union all
        select
            party_no, best.standard.name_standard, best.standard.surname, best.standard.given_name,
            best.name_latin, best.standard.name_core, best.standard.legal_form, best.standard.branch_suffix
        from best
        anti join main using (party_no)
        """
    )
