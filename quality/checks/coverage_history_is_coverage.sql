-- table: mart.coverage_history
-- severity: block
-- message: what has not ended in the history is who is responsible now
with history as (
    select * from mart.coverage_history
    where valid_to is null
),

coverage as (
    select * from mart.coverage
)

select coverage.customer_id
from coverage
full outer join history using (customer_id, responsible_code)
where coverage.customer_id is null or history.customer_id is null
