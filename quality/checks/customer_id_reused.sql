-- table: customer.customer_event
-- severity: block
-- message: a customer id is given out once, and one that was merged into another never returns
with event as (
    select * from customer.customer_event
)

select customer_id
from event
group by customer_id
having
    count(*) filter (where event in ('birth', 'split')) <> 1
    or max(business_date) > min(business_date) filter (where event = 'merge')
