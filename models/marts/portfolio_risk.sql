-- The risk of the bank by segment: customers with debt, their exposure and expected loss by service tier and
-- five-class grade.
-- Grain: party_type, service_tier, risk_grade.
with segment as (
    select * from mart.customer_segment
),

risk as (
    select * from mart.customer_risk
    where has_debt
)

select
    segment.party_type,
    coalesce(segment.service_tier, 'none') as service_tier,
    risk.risk_grade,
    count(*) as customer_count,
    sum(risk.debt_amount) as debt_amount,
    sum(risk.exposure_amount) as exposure_amount,
    sum(risk.expected_loss_amount) as expected_loss_amount,
    sum(risk.probability_of_default * risk.exposure_amount) / nullif(sum(risk.exposure_amount), 0)
        as weighted_probability_of_default
from risk
inner join segment using (customer_id)
group by all
