-- table: value.exposure
-- severity: block
-- message: what customers owe by family and currency is what their holdings of credit cards and loans say
with owed as (
    select
        customer_id,
        product_family,
        currency_code,
        sum(owed_amount) as owed_amount
    from value.exposure
    where customer_id is not null
    group by customer_id, product_family, currency_code
),

holding as (
    select * from mart.customer_holding
    where product_family in ('credit_card', 'mortgage', 'consumer_loan', 'business_loan')
)

select coalesce(owed.customer_id, holding.customer_id) as customer_id
from owed
full outer join holding using (customer_id, product_family, currency_code)
where coalesce(owed.owed_amount, 0) <> coalesce(holding.balance_amount, 0)
