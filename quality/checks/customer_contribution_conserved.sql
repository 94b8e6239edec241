-- table: mart.customer_contribution
-- severity: block
-- message: what each customer brings in all months is what the customer's products bring, to the cent
with whole as (
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
            sum(eva_amount),
            sum(capital_amount)
        ] as amounts
    from mart.customer_product_contribution
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
            sum(eva_amount),
            sum(capital_amount)
        ] as amounts
    from mart.customer_contribution
    group by customer_id
)

select customer_id
from whole
full outer join part using (customer_id)
where whole.amounts is distinct from part.amounts
