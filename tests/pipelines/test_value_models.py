"""The probability of default in a home: by rule, fitted and pinned, as a candidate, and compared."""

import datetime as dt
import json
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from models.tables import load_tables
from models.value.risk_settings import month_ends
from models.value.settings import ValueSettings
from pipelines.cli.main import _add_commands, cli
from pipelines.value_models import KINDS, compare, fit_candidate
from pipelines.value_steps import next_products, risk_scores
from pipelines.workspace import Workspace

DATE = dt.date(2026, 7, 2)
AS_OF = dt.date(2026, 6, 30)
TABLES = load_tables()
SHORT = {
    "horizon_months": 2, "observation_months": 2, "minimum_months": 4, "minimum_defaults": 10, "holdout_months": 2,
    "score_months": 2,
}  # fmt: skip
Rows = list[dict[str, Any]]


def _history(loans: int = 300) -> dict[str, Rows]:
    """Loans over nine month ends; every fourth of the dear ones is past due from the middle on, of the cheap ones none.

    One loan is in default at the end, and one customer has a credit card alone.
    """
    found: dict[str, Rows] = {
        "customer.customer": [], "customer.product_holder": [], "customer.loan": [], "staging.loan_performance": [],
    }  # fmt: skip
    for number in range(loans):
        name, dear = f"C{number:03d}", number % 2 == 0
        bad_from = 3 + number % 5 if dear and number % 4 == 0 else 99
        found["customer.customer"].append(
            {"customer_id": name, "party_type": "person", "sex": "female" if number % 3 else "male", "record_count": 1,
             "system_count": 1}
        )  # fmt: skip
        found["customer.product_holder"].append(
            {"product_type": "loan", "product_system": "s", "product_id": name, "customer_id": name}
        )
        found["customer.loan"].append(
            {"customer_id": name, "system": "s", "loan_id": name, "product_family": "consumer_loan",
             "currency_code": "CNY", "principal_amount": Decimal(9000), "outstanding_amount": Decimal(5000),
             "interest_rate": Decimal("0.09") if dear else Decimal("0.04"), "start_date": dt.date(2025, 1, 1),
             "maturity_date": dt.date(2030, 1, 1), "term_months": 60}
        )  # fmt: skip
        for month, day in enumerate(month_ends(AS_OF, 9)):
            days = 91 + 30 * (month - bad_from) if month >= bad_from else 0
            found["staging.loan_performance"].append(
                {"system": "s", "loan_id": name, "as_of_date": day, "outstanding_amount": Decimal(5000),
                 "overdue_amount": Decimal(0), "days_past_due": days, "source_object": "s.p", "source_line": 1}
            )  # fmt: skip
    found["customer.customer"].append(
        {"customer_id": "K", "party_type": "person", "record_count": 1, "system_count": 1}
    )
    found["customer.card"] = [
        {"customer_id": "K", "system": "s", "card_id": "K", "product_family": "credit_card", "currency_code": "CNY",
         "credit_limit_amount": Decimal(1000), "issued_date": dt.date(2025, 1, 1), "expiry_date": dt.date(2030, 1, 1)}
    ]  # fmt: skip
    found["staging.exchange_rate"] = [{"currency_code": "CNY", "exchange_rate": Decimal(1)}]
    return found


def _home(home: Path, models: dict[str, str], **risk: Any) -> Workspace:
    """A home whose lake holds the history on the business date, and a bank that says so much of risk."""
    workspace = Workspace.open("sample", home)
    value = ValueSettings.model_validate({"risk": {**SHORT, **risk}, "models": models})
    workspace = replace(workspace, bank=replace(workspace.bank, value=value))
    history = _history()
    for table_id in (*TABLES["value.risk_feature"].inputs, "identity.party_node"):
        table = TABLES[table_id]
        with workspace.engine.connection(DATE) as con:
            columns = ", ".join(f'"{c.name}" {c.type}' for c in table.columns)
            con.execute(f"create table t ({columns})")
            rows = [[row.get(c.name) for c in table.columns] for row in history.get(table_id, [])]
            if rows:
                con.executemany(f"insert into t values ({', '.join('?' * len(table.columns))})", rows)
            workspace.lake.write(con, "from t", table_id, DATE)
    parameters = {"business_date": DATE, **value.parameters(DATE)}
    workspace.engine.materialise(TABLES["value.risk_feature"], DATE, parameters)
    return workspace


