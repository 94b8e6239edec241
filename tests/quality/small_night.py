"""A night small enough to check by eye: three party records, two customers, one of each product, in a candidate.

Anna (core 1) is also cardholder Anna (card 9); Bo & Co (core 2) is an organisation with a loan. Tests change one
table of it and look which check says so. Made with the project's own definitions and SQL.
"""

import atexit
import datetime as dt
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from models.tables import Table, load_tables
from models.value.settings import ValueSettings
from quality.gate import CheckResult, judge, open_gate
from quality.suites import Suite, handwritten_suites, landing_suite, merge, relations, table_suite
from sources.contract import Contract, Delivery, Field, QualityCheck, Server, SourceObject
from sources.totals import FIGURES, Line
from warehouse.candidate import Candidate, build_candidate
from warehouse.engine import Engine
from warehouse.facts import DeliveredObject, Facts
from warehouse.lake import Lake
from warehouse.reconciliation import write_reconciliation
from warehouse.release_store import ReleaseStore

DAY = dt.date(2026, 1, 31)
BORN = dt.date(1980, 5, 17)
TABLES = load_tables()

Rows = Sequence[Mapping[str, Any]]

CUSTOMER = SourceObject(
    system="core",
    name="customer",
    description="Customers",
    delivery=Delivery(mode="full", format="csv", pattern="CUST.csv"),
    fields=(
        Field("cust_no", "CUST_NO", required=True, primary_key=True),
        Field("kind", "KIND", required=True, enum=("P", "C")),
        Field("name", "NAME", required=True, options={"maxLength": 30}),
        Field("income", "INCOME", logical_type="number", on_invalid="quarantine", options={"minimum": 0}),
        Field("since", "SINCE", logical_type="date", formats=("%Y%m%d",), on_invalid="quarantine", not_future=True),
        Field("phone", "PHONE", options={"pattern": r"^(?:\+?\d{2,4}:)?\d{4,}$"}),
    ),
    quality=(
        QualityCheck("few_companies", "Companies are rare", "select count(*) from customer where kind = 'C'",
                     "mustBeLessThan", 3, "error"),
        QualityCheck("rich", "Somebody earns", "select max(try_cast(replace(income, ',', '') as double)) from customer",
                     "mustBeBetween", [1, 99999], "warning"),
    ),
)  # fmt: skip
CONTRACT = Contract("core", "Core", "1.0.0", Server("local", "core"), (CUSTOMER,))

LANDED = [
    {"cust_no": "1", "kind": "P", "name": "Anna", "income": "1,200.50", "since": "20200131", "phone": "0043:55512"},
    {"cust_no": "2", "kind": "C", "name": "Bo & Co", "income": "", "since": " ", "phone": "5551234"},
]

SOURCE = {"source_object": "customer", "source_line": 1}
_COSTS = [f"{channel}_cost" for channel in ("mobile", "online", "atm", "point_of_sale", "counter", "batch", "other")]


def _terms(family: str, side: str, **other: str) -> dict[str, Any]:
    """Parameters of a product family: priced at a year, a cost of 1 a month, no risk but what is named."""
    rates = (
        "interest_rate", "interchange_rate", "management_fee_rate", "default_pd", "loss_given_default",
        "credit_conversion_factor", "risk_weight",
    )  # fmt: skip
    return {
        "product_family": family, "product_code": "*", "valid_from": "2020-01-01", "balance_side": side,
        "tenor_months": 12, "is_priced_by_own_term": False, "interest_method": "accrued", "monthly_cost": "1",
        **dict.fromkeys(rates, "0"), "interest_bearing_share": "1", **other,
    }  # fmt: skip


