-- table: value.next_product
-- severity: block
-- message: no customer is told a product family that it holds
select
    offer.customer_id,
    offer.product_family
from value.next_product as offer
semi join mart.customer_holding using (customer_id, product_family)
