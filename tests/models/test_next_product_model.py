"""The next product: who took what and hit rates, by hand; later openings change nothing; same input, same model."""

import datetime as dt
from itertools import pairwise

import duckdb
import numpy as np
import pytest
from sql_tables import Row, given, made

from models.value import next_product_model as model_of
from models.value.model_kind import ThinHistoryError
from models.value.next_product_settings import NextProductSettings
from models.value.observations import Observations
from models.value.settings import ValueSettings

RULES = NextProductSettings(minimum_openings=20)
SETTINGS = ValueSettings(next_product=RULES)
DATE = dt.date(2026, 10, 15)
Openings = dict[str, dict[str, str | None]]


def taken(openings: Openings, organisations: str = "") -> duckdb.DuckDBPyConnection:
    """Customers and the day of their first product of each family."""
    con = duckdb.connect()
    rows: list[Row] = [
        {"customer_id": customer, "product_family": family,
         "first_opened_date": dt.date.fromisoformat(day) if day else None}
        for customer, of_customer in openings.items() for family, day in of_customer.items()
    ]  # fmt: skip
    given(con, "value.first_opening", *rows)
    given(con, "customer.customer", *(
        {"customer_id": c, "party_type": "organisation" if c in organisations else "person"} for c in openings
    ))  # fmt: skip
    return con


def took(found: Observations) -> set[tuple[str, str, str]]:
    """Customer, month end and family of the openings."""
    chosen = found.where(found.happened)
    names = [model_of.families()[int(number)] for number in chosen.features[model_of.FAMILY]]
    return set(zip(chosen.customer_id.tolist(), chosen.as_of_date.astype(str).tolist(), names, strict=True))


def test_the_first_opening_is_the_earliest_of_accounts_cards_and_loans() -> None:
    con = duckdb.connect()
    given(con, "customer.account",
          {"customer_id": "A", "product_family": "savings_deposit", "opened_date": dt.date(2025, 5, 1)},
          {"customer_id": "A", "product_family": "savings_deposit", "opened_date": dt.date(2024, 5, 1),
           "closed_date": dt.date(2024, 6, 1)},
          {"customer_id": "A", "product_family": "term_deposit", "opened_date": dt.date(2025, 5, 1)},
          {"customer_id": "A", "product_family": "term_deposit"},
          {"customer_id": None, "product_family": "term_deposit", "opened_date": dt.date(2025, 5, 1)})  # fmt: skip
    given(con, "customer.card",
          {"customer_id": "A", "product_family": "debit_card", "issued_date": dt.date(2025, 7, 1)})  # fmt: skip
    given(con, "customer.loan",
          {"customer_id": "A", "product_family": "mortgage", "start_date": dt.date(2025, 8, 1)})  # fmt: skip
    found = made(con, "value.first_opening", DATE)
    assert {row["product_family"]: str(row["first_opened_date"]) for row in found} == {
        "savings_deposit": "2024-05-01", "term_deposit": "None", "debit_card": "2025-07-01", "mortgage": "2025-08-01"
    }  # fmt: skip


def test_taken_is_what_was_never_had_and_opened_within_the_year_after_the_month_end() -> None:
    con = taken(
        {
            "A": {"savings_deposit": "2020-01-01", "credit_card": "2025-09-30", "mortgage": "2025-10-01",
                  "investment": "2026-09-30", "insurance": "2026-10-01"},
            "new": {"savings_deposit": "2026-01-01"},
            "undated": {"savings_deposit": "2020-01-01", "mortgage": None},
        }
    )  # fmt: skip
    found = model_of.observe(con, SETTINGS, DATE)
    assert sorted(set(found.as_of_date.astype(str))) == ["2023-09-30", "2024-09-30", "2025-09-30"]
    assert took(found) == {
        ("A", "2024-09-30", "credit_card"), ("A", "2025-09-30", "mortgage"), ("A", "2025-09-30", "investment")
    }  # fmt: skip
    asked = found.where((found.as_of_date == np.datetime64("2025-09-30")) & (found.customer_id != "new"))
    count = dict(zip(*np.unique(asked.customer_id, return_counts=True), strict=True))
    assert count == {"A": 8, "undated": 8}  # ten families less two had; one without a day counts as had
    first = asked.where(asked.customer_id == "A")
    assert set(first.features["tenure_months"]) == {68}
    assert set(first.features["months_since_opening"]) == {0}


