"""Coverage from claims to scorecard, over two small nights by hand: who is responsible, why, and what is wrong."""

import datetime as dt
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from sql_tables import TABLES, Row, given, made

from models.value.coverage import seat_customers
from models.value.coverage_settings import CoverageSettings
from models.value.settings import ValueSettings

FIRST, SECOND = dt.date(2026, 9, 30), dt.date(2026, 10, 31)
SEPTEMBER, OCTOBER = FIRST.replace(day=1), SECOND.replace(day=1)
POLICY: dict[str, Any] = {
    "valid_from": "2026-01-01",
    "systems": ["core", "loans"],
    "coded_as": {"loans": "core"},
    "home_branch": {"system": "core", "branch_id": "0"},
    "teams": {"person": {"responsible": "retail", "managers": ["wealth"]}},
    "tiers": {
        "private": {"served_by": "manager", "capacity": 2},
        "gold": {"served_by": "any", "capacity": 1},
        "basic": {"served_by": "team"},
    },
}
MANAGERS = [
    {"system": "core", "manager_id": "M1", "manager_name": "Wang", "branch_id": "N", "team_name": "wealth"},
    {"system": "core", "manager_id": "M2", "manager_name": "Li", "branch_id": "N", "team_name": "retail"},
]
PREVIOUS = ("mart.coverage", "mart.coverage_history", "mart.manager_scorecard", "customer.customer_record")


def record(number: int, customer_id: str, manager: str | None = None, system: str = "core", **said: Any) -> Row:
    return {"system": system, "record_id": str(number), "customer_id": customer_id, "manager_id": manager,
            "branch_id": "N", "party_type": "person", "source_object": "x", "source_line": number, **said}  # fmt: skip


class Bank:
    """Nights of one bank, each made from what is said of it."""

    def __init__(self) -> None:
        self.con = duckdb.connect()
        self.con.execute("create schema previous")
        for table_id in PREVIOUS:
            given(self.con, table_id)
            self._remember(table_id)

    def _remember(self, table_id: str) -> None:
        self.con.execute(f"create or replace table previous.{table_id.replace('.', '__')} as from {table_id}")

    def night(
        self,
        date: dt.date,
        records: list[Row],
        tiers: dict[str, str],
        *,
        managers: list[Row] = MANAGERS,
        households: dict[str, str] | None = None,
        worth: dict[str, int] | None = None,
        other: dict[str, list[Row]] | None = None,
    ) -> dict[str, Row]:
        """Run a night; returns the coverage by customer. ``tiers`` has every customer."""
        for table_id in PREVIOUS:
            self._remember(table_id)
        con, value = self.con, ValueSettings(coverage=CoverageSettings.model_validate({"policies": [POLICY]}))
        policy = value.coverage.in_force(date)
        homes = households or {}
        rows: dict[str, list[Row]] = {
            "staging.party": [{k: v for k, v in r.items() if k != "customer_id"} for r in records],
            "customer.customer_record": [{k: r[k] for k in ("system", "record_id", "customer_id")} for r in records],
            "customer.customer": [{"customer_id": c, "party_type": "person"} for c in tiers],
            "customer.manager": managers,
            "customer.branch": [{"system": "core", "branch_id": "N", "branch_name": "North"}],
            "customer.household": [
                {"customer_id": c, "household_id": homes.get(c, c), "household_size": 2 if c in homes else 1}
                for c in tiers
            ],
            "mart.customer_segment": [
                {"customer_id": c, "service_tier": tier, "assets_amount": 100, "life_cycle_stage": "mature",
                 "contribution_12m_amount": (worth or {}).get(c, 0)} for c, tier in tiers.items()
            ],
            "mart.customer_360": [{"customer_id": c, "total_debt_amount": 7} for c in tiers],
            "value.coverage_tier": list(policy.tier_rows()),
            "value.churn_score": [], "mart.customer_holding": [], "mart.customer_contribution": [],
            "mart.customer_product_contribution": [], "customer.loan": [], "staging.exchange_rate": [],
            "staging.loan_performance": [], **(other or {}),
        }  # fmt: skip
        for table_id, given_rows in rows.items():
            given(con, table_id, *given_rows)
        params = value.parameters(date)
        made(con, "value.coverage_naming", date, **params)
        made(con, "value.coverage_claim", date, **params)
        seat_customers(con, policy)
        con.execute("create or replace table value.coverage_seat as from seat")
        con.unregister("seat")
        covered = made(con, "mart.coverage", date, **params)
        made(con, "mart.coverage_history", date, **params)
        self.issues = {(r["customer_id"], r["issue_code"]): r for r in made(con, "mart.coverage_issue", date, **params)}
        self.scores = {
            (r["responsible_code"], r["month"]): r for r in made(con, "mart.manager_scorecard", date, **params)
        }
        return {row["customer_id"]: row for row in covered}


