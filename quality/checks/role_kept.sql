-- table: customer.party_role
-- severity: block
-- message: every role that a system delivered is kept, with its party's customer
with arrived as (
    select distinct
        system,
        record_id,
        product_type,
        product_system,
        product_id,
        role
    from staging.party_role
),

kept as (
    select * from customer.party_role
),

record as (
    select * from customer.customer_record
)

select
    system,
    record_id
from arrived
full outer join kept using (system, record_id, product_type, product_system, product_id, role)
left join record using (system, record_id)
where
    arrived.role is null
    or kept.role is null
    or kept.customer_id is distinct from record.customer_id
