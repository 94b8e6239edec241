-- How each customer behaves and how likely the active are to leave: activity, channels, balances, salary,
-- what customers of the same tier hold and this one does not, what it is likeliest to take next, and the
-- place in the retention list by the contribution at stake. Method: docs/behaviour.md.
-- Grain: customer_id.
with segment as (
    select * from mart.customer_segment
),

rule as (
    select unnest($churn)
),

activity as (
    select
        *,
        date_diff('month', month, $as_of_date) as age
    from value.customer_month
    where date_diff('month', month, $as_of_date) between 0 and 11
),

score as (
    select
        customer_id,
        churn_probability,
        churn_reasons,
        model_version,
        is_fallback
    from value.churn_score
    where as_of_date = $as_of_date
),

next_product as (
    select
        customer_id,
        product_family as next_product_family,
        propensity as next_product_propensity
    from value.next_product
    where as_of_date = $as_of_date and propensity_rank = 1
),

holding as (
    select distinct
        customer_id,
        product_family
    from mart.customer_holding
    where product_count > 0
),

behaved as (
    select
        customer_id,
        sum(initiated_count) as initiated_count,
        coalesce(sum(initiated_count) filter (where age < 3), 0) / 3 as monthly_count_3m,
        sum(initiated_count) / 12 as monthly_count_12m,
        count(*) filter (where initiated_count > 0) as active_months_12m,
        sum(mobile_count) as mobile_count,
        sum(online_count) as online_count,
        sum(atm_count) as atm_count,
        sum(point_of_sale_count) as point_of_sale_count,
        sum(counter_count) as counter_count,
        sum(other_channel_count) as other_channel_count,
        avg(known_balance_amount) filter (where age < 3) as balance_3m,
        avg(known_balance_amount) as balance_12m,
        count(*) filter (where age < 6 and base_salary_amount > 0) as salary_months_6m,
        avg(base_salary_amount) filter (where age < 6 and base_salary_amount > 0) as salary_amount
    from activity
    group by customer_id
),

channelled as (
    select
        *,
        greatest(
            mobile_count, online_count, atm_count, point_of_sale_count, counter_count, other_channel_count
        ) as most_count
    from behaved
),

-- of the customers of a tier, how many hold a family
tier as (
    select
        party_type,
        service_tier,
        count(*) as tier_customer_count
    from segment
    group by party_type, service_tier
),

tier_family as (
    select
        segment.party_type,
        segment.service_tier,
        holding.product_family,
        count(*) / any_value(tier.tier_customer_count) as held_share
    from segment
    inner join holding using (customer_id)
    inner join tier
        on
            segment.party_type = tier.party_type
            and segment.service_tier is not distinct from tier.service_tier
    group by segment.party_type, segment.service_tier, holding.product_family
),

lacking as (
    select
        segment.customer_id,
        string_agg(
            tier_family.product_family || ' ' || cast(round(100 * tier_family.held_share) as integer) || ' %',
            ', ' order by tier_family.held_share desc, tier_family.product_family asc
        ) as product_gaps
    from segment
    inner join tier_family
        on
            segment.party_type = tier_family.party_type
            and segment.service_tier is not distinct from tier_family.service_tier
    anti join holding
        on segment.customer_id = holding.customer_id and tier_family.product_family = holding.product_family
    where tier_family.held_share >= 0.1
    group by segment.customer_id
),

judged as (
    select
        segment.customer_id,
        segment.contribution_12m_amount,
        score.* exclude (customer_id),
        round(score.churn_probability * greatest(segment.contribution_12m_amount, 0), 2)
            as at_stake_contribution_amount
    from segment
    left join score using (customer_id)
)

select
    judged.customer_id,
    $as_of_date as as_of_date,
    cast(coalesce(channelled.monthly_count_3m, 0) as decimal(18, 2)) as monthly_initiated_3m,
    cast(coalesce(channelled.monthly_count_12m, 0) as decimal(18, 2)) as monthly_initiated_12m,
    coalesce(channelled.active_months_12m, 0) as active_months_12m,
    channelled.mobile_count / nullif(channelled.initiated_count, 0) as mobile_share_12m,
    channelled.online_count / nullif(channelled.initiated_count, 0) as online_share_12m,
    channelled.atm_count / nullif(channelled.initiated_count, 0) as atm_share_12m,
    channelled.point_of_sale_count / nullif(channelled.initiated_count, 0) as point_of_sale_share_12m,
    channelled.counter_count / nullif(channelled.initiated_count, 0) as counter_share_12m,
    case
        when coalesce(channelled.most_count, 0) = 0 then null
        when channelled.mobile_count = channelled.most_count then 'mobile'
        when channelled.online_count = channelled.most_count then 'online'
        when channelled.point_of_sale_count = channelled.most_count then 'point_of_sale'
        when channelled.atm_count = channelled.most_count then 'atm'
        when channelled.counter_count = channelled.most_count then 'counter'
        else 'other'
    end as preferred_channel,
    cast(channelled.balance_3m as decimal(18, 2)) as mean_balance_3m_amount,
    cast(channelled.balance_12m as decimal(18, 2)) as mean_balance_12m_amount,
    coalesce(channelled.salary_months_6m, 0) as salary_months_6m,
    coalesce(channelled.salary_months_6m >= 5, false) as has_regular_salary,
    cast(channelled.salary_amount as decimal(18, 2)) as mean_salary_amount,
    lacking.product_gaps,
    next_product.next_product_family,
    next_product.next_product_propensity,
    judged.churn_probability,
    case
        when judged.churn_probability is null then 'not_active'
        when judged.churn_probability >= rule.high then 'high'
        when judged.churn_probability >= rule.medium then 'medium'
        else 'low'
    end as churn_band,
    judged.churn_reasons,
    judged.at_stake_contribution_amount,
    if(
        judged.at_stake_contribution_amount > 0,
        row_number() over (
            order by judged.at_stake_contribution_amount desc nulls last, judged.customer_id asc
        ),
        null
    ) as retention_rank,
    judged.model_version,
    judged.is_fallback
from judged
cross join rule
left join channelled using (customer_id)
left join lacking using (customer_id)
left join next_product using (customer_id)
