-- The golden record: the surviving value of every field, and how many records and systems stand behind it.
-- Grain: customer_id.
with record as (
    select * from customer.customer_record
),

field as (
    select * from customer.customer_field
),

party as (
    select * from staging.party
),

winner as (
    select
        customer_id,
        max(field_value) filter (where field = 'full_name') as full_name,
        max(field_value) filter (where field = 'birth_date') as birth_date,
        max(field_value) filter (where field = 'sex') as sex,
        max(field_value) filter (where field = 'nationality') as nationality,
        max(field_value) filter (where field = 'occupation') as occupation,
        max(field_value) filter (where field = 'industry') as industry,
        max(field_value) filter (where field = 'document') as document,
        max(field_value) filter (where field = 'mobile') as mobile,
        max(field_value) filter (where field = 'phone') as phone,
        max(field_value) filter (where field = 'email') as email,
        max(field_value) filter (where field = 'address') as address,
        max(field_value) filter (where field = 'branch') as branch_id,
        max(system) filter (where field = 'branch') as branch_system,
        max(field_value) filter (where field = 'manager') as manager_id,
        max(system) filter (where field = 'manager') as manager_system
    from field
    where field_rank = 1
    group by customer_id
),

-- a customer is an organisation when most of its records say so
made_of as (
    select
        record.customer_id,
        count(*) as record_count,
        count(distinct record.system) as system_count,
        min(party.opened_date) as customer_since_date,
        case
            when 2 * count(*) filter (where party.party_type = 'organisation') > count(*) then 'organisation'
            else 'person'
        end as party_type
    from record
    inner join party using (system, record_id)
    group by record.customer_id
)

select
    made_of.customer_id,
    made_of.party_type,
    winner.full_name,
    cast(winner.birth_date as date) as birth_date,
    winner.sex,
    winner.nationality,
    winner.occupation,
    winner.industry,
    split_part(winner.document, ':', 1) as document_type,
    winner.document[position(':' in winner.document) + 1:] as document_number,
    winner.mobile,
    winner.phone,
    winner.email,
    winner.address ->> '$.province' as province,
    winner.address ->> '$.city' as city,
    winner.address ->> '$.district' as district,
    winner.address ->> '$.address_text' as address_text,
    winner.address ->> '$.postcode' as postcode,
    winner.address ->> '$.country' as country,
    winner.branch_system,
    winner.branch_id,
    winner.manager_system,
    winner.manager_id,
    made_of.customer_since_date,
    made_of.record_count,
    made_of.system_count
from made_of
left join winner using (customer_id)
