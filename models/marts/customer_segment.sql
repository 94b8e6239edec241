-- Which segment each customer is in: assets, contribution, stage of life, recency, frequency, money, needs,
-- and the service tier, which goes up at one threshold and down only below a lower one and after a minimum
-- time. The tier of the night before follows the customer through merges and splits. Rules: docs/segments.md.
-- Grain: customer_id.
with rule as (
    select unnest($segment)
),

customer as (
    select * from customer.customer
),

holding as (
    select * from mart.customer_holding
),

product_month as (
    select * from value.product_month
),

contribution_month as (
    select * from mart.customer_contribution
),

activity as (
    select * from value.customer_month
),

standard as (
    select * from mart.service_standard
    where valid_from <= $business_date and coalesce(valid_to > $business_date, true)
),

last_night as (
    select * from previous.mart__customer_segment
),

retired as (
    select * from customer.retired_customer
),

history as (
    select * from customer.customer_record_history
),

held as (
    select
        customer_id,
        sum(product_count) as product_count,
        sum(base_balance_amount) filter (
            where product_family in (
                'current_deposit', 'savings_deposit', 'term_deposit', 'investment', 'insurance'
            )
        ) as assets_amount,
        sum(base_balance_amount) filter (
            where product_family in ('savings_deposit', 'term_deposit')
        ) as saved_amount,
        sum(base_balance_amount) filter (
            where product_family in ('investment', 'insurance')
        ) as invested_amount,
        sum(base_balance_amount) filter (
            where product_family in ('credit_card', 'mortgage', 'consumer_loan', 'business_loan')
        ) as debt_amount
    from holding
    group by customer_id
),

-- a product open for part of a month counts for that part of it
asset_month as (
    select
        customer_id,
        month,
        date_diff('month', month, $as_of_date) as age,
        sum(cast(base_average_balance_amount as double) * open_days / period_days) as day_amount
    from product_month
    where
        customer_id is not null
        and month <= $as_of_date
        and product_family in (
            'current_deposit', 'savings_deposit', 'term_deposit', 'investment', 'insurance'
        )
    group by customer_id, month
),

asset as (
    select
        customer_id,
        avg(day_amount) filter (where age < 3) as average_amount,
        avg(day_amount) filter (where age between 3 and 11) as average_amount_before
    from asset_month
    group by customer_id
),

contribution as (
    select
        customer_id,
        sum(contribution_amount) as contribution_amount
    from contribution_month
    where date_diff('month', month, $as_of_date) between 0 and 11
    group by customer_id
),

valued as (
    select
        coalesce((select count(*) from contribution_month) > 0, false) as is_contribution_known,
        (select date_diff('month', min(month), $business_date) from activity) as history_months
),

aged as (
    select
        *,
        date_diff('month', month, $as_of_date) as age
    from activity
),

active as (
    select
        customer_id,
        max(last_initiated_date) as last_initiated_date,
        sum(initiated_count) filter (where age between 0 and 11) as initiated_count,
        sum(base_credit_amount + base_debit_amount) filter (where age between 0 and 11) as turnover_amount,
        coalesce(sum(initiated_count) filter (where age between 0 and 2), 0) / 3 as monthly_count,
        coalesce(sum(initiated_count) filter (where age between 3 and 11), 0) / 9 as monthly_count_before
    from aged
    group by customer_id
),

known as (
    select
        customer.customer_id,
        customer.party_type,
        customer.customer_since_date,
        valued.*,
        rule.*,
        held.product_count,
        coalesce(held.assets_amount, 0) as assets_amount,
        coalesce(held.saved_amount, 0) as saved_amount,
        coalesce(held.invested_amount, 0) as invested_amount,
        coalesce(held.debt_amount, 0) as debt_amount,
        cast(coalesce(asset.average_amount, held.assets_amount, 0) as decimal(18, 2))
            as average_assets_amount,
        asset.average_amount_before,
        coalesce(contribution.contribution_amount, 0) as contribution_amount,
        active.last_initiated_date,
        coalesce(active.initiated_count, 0) as initiated_count,
        coalesce(active.turnover_amount, 0) as turnover_amount,
        coalesce(active.monthly_count, 0) as monthly_count,
        coalesce(active.monthly_count_before, 0) as monthly_count_before
    from customer
    cross join valued
    cross join rule
    left join held using (customer_id)
    left join asset using (customer_id)
    left join contribution using (customer_id)
    left join active using (customer_id)
),

