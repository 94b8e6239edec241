-- table: customer.customer_event
-- severity: block
-- message: tonight's customers are the ids whose last event is no merge and no retirement
with event as (
    select
        customer_id,
        arg_max(event, business_date) as last_event
    from customer.customer_event
    group by customer_id
),

customer as (
    select * from customer.customer
)

select customer_id
from event
full outer join customer using (customer_id)
where
    (customer.customer_id is not null)
    is distinct from (event.last_event in ('birth', 'split', 'reinstate'))
