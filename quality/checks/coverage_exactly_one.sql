-- table: mart.coverage
-- severity: block
-- message: every customer has exactly one responsible manager or team, and the code tells which
with coverage as (
    select * from mart.coverage
),

customer as (
    select * from customer.customer
),

counted as (
    select
        customer.customer_id,
        count(coverage.customer_id) as coverage_count,
        bool_and(
            coverage.team_name is not null
            and case
                when coverage.manager_id is null then coverage.responsible_code like 'team:%'
                else
                    coalesce(
                        coverage.responsible_code
                        = 'manager:' || coverage.manager_system || ':' || coverage.manager_id,
                        false
                    )
            end
        ) as is_told
    from customer
    full outer join coverage using (customer_id)
    group by customer.customer_id
)

select customer_id
from counted
where customer_id is null or coverage_count <> 1 or not is_told