def _scores(workspace: Workspace) -> dict[tuple[str, dt.date], dict[str, Any]]:
    risk_scores(workspace, TABLES["value.risk_score"], DATE)
    with workspace.engine.connection(DATE, ["value.risk_score"]) as con:
        found = con.execute("from value.risk_score")
        names = [name for name, *_ in found.description or []]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return {(row["customer_id"], row["as_of_date"]): row for row in rows}


def test_without_a_model_the_rule_says_so(tmp_path: Path) -> None:
    found = _scores(_home(tmp_path, {"pd": "none"}))
    assert {row["is_fallback"] for row in found.values()} == {True}
    assert {row["model_version"] for row in found.values()} == {"none"}
    good, default = found["C001", AS_OF], found["C000", AS_OF]
    assert (good["probability_of_default"], good["score_points"]) == (Decimal("0.01"), None)
    assert default["probability_of_default"] == Decimal(1)
    assert {day for _, day in found} == {dt.date(2026, 5, 31), AS_OF}


def test_too_little_history_leaves_the_rule_and_pins_nothing(tmp_path: Path) -> None:
    workspace = _home(tmp_path, {"pd": "auto"}, minimum_defaults=1000)
    assert {row["is_fallback"] for row in _scores(workspace).values()} == {True}
    assert workspace.value_models("pd").pin() is None


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, dict[tuple[str, dt.date], dict[str, Any]]]:
    workspace = _home(tmp_path_factory.mktemp("home"), {"pd": "auto"})
    return workspace, _scores(workspace)


Fitted = tuple[Workspace, dict[tuple[str, dt.date], dict[str, Any]]]


def test_the_first_night_with_enough_history_fits_and_pins_a_model(fitted: Fitted) -> None:
    workspace, found = fitted
    pin = workspace.value_models("pd").pin()
    assert pin is not None
    assert pin.business_date == DATE
    dear, cheap, default, card = (found[name, AS_OF] for name in ("C002", "C001", "C000", "K"))
    assert dear["model_version"] == cheap["model_version"] == pin.model
    assert dear["probability_of_default"] > 10 * cheap["probability_of_default"]
    assert dear["score_points"] < cheap["score_points"]
    assert dear["reason_codes"].split(", ")[0] == "loan_rate_spread"
    assert "loan_rate_spread" not in cheap["reason_codes"]
    assert dear["reasons_en"].startswith("Loan rate above the mean of its product, over the loans that ran; ")
    assert dear["reasons_zh"].startswith("贷款利率加点；")
    assert (default["probability_of_default"], default["score_points"]) == (Decimal(1), None)
    assert (card["is_fallback"], card["probability_of_default"]) == (True, Decimal("0.01"))
    assert found["C002", dt.date(2026, 5, 31)]["reason_codes"] is None


def test_the_same_night_again_is_the_same(fitted: Fitted) -> None:
    workspace, found = fitted
    assert _scores(workspace) == found


def test_a_candidate_has_a_card_that_needs_no_network(fitted: Fitted) -> None:
    workspace, _ = fitted
    candidate = fit_candidate(workspace, KINDS["pd"], DATE, "second", dt.datetime(2026, 7, 2, tzinfo=dt.UTC))
    page = candidate.card.read_text(encoding="utf-8")
    for heading in ("Method", "Data", "Validation on later time", "Protected attributes", "Points", "Limits"):
        assert f"<h2>{heading}</h2>" in page
    assert "<svg" in page
    assert "sex: female" in page
    assert re.findall(r'(?:src|href)="http[^"]*', page) == []
    said = json.loads(candidate.path.read_text(encoding="utf-8"))
    assert candidate.path.stem == f"second-{said['version']}"
    changes = compare(workspace, KINDS["pd"], DATE, candidate.model, candidate.model)
    assert changes.decile_changed_share == 0
    assert changes.auc == changes.auc_in_force == said["validation"]["auc"]


