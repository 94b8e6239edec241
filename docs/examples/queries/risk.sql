-- Ten questions of risk management to its share: every debtor and claim, nobody's name.

-- 1. The portfolio by five-class grade. | 五级分类分布
select
    risk_grade,
    count(*) as debtors,
    sum(debt_amount) as debt_amount,
    sum(expected_loss_amount) as expected_loss_amount
from mart.customer_risk
where has_debt
group by all
order by debt_amount desc;

-- 2. Non-performing ratio. | 不良率
select
    sum(non_performing_amount) as non_performing_amount,
    sum(debt_amount) as debt_amount,
    sum(non_performing_amount) / nullif(sum(debt_amount), 0) as non_performing_ratio
from mart.customer_risk;

-- 3. IFRS 9 stages and their cover. | IFRS 9 阶段与拨备覆盖
select
    ifrs9_stage,
    count(*) as debtors,
    sum(exposure_amount) as exposure_amount,
    sum(expected_loss_amount) / nullif(sum(exposure_amount), 0) as loss_rate
from mart.customer_risk
where has_debt
group by all
order by ifrs9_stage;

-- 4. Ten largest groups of connected customers. | 最大十户集团敞口
select
    customer_id,
    group_related_count,
    exposure_amount,
    group_exposure_amount,
    group_exposure_share,
    is_concentrated
from mart.customer_risk
order by group_exposure_amount desc nulls last, customer_id asc
limit 10;

-- 5. Early warnings by kind. | 预警信号分布
select
    warning_code,
    count(*) as customers
from (select unnest(string_split(warning_codes, ', ')) as warning_code from mart.customer_risk) as warning
group by all
order by customers desc, warning_code asc;

-- 6. Whose chance of default rose most since the loan was granted? | 违约概率上升最多的客户
select
    customer_id,
    first_probability_of_default,
    probability_of_default,
    probability_of_default - first_probability_of_default as rise
from mart.customer_risk
where has_debt
order by rise desc nulls last, customer_id asc
limit 20;

-- 7. Loss given default and exposure by product family. | 各产品敞口与违约损失率
select
    product_family,
    count(*) as claims,
    sum(exposure_amount) as exposure_amount,
    sum(exposure_amount * loss_given_default) / nullif(sum(exposure_amount), 0) as mean_loss_given_default
from value.exposure
group by all
order by exposure_amount desc nulls last;

-- 8. Overdue claims by bucket. | 逾期天数分布
select
    case
        when days_past_due > 360 then '4: above 360'
        when days_past_due > 270 then '3: 271 to 360'
        when days_past_due > 90 then '2: 91 to 270'
        when days_past_due > 0 then '1: 1 to 90'
        else '0: none'
    end as bucket,
    count(*) as claims,
    sum(base_owed_amount) as owed_amount
from value.exposure
group by all
order by bucket;

-- 9. How does the mean chance of default move from month end to month end? | 各月末平均违约概率
select
    as_of_date,
    model_version,
    count(*) as debtors,
    avg(probability_of_default) as mean_probability
from value.risk_score
group by all
order by as_of_date;

-- 10. Households with more than one debtor. | 多名借款人的家庭
select
    household.household_id,
    count(*) as debtors,
    sum(risk.debt_amount) as debt_amount,
    max(risk.days_past_due) as max_days_past_due
from customer.household as household
inner join mart.customer_risk as risk using (customer_id)
where risk.has_debt
group by all
having count(*) > 1
order by debt_amount desc, household.household_id asc
limit 20;
