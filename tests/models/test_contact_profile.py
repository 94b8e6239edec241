"""Contact profiles and holdings: the cases that mislead a matcher, each with the answer written down by hand."""

import datetime as dt
from typing import Any

import pytest
from standardise_staging import Staging, Standardised, settings_of
from stdnum.cn import ric

from models.identity.contact_profile import RULES

MOBILE, LANDLINE, EMAIL = "+8613912345670", "+861088886661", "office@firma.cn"
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"


def resident(number: int, born: str = "19800506") -> str:
    """A valid 18-digit resident id of Beijing; the number makes it another person's."""
    front = f"110105{born}{number:03d}"
    return front + ric.calc_check_digit(front + "0")


def people(staging: Staging, count: int, *, home: str | None = None, value: str = MOBILE, kind: str = "mobile") -> None:
    """Persons with their own ids, surnames and homes (or one home) who give one value."""
    for number in range(count):
        record = staging.party(f"p{number}", f"{SURNAMES[number % 20]}伟{'一二三四五六七八九十'[number // 20 % 10]}")
        staging.document(record, resident(1, f"{dt.date(1950, 1, 1) + dt.timedelta(number):%Y%m%d}"))
        staging.address(record, home or f"人民路{number + 1}号", "上海市", "上海市", "徐汇区")
        staging.contact(record, value, kind)


def judged(result: Standardised, value: str = MOBILE) -> tuple[Any, ...]:
    row = result.profile(value)
    return row["contact_kind"], row["reason_code"], row["is_identifying"]


def test_one_person_with_three_records_is_personal() -> None:
    staging = Staging()
    for record in ("1", "2", "3"):
        staging.document(staging.party(record, "王伟"), resident(1))
        staging.contact(record, MOBILE, seen=dt.date(2020 + int(record), 5, 1))
    row = staging.standardised().profile(MOBILE)
    assert (row["contact_kind"], row["reason_code"], row["reason"]) == ("personal", "one_person", "one person gives it")
    assert (row["holder_record_count"], row["party_count"], row["strong_party_count"]) == (3, 1, 1)
    assert (row["first_seen_date"], row["last_seen_date"]) == (dt.date(2021, 5, 1), dt.date(2023, 5, 1))


def test_an_agents_number_on_400_customers_identifies_none_of_them() -> None:
    staging = Staging()
    people(staging, 400)
    result = staging.standardised()
    assert judged(result) == ("agent", "many_parties", False)
    row = result.profile(MOBILE)
    assert (row["party_count"], row["strong_party_count"], row["surname_count"]) == (400, 400, 20)
    assert row["reason"] == "400 parties of 20 surnames give it: one who acts for them"
    assert {row["is_identifying"] for row in result.tables["party_contact"]} == {False}


def test_a_number_on_very_many_without_common_ground_is_a_placeholder() -> None:
    staging = Staging()
    people(staging, 600)
    result = staging.standardised()
    assert judged(result) == ("junk", "no_common_ground", False)
    assert "600 parties" in result.profile(MOBILE)["reason"]


def test_one_branch_is_common_ground() -> None:
    staging = Staging()
    people(staging, 600)
    for row in staging.rows["party"]:
        row["branch_id"] = "B1"
    assert judged(staging.standardised()) == ("agent", "many_parties", False)


@pytest.mark.parametrize(("number", "kind"), [("+8613957888888", "junk"), ("+8613957888887", "shared")])
def test_digits_in_a_row_that_strangers_share_are_a_placeholder(number: str, kind: str) -> None:
    staging = Staging()
    people(staging, 3, value=number)
    assert staging.standardised().profile(number)["contact_kind"] == kind


def test_a_fine_number_of_one_person_is_no_placeholder() -> None:
    staging = Staging()
    people(staging, 1, value="13957888888")
    assert judged(staging.standardised(), "+8613957888888") == ("personal", "one_person", True)


def test_father_and_son_of_one_name_and_phone_are_a_family() -> None:
    staging = Staging()
    for record, born in (("father", "19550506"), ("son", "19850506")):
        staging.document(staging.party(record, "王伟"), resident(1, born))
        staging.contact(record, MOBILE)
    result = staging.standardised()
    assert judged(result) == ("family", "related", True)
    assert (result.profile(MOBILE)["person_count"], result.profile(MOBILE)["surname_count"]) == (2, 1)


def test_a_couple_is_a_family_by_its_address() -> None:
    staging = Staging()
    people(staging, 2, home="人民路1号")
    result = staging.standardised()
    assert judged(result) == ("family", "related", True)
    assert result.profile(MOBILE)["common_address_count"] == 2


def test_two_strangers_share_it() -> None:
    staging = Staging()
    people(staging, 2)
    assert judged(staging.standardised()) == ("shared", "few", True)


def test_a_company_with_its_owners_mobile() -> None:
    staging = Staging()
    people(staging, 1)
    staging.contact(staging.organisation("o", "上海明达科技有限公司"), MOBILE)
    assert judged(staging.standardised()) == ("personal", "owner", True)


def test_the_switchboard_of_an_employer() -> None:
    staging = Staging()
    people(staging, 5, value="010-88886661", kind="phone")
    staging.contact(staging.organisation("o", "上海明达科技有限公司"), "010-88886661", "phone")
    result = staging.standardised()
    assert judged(result, LANDLINE) == ("employer", "staff", False)
    assert result.profile(LANDLINE)["reason"] == "5 persons of 5 surnames and 1 organisation(s) give it"


