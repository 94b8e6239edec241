-- table: customer.consent
-- severity: block
-- message: every purpose that was stated for a record of a customer is a row of that customer
with statement as (
    select
        system,
        record_id,
        purpose
    from staging.consent
    union
    select
        system,
        record_id,
        purpose
    from staging.consent_decision
),

record as (
    select * from customer.customer_record
),

consent as (
    select * from customer.consent
)

select record.customer_id
from statement
inner join record using (system, record_id)
anti join consent on record.customer_id = consent.customer_id and statement.purpose = consent.purpose
