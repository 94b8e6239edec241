-- table: identity.cluster
-- severity: block
-- message: every node is in exactly one cluster, and every cluster is made of nodes
with node as (
    select distinct node_id as place
    from identity.party_node
),

cluster as (
    select
        node_id as place,
        cluster_no
    from identity.cluster
)

select place
from node
full outer join cluster using (place)
group by place
having count(node.place) <> 1 or count(cluster.cluster_no) <> 1
