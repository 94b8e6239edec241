-- What two customers have in common: contacts, addresses, surname, ages, company name, representative.
-- Grain: customer_id, related_customer_id, evidence_kind.
-- Both directions. What is an agent's or junk is no evidence; an employer's ties its persons to it, not to
-- each other. Surname and ages (those of a couple) are listed only where there is something else in common.
with record as (
    select * from customer.customer_record
),

customer as (
    select * from customer.customer
),

contact as (
    select * from identity.party_contact
    where holding_no > 0
),

contact_profile as (
    select * from identity.contact_profile
    where contact_kind not in ('agent', 'junk') and holder_record_count > 1
),

standard as (
    select * from identity.party_standard
),

address_profile as (
    select * from identity.address_profile
    where contact_kind not in ('agent', 'junk')
),

role as (
    select * from staging.party_role
    where product_type = 'party' and role = 'legal_representative'
),

-- a re-assigned number is another one in every holding
given as (
    select
        record.customer_id,
        contact.contact_type as evidence_kind,
        concat(contact.contact_value, '#', contact.holding_no) as shared_value,
        contact_profile.contact_kind = 'employer' as is_employer,
        contact.seen_date
    from contact
    inner join contact_profile using (contact_type, contact_value)
    inner join record using (system, record_id)
    union all
    select
        record.customer_id,
        'address',
        address_profile.address_value,
        address_profile.contact_kind = 'employer',
        cast(standard.updated_at as date)
    from standard
    inner join address_profile
        on address_profile.address_value = concat_ws('|', standard.address_region, standard.address_key)
    inner join record using (system, record_id)
    union all
    select
        record.customer_id,
        'name',
        standard.name_core,
        false,
        null
    from standard
    inner join record using (system, record_id)
    where standard.party_type = 'organisation' and not contains(standard.name_core, '*')
    union all
    select
        represented.customer_id,
        'representative',
        representative.customer_id as representative_id,
        false,
        null
    from role
    inner join record as representative using (system, record_id)
    inner join record as represented
        on role.product_system = represented.system and role.product_id = represented.record_id
),

-- a name or a representative of very many companies is no group, but a common word or an agent
holder as (
    select
        given.customer_id,
        given.evidence_kind,
        given.shared_value,
        given.is_employer,
        customer.party_type,
        min(given.seen_date) as since_date
    from given
    inner join customer using (customer_id)
    group by
        given.customer_id, given.evidence_kind, given.shared_value, given.is_employer, customer.party_type
    qualify
        given.evidence_kind not in ('name', 'representative')
        or count(*) over (partition by given.evidence_kind, given.shared_value) <= 12
),

met as (
    select
        *,
        unnest(case
            when not is_employer then ['person', 'organisation']
            when party_type = 'person' then ['organisation']
            else ['person']
        end) as met_type
    from holder
),

pair as (
    select
        met.customer_id,
        other.customer_id as related_customer_id,
        met.evidence_kind,
        count(*) as evidence_count,
        bool_or(met.is_employer) as is_employer,
        min(greatest(met.since_date, other.since_date)) as since_date
    from met
    inner join holder as other
        on
            met.evidence_kind = other.evidence_kind
            and met.shared_value = other.shared_value
            and met.met_type = other.party_type
    where met.customer_id <> other.customer_id
    group by met.customer_id, other.customer_id, met.evidence_kind
),

surname as (
    select distinct
        record.customer_id,
        standard.surname
    from standard
    inner join record using (system, record_id)
    where standard.party_type = 'person' and standard.surname is not null
),

together as (
    select distinct
        customer_id,
        related_customer_id
    from pair
),

namesake as (
    select distinct
        together.customer_id,
        together.related_customer_id
    from together
    inner join surname using (customer_id)
    inner join surname as other
        on together.related_customer_id = other.customer_id and surname.surname = other.surname
),

couple as (
    select
        together.customer_id,
        together.related_customer_id
    from together
    inner join customer using (customer_id)
    inner join customer as other on together.related_customer_id = other.customer_id
    where
        customer.sex <> other.sex
        and abs(date_diff('month', customer.birth_date, other.birth_date)) <= 15 * 12
),

evidence as (
    select
        customer_id,
        related_customer_id,
        evidence_kind,
        evidence_count,
        is_employer,
        since_date
    from pair
    union all
    select
        customer_id,
        related_customer_id,
        'surname',
        1,
        false,
        null
    from namesake
    union all
    select
        customer_id,
        related_customer_id,
        'ages',
        1,
        false,
        null
    from couple
)

select
    customer_id,
    related_customer_id,
    evidence_kind,
    evidence_count,
    is_employer,
    since_date
from evidence
