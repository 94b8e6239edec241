-- How much of the bank's deposits, debts and contribution lies with its largest customers: the first 1, 10,
-- 50 and 100, and the first 1 %, 5 % and 10 % of the customers who have any, each by its own ranking.
-- Grain: measure, top_customers.
with customer as (
    select * from mart.customer_360
),

contribution as (
    select * from mart.customer_annual_contribution
),

amount as (
    select
        customer_id,
        'deposits' as measure,
        total_deposit_amount as amount
    from customer
    union all
    select
        customer_id,
        'debts',
        total_debt_amount
    from customer
    union all
    select
        customer_id,
        'contribution',
        contribution_amount
    from contribution
),

ranked as (
    select
        measure,
        amount,
        row_number() over (partition by measure order by amount desc, customer_id asc) as customer_rank,
        count(*) over (partition by measure) as customers,
        sum(amount) over (partition by measure) as total_amount
    from amount
    where amount <> 0
),

step as (
    select unnest([
        { 'top_customers': '1', 'first': 1, 'share': 0.0 },
        { 'top_customers': '10', 'first': 10, 'share': 0.0 },
        { 'top_customers': '50', 'first': 50, 'share': 0.0 },
        { 'top_customers': '100', 'first': 100, 'share': 0.0 },
        { 'top_customers': '1 %', 'first': 1, 'share': 0.01 },
        { 'top_customers': '5 %', 'first': 1, 'share': 0.05 },
        { 'top_customers': '10 %', 'first': 1, 'share': 0.10 }
    ], recursive := true)
)

select
    ranked.measure,
    step.top_customers,
    count(*) as customer_count,
    sum(ranked.amount) as top_amount,
    any_value(ranked.total_amount) as total_amount,
    round(sum(ranked.amount) / nullif(any_value(ranked.total_amount), 0), 6) as top_share
from ranked
inner join step on ranked.customer_rank <= greatest(step.first, ceil(step.share * ranked.customers))
group by ranked.measure, step.top_customers
