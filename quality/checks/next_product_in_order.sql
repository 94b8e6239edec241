-- table: value.next_product
-- severity: block
-- message: propensities lie between 0 and 1 and rank the families of each customer from 1 without a gap
select
    customer_id,
    product_family
from value.next_product
qualify
    propensity not between 0 and 1
    or propensity_rank
    <> row_number() over (partition by customer_id order by propensity desc, product_family asc)
