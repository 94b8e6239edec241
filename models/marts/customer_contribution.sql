-- What the bank earns from each customer in each month, in its currency: sums over the customer's products.
-- Grain: customer_id, month.
with product as (
    select * from mart.customer_product_contribution
),

-- narrow again after the sums: DuckDB divides wide decimals slowly
summed as (
    select
        customer_id,
        month,
        any_value(period_days) as period_days,
        sum(product_count) as product_count,
        cast(sum(net_interest_amount) as decimal(18, 2)) as net_interest_amount,
        cast(sum(interchange_amount) as decimal(18, 2)) as interchange_amount,
        cast(sum(fee_income_amount) as decimal(18, 2)) as fee_income_amount,
        cast(sum(management_fee_amount) as decimal(18, 2)) as management_fee_amount,
        cast(sum(cost_amount) as decimal(18, 2)) as cost_amount,
        cast(sum(expected_loss_amount) as decimal(18, 2)) as expected_loss_amount,
        cast(sum(tax_amount) as decimal(18, 2)) as tax_amount,
        cast(sum(contribution_amount) as decimal(18, 2)) as contribution_amount,
        cast(sum(capital_charge_amount) as decimal(18, 2)) as capital_charge_amount,
        cast(sum(eva_amount) as decimal(18, 2)) as eva_amount,
        cast(sum(capital_amount) as decimal(18, 2)) as capital_amount
    from product
    group by all
)

select
    *,
    cast(contribution_amount * 365 / period_days / nullif(capital_amount, 0) as decimal(18, 6)) as raroc
from summed
