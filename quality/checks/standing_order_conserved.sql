-- table: customer.standing_order
-- severity: block
-- message: rows and money by system and currency are those that the systems delivered
with arrived as (
    select
        system,
        currency_code,
        count(*) as row_count,
        sum(amount) as amount
    from staging.standing_order
    group by system, currency_code
),

kept as (
    select
        system,
        currency_code,
        count(*) as row_count,
        sum(amount) as amount
    from customer.standing_order
    group by system, currency_code
)

select
    system,
    currency_code
from arrived
full outer join kept using (system, currency_code)
where
    arrived.row_count is distinct from kept.row_count
    or arrived.amount is distinct from kept.amount
