-- table: customer.customer_record
-- severity: block
-- message: no customer is made of both a person's and an organisation's records
with party as (
    select * from staging.party
),

record as (
    select * from customer.customer_record
)

select record.customer_id
from record
inner join party using (system, record_id)
group by record.customer_id
having count(distinct party.party_type) > 1
