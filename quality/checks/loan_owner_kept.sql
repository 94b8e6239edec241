-- table: customer.loan
-- severity: block
-- message: no loan lost its customer: where a known party holds it, it has one
with product as (
    select * from customer.loan
),

role as (
    select * from customer.party_role
    where product_type = 'loan' and role <> 'guarantor' and customer_id is not null
)

select
    product.system,
    product.loan_id
from product
inner join role on product.system = role.product_system and product.loan_id = role.product_id
where product.customer_id is null
