"""Names of parties in one form: of persons, and the step from raw names to ``std.party_name``.

Here live the names of persons and the table of all names. Here do not live the readings and the order of
romanised names (``romanised.py``) nor the parts of an organisation's name (``organisations.py``).

What a masked character becomes: ``*``, one for each, kept in ``name_standard``; such a name has no
``name_latin`` and no ``given_name``, because nothing may agree on what is unknown.
"""

import duckdb
import pyarrow as pa

from models.identity.distinct_values import WORK, alternation, clean_texts, map_distinct, quoted, sql_list
from models.identity.languages import Lexicon
from models.identity.organisations import create_organisations
from models.identity.placeholders import bare, placeholder_words
from models.identity.romanised import LatinNames, Pinyin, fold
from models.identity.standardise_settings import StandardiseSettings

NAME_TYPE_ORDER = ("legal", "latin", "embossed", "alias", "former", "short")
"""Which name stands for a party whose main name says nothing, best first."""

_BRACKETED = r"\([^()]*\)|\[[^\[\]]*\]|【[^】]*】|〔[^〕]*〕|〈[^〉]*〉|《[^》]*》|「[^」]*」|<[^<>]*>"
_DOTS = "[·•‧・∙⋅・᛫◦．。.|]"
_MASKS = "[*?□■●○◯×✱�＊※]"
_UNKNOWN_KEY = r"[^\p{L}\p{N}]"


def create_names(con: duckdb.DuckDBPyConnection, settings: StandardiseSettings, lexicon: Lexicon) -> None:
    """Create ``std.party_name`` and, for the later steps, ``std_work.main_name``.

    Reads ``std_work.party``, ``staging.party_name`` and ``std_work.region_name`` (the bank's own place names).
    ``std_work.main_name`` has one row a party record that has a name: party_no, name_standard, surname,
    given_name, name_latin, name_core, legal_form, branch_suffix.
    """
    _collect(con, lexicon)
    romanised = next((one for one in lexicon.languages if one.romanisation == "pinyin"), None)
    pinyin = Pinyin(romanised) if romanised else None
    _create_persons(con, settings, lexicon, pinyin)
    create_organisations(con, lexicon, pinyin)
    _join_back(con, settings, lexicon)
    _create_main_names(con)


def _collect(con: duckdb.DuckDBPyConnection, lexicon: Lexicon) -> None:
    """Create ``std_work.name_row``, one row for each name of a record, and ``std_work.name_value``, the distinct ones."""
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


def _create_persons(
    con: duckdb.DuckDBPyConnection, settings: StandardiseSettings, lexicon: Lexicon, pinyin: Pinyin | None
) -> None:
    """Create ``std_work.person_name``: one row for each distinct name of a person."""
    letter = rf"\p{{{pinyin.language.script}}}" if pinyin else r"[^\s\S]"
    titles = alternation([fold(word) for word in (*settings.titles, *lexicon.words("person_titles"))])
    con.execute(
        rf"""
        create or replace table {WORK}.person_text as
        with unbracketed as (
            select name_no, text, family, regexp_replace(text, {quoted(_BRACKETED)}, ' ', 'g') as outside
            from {WORK}.name_value
            where party_type = 'person'
        ),
        masked as (
            select
                name_no, family,
                regexp_replace(
                    case when regexp_matches(outside, '\p{{L}}') then outside else text end,
                    {quoted(_MASKS)}, '*', 'g'
                ) as text
            from unbracketed
        ),
        withheld as (
            select
                name_no, family,
                case when regexp_matches(text, '^{letter}+ ?X+$') then replace(text, 'X', '*') else text end as text
            from masked
        )
        select
            name_no, family, text,
            case
                when regexp_matches(text, '{letter}') then regexp_replace(text, '(?:{titles}\P{{L}}*)+$', ' ')
                else text
            end as untitled
        from withheld
        """
    )
    latin_names = LatinNames(lexicon, settings.titles, pinyin)
    map_distinct(
        con,
        f"{WORK}.spelled_name",
        f"""
        select distinct untitled, coalesce(family, '') as family from {WORK}.person_text
        where not regexp_matches(untitled, '{letter}')
        """,
        latin_names.columns,
    )
    if pinyin:
        _create_written(con, lexicon, pinyin)
    else:
        con.execute(
            f"""
            create or replace table {WORK}.written_name (
                name_no bigint, name_standard varchar, surname varchar, given_name varchar, name_latin varchar
            )
            """
        )
    con.execute(
        f"""
        create or replace table {WORK}.person_name as
        select name_no, name_standard, surname, given_name, name_latin from {WORK}.written_name
        union all
        select person.name_no, name.name_standard, name.surname, name.given_name, name.name_latin
        from {WORK}.person_text as person
        inner join {WORK}.spelled_name as name
            on person.untitled = name.untitled and coalesce(person.family, '') = name.family
        """
    )