scored as (
    select
        *,
        if(
            is_contribution_known,
            (rank() over (order by contribution_amount desc) - 1) * 10 // count(*) over () + 1,
            null
        ) as contribution_decile,
        -- fifths of those who were active; equal figures get equal scores
        case
            when history_months is null then null
            when initiated_count = 0 then 1
            else ceil(5 * cume_dist() over (
                partition by party_type, initiated_count > 0
                order by last_initiated_date
            ))
        end as recency_score,
        case
            when history_months is null then null
            when initiated_count = 0 then 1
            else ceil(5 * cume_dist() over (
                partition by party_type, initiated_count > 0
                order by initiated_count
            ))
        end as frequency_score,
        case
            when history_months is null then null
            when initiated_count = 0 then 1
            else ceil(5 * cume_dist() over (
                partition by party_type, initiated_count > 0
                order by turnover_amount
            ))
        end as monetary_score,
        -- silence is known only as far back as transactions are
        coalesce(
            history_months >= dormant_months
            and coalesce(last_initiated_date < $business_date - to_months(dormant_months), true),
            false
        ) as is_silent,
        assets_amount <= lost_assets and debt_amount <= 0 as is_empty,
        coalesce(
            history_months >= lost_months
            and coalesce(last_initiated_date < $business_date - to_months(lost_months), true),
            false
        ) as is_long_silent,
        average_assets_amount - average_amount_before as assets_change
    from known
),

staged as (
    select
        *,
        case
            when product_count is null then 'prospect'
            when product_count = 0 and is_empty then 'lost'
            when customer_since_date > $business_date - to_months(new_months) then 'new'
            when is_long_silent and is_empty then 'lost'
            when is_silent and debt_amount <= 0 then 'dormant'
            when
                assets_change <= -change_floor
                and assets_change <= -decline * average_amount_before then 'declining'
            when
                monthly_count_before >= 1
                and monthly_count <= (1 - activity_decline) * monthly_count_before then 'declining'
            when
                assets_change >= change_floor
                and assets_change >= growth * average_amount_before then 'growing'
            else 'mature'
        end as life_cycle_stage,
        case
            when
                assets_amount >= least_assets
                and invested_amount >= invested_share * assets_amount then 'investor'
            when debt_amount > 0 and debt_amount >= debt_ratio * assets_amount then 'borrower'
            when
                assets_amount >= least_assets
                and saved_amount >= saved_share * assets_amount then 'saver'
            when monthly_count >= monthly_transactions then 'transactor'
            else 'basic'
        end as needs_profile
    from scored
),

-- last night's rows under the ids that they have tonight
carried as (
    select
        coalesce(retired.living_customer_id, last_night.customer_id) as heir_id,
        last_night.*
    from last_night
    left join retired using (customer_id)
),

-- an id that is new by a split goes on from the customer that its records were taken from
origin as (
    select distinct
        present.customer_id as heir_id,
        before.customer_id
    from history as present
    inner join history as before
        on
            present.system = before.system
            and present.record_id = before.record_id
            and present.valid_from = before.valid_to
    anti join carried on present.customer_id = carried.heir_id
    where present.valid_to is null
),

heir as (
    select * from carried
    union all by name
    select
        origin.heir_id,
        last_night.*
    from origin
    inner join last_night using (customer_id)
),

-- of merged customers the highest tier goes on
former as (
    select
        heir.heir_id as customer_id,
        heir.business_date as former_date,
        heir.service_tier as former_tier,
        heir.tier_since_date as former_since_date,
        heir.previous_tier as former_previous_tier,
        heir.month_start_tier as former_month_start_tier,
        standard.tier_rank as former_rank,
        coalesce(earlier.tier_rank > standard.tier_rank, false) as was_lowered
    from heir
    inner join customer on heir.heir_id = customer.customer_id
    left join standard
        on customer.party_type = standard.party_type and heir.service_tier = standard.service_tier
    left join standard as earlier
        on customer.party_type = earlier.party_type and heir.previous_tier = earlier.service_tier
    qualify row_number() over (
        partition by heir.heir_id
        order by standard.tier_rank desc nulls last, heir.tier_since_date asc, heir.customer_id asc
    ) = 1
),

