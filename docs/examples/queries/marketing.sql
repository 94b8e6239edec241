-- Ten questions of marketing to its share. Everybody in it agreed to marketing; customer_id is a token.

-- 1. How many customers may be approached, by kind and life-cycle stage? | 可触达客户数，按类型与生命周期阶段
select
    party_type,
    life_cycle_stage,
    count(*) as customers
from mart.customer_segment
group by all
order by customers desc;

-- 2. Where do they live? | 客户分布在哪些城市
select
    province,
    city,
    count(*) as customers
from mart.customer_360
group by all
order by customers desc, province asc, city asc
limit 20;

-- 3. Which family is each customer likeliest to take next, and how many are there for each? | 下一可能产品及其人数
select
    next_product_family,
    count(*) as customers,
    round(avg(next_product_propensity), 3) as mean_propensity
from mart.customer_behaviour
where next_product_family is not null
group by all
order by customers desc;

-- 4. The audience of a campaign for savings: likely, and not about to leave. | 储蓄活动受众：意愿高且无流失风险
select
    behaviour.customer_id,
    behaviour.next_product_propensity,
    segment.service_tier
from mart.customer_behaviour as behaviour
inner join mart.customer_segment as segment using (customer_id)
where behaviour.next_product_family = 'savings_deposit' and behaviour.churn_band <> 'high'
order by behaviour.next_product_propensity desc, behaviour.customer_id asc
limit 100;

-- 5. Which channel reaches which age? | 各年龄段的偏好渠道
select
    customer.age_years as decade,
    behaviour.preferred_channel,
    count(*) as customers
from mart.customer_360 as customer
inner join mart.customer_behaviour as behaviour using (customer_id)
where customer.party_type = 'person'
group by all
order by decade asc, customers desc;

-- 6. Who has money in deposits and nothing else? | 仅有存款的客户
select
    total_deposit_amount,
    count(*) as customers
from mart.customer_360
where product_count = 1 and total_debt_amount = '[0, 10000)'
group by all
order by total_deposit_amount;

-- 7. Recency, frequency and value: how many are in each cell? | RFM 分布
select
    recency_score,
    frequency_score,
    monetary_score,
    count(*) as customers
from mart.customer_segment
group by all
order by all;

-- 8. Valuable customers at risk of leaving. | 高价值且可能流失的客户数
select
    segment.service_tier,
    behaviour.churn_band,
    count(*) as customers
from mart.customer_segment as segment
inner join mart.customer_behaviour as behaviour using (customer_id)
where segment.contribution_decile >= 9
group by all
order by all;

-- 9. Three likeliest families of every customer in a row. | 每位客户最可能的三类产品
select
    customer_id,
    list(product_family order by propensity_rank) as families
from value.next_product
where propensity_rank <= 3
group by customer_id
order by customer_id
limit 100;

-- 10. How long have customers been with the bank, by needs? | 客户年限与需求画像
select
    segment.needs_profile,
    date_part('year', customer.customer_since_date) as since_year,
    count(*) as customers
from mart.customer_segment as segment
inner join mart.customer_360 as customer using (customer_id)
group by all
order by all;
