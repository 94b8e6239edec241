-- table: customer.loan
-- severity: block
-- message: rows and money by system and currency are those that the systems delivered
with arrived as (
    select
        system,
        currency_code,
        count(*) as row_count,
        sum(principal_amount) as principal_amount,
        sum(outstanding_amount) as outstanding_amount,
        sum(overdue_amount) as overdue_amount
    from staging.loan
    group by system, currency_code
),

kept as (
    select
        system,
        currency_code,
        count(*) as row_count,
        sum(principal_amount) as principal_amount,
        sum(outstanding_amount) as outstanding_amount,
        sum(overdue_amount) as overdue_amount
    from customer.loan
    group by system, currency_code
)

select
    system,
    currency_code
from arrived
full outer join kept using (system, currency_code)
where
    arrived.row_count is distinct from kept.row_count
    or arrived.principal_amount is distinct from kept.principal_amount
    or arrived.outstanding_amount is distinct from kept.outstanding_amount
    or arrived.overdue_amount is distinct from kept.overdue_amount
