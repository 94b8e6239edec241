-- table: customer.consent
-- severity: warn
-- message: every consent that a system delivered is of a party record that it delivered
with statement as (
    select * from staging.consent
),

record as (
    select * from customer.customer_record
)

select
    statement.system,
    statement.record_id
from statement
anti join record on statement.system = record.system and statement.record_id = record.record_id
