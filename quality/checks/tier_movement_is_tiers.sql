-- table: mart.tier_movement
-- severity: block
-- message: the present month's movements end in the tiers that customers have, with the same count and assets
with present as (
    select
        party_type,
        service_tier,
        count(*) as customer_count,
        sum(assets_amount) as assets_amount
    from mart.customer_segment
    where service_tier is not null
    group by party_type, service_tier
),

moved as (
    select
        party_type,
        to_tier as service_tier,
        sum(customer_count) as customer_count,
        sum(assets_amount) as assets_amount
    from mart.tier_movement
    where month = (select date_trunc('month', max(one.business_date)) from mart.customer_segment as one)
    group by party_type, to_tier
)

select coalesce(present.service_tier, moved.service_tier) as service_tier
from present
full outer join moved using (party_type, service_tier)
where
    present.customer_count is distinct from moved.customer_count
    or present.assets_amount is distinct from moved.assets_amount
