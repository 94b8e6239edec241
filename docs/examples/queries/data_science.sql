-- Ten questions of data science to its share: exact behaviour of tokens.

-- 1. A table to learn from: one row a customer. | 建模宽表
select
    customer.customer_id,
    customer.age_years,
    customer.product_count,
    customer.max_days_past_due,
    segment.life_cycle_stage,
    segment.service_tier,
    behaviour.monthly_initiated_3m,
    behaviour.monthly_initiated_12m,
    behaviour.active_months_12m,
    behaviour.has_regular_salary,
    behaviour.churn_probability
from mart.customer_360 as customer
inner join mart.customer_behaviour as behaviour using (customer_id)
inner join mart.customer_segment as segment using (customer_id)
order by customer.customer_id
limit 100;

-- 2. Is the churn model in force, or its fallback? | 当前流失模型
select
    model_version,
    is_fallback,
    count(*) as customers,
    avg(churn_probability) as mean_probability
from mart.customer_behaviour
group by all;

-- 3. Churn probability by tenth of the activity. | 活跃度十分位与流失概率
select
    tile,
    count(*) as customers,
    min(monthly_initiated_12m) as least,
    avg(churn_probability) as mean_probability
from (
    select
        *,
        ntile(10) over (order by monthly_initiated_12m, customer_id) as tile
    from mart.customer_behaviour
) as ranked
group by tile
order by tile;

-- 4. Which channels go together? | 渠道使用的相关性
select
    corr(mobile_share_12m, counter_share_12m) as mobile_counter,
    corr(mobile_share_12m, atm_share_12m) as mobile_atm,
    corr(online_share_12m, counter_share_12m) as online_counter
from mart.customer_behaviour;

-- 5. Movements by weekday and channel. | 各渠道按星期的交易
select
    dayname(booked_date) as weekday,
    channel,
    count(*) as movements
from customer.transaction
group by all
order by min(isodow(booked_date)), movements desc;

-- 6. Sequence of kinds: what follows a salary within three days? | 工资入账后三日内的交易
select
    later.transaction_kind,
    count(*) as movements
from customer.transaction as salary
inner join customer.transaction as later
    on
        salary.customer_id = later.customer_id
        and later.booked_date between salary.booked_date and salary.booked_date + 3
        and salary.transaction_id <> later.transaction_id
where salary.transaction_kind = 'salary'
group by all
order by movements desc, later.transaction_kind asc;

-- 7. Product combinations. | 产品组合
select
    account_count > 0 as has_account,
    card_count > 0 as has_card,
    loan_count > 0 as has_loan,
    count(*) as customers
from mart.customer_360
group by all
order by customers desc;

-- 8. Distribution of the score points. | 评分分布
select
    cast(floor(score_points / 20) * 20 as integer) as from_points,
    count(*) as debtors,
    avg(probability_of_default) as mean_probability
from mart.customer_risk
where score_points is not null
group by all
order by from_points;

-- 9. Reasons that lower scores most often. | 最常见的扣分原因
select
    reason_code,
    count(*) as debtors
from (select unnest(string_split(reason_codes, ', ')) as reason_code from mart.customer_risk) as reason
group by all
order by debtors desc, reason_code asc;

-- 10. Households: do members behave alike? | 家庭成员行为相似性
select
    household.household_size,
    count(*) as customers,
    stddev_pop(behaviour.monthly_initiated_12m) as spread
from customer.household as household
inner join mart.customer_behaviour as behaviour using (customer_id)
group by all
order by household.household_size;
