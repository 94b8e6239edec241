"""What a value becomes, worked out by hand."""

import datetime as dt
from decimal import Decimal

import duckdb
import pytest
from share_home import column

from warehouse.shares.treatments import Treatment, parse_treatment


def treated(treatment: Treatment, name: str, kind: str, value: object, **others: str | None) -> object:
    columns = ", ".join([f"cast(? as {kind}) as {name}", *(f"? as {other}" for other in others)])
    one = column(name, kind)
    wanted = treatment.treated(one).type
    with duckdb.connect() as con:
        return con.execute(
            f"select cast({treatment.sql(one)} as {wanted}) from (select {columns})", [value, *others.values()]
        ).fetchall()[0][0]


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ({"first": 1}, "张三丰", "张***"),
        ({"first": 1}, "张三", "张***"),
        ({"first": 1}, "张", "***"),  # one of one character would be all of it
        ({"last": 4}, "+8613800138000", "***8000"),
        ({"last": 4}, "1234567", "***"),  # four of seven is more than half
        ({"first": 2, "last": 2}, "44010119800101", "44***01"),
        ({}, "anything", "***"),
        ({"first": 1}, "", "***"),
        ({"first": 1}, None, None),
    ],
)
def test_a_mask_leaves_the_ends_and_hides_at_least_half_and_the_length(
    setting: dict[str, int], value: str | None, expected: str | None
) -> None:
    assert treated(parse_treatment({"mask": setting}), "full_name", "varchar", value) == expected


@pytest.mark.parametrize(
    ("to", "kind", "value", "expected"),
    [
        ("year", "date", dt.date(1980, 5, 17), dt.date(1980, 1, 1)),
        ("quarter", "date", dt.date(1980, 5, 17), dt.date(1980, 4, 1)),
        ("month", "date", dt.date(1980, 5, 17), dt.date(1980, 5, 1)),
        ("month", "timestamp", "1980-05-17 08:30:00", dt.datetime.fromisoformat("1980-05-01")),
        ("year", "date", None, None),
        (10, "integer", 45, 40),
        (10000, "decimal(18,2)", Decimal("12345.67"), Decimal("10000.00")),
        (10000, "decimal(18,2)", Decimal("-12345.67"), Decimal("-10000.00")),
        (0.5, "decimal(18,2)", Decimal("0.99"), Decimal("0.50")),
        (10, "bigint", None, None),
    ],
)
def test_generalised_dates_and_numbers_keep_their_type(to: object, kind: str, value: object, expected: object) -> None:
    assert treated(parse_treatment({"generalise": to}), "some", kind, value) == expected


@pytest.mark.parametrize(
    ("value", "province", "city", "expected"),
    [
        ("福田区某路1号", "广东省", "深圳市", "广东省 深圳市"),
        ("福田区某路1号", "广东省", None, "广东省"),
        ("somewhere", None, None, None),
        (None, "广东省", "深圳市", None),
    ],
)
def test_an_address_becomes_its_region(
    value: str | None, province: str | None, city: str | None, expected: str | None
) -> None:
    treatment = parse_treatment({"generalise": "city"})
    assert treated(treatment, "address_text", "varchar", value, province=province, city=city) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("-0.01"), "(, 0)"),
        (Decimal("0.00"), "[0, 10000)"),
        (Decimal("9999.99"), "[0, 10000)"),
        (Decimal("10000.00"), "[10000, )"),
        (None, None),
    ],
)
def test_a_bucket_holds_its_lower_edge(value: Decimal | None, expected: str | None) -> None:
    assert treated(parse_treatment({"bucket": [0, 10000]}), "balance_amount", "decimal(18,2)", value) == expected


def test_buckets_sort_by_their_edges() -> None:
    kind = parse_treatment({"bucket": [0, 900, 10000]}).treated(column("balance_amount", "decimal(18,2)")).type
    with duckdb.connect() as con:
        found = con.execute(
            f"select cast(name as {kind}) as bucket "
            "from (values ('[900, 10000)'), ('[10000, )'), ('(, 0)'), ('[0, 900)')) as bucket(name) order by bucket"
        ).fetchall()
    assert [name for (name,) in found] == ["(, 0)", "[0, 900)", "[900, 10000)", "[10000, )"]


def test_every_treatment_says_itself_in_both_languages() -> None:
    for said in (
        "keep",
        "tokenise",
        {"mask": {"first": 1}},
        {"generalise": "year"},
        {"generalise": 5},
        {"bucket": [0]},
    ):
        en, zh = parse_treatment(said).words()
        assert en.isascii()
        assert not zh.isascii()
