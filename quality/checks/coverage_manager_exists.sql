-- table: mart.coverage
-- severity: block
-- message: every responsible manager is a manager of tonight
with coverage as (
    select * from mart.coverage
),

manager as (
    select * from customer.manager
)

select coverage.customer_id
from coverage
anti join manager on coverage.manager_system = manager.system and coverage.manager_id = manager.manager_id
where coverage.manager_id is not null
