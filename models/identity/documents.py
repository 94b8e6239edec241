"""Identity documents: one spelling of every number, whether it is valid, and whether it proves who somebody is.

Here live ``std.party_document`` and the step to it. Here do not live the checks of single number systems
(``identifiers.py``) nor the rules of a bank (``standardise_settings.py``).

A masked number keeps ``*`` for what is hidden and is never valid. A number that its issuing country alone
makes unique is written ``CN:E12345678``; where a record does not say the country, it is the only one under which
other records know the number, and a number that is known under several is not valid there.
"""

import datetime as dt

import duckdb
import numpy as np
import pyarrow as pa

from models.identity.distinct_values import WORK, clean_texts, map_distinct, quoted, sql_list
from models.identity.identifiers import check_numbers, is_vectorised
from models.identity.known_values import remember
from models.identity.languages import Lexicon
from models.identity.placeholders import bare, is_made_up_number, placeholder_words
from models.identity.standardise_settings import DocumentRule, StandardiseSettings

_SHORTEST = 4


def create_documents(
    con: duckdb.DuckDBPyConnection, settings: StandardiseSettings, lexicon: Lexicon, business_date: dt.date
) -> None:
    """Create ``std.party_document``.

    Reads ``staging.party_document``, ``std_work.party`` and ``std_work.main_name``. Columns: system, record_id,
    document_type, document_number, is_valid, is_strong, birth_date, sex; the last two only of valid numbers that
    tell them. ``std_work.party_document`` is the same by party_no.
    """
    clean_texts(con, f"{WORK}.document_text", "select document_number from staging.party_document", lexicon)
    _create_rows(con, settings, lexicon)
    _create_checked(con, settings)
    _judge(con, settings, business_date)
    _add_parts(con, settings)
    _create_party_documents(con, settings)


def _create_rows(con: duckdb.DuckDBPyConnection, settings: StandardiseSettings, lexicon: Lexicon) -> None:
    """Create ``std_work.document_row``: numbers in capital letters and digits, placeholders gone."""
    # Spelled first and filtered after: DuckDB would compute the spelling anew for each condition.
    con.execute(
        rf"""
        create or replace table {WORK}.document_spelled as
        with folded as (
            select
                raw,
                case when regexp_full_match(text, '[0-9A-Z]+') then text
                    else regexp_replace(upper(strip_accents(text)), '[*●•■□○×✱※?]', '*', 'g')
                end as text
            from {WORK}.document_text
        ),
        bare as (
            select
                raw, text,
                case when regexp_full_match(text, '[0-9A-Z]+') then text
                    else regexp_replace(text, '[^0-9A-Z*]', '', 'g')
                end as number
            from folded
        )
        select raw, text, case when contains(number, 'XXX') then replace(number, 'X', '*') else number end as number
        from bare
        """
    )
    con.execute(
        f"""
        create or replace table {WORK}.document_number as
        select raw, number
        from {WORK}.document_spelled
        where
            length(number) >= {_SHORTEST}
            and regexp_matches(number, '[0-9A-Z]')
            and case when text = number then number else {bare("text")} end
                not in {sql_list(placeholder_words(settings, lexicon))}
            and not {is_made_up_number("number", 4)}
        """
    )
    con.execute(
        f"""
        create or replace table {WORK}.document_row as
        select
            party.party_no, document.document_type, spelled.number,
            nullif(regexp_replace(
                upper(coalesce(nullif(trim(document.issuing_country), ''), party.nationality)), '[^A-Z]', '', 'g'
            ), '') as country
        from staging.party_document as document
        inner join {WORK}.document_number as spelled on document.document_number = spelled.raw
        inner join {WORK}.party as party using (system, record_id)
        """
    )


def _create_checked(con: duckdb.DuckDBPyConnection, settings: StandardiseSettings) -> None:
    """Create ``std_work.document_checked``: each distinct type and number with what its rule says of it."""
    con.execute(
        f"""
        create or replace table {WORK}.document_checked (
            document_type varchar, number varchar, standard varchar, is_valid boolean, has_check boolean,
            birth_date date, sex varchar
        )
        """
    )
    for place, (document_type, rule) in enumerate(sorted(settings.documents.items())):
        con.execute(
            f"create or replace table {WORK}.document_of_type as "
            f"select distinct number from {WORK}.document_row where document_type = $1",
            [document_type],
        )
        if rule.validator:
            _check_by_validator(con, rule.validator, f"document_{place}")
        else:
            con.execute(
                f"create or replace table {WORK}.document_found as select "
                "number, number as standard, true as is_valid, true as has_check, null::date as birth_date, "
                f"null::varchar as sex from {WORK}.document_of_type"
            )
        _check_by_pattern(con, document_type, rule)


def _check_by_validator(con: duckdb.DuckDBPyConnection, validator: str, kind: str) -> None:
    """Create ``std_work.document_found``; what goes one by one through the library is remembered as ``kind``."""

    def check(numbers: list[str]) -> dict[str, list[str] | pa.Array]:
        found = check_numbers(validator, numbers)
        return {
            "standard": found.number,
            "is_valid": pa.array(found.is_valid),
            "has_check": pa.array(found.has_check),
            "birth_date": pa.array(found.birth_date),
            "sex": pa.array(np.where(found.is_male, "male", "female"), mask=~found.has_sex, type=pa.string()),
        }

    table, numbers_sql = f"{WORK}.document_found", f"select number from {WORK}.document_of_type"
    if is_vectorised(validator):  # faster than looking up what is known
        map_distinct(con, table, numbers_sql, check)
    else:
        remember(con, kind, table, numbers_sql, lambda new_sql: map_distinct(con, table, new_sql, check))


