"""What holds for any input: order does not matter, doing it twice changes nothing, no record is lost."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardise_staging import BUSINESS_DATE, Staging, rows_of

from models.identity.distinct_values import plain_texts
from models.identity.standardise import standardise
from models.identity.standardise_settings import StandardiseSettings

CHARACTERS = "张伟李娜欧阳單曾偉麗·•*?×XｘＡabWEIZHANG先生女士某无有限公司分（）() .-,'１2şł\u3000\u200b王朝行"
names = st.text(CHARACTERS, min_size=0, max_size=12)
chinese_names = st.builds(str.__add__, st.sampled_from(["张", "李", "欧阳", "单"]), st.text("伟娜麗明*·", max_size=3))
numbers = st.one_of(
    st.text("0123456789Xx*OI-", max_size=20),
    st.sampled_from(["11010519491231002X", "110105491231002", "91110000600037341L", "E12345678"]),
)
contacts = st.one_of(
    st.text("0123456789+-() *转", max_size=16),
    st.sampled_from(["13912345670", "+8613912345670", "wei@qq.com", "139****5670"]),
)
places = st.sampled_from([None, "北京市", "北京", "朝阳区", "上海市", "浦东新区", "市辖区", "Praha", "O'Brien"])
addresses = st.text("北京市朝阳区上海路建国十二号楼单元0123-# aB'", max_size=16)


@st.composite
def stagings(draw: st.DrawFn) -> Staging:
    staging = Staging()
    for number in range(draw(st.integers(1, 12))):
        record_id = staging.party(
            str(number),
            draw(st.one_of(st.none(), names, chinese_names)),
            party_type=draw(st.sampled_from(["person", "organisation"])),
            family_name=draw(st.one_of(st.none(), st.sampled_from(["张", "欧阳", "Zhang"]))),
            birth_date=draw(st.one_of(st.none(), st.sampled_from([dt.date(1949, 12, 31), dt.date(1900, 1, 1)]))),
        )
        for _ in range(draw(st.integers(0, 2))):
            staging.name(record_id, draw(names), draw(st.sampled_from(["embossed", "former", "alias"])))
            staging.document(
                record_id,
                draw(numbers),
                draw(st.sampled_from(["resident_id", "uscc", "passport", "odd"])),
                draw(st.sampled_from([None, "CN", "US"])),
            )
            staging.contact(record_id, draw(contacts), draw(st.sampled_from(["mobile", "phone", "email"])))
            staging.address(record_id, draw(addresses), draw(places), draw(places), draw(places))
    return staging


@settings(max_examples=10, deadline=None)
@given(stagings(), st.integers(0, 1000))
def test_order_of_rows_changes_nothing(staging: Staging, seed: int) -> None:
    assert staging.standardised().tables == staging.standardised(shuffle_seed=seed).tables


@settings(max_examples=10, deadline=None)
@given(stagings())
def test_keys_are_kept_and_required_columns_filled(staging: Staging) -> None:
    tables = staging.standardised().tables
    records = {row["record_id"] for row in staging.rows["party"]}
    assert sorted(row["record_id"] for row in tables["party_standard"]) == sorted(records)
    keys = {
        "party_name": ("record_id", "name_standard", "name_type"),
        "party_document": ("record_id", "document_type", "document_number"),
        "party_contact": ("record_id", "contact_type", "contact_value"),
    }
    for table, key in keys.items():
        found = [tuple(row[column] for column in key) for row in tables[table]]
        assert len(found) == len(set(found)) and all(all(values) for values in found)
    for row in tables["party_document"]:
        assert row["is_valid"] is not None and row["is_strong"] in (False, row["is_valid"])
    for row in tables["party_contact"]:
        assert 1 <= row["party_count"] <= len(records)
    for row in tables["party_standard"]:
        assert not (row["name_latin"] and not row["name_standard"])
        if row["surname"] and row["given_name"] and not row["surname"].isascii():
            assert row["surname"] + row["given_name"] == row["name_standard"]


@settings(max_examples=10, deadline=None)
@given(st.lists(st.one_of(names, chinese_names), min_size=1, max_size=40), st.sampled_from(["person", "organisation"]))
def test_a_standard_name_is_its_own_standard(raw: list[str], party_type: str) -> None:
    def standard(given_names: list[str]) -> list[str | None]:
        staging = Staging()
        for place, name in enumerate(given_names):
            staging.party(str(place), name, party_type=party_type)
        result = staging.standardised()
        return [result.party(str(place))["name_standard"] for place in range(len(given_names))]

    once = [name for name in standard(raw) if name is not None]
    assert standard(once) == once


@settings(max_examples=10, deadline=None)
@given(stagings())
def test_standard_documents_and_contacts_are_their_own_standard(staging: Staging) -> None:
    once = staging.standardised()
    again = Staging()
    again.rows["party"] = staging.rows["party"]
    for row in once.tables["party_document"]:
        country, _, number = row["document_number"].rpartition(":")
        again.document(row["record_id"], number, row["document_type"], country or None)
    for row in once.tables["party_contact"]:
        again.contact(row["record_id"], row["contact_value"], row["contact_type"])
    twice = again.standardised()
    for table, column in (("party_document", "document_number"), ("party_contact", "contact_value")):
        first, second = ({(row["record_id"], row[column]) for row in r.tables[table]} for r in (once, twice))
        assert first == second


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), max_size=8))
def test_plain_texts_do_not_depend_on_their_neighbours(texts: list[str]) -> None:
    assert plain_texts(texts, ("t2s",)) == [plain_texts([text], ("t2s",))[0] for text in texts]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_plain_text_is_its_own_plain_text(text: str) -> None:
    once = plain_texts([text], ("t2s",))
    assert plain_texts(once, ("t2s",)) == once


def test_an_empty_bank() -> None:
    assert all(rows == [] for rows in Staging().standardised().tables.values())


def test_a_second_run_on_the_same_connection_replaces_the_first() -> None:
    staging = Staging()
    staging.party("1", "张伟")
    con = staging.connection()
    for _ in range(2):
        standardise(con, StandardiseSettings(), BUSINESS_DATE)
    assert rows_of(con, "select count(*) as n from std.party_standard") == [{"n": 1}]
    assert rows_of(con, "select table_name from duckdb_tables() where schema_name = 'std_work'") == []


def test_a_failure_leaves_no_scratch_tables() -> None:
    con = Staging().connection()
    con.execute("drop table staging.party_contact")
    with pytest.raises(Exception, match="party_contact"):
        standardise(con, StandardiseSettings(), BUSINESS_DATE)
    assert rows_of(con, "select table_name from duckdb_tables() where schema_name = 'std_work'") == []


def test_columns_are_those_of_the_table_definitions() -> None:
    from models.tables import load_tables

    con = Staging().connection()
    standardise(con, StandardiseSettings(), BUSINESS_DATE)
    for table in ("party_standard", "party_name", "party_document", "party_contact"):
        described = [row["column_name"] for row in rows_of(con, f"describe std.{table}")]
        assert described == [column.name for column in load_tables()[f"identity.{table}"].columns]
