"""Documents through the whole standardisation: spelling, validity, strength, what they tell of the party."""

import datetime as dt

from standardise_staging import Staging, settings_of

VALID = "11010519491231002X"  # the example of GB 11643-1999: a woman born on 31 December 1949
CREDIT_CODE = "91110000600037341L"  # python-stdnum's published example


def one_by_one(*numbers: str) -> dict[str, list[tuple[object, ...]]]:
    """Number, validity and strength of each resident id, each on a record of its own."""
    staging = Staging()
    for number in numbers:
        staging.document(staging.party(number, "张伟"), number)
    result = staging.standardised()
    return {n: result.of("party_document", n, "document_number", "is_valid", "is_strong") for n in numbers}


def documents(*numbers: str, kind: str = "resident_id", **party: object) -> list[tuple[object, ...]]:
    staging = Staging()
    staging.party("1", "张伟", **party)
    for number in numbers:
        staging.document("1", number, kind)
    return staging.standardised().of("party_document", "1", "document_number", "is_valid", "is_strong")


def test_spellings_of_one_number() -> None:
    spellings = [
        VALID,
        "11010519491231002x",
        " 110105 19491231 002X ",
        "110105-19491231-002X",
        "１１０１０５１９４９１２３１００２Ｘ",
        "1101O519491231OO2X",
        "11010519491231002×",
        "110105491231002",
        "身份证110105491231002",
    ]
    assert one_by_one(*spellings) == {written: [(VALID, True, True)] for written in spellings}


def test_what_is_not_valid_is_kept() -> None:
    kept = {
        "110105********002X": "110105********002X",
        "110105XXXXXXXX0021": "110105********0021",
        "110105●●●●●●●●0021": "110105********0021",
        "310***********1234": "310***********1234",
        "310***1234": "310***********1234",
        "1***************X": "1****************X",
        "110105194912310021": "110105194912310021",
        "110105194902310028": "110105194902310028",
        "11O105491231002": "11O105491231002",
    }
    assert one_by_one(*kept) == {written: [(number, False, False)] for written, number in kept.items()}


def test_placeholders_vanish() -> None:
    nothing = ["无", "暂无", "-", "***", "12", "0" * 18, "1" * 18, "123456789012345678", "99999999", "A0000000"]
    assert one_by_one(*nothing) == {written: [] for written in nothing}


def test_dates_that_nobody_alive_has() -> None:
    # GB 11643's second example was born in 1880; the other number is of somebody born after the business date
    assert documents("440524188001010014", "110105203001010018") == [
        ("110105203001010018", False, False),
        ("440524188001010014", False, False),
    ]


def test_valid_document_fills_birth_date_and_sex() -> None:
    staging = Staging()
    staging.party("told", "张伟")
    staging.party("known", "张伟", birth_date=dt.date(1950, 2, 3), sex="male")
    staging.party("wrong", "张伟", birth_date=dt.date(1900, 1, 1))
    staging.party("unproven", "张伟", sex="unknown")
    staging.organisation("company", "海豚有限公司")
    for record_id in ("told", "known", "wrong", "company"):
        staging.document(record_id, VALID)
    staging.document("unproven", "110105194912310021")
    result = staging.standardised()
    found = {row["record_id"]: (row["birth_date"], row["sex"]) for row in result.tables["party_standard"]}
    born = dt.date(1949, 12, 31)
    assert found == {
        "told": (born, "female"),
        "known": (dt.date(1950, 2, 3), "male"),
        "wrong": (born, "female"),
        "unproven": (None, None),
        "company": (None, None),
    }


def test_birth_dates_that_cannot_be() -> None:
    expected = {
        dt.date(1900, 1, 1): None,
        dt.date(1970, 1, 1): None,
        dt.date(2026, 2, 1): None,
        dt.date(2026, 1, 31): dt.date(2026, 1, 31),
        dt.date(1906, 1, 30): None,
        dt.date(1906, 1, 31): dt.date(1906, 1, 31),
    }
    staging = Staging()
    for birth_date in expected:
        staging.party(str(birth_date), "张伟", birth_date=birth_date)
    result = staging.standardised()
    assert {birth_date: result.party(str(birth_date))["birth_date"] for birth_date in expected} == expected


def test_short_form_must_not_contradict_the_record() -> None:
    assert documents("110105491231002", birth_date=dt.date(1949, 12, 31), sex="female") == [(VALID, True, True)]
    assert documents("110105491231002", birth_date=dt.date(1949, 12, 13)) == [(VALID, False, False)]
    assert documents("110105491231002", sex="male") == [(VALID, False, False)]
    # with its own check character the number stands against the record
    assert documents(VALID, birth_date=dt.date(1949, 12, 13)) == [(VALID, True, True)]