_ROLE = {"product_system": "core", "source_object": "x", "source_line": 1}
NIGHT: dict[str, Rows] = {
    "staging.party": [
        {"system": "core", "record_id": "1", "party_type": "person", "full_name": "Anna", **SOURCE},
        {"system": "core", "record_id": "2", "party_type": "organisation", "full_name": "Bo & Co", **SOURCE},
        {"system": "card", "record_id": "9", "party_type": "person", "full_name": "Anna", **SOURCE},
    ],
    "staging.account": [
        {"system": "core", "account_id": "A1", "product_family": "current_deposit", "currency_code": "CNY",
         "balance_amount": "10.25", **SOURCE},
        {"system": "core", "account_id": "A2", "product_family": "term_deposit", "currency_code": "USD",
         "balance_amount": "100.00", **SOURCE},
    ],
    "staging.card": [
        {"system": "card", "card_id": "T9", "product_family": "credit_card", "currency_code": "CNY",
         "credit_limit_amount": "500", "balance_amount": "20.01", **SOURCE},
    ],
    "staging.loan": [
        {"system": "core", "loan_id": "L1", "product_family": "mortgage", "currency_code": "CNY",
         "principal_amount": "900", "outstanding_amount": "800.80", "overdue_amount": "0", "days_past_due": 0,
         **SOURCE},
    ],
    "staging.party_role": [
        {"system": "core", "record_id": "1", "product_type": "account", "product_id": "A1", "role": "owner", **_ROLE},
        {"system": "core", "record_id": "2", "product_type": "account", "product_id": "A2", "role": "owner", **_ROLE},
        {"system": "card", "record_id": "9", "product_type": "card", "product_id": "T9", "role": "cardholder",
         **_ROLE, "product_system": "card"},
        {"system": "core", "record_id": "2", "product_type": "loan", "product_id": "L1", "role": "borrower", **_ROLE},
    ],
    "staging.transaction": [
        {"system": "core", "transaction_id": "T1", "product_type": "account", "product_id": "A1",
         "booked_date": DAY, "direction": "credit", "amount": "10.25", "currency_code": "CNY", **SOURCE},
    ],
    "staging.standing_order": [
        {"system": "core", "order_id": "O1", "account_id": "A1", "amount": "5.00", "currency_code": "CNY", **SOURCE},
    ],
    "staging.consent": [
        {"system": "core", "record_id": "1", "purpose": "marketing", "is_granted": True, "decided_at": "2026-01-02",
         **SOURCE},
        {"system": "core", "record_id": "1", "purpose": "marketing", "is_granted": False, "decided_at": "2026-01-01",
         **SOURCE, "source_line": 2},
    ],
    "staging.consent_decision": [
        {"consent_id": 1, "system": "core", "record_id": "2", "purpose": "analytics", "is_granted": True,
         "decided_at": "2026-01-03"},
    ],
    "staging.restriction_request": [
        {"restriction_id": 1, "system": "core", "record_id": "2", "restricted_from": DAY},
    ],
    "staging.exchange_rate": [
        {"currency_code": "CNY", "exchange_rate": "1"},
        {"currency_code": "USD", "exchange_rate": "7.1"},
    ],
    "value.bank_parameter": [{"valid_from": "2020-01-01", "capital_ratio": "0.1", "cost_of_capital": "0.1",
                              "tax_rate": "0.25", **dict.fromkeys(_COSTS, "1")}],
    "value.product_parameter": [
        _terms("current_deposit", "liability"),
        _terms("term_deposit", "liability"),
        _terms("credit_card", "asset", interest_method="booked"),
        _terms("other", "none"),
        _terms("mortgage", "asset", risk_weight="0.5", default_pd="0.01", loss_given_default="0.2"),
    ],
    "value.transfer_price": [
        {"currency_code": currency, "valid_from": "2020-01-01", "tenor_months": 12, "transfer_rate": "0.02",
         "is_quoted": True, "days_in_year": 360}
        for currency in ("CNY", "USD")
    ],
    "mart.service_standard": [
        {"valid_from": "2020-01-01", "party_type": party_type, "service_tier": tier, "tier_rank": rank,
         "enter_assets_amount": assets, "keep_assets_amount": assets, "contacts_per_year": rank, "manager_kind": "team"}
        for party_type in ("person", "organisation")
        for rank, (tier, assets) in enumerate((("standard", "0"), ("gold", "100")), start=1)
    ],
    "staging.manager": [
        {"system": "core", "manager_id": "M1", "manager_name": "Mia", "branch_id": "N", "team_name": "home", **SOURCE},
    ],
    "staging.branch": [{"system": "core", "branch_id": "N", "branch_name": "North", **SOURCE}],
    "value.coverage_tier": [
        {"service_tier": "*", "coverage_rank": 1, "served_by": "any", "manager_capacity": 1, "valid_from": DAY},
    ],
    "value.coverage_seat": [
        {"customer_id": "C1O", "manager_system": "core", "manager_id": "M1", "seat_rule": "kept"},
    ],
    "value.churn_score": [{"customer_id": "C1O", "as_of_date": DAY, "churn_probability": "0.5", "model_version": "none",
                           "is_fallback": True}],
    "value.next_product": [
        {"customer_id": "C1O", "as_of_date": DAY, "product_family": family, "propensity": propensity,
         "propensity_rank": rank, "model_version": "none", "is_fallback": True}
        for rank, family, propensity in ((1, "insurance", "0.2"), (2, "consumer_loan", "0.1"))
    ],
    "identity.party_document": [
        {"system": "core", "record_id": "1", "document_type": "resident_id", "document_number": "N1",
         "is_valid": True, "is_strong": True},
        {"system": "card", "record_id": "9", "document_type": "resident_id", "document_number": "N1",
         "is_valid": True, "is_strong": True},
    ],
    "identity.party_standard": [
        {"system": "core", "record_id": "1", "party_type": "person", "birth_date": BORN, "sex": "female"},
        {"system": "card", "record_id": "9", "party_type": "person", "birth_date": BORN, "sex": "female"},
        {"system": "core", "record_id": "2", "party_type": "organisation"},
    ],
    "identity.party_node": [
        {"system": "core", "record_id": "1", "node_id": 1, "is_held_by_decision": False},
        {"system": "card", "record_id": "9", "node_id": 1, "is_held_by_decision": False},
        {"system": "core", "record_id": "2", "node_id": 2, "is_held_by_decision": False},
    ],
    "identity.cluster": [
        {"node_id": 1, "cluster_no": 1},
        {"node_id": 2, "cluster_no": 2},
    ],
    "customer.customer_record": [
        {"system": "core", "record_id": "1", "customer_id": "C1O", "link_reason": "document"},
        {"system": "card", "record_id": "9", "customer_id": "C1O", "link_reason": "document"},
        {"system": "core", "record_id": "2", "customer_id": "C2M", "link_reason": "single"},
    ],
    "customer.customer_record_history": [
        {"system": "core", "record_id": "1", "valid_from": DAY, "customer_id": "C1O"},
        {"system": "card", "record_id": "9", "valid_from": DAY, "customer_id": "C1O"},
        {"system": "core", "record_id": "2", "valid_from": DAY, "customer_id": "C2M"},
    ],
    "customer.customer": [
        {"customer_id": "C1O", "party_type": "person", "full_name": "Anna", "record_count": 2, "system_count": 2},
        {"customer_id": "C2M", "party_type": "organisation", "full_name": "Bo & Co", "record_count": 1,
         "system_count": 1},
    ],
    "customer.customer_field": [
        {"customer_id": "C1O", "field": "full_name", "field_rank": 1, "field_value": "Anna", "system": "core",
         "record_id": "1"},
        {"customer_id": "C1O", "field": "full_name", "field_rank": 2, "field_value": "Anna", "system": "card",
         "record_id": "9"},
        {"customer_id": "C2M", "field": "full_name", "field_rank": 1, "field_value": "Bo & Co", "system": "core",
         "record_id": "2"},
    ],
    "customer.customer_event": [
        {"customer_id": "C1O", "business_date": DAY, "event": "birth", "cause": "new"},
        {"customer_id": "C2M", "business_date": DAY, "event": "birth", "cause": "new"},
    ],
    "customer.household": [{"customer_id": "C1O", "household_id": "C1O", "household_size": 1}],
}  # fmt: skip

