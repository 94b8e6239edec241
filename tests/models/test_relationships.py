"""Relationships and households of parties that are easily confused; each record is a customer of its own."""

import datetime as dt
from typing import Any

import duckdb
import pytest
from standardise_staging import BUSINESS_DATE, Staging, rows_of
from stdnum.cn import ric

from models.identity.households import group_households
from models.identity.settings import MatchingSettings
from models.identity.standardise import standardise
from models.tables import load_tables

TABLES = load_tables()
HOME, MOBILE, LANDLINE = "人民路1号2幢301室", "13912345670", "010-88886661"
OPENED, CLOSED = dt.date(2020, 1, 2), dt.date(2024, 5, 6)
Facts = dict[tuple[str, str, str], tuple[str, str]]


class Bank:
    """Parties by name of their record (which is their customer id), with roles and products."""

    def __init__(self) -> None:
        self.staging = Staging()
        self.customers: list[tuple[str, str, str | None, dt.date | None]] = []
        self.roles: list[tuple[str, str, str, str]] = []
        self.products: list[tuple[str, str, dt.date | None, dt.date | None]] = []

    def person(
        self,
        name: str,
        full_name: str,
        born: str = "19800506",
        sex: str = "male",
        address: str | None = None,
        **contacts: str,
    ) -> None:
        day = dt.date(int(born[:4]), int(born[4:6]), int(born[6:]))
        self.staging.party(name, full_name, birth_date=day, sex=sex)
        front = f"110105{born}{100 + 2 * len(self.customers) + (sex == 'male'):03d}"
        self.staging.document(name, front + ric.calc_check_digit(front + "0"))
        self._reached(name, address, contacts)
        self.customers.append((name, "person", sex, day))

    def company(self, name: str, full_name: str, address: str | None = None, **contacts: str) -> None:
        self.staging.organisation(name, full_name)
        self._reached(name, address, contacts)
        self.customers.append((name, "organisation", None, None))

    def _reached(self, name: str, address: str | None, contacts: dict[str, str]) -> None:
        if address:
            self.staging.address(name, address, "上海市", "上海市", "徐汇区")
        for kind, value in contacts.items():
            self.staging.contact(name, value, kind, seen=OPENED)

    def product(self, kind: str, number: str, until: dt.date | None = None, **roles: str) -> None:
        self.products.append((kind, number, OPENED, until))
        for role, name in roles.items():
            self.roles.append((name, kind, number, role))

    def represents(self, person: str, company: str) -> None:
        self.roles.append((person, "party", company, "legal_representative"))

    def connection(self) -> duckdb.DuckDBPyConnection:
        con = self.staging.connection()
        standardise(con, MatchingSettings().standardise, BUSINESS_DATE)
        con.execute("create schema identity; create schema customer")
        for table in ("party_standard", "party_contact", "contact_profile", "address_profile"):
            con.execute(f"create view identity.{table} as from std.{table}")
        for table in ("customer.customer", "customer.account", "customer.loan", "staging.party_role"):
            con.execute(f"create table {table} ({', '.join(f'{c.name} {c.type}' for c in TABLES[table].columns)})")
        con.execute("create table customer.customer_record (system varchar, record_id varchar, customer_id varchar)")
        for name, party_type, sex, born in self.customers:
            con.execute("insert into customer.customer_record values ('core', $1, $1)", [name])
            con.execute(
                "insert into customer.customer (customer_id, party_type, sex, birth_date) values ($1, $2, $3, $4)",
                [name, party_type, sex, born],
            )
        for name, kind, number, role in self.roles:
            con.execute(
                "insert into staging.party_role (system, record_id, product_type, product_system, product_id, role)"
                " values ('core', $1, $2, 'core', $3, $4)",
                [name, kind, number, role],
            )
        for kind, number, since, until in self.products:
            start, end = ("opened_date", "closed_date") if kind == "account" else ("start_date", "maturity_date")
            con.execute(
                f"insert into customer.{kind} (system, {kind}_id, {start}, {end}) values ('core', $1, $2, $3)",
                [number, since, until],
            )
        for table in ("party_role", "shared_evidence", "relationship"):
            con.execute(f"create table customer.{table} as {TABLES[f'customer.{table}'].sql}")
        return con

    def relationships(self) -> list[dict[str, Any]]:
        return rows_of(self.connection(), "from customer.relationship order by all")

    def facts(self) -> Facts:
        """(customer, related, relationship) -> (evidence, strength)."""
        return {
            (row["customer_id"], row["related_customer_id"], row["relationship"]): (row["evidence"], row["strength"])
            for row in self.relationships()
        }

    def households(self, **settings: Any) -> dict[str, tuple[str, int]]:
        con = self.connection()
        group_households(con, MatchingSettings(**settings))
        return {
            row["customer_id"]: (row["household_id"], row["household_size"])
            for row in rows_of(con, "from res.household")
        }


