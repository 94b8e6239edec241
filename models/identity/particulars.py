"""Particulars of a person that support a match and never make one: place of birth, occupation, postcode.

Here lives ``std_work.party_particular``. Here does not live what agreement on them is worth: that is scoring.
"""

import duckdb

from models.identity.addresses import address_place
from models.identity.distinct_values import WORK, clean_texts, sql_list
from models.identity.languages import Lexicon
from models.identity.placeholders import bare, placeholder_words
from models.identity.standardise_settings import StandardiseSettings


def create_particulars(con: duckdb.DuckDBPyConnection, settings: StandardiseSettings, lexicon: Lexicon) -> None:
    """Create ``std_work.party_particular``: party_no, birth_place, occupation, postcode; NULL where nothing is known.

    Texts are upper case without accents and punctuation, words parted by one blank; postcodes letters and digits
    alone, of the address that stands for the record (``settings.address_priority``).
    """
    clean_texts(
        con,
        f"{WORK}.particular_text",
        "select birth_place from staging.party union all select occupation from staging.party"
        " union all select postcode from staging.party_address",
        lexicon,
    )
    con.execute(
        rf"""
        create or replace table {WORK}.particular_value as
        with spelled as (
            select
                raw,
                {bare("strip_accents(text)")} as bare_text,
                trim(regexp_replace(upper(strip_accents(text)), '[^\p{{L}}\p{{N}}]+', ' ', 'g')) as text
            from {WORK}.particular_text
        )
        select raw, text, bare_text
        from spelled
        where bare_text not in {sql_list(placeholder_words(settings, lexicon))}
        """
    )
    con.execute(
        rf"""
        create or replace table {WORK}.party_particular as
        with posted as (
            select party.party_no, min({{'place': {address_place(settings)}, 'postcode': value.bare_text}}) as best
            from staging.party_address as address
            inner join {WORK}.party as party using (system, record_id)
            inner join {WORK}.particular_value as value on address.postcode = value.raw
            where replace(value.bare_text, value.bare_text[1], '') <> ''
            group by party.party_no
        )
        select party.party_no, place.text as birth_place, occupation.text as occupation, posted.best.postcode
        from {WORK}.party as party
        inner join staging.party as given using (system, record_id)
        left join {WORK}.particular_value as place on given.birth_place = place.raw
        left join {WORK}.particular_value as occupation on given.occupation = occupation.raw
        left join posted using (party_no)
        """
    )
