"""The gate: a sound night passes, and each fault is told by the check that is there for it, without values."""

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from identity_faults import IDENTITY_FAULTS
from small_night import DAY, LANDED, NIGHT, SOURCE, TABLES, Night, Rows

from quality import gx
from quality.gate import CheckResult, blocking, by_suite
from quality.suites import Check, Suite, handwritten_suites
from warehouse.release import Release, ReleaseBlockedError

SECRET = "N1"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[CheckResult], Release]:
    """A sound night's results, and the release that they let through."""
    night = Night.run(tmp_path_factory.mktemp("sound"))
    with night.candidate() as candidate:
        results = night.judge(candidate)
        return results, candidate.finish(results)


@pytest.fixture(scope="module")
def sound(published: tuple[list[CheckResult], Release]) -> list[CheckResult]:
    return published[0]


def _failed(results: list[CheckResult]) -> set[str]:
    return {f"{result.table}.{result.check_name}" for result in results if not result.passed}


def _handwritten(night: Night, **delivery: int) -> set[str]:
    """Names of the hand-written checks that fail."""
    with night.candidate(**delivery) as candidate:
        return {result.check_name for result in night.judge(candidate, handwritten_suites()) if not result.passed}


def test_a_sound_night_passes_every_check(sound: list[CheckResult]) -> None:
    assert [result.line for result in sound if not result.passed] == []
    assert blocking(sound) == []


def test_every_landed_object_and_published_table_has_a_suite(sound: list[CheckResult]) -> None:
    checked = by_suite(sound)
    for table in TABLES.values():
        if table.published:
            assert len(checked[table.id.replace(".", "__")]) >= 2, table.id
    assert len(checked["landing__core__customer"]) > 10


def test_a_sound_night_is_published_with_its_results(published: tuple[list[CheckResult], Release]) -> None:
    results, release = published
    with duckdb.connect(str(release.database), read_only=True) as con:
        rows = con.execute("select count(*), bool_and(is_passed) from meta.check_result").fetchall()
    assert rows == [(len(results), True)]


def test_the_same_lake_gives_the_same_release(published: tuple[list[CheckResult], Release], tmp_path: Path) -> None:
    with Night.run(tmp_path).candidate() as candidate:
        assert candidate.content_hash == published[1].content_hash


def _without(table_id: str, index: int) -> Rows:
    return [row for number, row in enumerate(NIGHT[table_id]) if number != index]


def _with(table_id: str, **row: Any) -> Rows:
    return [*NIGHT[table_id], row]


def _changed(table_id: str, index: int, **values: Any) -> Rows:
    return [{**row, **values} if number == index else row for number, row in enumerate(NIGHT[table_id])]


_NEW_DOCUMENT = {
    "system": "card", "record_id": "9", "document_type": "resident_id", "document_number": "N2",
    "is_valid": True, "is_strong": True,
}  # fmt: skip
_DECISION = {
    "decision_id": 1,
    "system_l": "core",
    "record_id_l": "1",
    "system_r": "card",
    "record_id_r": "9",
    "verdict": "different",
    "standing": "binding",
    "decided_by": "ann",
    "decided_at": "2026-01-30 12:00:00",
    "decision_reason": "seen",
}
_ORPHAN = {
    "system": "core", "account_id": "A3", "product_family": "other", "currency_code": "CNY", "balance_amount": "1",
    **SOURCE,
}  # fmt: skip

BEFORE, AFTER = DAY - dt.timedelta(days=9), DAY + dt.timedelta(days=9)
_EVENT = {"business_date": BEFORE, "event": "birth", "cause": "new"}

