-- What the bank earns from each customer in each month, in its currency: sums over the customer's products.
-- Grain: customer_id, month.
with product as (
    select * from mart.customer_product_contribution
)

select
    customer_id,
    month,
    any_value(period_days) as period_days,
    sum(product_count) as product_count,
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
from product
group by all
