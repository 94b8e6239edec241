-- table: mart.customer_holding
-- severity: block
-- message: every currency of an account, card, loan or transaction has an exchange rate in bank.yaml
with used as (
    select currency_code from customer.account
    union
    select currency_code from customer.card
    union
    select currency_code from customer.loan
    union
    select currency_code from customer.transaction
),

rate as (
    select * from staging.exchange_rate
)

select used.currency_code
from used
anti join rate using (currency_code)
