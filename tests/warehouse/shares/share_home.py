"""A release of a handful of invented customers for the tests of shares: every value can be followed by eye.

C1 Zhang holds products at branch core:01 and agrees to marketing; C2 Li too, but withdrew; C3 Wang holds nothing and
agrees; C4 is a company of branch core:02 that was never asked.
"""

import datetime as dt
from pathlib import Path

import duckdb

from models.tables import Column, Table
from warehouse.build import Bounds
from warehouse.ddl import create_table, qualified
from warehouse.fingerprint import Fingerprint
from warehouse.release import DATABASE, Release
from warehouse.shares.build import build_share
from warehouse.shares.keys import ShareKeys
from warehouse.shares.policy import Policy, mistakes, resolve
from warehouse.shares.settings import SharesSettings

DAY = dt.date(2026, 1, 31)
SYSTEMS, PURPOSES = ("core", "loans"), ("marketing", "research")
NOON = dt.datetime(2026, 2, 1, 12, 0, tzinfo=dt.UTC)
BOUNDS = Bounds("1GB", 1)
KEYS = ShareKeys("k1", bytes(range(32)))


def column(name: str, kind: str = "varchar", pii: str = "none", required: bool = False, **more: object) -> Column:
    return Column(name, kind, required, pii, None, f"English of {name}", f"{name}的中文", **more)  # type: ignore[arg-type]


def table(layer: str, name: str, key: tuple[str, ...], *columns: Column) -> Table:
    return Table(layer, name, f"English of {name}.", f"{name}的中文", key, columns, None, (), True)


CUSTOMER = column("customer_id", pii="C1", required=True, refers_to="customer")
MAYBE_CUSTOMER = column("customer_id", pii="C1", refers_to="customer")
RELATED = column("related_customer_id", pii="C1", refers_to="customer")
AMOUNT = column("balance_amount", "decimal(18,2)")

TABLES = {
    one.id: one
    for one in (
        table(
            "mart",
            "customer_360",
            ("customer_id",),
            CUSTOMER,
            column("party_type", required=True, values=("person", "organisation")),
            column("full_name", pii="C2"),
            column("birth_date", "date", pii="C2"),
            column("age_years", "integer", pii="C1"),
            column("mobile", pii="C2"),
            column("province"),
            column("city"),
            column("address_text", pii="C2"),
            column("branch_system"),
            column("branch_id"),
            column("product_count", "bigint", required=True),
            AMOUNT,
            column("note"),
            column("pin", pii="C3"),
        ),
        table(
            "customer",
            "account",
            ("system", "account_id"),
            MAYBE_CUSTOMER,
            column("system", required=True),
            column("account_id", pii="C1", required=True),
            AMOUNT,
        ),
        table(
            "customer",
            "relationship",
            ("customer_id", "related_customer_id"),
            CUSTOMER,
            RELATED,
            column("relationship"),
        ),
        table(
            "customer",
            "household",
            ("customer_id",),
            CUSTOMER,
            column("household_id", pii="C1", required=True, refers_to="household"),
        ),
        table(
            "customer",
            "consent",
            ("customer_id", "purpose"),
            CUSTOMER,
            column("purpose", required=True),
            column("is_granted", "boolean", required=True),
            column("decided_at", "timestamp"),
        ),
        table("mart", "portfolio", ("party_type",), column("party_type", required=True), AMOUNT),
    )
}

ROWS = {
    "mart.customer_360": """
        ('C1', 'person', '张三丰', date '1980-05-17', 45, '+8613800138000',
         '广东省', '深圳市', '福田区某路1号', 'core', '01', 2, 12345.67, 'plain', '1234'),
        ('C2', 'person', '李四', date '1991-12-31', 34, '+8613900139000',
         '广东省', null, '某路2号', 'core', '01', 1, -50.00, null, null),
        ('C3', 'person', '王五', null, null, null, null, null, null, 'loans', '01', 0, null, null, null),
        ('C4', 'organisation', '某某有限公司', null, null, null,
         '上海市', '上海市', '某路4号', 'core', '02', 1, 10000.00, null, null)
    """,
    "customer.account": """
        ('C1', 'core', 'A1', 10.00), ('C2', 'core', 'A2', 20.00), ('C4', 'core', 'A4', 40.00),
        (null, 'core', 'A9', 90.00)
    """,
    "customer.relationship": "('C1', 'C2', 'household'), ('C2', 'C1', 'household'), ('C1', 'C3', 'guarantor')",
    "customer.household": "('C1', 'C1'), ('C2', 'C1'), ('C3', 'C3')",
    "customer.consent": """
        ('C1', 'marketing', true, timestamp '2026-01-01 00:00:00'),
        ('C1', 'research', false, timestamp '2026-01-01 00:00:00'),
        ('C2', 'marketing', false, timestamp '2026-01-15 00:00:00'),
        ('C3', 'marketing', true, timestamp '2026-01-01 00:00:00')
    """,
    "mart.portfolio": "('person', 12295.67), ('organisation', 10000.00)",
}


def release(folder: Path, rows: dict[str, str] = ROWS, tables: dict[str, Table] = TABLES) -> Release:
    """Write the release's database; ``rows`` are what stands after ``values``, by table."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(folder / DATABASE)) as con:
        for one in tables.values():
            con.execute(f'create schema if not exists "{one.layer}"')
            con.execute(create_table(one))
            con.execute(f"insert into {qualified(one)} values {rows[one.id]}")
    return Release("2026-01-31.1", DAY, 1, folder, NOON, "bank", "0", "none", "hash", {"x": Fingerprint(0, "")})


def settings(**share: object) -> dict[str, object]:
    """One share as shares.yaml would say it, with everything that must be there."""
    return {
        "title": {"en": "Marketing", "zh": "市场部"},
        "owner": "team:marketing",
        "purpose": {"en": "Campaigns.", "zh": "营销活动。"},
        "customers": {"everyone": True},
        "tables": {"mart.customer_360": {"columns": ["customer_id"]}},
        **share,
    }


def policy(definitions: dict[str, Table] = TABLES, **share: object) -> Policy:
    """The policy of one share, which must have no mistakes."""
    said = SharesSettings.model_validate({"shares": {"marketing": settings(**share)}})
    assert list(mistakes(said, definitions, SYSTEMS, PURPOSES)) == []
    return resolve("marketing", said.shares["marketing"], definitions)


def build(folder: Path, keys: ShareKeys = KEYS, of: Release | None = None, **share: object) -> Path:
    """Build one share of the release; returns its file."""
    made = of or release(folder / "release")
    folder.mkdir(exist_ok=True)
    path = folder / "marketing.duckdb"
    build_share(path, made, policy(**share), keys, NOON, BOUNDS)
    return path


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(path), read_only=True) as con:
        return con.execute(query).fetchall()
