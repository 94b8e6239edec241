-- Whether each customer's relationship with the bank goes on, and when it ended: the last day on which one of
-- its products was closed, expired or due, a transaction was booked, or a record was opened. In doubt it ends
-- later. Every role counts: who guarantees an open loan, or represents a company that is a customer, is not
-- gone.
-- Grain: customer_id.
with customer as (
    select * from customer.customer
),

role as (
    select * from customer.party_role
),

record as (
    select * from customer.customer_record
),

account as (
    select * from customer.account
),

card as (
    select * from customer.card
),

loan as (
    select * from customer.loan
),

ended_loan as (
    select * from customer.ended_loan
),

performance as (
    select * from staging.loan_performance
),

transaction as (
    select * from customer.transaction
),

party as (
    select * from staging.party
),

product as (
    select
        'account' as product_type,
        system as product_system,
        account_id as product_id,
        closed_date is null and coalesce(status_code, '') <> 'closed' as is_open,
        closed_date as ended_date
    from account
    union all
    select
        'card' as product_type,
        system as product_system,
        card_id as product_id,
        coalesce(balance_amount, 0) <> 0
        or (
            coalesce(expiry_date >= $business_date, true)
            and coalesce(status_code, '') not in ('closed', 'cancelled')
        ) as is_open,
        expiry_date as ended_date
    from card
    union all
    select
        'loan' as product_type,
        system as product_system,
        loan_id as product_id,
        coalesce(outstanding_amount, 0) <> 0
        or coalesce(overdue_amount, 0) <> 0
        or coalesce(status_code, '') not in ('closed', 'settled') as is_open,
        maturity_date as ended_date
    from loan
    union all
    select
        'loan' as product_type,
        ended_loan.system as product_system,
        ended_loan.loan_id as product_id,
        false as is_open,
        max(performance.as_of_date) as ended_date
    from ended_loan
    left join performance
        on ended_loan.system = performance.system and ended_loan.loan_id = performance.loan_id
    group by ended_loan.system, ended_loan.loan_id
    union all
    -- a party with a representative: while it is delivered
    select
        'party' as product_type,
        system as product_system,
        record_id as product_id,
        true as is_open,
        null as ended_date
    from record
),

seen as (
    select
        role.customer_id,
        product.is_open,
        product.ended_date
    from role
    inner join product
        on
            role.product_type = product.product_type
            and role.product_system = product.product_system
            and role.product_id = product.product_id
    union all
    select
        customer_id,
        false as is_open,
        max(booked_date) as ended_date
    from transaction
    group by customer_id
    union all
    select
        record.customer_id,
        false as is_open,
        party.opened_date as ended_date
    from record
    inner join party on record.system = party.system and record.record_id = party.record_id
)

select
    customer.customer_id,
    coalesce(bool_or(seen.is_open), false) as is_relationship_open,
    max(seen.ended_date) as relationship_ended_date
from customer
left join seen on customer.customer_id = seen.customer_id
group by customer.customer_id
