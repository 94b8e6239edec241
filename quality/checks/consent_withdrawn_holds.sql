-- table: customer.consent
-- severity: block
-- message: nobody counts as consenting of whose records one withdrew at the time of the last grant or after
with statement as (
    select
        system,
        record_id,
        purpose,
        is_granted,
        decided_at
    from staging.consent
    union all
    select
        system,
        record_id,
        purpose,
        is_granted,
        decided_at
    from staging.consent_decision
),

record as (
    select * from customer.customer_record
),

consent as (
    select * from customer.consent
),

latest as (
    select
        record.customer_id,
        statement.purpose,
        max(statement.decided_at) filter (where statement.is_granted) as granted_at,
        max(statement.decided_at) filter (where not statement.is_granted) as withdrawn_at,
        bool_or(not statement.is_granted and statement.decided_at is null) as is_withdrawn_undated
    from statement
    inner join record using (system, record_id)
    group by record.customer_id, statement.purpose
)

select consent.customer_id
from consent
left join latest using (customer_id, purpose)
where
    consent.is_granted
    and (
        latest.customer_id is null
        or latest.is_withdrawn_undated
        or (latest.withdrawn_at is not null and coalesce(latest.withdrawn_at >= latest.granted_at, true))
    )
