-- table: mart.customer_segment
-- severity: block
-- message: every tier has its service standard in force
select segment.customer_id
from mart.customer_segment as segment
anti join mart.service_standard as standard
    on
        segment.party_type = standard.party_type
        and segment.service_tier = standard.service_tier
        and segment.business_date >= standard.valid_from
        and (standard.valid_to is null or segment.business_date < standard.valid_to)
where segment.service_tier is not null
