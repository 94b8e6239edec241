-- table: mart.customer_360
-- severity: block
-- message: the mart has one row for every customer, and no other
with customer as (
    select * from customer.customer
),

mart as (
    select * from mart.customer_360
)

select customer_id
from customer
full outer join mart using (customer_id)
where customer.party_type is null or mart.party_type is null
