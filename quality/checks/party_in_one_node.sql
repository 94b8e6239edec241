-- table: identity.party_node
-- severity: block
-- message: every party record is standardised and in exactly one node
with party as (
    select * from staging.party
),

standard as (
    select * from identity.party_standard
),

node as (
    select * from identity.party_node
)

select
    system,
    record_id
from party
full outer join standard using (system, record_id)
full outer join node using (system, record_id)
group by system, record_id
having count(party.party_type) <> 1 or count(standard.party_type) <> 1 or count(node.node_id) <> 1
