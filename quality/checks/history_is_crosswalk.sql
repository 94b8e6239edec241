-- table: customer.customer_record_history
-- severity: block
-- message: the history's open intervals are tonight's crosswalk
with interval as (
    select * from customer.customer_record_history
    where valid_to is null
),

record as (
    select * from customer.customer_record
)

select
    system,
    record_id
from interval
full outer join record using (system, record_id)
where interval.customer_id is distinct from record.customer_id