_DERIVED = (
    "customer.party_role", "customer.product_holder", "customer.retired_customer",
    "customer.customer_history",
    "customer.account", "customer.card", "customer.loan", "customer.ended_loan", "customer.transaction",
    "customer.standing_order",
    "customer.branch", "customer.manager", "customer.consent", "customer.relationship_end", "customer.restriction",
    "customer.shared_evidence", "customer.relationship",
    "mart.customer_holding", "mart.customer_360", "mart.review_queue",
    "value.activity_month", "value.customer_month",
    "value.balance_month", "value.product_month", "mart.customer_product_contribution",
    "mart.customer_contribution", "mart.customer_annual_contribution", "mart.bank_contribution",
    "mart.customer_segment", "mart.tier_movement", "value.behaviour_feature",
    "value.coverage_naming", "value.coverage_claim", "mart.coverage", "mart.coverage_history", "mart.coverage_issue",
    "mart.manager_scorecard",
    "mart.customer_behaviour",
    "value.risk_feature", "value.exposure", "mart.customer_risk",
    "mart.contribution_curve", "mart.portfolio_risk", "mart.concentration",
)  # fmt: skip


@cache
def _sound_lake() -> Path:
    """The lake of the night as it stands above, made once; removed with the process."""
    home = tempfile.TemporaryDirectory()
    atexit.register(home.cleanup)
    night = Night(Path(home.name), Engine(Lake(Path(home.name) / "lake"), Path(home.name) / "spill", "1GB", 1))
    for table in TABLES.values():
        if table.sql is None or table.id in NIGHT:
            night.put(table, NIGHT.get(table.id, ()))
    night.derive(TABLES)
    night.put_text("landing.core__customer", LANDED)
    return night.lake.root


