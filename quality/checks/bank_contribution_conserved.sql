-- table: mart.bank_contribution
-- severity: block
-- message: amounts by month, family and whether a customer is in charge are the products', to the cent
with whole as (
    select
        month,
        product_family,
        customer_id is not null as is_assigned,
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
    from value.product_month
    group by month, product_family, is_assigned
),

part as (
    select
        month,
        product_family,
        is_assigned,
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
    group by month, product_family, is_assigned
)

select
    month,
    product_family,
    is_assigned
from whole
full outer join part using (month, product_family, is_assigned)
where whole.amounts is distinct from part.amounts
