"""Names of persons: masked, titled, dotted, written or spelled, in one form, split and read.

Here lives ``std_work.person_name``. Here do not live the readings and the order of romanised names
(``romanised.py``) nor which record has which name (``names.py``).

A masked character becomes ``*``, one for each, and stays in ``name_standard``; such a name has no ``name_latin``
and no ``given_name``, because nothing may agree on what is unknown. A surname alone (王先生) is masked too: 王*.
"""

import re
from collections.abc import Sequence

import duckdb
import pyarrow as pa

from models.identity.distinct_values import WORK, alternation, map_distinct, quoted, sql_list
from models.identity.known_values import remember
from models.identity.languages import Lexicon
from models.identity.romanised import LatinNames, Pinyin, fold
from models.identity.standardise_settings import StandardiseSettings

_BRACKETED = r"\([^()]*\)|\[[^\[\]]*\]|【[^】]*】|〔[^〕]*〕|〈[^〉]*〉|《[^》]*》|「[^」]*」|<[^<>]*>"
# The middle dot in all its forms, and what is typed for it.
_DOTS = "[·•‧・∙⋅・᛫◦⸱⸳ꞏ˙．。.|_‐‑–—-]"
_MASKS = "[*?□■●○◯×✱�＊※]"


def create_persons(
    con: duckdb.DuckDBPyConnection, settings: StandardiseSettings, lexicon: Lexicon, pinyin: Pinyin | None
) -> None:
    """Create ``std_work.person_name``: one row for each distinct name of a person.

    Columns: text, family (of ``std_work.name_value``; family empty where none is told), name_standard, surname,
    given_name, name_latin. Names that an earlier night has read are not read again.
    """
    remember(
        con,
        "person_name",
        f"{WORK}.person_name",
        f"""
        select distinct text, coalesce(family, '') as family from {WORK}.name_value where party_type = 'person'
        """,
        lambda names_sql: _read_persons(con, settings, lexicon, pinyin, names_sql),
    )


def _read_persons(
    con: duckdb.DuckDBPyConnection,
    settings: StandardiseSettings,
    lexicon: Lexicon,
    pinyin: Pinyin | None,
    names_sql: str,
) -> None:
    """Create ``std_work.person_name`` for the names (text, family) of a query."""
    con.execute(
        f"create or replace table {WORK}.person_read as select row_number() over () as name_no, * from ({names_sql})"
    )
    letter = rf"\p{{{pinyin.language.script}}}" if pinyin else r"[^\s\S]"
    title_words = [fold(word) for word in (*settings.titles, *lexicon.words("person_titles"))]
    titles = alternation(title_words)
    con.execute(
        rf"""
        create or replace table {WORK}.person_text as
        with unbracketed as (
            select name_no, text, family, regexp_replace(text, {quoted(_BRACKETED)}, ' ', 'g') as outside
            from {WORK}.person_read
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
                when regexp_matches(text, '{letter}') then regexp_replace(text, '(?:{titles}[^\p{{L}}*]*)+$', ' ')
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
        select distinct untitled, family from {WORK}.person_text
        where not regexp_matches(untitled, '{letter}')
        """,
        latin_names.columns,
    )
    if pinyin:
        _create_written(con, lexicon, pinyin, title_words)
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
        with named as (
            select name_no, name_standard, surname, given_name, name_latin from {WORK}.written_name
            union all
            select person.name_no, name.name_standard, name.surname, name.given_name, name.name_latin
            from {WORK}.person_text as person
            inner join {WORK}.spelled_name as name using (untitled, family)
        )
        select read.text, read.family, named.* exclude (name_no)
        from {WORK}.person_read as read
        inner join named using (name_no)
        """
    )


def _create_written(con: duckdb.DuckDBPyConnection, lexicon: Lexicon, pinyin: Pinyin, titles: Sequence[str]) -> None:
    """Create ``std_work.written_name``: names in the romanised script, split and read."""
    letter = rf"\p{{{pinyin.language.script}}}"
    compounds = sql_list(pinyin.language.compound_surnames)
    # 巴合提 玉山: a blank in a long name stands for the dot that many systems cannot write.
    blank_for_dot = rf"^{letter}{{2,}} +{letter}{{3,}} *$|^{letter}{{3,}} +{letter}{{2,}} *$"
    torn_title = f"(?:·*{_torn(titles)})+$"
    withheld = "trimmed"
    for word in lexicon.words("withheld_words"):
        withheld = rf"regexp_replace({withheld}, '({letter})·*{_torn([word])}$', '\1{'*' * len(word)}')"
    con.execute(
        rf"""
        create or replace table {WORK}.written_text as
        with written as (
            select
                name_no,
                regexp_replace(family, '[^{letter}]', '', 'g') as family,
                trim(regexp_replace(
                    regexp_replace(
                        case
                            when regexp_matches(untitled, {quoted(blank_for_dot)})
                                then replace(trim(untitled), ' ', '·')
                            else untitled
                        end,
                        {quoted(_DOTS)}, '·', 'g'
                    ),
                    '[^{letter}·*]', '', 'g'
                ), '·') as trimmed,
                text <> untitled as is_titled
            from {WORK}.person_text
            where regexp_matches(untitled, '{letter}')
        ),
        -- a title, or a word for what is withheld, may only show once the signs inside it are gone, dots among them
        bared as (
            select
                name_no, family,
                regexp_replace(trimmed, '{torn_title}', '') as trimmed,
                is_titled or regexp_matches(trimmed, '{torn_title}') as is_titled
            from written
        ),
        starred as (
            select
                name_no, family,
                case
                    when length(trimmed) = 1 or (is_titled and trimmed in {compounds}) then trimmed || '*'
                    else {withheld}
                end as dotted
            from bared
        ),
        named as (
            select
                name_no, family, dotted,
                replace(dotted, '·', '') as name,
                regexp_matches(dotted, '{letter}{{2}}·{letter}{{2}}') as is_dotted,
                contains(dotted, '*') as is_masked
            from starred
        ),
        split as (
            select
                name_no, dotted, name, is_dotted, is_masked,
                case
                    when starts_with(name, nullif(family, '')) and length(name) > length(family) then family
                    when starts_with(name, '*') then null
                    when length(name) >= 3 and left(name, 2) in {compounds}
                        and (not is_dotted or substr(dotted, 3, 1) = '·') then left(name, 2)
                    when is_dotted then null
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


def _torn(words: Sequence[str]) -> str:
    """A regular expression group of the words, with or without dots between their characters."""
    spread = ["·*".join(map(re.escape, word)) for word in words]
    return f"(?:{'|'.join(spread)})" if spread else alternation([])