def both(one: str, other: str, relationship: str, evidence: str, strength: str) -> Facts:
    return {(one, other, relationship): (evidence, strength), (other, one, relationship): (evidence, strength)}


def test_father_and_son_of_one_name_and_phone() -> None:
    bank = Bank()
    bank.person("father", "王伟", "19550506", address=HOME, mobile=MOBILE)
    bank.person("son", "王伟", "19850506", address=HOME, mobile=MOBILE)
    assert bank.facts() == both("father", "son", "household", "address, mobile, surname", "strong")
    assert bank.households() == {"father": ("father", 2), "son": ("father", 2)}


def test_a_couple_at_one_address_and_a_child_of_the_fathers_name() -> None:
    bank = Bank()
    bank.person("a", "王伟", "19800506", address=HOME)
    bank.person("b", "李娜", "19820708", "female", address=HOME)
    bank.person("c", "王小明", "20100304", address=HOME)
    assert bank.facts() == {
        **both("a", "b", "household", "address, ages", "fair"),
        **both("a", "c", "household", "address, surname", "fair"),
        **both("b", "c", "household", "address", "weak"),
    }
    assert set(bank.households().values()) == {("a", 3)}


def test_strangers_of_one_mobile_are_no_household() -> None:
    bank = Bank()
    bank.person("a", "王伟", "19500506", mobile=MOBILE)
    bank.person("b", "李强", "19900506", mobile=MOBILE)
    assert bank.facts() == {}
    assert bank.households() == {"a": ("a", 1), "b": ("b", 1)}


def test_a_mobile_given_to_somebody_else_relates_nobody() -> None:
    """The same two, a couple by age, with three years between them."""
    bank = Bank()
    bank.person("a", "王伟", "19800506", mobile=MOBILE)
    bank.person("b", "李娜", "19820708", "female", mobile=MOBILE)
    assert set(bank.facts().values()) == {("ages, mobile", "weak")}
    bank.staging.rows["party_contact"][1]["updated_at"] = dt.date(2023, 1, 1)
    assert bank.facts() == {}


def test_an_agents_number_relates_none_of_his_customers() -> None:
    bank = Bank()
    for number, given in enumerate("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平"):
        bank.person(f"p{number:02d}", f"王{given}", mobile=MOBILE)
    assert bank.facts() == {}


def test_a_company_with_its_owners_mobile() -> None:
    bank = Bank()
    bank.person("owner", "王伟", mobile=MOBILE)
    bank.company("firm", "上海明达科技有限公司", mobile=MOBILE)
    bank.represents("owner", "firm")
    assert bank.facts() == {
        ("firm", "owner", "contact_person"): ("mobile", "weak"),
        ("firm", "owner", "legal_representative"): ("register", "registered"),
    }


def test_the_employers_switchboard_ties_staff_to_it_and_not_to_each_other() -> None:
    bank = Bank()
    bank.company("firm", "上海明达科技有限公司", phone=LANDLINE)
    for surname, number in zip("王李张刘", range(4), strict=True):
        bank.person(f"p{number}", f"{surname}伟", address=f"人民路{number + 1}号", phone=LANDLINE)
    assert bank.facts() == {(f"p{number}", "firm", "employer"): ("phone", "weak") for number in range(4)}


