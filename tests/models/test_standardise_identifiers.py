"""Checks of national identifiers, against published examples, the standards' formulas and python-stdnum."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import ric, uscc

from models.identity.identifiers import Checked, check_credit_codes, check_numbers, check_resident_ids

# GB 11643-1999, annex: both numbers are printed there as examples.
STANDARD_EXAMPLES = ("11010519491231002X", "440524188001010014")
# The same standard's table: weights and check characters.
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"


def resident_id(region: str, born: dt.date, serial: int) -> str:
    body = f"{region}{born:%Y%m%d}{serial:03d}"
    return body + CHECKS[sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True)) % 11]


def one(checked: Checked) -> tuple[str, bool, bool, dt.date | None, str | None]:
    day = checked.birth_date[0].astype(object)
    sex = ("male" if checked.is_male[0] else "female") if checked.has_sex[0] else None
    return checked.number[0], bool(checked.is_valid[0]), bool(checked.has_check[0]), day, sex


residents = st.builds(
    resident_id,
    st.sampled_from(["110105", "310104", "440305", "650102", "810000", "110101"]),
    st.dates(dt.date(1900, 1, 1), dt.date(2025, 12, 31)),
    st.integers(1, 999),
)


def test_examples_of_the_standard() -> None:
    assert one(check_resident_ids([STANDARD_EXAMPLES[0]])) == (
        "11010519491231002X", True, True, dt.date(1949, 12, 31), "female",
    )  # fmt: skip
    assert one(check_resident_ids([STANDARD_EXAMPLES[1]])) == (
        "440524188001010014", True, True, dt.date(1880, 1, 1), "male",
    )  # fmt: skip


def test_fifteen_digits_become_eighteen() -> None:
    assert one(check_resident_ids(["110105491231002"])) == (
        "11010519491231002X", True, False, dt.date(1949, 12, 31), "female",
    )  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        "110105194912310021",  # check character
        "11010519490231002X",  # 31 February
        "990105194912310025",  # no such province, whatever its check character
        "1101051949123100",  # length
        "11010519491231002XX",
        "110105********002X",
        "110105490231002",  # 31 February in the short form
        "11O105491231002",  # no check character that could confirm a repair
        "A1010519491231002X",
        "",
    ],
)
def test_wrong_resident_ids(wrong: str) -> None:
    assert one(check_numbers("cn.ric", [wrong])) == (wrong, False, False, None, None)


@pytest.mark.parametrize(
    "written", ["1101O519491231002X", "II0I05I949I23I002X", "110105L949123L002X", "11010519491231002*"]
)
def test_look_alikes_are_repaired_when_the_check_character_fits(written: str) -> None:
    assert one(check_numbers("cn.ric", [written]))[:3] == ("11010519491231002X", True, True)


@given(residents)
def test_agrees_with_stdnum_on_right_numbers(number: str) -> None:
    assert ric.calc_check_digit(number) == number[-1]
    _, is_valid, _, born, sex = one(check_resident_ids([number]))
    assert is_valid
    assert born == ric.get_birth_date(number)
    assert sex == ("male" if int(number[16]) % 2 else "female")


@given(residents, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_finds_every_wrong_character(number: str, place: int, character: str) -> None:
    changed = number[:place] + character + number[place + 1 :]
    assert bool(check_resident_ids([changed]).is_valid[0]) == (changed == number)


@given(residents, st.integers(0, 16))
def test_finds_every_swap_of_neighbours(number: str, place: int) -> None:
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert bool(check_resident_ids([swapped]).is_valid[0]) == (swapped == number)


@settings(deadline=None)
@given(st.lists(st.text("0123456789X*OI", max_size=20), max_size=30))
def test_many_numbers_are_checked_as_one_by_one(numbers: list[str]) -> None:
    together = check_numbers("cn.ric", numbers)
    alone = [check_numbers("cn.ric", [number]) for number in numbers]
    assert together.number == [checked.number[0] for checked in alone]
    assert together.is_valid.tolist() == [bool(checked.is_valid[0]) for checked in alone]


ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
bodies = st.builds(str.__add__, st.from_regex(r"[0-9]{8}", fullmatch=True), st.text(ALPHABET, min_size=9, max_size=9))


@settings(deadline=None)
@given(bodies)
def test_agrees_with_stdnum_on_credit_codes(body: str) -> None:
    codes = [body + last for last in ALPHABET]
    assert check_credit_codes(codes).is_valid.tolist() == [uscc.is_valid(code) for code in codes]


@settings(deadline=None)
@given(st.lists(st.text(ALPHABET + "IOZSV*", min_size=16, max_size=20), max_size=20))
def test_agrees_with_stdnum_on_anything(codes: list[str]) -> None:
    assert check_credit_codes(codes).is_valid.tolist() == [uscc.is_valid(code) for code in codes]


def test_credit_code_repair_prefers_letters_that_may_be_there() -> None:
    # 91110000600037341L is python-stdnum's published example and ends in a real L
    assert check_numbers("cn.uscc", ["9111OOOO60OO3734IL"]).number == ["91110000600037341L"]


def test_other_countries_by_library() -> None:
    # a woman's birth number: month + 50; the example is the Czech birth number of python-stdnum's tests
    found = check_numbers("cz.rc", ["7103192745", "7103192746"])
    assert found.is_valid.tolist() == [True, False]
    assert found.birth_date[0] == np.datetime64("1971-03-19")
    assert np.isnat(found.birth_date[1])
    assert not found.has_sex.any()


def test_library_tells_the_sex_where_it_can() -> None:
    # examples of python-stdnum's documentation of the Danish and Bulgarian numbers
    found = check_numbers("bg.egn", ["7523169263", "8032056031"])
    assert found.is_valid.all()
    assert found.birth_date.tolist() == [dt.date(1875, 3, 16), dt.date(1880, 12, 5)]


def test_no_numbers_at_all() -> None:
    for validator in ("cn.ric", "cn.uscc", "cz.rc"):
        assert check_numbers(validator, []).number == []
