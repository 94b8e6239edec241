"""What Splink is told about each set: the settings of its own demonstrations, and sensible ones for the sample bank.

For the public sets these are the comparisons, blocking rules and training of the notebooks in Splink's documentation
(``docs/demos/examples/duckdb``: deduplicate_50k_synthetic, febrl3, febrl4, and the tutorial for fake_1000), but
for what made Splink better: wider blocking for historical_50k, two rules more for fake_1000, and for febrl3 and febrl4
the finer comparisons of the two. Columns are those of the product's staged and standardised tables, lower case.
Where a notebook compares what the people table does not keep apart (street number), it is read from the address.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import block_on

Rule = Any


@dataclass(frozen=True)
class SplinkModel:
    """One set as Splink is told about it.

    Attributes:
        records: Query for the input: unique_id, system, record_id and what is compared.
        comparisons: Splink comparisons.
        blocking: Blocking rules of prediction.
        certain: Rules whose pairs are almost surely matches, for the prior.
        certain_recall: Share of all matches that those rules are thought to find.
        em_blocking: Blocking rules of the expectation-maximisation sessions.
        cut: The cut (match weight in bits) of the documentation.
        cuts: All cuts that are tried, in bits.
        random_pairs: Pairs for u.
        veto: Condition over a predicted pair that forbids it.
        kept: Columns that the veto reads.
        sources: Values of column ``source`` that are linked, and not deduplicated each for itself.
    """

    records: str
    comparisons: tuple[Any, ...]
    blocking: tuple[Rule, ...]
    certain: tuple[Rule, ...]
    certain_recall: float
    em_blocking: tuple[Rule, ...]
    cut: float
    cuts: Sequence[float]
    random_pairs: float = 1e7
    veto: str = ""
    kept: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


_PEOPLE = """
    with address as (
        select
            system, record_id,
            any_value(lower(address_text)) as address,
            any_value(lower(city)) as city,
            any_value(lower(province)) as state,
            any_value(upper(postcode)) as postcode
        from staging.party_address
        group by system, record_id
    ),
    email as (
        select system, record_id, min(contact_value) as email
        from identity.party_contact
        where contact_type = 'email'
        group by system, record_id
    ),
    document as (
        select system, record_id, min(document_number) as id_number
        from identity.party_document
        group by system, record_id
    ),
    named as (
        select
            system, record_id,
            lower(strip_accents(given_name)) as given_name,
            lower(strip_accents(family_name)) as surname,
            lower(birth_place) as birth_place,
            lower(occupation) as occupation
        from staging.party
    )
    select
        row_number() over (order by record_id) as unique_id,
        system, record_id,
        landed.source,
        named.given_name, named.surname, named.birth_place, named.occupation,
        named.given_name || ' ' || named.surname as given_name_surname,
        strftime(standard.birth_date, '%Y-%m-%d') as birth_date,
        address.city, address.state, address.postcode,
        regexp_extract(address.address, '^\\d+') as street_number,
        nullif(regexp_replace(address.address, '^\\d+ *', ''), '') as street,
        email.email,
        document.id_number
    from identity.party_standard as standard
    inner join named using (system, record_id)
    inner join landing.people__person as landed using (record_id)
    left join address using (system, record_id)
    left join email using (system, record_id)
    left join document using (system, record_id)
