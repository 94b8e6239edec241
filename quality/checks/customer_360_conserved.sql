-- table: mart.customer_360
-- severity: block
-- message: totals by product family are those of the holdings, in the bank's currency
with mart as (
    select * from mart.customer_360
),

kept as (
    select
        replace(column_name, '_amount', '') as product_family,
        sum(family_amount) as family_amount
    from mart
    unpivot (
        family_amount for column_name in (
            current_deposit_amount, savings_deposit_amount, term_deposit_amount, investment_amount,
            insurance_amount, credit_card_amount, mortgage_amount, consumer_loan_amount,
            business_loan_amount, other_amount
        )
    )
    group by product_family
),

holding as (
    select
        product_family,
        sum(base_balance_amount) as family_amount
    from mart.customer_holding
    where product_family <> 'debit_card'
    group by product_family
)

select product_family
from kept
full outer join holding using (product_family)
where coalesce(kept.family_amount, 0) <> coalesce(holding.family_amount, 0)
