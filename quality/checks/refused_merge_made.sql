-- table: identity.refused_merge
-- severity: block
-- message: nodes whose merge was refused are in different clusters
with refused as (
    select * from identity.refused_merge
),

cluster as (
    select * from identity.cluster
)

select
    refused.node_id_l,
    refused.node_id_r
from refused
left join cluster as l on refused.node_id_l = l.node_id
left join cluster as r on refused.node_id_r = r.node_id
where coalesce(l.cluster_no = r.cluster_no, true)
