-- table: customer.customer_field
-- severity: block
-- message: the candidates of every field are ranked from 1 on without a gap, so exactly one survives
select
    customer_id,
    field
from customer.customer_field
group by customer_id, field
having min(field_rank) <> 1 or max(field_rank) <> count(*) or count(distinct field_rank) <> count(*)
