-- table: mart.customer_risk
-- severity: block
-- message: every customer is there once; who owes anything has a grade, a stage and a probability of default
with customer as (
    select * from customer.customer
),

risk as (
    select * from mart.customer_risk
)

select coalesce(customer.customer_id, risk.customer_id) as customer_id
from customer
full outer join risk using (customer_id)
where
    customer.customer_id is null
    or risk.customer_id is null
    or (
        risk.has_debt
        and (risk.risk_grade is null or risk.ifrs9_stage is null or risk.probability_of_default is null)
    )
    or risk.probability_of_default not between 0 and 1
