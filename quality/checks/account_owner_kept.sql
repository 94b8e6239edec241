-- table: customer.account
-- severity: block
-- message: no account lost its customer: where a known party holds it, it has one
with product as (
    select * from customer.account
),

role as (
    select * from customer.party_role
    where product_type = 'account' and role <> 'guarantor' and customer_id is not null
)

select
    product.system,
    product.account_id
from product
inner join role on product.system = role.product_system and product.account_id = role.product_id
where product.customer_id is null
