-- table: mart.customer_behaviour
-- severity: block
-- message: every customer has exactly one behaviour, with a probability of leaving between 0 and 1 or none
select customer.customer_id
from customer.customer
left join mart.customer_behaviour as behaviour using (customer_id)
where behaviour.customer_id is null or not coalesce(behaviour.churn_probability between 0 and 1, true)
