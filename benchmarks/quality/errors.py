"""What the pipeline does about each class of error that the generator injects, as queries over its tables.

Each class has queries of records (``system, record_id``), most with a value. What was delivered is taken in a form in
which the formats that every level of noise mixes are one, so that it differs from the bank without errors where an
error hit and nowhere else.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorClass:
    """One class of error.

    Attributes:
        delivered: query of the value as delivered, which the error changes.
        check: what repairs or sees it, as the table of results says it.
        rest: why what is not caught is not, and what keeps it from doing harm.
        standard: query of what becomes of the value; repaired where that is as without the error.
        seen: query of the records of which a table says that the value is missing or not to be trusted.
        field: field of the golden record that the value fills.
        of_population: whether other parties are drawn with it; then ``delivered`` is of what the error hits alone.
        of: what the generator counts: an error of a party may be in several records.
    """

    delivered: str
    check: str
    rest: str
    standard: str = ""
    seen: str = ""
    field: str = ""
    of_population: bool = False
    of: str = "records"


def _party(column: str, table: str = "identity.party_standard") -> str:
    return f"select system, record_id, {column} from {table} where {column} is not null"


def _gathered(column: str, table: str, condition: str = "true") -> str:
    return (
        f"select system, record_id, string_agg({column}, ' ' order by {column}) from {table} "
        f"where {condition} group by system, record_id"
    )


def _lacking(table: str, condition: str = "true", staged: str = "staging.party", of: str = "true") -> str:
    """Records of a staged table without a row in another."""
    return (
        f"select distinct system, record_id from {staged} where {of} and (system, record_id) not in "
        f"(select (system, record_id) from {table} where {condition})"
    )


def _second(system: str) -> str:
    """The later of two records that a system holds of one party, where both are one customer."""
    return f"""
        select '{system}' as system, max(record_id) as record_id
        from truth inner join customer.customer_record using (system, record_id)
        where system = '{system}' and not contains(record_id, '-')
        group by entity_id
        having count(*) > 1 and count(distinct customer_id) = 1
    """


def _second_delivered(system: str) -> str:
    return f"""
        select '{system}' as system, max(record_id) as record_id, entity_id
        from truth
        where system = '{system}' and not contains(record_id, '-')
        group by entity_id
        having count(*) > 1
    """


_NUMBERS = "document_type || ':' || document_number"
_DOCUMENT_TEXT = _gathered("document_number", "staging.party_document")
_SHARED_DOCUMENT_TEXT = """
    select system, record_id, document_number
    from staging.party_document inner join truth using (system, record_id)
    where document_type = 'resident_id'
    window number as (partition by document_number)
    qualify min(entity_id) over number <> max(entity_id) over number
"""
_DOCUMENT = _gathered(_NUMBERS, "identity.party_document")
_ORGANISATION_CODE = _gathered("document_number", "identity.party_document", "document_type = 'organisation_code'")
_NOT_VALID = "select distinct system, record_id from identity.party_document where not is_valid"
_REFUSED = """
    select distinct system, record_id from identity.party_node
    where node_id in (select unnest([node_id_l, node_id_r]) from identity.refused_merge)
"""
_MOBILE = "contact_type = 'mobile'"
_DIGITS = "right(regexp_replace(translate(contact_value, '０１２３４５６７８９', '0123456789'), '[^0-9]', '', 'g'), 11)"
_NO_MOBILE = _lacking("identity.party_contact", _MOBILE, of="party_type = 'person'")
_MOBILE_TEXT = _gathered(_DIGITS, "staging.party_contact", _MOBILE)
_STANDARD_MOBILE = _gathered("contact_value", "identity.party_contact", _MOBILE)
_NOT_IDENTIFYING = (
    f"select distinct system, record_id from identity.party_contact where {_MOBILE} and not is_identifying"
)
_SHARED_MOBILE = f"""
    select distinct system, record_id
    from identity.party_contact inner join identity.contact_profile using (contact_type, contact_value)
    where {_MOBILE} and contact_kind <> 'personal'
"""
_NAME_TEXT = _party("full_name", "staging.party")
# how a name from abroad is written is drawn anew in each bank
_HAN_NAME_TEXT = f"""
    {_NAME_TEXT} and (system, record_id) in (
        select (system, record_id) from staging.party_document where document_type = 'resident_id'
    ) and regexp_full_match(full_name, '\\p{{Han}}{{2,4}}')
