-- table: mart.customer_holding
-- severity: block
-- message: balances by family and currency are those of the accounts, cards and loans of customers
with product as (
    select
        customer_id,
        product_family,
        currency_code,
        balance_amount
    from customer.account
    union all
    select
        customer_id,
        product_family,
        currency_code,
        balance_amount
    from customer.card
    union all
    select
        customer_id,
        product_family,
        currency_code,
        outstanding_amount
    from customer.loan
),

arrived as (
    select
        product_family,
        currency_code,
        sum(balance_amount) as balance_amount
    from product
    where customer_id is not null
    group by product_family, currency_code
),

kept as (
    select
        product_family,
        currency_code,
        sum(balance_amount) as balance_amount
    from mart.customer_holding
    group by product_family, currency_code
)

select
    product_family,
    currency_code
from arrived
full outer join kept using (product_family, currency_code)
where arrived.balance_amount is distinct from kept.balance_amount
