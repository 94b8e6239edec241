-- The credit risk of every customer at the end of the business date: arrears, five-class grade, IFRS 9 stage,
-- probability of default as of the latest month end, exposure alone and with household and group, early
-- warnings. Customers without debt are listed too, without grade, stage and probability.
-- Grain: customer_id.
with setting as (
    select unnest($risk)
),

customer as (
    select * from customer.customer
),

exposure as (
    select * from value.exposure
    where customer_id is not null
),

score as (
    select * from value.risk_score
),

feature as (
    select * from value.risk_feature
),

household as (
    select * from customer.household
),

relationship as (
    select * from customer.relationship
),

role as (
    select * from customer.party_role
),

loan as (
    select * from customer.loan
),

card as (
    select * from customer.card
),

grade as (
    select unnest([
        { 'risk_grade': 'normal', 'grade_rank': 1 },
        { 'risk_grade': 'special_mention', 'grade_rank': 2 },
        { 'risk_grade': 'substandard', 'grade_rank': 3 },
        { 'risk_grade': 'doubtful', 'grade_rank': 4 },
        { 'risk_grade': 'loss', 'grade_rank': 5 }
    ], recursive := true)
),

bucket as (
    select unnest(fallback, recursive := true) from setting
),

-- a card on which nothing is owed is a commitment, not yet a debt
debt as (
    select
        exposure.customer_id,
        bool_or(exposure.owed_amount > 0) as has_debt,
        sum(exposure.base_owed_amount) as debt_amount,
        sum(exposure.base_undrawn_amount) as undrawn_amount,
        sum(exposure.exposure_amount) as exposure_amount,
        sum(exposure.exposure_amount * exposure.loss_given_default) as loss_amount,
        coalesce(sum(exposure.base_owed_amount) filter (where grade.grade_rank > 2), 0)
            as non_performing_amount,
        max(exposure.days_past_due) as days_past_due,
        max(grade.grade_rank) as grade_rank
    from exposure
    inner join grade using (risk_grade)
    group by exposure.customer_id
),

ruled as (
    select
        debt.customer_id,
        coalesce(min(bucket.probability), 1) as probability_of_default
    from debt
    left join bucket on debt.days_past_due <= bucket.up_to_days
    group by debt.customer_id
),

latest as (
    select * from score
    where as_of_date = $as_of_date
),

-- the earliest score of the window that was made the same way: by a model, or by rule
earliest as (
    select
        score.customer_id,
        arg_min(score.probability_of_default, score.as_of_date) as probability_of_default
    from score
    inner join latest using (customer_id, is_fallback)
    group by score.customer_id
),

judged as (
    select
        debt.*,
        case
            when debt.days_past_due > setting.default_days then 1
            else coalesce(latest.probability_of_default, ruled.probability_of_default)
        end as probability_of_default,
        earliest.probability_of_default as first_probability_of_default,
        latest.score_points,
        latest.reason_codes,
        latest.reasons_en,
        latest.reasons_zh,
        coalesce(latest.model_version, 'none') as model_version,
        coalesce(latest.is_fallback, true) as is_fallback
    from debt
    cross join setting
    left join latest using (customer_id)
    left join ruled using (customer_id)
    left join earliest using (customer_id)
),

staged as (
    select
        judged.*,
        case
            when judged.days_past_due > setting.stage_3_days or judged.grade_rank > 2 then 3
            when judged.days_past_due > setting.stage_2_days or judged.grade_rank = 2 then 2
            when
                judged.probability_of_default
                >= greatest(
                    setting.probability_ratio * judged.first_probability_of_default,
                    judged.first_probability_of_default + setting.probability_increase
                )
                then 2
            else 1
        end as ifrs9_stage
    from judged
    cross join setting
),

household_sum as (
    select
        household.household_id,
        sum(debt.exposure_amount) as exposure_amount
    from household
    inner join debt using (customer_id)
    group by household.household_id
),

-- the group of a customer: itself and those it is tied to by control, in either direction
tie as (
    select
        customer_id,
        related_customer_id
    from relationship
    where
        relationship in ('legal_representative', 'parent_company', 'sister_company')
        and strength <> 'weak'
    union
    select
        related_customer_id,
        customer_id
    from relationship
    where
        relationship in ('legal_representative', 'parent_company', 'sister_company')
        and strength <> 'weak'
),

group_sum as (
    select
        tie.customer_id,
        count(*) as related_count,
        sum(debt.exposure_amount) as exposure_amount
    from tie
    left join debt on tie.related_customer_id = debt.customer_id
    group by tie.customer_id
),

guaranteed as (
    select distinct
        customer_id,
        product_system,
        product_id
    from role
    where product_type = 'loan' and role = 'guarantor' and customer_id is not null
),

