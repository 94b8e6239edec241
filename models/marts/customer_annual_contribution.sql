-- What the bank earned from each customer in the last twelve whole months, in its currency: sums over the
-- months. Capital is what was tied over the year: each month's by its days, over 365.
-- Grain: customer_id.
with monthly as (
    select * from mart.customer_contribution
    where date_diff('month', month, $as_of_date) between 0 and 11
)

select
    customer_id,
    count(*) as month_count,
    sum(net_interest_amount) as net_interest_amount,
    sum(interchange_amount) as interchange_amount,
    sum(fee_income_amount) as fee_income_amount,
    sum(management_fee_amount) as management_fee_amount,
    sum(cost_amount) as cost_amount,
    sum(expected_loss_amount) as expected_loss_amount,
    sum(tax_amount) as tax_amount,
    sum(contribution_amount) as contribution_amount,
    sum(capital_charge_amount) as capital_charge_amount,
    sum(eva_amount) as eva_amount,
    round(cast(sum(capital_amount * period_days) / 365 as decimal(28, 8)), 2) as capital_amount,
    cast(
        sum(contribution_amount) * 365 / nullif(sum(capital_amount * period_days), 0) as decimal(18, 6)
    ) as raroc
from monthly
group by customer_id
