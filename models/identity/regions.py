"""Places that a bank's own addresses name: the gazetteer that addresses and company names are read with.

Here lives the standard name of a province, city or district, and what the structured fields of all addresses
say together about which lies in which. No list of a country's places is kept: the data are the list. Here
does not live the reading of an address text (``addresses.py``).
"""

import duckdb

from models.identity.distinct_values import WORK, alternation, clean_texts, sql_list
from models.identity.languages import Lexicon
from models.identity.placeholders import bare

LEVELS = ("province", "city", "district")
REGION_TABLES = (
    *("region_text", "region", "region_name"),
    *("region_of_city", "region_of_district", "region_of_lone_district"),
)
"""The gazetteer's tables in the scratch schema."""

_MOST_NAMES = 5000
_AGREEMENT = 0.9


def suffix_pattern(lexicon: Lexicon) -> str:
    """Return the regular expression of what follows a region's bare name: qualifiers and one suffix."""
    kinds = {"Han": "", "Latin": " "}
    words = {
        key: sorted(
            {kinds[one.script] + word for one in lexicon.languages for word in getattr(one, key)},
            key=lambda word: (-len(word), word),
        )
        for key in ("region_qualifiers", "region_suffixes")
    }
    return f"{alternation(words['region_qualifiers'])}*{alternation(words['region_suffixes'])}"


def create_regions(con: duckdb.DuckDBPyConnection, lexicon: Lexicon) -> None:
    """Create the gazetteer from ``staging.party_address``.

    Tables: ``std_work.region_text`` (raw, name: standard name or NULL), ``std_work.region`` (province, city,
    district, addresses: how many), ``std_work.region_name`` (level, name): names borne by more than one address,
    the most frequent 5,000 a level.
    """
    clean_texts(
        con,
        f"{WORK}.region_spelling",
        " union all ".join(f"select distinct {level} from staging.party_address" for level in LEVELS),
        lexicon,
    )
    fillers = sql_list(sorted({word.upper() for word in lexicon.words("region_fillers")}))
    con.execute(
        rf"""
        create or replace table {WORK}.region_text as
        with spelled as (
            select raw, {bare("text")} as bare_text, strip_accents(upper(text)) as text from {WORK}.region_spelling
        ),
        named as (
            select
                raw,
                case when bare_text not in {fillers} and bare_text <> ''
                    then trim(regexp_replace(regexp_replace(text, '(\p{{Han}}) +', '\1', 'g'),
                        '^(.{{2,}}?){suffix_pattern(lexicon)}$', '\1'))
                end as name
            from spelled
        )
        select raw, name from named
        """
    )
    con.execute(
        f"""
        create or replace table {WORK}.region as
        with triple as (
            select province, city, district, count(*) as addresses from staging.party_address group by all
        )
        select p.name as province, c.name as city, d.name as district, sum(triple.addresses)::bigint as addresses
        from triple
        left join {WORK}.region_text as p on triple.province = p.raw
        left join {WORK}.region_text as c on triple.city = c.raw
        left join {WORK}.region_text as d on triple.district = d.raw
        group by all
        """
    )
    con.execute(
        f"""
        create or replace table {WORK}.region_name as
        with level as ({_levels_sql("name, addresses")}),
        counted as (
            select level, name, sum(addresses) as addresses from level where length(name) >= 2 group by level, name
        )
        select level, name
        from counted
        where addresses > 1
        qualify row_number() over (partition by level order by addresses desc, name) <= {_MOST_NAMES}
        """
    )
    _create_containments(con)


def _levels_sql(columns: str) -> str:
    return " union all ".join(
        f"select '{level}' as level, {columns.replace('name', f'{level} as name', 1)} from {WORK}.region"
        for level in LEVELS
    )


def _create_containments(con: duckdb.DuckDBPyConnection) -> None:
    """What a known level says about a missing one, where nearly all addresses agree (at least nine in ten)."""
    for table, known, missing in (
        ("region_of_city", "city", "province"),
        ("region_of_district", "province, district", "city"),
        ("region_of_lone_district", "district", "province"),
    ):
        given = " and ".join(f"{column} is not null" for column in (*known.split(", "), missing))
        con.execute(
            f"""
            create or replace table {WORK}.{table} as
            with counted as (
                select {known}, {missing}, sum(addresses) as addresses from {WORK}.region where {given} group by all
            )
            select {known}, arg_min({missing}, (-addresses, {missing})) as {missing}
            from counted
            group by {known}
            having max(addresses) >= {_AGREEMENT} * sum(addresses)
            """
        )


def region_alternation(con: duckdb.DuckDBPyConnection, level: str | None = None) -> str:
    """Return a regular expression group of the bare region names of a level, or of all levels."""
    rows = con.execute(
        f"select distinct name from {WORK}.region_name where $1 is null or level = $1", [level]
    ).fetchall()
    return alternation(sorted((name for (name,) in rows), key=lambda name: (-len(name), name)))
