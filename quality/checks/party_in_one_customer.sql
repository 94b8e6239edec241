-- table: customer.customer_record
-- severity: block
-- message: every party record belongs to exactly one customer
with party as (
    select * from staging.party
),

record as (
    select * from customer.customer_record
)

select
    system,
    record_id
from party
full outer join record using (system, record_id)
group by system, record_id
having count(party.party_type) <> 1 or count(record.customer_id) <> 1