def test_a_persons_number_on_a_company_proves_nothing() -> None:
    assert documents(VALID, party_type="organisation") == [(VALID, True, False)]


def test_credit_code_brings_its_organisation_code() -> None:
    staging = Staging()
    staging.organisation("1", "海豚有限公司")
    staging.organisation("2", "海豚有限公司")
    staging.document("1", "91110000 600037341l", "uscc")
    staging.document("2", "60003734-1", "organisation_code")
    result = staging.standardised()
    columns = ("document_type", "document_number", "is_valid", "is_strong")
    assert result.of("party_document", "1", *columns) == [
        ("organisation_code", "600037341", True, True),
        ("uscc", CREDIT_CODE, True, True),
    ]
    assert result.of("party_document", "2", *columns) == [("organisation_code", "600037341", True, True)]


def test_organisation_code_is_as_strong_as_the_bank_says() -> None:
    staging = Staging()
    staging.organisation("1", "海豚有限公司")
    staging.document("1", CREDIT_CODE, "uscc")
    settings = settings_of(
        documents={
            "uscc": {"validator": "cn.uscc", "strong": True, "parts": {"organisation_code": {"start": 9, "length": 9}}},
            "organisation_code": {"pattern": "[0-9A-Z]{9}"},
        }
    )
    rows = staging.standardised(settings).of("party_document", "1", "document_type", "is_valid", "is_strong")
    assert rows == [("organisation_code", True, False), ("uscc", True, True)]


def test_passports_belong_to_a_country() -> None:
    staging = Staging()
    for record_id in ("cn", "us", "national", "lone"):
        staging.party(record_id, "张伟", nationality="FR" if record_id == "national" else None)
    staging.document("cn", "e1234 5678", "passport", "CN")
    staging.document("us", "E12345678", "passport", "us")
    staging.document("national", "X7654321", "passport")
    staging.document("lone", "Z99887766", "passport")
    rows = staging.standardised().tables["party_document"]
    found = {row["record_id"]: (row["document_number"], row["is_valid"], row["is_strong"]) for row in rows}
    assert found == {
        "cn": ("CN:E12345678", True, True),
        "us": ("US:E12345678", True, True),
        "national": ("FR:X7654321", True, True),
        "lone": ("Z99887766", True, True),
    }


def test_a_passport_without_country_takes_the_only_one_there_is() -> None:
    staging = Staging()
    for record_id, country in (("1", "CN"), ("2", None)):
        staging.party(record_id, "张伟")
        staging.document(record_id, "E12345678", "passport", country)
    result = staging.standardised()
    assert result.of("party_document", "2", "document_number", "is_valid") == [("CN:E12345678", True)]
    # with two countries to choose from it stays what it is, and proves nothing
    staging.document(staging.party("3", "John Smith"), "E12345678", "passport", "US")
    result = staging.standardised()
    assert result.of("party_document", "2", "document_number", "is_valid") == [("E12345678", False)]


def test_permits_lose_their_issue_count() -> None:
    assert documents("H12345678", "H1234567801", kind="hk_macau_permit") == [("H12345678", True, True)]
    assert documents("12345670", "1234567001", kind="taiwan_permit") == [("12345670", True, True)]
    assert documents("K12345678", kind="hk_macau_permit") == [("K12345678", False, False)]


def test_types_without_a_rule_are_kept_and_prove_nothing() -> None:
    assert documents("ABC-7788", kind="union_card") == [("ABC7788", False, False)]
    assert documents("ABC-7788", kind="other") == [("ABC7788", False, False)]


def test_a_valid_number_under_many_names_is_a_dummy() -> None:
    surnames = "王李张刘陈杨黄赵吴"
    staging = Staging()
    for surname in surnames:
        staging.party(surname, f"{surname}伟")
        staging.document(surname, VALID)
    few, many = settings_of(document_max_names=8), settings_of(document_max_names=9)
    assert {row["is_strong"] for row in staging.standardised(few).tables["party_document"]} == {False}
    assert {row["is_strong"] for row in staging.standardised(many).tables["party_document"]} == {True}


def test_another_countrys_numbers_by_library() -> None:
    staging = Staging()
    staging.party("1", "Jan Novák")
    staging.document("1", "710319/2745", "birth_number")  # python-stdnum's published example
    settings = settings_of(
        languages=["cs"],
        phone_region="CZ",
        documents={"birth_number": {"validator": "cz.rc", "strong": True, "identifies": "person"}},
    )
    result = staging.standardised(settings)
    assert result.of("party_document", "1", "document_number", "is_strong") == [("7103192745", True)]
    assert result.party("1")["birth_date"] == dt.date(1971, 3, 19)


def test_documents_of_no_party_are_left_out() -> None:
    staging = Staging()
    staging.party("1", "张伟")
    staging.document("2", VALID)
    assert staging.standardised().tables["party_document"] == []
