"""Names of organisations: core, legal form and branch.

Here lives ``std_work.organisation_name``. Here do not live the words for legal forms and branches
(``languages/<code>.yaml``).

A branch is not its head office, and two companies of one brand in two towns are not one company: what
distinguishes them stays, in ``branch_suffix`` and, without its brackets, in ``name_core``.
"""

from collections.abc import Iterable

import duckdb

from models.identity.distinct_values import WORK, alternation, map_distinct, quoted
from models.identity.languages import Language, Lexicon
from models.identity.regions import region_alternation, suffix_pattern
from models.identity.romanised import Pinyin


def create_organisations(con: duckdb.DuckDBPyConnection, lexicon: Lexicon, pinyin: Pinyin | None) -> None:
    """Create ``std_work.organisation_name``: one row for each distinct name of an organisation.

    Columns: name_no, name_standard, name_latin, name_core, legal_form, branch_suffix. Reads
    ``std_work.name_value`` and ``std_work.region_name``.
    """
    script = pinyin.language.script if pinyin else None
    is_written = rf"regexp_matches(text, '\p{{{script}}}')" if script else "false"
    con.execute(
        rf"""
        create or replace table {WORK}.organisation_text as
        with folded as (
            select
                name_no,
                {is_written} as is_written,
                regexp_replace(
                    regexp_replace(strip_accents(text), '[?�□■●○]', '*', 'g'), '[.''’‘`]', '', 'g'
                ) as text
            from {WORK}.name_value
            where party_type = 'organisation'
        )
        select
            name_no, is_written,
            case
                when is_written then regexp_replace(text, '[^\p{{L}}\p{{N}}*]', '', 'g')
                else trim(regexp_replace(text, '[^\p{{L}}\p{{N}}*]+', ' ', 'g'))
            end as text
        from folded
        """
    )
    written = [one for one in lexicon.languages if one.script == script]
    spaced = [one for one in lexicon.languages if one.script != script]
    places = (region_alternation(con), suffix_pattern(lexicon))
    con.execute(
        f"""
        create or replace table {WORK}.organisation_part as
        {_parts_sql(written, "is_written", "", *places)}
        union all
        {_parts_sql(spaced, "not is_written", " ", *places)}
        """
    )
    map_distinct(
        con,
        f"{WORK}.organisation_reading",
        f"select distinct name_core from {WORK}.organisation_part where is_written",
        lambda cores: {"latin": pinyin.readings(cores) if pinyin else cores},
    )
    con.execute(
        f"""
        create or replace table {WORK}.organisation_name as
        select
            part.name_no, part.text as name_standard,
            case
                when contains(part.name_core, '*') then null
                when part.is_written then reading.latin
                else part.name_core
            end as name_latin,
            part.name_core, part.legal_form, part.branch_suffix
        from {WORK}.organisation_part as part
        left join {WORK}.organisation_reading as reading on part.name_core = reading.name_core
        """
    )


def _parts_sql(languages: list[Language], condition: str, joint: str, regions: str, suffix: str) -> str:
    """The query that takes names apart which have ``joint`` between their words.

    Words that are separated by blanks can stand for anything in the middle of a name (SMITH CO TRADING): there
    a legal form counts only at the end, or before a branch.
    """
    forms, short_form = _forms(one.organisation_forms for one in languages)
    prefixes, short_prefix = _forms(one.organisation_prefixes for one in languages)
    branches = alternation(
        sorted({word for one in languages for word in one.branch_words}, key=lambda word: (-len(word), word))
    )
    at_end = f"(?:{joint}{forms})*" if joint else ".*"
    return rf"""
        select * from (
            with cut as (
                select
                    name_no, is_written, text,
                    regexp_extract(text, '{joint}{branches}$') as branch,
                    regexp_extract(text, '^({prefixes}){joint}.', 1) as prefix
                from {WORK}.organisation_text
                where {condition}
            ),
            headed as (
                select
                    *, ltrim(substr(left(text, length(text) - length(branch)), length(prefix) + 1)) as head
                from cut
            ),
            parted as (
                select
                    *,
                    case
                        when regexp_full_match(head, '{forms}') then {{'core': head, 'form': '', 'tail': ''}}
                        when branch = '' then regexp_extract(
                            head, '^(.+?){joint}({forms})({at_end})$', ['core', 'form', 'tail']
                        )
                        else regexp_extract(
                            head, '^(.+?){joint}({forms})((?:{joint}.*)?)$', ['core', 'form', 'tail']
                        )
                    end as part,
                    case
                        when branch <> '' then regexp_extract(head, '(?:{joint}{regions}{suffix}?)+$') else ''
                    end as place
                from headed
            ),
            divided as (
                select
                    name_no, is_written, text, branch,
                    coalesce(case part.form{short_form} end, case prefix{short_prefix} end) as legal_form,
                    case
                        when part.form <> '' then part.core
                        when length(head) >= length(place) + 2 then left(head, length(head) - length(place))
                        else head
                    end as core,
                    case
                        when part.form <> '' then regexp_replace(part.tail, '{joint}{forms}', '', 'g')
                        when length(head) >= length(place) + 2 then place
                        else ''
                    end as tail
                from parted
            )
            select
                name_no, is_written, text, legal_form,
                coalesce(
                    nullif(regexp_replace(
                        case when branch = '' then core || tail else core end, '^({regions}){suffix}(.+)$', '\1\2'
                    ), ''),
                    text
                ) as name_core,
                case
                    when branch <> '' then regexp_replace(trim(tail || branch), '({regions}){suffix}', '\1', 'g')
                end as branch_suffix
            from divided
        )"""


def _forms(listed: Iterable[dict[str, tuple[str, ...]]]) -> tuple[str, str]:
    """The pattern of every legal form, and the branches of the SQL ``case`` that gives its short form."""
    short_form: dict[str, str] = {}
    for forms in listed:
        for short, variants in forms.items():
            short_form.update({word: short for word in variants if word not in short_form})
    pattern = alternation(sorted(short_form, key=lambda word: (-len(word), word)))
    cases = "".join(f" when {quoted(word)} then {quoted(short)}" for word, short in sorted(short_form.items()))
    return pattern, cases or " when null then null"
