"""A night many times over: other ids in every copy, the same money, and rows that still hang together."""

import datetime as dt
from pathlib import Path

import duckdb

from benchmarks.value.multiplied import multiply
from pipelines.workspace import Workspace

DATE = dt.date(2026, 10, 29)


def test_copies_have_ids_of_their_own_and_the_same_amounts(tmp_path: Path) -> None:
    source, target = (Workspace.open("sample", tmp_path / name) for name in ("night", "many"))
    (source.home / "models" / "pd").mkdir(parents=True)
    with source.engine.connection(DATE) as con:
        for name, rows in {
            "customer.account": "select * from (values ('CAB1XYZ', 'A1', 1.50), (null, 'A2', 2.00)) "
            "as t(customer_id, account_id, balance_amount)",
            "customer.customer": "select 'CAB1XYZ' as customer_id",
            "staging.exchange_rate": "select 'CNY' as currency_code, 1 as exchange_rate",
        }.items():
            columns = con.execute(f"describe {rows}").fetchall()
            missing = ", ".join(
                f'cast(null as {column.type}) as "{column.name}"'
                for column in source.tables[name].columns
                if column.name not in {found for found, *_ in columns}
            )
            source.lake.write(con, f"select *{', ' if missing else ''}{missing} from ({rows})", name, DATE)
    multiply(source, target, ["customer.account", "customer.customer", "staging.exchange_rate"], DATE, 2)

    def read(table_id: str, columns: str) -> list[tuple[object, ...]]:
        return duckdb.sql(f"select {columns} from '{target.lake.path(table_id, DATE)}'").fetchall()

    assert read("customer.account", "customer_id, account_id, balance_amount::varchar") == [
        ("C001XYZ", "A100", "1.50"),
        ("C011XYZ", "A101", "1.50"),
        (None, "A200", "2.00"),
        (None, "A201", "2.00"),
    ]
    assert read("customer.customer", "customer_id") == [("C001XYZ",), ("C011XYZ",)]
    assert read("staging.exchange_rate", "currency_code") == [("CNY",)]
    assert (target.home / "models" / "pd").is_dir()
