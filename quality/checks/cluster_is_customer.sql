-- table: customer.customer_record
-- severity: block
-- message: every cluster is one customer and every customer one cluster
with record as (
    select
        record.customer_id,
        cluster.cluster_no
    from customer.customer_record as record
    inner join identity.party_node using (system, record_id)
    inner join identity.cluster as cluster using (node_id)
)

select 'cluster ' || cluster_no as offending
from record
group by cluster_no
having count(distinct customer_id) > 1
union all
select 'customer ' || customer_id
from record
group by customer_id
having count(distinct cluster_no) > 1
