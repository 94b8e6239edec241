-- table: mart.customer_behaviour
-- severity: block
-- message: every score of leaving stands in the behaviour of its customer
select score.customer_id
from value.churn_score as score
left join mart.customer_behaviour as behaviour using (customer_id, as_of_date)
where behaviour.churn_probability is distinct from score.churn_probability
