-- Figures of a night that say whether identity and documents are well: one row per measure and what it is of.
with size as (
    select
        count(*) as customer_count,
        max(record_count) as largest_record_count
    from customer.customer
    having count(*) >= $enough
),
queue as (
    select count(*) as pair_count
    from mart.review_queue
),
happened as (
    select
        event,
        count(distinct customer_id) as customer_count
    from customer.customer_event
    where business_date = $business_date
    group by event
),
changed as (
    select
        kind.event,
        coalesce(happened.customer_count, 0) as customer_count
    from (select unnest(['merge', 'split']) as event) as kind
    left join happened on kind.event = happened.event
)
select
    'records_per_customer' as drift_measure,
    'customer.customer_record' as table_name,
    'release' as origin,
    '' as column_name,
    '' as detail,
    count(*) / count(distinct customer_id) as measured
from customer.customer_record
having count(*) >= $enough
union all
select
    'largest_customer',
    'customer.customer',
    'release',
    'record_count',
    '',
    largest_record_count
from size
union all
select
    'changed_customers',
    'customer.customer_event',
    'release',
    'event',
    changed.event,
    changed.customer_count / size.customer_count
from changed
cross join size
union all
select
    'review_queue',
    'mart.review_queue',
    'release',
    '',
    '',
    queue.pair_count / size.customer_count
from queue
cross join size
union all
select
    'valid_documents',
    'identity.party_document',
    system,
    'is_valid',
    document_type,
    count(*) filter (where is_valid) / count(*)
from identity.party_document
group by system, document_type
having count(*) >= $enough
