-- table: customer.customer_record
-- severity: block
-- message: no customer holds two different valid strong documents of one type unless a steward signed
with document as (
    select * from identity.party_document
    where is_strong and is_valid
),

record as (
    select * from customer.customer_record
),

node as (
    select * from identity.party_node
),

held as (
    select
        record.customer_id,
        node.node_id,
        document.document_type,
        document.document_number
    from document
    inner join record using (system, record_id)
    inner join node using (system, record_id)
),

signed_node as (
    select distinct node_id
    from node
    where is_held_by_decision
),

-- what a steward's decision brought into one node; nothing else brings two numbers into one
signed as (
    select
        held.node_id,
        held.document_type,
        count(distinct held.document_number) as signed_count
    from held
    inner join signed_node using (node_id)
    group by held.node_id, held.document_type
)

select
    held.customer_id,
    held.document_type
from held
left join signed using (node_id, document_type)
group by held.customer_id, held.document_type
having count(distinct held.document_number) > greatest(1, max(coalesce(signed.signed_count, 1)))
