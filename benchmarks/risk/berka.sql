-- What was known of each loan of Berka on the day it was granted, and how it ended: B (finished, not paid) and D
-- (running, in debt) are bad. Statistics of a year are known once the year is over. Transactions are read where they
-- reach up to the grant; standing orders carry no date and are left out, sex is protected.
-- Grain: loan_id.
with loan as (
    select
        loan.*,
        cast(landed.payments as double) as payment
    from staging.loan
    inner join landing.loan__loan as landed using (loan_id)
),

owner as (
    select
        role.product_id as account_id,
        party.birth_date,
        client.district_id
    from staging.party_role as role
    inner join staging.party using (system, record_id)
    inner join landing.core__client as client on role.record_id = client.client_id
    where role.product_type = 'account' and role.role = 'owner'
),

helper as (
    select
        product_id as account_id,
        count(*) as helper_count
    from staging.party_role
    where product_type = 'account' and role = 'authorised'
    group by product_id
),

account as (
    select
        account.account_id,
        account.opened_date,
        landed.district_id,
        landed.frequency
    from staging.account
    inner join landing.core__account as landed using (account_id)
),

card as (
    select
        disp.account_id,
        min(card.issued_date) as issued_date
    from staging.card
    inner join landing.card__card as landed using (card_id)
    inner join landing.core__disp as disp using (disp_id)
    group by disp.account_id
),

district as (
    select
        district_id,
        try_cast(inhabitants as double) as inhabitants,
        try_cast(municipalities_to_499 as double) as small_municipalities,
        try_cast(cities as double) as cities,
        try_cast(urban_percent as double) as urban_percent,
        try_cast(average_salary as double) as average_salary,
        try_cast(unemployment_1995 as double) as unemployment_1995,
        try_cast(unemployment_1996 as double) as unemployment_1996,
        try_cast(entrepreneurs as double) as entrepreneurs,
        try_cast(crimes_1995 as double) as crimes_1995,
        try_cast(crimes_1996 as double) as crimes_1996
    from landing.core__district
),

reach as (
    select max(booked_date) as last_date
    from staging.transaction
),

movement as (
    select
        loan.loan_id,
        count(*) as movements,
        arg_max(movement.balance_after_amount, (movement.booked_date, movement.source_line)) as last_balance,
        min(movement.balance_after_amount) as least_balance,
        avg(cast(movement.balance_after_amount as double)) as mean_balance,
        sum(movement.amount) filter (where movement.direction = 'credit') as credits,
        sum(movement.amount) filter (where movement.direction = 'debit') as debits,
        date_diff('day', min(movement.booked_date), loan.start_date) as days
    from loan
    cross join reach
    inner join staging.transaction as movement
        on
            loan.account_id = movement.product_id
            and movement.product_type = 'account'
            and movement.booked_date < loan.start_date
    where loan.start_date <= reach.last_date
    group by loan.loan_id, loan.start_date
)

select
    loan.loan_id,
    loan.status_code in ('finished_unpaid', 'running_in_debt') as is_bad,
    cast(loan.principal_amount as double) as amount,
    loan.term_months as duration,
    loan.payment,
    loan.payment / district.average_salary as payment_to_salary,
    date_diff('month', owner.birth_date, loan.start_date) / 12 as age_years,
    date_diff('day', account.opened_date, loan.start_date) as account_days,
    if(account.frequency = 'POPLATEK MESICNE', 1, 0) as statement_monthly,
    coalesce(helper.helper_count, 0) as helper_count,
    if(card.issued_date < loan.start_date, 1, 0) as has_card,
    if(owner.district_id = account.district_id, 1, 0) as banks_at_home,
    district.inhabitants,
    district.small_municipalities,
    district.cities,
    district.urban_percent,
    district.average_salary,
    district.entrepreneurs,
    case
        when loan.start_date >= date '1997-01-01' then district.unemployment_1996
        when loan.start_date >= date '1996-01-01' then district.unemployment_1995
    end as unemployment,
    case
        when loan.start_date >= date '1997-01-01' then district.crimes_1996
        when loan.start_date >= date '1996-01-01' then district.crimes_1995
    end / district.inhabitants as crime_rate,
    movement.movements * 30.0 / nullif(movement.days, 0) as monthly_movements,
    cast(movement.last_balance as double) as last_balance,
    cast(movement.least_balance as double) as least_balance,
    movement.mean_balance,
    cast(movement.credits as double) * 30.0 / nullif(movement.days, 0) as monthly_credits,
    cast(movement.debits as double) / nullif(cast(movement.credits as double), 0) as spending_ratio
from loan
inner join account using (account_id)
inner join owner using (account_id)
inner join district on owner.district_id = district.district_id
left join helper using (account_id)
left join card using (account_id)
left join movement using (loan_id)
order by loan.loan_id