@pytest.fixture
def bank() -> Bank:
    return Bank()


def test_every_rule_says_in_words_why_somebody_is_responsible(bank: Bank) -> None:
    found = bank.night(
        FIRST,
        [
            record(1, "A", "M1"), record(2, "B"), record(3, "C", "M2"), record(4, "D", "M2"), record(5, "E", "M1"),
            record(6, "F"), record(7, "G"), record(8, "H"), record(9, "I"),
        ],
        {"A": "gold", "B": "gold", "C": "gold", "D": "gold", "E": "basic", "F": "private", "G": "private",
         "H": "private", "I": "gold"},
        households={"F": "F", "I": "F"}, worth={"C": 2, "D": 1, "G": 9, "F": 8, "H": 1},
    )  # fmt: skip
    told = {c: (row["responsible_code"], row["coverage_rule"], row["why"]) for c, row in found.items()}
    team = "team:core:N:retail"
    assert told == {
        "A": ("manager:core:M1", "named", "Wang (M1) is named by core."),
        "B": (team, "team", "No system names a manager, and tier gold needs none: retail of North."),
        "C": ("manager:core:M2", "named", "Li (M2) is named by core."),
        "D": (team, "team_named_full", "Li (M2), named by core, has no room for more than 1 customers of tier gold, "
              "and others came first: retail of North, until there is room."),
        "E": (team, "team_tier", "Tier basic is looked after by the team: retail of North."),
        "F": ("manager:core:M1", "branch", "Tier private needs a manager; of those of North with room Wang (M1) had "
              "fewest customers of the tier."),
        "G": ("manager:core:M1", "branch", "Tier private needs a manager; of those of North with room Wang (M1) had "
              "fewest customers of the tier."),
        "H": (team, "team_branch_full", "Tier private needs a manager, but nobody is named and nobody of North has "
              "room: retail of North, until somebody has."),
        "I": (team, "team", "No system names a manager, and tier gold needs none: retail of North."),
    }  # fmt: skip
    assert {row["change_code"] for row in found.values()} == {"first_night"}


def test_a_household_follows_its_best_member(bank: Bank) -> None:
    found = bank.night(FIRST, [record(1, "A", "M1"), record(2, "B")], {"A": "private", "B": "gold"},
                       households={"A": "A", "B": "A"})  # fmt: skip
    assert (found["B"]["manager_id"], found["B"]["coverage_rule"]) == ("M1", "household")
    assert found["B"]["why"] == "Wang (M1) looks after another member of the household, and households stay together."


def test_systems_are_heard_in_the_order_of_the_policy_and_read_in_the_codes_of_another(bank: Bank) -> None:
    later = dt.datetime(2026, 9, 1, tzinfo=dt.UTC)
    found = bank.night(FIRST, [record(1, "A", "M2", "loans", updated_at=later), record(2, "A", "M1")], {"A": "gold"})
    assert found["A"]["manager_id"] == "M1"
    issue = bank.issues["A", "overlap"]
    assert issue["finding"] == "core names Wang (M1) of wealth; loans names Li (M2) of retail"
    assert (issue["issue_severity"], issue["at_stake_amount"]) == ("high", Decimal(107))


def test_a_night_in_which_nothing_changed_changes_no_row(bank: Bank) -> None:
    records = [record(1, "A", "M1"), record(2, "B"), record(3, "C"), record(4, "D", "M1")]
    tiers = {"A": "private", "B": "gold", "C": "private", "D": "gold"}
    homes = {"A": "A", "B": "A"}
    first = bank.night(FIRST, records, tiers, households=homes)
    assert bank.night(SECOND, records, tiers, households=homes) == first