def _check_by_pattern(con: duckdb.DuckDBPyConnection, document_type: str, rule: DocumentRule) -> None:
    """Append the type's numbers to ``std_work.document_checked``, held against the rule's pattern."""
    whole = quoted(f"^(?:{rule.pattern or '.*'})$")
    core = f"nullif(regexp_extract(standard, {whole}, 1), '')" if rule.has_group else "null"
    con.execute(
        f"""
        insert into {WORK}.document_checked
        select
            {quoted(document_type)}, number, coalesce({core}, standard),
            is_valid and {str(rule.can_be_valid).lower()} and not contains(standard, '*')
                and regexp_matches(standard, {whole}),
            has_check, birth_date, sex
        from {WORK}.document_found
        """
    )


def _judge(con: duckdb.DuckDBPyConnection, settings: StandardiseSettings, business_date: dt.date) -> None:
    """Create ``std_work.document_judged``: one row a record and number, valid in the light of the record.

    A number without its own check character is not valid if the record's birth date or sex contradicts it.
    """
    by_country = sql_list(kind for kind, rule in sorted(settings.documents.items()) if rule.per_country)
    country = " ".join(
        f"when {quoted(kind)} then {quoted(rule.country)}"
        for kind, rule in sorted(settings.documents.items())
        if rule.country
    )
    con.execute(
        f"""
        create or replace table {WORK}.document_judged as
        with checked as (
            select
                document.party_no, document.document_type,
                document.document_type in {by_country} as is_by_country,
                document.country,
                coalesce(checked.standard, document.number) as number,
                checked.birth_date, checked.sex,
                coalesce(
                    checked.is_valid
                    and (checked.birth_date is null or checked.birth_date between $oldest and $business_date)
                    and (
                        checked.has_check
                        or coalesce(checked.birth_date = party.birth_date, true)
                        and coalesce(checked.sex = party.sex, true)
                    ),
                    false
                ) as is_valid
            from {WORK}.document_row as document
            inner join {WORK}.party as party using (party_no)
            left join {WORK}.document_checked as checked using (document_type, number)
        ),
        seen as (
            select document_type, number, min(country) as country, min(country) <> max(country) as is_several
            from checked
            where is_by_country and country is not null
            group by document_type, number
        ),
        issued as (
            select
                checked.* exclude (country),
                coalesce(
                    checked.country,
                    {f"case checked.document_type {country} end" if country else "null"},
                    case when not seen.is_several then seen.country end
                ) as country,
                coalesce(seen.is_several, false) as is_several
            from checked
            left join seen using (document_type, number)
        )
        select
            party_no, document_type, number,
            case when is_by_country and country is not null then country || ':' || number else number
            end as document_number,
            is_valid and (country is not null or not is_several) as is_valid,
            birth_date, sex
        from issued
        """,
        {
            "business_date": business_date,
            "oldest": years_before(business_date, settings.maximum_age_years),
        },
    )


def _add_parts(con: duckdb.DuckDBPyConnection, settings: StandardiseSettings) -> None:
    """Append the numbers that lie inside valid ones."""
    for document_type, rule in sorted(settings.documents.items()):
        for part_type, part in sorted(rule.parts.items()):
            con.execute(
                f"""
                insert into {WORK}.document_judged
                select
                    party_no, $part_type,
                    substr(number, $start, $length), substr(number, $start, $length), true, null, null
                from {WORK}.document_judged
                where document_type = $document_type and is_valid
                """,
                {
                    "part_type": part_type,
                    "document_type": document_type,
                    "start": part.start,
                    "length": part.length,
                },
            )


def _create_party_documents(con: duckdb.DuckDBPyConnection, settings: StandardiseSettings) -> None:
    """Create the table. A valid number under too many names is somebody's example, not an identity."""
    strong = " or ".join(
        f"document.document_type = {quoted(kind)}"
        + (f" and party.party_type = {quoted(rule.identifies)}" if rule.identifies != "any" else "")
        for kind, rule in sorted(settings.documents.items())
        if rule.strong
    )
    con.execute(
        f"""
        create or replace table {WORK}.party_document as
        with frequent as (
            select document_type, document_number
            from {WORK}.document_judged
            where is_valid
            group by document_type, document_number
            having count(*) > $document_max_names
        ),
        dummy as (
            select frequent.document_type, frequent.document_number
            from frequent
            inner join {WORK}.document_judged as document using (document_type, document_number)
            inner join {WORK}.main_name as name using (party_no)
            group by frequent.document_type, frequent.document_number
            having count(distinct coalesce(name.name_latin, name.name_standard)) > $document_max_names
        ),
        document as (
            select
                party_no, document_type, document_number,
                bool_or(is_valid) as is_valid,
                min(birth_date) filter (where is_valid) as birth_date,
                min(sex) filter (where is_valid) as sex
            from {WORK}.document_judged
            group by party_no, document_type, document_number
        )
        select
            document.party_no, document.document_type, document.document_number,
            document.is_valid,
            document.is_valid and dummy.document_number is null and ({strong or "false"}) as is_strong,
            document.birth_date, document.sex
        from document
        inner join {WORK}.party as party using (party_no)
        left join dummy using (document_type, document_number)
        """,
        {"document_max_names": settings.document_max_names},
    )
    con.execute(
        f"""
        create or replace table std.party_document as
        select party.system, party.record_id, document.* exclude (party_no)
        from {WORK}.party_document as document
        inner join {WORK}.party as party using (party_no)
        """
    )


def years_before(day: dt.date, years: int) -> dt.date:
    """Return the same day of an earlier year; 28 February for a 29 February that the year lacks."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)
