-- table: customer.household
-- severity: block
-- message: every person is in one household, which is as large as it says and named after one of its members
with household as (
    select * from customer.household
),

customer as (
    select * from customer.customer
    where party_type = 'person'
),

counted as (
    select
        household_id,
        count(*) as household_size,
        bool_or(customer_id = household_id) as has_head
    from household
    group by household_id
)

select coalesce(customer.customer_id, household.customer_id) as customer_id
from customer
full outer join household using (customer_id)
left join counted using (household_id)
where
    customer.customer_id is null
    or household.customer_id is null
    or household.household_size <> counted.household_size
    or not counted.has_head