FAULTS: dict[str, tuple[Mapping[str, Rows], set[str]]] = {
    "a party of no customer": (
        {"customer__customer_record": _without("customer.customer_record", 1)},
        # its card has no customer either: one of one
        {
            "party_in_one_customer", "customer_has_records", "card_owner_unknown", "card_without_owner",
            "field_of_own_record", "history_is_crosswalk", "reconciled",
        },
    ),
    "a party of two customers": (
        {
            "customer__customer_record": _with(
                "customer.customer_record", system="core", record_id="1", customer_id="C2M", link_reason="score"
            )
        },
        {
            "party_in_one_customer", "customer_has_records", "role_kept", "cluster_is_customer",
            "person_and_organisation", "history_is_crosswalk", "reconciled",
        },
    ),
    "a record that no system delivered": (
        {"staging__party": _without("staging.party", 2)},
        {"party_in_one_customer", "party_in_one_node", "reconciled"},
    ),
    "a customer without records": (
        {
            "customer__customer": _with(
                "customer.customer", customer_id="C3K", party_type="person", record_count=1, system_count=1
            )
        },
        {"customer_has_records", "customer_events_complete", "household_members", "reconciled"},
    ),
    "a record without a past": (
        {"customer__customer_record_history": _without("customer.customer_record_history", 2)},
        {"history_is_crosswalk"},
    ),
    "a record of two customers at one time": (
        {
            "customer__customer_record_history": _with(
                "customer.customer_record_history",
                system="core", record_id="2", valid_from=BEFORE, valid_to=AFTER, customer_id="C1O",
            )
        },
        {"history_overlaps"},
    ),
    "an id given out twice": (
        {"customer__customer_event": _with("customer.customer_event", customer_id="C1O", **_EVENT)},
        {"customer_id_reused"},
    ),
    "a customer that was never born": (
        {"customer__customer_event": _without("customer.customer_event", 1)},
        {"customer_events_complete"},
    ),
    "an id that nobody knows the end of": (
        {
            "customer__customer_event": [
                *_with("customer.customer_event", customer_id="C3K", **_EVENT),
                {"customer_id": "C3K", "business_date": DAY, "event": "retire", "cause": "gone"},
            ]
        },
        {"retired_customer_resolves"},
    ),
    "an id with a typing error": (
        {
            "customer__customer_event": [
                *_with("customer.customer_event", customer_id="C3L", **_EVENT),
                {"customer_id": "C3L", "business_date": DAY, "event": "retire", "cause": "gone"},
            ],
            "customer__customer_record_history": _with(
                "customer.customer_record_history",
                system="core", record_id="3", valid_from=BEFORE, valid_to=DAY, customer_id="C3L",
            ),
        },
        {"customer_id_check_character"},
    ),
    "two valid documents of one type": (
        {"identity__party_document": [NIGHT["identity.party_document"][0], _NEW_DOCUMENT]},
        {"documents_in_conflict", "documents_signed_for"},
    ),
    "two valid documents of one type that a steward signed for": (
        {
            "identity__party_document": [NIGHT["identity.party_document"][0], _NEW_DOCUMENT],
            "identity__party_node": _changed("identity.party_node", 1, is_held_by_decision=True),
        },
        {"documents_signed_for"},
    ),
    "a third valid document beside two that a steward signed for": (
        {
            "identity__party_document": [
                NIGHT["identity.party_document"][0], _NEW_DOCUMENT,
                {**_NEW_DOCUMENT, "system": "core", "record_id": "2", "document_number": "N3"},
            ],
            "identity__party_node": _changed("identity.party_node", 1, is_held_by_decision=True),
            "customer__customer_record": _changed("customer.customer_record", 2, customer_id="C1O"),
        },
        {
            "documents_in_conflict", "documents_signed_for", "customer_has_records", "cluster_is_customer",
            "person_and_organisation", "field_of_own_record", "history_is_crosswalk",
        },
    ),
    "records kept apart by a steward are one customer": (
        {"identity__decision": [_DECISION]},
        {"decisions_hold"},
    ),
    "records that a steward made one are two customers": (
        {"identity__decision": [{**_DECISION, "verdict": "same", "record_id_r": "2", "system_r": "core"}]},
        {"decisions_hold"},
    ),
    "a decision that another overrules": (
        {"identity__decision": [{**_DECISION, "standing": "superseded", "overruled_by": 2}]},
        {"decisions_in_contradiction"},
    ),
    "an account that nobody holds": (
        {"staging__account": _with("staging.account", **_ORPHAN)},
        {"account_owner_unknown", "account_without_owner"},
    ),
    "a product family without parameters": (
        {"staging__account": _changed("staging.account", 0, product_family="investment")},
        {"product_month_unvalued"},
    ),
    "a currency without rate": (
        {"staging__exchange_rate": _without("staging.exchange_rate", 1)},
        {"currency_without_rate"},
    ),
    "a value that was lost": (
        {
            "staging__conversion_loss": [
                {"system": "core", "source_object": "customer", "entity": "party", "column_name": "birth_date",
                 "lost_count": 3}
            ]
        },
        {"conversions_lost"},
    ),
}  # fmt: skip


