-- table: customer.customer_history
-- severity: block
-- message: what has not ended in the history is the golden record of tonight, one row of each living customer
with history as (
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
    from customer.customer_history
    where valid_to is null
),

customer as (
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

only_in_history as (
    select * from history
    except all
    select * from customer
),

only_in_customer as (
    select * from customer
    except all
    select * from history
)

select customer_id from only_in_history
union all
select customer_id from only_in_customer
