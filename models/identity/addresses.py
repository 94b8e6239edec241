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
    """Create ``std_work.party_region``: system, record_id, address_region, address_key.

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


def _choose(con: duckdb.DuckDBPyConnection, settings: StandardiseSettings) -> None:
    """Create ``std_work.address_row``: the address that stands for each record."""
    places = " ".join(
        f"when coalesce(party.party_type, 'person') = {quoted(party_type)} and address_type = {quoted(kind)}"
        f" then {place}"
        for party_type, kinds in sorted(settings.address_priority.items())
        for place, kind in enumerate(kinds)
    )
    con.execute(
        f"""
        create or replace table {WORK}.address_row as
        with ranked as (
            select
                system, record_id,
                {{
                    'province': province, 'city': city, 'district': district, 'address_text': address_text
                }} as address,
                (
                    address_text is null and city is null and district is null,
                    case {places} else 99 end, address_text, city, district, province
                ) as place
            from staging.party_address
            left join (select system, record_id, party_type from staging.party) as party using (system, record_id)
        ),
        best as (
            select system, record_id, arg_min(address, place) as address from ranked group by system, record_id
        )
        select system, record_id, unnest(address) from best
        """
    )


def _locate(con: duckdb.DuckDBPyConnection, settings: StandardiseSettings, lexicon: Lexicon) -> None:
    """Create ``std_work.address_place``: standard regions of the fields, and the text made comparable."""
    nothing = sql_list(placeholder_words(settings, lexicon))
    countries = alternation(lexicon.words("country_words"))
    con.execute(
        rf"""
        create or replace table {WORK}.address_place as
        with spelled as (
            select
                address.system, address.record_id,
                province.name as province, city.name as city, district.name as district,
                upper(strip_accents(address_text.text)) as text
            from {WORK}.address_row as address
            left join {WORK}.region_text as province on address.province = province.raw
            left join {WORK}.region_text as city on address.city = city.raw
            left join {WORK}.region_text as district on address.district = district.raw
            left join {WORK}.address_text as address_text on address.address_text = address_text.raw
        ),
        bare as (
            select
                system, record_id, province, city, district,
                regexp_matches(text, '\p{{Han}}') as is_joined,
                regexp_replace(text, '[^\p{{L}}\p{{N}}#*-]+', ' ', 'g') as text
            from spelled
        )
        select
            system, record_id, province, city, district, is_joined,
            case
                when {bare("text")} in {nothing} then ''
                when is_joined then regexp_replace(replace(text, ' ', ''), '^{countries}', '')
                else trim(replace(text, '-', ' '))
            end as rest
        from bare
        """
    )


def _read_regions(con: duckdb.DuckDBPyConnection, lexicon: Lexicon) -> None:
    """Create ``std_work.address_read``: regions also from the head of the text, which loses them.

    A name without its suffix counts only before another region's name or where the field says the same, and
    never before a word for a street: 上海路 is a road in another town.
    """
    suffix, every = suffix_pattern(lexicon), region_alternation(con)
    streets = alternation(lexicon.words("street_words"))
    fillers = alternation([word for word in lexicon.words("region_fillers") if len(word) > 2])
    table = f"{WORK}.address_place"
    for level in LEVELS:
        others = ", ".join(other for other in LEVELS if other != level)
        con.execute(
            f"""
            create or replace table {WORK}.address_read_{level} as
            with headed as (
                select
                    *,
                    regexp_extract(
                        case when is_joined then rest end,
                        '^({region_alternation(con, level)})({suffix})?{fillers}?(.*)$',
                        ['name', 'suffix', 'rest']
                    ) as head
                from {table}
            ),
            judged as (
                select
                    *,
                    coalesce(
                        head.name <> '' and coalesce({level} = head.name, true) and (
                            head.suffix <> ''
                            or (
                                not regexp_matches(head.rest, '^{streets}')
                                and ({level} is not null or regexp_matches(head.rest, '^{every}'))
                            )
                        ),
                        false
                    ) as is_found
                from headed
            )
            select
                system, record_id, is_joined, {others},
                case when is_found then head.name else {level} end as {level},
                case when is_found then head.rest else rest end as rest
            from judged
            """
        )
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


def _create_keys(con: duckdb.DuckDBPyConnection, lexicon: Lexicon) -> None:
    """Create ``std_work.party_region`` from what was read."""
    units = alternation(lexicon.words("unit_words"))
    counted = rf"{alternation([*lexicon.numerals, *lexicon.numeral_powers])}{units}"
    map_distinct(
        con,
        f"{WORK}.address_numeral",
        f"select distinct rest from {WORK}.address_read where regexp_matches(rest, {quoted(counted)})",
        lambda texts: {"in_digits": in_digits(texts, lexicon)},
    )
    shortened = "rest"
    for long, short in sorted(lexicon.address_abbreviations.items()):
        shortened = rf"regexp_replace({shortened}, '\b{long}\b', {quoted(short)}, 'g')"
    con.execute(
        rf"""
        create or replace table {WORK}.party_region as
        with counted as (
            select
                system, record_id, is_joined,
                case when coalesce(province, city, district) is not null
                    then concat(province, '|', city, '|', district) end as address_region,
                coalesce(numeral.in_digits, address.rest) as rest
            from {WORK}.address_read as address
            left join {WORK}.address_numeral as numeral on address.rest = numeral.rest
        )
        select
            system, record_id, address_region,
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


def in_digits(texts: Sequence[str], lexicon: Lexicon) -> list[str]:
    """Return the texts with the numbers before a unit of a building in digits: 十二号楼 is 12号楼."""
    digits, powers = lexicon.numerals, lexicon.numeral_powers
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
