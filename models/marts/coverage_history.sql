-- Who was responsible for each customer from when to when (valid_to: the first day of another, or of nobody),
-- as the nights saw it. Ids that were retired keep their rows, ended.
-- Grain: customer_id, valid_from.
with coverage as (
    select * from mart.coverage
),

known as (
    select * from previous.mart__coverage_history
),

open_row as (
    select * from known
    where valid_to is null
),

begun as (
    select coverage.*
    from coverage
    anti join open_row using (customer_id, responsible_code)
),

row_of_history as (
    select
        known.customer_id,
        known.valid_from,
        if(
            known.valid_to is null and coverage.responsible_code is distinct from known.responsible_code,
            $business_date,
            known.valid_to
        ) as valid_to,
        known.responsible_code
    from known
    left join coverage using (customer_id)
    union all
    select
        customer_id,
        $business_date as valid_from,
        null as valid_to,
        responsible_code
    from begun
)

select
    customer_id,
    valid_from,
    valid_to,
    responsible_code
from row_of_history
