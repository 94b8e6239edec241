-- table: mart.customer_segment
-- severity: block
-- message: every customer has exactly one segment, and a tier where value.yaml has tiers
with tiered as (
    select max(business_date) as business_date
    from mart.customer_segment
),

standard as (
    select count(*) as tier_count
    from mart.service_standard, tiered
    where
        service_standard.valid_from <= tiered.business_date
        and coalesce(service_standard.valid_to > tiered.business_date, true)
)

select customer.customer_id
from customer.customer
cross join standard
left join mart.customer_segment as segment using (customer_id)
where segment.customer_id is null or (segment.service_tier is null) <> (standard.tier_count = 0)