"""
_NAME, _LATIN = _party("name_standard"), _party("name_latin")
_CORE = _party("concat_ws(' ', name_core, branch_suffix)")
_BIRTH_TEXT, _BIRTH = _party("birth_date", "staging.party"), _party("birth_date")
_NOT_TOLD = (
    "select system, record_id from identity.party_standard where party_type = 'person' and not birth_date_is_told"
)
_SEX_TEXT, _SEX = _party("sex", "staging.party"), _party("sex")
_NO_SEX = "select system, record_id from identity.party_standard where party_type = 'person' and sex is null"
_ADDRESS_TEXT = _gathered("concat_ws(' ', province, city, district, address_text)", "staging.party_address")
_ADDRESS = _party("concat_ws('|', address_region, address_key)")
_NO_ADDRESS = (
    "select system, record_id from identity.party_standard where address_region is null and address_key is null"
)

_EMPTY = "empty: no row in `identity.party_document`"
_CHECKSUM = "check character: `identity.party_document.is_valid`"
_REFUSAL = "`identity.refused_merge`, so the stewards' queue; `document_of_two_customers` holds that none is left out"
_OTHERS = "nothing false is left; the other fields and the customer's other records decide"
_NAME_RULES = "`identity.party_standard.name_standard`"
_FROM_ID = "filled from a valid resident id, else empty: `identity.party_standard.birth_date_is_told`"
_TRUE_FORM = (
    "a well-formed value like any other: one record cannot show it; the score counts a disagreement, the golden record "
    "takes what most records say"
)

ERRORS: dict[str, ErrorClass] = {
    "id_missing": ErrorClass(
        _DOCUMENT_TEXT, _EMPTY, _OTHERS, seen=_lacking("identity.party_document"), field="document"
    ),
    "id_placeholder": ErrorClass(
        _DOCUMENT_TEXT,
        "placeholder rule: landed, no row in `identity.party_document`",
        _OTHERS,
        seen=_lacking("identity.party_document", staged="staging.party_document"),
        field="document",
    ),
    "id_masked": ErrorClass(
        _DOCUMENT_TEXT, "mask rule: `identity.party_document.is_valid`", _OTHERS, seen=_NOT_VALID, field="document"
    ),
    "id_transposed": ErrorClass(_DOCUMENT_TEXT, _CHECKSUM, _OTHERS, seen=_NOT_VALID, field="document"),
    "id_wrong_digit": ErrorClass(_DOCUMENT_TEXT, _CHECKSUM, _OTHERS, seen=_NOT_VALID, field="document"),
    "id_letter": ErrorClass(
        _DOCUMENT_TEXT,
        "read as the digit that fits the check character",
        _OTHERS,
        standard=_DOCUMENT,
        seen=_NOT_VALID,
        field="document",
    ),
    "id_relative": ErrorClass(
        _DOCUMENT_TEXT,
        _REFUSAL,
        "no record is there to disagree; where one is, the record is kept apart, from its bearer's others too",
        seen=_REFUSED,
        field="document",
    ),
    "id_other_document": ErrorClass(
        _DOCUMENT_TEXT,
        "none",
        "not false: a passport of the bearer's own; name, birth date and contacts join the records",
        field="document",
    ),
    "id_old_form": ErrorClass(
        _DOCUMENT_TEXT, "15 digits become 18: `identity.party_document`", "", standard=_DOCUMENT, field="document"
    ),
    "id_format": ErrorClass(
        _DOCUMENT_TEXT, "one spelling: `identity.party_document`", "", standard=_DOCUMENT, field="document"
    ),
    "id_shared": ErrorClass(
        _SHARED_DOCUMENT_TEXT,
        _REFUSAL,
        "the two bearers fit each other; without a record of the other bearer there is nothing to see",
        seen=_REFUSED,
        of_population=True,
        of="persons",
    ),
    "name_homophone": ErrorClass(_HAN_NAME_TEXT, "none", _TRUE_FORM, standard=_NAME, field="full_name"),
    "name_look_alike": ErrorClass(_HAN_NAME_TEXT, "none", _TRUE_FORM, standard=_NAME, field="full_name"),
    "name_traditional": ErrorClass(
        _NAME_TEXT,
        f"one writing: {_NAME_RULES}",
        "a simplified character that stands for several",
        standard=_NAME,
        field="full_name",
    ),
    "name_title": ErrorClass(_NAME_TEXT, f"titles go: {_NAME_RULES}", "", standard=_NAME, field="full_name"),
    "name_space": ErrorClass(_NAME_TEXT, f"blanks go: {_NAME_RULES}", "", standard=_NAME, field="full_name"),
    "name_latin_only": ErrorClass(
        _NAME_TEXT,
        "compared by reading: `identity.party_standard.name_latin`",
        "a character of several readings, a spelling of Hong Kong, a given name in two words; the score "
        "compares what is near",
        standard=_LATIN,
        field="full_name",
    ),
    "name_former": ErrorClass(
        _NAME_TEXT,
        "none",
        "not false when it was written; documents join the records, and a former name that a source tells fits too",
        standard=_NAME,
        field="full_name",
        of="persons",
    ),
    "birth_missing": ErrorClass(_BIRTH_TEXT, _FROM_ID, _OTHERS, standard=_BIRTH, seen=_NOT_TOLD, field="birth_date"),
    "birth_placeholder": ErrorClass(
        _BIRTH_TEXT, f"placeholder rule, then {_FROM_ID}", _OTHERS, standard=_BIRTH, seen=_NOT_TOLD, field="birth_date"
    ),
    "birth_error": ErrorClass(
        _BIRTH_TEXT,
        "dates that cannot be (after the business date, older than `maximum_age_years`)",
        f"{_TRUE_FORM}; a date told beside an 18-digit id is not held against it",
        standard=_BIRTH,
        seen=_NOT_TOLD,
        field="birth_date",
    ),
    "sex_missing": ErrorClass(
        _SEX_TEXT, "filled from a valid resident id, else empty", _OTHERS, standard=_SEX, seen=_NO_SEX, field="sex"
    ),
    "sex_error": ErrorClass(
        _SEX_TEXT,
        "none",
        f"{_TRUE_FORM}; a sex told beside an 18-digit id is not held against it",
        standard=_SEX,
        field="sex",
    ),
    "mobile_missing": ErrorClass(
        _MOBILE_TEXT, "empty: no row in `identity.party_contact`", _OTHERS, seen=_NO_MOBILE, field="mobile"
    ),
    "mobile_placeholder": ErrorClass(
        _MOBILE_TEXT,
        "placeholder rule: no row, or `identity.party_contact.is_identifying` is false",
        _OTHERS,
        seen=f"{_NO_MOBILE} union {_NOT_IDENTIFYING}",
        field="mobile",
    ),
    "mobile_agent": ErrorClass(
        _MOBILE_TEXT,
        "`identity.contact_profile`: `agent`, `employer` or `junk`, no evidence of identity",
        "a number that few give is not an agent's yet",
        seen=_NOT_IDENTIFYING,
        field="mobile",
    ),
    "mobile_relative": ErrorClass(
        _MOBILE_TEXT,
        "`identity.contact_profile`: not `personal`",
        "no record of the relative gives it, or the bearer's own mobile was a shared one before",
        seen=_SHARED_MOBILE,
        field="mobile",
    ),
    "mobile_error": ErrorClass(
        _MOBILE_TEXT,
        "numbers that cannot be: no row, or not identifying",
        f"{_TRUE_FORM}",
        standard=_STANDARD_MOBILE,
        seen=f"{_NO_MOBILE} union {_NOT_IDENTIFYING}",
        field="mobile",
    ),
    "address_missing": ErrorClass(
        _ADDRESS_TEXT, "empty: no `address_region` and no `address_key`", _OTHERS, seen=_NO_ADDRESS, field="address"
    ),
    "address_short": ErrorClass(
        _ADDRESS_TEXT,
        "completed from what other records tell: `identity.party_standard.address_region`",
        "towns and districts are known from addresses that give them in fields, so a small bank does not know all",
        standard=_ADDRESS,
        field="address",
    ),
    "address_style": ErrorClass(
        _ADDRESS_TEXT,
        "one spelling: `identity.party_standard.address_key`",
        "the name of the estate is left out and cannot be known; the score compares what is left",
        standard=_ADDRESS,
        field="address",
    ),
    "second_core_record": ErrorClass(
        _second_delivered("core"),
        "joined into one customer: `customer.customer_record`",
        "nothing but the name in common; the pair is in the stewards' queue if its weight reaches the review threshold",
        seen=_second("core"),
        of_population=True,
        of="customers",
    ),
    "second_card_record": ErrorClass(
        _second_delivered("cards"),
        "joined into one customer: `customer.customer_record`",
        "as above",
        seen=_second("cards"),
        of_population=True,
        of="card holders",
    ),
    "company_document_missing": ErrorClass(
        _DOCUMENT_TEXT, _EMPTY, _OTHERS, seen=_lacking("identity.party_document"), field="document"
    ),
    "company_document_old": ErrorClass(
        _DOCUMENT_TEXT,
        "equal to the organisation code within the credit code: `identity.party_document`",
        "",
        standard=_ORGANISATION_CODE,
        field="document",
    ),
    "company_document_error": ErrorClass(
        _DOCUMENT_TEXT,
        _CHECKSUM,
        "an L was read as 1, and the number then fits its check character by chance (1 in 31)",
        seen=_NOT_VALID,
        field="document",
    ),
    "company_name_variant": ErrorClass(
        _NAME_TEXT,
        "legal form, branch and brackets set apart: `identity.party_standard.name_core`",
        "the town is left out: it is part of the name; the score compares cores by their words",
        standard=_CORE,
        field="full_name",
    ),
}
