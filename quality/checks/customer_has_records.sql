-- table: customer.customer
-- severity: block
-- message: every customer has as many party records as it says, and none is of an unknown customer
with customer as (
    select * from customer.customer
),

linked as (
    select
        customer_id,
        count(*) as record_count,
        count(distinct system) as system_count
    from customer.customer_record
    group by customer_id
)

select customer_id
from customer
full outer join linked using (customer_id)
where
    customer.record_count is distinct from linked.record_count
    or customer.system_count is distinct from linked.system_count
