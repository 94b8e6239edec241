"""Phone numbers in E.164.

Here lives the reading of numbers as they are dialled at home: those of the home country's numbering plan in SQL,
every other one by phonenumbers. Here does not live who shares a number (``contacts.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import phonenumbers
import pyarrow as pa

from models.identity.distinct_values import WORK, alternation, map_distinct, sql_list
from models.identity.known_values import remember
from models.identity.languages import Lexicon
from models.identity.placeholders import is_made_up_number
from models.identity.standardise_settings import StandardiseSettings

_SHORTEST_PHONE = 7


def create_phones(con: duckdb.DuckDBPyConnection, settings: StandardiseSettings, lexicon: Lexicon) -> None:
    """Append the phones: those of the home country by its numbering plan in SQL, the rest by phonenumbers."""
    plan = _numbering_plan(settings.phone_region)
    code, trunk = plan.country_code, plan.trunk_prefix
    extension = alternation(lexicon.words("extension_words"))
    con.execute(
        rf"""
        create or replace table {WORK}.phone_part as
        with spelled as (
            select raw, regexp_replace(upper(part), '[●•■□×✱※]', '*', 'g') as part
            from {WORK}.contact_part
            where not contains(part, '@')
        ),
        phone as (
            select
                raw,
                regexp_replace(
                    case when regexp_matches(part, 'XX') then replace(part, 'X', '*') else part end,
                    '^[^0-9+(*]+', ''
                ) as part
            from spelled
        ),
        dialled as (
            select raw, part, regexp_replace(part, '[ ().–-]', '', 'g') as dialled
            from phone
        )
        select
            raw, part,
            contains(part, '*') as is_masked,
            coalesce(
                nullif(regexp_extract(dialled, '^({plan.mobile})$', 1), ''),
                nullif(regexp_extract(dialled, '^(?:(?:\+|00|0)?{code}|{trunk})({plan.mobile})$', 1), '')
            ) as mobile,
            nullif(regexp_extract(dialled, '^(?:(?:\+|00|0)?{code}|{trunk})({plan.fixed})$', 1), '') as fixed,
            regexp_replace(regexp_replace(dialled, '^(?:\+|00){code}', ''), '[^0-9*]', '', 'g') as masked
        from dialled
        """
    )
    remember(
        con,
        "phone",
        f"{WORK}.phone_parsed",
        f"""
        select distinct regexp_replace(part, '{extension}', ' EXT ') as part
        from {WORK}.phone_part
        where coalesce(mobile, fixed) is null and not is_masked
        """,
        lambda parts_sql: map_distinct(
            con, f"{WORK}.phone_parsed", parts_sql, lambda parts: parse_phones(parts, settings.phone_region)
        ),
    )
    nobody = sql_list(sorted(settings.placeholders.phones))
    con.execute(
        rf"""
        insert into {WORK}.contact_value
        with phone as (
            select
                raw,
                case when mobile is null then 'phone' else 'mobile' end as kind,
                '+{code}' || coalesce(mobile, fixed) as value,
                true as may_identify,
                coalesce(mobile, fixed) as national
            from {WORK}.phone_part
            where coalesce(mobile, fixed) is not null
            union all
            select part.raw, parsed.kind, parsed.value, parsed.is_complete, parsed.national
            from {WORK}.phone_part as part
            inner join {WORK}.phone_parsed as parsed
                on regexp_replace(part.part, '{extension}', ' EXT ') = parsed.part
            where coalesce(part.mobile, part.fixed) is null and not part.is_masked and parsed.value is not null
            union all
            select raw, null, '+{code}' || masked, false, masked
            from {WORK}.phone_part
            where is_masked and length(masked) >= {_SHORTEST_PHONE} and regexp_matches(masked, '[0-9].*[0-9]')
        )
        select
            raw, kind, value, may_identify and not {is_made_up_number("right(national, 8)", 8)}
        from phone
        where
            value not in {nobody}
            and not {is_made_up_number("national", 8)}
            and not regexp_matches(national, '0{{8}}$')
        """
    )


def parse_phones(texts: Sequence[str], region: str) -> dict[str, list[str | None] | pa.Array]:
    """Read phone numbers as one dials them in a region.

    Args:
        texts: Numbers in any spelling; an extension follows ``EXT``, ``x`` or ``#``, or a last dash.
        region: ISO 3166 alpha-2 code.

    Returns:
        Columns ``value`` (E.164; None if it cannot be a number), ``national`` (its part behind the country code),
        ``kind`` (``mobile``, ``phone``, or None where the numbering plan leaves it open) and ``is_complete`` (not
        a local number without its area code, which is another subscriber in every town).
    """
    plan = _numbering_plan(region)
    value: list[str | None] = []
    national: list[str | None] = []
    kind: list[str | None] = []
    is_complete: list[bool] = []
    for text in texts:
        number = _parse_phone(text, region)
        digits = phonenumbers.national_significant_number(number) if number else None
        value.append(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if number else None)
        national.append(digits)
        kind.append(_KINDS.get(phonenumbers.number_type(number)) if number else None)
        # A number of a mobile's length may be of a range that is younger than the library.
        is_complete.append(
            number is not None
            and (
                phonenumbers.is_valid_number(number)
                or (number.country_code == plan.country_code and len(digits or "") in plan.mobile_lengths)
            )
        )
    return {"value": value, "national": national, "kind": kind, "is_complete": pa.array(is_complete, pa.bool_())}


@dataclass(frozen=True)
class _NumberingPlan:
    """How a country's numbers look: patterns of what stands behind the country code or the trunk prefix."""

    country_code: int
    trunk_prefix: str
    mobile: str
    fixed: str
    mobile_lengths: tuple[int, ...]


def _numbering_plan(region: str) -> _NumberingPlan:
    plan = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if plan is None or plan.country_code is None or plan.mobile is None or plan.fixed_line is None:
        raise ValueError(f"phonenumbers knows no numbering plan of region {region!r}")
    return _NumberingPlan(
        country_code=plan.country_code,
        trunk_prefix=plan.national_prefix or "0",
        mobile=plan.mobile.national_number_pattern or r"[^\s\S]",
        fixed=plan.fixed_line.national_number_pattern or r"[^\s\S]",
        mobile_lengths=tuple(plan.mobile.possible_length),
    )


def _parse_phone(text: str, region: str) -> phonenumbers.PhoneNumber | None:
    """The number, also when its extension stands behind a last dash; None if it cannot be one."""
    head, _, tail = text.rpartition("-")
    for candidate in (text, head) if len(tail.strip()) <= 6 and "-" in head else (text,):
        try:
            number = phonenumbers.parse(candidate, region)
        except phonenumbers.NumberParseException:
            continue
        if (
            phonenumbers.is_possible_number(number)
            and len(phonenumbers.national_significant_number(number)) >= _SHORTEST_PHONE
        ):
            return number
    return None


_KINDS = {
    phonenumbers.PhoneNumberType.MOBILE: "mobile",
    phonenumbers.PhoneNumberType.FIXED_LINE: "phone",
    phonenumbers.PhoneNumberType.TOLL_FREE: "phone",
    phonenumbers.PhoneNumberType.SHARED_COST: "phone",
    phonenumbers.PhoneNumberType.PREMIUM_RATE: "phone",
    phonenumbers.PhoneNumberType.UAN: "phone",
    phonenumbers.PhoneNumberType.VOIP: "phone",
}
