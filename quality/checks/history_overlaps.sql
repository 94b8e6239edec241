-- table: customer.customer_record_history
-- severity: block
-- message: intervals of a party record are not empty, do not overlap and do not break without cause
with interval as (
    select
        *,
        lead(valid_from) over own as next_from,
        lead(customer_id) over own as next_customer_id
    from customer.customer_record_history
    window own as (partition by system, record_id order by valid_from)
)

select
    system,
    record_id
from interval
where
    valid_to <= valid_from
    or next_from < coalesce(valid_to, 'infinity')
    or (next_from = valid_to and next_customer_id = customer_id)
