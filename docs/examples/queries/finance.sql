-- Ten questions of finance to its share: contribution of customers, products and segments.

-- 1. The bank's contribution by month. | 全行各月贡献
select
    month,
    sum(net_interest_amount) as net_interest_amount,
    sum(fee_income_amount + interchange_amount + management_fee_amount) as fee_amount,
    sum(cost_amount) as cost_amount,
    sum(expected_loss_amount) as expected_loss_amount,
    sum(contribution_amount) as contribution_amount
from mart.bank_contribution
group by all
order by month;

-- 2. Do the customers add up to the bank, month by month? The difference must be 0. | 客户合计与全行核对
with customer as (
    select
        month,
        sum(contribution_amount) as contribution_amount
    from mart.customer_contribution
    group by month
),

bank as (
    select
        month,
        sum(contribution_amount) as contribution_amount
    from mart.bank_contribution
    where is_assigned
    group by month
)

select
    bank.month,
    bank.contribution_amount - customer.contribution_amount as difference
from bank
inner join customer using (month)
order by bank.month;

-- 3. What does each family bring in a month, of its average balance? | 各产品线月均收益率
select
    product_family,
    sum(contribution_amount) as contribution_amount,
    sum(eva_amount) as eva_amount,
    sum(contribution_amount) / nullif(sum(base_average_balance_amount), 0) as share_of_balance_a_month
from mart.bank_contribution
group by all
order by contribution_amount desc;

-- 4. Return on capital by family in the latest month. | 最近一月各产品线资本回报
select
    product_family,
    contribution_amount,
    capital_amount,
    raroc
from mart.bank_contribution
where is_assigned
qualify month = max(month) over ()
order by raroc desc nulls last;

-- 5. Whale curve: how many customers bring the whole of the contribution? | 鲸鱼曲线
select
    customer_percentile,
    cumulative_contribution_amount,
    cumulative_share
from mart.contribution_curve
order by customer_percentile;

-- 6. Customers who cost more than they bring. | 贡献为负的客户
select
    segment.party_type,
    segment.service_tier,
    count(*) as customers,
    sum(contribution.contribution_amount) as contribution_amount
from mart.customer_annual_contribution as contribution
inner join mart.customer_segment as segment using (customer_id)
where contribution.contribution_amount < 0
group by all
order by contribution_amount;

-- 7. Contribution, capital and value added of each tier. | 各等级的贡献、资本与经济增加值
select
    segment.party_type,
    segment.service_tier,
    count(*) as customers,
    sum(segment.assets_amount) as assets_amount,
    sum(contribution.contribution_amount) as contribution_amount,
    sum(contribution.eva_amount) as eva_amount
from mart.customer_segment as segment
inner join mart.customer_annual_contribution as contribution using (customer_id)
group by all
order by contribution_amount desc;

-- 8. How dependent is the bank on its largest customers? | 客户集中度
select
    measure,
    top_customers,
    top_amount,
    top_share
from mart.concentration
order by measure, top_customers;

-- 9. The transfer prices in force. | 现行内部转移价格
select
    currency_code,
    tenor_months,
    transfer_rate
from value.transfer_price
where valid_to is null and is_quoted
order by currency_code, tenor_months;

-- 10. Movements between tiers. | 等级迁移
select
    month,
    party_type,
    coalesce(from_tier, '(new)') as from_tier,
    to_tier,
    sum(customer_count) as customers,
    sum(assets_amount) as assets_amount
from mart.tier_movement
group by all
order by all;
