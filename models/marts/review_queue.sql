-- Pairs of customers that may be one and that nobody has judged, those with most money at stake first: merges
-- that a fact refused, records that fit two customers, pairs with evidence short of a merge. Each pair of
-- customers is told by its best pair of records.
-- Grain: customer_id_l, customer_id_r.
with pair as (
    select * from identity.node_pair
),

refused as (
    select * from identity.refused_merge
),

node as (
    select * from identity.party_node
),

record as (
    select * from customer.customer_record
),

decision as (
    select * from identity.decision
    where verdict = 'different' and standing = 'binding'
),

mart as (
    select * from mart.customer_360
),

member as (
    select
        node.node_id,
        record.customer_id,
        min(struct_pack(system := node.system, record_id := node.record_id)) as first_record
    from node
    inner join record using (system, record_id)
    group by node.node_id, record.customer_id
),

told as (
    select
        pair.node_id_l,
        pair.node_id_r,
        pair.match_weight,
        pair.comparison_levels,
        coalesce(refused.reason, 'evidence between the review and the merge threshold') as reason
    from pair
    left join refused using (node_id_l, node_id_r)
    -- pairs that others link are scored whatever they weigh: alone they are nothing to judge
    where pair.blocking_rule <> 'linked through others' or refused.reason is not null
),

either_way as (
    select
        node_id_l as one,
        node_id_r as other,
        match_weight,
        comparison_levels,
        reason
    from told
    union all
    select
        node_id_r,
        node_id_l,
        match_weight,
        comparison_levels,
        reason
    from told
),

best as (
    select
        l.customer_id as customer_id_l,
        r.customer_id as customer_id_r,
        l.first_record.system as system_l,
        l.first_record.record_id as record_id_l,
        r.first_record.system as system_r,
        r.first_record.record_id as record_id_r,
        either_way.match_weight,
        either_way.comparison_levels,
        either_way.reason
    from either_way
    inner join member as l on either_way.one = l.node_id
    inner join member as r on either_way.other = r.node_id
    where l.customer_id < r.customer_id
    qualify row_number() over (
        partition by l.customer_id, r.customer_id
        order by either_way.match_weight desc, l.first_record asc, r.first_record asc
    ) = 1
),

decided as (
    select distinct
        least(l.customer_id, r.customer_id) as customer_id_l,
        greatest(l.customer_id, r.customer_id) as customer_id_r
    from decision
    inner join record as l on decision.system_l = l.system and decision.record_id_l = l.record_id
    inner join record as r on decision.system_r = r.system and decision.record_id_r = r.record_id
),

open_pair as (
    select
        best.*,
        mart_l.total_deposit_amount + mart_l.total_debt_amount as balance_amount_l,
        mart_r.total_deposit_amount + mart_r.total_debt_amount as balance_amount_r
    from best
    anti join decided using (customer_id_l, customer_id_r)
    inner join mart as mart_l on best.customer_id_l = mart_l.customer_id
    inner join mart as mart_r on best.customer_id_r = mart_r.customer_id
)

select
    customer_id_l,
    customer_id_r,
    row_number() over (
        order by
            balance_amount_l + balance_amount_r desc,
            match_weight desc,
            customer_id_l asc,
            customer_id_r asc
    ) as review_rank,
    balance_amount_l,
    balance_amount_r,
    balance_amount_l + balance_amount_r as at_stake_amount,
    match_weight,
    reason,
    comparison_levels,
    system_l,
    record_id_l,
    system_r,
    record_id_r
from open_pair
