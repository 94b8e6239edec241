-- table: mart.customer_risk
-- severity: block
-- message: debt, exposure and non-performing debt of every customer add up from its claims, to the cent
with claim as (
    select
        customer_id,
        sum(base_owed_amount) as debt_amount,
        sum(exposure_amount) as exposure_amount,
        coalesce(
            sum(base_owed_amount) filter (where risk_grade in ('substandard', 'doubtful', 'loss')), 0
        ) as non_performing_amount
    from value.exposure
    where customer_id is not null
    group by customer_id
),

risk as (
    select * from mart.customer_risk
)

select coalesce(claim.customer_id, risk.customer_id) as customer_id
from claim
full outer join risk using (customer_id)
where
    coalesce(claim.debt_amount, 0) is distinct from risk.debt_amount
    or coalesce(claim.exposure_amount, 0) is distinct from risk.exposure_amount
    or coalesce(claim.non_performing_amount, 0) is distinct from risk.non_performing_amount
