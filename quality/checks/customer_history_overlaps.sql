-- table: customer.customer_history
-- severity: block
-- message: periods of a customer are not empty and do not overlap
with period as (
    select
        *,
        lead(valid_from) over (partition by customer_id order by valid_from) as next_from
    from customer.customer_history
)

select customer_id
from period
where valid_to <= valid_from or next_from < coalesce(valid_to, 'infinity')
