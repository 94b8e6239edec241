-- One row per customer: who they are, how to reach them, what they hold and owe in the bank's currency,
-- when they were active, and who looks after them.
-- Grain: customer_id.
with customer as (
    select * from customer.customer
),

holding as (
    select * from mart.customer_holding
),

role as (
    select * from customer.party_role
),

loan as (
    select * from customer.loan
),

transaction as (
    select * from customer.transaction
),

branch as (
    select * from customer.branch
),

manager as (
    select * from customer.manager
),

rate as (
    select * from staging.exchange_rate
),

family as (
    select
        customer_id,
        sum(product_count) as product_count,
        sum(base_balance_amount) filter (where product_family = 'current_deposit') as current_deposit_amount,
        sum(base_balance_amount) filter (where product_family = 'savings_deposit') as savings_deposit_amount,
        sum(base_balance_amount) filter (where product_family = 'term_deposit') as term_deposit_amount,
        sum(base_balance_amount) filter (where product_family = 'investment') as investment_amount,
        sum(base_balance_amount) filter (where product_family = 'insurance') as insurance_amount,
        sum(base_balance_amount) filter (where product_family = 'credit_card') as credit_card_amount,
        sum(base_balance_amount) filter (where product_family = 'mortgage') as mortgage_amount,
        sum(base_balance_amount) filter (where product_family = 'consumer_loan') as consumer_loan_amount,
        sum(base_balance_amount) filter (where product_family = 'business_loan') as business_loan_amount,
        sum(base_balance_amount) filter (where product_family = 'other') as other_amount,
        sum(base_balance_amount) filter (
            where product_family in ('current_deposit', 'savings_deposit', 'term_deposit')
        ) as total_deposit_amount,
        sum(base_balance_amount) filter (
            where product_family in ('credit_card', 'mortgage', 'consumer_loan', 'business_loan')
        ) as total_debt_amount
    from holding
    group by customer_id
),

-- every role counts here, joint ones too: two owners each see the account, only one carries its balance
held as (
    select
        customer_id,
        count(distinct product_system || ' ' || product_id) filter (
            where product_type = 'account' and role in ('owner', 'joint_owner')
        ) as account_count,
        count(distinct product_system || ' ' || product_id) filter (
            where product_type = 'card'
        ) as card_count,
        count(distinct product_system || ' ' || product_id) filter (
            where product_type = 'loan' and role in ('borrower', 'co_borrower')
        ) as loan_count,
        count(distinct product_system || ' ' || product_id) filter (
            where product_type = 'loan' and role = 'guarantor'
        ) as guaranteed_loan_count
    from role
    group by customer_id
),

arrears as (
    select
        loan.customer_id,
        sum(round(loan.overdue_amount * rate.exchange_rate, 2)) as overdue_debt_amount,
        max(loan.days_past_due) as max_days_past_due
    from loan
    left join rate using (currency_code)
    group by loan.customer_id
),

activity as (
    select
        customer_id,
        count(*) as transaction_count,
        min(booked_date) as first_activity_date,
        max(booked_date) as last_activity_date
    from transaction
    group by customer_id
)

select
    customer.customer_id,
    customer.party_type,
    customer.full_name,
    customer.birth_date,
    cast(date_diff('year', customer.birth_date, $business_date) as integer)
    - case
        when strftime($business_date, '%m%d') < strftime(customer.birth_date, '%m%d') then 1 else 0
    end as age_years,
    customer.sex,
    customer.nationality,
    customer.document_type,
    customer.document_number,
    customer.mobile,
    customer.email,
    customer.province,
    customer.city,
    customer.district,
    customer.branch_system,
    customer.branch_id,
    branch.branch_name,
    customer.manager_system,
    customer.manager_id,
    manager.manager_name,
    customer.customer_since_date,
    customer.record_count,
    customer.system_count,
    coalesce(family.product_count, 0) as product_count,
    coalesce(held.account_count, 0) as account_count,
    coalesce(held.card_count, 0) as card_count,
    coalesce(held.loan_count, 0) as loan_count,
    coalesce(held.guaranteed_loan_count, 0) as guaranteed_loan_count,
    coalesce(family.current_deposit_amount, 0) as current_deposit_amount,
    coalesce(family.savings_deposit_amount, 0) as savings_deposit_amount,
    coalesce(family.term_deposit_amount, 0) as term_deposit_amount,
    coalesce(family.investment_amount, 0) as investment_amount,
    coalesce(family.insurance_amount, 0) as insurance_amount,
    coalesce(family.credit_card_amount, 0) as credit_card_amount,
    coalesce(family.mortgage_amount, 0) as mortgage_amount,
    coalesce(family.consumer_loan_amount, 0) as consumer_loan_amount,
    coalesce(family.business_loan_amount, 0) as business_loan_amount,
    coalesce(family.other_amount, 0) as other_amount,
    coalesce(family.total_deposit_amount, 0) as total_deposit_amount,
    coalesce(family.total_debt_amount, 0) as total_debt_amount,
    coalesce(arrears.overdue_debt_amount, 0) as overdue_debt_amount,
    arrears.max_days_past_due,
    coalesce(activity.transaction_count, 0) as transaction_count,
    activity.first_activity_date,
    activity.last_activity_date
from customer
left join family using (customer_id)
left join held using (customer_id)
left join arrears using (customer_id)
left join activity using (customer_id)
left join branch on customer.branch_system = branch.system and customer.branch_id = branch.branch_id
left join manager on customer.manager_system = manager.system and customer.manager_id = manager.manager_id
