"""What a model with another weight changes: customers, ids, pairs and money, by hand."""

import dataclasses
import datetime as dt
from decimal import Decimal

from models.identity.collapse import collapse
from models.identity.comparisons import Comparison, Level
from models.identity.matching_model import ModelArtefact, PartyModel
from models.identity.model_comparison import compare_nights
from models.identity.resolve import resolve_nodes
from models.identity.settings import MatchingSettings
from tests.models.synthetic_parties import Parties

SETTINGS = MatchingSettings.model_validate({"person": {"blocking": [["mobile"]], "split_by": []}})
DAY = dt.date(2026, 10, 29)


def _model(bits: float) -> ModelArtefact:
    """An equal mobile weighs so many bits, an equal name none; even odds before."""
    equal = Level("equal", "list_has_any(mobiles_l, mobiles_r)", 0.9, 0.9 / 2**bits)
    mobile = Comparison(
        "mobile", "mobiles_l is null or mobiles_r is null", (equal, Level("different", "else", 0.1, 0.1))
    )
    return ModelArtefact("test", {"person": PartyModel(0.5, (mobile,), {}, {})})


def test_a_heavier_mobile_merges_two_customers_and_moves_the_money_of_one() -> None:
    parties = Parties()
    parties.add("1", name="王小明", mobile="+8613800000001")
    parties.add("2", name="王晓明", mobile="+8613800000001")
    parties.add("3", name="李伟", mobile="+8613800000003")
    con = parties.connect()
    collapse(con, SETTINGS)
    con.execute("create view identity.party_node as from res.party_node")
    con.execute("create schema staging")
    con.execute(
        """
        create table staging.account as select * from (values
            ('core', 'A1', 'CNY', 100.00::decimal(18, 2)),
            ('core', 'A2', 'USD', 10.01::decimal(18, 2)),
            ('core', 'A3', 'CNY', 5000.00::decimal(18, 2))
        ) as t(system, account_id, currency_code, balance_amount)
        """
    )
    con.execute(
        """
        create table staging.card as
        select 'cards' as system, 'K2' as card_id, 'XXX' as currency_code, 7.00::decimal(18, 2) as balance_amount
        """
    )
    con.execute(
        """
        create table staging.loan as
        select 'loans' as system, 'L2' as loan_id, 'CNY' as currency_code, -300.00::decimal(18, 2) as outstanding_amount
        """
    )
    con.execute(
        """
        create table staging.exchange_rate as select * from (values
            ('CNY', 1::decimal(18, 8)), ('USD', 7.25::decimal(18, 8))
        ) as t(currency_code, exchange_rate)
        """
    )
    owned = "('account', 'core', 'A1', '1'), ('account', 'core', 'A2', '2'), ('account', 'core', 'A3', '3')"
    owned += ", ('card', 'cards', 'K2', '2'), ('loan', 'loans', 'L2', '2')"
    for side, bits in (("old", 4), ("new", 6)):
        resolve_nodes(con, SETTINGS, DAY, _model(bits))
        con.execute(f"create schema {side}")
        con.execute(f"create table {side}.customer_record as from res.customer_record")
        con.execute(f"create table {side}.node_pair as from res.node_pair")
        con.execute(
            f"""
            create table {side}.product_holder as
            select owned.product_type, owned.product_system, owned.product_id, record.customer_id
            from (values {owned}) as owned(product_type, product_system, product_id, record_id)
            inner join {side}.customer_record as record using (record_id)
            """
        )
    changes = compare_nights(con, merge_bits=5, review_bits=0)
    ids = dict(con.execute("select record_id, customer_id from old.customer_record").fetchall())
    largest = changes.largest
    assert dataclasses.replace(changes, largest=()) == dataclasses.replace(
        changes,
        customers_old=3,
        customers_new=2,
        customers_merged=1,
        customers_split=0,
        records_moved=1,
        products_moved=3,
        moved_amount=Decimal("372.57"),  # 10.01 USD at 7.25 = 72.5725, and 300.00 owed; the card's currency has no rate
        products_without_rate=1,
        merge_pairs_gained=1,
        merge_pairs_lost=0,
        review_pairs_gained=0,
        review_pairs_lost=0,
        largest=(),
    )
    assert [(m.from_customer_id, m.to_customer_id, m.records, m.products, m.moved_amount) for m in largest] == [
        (ids["2"], ids["1"], 1, 3, Decimal("372.57"))
    ]