def test_a_manager_who_left_leaves_a_gap_that_is_filled_by_rule_and_listed(bank: Bank) -> None:
    records, tiers = [record(1, "A", "M2"), record(2, "B", "M2")], {"A": "private", "B": "gold"}
    bank.night(FIRST, records, tiers)
    found = bank.night(SECOND, records, tiers, managers=MANAGERS[:1])
    assert (found["A"]["manager_id"], found["B"]["manager_id"]) == ("M1", None)
    assert {row["change_reason"] for row in found.values()} == {"Li (M2) is no longer a manager of the bank."}
    assert {row["previous_responsible_code"] for row in found.values()} == {"manager:core:M2"}
    assert bank.issues["A", "manager_left"]["finding"] == (
        "Li (M2) is no longer a manager of the bank. Wang (M1) is responsible instead."
    )
    assert bank.issues["B", "unknown_manager"]["finding"] == "core names M2: not in tonight's list of managers."


def test_a_new_name_in_the_first_system_moves_the_customer(bank: Bank) -> None:
    bank.night(FIRST, [record(1, "A", "M1")], {"A": "gold"})
    found = bank.night(SECOND, [record(1, "A", "M2")], {"A": "gold"})["A"]
    assert (found["manager_id"], found["previous_manager_id"]) == ("M2", "M1")
    assert (found["changed_on_date"], found["change_reason"]) == (
        SECOND, "core names Li (M2) now; before: Wang (M1).",
    )  # fmt: skip


def test_who_is_named_no_longer_keeps_the_manager_and_another_tier_is_another_rule(bank: Bank) -> None:
    bank.night(FIRST, [record(1, "A", "M1"), record(2, "B", "M2")], {"A": "gold", "B": "gold"})
    found = bank.night(SECOND, [record(1, "A"), record(2, "B", "M2")], {"A": "gold", "B": "basic"})
    assert (found["A"]["coverage_rule"], found["A"]["changed_on_date"]) == ("kept", FIRST)
    assert found["A"]["why"] == "Wang (M1) looked after the customer before, and no system names another with room."
    assert found["B"]["responsible_code"] == "team:core:N:retail"
    assert found["B"]["change_reason"] == "The tier went from gold to basic; before: Li (M2)."


def test_a_merged_customer_brings_its_manager_where_the_other_had_none_and_counts_once(bank: Bank) -> None:
    bank.night(FIRST, [record(1, "A"), record(2, "B", "M1")], {"A": "gold", "B": "gold"})
    earned = [{"customer_id": "A", "month": m, "contribution_amount": 5, "eva_amount": 1} for m in (SEPTEMBER, OCTOBER)]
    found = bank.night(SECOND, [record(1, "A"), record(2, "A")], {"A": "gold"},
                       other={"mart.customer_contribution": earned})  # fmt: skip
    assert (found["A"]["manager_id"], found["A"]["change_code"]) == ("M1", "merged")
    assert found["A"]["change_reason"] == (
        "The customer became one with another, whom Wang (M1) looked after; before: retail."
    )
    counts = {key: row["customer_count"] for key, row in bank.scores.items()}
    # September: A was the team's, B lives no more; October: A is M1's
    assert counts == {
        ("team:core:N:retail", SEPTEMBER): 1, ("manager:core:M1", OCTOBER): 1, ("team:core:N:retail", OCTOBER): 0,
    }  # fmt: skip
    assert bank.scores["manager:core:M1", OCTOBER]["moved_in_count"] == 1
    assert bank.scores["team:core:N:retail", OCTOBER]["moved_out_count"] == 1
    assert bank.scores["team:core:N:retail", SEPTEMBER]["contribution_amount"] == 5


def test_a_customer_that_came_out_of_another_keeps_that_ones_manager(bank: Bank) -> None:
    bank.night(FIRST, [record(1, "A", "M1"), record(2, "A")], {"A": "private"})
    found = bank.night(SECOND, [record(1, "A", "M1"), record(2, "B")], {"A": "private", "B": "private"})
    assert (found["B"]["manager_id"], found["B"]["coverage_rule"]) == ("M1", "kept")


