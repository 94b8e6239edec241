-- table: mart.customer_segment
-- severity: block
-- message: assets and debts are those of the customers' holdings, to the cent
with held as (
    select
        coalesce(
            sum(base_balance_amount) filter (
                where product_family in (
                    'current_deposit', 'savings_deposit', 'term_deposit', 'investment', 'insurance'
                )
            ),
            0
        ) as assets_amount,
        coalesce(
            sum(base_balance_amount) filter (
                where product_family in ('credit_card', 'mortgage', 'consumer_loan', 'business_loan')
            ),
            0
        ) as debt_amount
    from mart.customer_holding
),

told as (
    select
        coalesce(sum(assets_amount), 0) as assets_amount,
        coalesce(sum(debt_amount), 0) as debt_amount
    from mart.customer_segment
)

select held.assets_amount
from held
cross join told
where held.assets_amount <> told.assets_amount or held.debt_amount <> told.debt_amount