def test_training_on_too_little_is_told_with_exit_code_2(tmp_path: Path) -> None:
    workspace = _home(tmp_path, {"pd": "none"})
    assert workspace.bank.value.models.pd == "none"
    _add_commands()
    told = CliRunner().invoke(cli, ["--home", str(tmp_path), "train", "pd"])  # the sample bank's own settings
    assert told.exit_code == 2, told.output
    assert "one month end needs 3 months" in " ".join(told.output.split())
    none = CliRunner().invoke(cli, ["--home", str(tmp_path), "train", "pd", "--compare", "pd-0123456789abcdef"])
    assert none.exit_code == 2
    assert "neither in" in " ".join(none.output.split())


def test_each_kind_is_compared_on_its_own_holdout() -> None:
    said = ValueSettings.model_validate({"risk": {"holdout_months": 5}, "churn": {"holdout_months": 4}})
    assert {name: kind.holdout_months(said) for name, kind in KINDS.items()} == {"pd": 5, "churn": 4, "next_product": 1}


def _next_products(home: Path, models: dict[str, str]) -> tuple[Workspace, Rows]:
    """Next products of 240 customers: of each kind of holding a quarter a year takes what goes with it, at most one."""
    workspace = Workspace.open("sample", home)
    value = ValueSettings.model_validate({"next_product": {"minimum_openings": 20}, "models": models})
    workspace = replace(workspace, bank=replace(workspace.bank, value=value))
    pairs = [("savings_deposit", "investment"), ("current_deposit", "credit_card")]
    openings = [
        (f"C{n:03d}", family, day)
        for n in range(240)
        for family, day in zip(pairs[n % 2], ("2020-01-01", f"{2023 + n // 2 % 4}-08-01"), strict=True)
        if day < str(DATE)
    ]
    with workspace.engine.connection(DATE) as con:
        for table_id, columns, rows in (
            ("customer.customer", ("customer_id", "party_type"), [(f"C{n:03d}", "person") for n in range(240)]),
            ("value.first_opening", ("customer_id", "product_family", "first_opened_date"), openings),
        ):
            types = ", ".join(f"{column.name} {column.type}" for column in TABLES[table_id].columns)
            con.execute(f"create table t ({types})")
            marks = ", ".join("?" * len(columns))
            con.executemany(f"insert into t ({', '.join(columns)}) values ({marks})", rows)
            workspace.lake.write(con, "from t", table_id, DATE)
            con.execute("drop table t")
    next_products(workspace, TABLES["value.next_product"], DATE)
    with workspace.engine.connection(DATE, ["value.next_product"]) as con:
        found = con.execute("from value.next_product order by customer_id, propensity_rank")
        names = [name for name, *_ in found.description or []]
        return workspace, [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def test_the_next_product_is_told_by_the_model_that_the_night_fitted(tmp_path: Path) -> None:
    workspace, found = _next_products(tmp_path, {"next_product": "auto"})
    pin = workspace.value_models("next_product").pin()
    assert pin is not None
    assert {row["model_version"] for row in found} == {pin.model}
    first = {row["customer_id"]: row["product_family"] for row in found if row["propensity_rank"] == 1}
    assert (first["C006"], first["C007"]) == ("investment", "credit_card")  # who has not taken it yet
    assert {row["product_family"] for row in found if row["customer_id"] == "C000"} == {"credit_card"}
    assert {row["as_of_date"] for row in found} == {AS_OF}


def test_without_a_model_no_next_product_is_told(tmp_path: Path) -> None:
    assert _next_products(tmp_path, {"next_product": "none"})[1] == []
