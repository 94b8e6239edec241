-- What each customer holds at the end of the business date: balances of accounts, what is owed on cards
-- and loans. A product counts for the one customer in charge of it (customer.product_holder), so sums are
-- the bank's.
-- Grain: customer_id, product_family, currency_code.
with account as (
    select * from customer.account
),

card as (
    select * from customer.card
),

loan as (
    select * from customer.loan
),

rate as (
    select * from staging.exchange_rate
),

product as (
    select
        customer_id,
        product_family,
        currency_code,
        balance_amount,
        coalesce(closed_date > $business_date, true) as is_open
    from account
    union all
    select
        customer_id,
        product_family,
        currency_code,
        balance_amount,
        coalesce(expiry_date >= $business_date, true)
    from card
    union all
    select
        customer_id,
        product_family,
        currency_code,
        outstanding_amount,
        coalesce(outstanding_amount > 0, maturity_date >= $business_date, true)
    from loan
)

select
    product.customer_id,
    product.product_family,
    product.currency_code,
    count(*) filter (where product.is_open) as product_count,
    cast(sum(product.balance_amount) as decimal(18, 2)) as balance_amount,
    cast(round(sum(product.balance_amount) * any_value(rate.exchange_rate), 2) as decimal(18, 2))
        as base_balance_amount
from product
left join rate using (currency_code)
where product.customer_id is not null
group by product.customer_id, product.product_family, product.currency_code
