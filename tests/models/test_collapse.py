"""Collapse: which records become one node because of a shared document."""

import datetime as dt

import numpy as np
import pytest

from models.identity.collapse import collapse
from models.identity.settings import MatchingSettings
from tests.models.synthetic_parties import Parties, generate

SETTINGS = MatchingSettings()
BORN = dt.date(1980, 5, 17)
ID = (("resident_id", "110101198005170011", True),)


def _groups(parties: Parties) -> set[frozenset[str]]:
    con = parties.connect()
    collapse(con, SETTINGS)
    rows = con.execute("select node_id, list(record_id) from res.party_node group by node_id").fetchall()
    return {frozenset(records) for _, records in rows}


def _pair(**other: object) -> set[frozenset[str]]:
    """Groups of two records of one document: a, and b as described."""
    parties = Parties()
    first = {"name": "王小明", "latin": "WANG XIAOMING", "surname": "王", "given_name": "小明", "birth_date": BORN}
    parties.add("a", documents=ID, sex="male", **first)
    parties.add("b", **{"documents": ID, "sex": "male", **first, **other})
    return _groups(parties)


TOGETHER, APART = {frozenset("ab")}, {frozenset("a"), frozenset("b")}


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({}, TOGETHER),
        ({"birth_date": None, "sex": None}, TOGETHER),
        ({"name": "ZHANG", "latin": None, "given_name": None, "documents": ()}, APART),
        ({"name": "WANG XIAOMING", "surname": "WANG", "given_name": "XIAOMING"}, TOGETHER),
        ({"name": "XIAOMING WANG", "latin": "MING XIAOWANG", "surname": None, "given_name": None}, TOGETHER),
        ({"name": "王大明", "latin": "WANG DAMING", "given_name": "大明"}, TOGETHER),
        ({"name": "小明王", "latin": "XIAO MINGWANG", "surname": "小", "given_name": "明王"}, TOGETHER),
        ({"name": "王*明", "latin": None, "given_name": None}, TOGETHER),
        ({"name": "王建国", "latin": "WANG JIANGUO", "given_name": "建国"}, TOGETHER),  # renamed, all else the same
        ({"birth_date": dt.date(1979, 1, 1)}, TOGETHER),  # same name, another date
        # a father's id on the son's record
        ({"name": "王建国", "latin": "WANG JIANGUO", "given_name": "建国", "birth_date": dt.date(2005, 3, 2)}, APART),
        # a husband's id on the wife's record
        ({"name": "李芳", "latin": "LI FANG", "surname": "李", "given_name": "芳", "sex": "female"}, APART),
        ({"name": "李芳", "latin": "LI FANG", "surname": "李", "given_name": "芳", "birth_date": None}, APART),
        ({"documents": (("resident_id", "110101198005170011", False),)}, APART),  # not valid
        ({"documents": (("resident_id", "110101198005170012", True),)}, APART),
        ({"party_type": "organisation"}, APART),
        ({"birth_date": dt.date(1979, 1, 1), "sex": "female"}, APART),  # date and sex both in conflict
    ],
)
def test_one_document_joins_records_that_fit(other: dict[str, object], expected: set[frozenset[str]]) -> None:
    assert _pair(**other) == expected


@pytest.mark.parametrize(
    ("name", "core", "branch", "expected"),
    [
        ("北京华夏科技有限公司", "华夏科技", None, TOGETHER),
        ("华夏科技", "华夏科技", None, TOGETHER),
        ("华夏信息科技有限公司", "华夏信息科技", None, TOGETHER),
        ("上海浦江贸易有限公司", "浦江贸易", None, APART),
        ("北京华夏科技有限公司上海分公司", "华夏科技", "上海", TOGETHER),
    ],
)
def test_companies_of_one_code(name: str, core: str, branch: str | None, expected: set[frozenset[str]]) -> None:
    parties = Parties()
    for record_id, full, part, suffix in (
        ("a", "北京华夏科技有限公司", "华夏科技", None),
        ("b", name, core, branch),
    ):
        parties.add(
            record_id,
            party_type="organisation",
            name=full,
            name_core=part,
            branch_suffix=suffix,
            documents=(("uscc", "91110000MA00000000", True),),
        )
    assert _groups(parties) == expected


def test_a_chain_of_documents_never_joins_two_of_one_type() -> None:
    parties = Parties()
    same = {"name": "王小明", "latin": "WANG XIAOMING", "birth_date": BORN}
    passport = ("passport", "CN:E12345678", True)
    parties.add("a", documents=(*ID, passport), **same)
    parties.add("b", documents=(("resident_id", "220101198005170011", True), passport), **same)
    parties.add("c", documents=(passport,), **same)
    groups = _groups(parties)
    assert all(not {"a", "b"} <= group for group in groups)
    assert frozenset("ac") in groups


def test_nodes_are_numbered_by_their_first_record_whatever_the_order() -> None:
    parties = generate(150, seed=3)
    found = []
    for order in (None, np.random.default_rng(1), np.random.default_rng(2)):
        con = parties.connect(order)
        collapse(con, SETTINGS)
        found.append(con.execute("select * from res.party_node order by all").fetchall())
    assert found[0] == found[1] == found[2]
    first_seen: dict[int, int] = {}
    for _, _, node_id, _ in found[0]:
        first_seen.setdefault(node_id, len(first_seen) + 1)
    assert all(node == number for node, number in first_seen.items())


def test_no_records_make_no_nodes() -> None:
    con = Parties().connect()
    collapse(con, SETTINGS)
    assert con.execute("select count(*) from res.party_node").fetchall() == [(0,)]