def test_gaps_splits_and_misfits_are_listed_graver_ones_first(bank: Bank) -> None:
    bank.night(
        FIRST,
        [
            record(1, "A", "M1"), record(2, "B", "M2"), record(3, "C", "M2", branch_id="X"),
            record(4, "D", branch_id="Y"), record(5, "E", "M2"),
        ],
        {"A": "gold", "B": "gold", "C": "private", "D": "private", "E": "gold"},
        households={"A": "A", "B": "A"}, worth={"B": 5},
    )  # fmt: skip
    ranked = [key for key, _ in sorted(bank.issues.items(), key=lambda item: item[1]["issue_rank"])]
    assert ranked == [
        ("D", "manager_missing"),
        ("A", "household_split"), ("B", "household_split"), ("C", "no_branch"), ("D", "no_branch"),
        ("E", "over_capacity"),
        ("C", "unknown_branch"), ("D", "unknown_branch"),
    ]  # fmt: skip
    assert bank.issues["E", "over_capacity"]["finding"] == (
        "core names Li (M2), who had no room in tier gold (1); retail is responsible."
    )
    assert all(row["remedy"] for row in bank.issues.values())


def test_the_scorecard_counts_what_a_manager_achieved(bank: Bank) -> None:
    loan = {"product_family": "mortgage", "currency_code": "USD", "system": "loans"}
    assets = {"system": "core", "product_family": "term_deposit", "product_code": ""}
    bank.night(
        SECOND,
        [record(1, "A", "M1"), record(2, "B", "M1")],
        {"A": "gold", "B": "private"},
        households={"A": "A", "B": "A"},
        other={
            "mart.customer_product_contribution": [
                {"customer_id": "A", "month": SEPTEMBER, "base_average_balance_amount": 100, **assets},
                {"customer_id": "A", "month": OCTOBER, "base_average_balance_amount": 130, **assets},
                {"customer_id": "B", "month": OCTOBER, "base_average_balance_amount": 50, **assets},
                {"customer_id": "B", "month": OCTOBER, "base_average_balance_amount": 999, **assets,
                 "product_family": "mortgage"},
            ],
            "mart.customer_holding": [
                {"customer_id": "A", "product_family": "term_deposit", "currency_code": "CNY", "product_count": 2},
                {"customer_id": "A", "product_family": "term_deposit", "currency_code": "USD", "product_count": 1},
                {"customer_id": "A", "product_family": "mortgage", "currency_code": "USD", "product_count": 1},
                {"customer_id": "B", "product_family": "insurance", "currency_code": "CNY", "product_count": 0},
            ],
            "customer.loan": [
                {"customer_id": "A", "loan_id": "1", "outstanding_amount": 30, "days_past_due": 91, **loan},
                {"customer_id": "B", "loan_id": "2", "outstanding_amount": 10, "days_past_due": 90, **loan},
            ],
            "staging.exchange_rate": [{"currency_code": "USD", "exchange_rate": 7}],
            "value.churn_score": [
                {"customer_id": "A", "as_of_date": FIRST, "churn_probability": 0.1},
                {"customer_id": "A", "as_of_date": SECOND, "churn_probability": 0.5},
                {"customer_id": "B", "as_of_date": SECOND, "churn_probability": 0.1},
            ],
        },
    )  # fmt: skip
    score = bank.scores["manager:core:M1", OCTOBER]
    assert (score["customer_count"], score["household_count"], score["assets_amount"]) == (2, 1, 200)
    assert (score["month_assets_amount"], score["month_assets_growth_amount"]) == (180, 80)
    assert (score["product_family_count"], score["families_per_customer"]) == (2, 1)
    assert (score["at_risk_count"], score["lost_customer_count"]) == (1, 0)
    assert (score["loan_amount"], score["bad_loan_amount"], score["bad_loan_share"]) == (280, 210, Decimal("0.75"))
    assert (score["new_customer_count"], score["moved_in_count"]) == (None, None)  # nothing is known of September
    assert score["issue_customer_count"] == 0


def test_the_tables_of_coverage_are_published() -> None:
    assert all(TABLES[f"mart.{name}"].published for name in ("coverage", "coverage_history", "coverage_issue"))
    assert TABLES["mart.manager_scorecard"].published
