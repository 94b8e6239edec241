-- Loans that have left the loan file, as the performance tape told them last, so that their past is not lost
-- with them. Who had one is who is in charge by the roles; where nobody is any more, the customer of the
-- borrower's record, or of what became of it when it was last delivered.
-- Grain: system, loan_id.
with tape as (
    select * from staging.loan_performance
    where product_family is not null and currency_code is not null
),

loan as (
    select * from staging.loan
),

holder as (
    select * from customer.product_holder
    where product_type = 'loan'
),

history as (
    select * from customer.customer_record_history
),

retired as (
    select * from customer.retired_customer
),

customer as (
    select * from customer.customer
),

ended as (
    select tape.*
    from tape
    anti join loan on tape.system = loan.system and tape.loan_id = loan.loan_id
    qualify row_number() over (partition by tape.system, tape.loan_id order by tape.as_of_date desc) = 1
),

last_known as (
    select
        ended.system,
        ended.loan_id,
        arg_max(history.customer_id, history.valid_from) as customer_id
    from ended
    inner join history on ended.system = history.system and ended.record_id = history.record_id
    group by ended.system, ended.loan_id
)

select
    coalesce(holder.customer_id, customer.customer_id) as customer_id,
    ended.system,
    ended.loan_id,
    ended.product_code,
    ended.product_family,
    ended.currency_code,
    ended.interest_rate,
    ended.start_date,
    coalesce(ended.term_months, date_diff('month', ended.start_date, ended.maturity_date)) as term_months
from ended
left join holder on ended.system = holder.product_system and ended.loan_id = holder.product_id
left join last_known on ended.system = last_known.system and ended.loan_id = last_known.loan_id
left join retired on last_known.customer_id = retired.customer_id
left join customer on coalesce(retired.living_customer_id, last_known.customer_id) = customer.customer_id
