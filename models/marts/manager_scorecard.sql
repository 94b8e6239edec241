-- What each manager and each team achieved with their customers, month by month, as far back as it is known
-- who was responsible: of a past month those customers count who were theirs at its end, of the present one
-- tonight's. Customers are those who live tonight, so one that was merged counts once, with all that it
-- earned. What only the night itself can see (households, assets, products, leaving, issues) stays as the
-- last night of the month saw it.
-- Grain: responsible_code, month.
with history as (
    select * from mart.coverage_history
),

coverage as (
    select * from mart.coverage
),

customer as (
    select * from customer.customer
),

household as (
    select * from customer.household
),

segment as (
    select * from mart.customer_segment
),

score as (
    select * from value.churn_score
),

holding as (
    select * from mart.customer_holding
),

issue as (
    select * from mart.coverage_issue
),

earned as (
    select * from mart.customer_contribution
),

product_month as (
    select * from mart.customer_product_contribution
),

loan as (
    select
        loan.*,
        rate.exchange_rate
    from customer.loan
    left join staging.exchange_rate as rate using (currency_code)
    where loan.customer_id is not null
),

performance as (
    select * from staging.loan_performance
),

manager as (
    select * from customer.manager
),

before as (
    select * from previous.mart__manager_scorecard
),

calendar as (
    select
        unnest(
            generate_series(
                greatest($contribution_from, date_trunc('month', min(valid_from))),
                $business_date,
                interval 1 month
            )
        ) as first_day
    from history
),

period as (
    select
        cast(first_day as date) as month,
        least(last_day(first_day), $business_date) as period_end
    from calendar
),

book as (
    select
        period.month,
        history.customer_id,
        history.responsible_code
    from period
    inner join history
        on
            period.period_end >= history.valid_from
            and coalesce(period.period_end < history.valid_to, true)
    semi join customer on history.customer_id = customer.customer_id
),

asset as (
    select
        customer_id,
        month,
        sum(base_average_balance_amount) as month_assets_amount
    from product_month
    where
        product_family in ('current_deposit', 'savings_deposit', 'term_deposit', 'investment', 'insurance')
    group by customer_id, month
),

loan_month as (
    select
        loan.customer_id,
        cast(date_trunc('month', performance.as_of_date) as date) as month,
        loan.exchange_rate,
        arg_max(performance.outstanding_amount, performance.as_of_date) as outstanding_amount,
        arg_max(performance.days_past_due, performance.as_of_date) as days_past_due
    from performance
    inner join loan on performance.system = loan.system and performance.loan_id = loan.loan_id
    where performance.as_of_date < date_trunc('month', $business_date)
    group by
        loan.system,
        loan.loan_id,
        loan.customer_id,
        loan.exchange_rate,
        date_trunc('month', performance.as_of_date)
    union all
    select
        customer_id,
        cast(date_trunc('month', $business_date) as date) as month,
        exchange_rate,
        outstanding_amount,
        days_past_due
    from loan
),

debt as (
    select
        customer_id,
        month,
        sum(round(outstanding_amount * exchange_rate, 2)) as loan_amount,
        coalesce(
            sum(round(outstanding_amount * exchange_rate, 2)) filter (where days_past_due > 90), 0
        ) as bad_loan_amount
    from loan_month
    group by customer_id, month
),

moved as (
    select
        book.month,
        book.responsible_code,
        count(*) filter (where former.responsible_code <> book.responsible_code) as moved_in_count,
        count(*) filter (where former.customer_id is null) as new_customer_count
    from book
    left join book as former
        on book.customer_id = former.customer_id and book.month = former.month + interval 1 month
    where book.month > (select min(period.month) from period)
    group by book.month, book.responsible_code
),

left_for_other as (
    select
        book.month,
        former.responsible_code,
        count(*) as moved_out_count
    from book
    inner join book as former
        on book.customer_id = former.customer_id and book.month = former.month + interval 1 month
    where former.responsible_code <> book.responsible_code
    group by book.month, former.responsible_code
),

achieved as (
    select
        book.month,
        book.responsible_code,
        count(*) as customer_count,
        sum(earned.contribution_amount) as contribution_amount,
        sum(earned.eva_amount) as eva_amount,
        sum(asset.month_assets_amount) as month_assets_amount,
        sum(coalesce(asset.month_assets_amount, 0) - coalesce(asset_before.month_assets_amount, 0))
            as month_assets_growth_amount,
        sum(debt.loan_amount) as loan_amount,
        sum(debt.bad_loan_amount) as bad_loan_amount
    from book
    left join earned using (customer_id, month)
    left join asset using (customer_id, month)
    left join asset as asset_before
        on book.customer_id = asset_before.customer_id and book.month = asset_before.month + interval 1 month
    left join debt using (customer_id, month)
    group by book.month, book.responsible_code
),

