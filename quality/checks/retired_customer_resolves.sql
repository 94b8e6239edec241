-- table: customer.retired_customer
-- severity: block
-- message: every id ever given out lives or is retired; a retired one leads to a customer or is gone
with issued as (
    select distinct customer_id from customer.customer_event
),

customer as (
    select * from customer.customer
),

retired as (
    select * from customer.retired_customer
),

state as (
    select
        customer_id,
        customer.customer_id is not null as is_living,
        retired.customer_id is not null as is_retired,
        retired.living_customer_id,
        retired.resolution
    from issued
    left join customer using (customer_id)
    full outer join retired using (customer_id)
)

select state.customer_id
from state
left join customer on state.living_customer_id = customer.customer_id
where
    state.is_living = state.is_retired
    or (state.is_retired and (customer.customer_id is null) <> (state.resolution = 'gone'))
