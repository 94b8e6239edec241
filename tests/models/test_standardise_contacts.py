"""Phones and e-mails: expected forms by the numbering plans, party counts counted by hand."""

import datetime as dt

import phonenumbers
from hypothesis import given, settings
from hypothesis import strategies as st
from standardise_staging import Staging, settings_of

VALID = "11010519491231002X"


def one_by_one(kind: str, *values: str) -> dict[str, list[tuple[object, ...]]]:
    """Type, value and use of each contact, each on a record of its own."""
    staging = Staging()
    for value in values:
        staging.contact(staging.party(value, "张伟"), value, kind)
    result = staging.standardised()
    return {v: result.of("party_contact", v, "contact_type", "contact_value", "is_identifying") for v in values}


def contacts(*values: str, kind: str = "mobile") -> list[tuple[object, ...]]:
    staging = Staging()
    staging.party("1", "张伟")
    for value in values:
        staging.contact("1", value, kind)
    return staging.standardised().of("party_contact", "1", "contact_type", "contact_value", "is_identifying")


def test_spellings_of_a_mobile() -> None:
    written = [
        "13912345670",
        "139 1234 5670",
        "139-1234-5670",
        "+86 139 1234 5670",
        "0086-13912345670",
        "8613912345670",
        "013912345670",
        "(+86)13912345670",
        "１３９１２３４５６７０",
        "手机：13912345670",
        "TEL:13912345670",
    ]
    assert one_by_one("phone", *written) == {key: [("mobile", "+8613912345670", True)] for key in written}


def test_spellings_of_a_landline() -> None:
    written = [
        "010-88886661",
        "(010) 8888 6661",
        "+86 10 8888 6661",
        "01088886661",
        "010-88886661转8001",
        "010-88886661-8001",
    ]
    assert one_by_one("mobile", *written) == {key: [("phone", "+861088886661", True)] for key in written}


def test_numbers_of_other_countries() -> None:
    # the fictitious Czech and the published Google headquarters number
    assert contacts("+1 650-253-0000", "+420 601 123 456", kind="phone") == [
        ("mobile", "+420601123456", True),
        ("phone", "+16502530000", True),
    ]


def test_home_country_is_the_banks() -> None:
    staging = Staging()
    staging.party("1", "Jan Novák")
    staging.contact("1", "601 123 456")
    czech = settings_of(languages=["cs"], phone_region="CZ", documents={})
    assert staging.standardised(czech).of("party_contact", "1", "contact_value") == ["+420601123456"]


def test_several_numbers_in_one_field() -> None:
    assert contacts("13912345670/010-88886661") == [
        ("mobile", "+8613912345670", True),
        ("phone", "+861088886661", True),
    ]
    assert contacts("13912345670；13912345671") == [
        ("mobile", "+8613912345670", True),
        ("mobile", "+8613912345671", True),
    ]


def test_masked_numbers_are_kept_and_identify_nobody() -> None:
    written = ["138****5670", "138XXXX5670", "+86138****5670", "138●●●●5670"]
    assert one_by_one("mobile", *written) == {key: [("mobile", "+86138****5670", False)] for key in written}


def test_numbers_that_are_kept_and_identify_nobody() -> None:
    kept = {"88886661": "phone", "13888888888": "mobile", "13912345678": "mobile"}
    assert one_by_one("phone", *kept) == {written: [(kind, f"+86{written}", False)] for written, kind in kept.items()}


def test_placeholders_vanish() -> None:
    written = [
        "无",
        "-",
        "0",
        "00000000000",
        "11111111111",
        "12345678901",
        "13800000000",
        "13800138000",
        "139",
        "abc",
        "N/A",
    ]
    assert one_by_one("mobile", *written) == {key: [] for key in written}


def test_emails() -> None:
    expected: dict[str, list[tuple[object, ...]]] = {
        "Zhang.Wei@163.COM": [("email", "zhang.wei@163.com", True)],
        "ｗｅｉ＠qq.com": [("email", "wei@qq.com", True)],
        "mailto:wei@qq.com": [("email", "wei@qq.com", True)],
        "w**@qq.com": [("email", "w**@qq.com", False)],
    }
    for nothing in ("test@163.com", "无@qq.com", "wei@", "@qq.com", "wei@qq", "a@example.com", "123@qq.com"):
        expected[nothing] = []
    assert one_by_one("email", *expected) == expected
    # the value decides, not the field
    assert one_by_one("mobile", *expected) == expected