@dataclass(frozen=True)
class Night:
    """A night's lake, and what is needed to put it before the gate."""

    home: Path
    engine: Engine
    mapped: tuple[Line, ...] = ()

    @property
    def lake(self) -> Lake:
        return self.engine.lake

    @classmethod
    def run(cls, home: Path, **changed: Rows) -> "Night":
        """Run the night; a keyword ``staging__account=[...]`` replaces that table's rows."""
        night = cls(home, Engine(Lake(home / "lake"), home / "spill", "1GB", 1))
        shutil.copytree(_sound_lake(), night.lake.root)
        names = {name.replace("__", ".", 1): rows for name, rows in changed.items()}
        for name, rows in names.items():
            night.put(TABLES[name], rows)
        night.derive(names)
        return replace(night, mapped=tuple(night._as_mapped()))

    def derive(self, changed: Iterable[str]) -> None:
        """Make the tables that have SQL anew, as far as something that they are made of changed."""
        stale = set(changed)
        given = {"business_date": DAY, "retention_years": 10, **ValueSettings().parameters(DAY)}
        for table_id in _DERIVED:
            if stale.isdisjoint({table_id, *TABLES[table_id].inputs}):
                continue
            stale.add(table_id)
            self.engine.materialise(TABLES[table_id], DAY, given)

    def _as_mapped(self) -> Iterable[Line]:
        """What the contracts would make of deliveries of which staging, as it is now, came."""
        for subject, figures in FIGURES.items():
            path = self.lake.path(f"staging.{subject}", DAY)
            sums = ", ".join(f"coalesce(sum({name}), 0)" for name in figures)
            for system, source, *amounts in duckdb.sql(
                f"select system, source_object, {', '.join(('count(*)', sums)).rstrip(', ')} from '{path}' group by all"
            ).fetchall():
                of = None if subject == "party" else source
                for figure, amount in zip(("rows", *figures), amounts, strict=True):
                    yield Line(system, of, subject, figure, "mapped", Decimal(amount))

    def put(self, table: Table, rows: Rows) -> None:
        """Write rows as a table's partition; columns that a row does not name are empty."""
        columns = ", ".join(f'"{c.name}" {c.type}' for c in table.columns)
        with duckdb.connect() as con:
            con.execute(f"create table t ({columns})")
            for row in rows:
                unknown = set(row) - {c.name for c in table.columns}
                assert not unknown, f"{table.id} has no {unknown}"
                names = ", ".join(f'"{name}"' for name in row)
                con.execute(f"insert into t ({names}) values ({', '.join('?' * len(row))})", list(row.values()))
            self.lake.write(con, "from t", table.id, DAY)

    def put_text(self, table_id: str, rows: Rows) -> None:
        """Write landed rows: every field as text, and the columns of lineage."""
        names = [*(field.name for field in CUSTOMER.fields), "_quarantine_id"]
        with duckdb.connect() as con:
            con.execute(f"create table t ({', '.join(f'{name} varchar' for name in names)})")
            for row in rows:
                con.execute(f"insert into t values ({', '.join('?' * len(names))})", [row.get(n) for n in names])
            self.lake.write(
                con,
                "select *, null::varchar as _extra, 'CUST.csv' as _source_file, rowid as _source_line, "
                "'h' as _record_hash from t",
                table_id,
                DAY,
            )

    def change(self, table_id: str, select: str) -> None:
        """Replace a table's partition by a select over ``t``, its present rows."""
        path = self.lake.path(table_id, DAY)
        with duckdb.connect() as con:
            con.execute(f"create table t as from read_parquet('{path}', hive_partitioning = false)")
            self.lake.write(con, select, table_id, DAY)

    def candidate(self, delivered: int = 2, landed: int = 2, quarantined: int = 0) -> Candidate:
        """Build the candidate, with one delivery of so many rows."""
        delivery = DeliveredObject("core", "customer", DAY, "full", ("CUST.csv",), delivered, landed, quarantined)
        facts = Facts("sample", "0.1.0", "none", (delivery,))
        rows = {"delivered": delivered, "quarantined": -quarantined, "landed": landed}
        arrived = [Line("core", "customer", None, "rows", step, Decimal(count)) for step, count in rows.items()]
        write_reconciliation(self.engine, DAY, [*arrived, *self.mapped])
        return build_candidate(ReleaseStore(self.home / "warehouse"), self.lake, TABLES, DAY, facts)

    def suites(self) -> list[Suite]:
        """Every suite of this night."""
        defined = [table_suite(t) for t in TABLES.values() if t.published or t.layer == "staging"]
        return merge([landing_suite(CONTRACT, CUSTOMER), *defined, *handwritten_suites()])

    def views(self, suites: Sequence[Suite]) -> dict[str, Path]:
        """The lake's files that the suites read."""
        return {name: self.lake.path(name, DAY) for name in relations(suites) if self.lake.exists(name, DAY)}

    def judge(self, candidate: Candidate, suites: Sequence[Suite] | None = None) -> list[CheckResult]:
        """Put a candidate before the gate."""
        suites = self.suites() if suites is None else suites
        with open_gate(candidate.database, self.views(suites), memory_limit="1GB", threads=1) as con:
            return judge(con, suites)
