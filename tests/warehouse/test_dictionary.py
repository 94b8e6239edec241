"""The dictionary says what the definitions say, and docs/dictionary.md is the dictionary."""

from dataclasses import replace
from pathlib import Path

import pytest
from release_home import AMOUNT, ID, KIND, TABLES, table

from models.tables import load_tables
from warehouse.dictionary import dictionary
from warehouse.facts import meta_tables

FILE = Path(__file__).parents[2] / "docs" / "dictionary.md"


def test_a_table_is_listed_with_key_types_units_classes_and_both_languages() -> None:
    text = dictionary({"customer.customer": table("customer", "customer", ID, AMOUNT, KIND)})
    assert "| [`customer.customer`](#customercustomer) | English of customer | customer的中文 |" in text
    assert "\n## customer.customer\n\nEnglish of customer customer的中文。\n\nKey: `customer_id`\n" in text
    assert "| **`customer_id`** | varchar | yes |  | C1 | Customer | 客户 |  |" in text
    assert "| `balance_amount` | decimal(18,2) |  | CNY | none | Balance | 余额 |  |" in text
    assert "| `party_type` | varchar | yes |  | none | Kind | 类型 | `person`, `organisation` |" in text


def test_tables_that_are_not_published_are_not_in_it() -> None:
    hidden = replace(TABLES["customer.customer"], published=False)
    assert "customer.customer" not in dictionary({hidden.id: hidden})


def test_a_bar_in_a_text_does_not_end_the_cell() -> None:
    odd = replace(AMOUNT, en="a | b")
    assert "a \\| b" in dictionary({"mart.odd": table("mart", "odd", ID, odd)})


def test_every_published_column_and_meta_table_is_in_it() -> None:
    text = dictionary()
    for one in (*load_tables().values(), *meta_tables().values()):
        assert (f"\n## {one.id}\n" in text) == (one.published or one.canonical), one.id
    assert "## meta.check_result" in text


def test_every_published_table_and_column_says_what_it_is_in_both_languages() -> None:
    for one in (*load_tables().values(), *meta_tables().values()):
        if one.published:
            assert one.en, one.id
            assert one.zh, one.id
            assert one.key, one.id
            for column in one.columns:
                assert column.en, f"{one.id}.{column.name}"
                assert column.zh, f"{one.id}.{column.name}"


def test_a_name_means_the_same_in_models_and_in_meta() -> None:
    # field and reason are a golden field and a refused merge there, a source's field and row here
    models = {c.name: (c.type, c.en, c.zh) for one in load_tables().values() for c in one.columns}
    meta = {c.name: (c.type, c.en, c.zh) for one in meta_tables().values() for c in one.columns}
    shared = set(models) & set(meta) - {"field", "reason"}
    assert shared >= {"system", "business_date", "column_name", "source_line"}
    assert {name: meta[name] for name in shared} == {name: models[name] for name in shared}


def test_the_file_in_docs_is_up_to_date() -> None:
    if not FILE.exists():
        pytest.fail("docs/dictionary.md is missing; run: c360 dictionary > docs/dictionary.md")
    assert FILE.read_text(encoding="utf-8") == dictionary(), "run: c360 dictionary > docs/dictionary.md"
