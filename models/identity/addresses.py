"""Addresses in one form: region, and the rest as a key that two spellings of one address share.

Here lives ``std_work.party_region`` (one row a party record). Here does not live the gazetteer
(``regions.py``), nor whether two addresses are alike enough: that is scoring.
"""

import re
from collections.abc import Sequence

import duckdb

from models.identity.distinct_values import WORK, alternation, clean_texts, map_distinct, quoted, sql_list
from models.identity.languages import Lexicon
from models.identity.placeholders import bare, placeholder_words
from models.identity.regions import LEVELS, region_alternation, suffix_pattern
from models.identity.standardise_settings import StandardiseSettings


def create_addresses(con: duckdb.DuckDBPyConnection, settings: StandardiseSettings, lexicon: Lexicon) -> None:
    """Create ``std_work.party_region``: party_no, address_region, address_key.

    ``address_region`` is ``province|city|district`` in bare names, an unknown level empty; NULL if all are.
    ``address_key`` is the rest: upper case, without punctuation (nor blanks, where the script has none), numbers
    in digits, parts of a building joined by ``-``. Each record is represented by its best address
    (``settings.address_priority``).
    """
    _choose(con, settings)
    clean_texts(con, f"{WORK}.address_text", f"select address_text from {WORK}.address_row", lexicon)
    _locate(con, settings, lexicon)
    _read_regions(con, lexicon)
    _create_keys(con, lexicon)


def address_place(settings: StandardiseSettings) -> str:
    """SQL of an address's place in ``settings.address_priority`` (0 is best), over tables ``party`` and ``address``."""
    places = " ".join(
        f"when party.party_type = {quoted(party_type)} and address.address_type = {quoted(kind)} then {place}"
        for party_type, kinds in sorted(settings.address_priority.items())
        for place, kind in enumerate(kinds)
    )
    return f"case {places} else 99 end"


def _choose(con: duckdb.DuckDBPyConnection, settings: StandardiseSettings) -> None:
    """Create ``std_work.address_row``: the address that stands for each record."""
    con.execute(
        f"""
        create or replace table {WORK}.address_row as
        with given as (
            select
                party.party_no,
                address.address_text, address.city, address.district, address.province,
                coalesce(address.address_text, address.city, address.district) is null as is_empty,
                {address_place(settings)} as place
            from staging.party_address as address
            inner join {WORK}.party as party using (system, record_id)
        ),
        several as (
            select party_no from given group by party_no having count(*) > 1
        ),
        best as (
            select
                party_no,
                min({{
                    'is_empty': is_empty, 'place': place, 'address_text': address_text,
                    'city': city, 'district': district, 'province': province
                }}) as address
            from given
            semi join several using (party_no)
            group by party_no
        )
        select party_no, address_text, city, district, province from given anti join several using (party_no)
        union all
        select party_no, address.address_text, address.city, address.district, address.province from best
        """
    )


def _locate(con: duckdb.DuckDBPyConnection, settings: StandardiseSettings, lexicon: Lexicon) -> None:
    """Create ``std_work.address_place``: standard regions of the fields, and the text made comparable.

    Texts are worked on once (``address_rest``), however many records carry them.
    """
    nothing = sql_list(placeholder_words(settings, lexicon))
    countries = alternation(lexicon.words("country_words"))
    con.execute(
        rf"""
        create or replace table {WORK}.address_rest as
        with folded as (
            select
                raw,
                case when regexp_matches(text, '[^0-9A-Z\x{{4E00}}-\x{{9FFF}}]') then
                    regexp_replace(
                        regexp_replace(upper(strip_accents(text)), '[''’‘`]', '', 'g'),
                        '[^\p{{L}}\p{{N}}#*-]+', ' ', 'g'
                    )
                else text end as text
            from {WORK}.address_text
        ),
        spelled as (
            select
                raw,
                regexp_matches(text, '\p{{Han}}') as is_joined,
                case when {bare("text")} in {nothing} then '' else text end as text
            from folded
        )
        select
            raw, is_joined,
            case
                when is_joined then regexp_replace(replace(text, ' ', ''), '^{countries}', '')
                else trim(replace(text, '-', ' '))
            end as rest
        from spelled
        """
    )
    con.execute(
        f"""
        create or replace table {WORK}.address_place as
        select
            address.party_no,
            province.name as province, city.name as city, district.name as district,
            coalesce(text.is_joined, false) as is_joined,
            coalesce(text.rest, '') as rest
        from {WORK}.address_row as address
        left join {WORK}.region_text as province on address.province = province.raw
        left join {WORK}.region_text as city on address.city = city.raw
        left join {WORK}.region_text as district on address.district = district.raw
        left join {WORK}.address_rest as text on address.address_text = text.raw
        """
    )


def _read_regions(con: duckdb.DuckDBPyConnection, lexicon: Lexicon) -> None:
    """Create ``std_work.address_read``: regions also from the head of the text, which loses them.

    A name without its suffix counts only before another region's name or where the field says the same, and
    never before a word for a street: 上海路 is a road in another town.
    """
    table = f"{WORK}.address_place"
    for level in LEVELS:
        _read_level(con, lexicon, level, table)
        table = f"{WORK}.address_read_{level}"
    con.execute(
        f"""
        create or replace table {WORK}.address_read as
        with city_filled as (
            select address.* replace (coalesce(address.city, found.city) as city)
            from {table} as address
            left join {WORK}.region_of_district as found
                on address.province = found.province and address.district = found.district
        ),
        province_filled as (
            select address.* replace (coalesce(address.province, by_city.province, by_district.province) as province)
            from city_filled as address
            left join {WORK}.region_of_city as by_city on address.city = by_city.city
            left join {WORK}.region_of_lone_district as by_district on address.district = by_district.district
        )
        select address.* replace (coalesce(address.city, found.city) as city)
        from province_filled as address
        left join {WORK}.region_of_district as found
            on address.province = found.province and address.district = found.district
        """
    )


