-- Figures of a night that say whether identity and documents are well: one row per measure and what it is of.
select
    'records_per_customer' as measure,
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
    max(record_count)
from customer.customer
having count(*) >= $enough
union all
select
    'changed_customers',
    'customer.customer_event',
    'release',
    'event',
    kind.event,
    (
        select count(distinct happened.customer_id)
        from customer.customer_event as happened
        where happened.business_date = $business_date and happened.event = kind.event
    )
    / customers.customer_count
from (select unnest(['merge', 'split']) as event) as kind
cross join (select count(*) as customer_count from customer.customer) as customers
where customers.customer_count >= $enough
union all
select
    'review_queue',
    'mart.review_queue',
    'release',
    '',
    '',
    queue.pair_count / customers.customer_count
from (select count(*) as pair_count from mart.review_queue) as queue
cross join (select count(*) as customer_count from customer.customer) as customers
where customers.customer_count >= $enough
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