"""

_PROBABILITY_95 = 4.25  # match weight of a match probability of 0.95

_HISTORICAL = SplinkModel(
    records=_PEOPLE,
    comparisons=(
        cl.ForenameSurnameComparison("given_name", "surname", forename_surname_concat_col_name="given_name_surname"),
        cl.DateOfBirthComparison("birth_date", input_is_string=True),
        cl.PostcodeComparison("postcode"),
        cl.ExactMatch("birth_place").configure(term_frequency_adjustments=True),
        cl.ExactMatch("occupation").configure(term_frequency_adjustments=True),
    ),
    blocking=(
        block_on("substr(given_name, 1, 3)", "substr(surname, 1, 4)"),
        block_on("surname", "birth_date"),
        block_on("given_name", "birth_date"),
        block_on("postcode", "given_name"),
        block_on("postcode", "surname"),
        block_on("birth_date", "birth_place"),
        block_on("substr(postcode, 1, 3)", "birth_date"),
        block_on("substr(postcode, 1, 3)", "given_name"),
        block_on("substr(postcode, 1, 3)", "surname"),
        block_on("substr(given_name, 1, 2)", "substr(surname, 1, 2)", "substr(birth_date, 1, 4)"),
        # wider than the notebook
        block_on("birth_date", "occupation"),
        block_on("postcode", "birth_place"),
        block_on("postcode", "occupation"),
        block_on("postcode", "substr(birth_date, 1, 4)"),
        block_on("surname", "birth_place"),
        block_on("surname", "occupation"),
        block_on("surname", "substr(birth_date, 1, 4)"),
        block_on("given_name", "birth_place", "substr(birth_date, 1, 4)"),
    ),
    certain=(
        block_on("given_name", "surname", "birth_date"),
        block_on("substr(given_name, 1, 2)", "surname", "substr(postcode, 1, 2)"),
        block_on("birth_date", "postcode"),
    ),
    certain_recall=0.6,
    em_blocking=(block_on("given_name", "surname"), block_on("birth_date")),
    cut=_PROBABILITY_95,
    cuts=(_PROBABILITY_95, *range(-2, 15)),
)

_FAKE_1000 = SplinkModel(
    records=_PEOPLE,
    comparisons=(
        cl.NameComparison("given_name"),
        cl.NameComparison("surname"),
        cl.LevenshteinAtThresholds("birth_date", 1),
        cl.ExactMatch("city").configure(term_frequency_adjustments=True),
        cl.EmailComparison("email"),
    ),
    blocking=(block_on("given_name", "city"), block_on("surname"), block_on("birth_date"), block_on("email")),
    certain=(
        block_on("given_name", "birth_date"),
        "l.given_name = r.given_name and levenshtein(r.surname, l.surname) <= 2",
        block_on("email"),
    ),
    certain_recall=0.7,
    em_blocking=(block_on("given_name", "surname"), block_on("birth_date")),
    cut=-2,  # the tutorial clusters from a match probability of 0.2 on
    cuts=(-2, *range(-8, 13)),
)

# The finer ones of the two notebooks, those of febrl4.
_FEBRL_COMPARISONS = (
    cl.NameComparison("given_name").configure(term_frequency_adjustments=True),
    cl.NameComparison("surname").configure(term_frequency_adjustments=True),
    cl.DateOfBirthComparison("birth_date", input_is_string=True),
    cl.DamerauLevenshteinAtThresholds("id_number", [1, 2]),
    cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
    cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]).configure(term_frequency_adjustments=True),
)

_FEBRL_CUTS = [half / 2 for half in range(-8, 41)]

_FEBRL3 = SplinkModel(
    records=_PEOPLE,
    comparisons=_FEBRL_COMPARISONS,
    blocking=(
        block_on("id_number"),
        block_on("given_name"),
        block_on("surname"),
        block_on("birth_date"),
        block_on("postcode"),
    ),
    certain=(
        block_on("id_number"),
        block_on("given_name", "surname", "birth_date"),
        "l.given_name = r.surname and l.surname = r.given_name and l.birth_date = r.birth_date",
    ),
    certain_recall=0.9,
    em_blocking=(block_on("birth_date"), block_on("postcode")),
    cut=_PROBABILITY_95,
    cuts=(_PROBABILITY_95, *_FEBRL_CUTS),
    random_pairs=1e6,
)

_FEBRL4 = SplinkModel(
    records=_PEOPLE,
    comparisons=_FEBRL_COMPARISONS,
    blocking=(
        block_on("given_name", "surname"),
        "l.given_name = r.surname and l.surname = r.given_name",
        block_on("birth_date"),
        block_on("id_number"),
        block_on("state", "street"),
        block_on("street_number", "street"),
        block_on("postcode"),
    ),
    certain=(block_on("id_number"), block_on("given_name", "surname", "birth_date")),
    certain_recall=0.8,
    em_blocking=(block_on("birth_date"), block_on("postcode")),
    cut=6.63,  # a match probability of 0.99
    cuts=(6.63, *_FEBRL_CUTS),
    random_pairs=1e6,
    sources=("a", "b"),
)

_BANK = SplinkModel(
    records="""
        with document as (
            select
                system, record_id,
                arg_max(
                    {'kind': document_type, 'number': document_number, 'is_valid': is_strong},
                    (is_strong, is_valid, document_type, document_number)
                ) filter (where document_type <> 'organisation_code') as id,
                min(document_number) filter (where document_type = 'organisation_code') as organisation_code
            from identity.party_document
            group by system, record_id
        ),
        contact as (
            select
                system, record_id,
                min(contact_value) filter (where contact_type = 'mobile') as mobile,
                min(contact_value) filter (where contact_type = 'phone') as phone,
                min(contact_value) filter (where contact_type = 'email') as email
            from identity.party_contact
            where is_identifying
            group by system, record_id
        ),
        named as (
            select
                system, record_id, party_type, birth_date, sex, surname, address_region, address_key,
                case when not contains(name_standard, '*') then coalesce(name_core, name_standard) end as name,
                name_latin as latin
            from identity.party_standard
        )
        select
            row_number() over (order by system, record_id) as unique_id,
            named.system, named.record_id, named.party_type, named.name, named.latin, named.surname, named.sex,
            strftime(named.birth_date, '%Y%m%d') as birth_date,
            named.address_region, named.address_region || named.address_key as address,
            document.id.kind as id_type, document.id.number as id_number, document.id.is_valid as id_is_valid,
            document.organisation_code, contact.mobile, contact.phone, contact.email
        from named
        left join document using (system, record_id)
        left join contact using (system, record_id)
    """,
    comparisons=(
        cl.CustomComparison(
            output_column_name="name",
            comparison_levels=[
                cll.CustomLevel("latin_l is null or latin_r is null").configure(is_null_level=True),
                cll.ExactMatchLevel("name", term_frequency_adjustments=True),
                cll.ExactMatchLevel("latin", term_frequency_adjustments=True),
                # DuckDB counts bytes, of which a Chinese character has three
                cll.CustomLevel(
                    "length(name_l) >= 3 and length(name_l) = length(name_r) and levenshtein(name_l, name_r) <= 3",
                    "one character",
                ),
                cll.CustomLevel("damerau_levenshtein(latin_l, latin_r) <= 1", "one letter"),
                cll.CustomLevel("surname_l = surname_r", "surname"),
                cll.ElseLevel(),
            ],
        ),
        cl.CustomComparison(
            output_column_name="id_number",
            comparison_levels=[
                cll.CustomLevel(
                    "id_number_l is null or id_number_r is null or id_type_l <> id_type_r", "missing"
                ).configure(is_null_level=True),
                cll.ExactMatchLevel("id_number"),
                cll.CustomLevel(
                    "id_number_l like replace(id_number_r, '*', '_')"
                    " or id_number_r like replace(id_number_l, '*', '_')",
                    "mask fits",
                ),
                cll.CustomLevel("damerau_levenshtein(id_number_l, id_number_r) <= 1", "one off"),
                cll.ElseLevel(),
            ],
        ),
        cl.CustomComparison(
            output_column_name="birth_date",
            comparison_levels=[
                cll.NullLevel("birth_date"),
                cll.ExactMatchLevel("birth_date"),
                cll.CustomLevel("damerau_levenshtein(birth_date_l, birth_date_r) <= 1", "one off"),
                cll.CustomLevel("birth_date_l[1:4] = birth_date_r[1:4]", "year"),
                cll.ElseLevel(),
            ],
        ),
        cl.ExactMatch("mobile").configure(term_frequency_adjustments=True),
        cl.CustomComparison(
            output_column_name="address",
            comparison_levels=[
                cll.NullLevel("address"),
                cll.ExactMatchLevel("address", term_frequency_adjustments=True),
                cll.ExactMatchLevel("address_region"),
                cll.ElseLevel(),
            ],
        ),
        cl.ExactMatch("sex"),
        cl.ExactMatch("organisation_code"),
    ),
    blocking=(
        block_on("id_number"),
        block_on("organisation_code"),
        block_on("mobile"),
        block_on("email"),
        block_on("phone", "party_type"),
        block_on("name", "birth_date"),
        block_on("latin", "birth_date"),
        block_on("name", "address"),
        block_on("latin", "address"),
        block_on("birth_date", "address"),
        block_on("surname", "birth_date"),
        block_on("right(id_number, 6)", "id_type"),
        block_on("name", "right(id_number, 4)"),
        block_on("name", "address_region"),
    ),
    certain=(block_on("id_number"), block_on("name", "birth_date", "mobile")),
    certain_recall=0.9,
    em_blocking=(
        block_on("id_number"),
        block_on("name", "birth_date"),
        block_on("mobile"),
        block_on("organisation_code"),
    ),
    cut=_PROBABILITY_95,
    cuts=(_PROBABILITY_95, *range(0, 33, 2)),
    veto="""
        party_type_l <> party_type_r
        or (id_is_valid_l and id_is_valid_r and id_type_l = id_type_r and id_number_l <> id_number_r)
    """,
    kept=("party_type", "id_type", "id_number", "id_is_valid"),
)

MODELS: dict[str, SplinkModel] = {
    "historical_50k": _HISTORICAL,
    "fake_1000": _FAKE_1000,
    "febrl3": _FEBRL3,
    "febrl4": _FEBRL4,
    "sample": _BANK,
    "sample_high": _BANK,
    "sample_1m": replace(_BANK, cuts=(_PROBABILITY_95, *range(8, 33, 4))),
}
