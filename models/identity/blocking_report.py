"""What each blocking rule brings: its blocks, the pairs it finds, and those that no other rule finds.

Counting only. Pairs are made in ``blocking``, which leaves with each pair the set of rules that found it, so that
everything here is one pass over the pairs.
"""

import duckdb

from models.identity.blocking import rule_name
from models.identity.settings import MatchingSettings

_COLUMNS = (
    "party_type varchar, rule_no integer, blocking_rule varchar, block_count bigint, largest_block_size bigint,"
    " split_block_count bigint, candidate_pair_count bigint, own_candidate_pair_count bigint,"
    " merge_pair_count bigint, own_merge_pair_count bigint"
)


def create_blocking_rule(con: duckdb.DuckDBPyConnection) -> None:
    """Create ``res.blocking_rule``, empty. Grain: party_type, rule_no (numbered from 0 in the settings' order)."""
    con.execute(f"create or replace table res.blocking_rule ({_COLUMNS})")


def report_blocking(con: duckdb.DuckDBPyConnection, settings: MatchingSettings, party_type: str) -> None:
    """Add a party type's rules to ``res.blocking_rule``; ``own`` pairs are those that no other rule finds.

    Args:
        con: Connection with ``work.candidate_pair`` and ``work.rule_block`` as ``block`` left them, and
            ``res.node_pair`` with the weights.
        settings: The bank's matching settings: the rules, and the threshold from which a pair merges.
        party_type: ``person`` or ``organisation``.
    """
    merging = f"""
        select candidate.rules
        from work.candidate_pair as candidate
        inner join res.node_pair as pair using (node_id_l, node_id_r)
        where pair.match_weight >= {settings.merge_threshold_bits}
    """
    names = ", ".join(f"({n}, '{rule_name(rule)}')" for n, rule in enumerate(settings.party(party_type).blocking))
    con.execute(
        f"""
        insert into res.blocking_rule
        with rule(rule_no, name) as (values {names}),
        candidate as ({tally_sql("select rules from work.candidate_pair")}),
        merging as ({tally_sql(merging)})
        select
            '{party_type}',
            rule.rule_no,
            rule.name,
            coalesce(rule_block.blocks, 0),
            coalesce(rule_block.largest, 0),
            coalesce(rule_block.split, 0),
            coalesce(candidate.pairs, 0),
            coalesce(candidate.own_pairs, 0),
            coalesce(merging.pairs, 0),
            coalesce(merging.own_pairs, 0)
        from rule
        left join work.rule_block as rule_block using (rule_no)
        left join candidate using (rule_no)
        left join merging using (rule_no)
        """
    )


def tally_sql(rules_sql: str) -> str:
    """Query (rule_no, pairs, own_pairs) over a query whose column ``rules`` has bit n set where rule n found the pair.

    Pairs are counted by their set of rules first: there are few different sets.
    """
    return f"""
        select
            number.rule_no,
            sum(found.pairs)::bigint as pairs,
            coalesce(sum(found.pairs) filter (where found.rules = 1::bigint << number.rule_no), 0)::bigint as own_pairs
        from (select rules, count(*) as pairs from ({rules_sql}) group by rules) as found
        cross join (select unnest(range(62))::integer as rule_no) as number
        where (found.rules >> number.rule_no) & 1 = 1
        group by number.rule_no
    """
