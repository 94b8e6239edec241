"""Raw text to dates, timestamps and numbers: what is understood, and what is refused."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapped import contract, one, run


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-05", "2024-01-05"),
        (" 2024-1-5 ", "2024-01-05"),
        ("20240105", "2024-01-05"),
        ("2024011", None),
        ("99-01-01", None),
        ("2024/01/05", "2024-01-05"),
        ("2024.01.05", "2024-01-05"),
        ("2024年1月5日", "2024-01-05"),
        ("２０２４－０１－０５", "2024-01-05"),
        ("2024-01-05 23:59:59", "2024-01-05"),
        ("2024-01-05T23:59:59+08:00", "2024-01-05"),
        ("2024-01-05T23:59:59.123Z", "2024-01-05"),
        ("20240105235959", "2024-01-05"),
        ("2023-02-29", None),
        ("0000-00-00", None),
        ("soon", None),
        ("", None),
    ],
)
def test_dates_without_a_stated_format(text: str, expected: str | None) -> None:
    found = one("x", "birth_date", text, name="party")
    assert found == (dt.date.fromisoformat(expected) if expected else None)


@pytest.mark.parametrize(
    ("formats", "text", "expected"),
    [
        (["%d.%m.%Y", "%Y-%m-%d"], "5.1.2024", "2024-01-05"),
        (["%d.%m.%Y", "%Y-%m-%d"], "2024-01-05", "2024-01-05"),
        (["%d.%m.%Y"], "2024-01-05", None),
        (["%m/%d/%Y"], "12/31/1999", "1999-12-31"),
        ("dd.MM.yyyy", "31.12.1999", "1999-12-31"),
        (["%y%m%d"], "260131", "2026-01-31"),
        (["%y%m%d"], "260201", "1926-02-01"),
        (["%y%m%d", "%Y%m%d"], "680101", "1968-01-01"),
        (["%y%m%d", "%Y%m%d"], "20680101", "2068-01-01"),
        (["%y%m%d"], "9911", None),
        (["%d-%b-%Y"], "05-JAN-2024", "2024-01-05"),
        (["%Y%j"], "2024366", "2024-12-31"),
        (["%y%m%d %H:%M:%S"], "981016 00:00:00", "1998-10-16"),
    ],
)
def test_dates_in_stated_formats(formats: Any, text: str, expected: str | None) -> None:
    found = one({"from": "x", "formats": formats}, "birth_date", text, name="party")
    assert found == (dt.date.fromisoformat(expected) if expected else None)


def test_two_digit_years_of_dates_that_look_ahead_do_not_move_back() -> None:
    found = one({"from": "x", "formats": "%y%m%d"}, "expiry_date", "300131", name="party_document")
    assert found == dt.date(2030, 1, 31)


def test_a_field_s_own_format_is_used_where_the_fill_names_none() -> None:
    field = {"name": "x", "logicalType": "date", "logicalTypeOptions": {"format": "ddMMyyyy"}}
    assert one("x", "birth_date", "31011990", ["no", field], "party") == dt.date(1990, 1, 31)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-05 10:00:00", "2024-01-05T10:00:00"),
        ("2024-01-05T10:00:00+08:00", "2024-01-05T02:00:00"),
        ("2024-01-05T10:00:00.5Z", "2024-01-05T10:00:00.500000"),
        ("20240105100000", "2024-01-05T10:00:00"),
        ("2024-01-05", "2024-01-05T00:00:00"),
        ("2024-01-05 25:00:00", None),
    ],
)
def test_timestamps_are_utc(text: str, expected: str | None) -> None:
    assert one("x", "updated_at", text, name="party") == (dt.datetime.fromisoformat(expected) if expected else None)


def test_a_timestamp_without_zone_is_local_time_where_the_contract_says_which() -> None:
    options = {"defaultTimezone": "Asia/Shanghai"}
    field = {"name": "x", "logicalType": "timestamp", "logicalTypeOptions": options}
    fields = ["no", field]
    local = one("x", "updated_at", "2024-01-05 10:00:00", fields, "party")
    stated = one("x", "updated_at", "2024-01-05T10:00:00Z", fields, "party")
    assert (local.isoformat(), stated.isoformat()) == ("2024-01-05T02:00:00", "2024-01-05T10:00:00")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1234.5", "1234.50"),
        ("1,234.50", "1234.50"),
        ("1,234,567.89-", "-1234567.89"),
        ("-0.01", "-0.01"),
        ("+5", "5.00"),
        (".5", "0.50"),
        ("12 345", "12345.00"),
        ("１，２３４．５０", "1234.50"),
        ("1,2345", "12345.00"),
        ("1.5e3", "1500.00"),
        ("0.1", "0.10"),
        ("9999999999999999.99", "9999999999999999.99"),
        ("12345678901234567.00", None),
        ("12,50", None),
        ("-5-", None),
        ("1.2.3", None),
        ("twelve", None),
        (".", None),
        ("", None),
    ],
)
def test_amounts(text: str, expected: str | None) -> None:
    assert one("x", "balance_amount", text) == (Decimal(expected) if expected else None)


@pytest.mark.parametrize(
    ("modifiers", "text", "expected"),
    [
        ({"divide": 100}, "12345", "123.45"),
        ({"divide": 100, "negate": True}, "1,234,567", "-12345.67"),
        ({"divide": 100}, "99999999999999999", "999999999999999.99"),
        ({"divide": 1000}, "12345", "12.35"),
        ({"absolute": True}, "-7", "7.00"),
        ({"absolute": True, "negate": True}, "7", "-7.00"),
        ({"default": "0"}, None, "0.00"),
        ({"default": "0"}, "5", "5.00"),
        ({"codes": {"max": "100"}}, "MAX", "100.00"),
    ],
)
def test_what_a_fill_may_do_to_a_number(modifiers: dict[str, Any], text: str | None, expected: str) -> None:
    assert one({"from": "x"} | modifiers, "balance_amount", text) == Decimal(expected)


def test_implied_decimals_of_a_field_and_rates() -> None:
    field = {"name": "x", "logicalType": "number", "customProperties": [{"property": "decimals", "value": 2}]}
    assert one("x", "balance_amount", "12345-", ["no", field]) == Decimal("-123.45")
    assert one({"from": "x", "divide": 100}, "interest_rate", "4.35") == Decimal("0.043500")
    assert one({"from": "x", "divide": 10000}, "interest_rate", "435") == Decimal("0.043500")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", 12),
        ("-3", -3),
        ("3-", -3),
        ("1,234", 1234),
        ("12.0", 12),
        ("12.7", None),
        ("１２", 12),
        ("99999999999", None),
    ],
)
def test_whole_numbers(text: str, expected: int | None) -> None:
    assert one("x", "days_past_due", text) == expected


@settings(deadline=None, max_examples=60)
@given(st.decimals(Decimal("-9999999999999999.99"), Decimal("9999999999999999.99"), places=2))
def test_every_amount_survives_however_it_is_written(amount: Decimal) -> None:
    sign = "-" if amount < 0 else ""
    texts = [f"{amount:f}", f"{amount:,f}", f"{abs(amount):,f}{sign}", f"{sign} {abs(amount):f}".strip()]
    made = contract(
        [
            {
                "entity": "account",
                "columns": {"account_id": "no", "currency_code": {"constant": "X"}, "balance_amount": "x"},
            }
        ],
        ["no", "x"],
    )
    rows = run(made, "account", [{"no": "1", "x": text} for text in texts])
    assert [row["balance_amount"] for row in rows] == [amount] * len(texts)
