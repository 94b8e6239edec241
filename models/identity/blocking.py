"""Candidate pairs: nodes that agree on every key of a blocking rule.

Rules are AND-ed equalities, so their cost is that of a hash join. A block above the cap is not dropped: it is
split by further keys, and what is still too large is sorted by its evidence and each node paired with its
neighbours. Keys are hashed; two values of one hash cost a comparison and nothing else.
"""

import logging

import duckdb

from models.identity.blocking_keys import KEYS
from models.identity.settings import BlockingRule, MatchingSettings

log = logging.getLogger(__name__)

_NO_PARTS = "select rule_no, block, node_id from large_member where false"
_SORTED_BY = "names, latins, birth_date, addresses, id_number, node_id"


def block(con: duckdb.DuckDBPyConnection, settings: MatchingSettings, party_type: str) -> None:
    """Create ``work.candidate_pair`` (node_id_l < node_id_r, rule_no, rules): each pair once, with its rules.

    ``rule_no`` is the first rule that found the pair; in ``rules`` bit n is set where rule n found it. Beside it
    ``work.rule_block``: of each rule its blocks of two nodes and more, the largest, and how many were split.

    Args:
        con: Connection with ``work.node``.
        settings: The bank's matching settings.
        party_type: ``person`` or ``organisation``; pairs of different types are never candidates.
    """
    party = settings.party(party_type)
    keys = " union all ".join(
        f"select * from ({_block_sql(party_type, number, rule)})" for number, rule in enumerate(party.blocking)
    )
    con.execute(f"create or replace table work.block_member as {keys}")
    con.execute(
        """
        create or replace table work.block as
        select rule_no, block, count(*) as members
        from work.block_member
        group by rule_no, block
        having count(*) > 1
        """
    )
    con.execute(
        f"""
        create or replace table work.block_pair as
        select l.node_id as node_id_l, r.node_id as node_id_r, l.rule_no
        from work.block_member as l
        inner join work.block as block using (rule_no, block)
        inner join work.block_member as r using (rule_no, block)
        where l.node_id < r.node_id and block.members <= {settings.block_cap}
        """
    )
    con.execute(
        f"""
        create or replace table work.rule_block as
        select
            rule_no,
            count(*) as blocks,
            max(members) as largest,
            count(*) filter (where members > {settings.block_cap}) as split
        from work.block
        group by rule_no
        """
    )
    large = con.execute("select rule_no, split from work.rule_block where split > 0 order by rule_no").fetchall()
    if large:
        _split(con, settings, party_type)
    for rule_no, blocks in large:
        log.info("blocking: %s %s: %d blocks split", party_type, rule_name(party.blocking[rule_no]), blocks)
    con.execute(
        """
        create or replace table work.candidate_pair as
        select node_id_l, node_id_r, min(rule_no)::integer as rule_no, bit_or(1::bigint << rule_no) as rules
        from work.block_pair
        group by node_id_l, node_id_r
        """
    )
    for table in ("block_member", "block", "block_pair"):
        con.execute(f"drop table work.{table}")


def rule_name(rule: BlockingRule) -> str:
    """The rule as people read it: ``name + birth_date``."""
    return " + ".join(rule)


def _block_sql(party_type: str, rule_no: int, rule: BlockingRule) -> str:
    """Members of the rule's blocks: (rule_no, block, node_id), one row a combination of key values."""
    keys = KEYS[party_type]
    lists = ", ".join(f"{keys[key]} as key_{n}" for n, key in enumerate(rule))
    sql = f"select node_id, {lists} from work.node where party_type = '{party_type}'"
    for number in range(len(rule)):
        sql = f"select * replace (unnest(key_{number}) as key_{number}) from ({sql})"
    columns = ", ".join(f"key_{n}" for n in range(len(rule)))
    missing = " and ".join(f"key_{n} is not null" for n in range(len(rule)))
    return f"select distinct {rule_no} as rule_no, hash({columns}) as block, node_id from ({sql}) where {missing}"


def _split(con: duckdb.DuckDBPyConnection, settings: MatchingSettings, party_type: str) -> None:
    """Add the pairs of blocks above the cap."""
    party = settings.party(party_type)
    parts = " union all ".join(
        f"""
        select rule_no, hash(block, '{key}', part) as block, node_id
        from (
            select member.rule_no, member.block, member.node_id, unnest({KEYS[party_type][key]}) as part
            from large_member as member
            inner join work.node as node using (node_id)
            where member.rule_no not in ({", ".join(map(str, [-1, *_rules_with(party.blocking, key)]))})
        )
        where part is not null
        """
        for key in party.split_by
    )
    con.execute(
        f"""
        create or replace table work.block_part as
        with large_member as (
            select rule_no, block, node_id
            from work.block_member
            inner join work.block using (rule_no, block)
            where members > {settings.block_cap}
        ),
        part as ({parts or _NO_PARTS}),
        sized as (
            select *, count(*) over (partition by rule_no, block) as members
            from part
        )
        select rule_no, block, node_id, members from sized where members > 1
        union all
        select rule_no, block, node_id, {settings.block_cap} + 1 from large_member
        """
    )
    con.execute(
        f"""
        insert into work.block_pair
        select l.node_id, r.node_id, l.rule_no
        from work.block_part as l
        inner join work.block_part as r using (rule_no, block)
        where l.node_id < r.node_id and l.members <= {settings.block_cap} and r.members <= {settings.block_cap}
        """
    )
    con.execute(
        f"""
        insert into work.block_pair
        with placed as (
            select
                part.rule_no,
                part.block,
                part.node_id,
                row_number() over (partition by part.rule_no, part.block order by {_SORTED_BY}) as place
            from work.block_part as part
            inner join work.node as node using (node_id)
            where part.members > {settings.block_cap}
        ),
        reached as (
            select rule_no, block, node_id, place + unnest(range(1, {settings.block_window} + 1)) as place
            from placed
        )
        select
            least(placed.node_id, reached.node_id),
            greatest(placed.node_id, reached.node_id),
            placed.rule_no
        from reached
        inner join placed using (rule_no, block, place)
        """
    )
    con.execute("drop table work.block_part")


def _rules_with(rules: tuple[BlockingRule, ...], key: str) -> list[int]:
    return [number for number, rule in enumerate(rules) if key in rule]