def test_the_telephone_of_sister_companies_is_their_own() -> None:
    staging = Staging()
    for record, name in (("a", "上海明达科技有限公司"), ("b", "上海明达贸易有限公司")):
        staging.contact(staging.organisation(record, name), "010-88886661", "phone")
    assert judged(staging.standardised(), LANDLINE) == ("organisation", "own", True)


def test_a_masked_and_a_local_number_say_nothing() -> None:
    staging = Staging()
    staging.contact(staging.party("1", "王伟"), "138****5670")
    staging.contact("1", "88886661", "phone")
    result = staging.standardised()
    assert judged(result, "+86138****5670") == ("junk", "masked", False)
    assert judged(result, "+8688886661") == ("junk", "incomplete", False)


@pytest.mark.parametrize(
    ("count", "expected"), [(3, ("family", True)), (12, ("shared", True)), (13, ("employer", False))]
)
def test_an_address_of_too_many_identifies_nobody(count: int, expected: tuple[str, bool]) -> None:
    staging = Staging()
    people(staging, count, home="工业路8号宿舍")
    result = staging.standardised()
    (row,) = result.tables["address_profile"]
    assert (row["contact_kind"], row["is_identifying"]) == expected
    assert {party["address_is_identifying"] for party in result.tables["party_standard"]} == {expected[1]}


def held(*holders: tuple[str, int, dt.date | None], name: str = "伟", **settings: Any) -> Standardised:
    """Records (surname, number of the id or 0 for none, day seen) of one mobile, in their order r0, r1 ..."""
    staging = Staging()
    for number, (surname, person, seen) in enumerate(holders):
        record = staging.party(f"r{number}", surname + name)
        if person:
            staging.document(record, resident(person))
        staging.contact(record, MOBILE, seen=seen)
    return staging.standardised(settings_of(contact_profile=settings))


def holdings(result: Standardised) -> list[int]:
    return [row["holding_no"] for row in sorted(result.tables["party_contact"], key=lambda row: row["record_id"])]


SPRING, SUMMER, LATER = dt.date(2020, 3, 1), dt.date(2020, 5, 30), dt.date(2023, 3, 1)


def test_a_mobile_given_to_somebody_else_is_another_contact() -> None:
    """r0 to r2 before; r3 and r4 after. The weak records r2 and r4 belong to whom they lie near."""
    result = held(
        ("王", 1, SPRING), ("王", 1, SUMMER), ("赵", 0, SUMMER), ("李", 2, LATER), ("孙", 0, dt.date(2023, 8, 1)),
    )  # fmt: skip
    assert holdings(result) == [1, 1, 1, 2, 2]
    assert (result.profile(MOBILE)["holding_count"], result.profile(MOBILE)["party_count"]) == (2, 4)
    assert {row["is_identifying"] for row in result.tables["party_contact"]} == {True}


def test_one_holder_after_another_is_personal() -> None:
    assert judged(held(("王", 1, SPRING), ("李", 2, LATER))) == ("personal", "reassigned", True)


@pytest.mark.parametrize(("days", "expected"), [(89, [1, 1]), (90, [1, 2])])
def test_a_number_rests_ninety_days(days: int, expected: list[int]) -> None:
    assert holdings(held(("王", 1, SPRING), ("李", 2, SPRING + dt.timedelta(days)))) == expected
    assert holdings(held(("王", 1, SPRING), ("李", 2, SPRING + dt.timedelta(days)), reassigned_days=days)) == [1, 2]


def test_periods_that_overlap_are_one_holding() -> None:
    assert holdings(held(("王", 1, SPRING), ("李", 2, SUMMER), ("王", 1, LATER))) == [1, 1, 1]


def test_relatives_hold_a_number_together() -> None:
    assert holdings(held(("王", 1, SPRING), ("王", 2, LATER))) == [1, 1]


def test_a_weak_record_alone_does_not_reassign() -> None:
    assert holdings(held(("王", 1, SPRING), ("李", 0, LATER))) == [1, 1]


def test_a_namesake_without_a_document_shows_who_kept_the_number() -> None:
    assert holdings(held(("王", 1, SPRING), ("李", 2, LATER), ("王", 0, LATER))) == [1, 1, 1]


def test_without_a_date_the_holding_of_a_reassigned_number_is_unknown() -> None:
    result = held(("王", 1, SPRING), ("李", 2, LATER), ("赵", 0, None))
    assert holdings(result) == [1, 2, 0]
    assert [row["is_identifying"] for row in result.tables["party_contact"]] == [True, True, False]


def test_the_date_of_a_contact_is_its_own_then_the_records() -> None:
    staging = Staging()
    day = dt.date(2024, 5, 6)
    staging.party("1", "王伟", updated_at=dt.datetime(2024, 5, 6, 21, 0), opened_date=SPRING)  # noqa: DTZ001
    staging.party("2", "李伟", opened_date=SPRING)
    staging.contact("1", "13912345671")
    staging.contact("1", "13912345672", seen=LATER)
    staging.contact("2", "13912345673")
    found = staging.standardised().tables["party_contact"]
    assert [row["seen_date"] for row in found] == [day, LATER, SPRING]


def test_profiles_do_not_depend_on_the_order_of_records() -> None:
    staging = Staging()
    people(staging, 20)
    for number in range(6):
        record = staging.party(f"q{number}", f"{SURNAMES[number]}明" if number % 3 else None)
        if number % 2:
            staging.document(record, resident(900 + number))
        staging.contact(record, "13912345671", seen=dt.date(2018 + number, 1, 1))
    first = staging.standardised().tables
    assert [staging.standardised(shuffle_seed=seed).tables for seed in (1, 2, 3)] == [first] * 3


def test_every_rule_has_its_own_code() -> None:
    assert len({rule.code for rule in RULES}) == len(RULES)
