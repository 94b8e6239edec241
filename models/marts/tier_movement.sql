-- How customers and their assets moved between service tiers in each month: from the tier at the end of the
-- month before (none: not customers then) to that of the month's latest night. Earlier months are kept.
-- Grain: month, party_type, from_tier, to_tier.
with segment as (
    select * from mart.customer_segment
    where service_tier is not null
),

earlier as (
    select * from previous.mart__tier_movement
    where month < date_trunc('month', $business_date)
),

movement as (
    select
        date_trunc('month', $business_date) as month,
        party_type,
        month_start_tier as from_tier,
        service_tier as to_tier,
        count(*) as customer_count,
        sum(assets_amount) as assets_amount
    from segment
    group by party_type, month_start_tier, service_tier
    union all by name
    select * from earlier
)

select
    month,
    party_type,
    from_tier,
    to_tier,
    customer_count,
    assets_amount
from movement
