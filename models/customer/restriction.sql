-- Customers who asked to be forgotten while the bank must keep their data, and the day from which it may be
-- erased; none while the relationship goes on or nobody knows when it ended. Shares leave them out.
-- Grain: customer_id.
with request as (
    select * from staging.restriction_request
),

record as (
    select * from customer.customer_record
),

relationship_end as (
    select * from customer.relationship_end
)

select
    record.customer_id,
    min(request.restricted_from) as restricted_from,
    any_value(
        case
            when not relationship_end.is_relationship_open
                then relationship_end.relationship_ended_date + to_years(cast($retention_years as integer))
        end
    ) as erasable_from
from request
inner join record on request.system = record.system and request.record_id = record.record_id
inner join relationship_end on record.customer_id = relationship_end.customer_id
group by record.customer_id
