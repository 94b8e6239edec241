-- table: customer.card
-- severity: block
-- message: rows and money by system and currency are those that the systems delivered
with arrived as (
    select
        system,
        currency_code,
        count(*) as row_count,
        sum(credit_limit_amount) as credit_limit_amount,
        sum(balance_amount) as balance_amount
    from staging.card
    group by system, currency_code
),

kept as (
    select
        system,
        currency_code,
        count(*) as row_count,
        sum(credit_limit_amount) as credit_limit_amount,
        sum(balance_amount) as balance_amount
    from customer.card
    group by system, currency_code
)

select
    system,
    currency_code
from arrived
full outer join kept using (system, currency_code)
where
    arrived.row_count is distinct from kept.row_count
    or arrived.credit_limit_amount is distinct from kept.credit_limit_amount
    or arrived.balance_amount is distinct from kept.balance_amount
