-- What the bank earns from each customer by product and month, in its currency: sums of value.product_month,
-- to the cent. Products of which no customer is in charge are in mart.bank_contribution.
-- Grain: customer_id, system, product_family, product_code, month.
with product_month as (
    select * from value.product_month
    where customer_id is not null
)

select
    customer_id,
    system,
    product_family,
    coalesce(product_code, '') as product_code,
    month,
    any_value(period_days) as period_days,
    count(*) as product_count,
    sum(base_average_balance_amount) as base_average_balance_amount,
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
    sum(capital_amount) as capital_amount,
    cast(
        sum(contribution_amount) * 365 / any_value(period_days) / nullif(sum(capital_amount), 0)
        as decimal(18, 6)
    ) as raroc
from product_month
group by all
