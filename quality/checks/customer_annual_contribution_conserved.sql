-- table: mart.customer_annual_contribution
-- severity: block
-- message: each customer's year is the sum of the customer's last twelve whole months, to the cent
with whole_month as (
    select distinct month
    from mart.customer_contribution
    where period_days = date_part('day', last_day(month))
    order by month desc
    limit 12
),

whole as (
    select
        customer_id,
        [
            sum(net_interest_amount),
            sum(interchange_amount),
            sum(fee_income_amount),
            sum(management_fee_amount),
            sum(cost_amount),
            sum(expected_loss_amount),
            sum(tax_amount),
            sum(contribution_amount),
            sum(capital_charge_amount),
            sum(eva_amount)
        ] as amounts
    from mart.customer_contribution
    where month in (from whole_month)
    group by customer_id
),

part as (
    select
        customer_id,
        [
            sum(net_interest_amount),
            sum(interchange_amount),
            sum(fee_income_amount),
            sum(management_fee_amount),
            sum(cost_amount),
            sum(expected_loss_amount),
            sum(tax_amount),
            sum(contribution_amount),
            sum(capital_charge_amount),
            sum(eva_amount)
        ] as amounts
    from mart.customer_annual_contribution
    group by customer_id
)

select customer_id
from whole
full outer join part using (customer_id)
where whole.amounts is distinct from part.amounts
