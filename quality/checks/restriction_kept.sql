-- table: customer.restriction
-- severity: block
-- message: every customer of whom a request to be forgotten waits is restricted
with request as (
    select * from staging.restriction_request
),

record as (
    select * from customer.customer_record
),

restriction as (
    select * from customer.restriction
)

select distinct record.customer_id
from request
inner join record on request.system = record.system and request.record_id = record.record_id
anti join restriction on record.customer_id = restriction.customer_id