reached as (
    select
        staged.customer_id,
        max(standard.tier_rank) filter (
            where
            staged.average_assets_amount >= standard.enter_assets_amount
            or staged.contribution_amount >= standard.enter_contribution_amount
            or standard.tier_rank = 1
        ) as entry_rank,
        max(standard.tier_rank) filter (
            where
            staged.average_assets_amount >= standard.keep_assets_amount
            or staged.contribution_amount >= standard.keep_contribution_amount
            or standard.tier_rank = 1
        ) as keep_rank
    from staged
    inner join standard using (party_type)
    group by staged.customer_id
),

judged as (
    select
        reached.*,
        former.* exclude (customer_id),
        cast(former.former_since_date + to_months(rule.minimum_months) as date) as free_from_date,
        $business_date >= former.former_since_date + to_months(rule.minimum_months) as is_free
    from reached
    cross join rule
    left join former using (customer_id)
),

moved as (
    select
        *,
        case
            when former_rank is null then entry_rank
            when entry_rank > former_rank and (is_free or not was_lowered) then entry_rank
            when keep_rank < former_rank and is_free then keep_rank
            else former_rank
        end as tier_rank
    from judged
),

worded as (
    select
        staged.*,
        moved.* exclude (customer_id),
        tier.service_tier,
        'average assets of ' || format('{:,.2f}', cast(staged.average_assets_amount as double))
            as assets_words,
        format('{:,.2f}', cast(tier.enter_assets_amount as double)) as enter_words,
        format('{:,.2f}', cast(lost.keep_assets_amount as double)) as keep_words,
        staged.average_assets_amount >= tier.enter_assets_amount as is_entered_by_assets,
        staged.average_assets_amount >= tier.keep_assets_amount as is_kept_by_assets,
        staged.contribution_amount >= tier.enter_contribution_amount as is_entered_by_contribution,
        staged.contribution_amount >= tier.keep_contribution_amount as is_kept_by_contribution,
        format('{:,.2f}', cast(staged.contribution_amount as double)) as contribution_words,
        format('{:,.2f}', cast(tier.enter_contribution_amount as double)) as enter_contribution_words,
        format('{:,.2f}', cast(tier.keep_contribution_amount as double)) as keep_contribution_words
    from staged
    left join moved using (customer_id)
    left join standard as tier on staged.party_type = tier.party_type and moved.tier_rank = tier.tier_rank
    left join standard as lost on staged.party_type = lost.party_type and moved.former_rank = lost.tier_rank
)

select
    customer_id,
    $business_date as business_date,
    party_type,
    assets_amount,
    average_assets_amount,
    debt_amount,
    contribution_amount as contribution_12m_amount,
    contribution_decile,
    life_cycle_stage,
    last_initiated_date,
    initiated_count as initiated_count_12m,
    turnover_amount as turnover_12m_amount,
    recency_score,
    frequency_score,
    monetary_score,
    needs_profile,
    service_tier,
    tier_rank,
    case
        when former_rank = tier_rank then former_since_date
        when tier_rank is not null then $business_date
    end as tier_since_date,
    if(former_rank = tier_rank, former_previous_tier, former_tier) as previous_tier,
    if(
        date_trunc('month', former_date) = date_trunc('month', $business_date),
        former_month_start_tier,
        former_tier
    ) as month_start_tier,
    case
        when tier_rank is null then null
        when former_rank > tier_rank
            then assets_words || ' are below the ' || keep_words || ' that keep ' || former_tier
        when keep_rank < former_rank
            then
                assets_words || ' are below the ' || keep_words || ' that keep the tier; it stays until '
                || free_from_date
        when entry_rank > tier_rank
            then 'a higher tier is reached again, and given from ' || free_from_date || ' on'
        when tier_rank = 1 then 'open to every customer'
        when is_entered_by_assets then assets_words || ' reach ' || enter_words
        when is_entered_by_contribution
            then
                'contribution of ' || contribution_words || ' in twelve months reaches '
                || enter_contribution_words
        when is_kept_by_assets
            then assets_words || ' are not below the ' || keep_words || ' that keep the tier'
        when is_kept_by_contribution
            then
                'contribution of ' || contribution_words || ' in twelve months is not below the '
                || keep_contribution_words || ' that keep the tier'
        else 'what keeps a higher tier keeps this one'
    end as tier_reason
from worded
