-- What each customer consents to: of all that was stated for its records the latest, at the same time the
-- withdrawal. Without time a withdrawal counts as the latest, a grant as the earliest. No row, no consent.
-- Grain: customer_id, purpose.
with delivered as (
    select * from staging.consent
),

written_down as (
    select * from staging.consent_decision
),

record as (
    select * from customer.customer_record
),

statement as (
    select
        system,
        record_id,
        purpose,
        is_granted,
        decided_at,
        system as consent_origin
    from delivered
    union all
    select
        system,
        record_id,
        purpose,
        is_granted,
        decided_at,
        'c360' as consent_origin
    from written_down
)

select
    record.customer_id,
    statement.purpose,
    statement.is_granted,
    statement.decided_at,
    statement.consent_origin
from statement
inner join record using (system, record_id)
qualify row_number() over (
    partition by record.customer_id, statement.purpose
    order by
        coalesce(
            statement.decided_at,
            case when statement.is_granted then '-infinity'::timestamp else 'infinity'::timestamp end
        ) desc,
        statement.is_granted asc,
        statement.consent_origin asc
) = 1