family as (
    select
        customer_id,
        count(distinct product_family) as product_family_count
    from holding
    where product_count > 0
    group by customer_id
),

likely as (
    select
        customer_id,
        arg_max(churn_probability, as_of_date) >= $coverage_at_risk_from as is_at_risk
    from score
    where as_of_date <= $business_date
    group by customer_id
),

troubled as (
    select distinct customer_id from issue
),

seen as (
    select
        coverage.responsible_code,
        count(distinct household.household_id) as household_count,
        sum(coverage.assets_amount) as assets_amount,
        sum(coalesce(family.product_family_count, 0)) as product_family_count,
        count(*) filter (where segment.life_cycle_stage = 'lost') as lost_customer_count,
        count(*) filter (
            where segment.life_cycle_stage is distinct from 'lost' and likely.is_at_risk
        ) as at_risk_count,
        count(troubled.customer_id) as issue_customer_count
    from coverage
    left join household using (customer_id)
    left join segment using (customer_id)
    left join family using (customer_id)
    left join likely using (customer_id)
    left join troubled using (customer_id)
    group by coverage.responsible_code
),

-- tonight's facts for the present month; a past month keeps those of its last night
told as (
    select
        responsible_code,
        cast(date_trunc('month', $business_date) as date) as month,
        household_count,
        assets_amount,
        product_family_count,
        lost_customer_count,
        at_risk_count,
        issue_customer_count
    from seen
    union all
    select
        responsible_code,
        month,
        household_count,
        assets_amount,
        product_family_count,
        lost_customer_count,
        at_risk_count,
        issue_customer_count
    from before
    where month < date_trunc('month', $business_date)
),

responsible as (
    select
        coverage.responsible_code,
        any_value(coverage.manager_system) as manager_system,
        any_value(coverage.manager_id) as manager_id,
        any_value(coverage.team_name) as team_name,
        any_value(coverage.branch_system) filter (where coverage.manager_id is null) as team_branch_system,
        any_value(coverage.branch_id) filter (where coverage.manager_id is null) as team_branch_id
    from coverage
    group by coverage.responsible_code
),

known as (
    select
        responsible.responsible_code,
        responsible.manager_system,
        responsible.manager_id,
        manager.manager_name,
        responsible.team_name,
        coalesce(responsible.team_branch_system, if(manager.branch_id is null, null, manager.system))
            as branch_system,
        coalesce(responsible.team_branch_id, manager.branch_id) as branch_id
    from responsible
    left join manager
        on responsible.manager_system = manager.system and responsible.manager_id = manager.manager_id
    union all
    select
        responsible_code,
        arg_max(manager_system, month),
        arg_max(manager_id, month),
        arg_max(manager_name, month),
        arg_max(team_name, month),
        arg_max(branch_system, month),
        arg_max(branch_id, month)
    from before
    where responsible_code not in (select tonight.responsible_code from responsible as tonight)
    group by responsible_code
)

select
    responsible_code,
    month,
    period.period_end,
    known.manager_system,
    known.manager_id,
    known.manager_name,
    known.team_name,
    known.branch_system,
    known.branch_id,
    coalesce(achieved.customer_count, 0) as customer_count,
    if(
        month > (select min(first_period.month) from period as first_period),
        coalesce(moved.new_customer_count, 0),
        null
    ) as new_customer_count,
    if(
        month > (select min(first_period.month) from period as first_period),
        coalesce(moved.moved_in_count, 0),
        null
    ) as moved_in_count,
    if(
        month > (select min(first_period.month) from period as first_period),
        coalesce(left_for_other.moved_out_count, 0),
        null
    ) as moved_out_count,
    told.household_count,
    told.assets_amount,
    achieved.month_assets_amount,
    achieved.month_assets_growth_amount,
    achieved.contribution_amount,
    achieved.eva_amount,
    told.product_family_count,
    cast(told.product_family_count / nullif(achieved.customer_count, 0) as decimal(9, 4))
        as families_per_customer,
    told.lost_customer_count,
    told.at_risk_count,
    coalesce(achieved.loan_amount, 0) as loan_amount,
    coalesce(achieved.bad_loan_amount, 0) as bad_loan_amount,
    cast(achieved.bad_loan_amount / nullif(achieved.loan_amount, 0) as decimal(9, 6)) as bad_loan_share,
    told.issue_customer_count,
    cast(told.issue_customer_count / nullif(achieved.customer_count, 0) as decimal(9, 6)) as issue_share
from achieved
full outer join left_for_other using (responsible_code, month)
inner join period using (month)
left join moved using (responsible_code, month)
left join told using (responsible_code, month)
left join known using (responsible_code)
