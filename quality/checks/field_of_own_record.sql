-- table: customer.customer_field
-- severity: block
-- message: every candidate value comes from a record of that customer
with field as (
    select * from customer.customer_field
),

record as (
    select * from customer.customer_record
)

select
    field.customer_id,
    field.field
from field
anti join record using (customer_id, system, record_id)
