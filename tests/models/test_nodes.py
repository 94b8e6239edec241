"""What of contacts and addresses becomes evidence of a node."""

from synthetic_parties import Parties

from models.identity.collapse import collapse
from models.identity.nodes import build_nodes
from models.identity.settings import MatchingSettings

MOBILE = "+8613912345670"


def evidence(parties: Parties, column: str) -> list[object]:
    """The column of each node, nodes in the order of their records."""
    con = parties.connect()
    settings = MatchingSettings()
    collapse(con, settings)
    con.execute("create view identity.party_node as from res.party_node")
    build_nodes(con, settings)
    return [value for (value,) in con.execute(f"select {column} from work.node order by node_id").fetchall()]


def test_a_reassigned_mobile_is_another_contact_in_every_holding() -> None:
    parties = Parties()
    for record_id, name in (("a", "王伟"), ("b", "李娜"), ("c", "赵敏")):
        parties.add(record_id, name=name, mobile=MOBILE)
    for row, holding in zip(parties.party_contact, (1, 2, 2), strict=True):
        row["holding_no"] = holding
    before, *after = evidence(parties, "mobiles")
    assert before == [MOBILE]
    assert after[0] == after[1] != before


def test_an_address_of_too_many_is_no_evidence_but_its_region_is() -> None:
    for is_identifying, expected in ((True, ["R1|S1"]), (None, ["R1|S1"]), (False, None)):
        parties = Parties()
        address = {"address_region": "R1", "address_key": "S1", "address_is_identifying": is_identifying}
        parties.add("a", name="王伟", **address)
        assert evidence(parties, "addresses") == [expected]
        assert evidence(parties, "address_regions") == [["R1"]]
