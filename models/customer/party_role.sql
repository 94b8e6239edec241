-- Roles of customers towards accounts, cards, loans and other parties.
-- Grain: product_type, product_system, product_id, role, system, record_id.
with role as (
    select * from staging.party_role
),

record as (
    select * from customer.customer_record
)

select
    record.customer_id,
    role.system,
    role.record_id,
    role.product_type,
    role.product_system,
    role.product_id,
    role.role
from role
left join record using (system, record_id)
group by all