@settings(max_examples=10, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.from_regex(r"1[0-9]{10}", fullmatch=True),
            st.from_regex(r"0[1-9][0-9]{8,10}", fullmatch=True),
            st.from_regex(r"\+?86 ?1[3-9][0-9]{9}", fullmatch=True),
        ),
        min_size=1,
        max_size=60,
        unique=True,
    )
)
def test_what_sql_settles_is_what_phonenumbers_says(written: list[str]) -> None:
    staging = Staging()
    for value in written:
        staging.party(value, "张伟")
        staging.contact(value, value, "phone")
    result = staging.standardised()
    for value in written:
        number = phonenumbers.parse(value, "CN")
        if phonenumbers.is_valid_number(number):
            e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            mobile = phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE
            found = result.of("party_contact", value, "contact_type", "contact_value")
            assert found in ([("mobile" if mobile else "phone", e164)], []), value
            assert found or _is_made_up(e164.removeprefix("+86")), value


def _is_made_up(national: str) -> bool:
    return national.endswith("0" * 8) or len(set(national[:-1])) <= 2 or national == "13800138000"


def test_party_count_by_hand() -> None:
    """One number: A twice by document, B twice by name and birth date, C twice by name alone, D unnamed."""
    staging = Staging()
    born = dt.date(1980, 5, 6)
    staging.party("a1", "张伟")
    staging.party("a2", "张炜炜")
    for record_id in ("a1", "a2"):
        staging.document(record_id, VALID)
    staging.party("b1", "李娜", birth_date=born)
    staging.party("b2", "LI NA", birth_date=born)
    staging.party("c1", "王芳")
    staging.party("c2", "王芳")
    staging.party("d1", None)
    records = ("a1", "a2", "b1", "b2", "c1", "c2", "d1")
    for record_id in records:
        staging.contact(record_id, "13912345670")
    staging.contact("a1", "13912345671")
    result = staging.standardised()
    assert [result.of("party_contact", record_id, "party_count")[0] for record_id in records] == [4] * 7
    assert result.of("party_contact", "a1", "contact_value", "party_count") == [
        ("+8613912345670", 4),
        ("+8613912345671", 1),
    ]


def test_documents_join_what_names_do_not() -> None:
    """One person with two kinds of documents and a changed name is one party."""
    staging = Staging()
    born = dt.date(1949, 12, 31)
    staging.party("1", "张伟", birth_date=born)
    staging.document("1", VALID)
    staging.party("2", "张伟", birth_date=born)
    staging.document("2", "E12345678", "passport", "CN")
    staging.party("3", "李伟", birth_date=born)
    staging.document("3", "E12345678", "passport", "CN")
    for record_id in ("1", "2", "3"):
        staging.contact(record_id, "13912345670")
    assert staging.standardised().of("party_contact", "3", "party_count") == [1]


def test_a_contact_of_too_many_parties_identifies_nobody() -> None:
    staging = Staging()
    for surname in "王李张":
        staging.party(surname, f"{surname}伟")
        staging.contact(surname, "13912345670")
        staging.contact(surname, "wei@qq.com", "email")
    for most, expected in ((2, False), (3, True)):
        rows = staging.standardised(settings_of(contact_profile={"max_parties": most})).tables["party_contact"]
        assert {(row["party_count"], row["is_identifying"]) for row in rows} == {(3, expected)}


def test_one_person_with_many_records_still_identifies() -> None:
    staging = Staging()
    for record_id in map(str, range(20)):
        staging.party(record_id, "张伟", birth_date=dt.date(1980, 5, 6))
        staging.contact(record_id, "13912345670")
    rows = staging.standardised().tables["party_contact"]
    assert {(row["party_count"], row["is_identifying"]) for row in rows} == {(1, True)}
