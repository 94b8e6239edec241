-- Relationships between customers: what the related customer is to the customer.
-- Grain: customer_id, related_customer_id, relationship.
-- Household, co-borrower, joint owner and sister company hold both ways and are listed twice, others once:
-- guarantor of the borrower, legal representative of the organisation, employer of the person, contact
-- person of the organisation that gives the person's phone or e-mail, parent company of the branch.
with customer as (
    select * from customer.customer
),

record as (
    select * from customer.customer_record
),

role as (
    select * from customer.party_role
    where customer_id is not null
),

account as (
    select * from customer.account
),

loan as (
    select * from customer.loan
),

shared as (
    select * from customer.shared_evidence
),

standard as (
    select * from identity.party_standard
),

product as (
    select
        'account' as product_type,
        system as product_system,
        account_id as product_id,
        opened_date as since_date,
        closed_date as until_date
    from account
    union all
    select
        'loan',
        system,
        loan_id,
        start_date,
        maturity_date
    from loan
),

-- stated by a source: two customers with roles towards one product
on_product as (
    select
        role.customer_id,
        other.customer_id as related_customer_id,
        case
            when other.role = 'guarantor' then 'guarantor'
            when role.product_type = 'loan' then 'co_borrower'
            else 'joint_owner'
        end as relationship,
        role.product_type,
        role.product_system,
        role.product_id,
        product.since_date,
        product.until_date
    from role
    inner join role as other using (product_type, product_system, product_id)
    left join product using (product_type, product_system, product_id)
    where
        role.product_type in ('account', 'loan')
        and role.customer_id <> other.customer_id
        and role.role in ('borrower', 'co_borrower', 'owner', 'joint_owner')
        and other.role in ('borrower', 'co_borrower', 'owner', 'joint_owner', 'guarantor')
),

stated as (
    select
        customer_id,
        related_customer_id,
        relationship,
        product_type as evidence,
        count(distinct concat_ws('|', product_system, product_id)) as evidence_count,
        'registered' as strength,
        min(since_date) as since_date,
        if(count(*) = count(until_date), max(until_date), null) as until_date
    from on_product
    group by customer_id, related_customer_id, relationship, product_type
    union all
    select
        represented.customer_id,
        role.customer_id as related_customer_id,
        'legal_representative',
        'register',
        count(distinct concat_ws('|', role.product_system, role.product_id)),
        'registered',
        null,
        null
    from role
    inner join record as represented
        on role.product_system = represented.system and role.product_id = represented.record_id
    where
        role.product_type = 'party'
        and role.role = 'legal_representative'
        and represented.customer_id <> role.customer_id
    group by represented.customer_id, role.customer_id
),

-- inferred from what they have in common
branch as (
    select
        record.customer_id,
        bool_and(standard.branch_suffix is not null) as is_branch
    from standard
    inner join record using (system, record_id)
    where standard.party_type = 'organisation' and standard.name_core is not null
    group by record.customer_id
),

pair as (
    select
        shared.customer_id,
        shared.related_customer_id,
        customer.party_type,
        other.party_type as related_party_type,
        bool_or(shared.is_employer) as is_employer,
        list(shared.evidence_kind order by shared.evidence_kind) as kinds,
        list_has_any(kinds, ['mobile', 'phone', 'email']) as has_contact,
        list_has_any(kinds, ['address', 'phone']) as has_home,
        sum(shared.evidence_count) as evidence_count,
        min(shared.since_date) as since_date
    from shared
    inner join customer using (customer_id)
    inner join customer as other on shared.related_customer_id = other.customer_id
    group by shared.customer_id, shared.related_customer_id, customer.party_type, other.party_type
),

household as (
    select
        *,
        'household' as relationship,
        case
            when has_contact and list_contains(kinds, 'address') then 'strong'
            when has_home and len(kinds) > 1 then 'fair'
            else 'weak'
        end as strength
    from pair
    where
        party_type = 'person' and related_party_type = 'person'
        and (has_home or list_has_any(kinds, ['surname', 'ages']))
),

employer as (
    select
        *,
        'employer' as relationship,
        if(len(kinds) > 1, 'fair', 'weak') as strength
    from pair
    where party_type = 'person' and related_party_type = 'organisation' and is_employer
),

contact_person as (
    select
        *,
        'contact_person' as relationship,
        if(len(kinds) > 1, 'fair', 'weak') as strength
    from pair
    where
        party_type = 'organisation' and related_party_type = 'person'
        and has_contact and not is_employer
),

-- the name of a branch spells the name of its company
company as (
    select
        pair.*,
        list_contains(pair.kinds, 'name')
        and coalesce(branch.is_branch, false) <> coalesce(other_branch.is_branch, false) as is_one_company,
        coalesce(branch.is_branch, false) as is_branch
    from pair
    left join branch using (customer_id)
    left join branch as other_branch on pair.related_customer_id = other_branch.customer_id
    where pair.party_type = 'organisation' and pair.related_party_type = 'organisation'
),

group_member as (
    select
        * exclude (is_one_company, is_branch),
        if(is_one_company, 'parent_company', 'sister_company') as relationship,
        case
            when len(kinds) > 2 then 'strong'
            when len(kinds) > 1 or is_one_company then 'fair'
            else 'weak'
        end as strength
    from company
    where if(is_one_company, is_branch, kinds <> ['address'])
),

inferred as (
    from household
    union all by name
    from employer
    union all by name
    from contact_person
    union all by name
    from group_member
),

relationship as (
    from stated
    union all by name
    select
        customer_id,
        related_customer_id,
        relationship,
        array_to_string(kinds, ', ') as evidence,
        evidence_count,
        strength,
        since_date,
        cast(null as date) as until_date
    from inferred
)

select
    customer_id,
    related_customer_id,
    relationship,
    evidence,
    evidence_count,
    strength,
    since_date,
    until_date
from relationship
