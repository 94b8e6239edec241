-- table: mart.manager_scorecard
-- severity: block
-- message: customers of the present month are those of the coverage, for each manager and team
with coverage as (
    select
        responsible_code,
        count(*) as customer_count
    from mart.coverage
    group by responsible_code
),

scorecard as (
    select * from mart.manager_scorecard
    qualify month = max(month) over ()
)

select coalesce(coverage.responsible_code, scorecard.responsible_code) as responsible_code
from coverage
full outer join scorecard using (responsible_code)
where coalesce(coverage.customer_count, 0) <> coalesce(scorecard.customer_count, 0)