def _create_written(con: duckdb.DuckDBPyConnection, lexicon: Lexicon, pinyin: Pinyin) -> None:
    """Create ``std_work.written_name``: names in the romanised script, split and read."""
    letter = rf"\p{{{pinyin.language.script}}}"
    compounds = sql_list(pinyin.language.compound_surnames)
    withheld = "trimmed"
    for word in lexicon.words("withheld_words"):
        withheld = rf"regexp_replace({withheld}, '({letter}){word}$', '\1{'*' * len(word)}')"
    con.execute(
        rf"""
        create or replace table {WORK}.written_text as
        with written as (
            select
                name_no,
                regexp_replace(family, '[^{letter}]', '', 'g') as family,
                trim(regexp_replace(
                    regexp_replace(untitled, {quoted(_DOTS)}, '·', 'g'), '[^{letter}·*]', '', 'g'
                ), '·') as trimmed,
                text <> untitled as is_titled
            from {WORK}.person_text
            where regexp_matches(untitled, '{letter}')
        ),
        starred as (
            select
                name_no, family,
                case
                    when length(trimmed) = 1 or (is_titled and trimmed in {compounds}) then trimmed || '*'
                    else {withheld}
                end as dotted
            from written
        ),
        named as (
            select
                name_no, family, dotted,
                replace(dotted, '·', '') as name,
                contains(dotted, '·') as is_dotted,
                contains(dotted, '*') as is_masked
            from starred
        ),
        split as (
            select
                name_no, dotted, name, is_dotted, is_masked,
                case
                    when starts_with(name, nullif(family, '')) and length(name) > length(family) then family
                    when is_dotted or starts_with(name, '*') then null
                    when length(name) >= 3 and left(name, 2) in {compounds} then left(name, 2)
                    when length(name) <= 3 then left(name, 1)
                    when length(name) = 4 and left(name, 1) in {sql_list(pinyin.language.surnames)}
                        then left(name, 1)
                end as surname
            from named
        )
        select
            name_no,
            name as name_standard,
            surname,
            case when not is_masked then substr(name, length(surname) + 1) end as given_name,
            case
                when is_masked or surname is not null then []
                when is_dotted then string_split(dotted, '·')
                else [name]
            end as parts
        from split
        """
    )
    map_distinct(
        con,
        f"{WORK}.surname_reading",
        f"select distinct surname from {WORK}.written_text where surname is not null",
        lambda surnames: {"latin": [pinyin.surname_reading(surname) for surname in surnames]},
    )
    map_distinct(
        con,
        f"{WORK}.reading",
        f"""
        select given_name as phrase from {WORK}.written_text where given_name is not null
        union
        select unnest(parts) from {WORK}.written_text where len(parts) > 0
        """,
        lambda phrases: {"latin": pinyin.readings(phrases)},
    )
    map_distinct(
        con,
        f"{WORK}.surname_rank",
        f"select distinct latin from {WORK}.surname_reading union select distinct latin from {WORK}.reading",
        lambda words: {"place": pa.array([pinyin.surname_rank.get(word) for word in words], pa.int32())},
    )
    # The same order as Pinyin.in_order gives, so that a written and a romanised name meet.
    con.execute(
        f"""
        create or replace table {WORK}.written_name as
        with part as (
            select name_no, unnest(parts) as phrase from {WORK}.written_text where len(parts) > 0
        ),
        unsplit as (
            select part.name_no, string_agg(reading.latin, ' ' order by reading.latin) as latin
            from part
            inner join {WORK}.reading as reading using (phrase)
            group by part.name_no
        )
        select
            name.name_no, name.name_standard, name.surname, name.given_name,
            case
                when name.given_name is null or name.surname is null then unsplit.latin
                when (coalesce(family_rank.place, {len(pinyin.surname_rank)}), family.latin)
                    <= (coalesce(given_rank.place, {len(pinyin.surname_rank)}), given.latin)
                    then family.latin || ' ' || given.latin
                else given.latin || ' ' || family.latin
            end as name_latin
        from {WORK}.written_text as name
        left join unsplit using (name_no)
        left join {WORK}.surname_reading as family using (surname)
        left join {WORK}.reading as given on name.given_name = given.phrase
        left join {WORK}.surname_rank as family_rank on family.latin = family_rank.latin
        left join {WORK}.surname_rank as given_rank on given.latin = given_rank.latin
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
                name_no, name_standard, surname, given_name, name_latin,
                null::varchar as name_core, null::varchar as legal_form, null::varchar as branch_suffix
            from {WORK}.person_name
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