def test_sister_companies_at_one_address() -> None:
    bank = Bank()
    bank.person("head", "王伟")
    bank.company("a", "上海明达科技有限公司", HOME, phone=LANDLINE)
    bank.company("b", "上海明达贸易有限公司", HOME, phone=LANDLINE)
    bank.company("c", "上海远民广告有限公司", HOME)
    for firm in "ab":
        bank.represents("head", firm)
    assert {key: value for key, value in bank.facts().items() if key[2] != "legal_representative"} == both(
        "a", "b", "sister_company", "address, phone, representative", "strong"
    )


def test_a_branch_and_its_company() -> None:
    bank = Bank()
    bank.company("parent", "上海明达科技有限公司")
    bank.company("branch", "上海明达科技有限公司南京分公司")
    assert bank.facts() == {("branch", "parent", "parent_company"): ("name", "fair")}


def test_a_representative_of_very_many_companies_makes_no_group() -> None:
    bank = Bank()
    bank.person("agent", "王伟")
    for number, letter in enumerate("东南西北金木水火土春夏秋冬"):
        bank.company(f"c{number:02d}", f"上海{letter}达科技有限公司")
        bank.represents("agent", f"c{number:02d}")
    assert {key[2] for key in bank.facts()} == {"legal_representative"}


def test_roles_towards_one_product() -> None:
    bank = Bank()
    for name, surname in (("a", "王"), ("b", "李"), ("c", "张")):
        bank.person(name, f"{surname}伟")
    bank.product("loan", "L1", CLOSED, borrower="a", co_borrower="b", guarantor="c")
    bank.product("loan", "L2", dt.date(2030, 1, 1), borrower="a", guarantor="c")
    bank.product("account", "A1", owner="b", joint_owner="c")
    assert bank.facts() == {
        **both("a", "b", "co_borrower", "loan", "registered"),
        **both("b", "c", "joint_owner", "account", "registered"),
        ("a", "c", "guarantor"): ("loan", "registered"),
        ("b", "c", "guarantor"): ("loan", "registered"),
    }
    guarantor = next(
        row for row in bank.relationships() if (row["customer_id"], row["relationship"]) == ("a", "guarantor")
    )
    assert (guarantor["evidence_count"], guarantor["since_date"], guarantor["until_date"]) == (
        2,
        OPENED,
        dt.date(2030, 1, 1),
    )
    joint = next(row for row in bank.relationships() if row["relationship"] == "joint_owner")
    assert (joint["since_date"], joint["until_date"]) == (OPENED, None)


def test_nobody_is_related_to_himself() -> None:
    """Two records of one customer share address and mobile, and one guarantees the other's loan."""
    bank = Bank()
    bank.person("a", "王伟", address=HOME, mobile=MOBILE)
    bank.person("b", "王伟", address=HOME, mobile=MOBILE)
    bank.product("loan", "L1", borrower="a", guarantor="b")
    con = bank.connection()
    con.execute(
        "update customer.customer_record set customer_id = 'a'; delete from customer.customer where customer_id = 'b'"
    )
    for table in ("party_role", "shared_evidence", "relationship"):
        con.execute(f"create or replace table customer.{table} as {TABLES[f'customer.{table}'].sql}")
    assert rows_of(con, "from customer.relationship") == []


@pytest.mark.parametrize(("limit", "sizes"), [(4, {4}), (3, {1})])
def test_a_house_too_full_is_no_household(limit: int, sizes: set[int]) -> None:
    """Four of one surname at one address, linked by nothing stronger."""
    bank = Bank()
    for number, given in enumerate("伟强军勇"):
        bank.person(f"p{number}", f"王{given}", f"19{50 + 10 * number}0506", address=HOME)
    assert {size for _, size in bank.households(household_max_size=limit).values()} == sizes


def test_of_a_house_too_full_the_strong_ties_remain() -> None:
    bank = Bank()
    for number, given in enumerate("伟强军勇"):
        bank.person(
            f"p{number}",
            f"王{given}",
            f"19{50 + 10 * number}0506",
            address=HOME,
            **({"mobile": MOBILE} if number > 1 else {}),
        )
    assert bank.households(household_max_size=3) == {"p0": ("p0", 1), "p1": ("p1", 1), "p2": ("p2", 2), "p3": ("p2", 2)}