FAULTS |= IDENTITY_FAULTS


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_input_is_told_by_its_check(tmp_path: Path, fault: str) -> None:
    changed, expected = FAULTS[fault]
    assert _handwritten(Night.run(tmp_path, **changed)) == expected


_RELATED = (
    "from t union all by name select '{}' as customer_id, '{}' as related_customer_id, '{}' as relationship, "
    "'address' as evidence, 1 as evidence_count, 'weak' as strength"
)

# one table spoilt after the others were made from it: what a bug in our own SQL would look like
LOSSES: dict[str, tuple[str, str, set[str]]] = {
    "a row lost in staging": (
        "staging.account",
        "from t where account_id <> 'A1'",
        {"reconciled"},
    ),
    "a cent lost in staging": (
        "staging.loan",
        "select * replace (principal_amount - 0.01 as principal_amount) from t",
        {"reconciled"},
    ),
    "a transaction of an object that no contract has": (
        "staging.transaction",
        "select * replace ('ledger' as source_object) from t",
        {"reconciled"},
    ),
    "an account lost": (
        "customer.account",
        "from t where account_id <> 'A1'",
        {"reconciled"},
    ),
    "a cent lost on an account": (
        "customer.account",
        "select * replace (balance_amount - 0.01 as balance_amount) from t",
        {"reconciled", "product_month_conserved"},
    ),
    "a cent moved between currencies": (
        "customer.account",
        "select * replace (case currency_code when 'CNY' then balance_amount - 0.01 else balance_amount + 0.01 end "
        "as balance_amount) from t",
        {"reconciled", "product_month_conserved"},
    ),
    "a card counted twice": ("customer.card", "from t union all from t", {"reconciled"}),
    "a product twice in the marts": (
        "mart.customer_holding",
        "select * replace (if(product_family = 'current_deposit', 2, product_count) as product_count) from t",
        {"reconciled"},
    ),
    "a cent of a holding lost": (
        "mart.customer_holding",
        "select * replace (if(currency_code = 'USD', balance_amount - 0.01, balance_amount) as balance_amount) from t",
        {"reconciled"},
    ),
    "a cent of all debts lost": (
        "mart.customer_360",
        "select * replace (total_debt_amount - 0.01 as total_debt_amount) from t",
        {"reconciled"},
    ),
    "a loan's arrears lost": (
        "customer.loan",
        "select * replace (null as overdue_amount) from t",
        {"reconciled"},
    ),
    "a transaction turned round": (
        "customer.transaction",
        "select * replace ('debit' as direction) from t",
        {"reconciled"},
    ),
    "a standing order lost": ("customer.standing_order", "from t limit 0", {"reconciled"}),
    "a consent lost": ("customer.consent", "from t where customer_id <> 'C2M'", {"consent_kept"}),
    "a withdrawal at the time of the grant that does not count": (
        "staging.consent",
        "select * replace (timestamp '2026-01-02' as decided_at) from t",
        {"consent_withdrawn_holds"},
    ),
    "a withdrawal without its time that does not count": (
        "staging.consent",
        "select * replace (case when is_granted then decided_at end as decided_at) from t",
        {"consent_withdrawn_holds"},
    ),
    "a restriction lost": ("customer.restriction", "from t limit 0", {"restriction_kept"}),
    "a consent of nobody": (
        "staging.consent",
        "from t union all by name select * replace ('unknown' as record_id) from t where is_granted",
        {"consent_record_unknown"},
    ),
    "a role lost": ("customer.party_role", "from t where role <> 'borrower'", {"role_kept"}),
    "an owner lost on the way": (
        "customer.loan",
        "select * replace (null as customer_id) from t",
        {"loan_owner_kept", "loan_owner_unknown", "loan_without_owner", "reconciled"},
    ),
    "a customer missing in the mart": (
        "mart.customer_360",
        "from t where customer_id <> 'C2M'",
        {"customer_in_mart", "reconciled"},
    ),
    "a cent lost in the mart": (
        "mart.customer_360",
        "select * replace (mortgage_amount - 0.01 as mortgage_amount) from t",
        {"reconciled"},
    ),
    "a product that is not valued": (
        "value.product_month",
        "from t where product_id <> 'L1' or month < (select max(month) from t)",
        {"product_month_conserved", "bank_contribution_conserved"},
    ),
    "a cent of a product's tax lost": (
        "value.product_month",
        "select * replace (if(product_id = 'A1', tax_amount - 0.01, tax_amount) as tax_amount) from t",
        {"product_month_adds_up", "bank_contribution_conserved"},
    ),
    "a cent of a customer's product lost": (
        "mart.customer_product_contribution",
        "select * replace (if(product_family = 'mortgage', cost_amount - 0.01, cost_amount) as cost_amount) from t",
        {"customer_product_contribution_adds_to_bank", "customer_contribution_conserved"},
    ),
    "a customer's contribution given to another": (
        "mart.customer_contribution",
        "select * replace ('C2M' as customer_id) from t",
        {"customer_contribution_conserved", "customer_annual_contribution_conserved"},
    ),
    "a month of a customer lost": (
        "mart.customer_contribution",
        "from t where customer_id <> 'C1O' or month > (select min(month) from t)",
        {
            "customer_contribution_conserved",
            "customer_contribution_adds_to_bank",
        },
    ),
    "a cent of a customer's year lost": (
        "mart.customer_annual_contribution",
        "select * replace (eva_amount - 0.01 as eva_amount) from t",
        {"customer_annual_contribution_conserved"},
    ),
    "a customer without a segment": (
        "mart.customer_segment",
        "from t where customer_id <> 'C1O'",
        {"segment_of_every_customer", "segment_assets_conserved", "tier_movement_is_tiers"},
    ),
    "a tier without a standard": (
        "mart.customer_segment",
        "select * replace ('silver' as service_tier) from t",
        {"segment_tier_has_standard", "tier_movement_is_tiers"},
    ),
    "a cent of assets lost": (
        "mart.customer_segment",
        "select * replace (if(customer_id = 'C1O', assets_amount - 0.01, assets_amount) as assets_amount) from t",
        {"segment_assets_conserved", "tier_movement_is_tiers"},
    ),
    "a movement between tiers lost": (
        "mart.tier_movement",
        "from t where party_type <> 'person'",
        {"tier_movement_is_tiers"},
    ),
    "a customer whom nobody looks after": (
        "mart.coverage",
        "from t where customer_id <> 'C1O'",
        {"coverage_exactly_one", "coverage_history_is_coverage", "manager_scorecard_adds_up"},
    ),
    "a manager who is none": (
        "mart.coverage",
        "select * replace (if(manager_id is null, null, 'M9') as manager_id, "
        "if(manager_id is null, responsible_code, 'manager:core:M9') as responsible_code) from t",
        {"coverage_manager_exists", "coverage_history_is_coverage", "manager_scorecard_adds_up"},
    ),
    "a manager of customers whom the team should look after": (
        "value.coverage_tier",
        "select * replace ('team' as served_by) from t",
        {"coverage_capacity"},
    ),
    "a history that knows of nobody": (
        "mart.coverage_history",
        "select * replace (valid_from as valid_to) from t",
        {"coverage_history_is_coverage"},
    ),
    "a golden record that its history does not know": (
        "customer.customer_history",
        "select * replace (if(customer_id = 'C1O', 'Ann', full_name) as full_name) from t",
        {"customer_history_is_customer"},
    ),
    "a living customer whose history has ended": (
        "customer.customer_history",
        "select * replace (if(customer_id = 'C1O', valid_from + 1, valid_to) as valid_to) from t",
        {"customer_history_is_customer"},
    ),
    "two things known of a customer at once": (
        "customer.customer_history",
        "from t union all select * replace (valid_from - 9 as valid_from, valid_from + 1 as valid_to) from t",
        {"customer_history_overlaps"},
    ),
    "a period of no day": (
        "customer.customer_history",
        "from t union all select * replace (valid_from - 9 as valid_from, valid_from - 9 as valid_to) from t",
        {"customer_history_overlaps"},
    ),
    "a customer counted twice for a manager": (
        "mart.manager_scorecard",
        "select * replace (customer_count + 1 as customer_count) from t",
        {"manager_scorecard_adds_up"},
    ),
    "a customer without a behaviour": (
        "mart.customer_behaviour",
        "from t where customer_id <> 'C2M'",
        {"behaviour_of_every_customer"},
    ),
    "a chance of leaving beyond 1": (
        "mart.customer_behaviour",
        "select * replace (churn_probability + 1 as churn_probability) from t",
        {"behaviour_of_every_customer", "behaviour_is_score"},
    ),
    "a next product with a chance beyond 1": (
        "value.next_product",
        "select * replace (propensity + 1 as propensity) from t",
        {"next_product_in_order", "behaviour_is_next_product"},
    ),
    "the likeliest next product lost": (
        "value.next_product",
        "from t where propensity_rank > 1",
        {"next_product_in_order"},
    ),
    "a next product that the customer holds": (
        "value.next_product",
        "select * replace (if(propensity_rank = 2, 'current_deposit', product_family) as product_family) from t",
        {"next_product_not_held"},
    ),
    "another next product in the behaviour": (
        "mart.customer_behaviour",
        "select * replace ('mortgage' as next_product_family) from t",
        {"behaviour_is_next_product"},
    ),
    "a cent of a claim lost": (
        "value.exposure",
        "select * replace (owed_amount - 0.01 as owed_amount) from t",
        {"exposure_conserved"},
    ),
    "a claim lost": (
        "value.exposure",
        "from t where product_type <> 'loan'",
        {"exposure_conserved", "exposure_in_customer_risk"},
    ),
    "a claim graded better than its arrears": (
        "value.exposure",
        "select * replace ('doubtful' as claim_grade) from t",
        {"grade_rises_with_arrears"},
    ),
    "a debtor without a stage": (
        "mart.customer_risk",
        "select * replace (cast(null as integer) as ifrs9_stage) from t",
        {"debtor_graded"},
    ),
    "a guarantor who is no customer": (
        "customer.relationship",
        _RELATED.format("C1O", "C9", "guarantor"),
        {"relationship_ends"},
    ),
    "a customer related to itself": (
        "customer.relationship",
        _RELATED.format("C1O", "C1O", "household"),
        {"relationship_ends"},
    ),
    "a household of one side": (
        "customer.relationship",
        _RELATED.format("C1O", "C2M", "household"),
        {"relationship_both_ways"},
    ),
    "a person of no household": ("customer.household", "from t limit 0", {"household_members"}),
    "a household too large": (
        "customer.household",
        "select * replace (2 as household_size) from t",
        {"household_members"},
    ),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_rows_and_money_are_conserved_to_the_cent(tmp_path: Path, loss: str) -> None:
    table_id, select, expected = LOSSES[loss]
    night = Night.run(tmp_path)
    night.change(table_id, select)
    assert _handwritten(night) == expected


@pytest.mark.parametrize(
    ("delivery", "expected"),
    [
        ({"delivered": 3}, {"rows_delivered", "reconciled"}),
        ({"delivered": 3, "quarantined": 1}, {"quarantine_listed"}),
    ],
)
def test_rows_delivered_are_landed_or_in_quarantine(
    tmp_path: Path, delivery: dict[str, int], expected: set[str]
) -> None:
    assert _handwritten(Night.run(tmp_path), **delivery) == expected


def test_what_is_not_reconciled_is_not_published(tmp_path: Path) -> None:
    night = Night.run(tmp_path)
    with night.candidate() as candidate:
        with duckdb.connect(str(candidate.database)) as con:
            con.execute("delete from meta.reconciliation where step = 'landed'")
        assert [(r.check_name, r.unexpected_count) for r in blocking(night.judge(candidate, handwritten_suites()))] == [
            ("reconciled_whole", 1)
        ]
        with duckdb.connect(str(candidate.database)) as con:
            con.execute("delete from meta.reconciliation")
        assert [(r.check_name, r.unexpected_count) for r in blocking(night.judge(candidate, handwritten_suites()))] == [
            ("reconciled_whole", 4)
        ]


def test_an_unexplained_cent_is_told_where_it_went(tmp_path: Path) -> None:
    night = Night.run(tmp_path)
    night.change("customer.loan", "select * replace (outstanding_amount - 0.01 as outstanding_amount) from t")
    with night.candidate() as candidate, duckdb.connect(str(candidate.database), read_only=True) as con:
        found = con.execute(
            "select subject, system, figure, product_family, step, expected_amount, step_amount, unexplained_amount "
            "from meta.reconciliation where not is_explained order by all"
        ).fetchall()
    cent = Decimal("-0.01")
    assert found == [
        ("loan", "core", "outstanding_amount", "mortgage", "customer", Decimal("800.80"), Decimal("800.79"), cent),
        (
            "product",
            None,
            "balance_amount",
            "mortgage",
            "customer_holding",
            Decimal("800.79"),
            Decimal("800.80"),
            -cent,
        ),
    ]


def test_every_hand_written_check_is_seen_to_fail() -> None:
    seen: set[str] = {"rows_delivered", "quarantine_listed", "reconciled_whole"}
    for _, expected in FAULTS.values():
        seen |= expected
    for _, _, expected in LOSSES.values():
        seen |= expected
    written = {check.name for suite in handwritten_suites() for check in suite.checks}
    # cards and accounts share the text of the loans' check
    assert written - seen == {"account_owner_kept", "card_owner_kept"}


LANDING_FAULTS: dict[str, tuple[Callable[[list[dict[str, Any]]], object], set[str]]] = {
    "key twice": (lambda rows: rows.append(rows[0]), {"key_unique", "rows_accounted"}),
    "key empty": (lambda rows: rows[0].update(cust_no=" \u3000"), {"required_cust_no"}),
    "required empty": (lambda rows: rows[0].update(name=""), {"required_name"}),
    "code unknown": (lambda rows: rows[0].update(kind="X"), {"codes_kind"}),
    "no number": (lambda rows: rows[0].update(income="12x"), {"type_income", "rich"}),
    "a number as people write it": (lambda rows: rows[0].update(income="１，２００.5-"), {"minimum_income", "rich"}),
    "a code in lower case, in blanks": (lambda rows: rows[0].update(kind="\u00a0p\r"), set()),
    "a code unknown that a steward let pass": (lambda rows: rows[0].update(kind="X", _quarantine_id="QA"), set()),
    "a key empty that nobody can let pass": (
        lambda rows: rows[0].update(cust_no="", _quarantine_id="QA"),
        {"required_cust_no"},
    ),
    "too long": (lambda rows: rows[0].update(name="A" * 31), {"maxLength_name"}),
    "too small": (lambda rows: rows[0].update(income="-1"), {"minimum_income", "rich"}),
    "no date": (lambda rows: rows[0].update(since="20200230"), {"type_since"}),
    "from the future": (lambda rows: rows[0].update(since="20260201"), {"not_future_since"}),
    "no phone": (lambda rows: rows[0].update(phone="0043:x"), {"pattern_phone"}),
    "a quality rule": (
        lambda rows: [rows.append({**rows[1], "cust_no": str(n)}) for n in range(3, 5)],
        {"few_companies", "rows_accounted"},
    ),
    "nothing at all": (lambda rows: rows.clear(), {"has_rows", "rows_accounted", "rich"}),
}


@pytest.mark.parametrize("fault", LANDING_FAULTS)
def test_a_fault_of_landed_rows_is_told_by_its_check(tmp_path: Path, fault: str) -> None:
    spoil, expected = LANDING_FAULTS[fault]
    rows = [dict(row) for row in LANDED]
    spoil(rows)
    night = Night.run(tmp_path)
    night.put_text("landing.core__customer", rows)
    suites = [suite for suite in night.suites() if suite.table == "landing.core__customer"]
    with night.candidate() as candidate:
        results = night.judge(candidate, suites)
    assert _failed(results) == {f"landing.core__customer.{name}" for name in expected}
    assert not [result for result in results if result.broken]


def test_broken_constraints_are_counted_by_the_gate_and_block(tmp_path: Path) -> None:
    night = Night.run(tmp_path)
    night.change(
        "customer.account",
        "select * replace (case account_id when 'A1' then 'gold' else product_family end as product_family) from t "
        "union all by name select * replace (null as currency_code, 'C7' as customer_id) from t "
        "where account_id = 'A2'",
    )
    suites = [suite for suite in night.suites() if suite.table == "customer.account"]
    with night.candidate() as candidate:
        results = night.judge(candidate, suites)
        found = {result.check_name: result.unexpected_count for result in results if not result.passed}
        assert found == {
            "key_unique": 2, "required_currency_code": 1, "codes_product_family": 1, "customer_exists": 1,
        }  # fmt: skip
        with pytest.raises(ReleaseBlockedError, match=r"customer\.account: key_unique failed"):
            candidate.finish(results)


def test_a_warning_does_not_block(tmp_path: Path, sound: list[CheckResult]) -> None:
    night = Night.run(tmp_path, **FAULTS["a value that was lost"][0])
    suites = [suite for suite in handwritten_suites() if suite.table == "staging.conversion_loss"]
    with night.candidate() as candidate:
        (result,) = night.judge(candidate, suites)
        assert (result.check_name, result.status) == ("conversions_lost", "warning")
        others = [r for r in sound if (r.table, r.check_name) != (result.table, result.check_name)]
        assert candidate.finish([*others, result]).id == "2026-01-31.1"


@pytest.mark.parametrize(
    ("check", "observed"),
    [
        (
            Check("cast", "UnexpectedRowsExpectation",
                  {"unexpected_rows_query": "select 1 from {batch} where cast(document_number as integer) = 1"},
                  "warn", "m"),
            "could not be carried out: ConversionException",
        ),
        (
            Check("name", "UnexpectedRowsExpectation",
                  {"unexpected_rows_query": "select 1 from {batch} where nothing = 1"}, "warn", "m"),
            "could not be carried out: BinderException: Binder Error",
        ),
        (
            Check("column", "ExpectColumnValuesToNotBeNull", {"column": "nothing"}, "warn", "m"),
            'could not be carried out: The column "nothing" in BatchData does not exist',
        ),
    ],
)  # fmt: skip
def test_a_check_that_cannot_be_carried_out_is_broken_and_blocks(tmp_path: Path, check: Check, observed: str) -> None:
    night = Night.run(tmp_path)
    whole = Check("rows", "ExpectTableRowCountToBeBetween", {"min_value": 1}, "block", "m")
    with night.candidate() as candidate:
        broken, sound = night.judge(candidate, [Suite("identity.party_document", (check, whole))])
    assert (broken.passed, broken.broken, broken.status) == (False, True, "broken")
    assert broken.observed.startswith(observed)
    assert SECRET not in broken.line
    assert blocking([broken, sound]) == [broken]
    assert sound.passed, "one broken check must not break the others"


def test_a_missing_table_is_a_broken_check(tmp_path: Path) -> None:
    night = Night.run(tmp_path)
    whole = Check("rows", "ExpectTableRowCountToBeBetween", {"min_value": 1}, "block", "m")
    with night.candidate() as candidate:
        (result,) = night.judge(candidate, [Suite("staging.nothing", (whole,))])
    assert result.broken


def test_results_and_log_hold_no_values(tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: Any) -> None:
    document = {**NIGHT["identity.party_document"][0], "document_number": "SECRET-77"}
    night = Night.run(tmp_path, identity__party_document=[document, document])
    checks = (
        Check("unique", "ExpectColumnValuesToBeUnique", {"column": "document_number"}, "block", "m"),
        Check("none", "ExpectColumnValuesToBeInSet", {"column": "document_number", "value_set": ["x"]}, "block", "m"),
        Check("rows", "UnexpectedRowsExpectation", {"unexpected_rows_query": "select * from {batch}"}, "block", "m"),
        Check("cast", "UnexpectedRowsExpectation",
              {"unexpected_rows_query": "select 1 from {batch} where cast(document_number as integer) = 1"},
              "block", "m"),
    )  # fmt: skip
    with night.candidate() as candidate:
        results = night.judge(candidate, [Suite("identity.party_document", checks)])
    assert [(r.passed, r.unexpected_count) for r in results] == [(False, 2), (False, 2), (False, 2), (False, None)]
    out, err = capfd.readouterr()
    assert "SECRET" not in repr(results) + out + err + caplog.text
    assert out == ""


def test_the_candidate_can_be_written_after_the_gate(tmp_path: Path) -> None:
    night = Night.run(tmp_path)
    with night.candidate() as candidate:
        night.judge(candidate, handwritten_suites())
        with duckdb.connect(str(candidate.database)) as con:
            con.execute("delete from meta.check_result")


def test_braces_colons_and_quotes_in_a_query_mean_themselves() -> None:
    query = (
        "select 1 from {batch} where regexp_matches(text, '^(?:[a-z]:){2}\\d{1,3}$') "
        "or text = '{10:30}' -- 'a:b {x}'\n or text::varchar = ':a' or text = '100%'"
    )
    suite = Suite("main.t", (Check("q", "UnexpectedRowsExpectation", {"unexpected_rows_query": query}, "block", "m"),))
    with duckdb.connect() as con:
        con.execute("create table t as select unnest(['a:b:12', '{10:30}', ':a', '100%', 'a:b:x']) as text")
        ((_, (outcome,)),) = gx.validate(con, [suite])
    assert (outcome.broken, outcome.unexpected_count) == (False, 4)
