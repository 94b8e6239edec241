"""What each blocking rule brings, counted by hand on five parties."""

import dataclasses
import datetime as dt

from models.identity.collapse import collapse
from models.identity.matching_model import ModelArtefact, PartyModel, prior_comparisons
from models.identity.score import score
from models.identity.settings import MatchingSettings
from tests.models.synthetic_parties import Parties

SETTINGS = MatchingSettings.model_validate(
    {
        "review_threshold_bits": -100,
        "merge_threshold_bits": 0,
        "block_cap": 2,
        "person": {
            "blocking": [["mobile"], ["name", "birth_date"], ["email"], ["surname"]],
            "split_by": ["birth_date"],
        },
    }
)
BORN = dt.date(1980, 5, 17)


def test_blocks_pairs_and_own_pairs_of_each_rule() -> None:
    parties = Parties()
    # one person twice
    parties.add("1", name="王小明", surname="王", given_name="小明", birth_date=BORN, mobile="+8613800000001")
    parties.add("2", name="王小明", surname="王", given_name="小明", birth_date=BORN, mobile="+8613800000001")
    # strangers who share nothing but a surname with one another
    parties.add("3", name="李伟", surname="李", given_name="伟", birth_date=dt.date(1950, 1, 2))
    parties.add("4", name="李强军", surname="李", given_name="强军", birth_date=dt.date(1999, 8, 9))
    parties.add("5", name="李涛", surname="李", given_name="涛", birth_date=dt.date(1960, 3, 4), sex="male")
    con = parties.connect()
    collapse(con, SETTINGS)
    con.execute("create view identity.party_node as from res.party_node")
    comparisons = tuple(
        dataclasses.replace(c, levels=tuple(dataclasses.replace(level, frequency=None) for level in c.levels))
        for c in prior_comparisons(SETTINGS, "person")
    )
    score(con, SETTINGS, ModelArtefact("test", {"person": PartyModel(1e-3, comparisons, {}, {})}))
    found = con.execute("select * exclude (party_type) from res.blocking_rule order by rule_no").fetchall()
    # columns: blocks, largest, split; pairs, own pairs; pairs that merge, own ones
    assert found == [
        (0, "mobile", 1, 2, 0, 1, 0, 1, 0),
        (1, "name + birth_date", 1, 2, 0, 1, 0, 1, 0),
        (2, "email", 0, 0, 0, 0, 0, 0, 0),
        # 王 is a block of 2, 李 of 3, above the cap: no birth date in common, so sorted and all neighbours paired
        (3, "surname", 2, 3, 1, 1 + 3, 3, 1, 0),
    ]
