-- table: customer.customer_record
-- severity: warn
-- message: no customer holds two different valid strong documents of one type, not even signed for
with document as (
    select * from identity.party_document
    where is_strong and is_valid
),

record as (
    select * from customer.customer_record
)

select
    record.customer_id,
    document.document_type
from document
inner join record using (system, record_id)
group by record.customer_id, document.document_type
having count(distinct document.document_number) > 1
