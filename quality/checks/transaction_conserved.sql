-- table: customer.transaction
-- severity: block
-- message: rows and money by system and currency are those that the systems delivered
with arrived as (
    select
        system,
        currency_code,
        direction,
        count(*) as row_count,
        sum(amount) as amount
    from staging.transaction
    group by system, currency_code, direction
),

kept as (
    select
        system,
        currency_code,
        direction,
        count(*) as row_count,
        sum(amount) as amount
    from customer.transaction
    group by system, currency_code, direction
)

select
    system,
    currency_code,
    direction
from arrived
full outer join kept using (system, currency_code, direction)
where
    arrived.row_count is distinct from kept.row_count
    or arrived.amount is distinct from kept.amount
