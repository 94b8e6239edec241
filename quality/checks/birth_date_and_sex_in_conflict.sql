-- table: customer.customer_record
-- severity: block
-- message: no customer has men and women who have no birth date in common, unless a steward signed
with party as (
    select * from identity.party_standard
    where party_type = 'person'
),

record as (
    select * from customer.customer_record
),

node as (
    select * from identity.party_node
),

-- a record that tells only one of the two may be what brought the others together, so it proves no conflict
told as (
    select
        record.customer_id,
        bool_or(node.is_held_by_decision) as is_signed,
        bool_or((party.birth_date is null) <> (party.sex is null)) as is_told_in_part,
        list(distinct party.birth_date) filter (where party.sex = 'male') as men,
        list(distinct party.birth_date) filter (where party.sex = 'female') as women
    from record
    inner join party using (system, record_id)
    inner join node using (system, record_id)
    group by record.customer_id
)

select customer_id
from told
where
    not is_signed
    and not is_told_in_part
    and not list_has_any(men, women)
