"""Hostile values on their way through the mapping to staging: text stays text, nothing is run."""

import datetime as dt

import duckdb
import pytest
from conftest import DATE, Desk
from hostile import CONTROLS, TEXTS
from mapped import DAY, ENTITIES, PARTY, contract, query
from test_hostile_delimited import quoted

from sources.mapping import compile_entity, compile_losses

pytestmark = pytest.mark.hostile
FILLS = [
    {
        "entity": "party",
        "columns": PARTY
        | {
            "full_name": {"join": ["'<'", "note"], "with": ""},
            "sex": {"from": "note", "codes": {"'; drop table x; --": "male", "=1+1": "female"}},
            "birth_date": {"from": "note", "formats": ["%Y-%m-%d"]},
        },
    },
    {
        "entity": "party_contact",
        "columns": {"record_id": "no", "contact_type": {"constant": "mobile"}, "contact_value": "note"},
    },
]
DATES = {"9999-12-31": dt.date(9999, 12, 31), "0001-01-01": dt.date(1, 1, 1)}


def test_text_stays_text(desk: Desk) -> None:
    texts = [*TEXTS, *CONTROLS]
    content = b"no,note\n" + b"".join(b"%d,%s\n" % (n, quoted(text)) for n, text in enumerate(texts))
    desk.put("x", content)
    made = contract(FILLS, ["no", "note"], name="customer")
    assert desk.land(desk.contract({"no": {}, "note": {}}, pattern="x")).rows_landed == len(texts)
    with duckdb.connect() as con:
        relation = made.objects[0].relation
        con.execute(f"create schema {relation.split('.')[0]}")
        path = str(desk.partition("core__customer", DATE))
        con.execute(f"create table {relation} as from read_parquet('{path}', hive_partitioning = false)")
        assert DAY == DATE
        parties = query(con, f"from ({compile_entity([made], 'party', ENTITIES['party'])}) order by source_line")
        contacts = query(
            con, f"from ({compile_entity([made], 'party_contact', ENTITIES['party_contact'])}) order by source_line"
        )
        losses = query(con, compile_losses([made], ENTITIES))
    assert [row["contact_value"] for row in contacts] == texts
    assert [row["full_name"] for row in parties] == [f"<{text}" for text in texts]
    assert [row["birth_date"] for row in parties] == [DATES.get(text) for text in texts]
    sexes = {text: row["sex"] for text, row in zip(texts, parties, strict=True) if row["sex"]}
    assert sexes == {"=1+1": "female"}
    assert {row["column_name"] for row in losses} == {"birth_date", "sex"}