contingent as (
    select
        guaranteed.customer_id,
        sum(exposure.exposure_amount) as exposure_amount
    from guaranteed
    inner join exposure
        on
            guaranteed.product_system = exposure.system
            and guaranteed.product_id = exposure.product_id
            and exposure.product_type = 'loan'
            and guaranteed.customer_id <> exposure.customer_id
    group by guaranteed.customer_id
),

bank as (
    select sum(exposure_amount) as exposure_amount from debt
),

-- early warnings
plastic as (
    select
        customer_id,
        sum(greatest(balance_amount, 0)) / nullif(sum(credit_limit_amount), 0) as card_utilisation
    from card
    where
        customer_id is not null
        and product_family = 'credit_card'
        and status_code is distinct from 'cancelled'
    group by customer_id
),

fresh as (
    select
        customer_id,
        count(*) as new_loan_count
    from loan
    where start_date > $business_date - interval 3 months
    group by customer_id
),

before as (
    select * from feature
    where as_of_date = last_day($as_of_date - interval 1 month)
),

lately as (
    select * from feature
    where as_of_date = $as_of_date
),

backer as (
    select
        relationship.customer_id,
        max(debt.days_past_due) as days_past_due
    from relationship
    inner join debt on relationship.related_customer_id = debt.customer_id
    where relationship.relationship = 'guarantor'
    group by relationship.customer_id
),

warned as (
    select
        staged.customer_id,
        [
            case
                when staged.days_past_due > 0 and coalesce(before.worst_days_past_due_3m, 0) = 0
                    then 'new_arrears'
            end,
            case
                when lately.salary_months_6m >= 3 and lately.months_since_salary >= setting.salary_months
                    then 'salary_stopped'
            end,
            case when plastic.card_utilisation > setting.card_utilisation then 'card_near_limit' end,
            case
                when
                    lately.deposit_amount_3m >= setting.minimum_balance
                    and lately.deposit_amount <= (1 - setting.balance_fall) * lately.deposit_amount_3m
                    then 'balance_collapsed'
            end,
            case when fresh.new_loan_count >= setting.new_loans then 'several_new_loans' end,
            case when backer.days_past_due > 0 then 'guarantor_in_arrears' end
        ] as signals
    from staged
    cross join setting
    left join before using (customer_id)
    left join lately using (customer_id)
    left join plastic using (customer_id)
    left join fresh using (customer_id)
    left join backer using (customer_id)
)

select
    customer.customer_id,
    coalesce(staged.has_debt, false) as has_debt,
    staged.days_past_due,
    grade.risk_grade,
    staged.ifrs9_stage,
    staged.probability_of_default,
    staged.first_probability_of_default,
    staged.score_points,
    staged.reason_codes,
    staged.reasons_en,
    staged.reasons_zh,
    coalesce(staged.model_version, 'none') as model_version,
    staged.is_fallback,
    coalesce(staged.debt_amount, 0) as debt_amount,
    coalesce(staged.undrawn_amount, 0) as undrawn_amount,
    coalesce(staged.exposure_amount, 0) as exposure_amount,
    coalesce(staged.non_performing_amount, 0) as non_performing_amount,
    coalesce(
        round(staged.loss_amount * staged.probability_of_default, 2), 0
    ) as expected_loss_amount,
    coalesce(contingent.exposure_amount, 0) as contingent_exposure_amount,
    coalesce(household_sum.exposure_amount, staged.exposure_amount, 0) as household_exposure_amount,
    coalesce(group_sum.related_count, 0) as group_related_count,
    coalesce(staged.exposure_amount, 0) + coalesce(group_sum.exposure_amount, 0) as group_exposure_amount,
    round(coalesce(staged.exposure_amount, 0) / nullif(bank.exposure_amount, 0), 6) as exposure_share,
    round(
        (coalesce(staged.exposure_amount, 0) + coalesce(group_sum.exposure_amount, 0))
        / nullif(bank.exposure_amount, 0),
        6
    ) as group_exposure_share,
    coalesce(
        (coalesce(staged.exposure_amount, 0) + coalesce(group_sum.exposure_amount, 0))
        / nullif(bank.exposure_amount, 0)
        > setting.concentration_share,
        false
    ) as is_concentrated,
    nullif(array_to_string(warned.signals, ', '), '') as warning_codes,
    coalesce(list_count(warned.signals), 0) as warning_count
from customer
cross join bank
cross join setting
left join staged using (customer_id)
left join grade on staged.grade_rank = grade.grade_rank
left join household on customer.customer_id = household.customer_id
left join household_sum on household.household_id = household_sum.household_id
left join group_sum using (customer_id)
left join contingent using (customer_id)
left join warned using (customer_id)
