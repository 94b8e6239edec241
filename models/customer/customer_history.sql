-- What was known of each customer from when to when, as the nights saw it: the golden record without the
-- counts of what stands behind it. valid_to: the first day of something else, or without the customer.
-- Grain: customer_id, valid_from.
with customer as (
    select
        customer_id,
        party_type,
        full_name,
        birth_date,
        sex,
        nationality,
        occupation,
        industry,
        document_type,
        document_number,
        mobile,
        phone,
        email,
        province,
        city,
        district,
        address_text,
        postcode,
        country,
        branch_system,
        branch_id,
        manager_system,
        manager_id,
        customer_since_date
    from customer.customer
),

known as (
    select * from previous.customer__customer_history
),

unchanged as (
    select
        customer_id,
        party_type,
        full_name,
        birth_date,
        sex,
        nationality,
        occupation,
        industry,
        document_type,
        document_number,
        mobile,
        phone,
        email,
        province,
        city,
        district,
        address_text,
        postcode,
        country,
        branch_system,
        branch_id,
        manager_system,
        manager_id,
        customer_since_date
    from customer
    intersect
    select
        customer_id,
        party_type,
        full_name,
        birth_date,
        sex,
        nationality,
        occupation,
        industry,
        document_type,
        document_number,
        mobile,
        phone,
        email,
        province,
        city,
        district,
        address_text,
        postcode,
        country,
        branch_system,
        branch_id,
        manager_system,
        manager_id,
        customer_since_date
    from known
    where valid_to is null
),

begun as (
    select customer.*
    from customer
    anti join unchanged using (customer_id)
),

row_of_history as (
    select
        known.customer_id,
        known.valid_from,
        if(
            known.valid_to is null and unchanged.customer_id is null, $business_date, known.valid_to
        ) as valid_to,
        known.party_type,
        known.full_name,
        known.birth_date,
        known.sex,
        known.nationality,
        known.occupation,
        known.industry,
        known.document_type,
        known.document_number,
        known.mobile,
        known.phone,
        known.email,
        known.province,
        known.city,
        known.district,
        known.address_text,
        known.postcode,
        known.country,
        known.branch_system,
        known.branch_id,
        known.manager_system,
        known.manager_id,
        known.customer_since_date
    from known
    left join unchanged using (customer_id)
    union all
    select
        customer_id,
        $business_date as valid_from,
        null as valid_to,
        party_type,
        full_name,
        birth_date,
        sex,
        nationality,
        occupation,
        industry,
        document_type,
        document_number,
        mobile,
        phone,
        email,
        province,
        city,
        district,
        address_text,
        postcode,
        country,
        branch_system,
        branch_id,
        manager_system,
        manager_id,
        customer_since_date
    from begun
)

select
    customer_id,
    valid_from,
    valid_to,
    party_type,
    full_name,
    birth_date,
    sex,
    nationality,
    occupation,
    industry,
    document_type,
    document_number,
    mobile,
    phone,
    email,
    province,
    city,
    district,
    address_text,
    postcode,
    country,
    branch_system,
    branch_id,
    manager_system,
    manager_id,
    customer_since_date
from row_of_history
