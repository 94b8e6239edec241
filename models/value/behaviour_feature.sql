-- What was known of the behaviour of each active customer at month ends: what leaving is predicted from,
-- made by one and the same query for fitting (past month ends) and scoring (the latest). Nothing dated
-- after a month end is read, and no balance of tonight: balances are those that movements up to it told. A
-- change lies between -1 (all gone) and 1 (nothing before). Who is active: docs/behaviour.md.
-- Grain: customer_id, as_of_date.
with rule as (
    select unnest($churn)
),

as_of as (
    select
        as_of_date,
        cast(date_trunc('month', as_of_date) as date) as month
    from (select unnest($churn_dates) as as_of_date) as dates
),

activity as (
    select * from value.customer_month
),

customer as (
    select
        customer_id,
        party_type
    from customer.customer
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

flow as (
    select
        activity.*,
        as_of.as_of_date,
        date_diff('month', activity.month, as_of.month) as age,
        rule.active_months
    from activity
    cross join rule
    inner join as_of
        on activity.month <= as_of.month and activity.month > as_of.month - to_months(12)
),

flows as (
    select
        customer_id,
        as_of_date,
        coalesce(sum(initiated_count) filter (where age = 0), 0) as initiated_count_1m,
        coalesce(sum(initiated_count) filter (where age < 3), 0) as initiated_count_3m,
        coalesce(sum(initiated_count) filter (where age between 1 and 3), 0) / 3 as initiated_before_1m,
        coalesce(sum(initiated_count) filter (where age between 3 and 11), 0) / 3 as initiated_before_3m,
        coalesce(sum(initiated_count) filter (where age < active_months), 0) as active_count,
        count(*) filter (where initiated_count > 0) as active_months_12m,
        max(last_initiated_date) as last_initiated_date,
        arg_min(known_balance_amount, age) as balance_amount,
        coalesce(arg_min(known_balance_amount, age) filter (where age >= 1), 0) as balance_amount_1m,
        coalesce(arg_min(known_balance_amount, age) filter (where age >= 3), 0) as balance_amount_3m,
        avg(known_balance_amount) as balance_mean,
        coalesce(sum(base_credit_amount) filter (where age = 0), 0) as credit_1m,
        coalesce(sum(base_debit_amount) filter (where age = 0), 0) as debit_1m,
        coalesce(sum(base_credit_amount) filter (where age < 3), 0) as credit_3m,
        coalesce(sum(base_debit_amount) filter (where age < 3), 0) as debit_3m,
        coalesce(sum(base_credit_amount) filter (where age between 1 and 3), 0) / 3 as credit_before_1m,
        count(*) filter (where age < 6 and base_salary_amount > 0) as salary_months_6m,
        min(age) filter (where base_salary_amount > 0) as months_since_salary,
        sum(initiated_count) as initiated_count_12m,
        sum(mobile_count + online_count) as digital_count,
        sum(counter_count) as counter_count,
        sum(point_of_sale_count) as point_of_sale_count
    from flow
    group by customer_id, as_of_date
),

opened as (
    select
        customer_id,
        product_family,
        opened_date,
        closed_date
    from account
    union all
    select
        customer_id,
        product_family,
        issued_date,
        expiry_date
    from card
    union all
    select
        customer_id,
        product_family,
        start_date,
        maturity_date
    from loan
),

product as (
    select
        opened.customer_id,
        as_of.as_of_date,
        max(date_diff('month', opened.opened_date, as_of.as_of_date)) as tenure_months,
        min(date_diff('month', opened.opened_date, as_of.as_of_date)) as months_since_opening,
        count(*) as opened_product_count,
        count(distinct opened.product_family) filter (
            where coalesce(opened.closed_date > as_of.as_of_date, true)
        ) as family_count,
        bool_or(opened.product_family in ('mortgage', 'consumer_loan', 'business_loan')) as has_loan,
        bool_or(opened.product_family = 'credit_card') as has_credit_card
    from opened
    inner join as_of on opened.opened_date <= as_of.as_of_date
    where opened.customer_id is not null
    group by opened.customer_id, as_of.as_of_date
)

select
    flows.customer_id,
    flows.as_of_date,
    flows.initiated_count_1m,
    flows.initiated_count_3m,
    round(
        (flows.initiated_count_1m - flows.initiated_before_1m)
        / nullif(flows.initiated_count_1m + flows.initiated_before_1m, 0), 6
    ) as initiated_change_1m,
    round(
        (flows.initiated_count_3m - flows.initiated_before_3m)
        / nullif(flows.initiated_count_3m + flows.initiated_before_3m, 0), 6
    ) as initiated_change_3m,
    flows.active_months_12m,
    date_diff('day', flows.last_initiated_date, flows.as_of_date) as days_since_initiated,
    flows.balance_amount as known_balance_amount,
    round(
        (flows.balance_amount - flows.balance_amount_1m)
        / nullif(abs(flows.balance_amount) + abs(flows.balance_amount_1m), 0), 6
    ) as balance_change_1m,
    round(
        (flows.balance_amount - flows.balance_amount_3m)
        / nullif(abs(flows.balance_amount) + abs(flows.balance_amount_3m), 0), 6
    ) as balance_change_3m,
    round(
        (flows.balance_amount - flows.balance_mean)
        / nullif(abs(flows.balance_amount) + abs(flows.balance_mean), 0), 6
    ) as balance_change_12m,
    round(flows.debit_1m / nullif(flows.debit_1m + flows.credit_1m, 0), 6) as outflow_share_1m,
    round(flows.debit_3m / nullif(flows.debit_3m + flows.credit_3m, 0), 6) as outflow_share_3m,
    round(
        (flows.credit_1m - flows.credit_before_1m) / nullif(flows.credit_1m + flows.credit_before_1m, 0), 6
    ) as inflow_change_1m,
    flows.salary_months_6m,
    flows.months_since_salary,
    round(flows.digital_count / nullif(flows.initiated_count_12m, 0), 6) as digital_share_12m,
    round(flows.counter_count / nullif(flows.initiated_count_12m, 0), 6) as counter_share_12m,
    round(flows.point_of_sale_count / nullif(flows.initiated_count_12m, 0), 6) as point_of_sale_share_12m,
    product.tenure_months,
    product.months_since_opening,
    coalesce(product.opened_product_count, 0) as opened_product_count,
    coalesce(product.family_count, 0) as family_count,
    coalesce(product.has_loan, false) as has_loan,
    coalesce(product.has_credit_card, false) as has_credit_card,
    customer.party_type = 'organisation' as is_organisation
from flows
inner join customer using (customer_id)
cross join rule
left join product using (customer_id, as_of_date)
where flows.active_count > 0 and flows.balance_amount > rule.minimum_balance