def _read_level(con: duckdb.DuckDBPyConnection, lexicon: Lexicon, level: str, table: str) -> None:
    """Create ``std_work.address_read_<level>`` from ``table``: the level also read from the head of the text."""
    suffix, every = suffix_pattern(lexicon), region_alternation(con)
    streets = alternation(lexicon.words("street_words"))
    fillers = alternation([word for word in lexicon.words("region_fillers") if len(word) > 2])
    # A name is looked up by its length: joins on a few prefixes cost a fraction of one long alternation.
    found = con.execute(
        rf"""
        select distinct length(name) from {WORK}.region_name where level = $1 and regexp_matches(name, '\p{{Han}}')
        """,
        [level],
    ).fetchall()
    lengths = sorted((length for (length,) in found), reverse=True)
    heads = "".join(
        f" left join (select name from {WORK}.region_name where level = '{level}' and length(name) = {length})"
        f" as head_{length} on left(address.rest, {length}) = head_{length}.name"
        for length in lengths
    )
    longest = ", ".join(f"head_{length}.name" for length in lengths)
    con.execute(
        f"""
        create or replace table {WORK}.address_read_{level} as
        with headed as (
            select address.*, {f"coalesce({longest}, null)" if lengths else "null::varchar"} as head
            from {table} as address {heads}
        ),
        suffixed as (
            select
                *,
                substr(rest, length(head) + 1) as behind,
                regexp_extract(substr(rest, length(head) + 1), '^{suffix}') as suffix
            from headed
        ),
        judged as (
            select
                *,
                case
                    when head is null or not is_joined or {level} <> head then false
                    when suffix <> '' then true
                    when regexp_matches(behind, '^{streets}') then false
                    else {level} is not null or regexp_matches(behind, '^{every}')
                end as is_found
            from suffixed
        )
        select
            party_no, is_joined, {", ".join(other for other in LEVELS if other != level)},
            case when is_found then head else {level} end as {level},
            case when is_found then regexp_replace(substr(behind, length(suffix) + 1), '^{fillers}', '') else rest
            end as rest
        from judged
        """
    )


def _create_keys(con: duckdb.DuckDBPyConnection, lexicon: Lexicon) -> None:
    """Create ``std_work.address_key`` for each distinct rest, and ``std_work.party_region``."""
    units = alternation(lexicon.words("unit_words"))
    counted = rf"{alternation([*lexicon.numerals, *lexicon.numeral_powers])}{units}"
    con.execute(
        f"""
        create or replace table {WORK}.address_distinct as
        select distinct rest, is_joined from {WORK}.address_read where rest <> ''
        """
    )
    map_distinct(
        con,
        f"{WORK}.address_numeral",
        f"select distinct rest from {WORK}.address_distinct where regexp_matches(rest, {quoted(counted)})",
        lambda texts: {"in_digits": in_digits(texts, lexicon)},
    )
    shortened = "rest"
    for long, short in sorted(lexicon.address_abbreviations.items()):
        shortened = rf"regexp_replace({shortened}, '\b{long}\b', {quoted(short)}, 'g')"
    con.execute(
        rf"""
        create or replace table {WORK}.address_key as
        with counted as (
            select address.rest as given, address.is_joined, coalesce(numeral.in_digits, address.rest) as rest
            from {WORK}.address_distinct as address
            left join {WORK}.address_numeral as numeral using (rest)
        )
        select
            given as rest, is_joined,
            nullif(
                case
                    when is_joined then trim(regexp_replace(
                        regexp_replace(rest, '([0-9A-Z])(?:{units}|#)+', '\1-', 'g'), '-+', '-', 'g'
                    ), '-')
                    else {shortened}
                end,
                ''
            ) as address_key
        from counted
        """
    )
    con.execute(
        f"""
        create or replace table {WORK}.party_region as
        select
            address.party_no,
            case when coalesce(address.province, address.city, address.district) is not null
                then concat(address.province, '|', address.city, '|', address.district)
            end as address_region,
            key.address_key
        from {WORK}.address_read as address
        left join {WORK}.address_key as key using (rest, is_joined)
        """
    )


def in_digits(texts: Sequence[str], lexicon: Lexicon) -> list[str]:
    """Return the texts with the numbers before a unit of a building in digits: 十二号楼 is 12号楼."""
    digits, powers = lexicon.numerals, lexicon.numeral_powers
    if not digits:
        return list(texts)
    words = "".join((*digits, *powers))
    number = re.compile(rf"[{words}]+(?={alternation(lexicon.words('unit_words'))})")

    def value(found: re.Match[str]) -> str:
        if not any(character in powers for character in found[0]):
            return "".join(str(digits[character]) for character in found[0])
        total, pending = 0, 1
        for character in found[0]:
            if character in powers:
                total, pending = total + pending * powers[character], 0
            else:
                pending = digits[character]
        return str(total + pending)

    return [number.sub(value, text) for text in texts]
