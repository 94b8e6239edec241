-- table: customer.card
-- severity: block
-- message: no card lost its customer: where a known party holds it, it has one
with product as (
    select * from customer.card
),

role as (
    select * from customer.party_role
    where product_type = 'card' and role <> 'guarantor' and customer_id is not null
)

select
    product.system,
    product.card_id
from product
inner join role on product.system = role.product_system and product.card_id = role.product_id
where product.customer_id is null
