-- table: mart.customer_behaviour
-- severity: block
-- message: the likeliest next product of every customer stands in its behaviour
select offer.customer_id
from value.next_product as offer
left join mart.customer_behaviour as behaviour using (customer_id, as_of_date)
where
    offer.propensity_rank = 1
    and (behaviour.next_product_family, behaviour.next_product_propensity)
    is distinct from (offer.product_family, offer.propensity)
