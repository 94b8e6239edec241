-- Every candidate value of every golden field, ranked by the survivorship rules; rank 1 survives.
-- Grain: customer_id, field, field_rank.
-- Rules: valid before invalid; identity fields then take the value that most records agree on, contact and
-- servicing fields the most recent; then the trusted system ($trust, first is best); ties by record key.
with record as (
    select * from customer.customer_record
),

party as (
    select * from staging.party
),

standard as (
    select * from identity.party_standard
),

document as (
    select * from identity.party_document
),

contact as (
    select * from identity.party_contact
),

address as (
    select * from staging.party_address
),

named as (
    select
        party.*,
        standard.name_standard,
        standard.birth_date as standard_birth_date,
        standard.sex as standard_sex,
        coalesce(
            trim(party.full_name),
            nullif(trim(concat_ws(' ', trim(party.given_name), trim(party.family_name))), '')
        ) as display_name
    from party
    inner join standard using (system, record_id)
),

-- is_valid: the value can be trusted in itself. agreement: what counts as the same value in another record.
candidate as (
    select
        system,
        record_id,
        updated_at,
        'full_name' as field,
        display_name as field_value,
        coalesce(name_standard, display_name) as agreement,
        not contains(display_name, '*') and not (party_type = 'person' and name_standard is null) as is_valid
    from named
    union all
    select
        system,
        record_id,
        updated_at,
        'birth_date',
        cast(standard_birth_date as varchar),
        null,
        true
    from named
    union all
    select
        system,
        record_id,
        updated_at,
        'sex',
        standard_sex,
        null,
        true
    from named
    union all
    select
        system,
        record_id,
        updated_at,
        'nationality',
        nationality,
        null,
        true
    from named
    union all
    select
        system,
        record_id,
        updated_at,
        'occupation',
        occupation,
        null,
        true
    from named
    union all
    select
        system,
        record_id,
        updated_at,
        'industry',
        industry,
        null,
        true
    from named
    union all
    select
        system,
        record_id,
        updated_at,
        'branch',
        branch_id,
        null,
        true
    from named
    union all
    select
        system,
        record_id,
        updated_at,
        'manager',
        manager_id,
        null,
        true
    from named
    union all
    select
        document.system,
        document.record_id,
        named.updated_at,
        'document',
        document.document_type || ':' || document.document_number,
        null,
        document.is_strong
    from document
    inner join named using (system, record_id)
    where document.is_valid or not contains(document.document_number, '*')
    union all
    select
        contact.system,
        contact.record_id,
        named.updated_at,
        contact.contact_type,
        contact.contact_value,
        null,
        contact.is_identifying
    from contact
    inner join named using (system, record_id)
    union all
    select
        address.system,
        address.record_id,
        named.updated_at,
        'address',
        cast(to_json({
            'province': address.province, 'city': address.city, 'district': address.district,
            'address_text': address.address_text, 'postcode': address.postcode, 'country': address.country
        }) as varchar),
        null,
        address.address_type in ('home', 'registered')
    from address
    inner join named using (system, record_id)
),

-- one row per record and value, so that a value written twice in one record is not twice the evidence
distinct_candidate as (
    select
        record.customer_id,
        candidate.field,
        candidate.field_value,
        candidate.system,
        candidate.record_id,
        max(coalesce(candidate.agreement, candidate.field_value)) as agreement,
        bool_or(candidate.is_valid) as is_valid,
        max(candidate.updated_at) as updated_at
    from candidate
    inner join record using (system, record_id)
    where candidate.field_value is not null
    group by all
),

counted as (
    select
        *,
        field in ('full_name', 'birth_date', 'sex', 'nationality', 'document', 'industry')
            as is_identity_field,
        count(*) over (partition by customer_id, field, agreement) as agreeing
    from distinct_candidate
)

select
    customer_id,
    field,
    row_number() over (
        partition by customer_id, field
        order by
            is_valid desc,
            case when is_identity_field then agreeing else 0 end desc,
            case when not is_identity_field then updated_at end desc nulls last,
            coalesce(list_position($trust, system), len($trust) + 1),
            updated_at desc nulls last,
            agreeing desc,
            system asc,
            record_id asc,
            field_value asc
    ) as field_rank,
    field_value,
    system,
    record_id
from counted
