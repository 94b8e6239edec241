"""What another model would change: customers, ids and money, of one night resolved twice.

Both crosswalks are made elsewhere, over the same records and the same night before. Here they are compared. Nothing
names a person: customers are told by their ids, everything else is counts and sums.
"""

import dataclasses
from dataclasses import dataclass
from decimal import Decimal

import duckdb

SIDES = ("old", "new")
LARGEST = 10


@dataclass(frozen=True)
class MovedCustomer:
    """Records and products that would go from one customer to another; ``moved_amount`` in the bank's currency."""

    from_customer_id: str
    to_customer_id: str
    records: int
    products: int
    moved_amount: Decimal


@dataclass(frozen=True)
class ModelChanges:
    """What the new model would change.

    Attributes:
        customers_old: Customers with the model in force.
        customers_new: Customers with the new model.
        customers_merged: New customers that hold records of several of today's.
        customers_split: Today's customers whose records would belong to several.
        records_moved: Records whose customer id would be another.
        products_moved: Accounts, cards and loans whose customer would be another.
        moved_amount: Money of those products, deposits and debts alike by absolute value, in the bank's currency.
        products_without_rate: Products that move but are not in the sum: their currency has no exchange rate.
        merge_pairs_gained: Pairs of nodes that would come above the merge threshold.
        merge_pairs_lost: Pairs that would fall below it.
        review_pairs_gained: Pairs that would come above the review threshold.
        review_pairs_lost: Pairs that would fall below it.
        largest: The largest changes by money, ids only.
    """

    customers_old: int
    customers_new: int
    customers_merged: int
    customers_split: int
    records_moved: int
    products_moved: int
    moved_amount: Decimal
    products_without_rate: int
    merge_pairs_gained: int
    merge_pairs_lost: int
    review_pairs_gained: int
    review_pairs_lost: int
    largest: tuple[MovedCustomer, ...]


def compare_nights(con: duckdb.DuckDBPyConnection, merge_bits: float, review_bits: float) -> ModelChanges:
    """Compare two resolutions of one night.

    Args:
        con: Connection with, for each of ``SIDES``, tables ``<side>.customer_record`` (system, record_id,
            customer_id), ``<side>.node_pair`` (node_id_l, node_id_r, match_weight) and ``<side>.product_holder``
            (product_type, product_system, product_id, customer_id); and ``staging.account``, ``card``, ``loan``
            and ``exchange_rate``.
        merge_bits: Merge threshold, bits.
        review_bits: Review threshold, bits.
    """
    con.execute("create schema if not exists work")
    con.execute(
        """
        create or replace table work.shared_record as
        select o.customer_id as from_id, n.customer_id as to_id, count(*) as records
        from old.customer_record as o
        inner join new.customer_record as n using (system, record_id)
        group by all
        """
    )
    con.execute(
        """
        create or replace table work.moved_product as
        with product as (
            select 'account' as product_type, system, account_id as product_id, currency_code, balance_amount
            from staging.account
            union all
            select 'card', system, card_id, currency_code, balance_amount from staging.card
            union all
            select 'loan', system, loan_id, currency_code, outstanding_amount from staging.loan
        )
        select
            o.customer_id as from_id,
            n.customer_id as to_id,
            rate.exchange_rate is null as has_no_rate,
            cast(round(abs(coalesce(product.balance_amount, 0)) * rate.exchange_rate, 2) as decimal(18, 2)) as amount
        from product
        inner join old.product_holder as o
            on o.product_type = product.product_type
            and o.product_system = product.system
            and o.product_id = product.product_id
        inner join new.product_holder as n
            on n.product_type = product.product_type
            and n.product_system = product.system
            and n.product_id = product.product_id
        left join staging.exchange_rate as rate using (currency_code)
        where o.customer_id <> n.customer_id
        """
    )
    customers = con.execute(
        """
        select
            (select count(distinct from_id) from work.shared_record),
            (select count(distinct to_id) from work.shared_record),
            (select count(*) from (select 1 from work.shared_record group by to_id having count(*) > 1)),
            (select count(*) from (select 1 from work.shared_record group by from_id having count(*) > 1)),
            (select coalesce(sum(records), 0)::bigint from work.shared_record where from_id <> to_id),
            (select count(*) from work.moved_product),
            (select coalesce(sum(amount), 0)::decimal(38, 2) from work.moved_product),
            (select count(*) filter (where has_no_rate) from work.moved_product)
        """
    ).fetchall()[0]
    crossed = (_crossed(con, bits) for bits in (merge_bits, review_bits))
    largest = con.execute(
        f"""
        with money as (
            select from_id, to_id, count(*) as products, coalesce(sum(amount), 0)::decimal(38, 2) as amount
            from work.moved_product
            group by from_id, to_id
        ),
        moved as (
            select * from work.shared_record where from_id <> to_id
        )
        select
            coalesce(moved.from_id, money.from_id) as from_id,
            coalesce(moved.to_id, money.to_id) as to_id,
            coalesce(moved.records, 0),
            coalesce(money.products, 0),
            coalesce(money.amount, 0)::decimal(38, 2) as amount
        from moved
        full join money on money.from_id = moved.from_id and money.to_id = moved.to_id
        order by amount desc, 3 desc, from_id, to_id
        limit {LARGEST}
        """
    ).fetchall()
    for table in ("shared_record", "moved_product"):
        con.execute(f"drop table work.{table}")
    names = [field.name for field in dataclasses.fields(ModelChanges)]
    counts = (*customers, *(count for pair in crossed for count in pair))
    moves = tuple(MovedCustomer(*row) for row in largest)
    return ModelChanges(**dict(zip(names, (*counts, moves), strict=True)))


def _crossed(con: duckdb.DuckDBPyConnection, bits: float) -> tuple[int, int]:
    """Pairs from the threshold on in the new night only, and in the old night only."""
    pairs = {side: f"select node_id_l, node_id_r from {side}.node_pair where match_weight >= $bits" for side in SIDES}
    gained, lost = con.execute(
        f"""
        select
            (select count(*) from ({pairs["new"]} except {pairs["old"]})),
            (select count(*) from ({pairs["old"]} except {pairs["new"]}))
        """,
        {"bits": bits},
    ).fetchall()[0]
    return int(gained), int(lost)