def history(customers: int = 400) -> Openings:
    """Who has a current deposit takes a credit card, who has a savings deposit an investment, a quarter of them a year.

    The last quarter takes nothing; of each year's some take a mortgage too.
    """
    found: Openings = {}
    for number in range(customers):
        held, taken_next = [("savings_deposit", "investment"), ("current_deposit", "credit_card")][number % 2]
        found[f"C{number:03d}"] = {held: "2020-01-01"}
        if (year := 2023 + number // 2 % 4) < 2026:
            found[f"C{number:03d}"][taken_next] = f"{year}-12-01"
            if number % 10 == 0:
                found[f"C{number:03d}"]["mortgage"] = f"{year}-12-02"
    return found


def test_regression_is_taken_where_it_hits_more_often_later() -> None:
    fitted = model_of.fit(model_of.observe(taken(history()), SETTINGS, DATE), SETTINGS)
    assert fitted.method == "logistic"
    # who takes something takes what goes with the holding; by popularity half of them are told the other one first
    assert [(one["method"], one["hit_rate_at_1"]) for one in fitted.validation["hits"]] == [
        ("popularity", 0.5), ("logistic", 1.0), ("popularity", 0.5), ("logistic", 1.0)
    ]  # fmt: skip
    assert (fitted.data["method_chosen_on"], fitted.data["validated_on"]) == ("2024-09-30", "2025-09-30")
    assert fitted.data["month_ends_fitted_on"] == ["2023-09-30", "2024-09-30"]


def test_popularity_is_taken_where_the_regression_is_not_better_by_the_margin() -> None:
    settings = ValueSettings(next_product=RULES.model_copy(update={"margin": 0.6}))
    fitted = model_of.fit(model_of.observe(taken(history()), settings, DATE), settings)
    assert fitted.method == "popularity"
    # fitted on two month ends: 50 of 400 took it in the first year, 50 of the other 350 in the second
    assert fitted.fitted["person"]["credit_card"] == {"openings": 100, "rate": 0.133333}
    assert set(fitted.fitted) == {"person"}


def test_persons_and_organisations_are_apart() -> None:
    openings = history(160)
    organisations = {f"O{number}": dict(openings[f"C{number:03d}"]) for number in range(80)}
    for of_one in organisations.values():
        if day := of_one.pop("credit_card", None) or of_one.pop("investment", None):
            of_one["business_loan"] = day
    con = taken({**openings, **organisations})
    con.execute("update customer.customer set party_type = 'organisation' where customer_id like 'O%'")
    fitted = model_of.fit(model_of.observe(con, SETTINGS, DATE), SETTINGS)
    assert set(fitted.fitted["organisation"]) == {"business_loan", "mortgage"}
    assert "business_loan" not in fitted.fitted["person"]
    for family, rows in model_of.to_score(con, RULES, dt.date(2026, 9, 30)):
        told = model_of.predict(fitted, rows)
        persons = rows.features["is_organisation"] == 0
        if family == "business_loan":
            assert told[persons].max() == 0 < told[~persons].min()


def test_what_is_opened_later_changes_no_propensity_but_is_not_offered() -> None:
    before = history()
    as_of = dt.date(2026, 9, 30)
    later = {customer: {**of_one, "insurance": "2026-10-10"} for customer, of_one in before.items()}
    fitted = model_of.fit(model_of.observe(taken(before), SETTINGS, DATE), SETTINGS)
    assert model_of.fit(model_of.observe(taken(later), SETTINGS, DATE), SETTINGS).id == fitted.id
    for (family, rows), (_, shifted) in zip(
        model_of.to_score(taken(before), RULES, as_of), model_of.to_score(taken(later), RULES, as_of), strict=True
    ):
        if family == "insurance":
            assert (len(rows), len(shifted)) == (400, 0)
        else:
            assert model_of.predict(fitted, rows).tolist() == model_of.predict(fitted, shifted).tolist()


def test_the_order_of_the_input_changes_nothing() -> None:
    turned = dict(reversed(history().items()))
    one, two = (model_of.fit(model_of.observe(taken(rows), SETTINGS, DATE), SETTINGS) for rows in (history(), turned))
    assert one.id == two.id


def test_hit_rates_count_customers_who_took_something() -> None:
    # A took family 2, told second; B took families 0 and 1, told first and last; C took nothing
    asked = [("A", 0, 0.1, False), ("A", 1, 0.3, False), ("A", 2, 0.2, True),
             ("B", 0, 0.9, True), ("B", 1, 0.1, True), ("B", 2, 0.3, False), ("B", 3, 0.2, False),
             ("C", 0, 0.5, False)]  # fmt: skip
    customer, family, propensity, happened = (np.array(column) for column in zip(*asked, strict=True))
    day = np.full(len(asked), np.datetime64("2025-09-30"))
    found = Observations(customer, day, {model_of.FAMILY: family.astype(float)}, happened, {})
    assert model_of.hit_rates(found, propensity) == {"hit_rate_at_1": 0.5, "hit_rate_at_3": 1.0}
    assert model_of.hit_rates(found, np.where(customer == "A", -propensity, propensity))["hit_rate_at_1"] == 0.5
    last = np.where(happened, 0.0, 1.0)
    assert model_of.hit_rates(found, last) == {"hit_rate_at_1": 0.0, "hit_rate_at_3": 1.0}


def test_too_few_openings_fit_nothing() -> None:
    with pytest.raises(ThinHistoryError, match=r"asks for 20 of the first"):
        model_of.fit(model_of.observe(taken(history(40)), SETTINGS, DATE), SETTINGS)
    with pytest.raises(ThinHistoryError):
        model_of.fit(model_of.observe(taken({}), SETTINGS, DATE), SETTINGS)


def test_month_ends_lie_a_horizon_apart() -> None:
    found = model_of.observe(taken(history(8)), SETTINGS, dt.date(2026, 2, 28))
    days = np.unique(found.as_of_date).astype("datetime64[M]")
    assert [int((late - early).astype(int)) for early, late in pairwise(days)] == [12, 12]
    assert str(np.unique(found.as_of_date)[-1]) == "2025-02-28"
