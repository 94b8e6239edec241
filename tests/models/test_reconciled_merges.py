"""Customers that merge and come apart keep every product, once, with the same money; the reconciliation says so."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal

import duckdb
from customer_nights import customers, night
from hypothesis import given, settings
from hypothesis import strategies as st
from sql_tables import Row, made
from sql_tables import given as table

from warehouse.facts import meta_tables

FIRST = dt.date(2026, 1, 29)
RECORDS = ("a", "b", "c", "d")
RATES = {"CNY": Decimal(1), "USD": Decimal("7.1234")}
FAMILIES = {
    "account": ("current_deposit", "term_deposit", "other"),
    "card": ("credit_card",),
    "loan": ("mortgage", "other"),
}
BALANCE = {"account": "balance_amount", "card": "balance_amount", "loan": "outstanding_amount"}
MADE = ("party_role", "product_holder", "account", "card", "loan")
EMPTY = (
    *("staging.transaction", "staging.standing_order", "customer.transaction", "customer.standing_order"),
    *("customer.branch", "customer.manager"),
)

Product = tuple[str, str, str, Decimal | None, tuple[str, ...]]
"""Type, family, currency, balance, records that have it."""


@st.composite
def products(draw: st.DrawFn) -> Product:
    kind = draw(st.sampled_from(sorted(FAMILIES)))
    cents = st.decimals(Decimal(-10) ** 9, Decimal(10) ** 9, places=2)
    return (
        kind,
        draw(st.sampled_from(FAMILIES[kind])),
        draw(st.sampled_from(sorted(RATES))),
        draw(st.none() | cents),
        tuple(draw(st.lists(st.sampled_from((*RECORDS, "unknown")), max_size=3, unique=True))),
    )


def _stage(con: duckdb.DuckDBPyConnection, held: Sequence[Product]) -> None:
    for kind in FAMILIES:
        own: list[Row] = [
            {"system": "core", f"{kind}_id": f"{kind}{number}", "product_family": family, "currency_code": currency,
             BALANCE[kind]: balance, "source_object": kind, "source_line": number}
            for number, (of, family, currency, balance, _) in enumerate(held) if of == kind
        ]  # fmt: skip
        table(con, f"staging.{kind}", *own)
    roles: list[Row] = [
        {"system": "core", "record_id": record, "product_type": kind, "product_system": "core",
         "product_id": f"{kind}{number}", "role": "owner" if place == 0 else "joint_owner"}
        for number, (kind, *_, holders) in enumerate(held) for place, record in enumerate(holders)
    ]  # fmt: skip
    table(con, "staging.party_role", *roles)
    for name in EMPTY:
        table(con, name)
    party: list[Row] = [{"system": "core", "record_id": record} for record in RECORDS]
    table(con, "staging.party", *party)
    rates: list[Row] = [{"currency_code": code, "exchange_rate": rate} for code, rate in RATES.items()]
    table(con, "staging.exchange_rate", *rates)


def _marts(con: duckdb.DuckDBPyConnection, date: dt.date) -> list[Row]:
    """Make the customer layer and the marts of a night over its crosswalk; returns the holdings."""
    crosswalk = customers(con)
    records: list[Row] = [{"system": "core", "record_id": r, "customer_id": c} for r, c in crosswalk.items()]
    table(con, "customer.customer_record", *records)
    golden: list[Row] = [
        {"customer_id": name, "party_type": "person", "full_name": "x", "record_count": count, "system_count": 1}
        for name, count in Counter(crosswalk.values()).items()
    ]
    table(con, "customer.customer", *golden)
    for name in MADE:
        made(con, f"customer.{name}", date)
    holdings = made(con, "mart.customer_holding", date)
    made(con, "mart.customer_360", date)
    return holdings


def _unexplained(con: duckdb.DuckDBPyConnection, date: dt.date) -> list[tuple[str, str]]:
    con.execute("create schema if not exists arrival")
    con.execute(
        "create or replace table arrival.line as select 'core' as system, kind as object, kind as subject, "
        "'rows' as figure, 'mapped' as step, cast(row_count as decimal(38, 10)) as amount from ("
        + " union all ".join(f"select '{kind}' as kind, count(*) as row_count from staging.{kind}" for kind in FAMILIES)
        + ") where row_count > 0"
    )
    sql = meta_tables()["meta.reconciliation"].sql or ""
    return con.execute(
        f"select step, figure from ({sql}) where not is_explained order by all", {"business_date": date}
    ).fetchall()


def _expected(held: Sequence[Product], crosswalk: Mapping[str, str]) -> dict[tuple[str, str, str], Decimal]:
    """Balances by customer, family and currency: each product once, for the first of its holders who is anybody."""
    sums: dict[tuple[str, str, str], Decimal] = {}
    for _, family, currency, balance, holders in held:
        first = min(((place > 0, record) for place, record in enumerate(holders) if record in crosswalk), default=None)
        if first is not None and balance is not None:
            key = crosswalk[first[1]], family, currency
            sums[key] = sums.get(key, Decimal(0)) + balance
    return sums


@settings(max_examples=12, deadline=None)
@given(
    st.lists(products(), min_size=1, max_size=8),
    st.lists(st.lists(st.integers(0, 2), min_size=len(RECORDS), max_size=len(RECORDS)), min_size=2, max_size=3),
)
def test_merges_and_unmerges_move_money_and_lose_none(held: list[Product], groupings: list[list[int]]) -> None:
    with duckdb.connect() as con:
        _stage(con, held)
        for number, grouping in enumerate(groupings):
            clusters: dict[int, set[str]] = {}
            for record, group in zip(RECORDS, grouping, strict=True):
                clusters.setdefault(group, set()).add(record)
            date = FIRST + dt.timedelta(number)
            night(con, date, list(clusters.values()))
            holdings = _marts(con, date)
            found = {
                (row["customer_id"], row["product_family"], row["currency_code"]): row["balance_amount"]
                for row in holdings
                if row["balance_amount"] is not None
            }
            assert found == _expected(held, customers(con))
            assert _unexplained(con, date) == []


def test_a_product_that_a_merge_doubles_is_told() -> None:
    account: Product = ("account", "term_deposit", "CNY", Decimal("100.01"), ("a", "b"))
    with duckdb.connect() as con:
        _stage(con, [account])
        night(con, FIRST, [{"a"}, {"b"}, {"c"}, {"d"}])
        night(con, FIRST + dt.timedelta(1), [{"a", "b"}, {"c"}, {"d"}])
        date = FIRST + dt.timedelta(1)
        _marts(con, date)
        con.execute("insert into customer.account from customer.account")  # as a join over both owners would
        made(con, "mart.customer_holding", date)
        made(con, "mart.customer_360", date)
        assert _unexplained(con, date) == [("customer", "balance_amount"), ("customer", "rows")]
