-- table: mart.customer_product_contribution
-- severity: block
-- message: by month and family they add up to the bank's with a customer in charge, to the cent
with whole as (
    select
        month,
        product_family,
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
    from mart.bank_contribution
    where is_assigned
    group by month, product_family
),

part as (
    select
        month,
        product_family,
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
    group by month, product_family
)

select
    month,
    product_family
from whole
full outer join part using (month, product_family)
where whole.amounts is distinct from part.amounts
