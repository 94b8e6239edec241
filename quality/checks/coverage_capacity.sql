-- table: mart.coverage
-- severity: block
-- message: no manager has more customers of a tier than value.yaml allows, nor any of a team's tier
with coverage as (
    select * from mart.coverage
),

tier as (
    select * from value.coverage_tier
),

placed as (
    select
        coverage.responsible_code,
        coalesce(tier.service_tier, '*') as policy_tier,
        count(*) as customer_count
    from coverage
    left join tier using (service_tier)
    where coverage.manager_id is not null
    group by all
)

select placed.responsible_code
from placed
left join tier on placed.policy_tier = tier.service_tier
where tier.service_tier is null or tier.served_by = 'team' or placed.customer_count > tier.manager_capacity
