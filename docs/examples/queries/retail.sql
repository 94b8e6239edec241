-- Ten questions of the branches to their share: private customers who hold a product, by name.

-- 1. Whom does each manager look after? | 各客户经理名下客户数
select
    branch_id,
    responsible_code,
    manager_name,
    count(*) as customers
from mart.coverage
group by all
order by customers desc, responsible_code asc;

-- 2. Who has just got another manager? | 最近更换负责人的客户
select
    coverage.changed_on_date,
    coverage.customer_id,
    customer.full_name,
    coverage.manager_name
from mart.coverage as coverage
inner join mart.customer_360 as customer using (customer_id)
order by coverage.changed_on_date desc, coverage.customer_id asc
limit 50;

-- 3. Today's calls: who may leave, in the order of what is at stake. | 今日挽留名单
select
    behaviour.retention_rank,
    customer.full_name,
    customer.mobile,
    customer.manager_name,
    behaviour.churn_reasons
from mart.customer_behaviour as behaviour
inner join mart.customer_360 as customer using (customer_id)
where behaviour.retention_rank is not null
order by behaviour.retention_rank
limit 20;

-- 4. What does a customer hold? | 客户持有产品
select
    customer.full_name,
    holding.product_family,
    holding.currency_code,
    holding.product_count,
    holding.balance_amount
from mart.customer_holding as holding
inner join mart.customer_360 as customer using (customer_id)
order by customer.customer_id, holding.product_family, holding.currency_code
limit 50;

-- 5. Who has an overdue debt and should be called before it grows? | 逾期客户联络名单
select
    full_name,
    mobile,
    max_days_past_due,
    total_debt_amount
from mart.customer_360
where max_days_past_due > 0
order by max_days_past_due desc, customer_id asc
limit 50;

-- 6. Families: households with their members. | 家庭及成员
select
    household.household_id,
    household.household_size,
    list(customer.full_name order by customer.customer_id) as members
from customer.household as household
inner join mart.customer_360 as customer using (customer_id)
group by all
having count(*) > 1
order by household.household_size desc, household.household_id asc
limit 20;

-- 7. How often is each tier to be contacted, and by whom? | 各等级服务标准
select
    service_tier,
    contacts_per_year,
    manager_kind,
    fee_waivers
from mart.service_standard
where party_type = 'person' and valid_to is null
order by tier_rank;

-- 8. Who rose to a higher tier this year? | 本年进入现等级的客户
select
    customer.full_name,
    segment.service_tier,
    segment.tier_since_date,
    segment.assets_amount
from mart.customer_segment as segment
inner join mart.customer_360 as customer using (customer_id)
where date_trunc('year', segment.tier_since_date) = date_trunc('year', segment.business_date)
order by segment.assets_amount desc
limit 50;

-- 9. Who has not been seen for half a year? | 半年未活跃客户
select
    customer.full_name,
    customer.mobile,
    customer.last_activity_date
from mart.customer_360 as customer
inner join mart.customer_segment as segment using (customer_id)
where
    customer.last_activity_date < segment.business_date - interval 6 month
    or customer.last_activity_date is null
order by customer.last_activity_date nulls first, customer.customer_id
limit 50;

-- 10. Deposits of each branch. | 各网点存款
select
    branch_system,
    branch_id,
    branch_name,
    count(*) as customers,
    sum(total_deposit_amount) as total_deposit_amount
from mart.customer_360
group by all
order by total_deposit_amount desc;
